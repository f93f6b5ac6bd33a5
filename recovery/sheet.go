package recovery

import (
	"fmt"
	"html"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxLabel is the length of the longest issuer or account on a sheet, in
// runes; what is longer is cut.
const maxLabel = 64

// The words of a sheet. Their line breaks are those of the plain text, which
// has room for 70 characters; to HTML they are spaces.
const (
	sheetTitle   = "Recovery codes"
	sheetIssuer  = " for "
	sheetAccount = "Account: "
	sheetCreated = "Created: "
	sheetUse     = `Use one of these codes to sign in when you do not have your
authenticator app at hand. Each code works once.`
)

var sheetAdvice = [...]string{
	`Keep this sheet like a key: in a safe place, and not on the device
that your authenticator app is on.`,
	`Tick a code off when you have used it.`,
	`Make new codes before you run out. These stop working when you do.`,
	`Nobody from support will ever ask you for one of these codes.`,
}

// Sheet says what stands on a sheet of codes beside them. Empty fields are left
// out.
//
// Issuer and Account may come from users: line breaks, control characters and
// invisible ones in them turn into spaces or vanish, so that neither can add a
// line or reverse one, and each is cut after 64 characters.
type Sheet struct {
	// Issuer is the name of the service, as the user knows it.
	Issuer string

	// Account is the name of the user's account there.
	Account string

	// Created is when the codes were made. The date appears in its own
	// location, which should be the user's.
	Created time.Time
}

// created returns the date that stands on the sheet, or "" for none.
func (info Sheet) created() string {
	if info.Created.IsZero() {
		return ""
	}
	return info.Created.Format(time.DateOnly)
}

// Sheet returns the codes in clear as a sheet of plain text in English, for
// people to print or to save: what the codes are for, the codes with their
// numbers, and how to keep them. Lines are at most 72 characters of ASCII, apart
// from the issuer and the account, and end in a newline.
//
// The result is plain text and not to be put into HTML, for which there is
// [Codes.SheetHTML]. A host that sends it as a file should have it kept out of
// caches (Cache-Control: no-store).
func (c Codes) Sheet(info Sheet) string {
	var b strings.Builder
	title := sheetTitle
	if issuer := oneLine(info.Issuer); issuer != "" {
		title += sheetIssuer + issuer
	}
	b.WriteString(title + "\n" + strings.Repeat("=", min(utf8.RuneCountInString(title), 72)) + "\n\n")
	if account := oneLine(info.Account); account != "" {
		b.WriteString(sheetAccount + account + "\n")
	}
	if created := info.created(); created != "" {
		b.WriteString(sheetCreated + created + "\n")
	}
	b.WriteString("\n" + sheetUse + "\n\n")
	i := 0
	for code := range c.All() {
		i++
		fmt.Fprintf(&b, "  %2d.  [ ]  %s\n", i, code.Reveal())
	}
	b.WriteString("\n")
	for _, advice := range sheetAdvice {
		b.WriteString("- " + strings.ReplaceAll(advice, "\n", "\n  ") + "\n")
	}
	return b.String()
}

// SheetHTML returns the codes in clear as the sheet that [Codes.Sheet] returns,
// in the same words, as a fragment of HTML to look at and to print: one section
// element with a heading of the second level, paragraphs, and an ordered list
// with a code element for each code. Its class is "recovery-codes", for the
// host's style sheets; it has no style, script, id or link of its own, so that
// every Content-Security-Policy lets it through. It is well-formed XML too.
//
// Everything in it is escaped, the issuer and the account above all. It is safe
// to put, as a [html/template.HTML], into a page in UTF-8 wherever a section may
// stand; not into an attribute, a script or a comment. The page must be sent
// with Cache-Control: no-store, or the codes stay in caches.
func (c Codes) SheetHTML(info Sheet) string {
	var b strings.Builder
	// The words are English and run from left to right in whatever page. A
	// name may be of another script, and must not reorder what is beside it.
	b.WriteString(`<section class="recovery-codes" lang="en" dir="ltr">` + "\n")
	b.WriteString("<h2>" + html.EscapeString(sheetTitle))
	if issuer := oneLine(info.Issuer); issuer != "" {
		b.WriteString(html.EscapeString(sheetIssuer) + "<bdi>" + html.EscapeString(issuer) + "</bdi>")
	}
	b.WriteString("</h2>\n")
	if account := oneLine(info.Account); account != "" {
		b.WriteString("<p>" + html.EscapeString(sheetAccount) + "<bdi>" + html.EscapeString(account) + "</bdi></p>\n")
	}
	if created := info.created(); created != "" {
		b.WriteString("<p>" + html.EscapeString(sheetCreated) + html.EscapeString(created) + "</p>\n")
	}
	b.WriteString("<p>" + html.EscapeString(sheetUse) + "</p>\n<ol>\n")
	for code := range c.All() {
		// Browsers that translate a page would translate codes.
		b.WriteString(`<li><code translate="no">` + html.EscapeString(code.Reveal()) + "</code></li>\n")
	}
	b.WriteString("</ol>\n<ul>\n")
	for _, advice := range sheetAdvice {
		b.WriteString("<li>" + html.EscapeString(advice) + "</li>\n")
	}
	b.WriteString("</ul>\n</section>\n")
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
