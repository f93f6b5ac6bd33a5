package report_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/report"
	"github.com/seed-1b6a03a1/twofactor/store"
)

const csvHeader = "user_id,state,enabled,authenticators,channel,recovery_codes_left,trusted_devices," +
	"last_sign_in,last_factor,locked,bypass_until,must_enroll,setup_expires,reset_asked,reset_matures,error"

// members is a sequence of these, without an error.
func members(all ...enrollment.Member) iter.Seq2[enrollment.Member, error] {
	return func(yield func(enrollment.Member, error) bool) {
		for _, m := range all {
			if !yield(m, nil) {
				return
			}
		}
	}
}

// The members and their second factors as CSV, to the letter.
func TestWriteCSV(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 15, 987654000, time.FixedZone("east", 3600))
	full := enrollment.Status{
		State:          store.Confirmed,
		Authenticators: make([]enrollment.Authenticator, 2),
		SetupExpires:   at.Add(time.Minute),
		Address:        &enrollment.Address{Channel: "sms", Hint: "…42"},
		CodesLeft:      7,
		CodesTotal:     10,
		Devices:        3,
		BypassUntil:    at.Add(time.Hour),
		Reset:          &enrollment.ResetRequest{Asked: at, Matures: at.Add(72 * time.Hour)},
		Locks:          []enrollment.Lock{{Factor: enrollment.FactorTOTP}, {Factor: enrollment.FactorDelivered}},
		LastSignIn:     at,
		LastFactor:     enrollment.FactorTrustedDevice,
	}
	seq := func(yield func(enrollment.Member, error) bool) {
		_ = yield(enrollment.Member{UserID: "alice", Status: full}, nil) &&
			yield(enrollment.Member{UserID: "bob", Status: enrollment.Status{State: store.None, MustEnroll: true}}, nil) &&
			yield(enrollment.Member{UserID: "carol", Status: full}, fmt.Errorf("%w: damaged, \"or\" so", enrollment.ErrCorrupt))
	}
	mail := report.Column{Header: "e-mail", Value: func(m enrollment.Member) string { return m.UserID + "@example.com" }}
	var b strings.Builder
	written, err := report.WriteCSV(&b, seq, mail)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(csvHeader, "user_id,", "user_id,e-mail,", 1) + `
alice,alice@example.com,confirmed,true,2,sms,7,3,2026-03-01T11:00:15Z,trusted_device,totp delivered,2026-03-01T12:00:15Z,false,2026-03-01T11:01:15Z,2026-03-01T11:00:15Z,2026-03-04T11:00:15Z,
bob,bob@example.com,none,false,0,,0,0,,,,,true,,,,
carol,carol@example.com,,,,,,,,,,,,,,,"enrollment: the stored account is corrupt: damaged, ""or"" so"
`
	if got := b.String(); got != want {
		t.Errorf("the file is\n%s\nwant\n%s", got, want)
	}
	if written.Rows != 3 || written.Unreadable.Total != 1 || written.Unreadable.First[0].UserID != "carol" ||
		!errors.Is(written.Unreadable.First[0].Err, enrollment.ErrCorrupt) {
		t.Errorf("the report is %+v", written)
	}
}

