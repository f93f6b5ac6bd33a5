package wording

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxQuoted is how many characters of a name or a reason a text quotes.
const maxQuoted = 200

// quote returns a text of a user in quotation marks, made harmless for one line of
// plain text: it can't end the line or the quotation, reorder the text next to it,
// or be taken for a link.
func (l *Language) quote(s string) string {
	return l.Quotes[0] + harmless(s) + l.Quotes[1]
}

func harmless(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r): // also marks of direction
			return -1
		case strings.ContainsRune("\"“”„‟«»‹›", r):
			return '\''
		case unicode.IsGraphic(r):
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > maxQuoted {
		s = string([]rune(s)[:maxQuoted-1]) + "…"
	}
	return withoutLinks(s)
}

// withoutLinks adds a space where a mail program would see a link. IP addresses
// stay as they are.
func withoutLinks(s string) string {
	words := strings.Split(s, " ")
	for i, word := range words {
		addr, err := netip.ParseAddr(strings.Trim(word, "()[],.;"))
		if err != nil || addr.Zone() != "" { // a zone can be any text
			words[i] = withoutLink(word)
		}
	}
	return strings.Join(words, " ")
}

// withoutLink adds a space after a dot, an at sign or a colon, except between
// digits, and inside pairs of slashes.
func withoutLink(s string) string {
	var b strings.Builder
	var before, last rune
	for _, r := range s {
		switch last {
		case '.', '@', ':', '。', '．', '｡', '＠', '：':
			if r != ' ' && !(unicode.IsDigit(before) && unicode.IsDigit(r)) {
				b.WriteByte(' ')
			}
		case '/', '\\':
			if r == last {
				b.WriteByte(' ')
			}
		}
		b.WriteRune(r)
		before, last = last, r
	}
	return b.String()
}
