package wording_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment/wording"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// The sheet has words for several codes and for one, in each language. They name
// no app, for users who have none.
func TestSheet(t *testing.T) {
	t.Parallel()
	codes, err := recovery.Generate(nil, 10, recovery.Fast)
	if err != nil {
		t.Fatal(err)
	}
	var one recovery.Codes
	for code := range codes.All() {
		if one, err = recovery.JoinCodes(code); err != nil {
			t.Fatal(err)
		}
	}
	sheets := map[string]bool{}
	for _, l := range languages() {
		info := recovery.Sheet{Issuer: "Acme", Account: "alice", Created: noon, Words: l.Sheet}
		for _, codes := range []recovery.Codes{codes, one} {
			text := codes.Sheet(info)
			title, _, _ := strings.Cut(text, "\r\n")
			sheets[title] = true
			read := 0
			for line := range strings.Lines(text) {
				if _, err := recovery.ParseCode(line); err == nil {
					read++
				}
			}
			if read != codes.Len() || strings.ContainsAny(text, "{}") || strings.Contains(strings.ToLower(text), "app ") {
				t.Errorf("%s: %d codes are read of\n%s", l.Tag, read, text)
			}
			if page := codes.SheetHTML(info); !strings.Contains(page, `lang="`+l.Tag+`"`) {
				t.Errorf("%s: the page is\n%s", l.Tag, page)
			}
		}
	}
	if len(sheets) != 4 {
		t.Errorf("the titles are %v", sheets)
	}
}

// The sheet in German, for one code.
func ExampleGerman_sheet() {
	code, err := recovery.ParseCode("ABCD-EFGH-JKMN-PQRS")
	if err != nil {
		panic(err)
	}
	codes, err := recovery.JoinCodes(code)
	if err != nil {
		panic(err)
	}
	sheet := codes.Sheet(recovery.Sheet{
		Issuer:  "Acme",
		Created: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		Words:   wording.German().Sheet,
	})
	fmt.Print(strings.ReplaceAll(sheet, "\r\n", "\n"))
	// Output:
	// Wiederherstellungscode für Acme
	// ===============================
	//
	// Erstellt am 01.03.2026
	//
	// Melden Sie sich mit diesem Code an, wenn Sie keinen Zugriff auf Ihre
	// gewohnten Codes haben, zum Beispiel weil Sie Ihr Telefon verloren haben.
	// Er funktioniert nur einmal.
	//
	//    1.  [ ]  ABCD-EFGH-JKMN-PQRS
	//
	// - Bewahren Sie dieses Blatt sicher auf, getrennt von dem Gerät, das Ihre
	//   anderen Codes anzeigt.
	// - Haken Sie ihn ab, wenn Sie ihn benutzt haben.
	// - Unser Support fragt Sie niemals danach.
}
