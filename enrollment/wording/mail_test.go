package wording_test

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/wording"
)

// hostile are names that want to be more than a name.
var hostile = []string{
	"a\r\nBcc: everyone@evil.example\r\n\r\nClick https://evil.example/now",
	"x” was removed. Your account is at risk: www.evil.example",
	"\u202egnp.exe\u2028new line\u0000",
	"mailto:evil@evil.example tel:+491234 javascript:alert(1) \\\\server\\share //evil.example",
	"ｅｖｉｌ。example evil．example",
	"{note} {actor} {time} {name}",
	strings.Repeat("long. ", 200),
	"a\xff\xfe",
}

// hasLink reports whether a mail program could see a link: that takes a dot, a colon
// or an at sign directly before a letter or a slash, or a pair of slashes.
func hasLink(s string) bool {
	var last rune
	for _, r := range s {
		if strings.ContainsRune(".:@。．", last) && (unicode.IsLetter(r) || r == '/' || r == '+') || strings.ContainsRune(`/\`, last) && r == last {
			return true
		}
		last = r
	}
	return false
}

// What users and administrators typed stays inside its quotation marks, on one
// line, short, and is no link. A subject does not have it.
func TestMailNeutralisesNames(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		for _, kind := range append(enrollment.EventKinds(), "event(99)") {
			plain := l.Mail(enrollment.Event{Kind: kind, At: noon, Count: 1, Name: "x", Actor: "x", Note: "x", Factor: enrollment.FactorTOTP}, time.UTC)
			for _, name := range hostile {
				e := enrollment.Event{Kind: kind, At: noon, Count: 1, Name: name, Actor: name, Note: name, Factor: enrollment.FactorTOTP}
				mail := l.Mail(e, time.UTC)
				if mail.Subject != plain.Subject || strings.ContainsFunc(mail.Subject, unicode.IsControl) {
					t.Errorf("%s, %s: the subject is %q", l.Tag, kind, mail.Subject)
				}
				if strings.Count(mail.Text, "\n") != strings.Count(plain.Text, "\n") ||
					strings.Count(mail.Text, l.Quotes[0])+strings.Count(mail.Text, l.Quotes[1]) != strings.Count(plain.Text, l.Quotes[0])+strings.Count(plain.Text, l.Quotes[1]) {
					t.Errorf("%s, %s: %q", l.Tag, kind, mail.Text)
				}
				e.Actor, e.Note, e.Origin = "", "", name
				if from := l.Mail(e, time.UTC); hasLink(from.Text) || strings.Count(from.Text, "\n") != strings.Count(plain.Text, "\n") {
					t.Errorf("%s, %s: %q", l.Tag, kind, from.Text)
				}
				if hasLink(mail.Text) || len(mail.Text) > 2000 || strings.ContainsAny(mail.Text, "\u202e\u2028\r\x00") {
					t.Errorf("%s, %s: %q", l.Tag, kind, mail.Text)
				}
			}
		}
	}
}

// A mail says where the owner's browser was, with an address that can be read. Where
// an administrator was is not the owner's business.
func TestMailQuotesTheOrigin(t *testing.T) {
	t.Parallel()
	for origin, want := range map[string]string{
		"Firefox (Linux), 192.0.2.7":            "12:00 UTC. The request came from “Firefox (Linux), 192.0.2.7”.",
		"Safari (2001:db8::7)":                  "12:00 UTC. The request came from “Safari (2001:db8::7)”.",
		"2001:db8::7%http://evil.example":       "“2001: db8: : 7%http: / /evil. example”",
		"Mozilla/5.0 (see https://evil.example": "“Mozilla/5.0 (see https: / /evil. example”",
	} {
		e := enrollment.Event{Kind: enrollment.EventCodesRenewed, At: noon, Count: 1, Origin: origin}
		if got := wording.English().Mail(e, nil).Text; !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		e.Actor = "root"
		if got := wording.English().Mail(e, nil).Text; strings.Contains(got, "request came") {
			t.Errorf("an administrator's origin is told: %q", got)
		}
	}
}

// A name that looks like a placeholder stays as it is.
func TestNameIsNoPlaceholder(t *testing.T) {
	t.Parallel()
	got := wording.English().Event(enrollment.Event{Kind: enrollment.EventAuthenticatorAdded, Name: "{note}", Note: "{name}"})
	if want := "The authenticator “{note}” was added. The reason given was “{name}”."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// What can't be seen in a name is left out, and leaves no gap.
func TestInvisibleCharacters(t *testing.T) {
	t.Parallel()
	got := wording.English().Event(enrollment.Event{Kind: enrollment.EventAuthenticatorAdded, Name: "pho\u200bne\u202e\u00ad"})
	if want := "The authenticator “phone” was added."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Ordinary names read as they are.
func TestOrdinaryNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Work phone", "Pixel 9 (v1.2)", "Müllers Handy", "电话", "12:30", "and/or", "it’s mine", "Mr. X", "50%"} {
		if got := wording.German().Event(enrollment.Event{Kind: enrollment.EventAuthenticatorAdded, Name: name}); !strings.Contains(got, "„"+name+"“") {
			t.Errorf("%q: %q", name, got)
		}
	}
}

func TestMail(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("CET", 3600)
	tests := []struct {
		event enrollment.Event
		want  []string
		not   string
	}{
		{enrollment.Event{Kind: enrollment.EventEnabled}, []string{"wurde eingeschaltet.\n\n", "Das war am 02.03.2026, 13:00 Uhr (CET).\n\n", "ändern Sie Ihr Passwort"}, "{"},
		{enrollment.Event{Kind: enrollment.EventReset}, []string{"weil jemand mit Ihrem Passwort"}, "Administrator"},
		{enrollment.Event{Kind: enrollment.EventReset, Actor: "42", Note: "Handy weg"}, []string{"von einem Administrator ausgeschaltet. Als Grund wurde „Handy weg“ angegeben."}, "42"},
		{enrollment.Event{Kind: enrollment.EventDeviceRevoked}, []string{"Ihre Geräte sind"}, "„"},
		{enrollment.Event{Kind: enrollment.EventDeviceRevoked, Name: "Laptop"}, []string{"„Laptop“"}, "Ihre Geräte"},
		{enrollment.Event{Kind: enrollment.EventAddressBound, Name: "sms"}, []string{"per SMS"}, "„"},
		{enrollment.Event{Kind: enrollment.EventAddressBound, Name: "matrix"}, []string{"per „matrix“"}, "SMS"},
		{enrollment.Event{Kind: enrollment.EventLocked, Factor: enrollment.FactorRecovery}, []string{"(Wiederherstellungscode)"}, "App"},
		{enrollment.Event{Kind: enrollment.EventRecoveryUsed, Count: 3}, []string{"3-mal passiert, zuletzt am 02.03.2026"}, "Das war"},
		{enrollment.Event{Kind: enrollment.EventWrongCodes, WrongCodes: 1, Origin: "Safari"}, []string{"keinen richtigen Code. Falsche Codes: 1.", "Die Anfrage kam von „Safari“."}, "{"},
		{enrollment.Event{Kind: enrollment.EventRightAfterWrong, WrongCodes: 4}, []string{"einen richtigen eingegeben. Falsche Codes: 4."}, "kam von"},
		{enrollment.Event{Kind: "event(99)"}, []string{"etwas geändert"}, "99"},
	}
	for _, tt := range tests {
		tt.event.At = noon
		got := wording.German().Mail(tt.event, berlin)
		for _, want := range tt.want {
			if !strings.Contains(got.Text, want) {
				t.Errorf("%+v: %q, want %q", tt.event, got.Text, want)
			}
		}
		if strings.Contains(got.Text, tt.not) {
			t.Errorf("%+v: %q has %q", tt.event, got.Text, tt.not)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	const max = time.Duration(1<<63 - 1)
	for d, want := range map[time.Duration][2]string{
		-time.Hour:                    {"1 second", "1 Sekunde"},
		0:                             {"1 second", "1 Sekunde"},
		time.Millisecond:              {"1 second", "1 Sekunde"},
		1100 * time.Millisecond:       {"2 seconds", "2 Sekunden"},
		59 * time.Second:              {"59 seconds", "59 Sekunden"},
		59*time.Second + 1:            {"1 minute", "1 Minute"},
		time.Minute + 1:               {"2 minutes", "2 Minuten"},
		90 * time.Minute:              {"90 minutes", "90 Minuten"},
		119*time.Minute + time.Second: {"2 hours", "2 Stunden"},
		23*time.Hour + time.Minute:    {"24 hours", "24 Stunden"},
		48 * time.Hour:                {"2 days", "2 Tage"},
		30*24*time.Hour + time.Hour:   {"31 days", "31 Tage"},
		max:                           {"106751 days", "106751 Tage"},
	} {
		if e, g := wording.English().Duration(d), wording.German().Duration(d); e != want[0] || g != want[1] {
			t.Errorf("%v: %q and %q, want %q", d, e, g, want)
		}
	}
}

// A language with more plural forms than two chooses among them.
func TestPlural(t *testing.T) {
	t.Parallel()
	polish := wording.English()
	polish.Minutes.Wait = []string{"{n} minutę", "{n} minuty", "{n} minut"}
	polish.Plural = func(n int) int {
		switch {
		case n == 1:
			return 0
		case n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14):
			return 1
		}
		return 2
	}
	for d, want := range map[int]string{1: "1 minutę", 3: "3 minuty", 5: "5 minut", 13: "13 minut", 22: "22 minuty"} {
		if got := polish.Duration(time.Duration(d) * time.Minute); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
