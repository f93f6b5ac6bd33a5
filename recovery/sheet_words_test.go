package recovery_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// otherWords are words of another language: long, not ASCII, from right to left.
var otherWords = recovery.SheetWords{
	Lang:        `zz" x="`,
	RightToLeft: true,
	Account:     "Wem: {account}.",
	Created:     "Wann: {date}.",
	Date:        "2.1.2006",
	Many: recovery.SheetText{
		Title:    "Codes",
		TitleFor: "Codes: {issuer} & <Co>",
		Use:      strings.Repeat("äöü ", 50),
		Advice:   []string{strings.Repeat("über ", 40), "<b>"},
	},
	One: recovery.SheetText{Title: "Code", TitleFor: "Code: {issuer}", Use: "Einer."},
}

// A sheet has the words that the application gives, in both forms, and fits the
// paper.
func TestSheetWords(t *testing.T) {
	t.Parallel()
	info := recovery.Sheet{Issuer: "{account}", Account: "a", Created: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Words: otherWords}
	codes := generate(t, 6, 12, recovery.Fast)
	sheet := codes.Sheet(info)
	for _, want := range []string{"Codes: {account} & <Co>\r\n====", "\r\nWem: a.\r\nWann: 1.3.2026.\r\n", "\r\näöü äöü", "- über über", "\r\n- <b>\r\n"} {
		if !strings.Contains(sheet, want) {
			t.Errorf("the sheet lacks %q:\n%s", want, sheet)
		}
	}
	for line := range strings.Lines(sheet) {
		line, ended := strings.CutSuffix(line, "\r\n")
		if len([]rune(line)) > 72 || !ended || strings.ContainsAny(line, "\r\n") || strings.TrimRight(line, " ") != line {
			t.Errorf("the line %q", line)
		}
	}
	if strings.Contains(sheet, "Recovery") {
		t.Errorf("there are words in English:\n%s", sheet)
	}
	root := read(t, codes.SheetHTML(info))
	if got := root.all("code"); !slices.Equal(got, codes.Reveal()) {
		t.Errorf("the codes are %q", got)
	}
	shape := root.shape()
	for _, want := range []string{`section class=recovery-codes lang=zz" x=" dir=rtl[h2[bdi[]]|`, "code translate=no dir=ltr[]"} {
		if !strings.Contains(shape, want) {
			t.Errorf("the elements are %s, without %s", shape, want)
		}
	}
}

// One code has words for one.
func TestSheetOfOne(t *testing.T) {
	t.Parallel()
	code, err := recovery.ParseCode(slowText)
	if err != nil {
		t.Fatal(err)
	}
	one, err := recovery.JoinCodes(code)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{one.Sheet(recovery.Sheet{Issuer: "Acme"}), one.SheetHTML(recovery.Sheet{Issuer: "Acme"})} {
		if !strings.Contains(text, "Recovery code for ") || !strings.Contains(text, "It works") || strings.Contains(text, "codes for") || strings.Contains(text, "of these") {
			t.Errorf("the sheet is\n%s", text)
		}
	}
	if text := one.Sheet(recovery.Sheet{Words: otherWords}); !strings.HasPrefix(text, "Code\r\n====\r\n") || !strings.Contains(text, "Einer.") {
		t.Errorf("the sheet is\n%s", text)
	}
}

// Each line of the sheet with a code is read as that code, and no other line is
// read as one. So is the line as a browser copies it from the page.
func TestSheetLinesAreRead(t *testing.T) {
	t.Parallel()
	for _, tt := range schemes {
		for _, words := range []recovery.SheetWords{{}, otherWords} {
			codes := generate(t, 6, recovery.MaxCount, tt.scheme)
			want := codes.Reveal()
			var got []string
			for line := range strings.Lines(codes.Sheet(recovery.Sheet{Issuer: "Acme", Account: "alice@example.com", Created: noon, Words: words})) {
				if code, err := recovery.ParseCode(line); err == nil {
					got = append(got, code.Reveal())
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v: read as %q, want %q", tt.scheme, got, want)
			}
		}
		codes := generate(t, 7, 4, tt.scheme).Reveal()
		code, err := recovery.ParseCode("32. ☐ " + codes[0] + "\n")
		if err != nil || code.Reveal() != codes[0] {
			t.Errorf("%v: %v", tt.scheme, err)
		}
	}
}

// Words of which one is set are the words: none in English come beside it.
func TestSheetOfOneWord(t *testing.T) {
	t.Parallel()
	codes := generate(t, 7, 8, recovery.Fast)
	for name, words := range map[string]recovery.SheetWords{
		"Lang":          {Lang: "de"},
		"Account":       {Account: "x"},
		"Created":       {Created: "x"},
		"Many.Title":    {Many: recovery.SheetText{Title: "x"}},
		"Many.TitleFor": {Many: recovery.SheetText{TitleFor: "x"}},
		"Many.Use":      {Many: recovery.SheetText{Use: "x"}},
		"Many.Advice":   {Many: recovery.SheetText{Advice: []string{"x"}}},
		"One.Title":     {One: recovery.SheetText{Title: "x"}},
		"One.TitleFor":  {One: recovery.SheetText{TitleFor: "x"}},
		"One.Use":       {One: recovery.SheetText{Use: "x"}},
		"One.Advice":    {One: recovery.SheetText{Advice: []string{"x"}}},
	} {
		if sheet := codes.Sheet(recovery.Sheet{Issuer: "Acme", Words: words}); strings.Contains(sheet, "ecovery") || strings.Contains(sheet, "Keep") {
			t.Errorf("with %s alone:\n%s", name, sheet)
		}
	}
}

// Lines are as full as they can be, up to 72 characters.
func TestSheetLinesAreFull(t *testing.T) {
	t.Parallel()
	codes := generate(t, 7, 8, recovery.Fast)
	for last, lines := range map[int]int{36: 1, 37: 2} {
		words := otherWords
		words.Many.Use = strings.Repeat("ü", 35) + " " + strings.Repeat("v", last)
		if got := strings.Count(codes.Sheet(recovery.Sheet{Words: words}), "\r\n"+strings.Repeat("v", last)); got != lines-1 {
			t.Errorf("a word of %d after 35 begins %d lines", last, got)
		}
	}
}
