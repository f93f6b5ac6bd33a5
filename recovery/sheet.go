package recovery

import (
	"cmp"
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

// sheetWidth is the number of characters in a line of plain text.
const sheetWidth = 72

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

	// Words are the words of the sheet. Defaults to [EnglishSheet].
	Words SheetWords
}

// A sheet holds the texts that both forms of a sheet share. Issuer and account are on one
// line.
type sheet struct {
	SheetText
	words                    SheetWords
	issuer, account, created string
}

func (c Codes) sheet(info Sheet) sheet {
	words := info.Words
	if words.isZero() {
		words = EnglishSheet()
	}
	s := sheet{SheetText: words.Many, words: words, issuer: oneLine(info.Issuer), account: oneLine(info.Account)}
	if c.Len() == 1 {
		s.SheetText = words.One
	}
	if s.issuer != "" {
		s.Title = s.TitleFor
	}
	if s.account == "" {
		s.words.Account = ""
	}
	if info.Created.IsZero() {
		s.words.Created = ""
	} else {
		s.created = info.Created.Format(cmp.Or(words.Date, time.DateOnly))
	}
	return s
}

// Sheet returns the codes in clear on a sheet of plain text, to print or save: what
// the codes are for, the numbered codes with a box to tick, and how to keep them.
// [ParseCode] reads a line with a code as a whole.
//
// Lines end in CR LF, as a text file should, so that every editor and every printer
// shows them. They have at most 72 characters, except for those with the issuer and
// the account. The sheet in English is ASCII but for these; write every sheet as
// UTF-8.
//
// For HTML use [Codes.SheetHTML]. If you send the sheet as a file, send it with
// Cache-Control: no-store.
func (c Codes) Sheet(info Sheet) string {
	s := c.sheet(info)
	fill := strings.NewReplacer("{issuer}", s.issuer, "{account}", s.account, "{date}", s.created)
	var b strings.Builder
	line := func(text string) {
		if text != "" {
			b.WriteString(text + "\n")
		}
	}
	title := fill.Replace(s.Title)
	line(title)
	line(strings.Repeat("=", min(utf8.RuneCountInString(title), sheetWidth)))
	b.WriteString("\n")
	line(fill.Replace(s.words.Account))
	line(fill.Replace(s.words.Created))
	b.WriteString("\n")
	if s.Use != "" {
		b.WriteString(wrap(s.Use, "") + "\n\n")
	}
	i := 0
	for code := range c.All() {
		i++
		fmt.Fprintf(&b, "  %2d.  [ ]  %s\n", i, code.Reveal())
	}
	b.WriteString("\n")
	for _, advice := range s.Advice {
		b.WriteString("- " + wrap(advice, "  ") + "\n")
	}
	return strings.ReplaceAll(b.String(), "\n", "\r\n")
}

// SheetHTML returns the codes in clear on a sheet with the same words as [Codes.Sheet],
// as a fragment of HTML: one section element with an h2 heading, paragraphs, and an
// ordered list with a box to tick and a code element for each code. The section has the
// class "recovery-codes" for style sheets of the application. It contains no style,
// script, id or link, so every Content-Security-Policy allows it. It is also
// well-formed XML.
//
// All text in it is escaped, including the issuer and the account. You can put it
// as [html/template.HTML] into a page in UTF-8, wherever HTML allows a section.
// Do not put it into an attribute, a script or a comment. Send the page with
// Cache-Control: no-store, so that the codes do not stay in caches.
func (c Codes) SheetHTML(info Sheet) string {
	s := c.sheet(info)
	// A name can be in another script, and must not reorder the text next to it.
	isolated := func(name string) string { return "<bdi>" + html.EscapeString(name) + "</bdi>" }
	fill := strings.NewReplacer("{issuer}", isolated(s.issuer), "{account}", isolated(s.account), "{date}", html.EscapeString(s.created))
	var b strings.Builder
	element := func(name, text string) {
		if text != "" {
			b.WriteString("<" + name + ">" + fill.Replace(html.EscapeString(text)) + "</" + name + ">\n")
		}
	}
	// The words run in their own direction in every page, and codes from left to
	// right in every language.
	direction, codeDirection := "ltr", ""
	if s.words.RightToLeft {
		direction, codeDirection = "rtl", ` dir="ltr"`
	}
	b.WriteString(`<section class="recovery-codes" lang="` + html.EscapeString(s.words.Lang) + `" dir="` + direction + `">` + "\n")
	element("h2", s.Title)
	element("p", s.words.Account)
	element("p", s.words.Created)
	element("p", s.Use)
	b.WriteString("<ol>\n")
	for code := range c.All() {
		// Browsers that translate pages would translate codes.
		b.WriteString(`<li><span aria-hidden="true">☐</span> <code translate="no"` + codeDirection + `>` + html.EscapeString(code.Reveal()) + "</code></li>\n")
	}
	b.WriteString("</ol>\n<ul>\n")
	for _, advice := range s.Advice {
		element("li", advice)
	}
	b.WriteString("</ul>\n</section>\n")
	return b.String()
}

// wrap breaks a text into lines, which begin with the indent after the first.
func wrap(text, indent string) string {
	var b strings.Builder
	width := utf8.RuneCountInString(indent)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case width+1+n > sheetWidth:
			b.WriteString("\n" + indent)
			width = utf8.RuneCountInString(indent)
		default:
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += n
	}
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
