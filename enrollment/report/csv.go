// Package report writes who has two-factor authentication as a file, for
// administrators and auditors. It takes the members that an
// enrollment.Directory lists, and imports nothing else of this module.
package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A Column is one of the application's own, for example the name or the e-mail address
// from its users table.
type Column struct {
	// Header is its name in the first row. It must not be empty, and no other
	// column may have the same.
	Header string

	// Value returns the cell for a member. If the account can't be opened, the
	// Status is the zero Status.
	Value func(m enrollment.Member) string
}

// standard are the columns of every file, in their order. Files are read by
// programs, so names and order stay, and new columns come at the end.
var standard = []Column{
	{"state", func(m enrollment.Member) string { return m.Status.State.String() }},
	{"enabled", func(m enrollment.Member) string { return strconv.FormatBool(m.Status.Enabled()) }},
	{"authenticators", func(m enrollment.Member) string { return strconv.Itoa(len(m.Status.Authenticators)) }},
	{"channel", func(m enrollment.Member) string {
		if m.Status.Address == nil {
			return ""
		}
		return m.Status.Address.Channel
	}},
	{"recovery_codes_left", func(m enrollment.Member) string { return strconv.Itoa(m.Status.CodesLeft) }},
	{"trusted_devices", func(m enrollment.Member) string { return strconv.Itoa(m.Status.Devices) }},
	{"last_sign_in", func(m enrollment.Member) string { return instant(m.Status.LastSignIn) }},
	{"last_factor", func(m enrollment.Member) string { return string(m.Status.LastFactor) }},
	{"locked", func(m enrollment.Member) string {
		var locked []string
		for _, l := range m.Status.Locks {
			locked = append(locked, string(l.Factor))
		}
		return strings.Join(locked, " ")
	}},
	{"bypass_until", func(m enrollment.Member) string { return instant(m.Status.BypassUntil) }},
	{"must_enroll", func(m enrollment.Member) string { return strconv.FormatBool(m.Status.MustEnroll) }},
	{"setup_expires", func(m enrollment.Member) string { return instant(m.Status.SetupExpires) }},
	{"reset_asked", func(m enrollment.Member) string {
		if m.Status.Reset == nil {
			return ""
		}
		return instant(m.Status.Reset.Asked)
	}},
	{"reset_matures", func(m enrollment.Member) string {
		if m.Status.Reset == nil {
			return ""
		}
		return instant(m.Status.Reset.Matures)
	}},
}

const (
	headerUser  = "user_id"
	headerError = "error"
)

// instant returns t in UTC as in RFC 3339, to the second, or "" for the zero time.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// A Summary is what [WriteCSV] has written.
type Summary struct {
	// Rows is how many members were written, without the header.
	Rows int

	// Unreadable are the members among them whose accounts can't be opened.
	Unreadable enrollment.Failures
}

// maxFailures is how many members a Summary names.
const maxFailures = 100

func (s *Summary) fail(userID string, err error) {
	if s.Unreadable.Total++; len(s.Unreadable.First) < maxFailures {
		s.Unreadable.First = append(s.Unreadable.First, enrollment.Failure{UserID: userID, Err: err})
	}
}

// WriteCSV writes members as CSV (RFC 4180, lines end with LF), in the order of
// the sequence. [enrollment.Directory.All] and [enrollment.Directory.Members]
// return such sequences. The first row has the names of the columns:
//
//	user_id, the application's columns, state, enabled, authenticators, channel,
//	recovery_codes_left, trusted_devices, last_sign_in, last_factor, locked,
//	bypass_until, must_enroll, setup_expires, reset_asked, reset_matures, error
//
// Names and order stay, and later versions put new columns at the end. The values are
// those of [enrollment.Status]. Times are RFC 3339 in UTC. An empty cell means that
// there is nothing. The factors in locked are separated by spaces. A member whose
// account can't be opened has a row as well: it has user_id, the application's columns
// and error, and nothing else.
//
// No cell is a formula to a spreadsheet program, in the application's columns either:
// an apostrophe is put before what would begin one. A number such as -5 in a column of
// the application becomes '-5. Bytes that are not UTF-8 are replaced.
//
// It returns an error if the columns can't be used, and has written nothing then.
// It also returns an error if w fails or if the sequence ends in one; the file is
// incomplete then, and the Summary says how far it goes.
func WriteCSV(w io.Writer, members iter.Seq2[enrollment.Member, error], columns ...Column) (Summary, error) {
	var done Summary
	header := []string{headerUser}
	for i, c := range slices.Concat(columns, standard, []Column{{Header: headerError}}) {
		switch {
		case c.Header == "":
			return done, fmt.Errorf("report: column %d has no Header", i)
		case slices.Contains(header, c.Header):
			return done, fmt.Errorf("report: the Header %q is that of another column", c.Header)
		}
		header = append(header, c.Header)
	}
	for _, c := range columns {
		if c.Value == nil {
			return done, fmt.Errorf("report: the column %q has no Value", c.Header)
		}
	}

	out := csv.NewWriter(w)
	write := func(row []string) error {
		for i := range row {
			row[i] = harmless(row[i])
		}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("report: writing CSV: %w", err)
		}
		return nil
	}
	width := len(header)
	err := write(header)
	for m, bad := range members {
		if err != nil {
			break
		}
		if bad != nil && m.UserID == "" {
			err = bad
			break
		}
		row := make([]string, 1, width)
		row[0] = m.UserID
		for _, c := range columns {
			row = append(row, c.Value(m))
		}
		for _, c := range standard {
			cell := ""
			if bad == nil {
				cell = c.Value(m)
			}
			row = append(row, cell)
		}
		if bad == nil {
			row = append(row, "")
		} else {
			row = append(row, bad.Error())
		}
		if err = write(row); err != nil {
			break
		}
		if done.Rows++; bad != nil {
			done.fail(m.UserID, bad)
		}
	}
	out.Flush()
	if failed := out.Error(); failed != nil && err == nil {
		err = fmt.Errorf("report: writing CSV: %w", failed)
	}
	return done, err
}

// harmless makes a cell harmless to spreadsheet programs, which evaluate what
// begins like a formula, also behind white space and quotes (OWASP, CSV
// Injection).
//
// A program that separates by something else than the comma may split the cell,
// so what follows any separator counts as a beginning.
func harmless(text string) string {
	var b strings.Builder
	begins := true
	for i, r := range text { // what is not UTF-8 is U+FFFD here
		switch {
		case strings.ContainsRune(",;|\t\r\n\v\f", r):
			if i == 0 && unicode.IsControl(r) {
				b.WriteByte('\'')
			}
			begins = true
		case strings.ContainsRune(formula, r):
			if begins {
				b.WriteByte('\'')
			}
			begins = false
		case r == '"' || r == '\ufeff' || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			// Does not end a beginning.
		default:
			begins = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// formula begins formulas: the four characters, their small and full-width
// forms, and the minus sign.
const formula = "=+-@" + "\ufe66\ufe62\ufe63\ufe6b" + "\uff1d\uff0b\uff0d\uff20" + "\u2212"
