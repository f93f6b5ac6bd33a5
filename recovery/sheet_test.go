package recovery_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

func TestSheet(t *testing.T) {
	t.Parallel()
	codes := generate(t, 6, recovery.MaxCount, recovery.Fast)
	sheet := codes.Sheet(recovery.Sheet{
		Issuer:  "Acme",
		Account: "alice@example.com",
		Created: time.Date(2026, 3, 1, 23, 30, 0, 0, time.FixedZone("east", 9*3600)),
	})
	for _, want := range []string{"Recovery codes for Acme\r\n", "Account: alice@example.com\r\n", "Created: 2026-03-01\r\n", "Each code works once.\r\n"} {
		if !strings.Contains(sheet, want) {
			t.Errorf("the sheet lacks %q:\n%s", want, sheet)
		}
	}
	lines := strings.Split(sheet, "\r\n")
	if lines[len(lines)-1] != "" {
		t.Error("the last line has no newline")
	}
	i := 0
	texts := codes.Reveal()
	for _, line := range lines {
		if len(line) > 72 {
			t.Errorf("a line of %d characters: %q", len(line), line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("trailing space: %q", line)
		}
		for _, b := range []byte(line) {
			if b < ' ' || b > '~' {
				t.Errorf("byte %#x in %q", b, line)
			}
		}
		if i < len(texts) && strings.HasSuffix(line, texts[i]) {
			i++
		}
	}
	if i != len(texts) {
		t.Errorf("%d of %d codes are on the sheet, in order", i, len(texts))
	}
	for _, number := range []string{"\r\n   1.  ", "\r\n  32.  "} {
		if !strings.Contains(sheet, number) {
			t.Errorf("no line begins with %q", number)
		}
	}
}

func TestSheetLeavesOutWhatIsEmpty(t *testing.T) {
	t.Parallel()
	sheet := generate(t, 6, 4, recovery.Argon2id).Sheet(recovery.Sheet{Issuer: " \n ", Account: "\u200b"})
	if !strings.HasPrefix(sheet, "Recovery codes\r\n==============\r\n\r\n") {
		t.Errorf("the heading is not bare:\n%s", sheet)
	}
	for _, word := range []string{"Account:", "Created:", " for \r\n", "0001-01-01"} {
		if strings.Contains(sheet, word) {
			t.Errorf("the sheet has %q:\n%s", word, sheet)
		}
	}
}

// labels are what users may call themselves, and what a sheet makes of it.
var labels = []struct {
	name, in, want string
}{
	{"newline", "alice\n   1. FAKE-FAKE-FAKE-FAKE", "alice 1. FAKE-FAKE-FAKE-FAKE"},
	{"carriage return", "alice\rbob", "alice bob"},
	{"line and paragraph separator", "alice\u2028bob\u2029carol", "alice bob carol"},
	{"next line, vertical tab, form feed", "a\u0085b\vc\fd", "a b c d"},
	{"terminal escape", "alice\x1b[31m", "alice [31m"},
	{"NUL and backspace", "alice\x00\bbob", "alice bob"},
	{"right-to-left override", "alice\u202egnp.exe", "alicegnp.exe"},
	{"zero-width space", "al\u200bice", "alice"},
	{"invalid UTF-8", "alice\xff\xfebob", "alice?bob"},
	{"letters of other scripts stay", "Zoë Łukasz 田中", "Zoë Łukasz 田中"},
	{"spaces are folded", "  Zoë \u00a0 Łukasz  ", "Zoë Łukasz"},
	{"64 characters stay", strings.Repeat("ü", 64), strings.Repeat("ü", 64)},
	{"65 are cut", strings.Repeat("ü", 65), strings.Repeat("ü", 61) + "..."},
	{"1 MiB is cut", strings.Repeat("a", 1<<20), strings.Repeat("a", 61) + "..."},
	{"a script", "<script>alert(1)</script>", "<script>alert(1)</script>"},
	{"the end of the section", "</p></section><img src=x onerror=alert(1)>", "</p></section><img src=x onerror=alert(1)>"},
	{"quotes and an ampersand", `"&'`, `"&'`},
	{"escaped already", "&lt;b&gt;&#39;&amp;", "&lt;b&gt;&#39;&amp;"},
	{"a comment and a section of CDATA", "<!-- --> <![CDATA[ ]]>", "<!-- --> <![CDATA[ ]]>"},
	{"cut inside an entity", strings.Repeat("&", 65), strings.Repeat("&", 61) + "..."},
	{"letters that run from right to left", "\u05d0\u05d1\u05d2 (1)", "\u05d0\u05d1\u05d2 (1)"},
}

func TestSheetNeutralisesLabels(t *testing.T) {
	t.Parallel()
	codes := generate(t, 6, 4, recovery.Argon2id)
	plain := strings.Count(codes.Sheet(recovery.Sheet{Issuer: "a", Account: "b"}), "\n")
	for _, tt := range labels {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sheet := codes.Sheet(recovery.Sheet{Issuer: tt.in, Account: tt.in})
			if !strings.HasPrefix(sheet, "Recovery codes for "+tt.want+"\r\n") {
				t.Errorf("heading %q, want %q", strings.SplitN(sheet, "\n", 2)[0], tt.want)
			}
			if !strings.Contains(sheet, "\nAccount: "+tt.want+"\r\n") {
				t.Errorf("no line %q in\n%s", "Account: "+tt.want, sheet)
			}
			if n := strings.Count(sheet, "\n"); n != plain {
				t.Errorf("%d lines, want %d", n, plain)
			}
		})
	}
}