// On accounts that are stored. What can't be opened is a row as well.
func TestWriteCSVOfDirectory(t *testing.T) {
	t.Parallel()
	ctx, kit := t.Context(), enrollmenttest.New(t)
	for _, id := range []string{"alice", "bob", "carol"} {
		kit.Enroll(id)
	}
	damaged, err := kit.Store.Load(ctx, "bob")
	if err != nil {
		t.Fatal(err)
	}
	damaged.Data[len(damaged.Data)/2] ^= 1
	damaged.Version++
	if err := kit.Store.Save(ctx, damaged, damaged.Version-1); err != nil {
		t.Fatal(err)
	}
	dir, err := enrollment.NewDirectory(kit.Guard, kit.Store)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	written, err := report.WriteCSV(&b, dir.All(ctx, enrollment.Filter{}))
	if err != nil || written.Rows != 3 || written.Unreadable.Total != 1 {
		t.Fatal(written, err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(rows) != 4 || strings.Join(rows[0], ",") != csvHeader {
		t.Fatal(rows, err)
	}
	for i, id := range []string{"alice", "bob", "carol"} {
		row := rows[i+1]
		if bad := row[len(row)-1] != ""; row[0] != id || bad != (id == "bob") || bad == (row[2] == "true") {
			t.Errorf("row %d is %q", i+1, row)
		}
	}

	b.Reset()
	if _, err := report.WriteCSV(&b, dir.Members(ctx, slices.Values([]string{"zoe", "alice"}))); err != nil ||
		!strings.Contains(b.String(), "\nzoe,none,false,") || !strings.Contains(b.String(), "\nalice,confirmed,true,") {
		t.Errorf("of the host's users: %s, %v", b.String(), err)
	}
}

func TestCSVFormulas(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"alice":             "alice",
		"":                  "",
		"a=b":               "a=b",
		"a-b":               "a-b",
		"alice@example.com": "alice@example.com",
		"Zoë O'Hara":        "Zoë O'Hara",
		"=1+1":              "'=1+1",
		"+49 170":           "'+49 170",
		"-5":                "'-5",
		"@SUM(A1)":          "'@SUM(A1)",
		"\t=1":              "'\t'=1",
		"\tx":               "'\tx",
		"\rx":               "'\rx",
		"\nx":               "'\nx",
		"\x00x":             "\x00x",
		"  =1":              "  '=1",
		"\u00a0=1":          "\u00a0'=1",
		"\u3000-1":          "\u3000'-1",
		"\ufeff=1":          "\ufeff'=1",
		"\u200b=1":          "\u200b'=1",
		"\x00=1":            "\x00'=1",
		"\"=1":              "\"'=1",
		"＝1":                "'＝1",
		"＋1":                "'＋1",
		"－1":                "'－1",
		"＠x":                "'＠x",
		"\u22121":           "'\u22121",
		"\ufe661":           "'\ufe661",
		"x;=1":              "x;'=1",
		"x, -y":             "x, '-y",
		"x\n=1":             "x\n'=1",
		"x\t\"@1":           "x\t\"'@1",
		"x|+1":              "x|'+1",
		"'=1":               "'=1",
		"==1":               "'==1",
		"\xff=1":            "\ufffd=1",
		"a\xc3":             "a\ufffd",
	} {
		var b strings.Builder
		if _, err := report.WriteCSV(&b, members(enrollment.Member{UserID: "u"}), report.Column{
			Header: "host", Value: func(enrollment.Member) string { return text },
		}); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
		// The reader takes CR LF for LF, and no cell here has both.
		if err != nil || len(rows) != 2 || rows[1][1] != want {
			t.Errorf("%q became %q, %v, want %q", text, rows[1][1], err, want)
		}
	}
}

// Every cell is made harmless: user ids, headers and errors too.
func TestCSVFormulasEverywhere(t *testing.T) {
	t.Parallel()
	seq := func(yield func(enrollment.Member, error) bool) {
		_ = yield(enrollment.Member{UserID: "=id", Status: enrollment.Status{
			State:      store.Confirmed,
			Address:    &enrollment.Address{Channel: "-channel"},
			LastFactor: "@factor",
		}}, nil) && yield(enrollment.Member{UserID: "+id"}, errors.New("=error"))
	}
	var b strings.Builder
	if _, err := report.WriteCSV(&b, seq, report.Column{Header: "=header", Value: func(m enrollment.Member) string { return "@" + m.UserID }}); err != nil {
		t.Fatal(err)
	}
	for _, cell := range []string{"'=id", "'-channel", "'@factor", "'+id", "'=error", "'=header", "'@=id"} {
		if !strings.Contains(b.String(), cell) {
			t.Errorf("%s is not in\n%s", cell, b.String())
		}
	}
	noFormula(t, b.String())
}

// noFormula fails the test if a spreadsheet program would find a formula in the
// file, whichever character it takes for the separator, and whether it knows of
// quotes or not.
func noFormula(t *testing.T, file string) {
	t.Helper()
	for _, separators := range []string{",\n\r", ";\n\r", "\t\n\r", ",;|\t\n\r"} {
		for cell := range strings.FieldsFuncSeq(file, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
			bare := strings.TrimLeftFunc(cell, func(r rune) bool {
				return r == '"' || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
			})
			if bare != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(bare)[0]) {
				t.Errorf("the cell %q of %q is a formula", cell, file)
			}
		}
	}
}

