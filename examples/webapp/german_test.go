package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

// A browser that prefers German gets every page in German, and one page in one language.
func TestPagesInGerman(t *testing.T) {
	t.Parallel()
	const email, asked = "alice@example.com", "de-CH, en;q=0.5"
	s := newSite(t, fast)
	b := s.browser()
	b.language = asked
	sees := func(texts ...string) {
		t.Helper()
		b.sees(append(texts, `<html lang="de">`)...)
	}
	b.get("/sign-up")
	sees("Registrieren", "Mindestens 8 Zeichen.")
	b.submit("/sign-up", "email", email, "password", "short")
	b.denied("Verwenden Sie mindestens 8 Zeichen und höchstens 72 Bytes.")
	b.submit("/sign-up", "email", email, "password", password)
	sees("Das Konto ist angelegt. Es ist das erste, deshalb sind Sie Administrator.")
	b.submit("/sign-in", "email", email, "password", "wrong")
	b.denied("E-Mail-Adresse oder Passwort ist falsch.")
	b.signIn(email)
	sees("Sie sind als alice@example.com angemeldet, als Administrator.")
	b.get("/admin/members")
	sees("Schalten Sie zuerst die Zwei-Faktor-Authentifizierung ein. Administratoren brauchen sie.")
	b.language = "en" // enable reads English
	phone, codes := b.enable()
	b.language = asked
	b.get("/security/")
	sees("10 von 10 sind unbenutzt.", "Die Zwei-Faktor-Authentifizierung wurde eingeschaltet.", `<time datetime="2026-03-02T10:00:37Z">02.03.2026, 10:00 Uhr (UTC)</time>`)
	b.get("/security/address")
	b.step(phone.next())
	sees("Codes per SMS", "Ich tippe die Ländervorwahl ein")
	b.submit("/security/address", "to", "12")
	b.denied("An diese Telefonnummer können wir nichts schicken.")
	b.submit("/security/address", "to", typedAs)
	s.clock.advance(2 * time.Minute) // there is a pause between two messages
	b.follow("Noch einmal schicken")
	b.submit("/security/address", "to", typedAs)
	sees("Wir haben Ihnen einen Code geschickt.")
	s.received(number, "Geben Sie ihn ein, um diese Telefonnummer zu bestätigen.")

	b.get("/admin/mandate")
	sees("Wir fragen nach Ablauf von 15 Minuten wieder.")
	b.step(phone.next())
	sees("Sie ist nicht Pflicht.", "Alle, für die sie gilt, haben einen zweiten Faktor.")
	b.submit("/admin/mandate", "days", "91")
	b.denied("Geben Sie eine Anzahl von Tagen von 0 bis 90 ein.")
	b.get("/admin/members")
	sees("Alle 1", "Administrator", "Letzte Anmeldung")
	b.get("/nowhere")
	sees("Seite nicht gefunden", "Zur Startseite")
	b.post("/messages", nil)
	sees("Das geht hier nicht")
	b.post("/sign-in", url.Values{"email": {strings.Repeat("a", maxBody)}})
	sees("Das war zu viel auf einmal.")

	// The sign-in with a recovery code, and the page of a link.
	b.signOutNow()
	b.signIn(email)
	b.code(codes[0])
	sees("Sie haben sich mit einem Wiederherstellungscode angemeldet. Noch 9 sind unbenutzt.")
	b.get("/forgot")
	b.submit("/forgot", "email", email)
	sees("Wenn es zu dieser Adresse ein Konto gibt")
	b.get(s.received(email, "Der Link gilt 30 Minuten.").Link)
	sees("Zeigen Sie mit einem Code, dass Sie es sind.")
	s.clock.advance(time.Minute)
	b.step(phone.next())
	b.submit("/forgot/password", "password", password)
	sees("Das Passwort ist geändert.")
	s.received(email, "Ihr Passwort wurde am 02.03.2026")

	// The same account in another browser is in the language of that one.
	b.language = "fr"
	b.get("/sign-in")
	b.sees(`<html lang="en">`, "Forgot your password?")
}

// The pages of this site are in the language of the pages of package web, whatever a
// browser asks for.
func TestOneLanguage(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	b := s.member("alice@example.com")
	for _, asked := range []string{"", "de", "DE-at", "fr, de;q=0.1", "en;q=0.2, de;q=0.9", "de;q=0", "de;q=x", "*", "xx", strings.Repeat("de;q=0.1,", 500) + "en", "\tde", "de-x-\xff"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept-Language", asked)
		want := `<html lang="` + web.Language(request) + `">`
		b.language = asked
		for _, path := range []string{"/", "/security/setup/begin", "/nowhere"} {
			b.get(path)
			if !b.page.says(want) {
				t.Errorf("%.20q: %s is not in %s", asked, path, want)
			}
		}
		title := web.Texts(web.Language(request))["begin.title"]
		b.get("/security/setup/begin")
		b.sees(title)
	}
}