// An element is what encoding/xml, which is strict, reads of a fragment.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

// read parses a fragment that has to be one element and well-formed.
func read(tb testing.TB, fragment string) element {
	tb.Helper()
	d := xml.NewDecoder(strings.NewReader(fragment))
	var root element
	if err := d.Decode(&root); err != nil {
		tb.Fatalf("not well-formed: %v\n%s", err, fragment)
	}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return root
		}
		if space, ok := token.(xml.CharData); err != nil || !ok || strings.TrimSpace(string(space)) != "" {
			tb.Fatalf("more than one element: %v, %v\n%s", token, err, fragment)
		}
	}
}

// shape returns the names and the attributes of e and of what is in it.
func (e element) shape() string {
	s := e.XMLName.Local
	for _, a := range e.Attrs {
		s += " " + a.Name.Local + "=" + a.Value
	}
	var children []string
	for _, c := range e.Children {
		children = append(children, c.shape())
	}
	return s + "[" + strings.Join(children, "|") + "]"
}

// all returns the texts of every element of the name, without those inside.
func (e element) all(name string) []string {
	var texts []string
	if e.XMLName.Local == name {
		texts = append(texts, e.Text)
	}
	for _, c := range e.Children {
		texts = append(texts, c.all(name)...)
	}
	return texts
}

var acme = recovery.Sheet{
	Issuer:  "Smith & Sons",
	Account: "alice@example.com",
	Created: time.Date(2026, 3, 1, 23, 30, 0, 0, time.FixedZone("east", 9*3600)),
}

func TestSheetHTMLGolden(t *testing.T) {
	t.Parallel()
	got := join(t, slowText, "0123-4567-89AB-CDEF", "ZZZZ-ZZZZ-ZZZZ-ZZZZ").SheetHTML(acme)
	path := filepath.Join("testdata", "sheet.html")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the sheet is\n%s\nand was\n%s", got, want)
	}
}

func TestSheetHTML(t *testing.T) {
	t.Parallel()
	for _, tt := range schemes {
		codes := generate(t, 6, recovery.MaxCount, tt.scheme)
		root := read(t, codes.SheetHTML(acme))
		if got := root.all("code"); !slices.Equal(got, codes.Reveal()) {
			t.Errorf("%v: the codes are %q, want %q", tt.scheme, got, codes.Reveal())
		}
		items := strings.Repeat("|li[span aria-hidden=true[]|code translate=no[]]", recovery.MaxCount)[1:]
		want := "section class=recovery-codes lang=en dir=ltr[h2[bdi[]]|p[bdi[]]|p[]|p[]|ol[" + items + "]|ul[li[]|li[]|li[]|li[]]]"
		if got := root.shape(); got != want {
			t.Errorf("%v: the elements are\n%s\nwant\n%s", tt.scheme, got, want)
		}
	}
}

