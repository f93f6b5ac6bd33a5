package recovery

import (
	"fmt"
	"html"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxLabel is the maximum length in runes of an issuer or account on a sheet.
// Longer ones are cut.
const maxLabel = 64

// The words of a sheet. Their line breaks are for plain text, which has room for
// 70 characters in a line. HTML treats them as spaces.
const (
	sheetTitle   = "Recovery codes"
	sheetIssuer  = " for "
	sheetAccount = "Account: "
	sheetCreated = "Created: "
	sheetUse     = `Use one of these codes to sign in when you do not have your
authenticator app at hand. Each code works once.`
)

var sheetAdvice = [...]string{
	`Keep this sheet in a safe place, and not on the device with your
authenticator app.`,
	`Tick off each code that you have used.`,
	`Make new codes before you run out. The old codes then stop working.`,
	`Support staff will never ask you for one of these codes.`,
}

// A Sheet holds what a sheet of codes shows in addition to the codes. Empty
// fields are left out.
//
// Issuer and Account may come from users. Line breaks and control characters in
// them become spaces, and format characters are removed, so that they can't add
// or reverse a line. Both are cut after 64 characters.
type Sheet struct {
	// Issuer is the name of the service.
	Issuer string

	// Account is the name of the user's account.
	Account string

	// Created is the time at which the codes were made. The sheet shows its
	// date in the location of the time, which should be the user's.
	Created time.Time
}

// created returns the date on the sheet, or "" for none.
func (info Sheet) created() string {
	if info.Created.IsZero() {
		return ""
	}
	return info.Created.Format(time.DateOnly)
}

// Sheet returns the codes in clear on a sheet of plain text in English, to print
// or save: what the codes are for, the numbered codes, and how to keep them.
// Lines end in a newline and have at most 72 ASCII characters, except for those
// with the issuer and the account.
//
// For HTML use [Codes.SheetHTML]. If you send the sheet as a file, send it with
// Cache-Control: no-store.
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

// SheetHTML returns the codes in clear on a sheet with the same words as
// [Codes.Sheet], as a fragment of HTML: one section element with an h2 heading,
// paragraphs, and an ordered list with a code element for each code. The section
// has the class "recovery-codes" for style sheets of the host. It contains no
// style, script, id or link, so every Content-Security-Policy allows it. It is
// also well-formed XML.
//
// All text in it is escaped, including the issuer and the account. You can put it
// as [html/template.HTML] into a page in UTF-8, wherever HTML allows a section.
// Do not put it into an attribute, a script or a comment. Send the page with
// Cache-Control: no-store, so that the codes do not stay in caches.
func (c Codes) SheetHTML(info Sheet) string {
	var b strings.Builder
	// The words are English and run from left to right in every page. A name can
	// be in another script, and must not reorder the text next to it.
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
		// Browsers that translate pages would translate codes.
		b.WriteString(`<li><code translate="no">` + html.EscapeString(code.Reveal()) + "</code></li>\n")
	}
	b.WriteString("</ol>\n<ul>\n")
	for _, advice := range sheetAdvice {
		b.WriteString("<li>" + html.EscapeString(advice) + "</li>\n")
	}
	b.WriteString("</ul>\n</section>\n")
	return b.String()
}

// oneLine returns s without characters that could end its line or reorder it.
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
