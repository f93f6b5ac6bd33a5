package recovery

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxLabel is the length of the longest issuer or account on a sheet, in
// runes; what is longer is cut.
const maxLabel = 64

// Sheet says what stands on a sheet of codes beside them. Empty fields are left
// out.
type Sheet struct {
	// Issuer is the name of the service, as the user knows it.
	Issuer string

	// Account is the name of the user's account there.
	Account string

	// Created is when the codes were made. The date appears in its own
	// location, which should be the user's.
	Created time.Time
}

// Sheet returns the codes in clear as a sheet of plain text in English, for
// people to print or to save: what the codes are for, the codes with their
// numbers, and how to keep them. Lines are at most 72 characters of ASCII, apart
// from the issuer and the account, and end in a newline.
//
// Issuer and Account may come from users: line breaks, control characters and
// invisible ones in them turn into spaces or vanish, so that neither can add a
// line or reverse one, and each is cut after 64 characters. The result is plain
// text; a host that puts it into HTML must escape it, and one that sends it as
// a file should have it kept out of caches (Cache-Control: no-store).
func (c Codes) Sheet(info Sheet) string {
	var b strings.Builder
	title := "Recovery codes"
	if issuer := oneLine(info.Issuer); issuer != "" {
		title += " for " + issuer
	}
	b.WriteString(title + "\n" + strings.Repeat("=", min(utf8.RuneCountInString(title), 72)) + "\n\n")
	if account := oneLine(info.Account); account != "" {
		b.WriteString("Account: " + account + "\n")
	}
	if !info.Created.IsZero() {
		b.WriteString("Created: " + info.Created.Format(time.DateOnly) + "\n")
	}
	b.WriteString(`
Use one of these codes to sign in when you do not have your
authenticator app at hand. Each code works once.

`)
	i := 0
	for code := range c.All() {
		i++
		fmt.Fprintf(&b, "  %2d.  [ ]  %s\n", i, code.Reveal())
	}
	b.WriteString(`
- Keep this sheet like a key: in a safe place, and not on the device
  that your authenticator app is on.
- Tick a code off when you have used it.
- Make new codes before you run out. These stop working when you do.
- Nobody from support will ever ask you for one of these codes.
`)
	return b.String()
}

// oneLine returns s in a form that can't leave its line.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsGraphic(r):
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > maxLabel {
		s = string([]rune(s)[:maxLabel-3]) + "..."
	}
	return s
}