func TestSheetHTMLLeavesOutWhatIsEmpty(t *testing.T) {
	t.Parallel()
	root := read(t, join(t, slowText).SheetHTML(recovery.Sheet{Issuer: " \n ", Account: "\u200b"}))
	want := "section class=recovery-codes lang=en dir=ltr[h2[]|p[]|ol[li[span aria-hidden=true[]|code translate=no[]]]|ul[li[]|li[]|li[]]]"
	if got := root.shape(); got != want || !slices.Equal(root.all("h2"), []string{"Recovery code"}) {
		t.Errorf("the elements are\n%s\nwant\n%s", got, want)
	}
	if got := read(t, recovery.Codes{}.SheetHTML(recovery.Sheet{})).all("code"); len(got) != 0 {
		t.Errorf("the zero Codes has %q on its sheet", got)
	}
}

var (
	tag  = regexp.MustCompile(`<[^>]*>`)
	mark = regexp.MustCompile(`(?m)^=+\r$|^  [ 1-3]\d\.  \[ \]  |^- |☐ `)
)

// Both sheets say the same, word for word.
func TestSheetHTMLHasTheWordsOfSheet(t *testing.T) {
	t.Parallel()
	codes := generate(t, 6, 12, recovery.Argon2id)
	for _, info := range []recovery.Sheet{{}, {Issuer: "Acme"}, {Account: "alice"}, {Issuer: "Acme", Account: "Zoë 田中", Created: noon}} {
		text := strings.Fields(mark.ReplaceAllString(codes.Sheet(info), ""))
		fragment := strings.Fields(mark.ReplaceAllString(tag.ReplaceAllString(codes.SheetHTML(info), ""), ""))
		if !slices.Equal(text, fragment) {
			t.Errorf("one sheet says\n%q\nand the other\n%q", text, fragment)
		}
	}
}

func TestSheetHTMLNeutralisesLabels(t *testing.T) {
	t.Parallel()
	codes := join(t, slowText)
	plain := codes.SheetHTML(recovery.Sheet{Issuer: "a", Account: "b"})
	for _, tt := range labels {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sheet := codes.SheetHTML(recovery.Sheet{Issuer: tt.in, Account: tt.in})
			root := read(t, sheet)
			if got := root.all("bdi"); !slices.Equal(got, []string{tt.want, tt.want}) {
				t.Errorf("the labels are %q, want %q twice", got, tt.want)
			}
			if got, want := root.shape(), read(t, plain).shape(); got != want {
				t.Errorf("the elements are\n%s\nwant\n%s", got, want)
			}
			// The characters that HTML knows, counted in the bytes themselves.
			for _, c := range []string{"<", ">", `"`, "'", "\n"} {
				if got, want := strings.Count(sheet, c), strings.Count(plain, c); got != want {
					t.Errorf("%d times %q, want %d", got, c, want)
				}
			}
		})
	}
}

// Whatever character a label has, the sheet is well-formed, and what could not
// be seen in it is not there.
func TestSheetHTMLOfEveryCharacter(t *testing.T) {
	t.Parallel()
	codes := join(t, slowText)
	var name []rune
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.IsGraphic(r) || r < 0x3000 || r&0xffff >= 0xfff0 {
			name = append(name, r)
		}
		if len(name) < 60 && r < unicode.MaxRune {
			continue
		}
		for _, label := range read(t, codes.SheetHTML(recovery.Sheet{Account: string(name)})).all("bdi") {
			if i := strings.IndexFunc(label, func(r rune) bool { return !unicode.IsGraphic(r) }); i >= 0 {
				t.Fatalf("%q is left in %q", label[i:], label)
			}
		}
		name = name[:0]
	}
}
