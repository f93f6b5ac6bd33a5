package enrollment

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
)

// A Column is one of the host's own in a CSV file, for example a name or an
// e-mail address from its users table.
type Column struct {
	// Header is its name in the first row. It must not be empty, nor that of
	// another column.
	Header string

	// Value returns the cell for a member. Where the account can't be opened,
	// the Status is the zero Status.
	Value func(m Member) string
}

// The columns of every file, in their order. Files are read by programs: names
// and order stay, and new ones come at the end.
var csvColumns = []Column{
	{"state", func(m Member) string { return m.Status.State.String() }},
	{"enabled", func(m Member) string { return strconv.FormatBool(m.Status.Enabled()) }},
	{"authenticators", func(m Member) string { return strconv.Itoa(len(m.Status.Authenticators)) }},
	{"channel", func(m Member) string {
		if m.Status.Address == nil {
			return ""
		}
		return m.Status.Address.Channel
	}},
	{"recovery_codes_left", func(m Member) string { return strconv.Itoa(m.Status.CodesLeft) }},
	{"trusted_devices", func(m Member) string { return strconv.Itoa(m.Status.Devices) }},
	{"last_sign_in", func(m Member) string { return csvTime(m.Status.LastSignIn) }},
	{"last_factor", func(m Member) string { return string(m.Status.LastFactor) }},
	{"locked", func(m Member) string {
		var locked []string
		for _, l := range m.Status.Locks {
			locked = append(locked, string(l.Factor))
		}
		return strings.Join(locked, " ")
	}},
	{"bypass_until", func(m Member) string { return csvTime(m.Status.BypassUntil) }},
	{"must_enroll", func(m Member) string { return strconv.FormatBool(m.Status.MustEnroll) }},
	{"setup_expires", func(m Member) string { return csvTime(m.Status.SetupExpires) }},
	{"reset_asked", func(m Member) string {
		if m.Status.Reset == nil {
			return ""
		}
		return csvTime(m.Status.Reset.Asked)
	}},
	{"reset_matures", func(m Member) string {
		if m.Status.Reset == nil {
			return ""
		}
		return csvTime(m.Status.Reset.Matures)
	}},
}

const (
	csvUser  = "user_id"
	csvError = "error"
)

// csvTime returns t in UTC as RFC 3339 has it, to the second; "" for the zero
// time.
func csvTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// A CSVReport is what [WriteCSV] has written.
type CSVReport struct {
	// Rows is how many members were written, without the header.
	Rows int

	// Unreadable are those among them whose accounts can't be opened.
	Unreadable Failures
}

// WriteCSV writes members as CSV (RFC 4180, lines ended by LF), in the order of
// the sequence, which is one of [Directory.All] or [Directory.Members]. The
// first row has the names of the columns:
//
//	user_id, the host's columns, state, enabled, authenticators, channel,
//	recovery_codes_left, trusted_devices, last_sign_in, last_factor, locked,
//	bypass_until, must_enroll, setup_expires, reset_asked, reset_matures, error
//
// Names and order stay; later versions put new columns at the end. Times are
// RFC 3339 in UTC, and empty where there is none. State, channel and
// last_factor are as in [Status], with last_factor trusted_device or bypass
// where the second step was waived; locked has the factors that are not
// evaluated at the moment. A member whose account can't be opened has a row
// too, which besides user_id and the host's columns has only error.
//
// No cell is a formula to a spreadsheet program, the host's included: before
// what would begin one stands an apostrophe. A number like -5 in a column of the
// host becomes '-5. Bytes that are not UTF-8 are replaced.
//
// It returns an error if the columns can't be used (nothing was written then),
// if w fails, or if the sequence ends in an error; the file is not complete
// then, and the report says how far it goes.
func WriteCSV(w io.Writer, members iter.Seq2[Member, error], columns ...Column) (CSVReport, error) {
	var done CSVReport
	header := []string{csvUser}
	for i, c := range slices.Concat(columns, csvColumns, []Column{{Header: csvError}}) {
		switch {
		case c.Header == "":
			return done, fmt.Errorf("enrollment: column %d has no Header", i)
		case slices.Contains(header, c.Header):
			return done, fmt.Errorf("enrollment: the Header %q is that of another column", c.Header)
		}
		header = append(header, c.Header)
	}
	for _, c := range columns {
		if c.Value == nil {
			return done, fmt.Errorf("enrollment: the column %q has no Value", c.Header)
		}
	}

	out := csv.NewWriter(w)
	write := func(row []string) error {
		for i := range row {
			row[i] = csvCell(row[i])
		}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("enrollment: writing CSV: %w", err)
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
		for _, c := range csvColumns {
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
			done.Unreadable.add(m.UserID, bad)
		}
	}
	out.Flush()
	if failed := out.Error(); failed != nil && err == nil {
		err = fmt.Errorf("enrollment: writing CSV: %w", failed)
	}
	return done, err
}

// csvCell makes a cell harmless to spreadsheet programs, which evaluate what
// begins like a formula, also behind white space and quotes (OWASP, CSV
// Injection).
//
// Where a program takes another separator than the comma, the cell may be torn
// into several, so that what follows any separator counts as a beginning.
func csvCell(text string) string {
	var b strings.Builder
	begins := true
	for i, r := range text { // what is not UTF-8 is U+FFFD here
		switch {
		case strings.ContainsRune(",;|\t\r\n\v\f", r):
			if i == 0 && unicode.IsControl(r) {
				b.WriteByte('\'')
			}
			begins = true
		case strings.ContainsRune(csvFormula, r):
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

// csvFormula begins formulas: the four characters, their small and full-width
// forms, and the minus sign.
const csvFormula = "=+-@" + "\ufe66\ufe62\ufe63\ufe6b" + "\uff1d\uff0b\uff0d\uff20" + "\u2212"