func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"=1", "\t=1", "x;=1", "\"=1\"", "\r\n@x", "a,\"-b", "＝1", "\xff+", "\u2028=1", "'=1", "\v-1", "a\u0085=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var b strings.Builder
		if _, err := report.WriteCSV(&b, members(enrollment.Member{UserID: "u"}, enrollment.Member{UserID: text + "u"}),
			report.Column{Header: "host", Value: func(enrollment.Member) string { return text }}); err != nil {
			t.Fatal(err)
		}
		noFormula(t, b.String())
		rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
		if err != nil || len(rows) != 3 {
			t.Fatalf("%q: %d rows, %v", b.String(), len(rows), err)
		}
		// Nothing but apostrophes was added, and nothing is gone but what the
		// reader does to CR LF.
		bare := func(s string) string {
			return strings.NewReplacer("'", "", "\r", "").Replace(string([]rune(s)))
		}
		if bare(rows[1][1]) != bare(text) {
			t.Errorf("%q became %q", text, rows[1][1])
		}
	})
}

func TestCSVRefusesColumns(t *testing.T) {
	t.Parallel()
	value := func(enrollment.Member) string { return "" }
	for name, columns := range map[string][]report.Column{
		"no name":        {{Value: value}},
		"one of ours":    {{Header: "state", Value: value}},
		"the last":       {{Header: "error", Value: value}},
		"the first":      {{Header: "user_id", Value: value}},
		"twice the same": {{Header: "name", Value: value}, {Header: "name", Value: value}},
		"no value":       {{Header: "name"}},
	} {
		var b strings.Builder
		if _, err := report.WriteCSV(&b, members(enrollment.Member{UserID: "u"}), columns...); err == nil || b.Len() != 0 {
			t.Errorf("%s: %v, wrote %q", name, err, b.String())
		}
	}
}

// A file that is not complete is an error.
func TestCSVEnds(t *testing.T) {
	t.Parallel()
	fault := errors.New("the database is gone")
	var b strings.Builder
	written, err := report.WriteCSV(&b, func(yield func(enrollment.Member, error) bool) {
		_ = yield(enrollment.Member{UserID: "alice"}, nil) && yield(enrollment.Member{}, fault)
	})
	if !errors.Is(err, fault) || written.Rows != 1 || !strings.Contains(b.String(), "\nalice,") {
		t.Errorf("of a broken store: %+v, %v, %q", written, err, b.String())
	}

	taken := 0
	endless := func(yield func(enrollment.Member, error) bool) {
		for yield(enrollment.Member{UserID: "alice"}, nil) {
			taken++
		}
	}
	if _, err := report.WriteCSV(&fullDisk{room: 100_000}, endless); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("onto a full disk: %v", err)
	}
	if taken == 0 || taken > 10_000 {
		t.Errorf("%d members were taken", taken)
	}
	// What only fails when the last of it is written.
	if _, err := report.WriteCSV(&fullDisk{}, members(enrollment.Member{UserID: "alice"})); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("onto a full disk at the end: %v", err)
	}
}

type fullDisk struct{ room int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.room -= len(p); d.room < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

// No more failures are named than can be read, and all are counted.
func TestFailuresAreBounded(t *testing.T) {
	t.Parallel()
	written, err := report.WriteCSV(io.Discard, func(yield func(enrollment.Member, error) bool) {
		for i := range 1000 {
			if !yield(enrollment.Member{UserID: fmt.Sprint("user-", i)}, enrollment.ErrCorrupt) {
				return
			}
		}
	})
	named := make(map[string]bool)
	for _, f := range written.Unreadable.First {
		named[f.UserID] = true
	}
	if err != nil || written.Rows != 1000 || written.Unreadable.Total != 1000 || len(named) != 100 || !named["user-0"] {
		t.Errorf("%d rows, %d failures, named %q, %v", written.Rows, written.Unreadable.Total, slices.Sorted(maps.Keys(named)), err)
	}
}

// The error says which column it is.
func TestCSVNamesTheColumn(t *testing.T) {
	t.Parallel()
	value := func(enrollment.Member) string { return "" }
	for want, columns := range map[string][]report.Column{
		"column 0 has no Header": {{Value: value}},
		"column 2 has no Header": {{Header: "a", Value: value}, {Header: "b", Value: value}, {Value: value}},
		`"name" is that of`:      {{Header: "name", Value: value}, {Header: "name", Value: value}},
		`"error" is that of`:     {{Header: "error", Value: value}},
		`"b" has no Value`:       {{Header: "a", Value: value}, {Header: "b"}},
	} {
		_, err := report.WriteCSV(io.Discard, members(), columns...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
}
