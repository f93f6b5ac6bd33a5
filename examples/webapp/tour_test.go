package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A tour shows the pages of the site in one language. It knows them by what they have, and
// not by their words.
type tour struct {
	*person
	language string
	seen     map[string]bool // the templates
}

// show looks at the page of a template that is there: it is in the language and has no
// barrier.
func (x *tour) show(template, state string, has ...string) {
	x.t.Helper()
	for _, selector := range append(has, "html[lang="+x.language+"]") {
		if len(x.Texts(selector)) == 0 {
			x.t.Fatalf("%s, %s: there is no %s: %q", template, state, selector, x.Texts("main"))
		}
	}
	x.seen[template] = true
	x.picture(strings.TrimSuffix(x.language+"-"+template+"-"+state, "-"))
}

// send sends the form with that action, after filling in fields from pairs.
func (x *tour) send(action string, pairs ...string) {
	x.t.Helper()
	form := "form[action='" + action + "']"
	for i := 0; i < len(pairs); i += 2 {
		x.Fill(form+" [name="+pairs[i]+"]", pairs[i+1])
	}
	x.Next(func() {
		x.Evaluate(`{ const f = document.querySelector("` + form + `"); f.noValidate = true; f.requestSubmit() }`)
	})
}

// enter goes through the sign-in up to the code.
func (x *tour) enter(email string) {
	x.t.Helper()
	x.Get("/sign-in")
	x.send("/sign-in", "email", email, "password", password)
}

// setUp sets up an app.
func (x *tour) setUp() oath {
	x.t.Helper()
	x.Get("/security/setup/begin")
	x.send("/security/setup/begin")
	app := x.scan()
	x.send("/security/setup", "code", app.next())
	return app
}

// Every page in German: narrow and wide, light and dark. The stories show them in English.
func TestTourInGerman(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) { c.AddressAlone, c.KeepCodes = true, true })
	x := &tour{s.person(), "de", map[string]bool{}}
	x.Prefers("de-DE,de;q=0.9,en;q=0.8")
	x.guest()
	app := x.own("admin@example.com")
	x.others(app)
	x.trouble(app)
	x.bar()

	templates, err := filepath.Glob("templates/*.html")
	if err != nil || len(templates) == 0 {
		t.Fatalf("there are no templates: %v", err)
	}
	for _, file := range templates {
		if name := strings.TrimSuffix(filepath.Base(file), ".html"); !x.seen[name] {
			t.Errorf("the page %s was not shown", name)
		}
	}
}

func (x *tour) guest() {
	x.Get("/")
	x.show("home", "guest", "a[href='/sign-up']")
	x.Get("/sign-up")
	x.show("sign-up", "", "#email")
	x.send("/sign-up", "email", "nobody", "password", password)
	x.show("sign-up", "address", "#email-problem")
	x.send("/sign-up", "email", "admin@example.com", "password", "short")
	x.show("sign-up", "password", "#password-problem")
	x.send("/sign-up", "email", "admin@example.com", "password", password)
	x.show("sign-in", "first", "[role=status]")
	x.send("/sign-in", "email", "admin@example.com", "password", "wrong")
	x.show("sign-in", "wrong", "[role=alert]")
	x.Get("/forgot")
	x.show("forgot", "", "#email")
	x.send("/forgot", "email", "nobody@example.com")
	x.show("sign-in", "sent", "[role=status]")
	x.Get("/nowhere")
	x.show("error", "not-found", "main a.button")
}

// own shows the pages of one's own account, and returns its app.
func (x *tour) own(email string) oath {
	x.t.Helper()
	s := x.site
	x.enter(email)
	x.show("home", "admin", "ul.cards")
	x.Get("/data")
	x.show("data", "open", "a[href='/security/']")
	x.Get("/security/")
	x.show("security", "off", "a[href='/security/setup/begin']")
	x.Get("/security/setup/begin")
	x.show("twofactor", "begin", "a[href^='/security/address']")
	x.send("/security/setup/begin")
	x.show("twofactor", "setup", "img.qr")
	x.Get("/security/")
	x.show("security", "setup-waits", "form[action='/security/setup/cancel']")
	app := x.setUp()
	x.show("twofactor", "codes", ".recovery-codes")
	x.Click("main [type=checkbox]")
	x.send("/security/codes")
	x.Get("/security/address")
	x.send("/security/step", "code", app.next())
	x.show("phone", "", "#country")
	x.send("/security/address", "to", "12")
	x.show("phone", "wrong", "#to-problem")
	x.send("/security/address", "to", number)
	x.show("twofactor", "number", "#code")
	x.send("/security/address/code", "code", s.sentCode(number))
	s.clock.advance(2 * time.Minute)
	x.enter(email)
	x.show("twofactor", "sign-in", "form[action='/security/sign-in/text']")
	x.Click("[name=trust]")
	x.send("/security/sign-in", "code", app.next())
	x.Get("/security/")
	x.show("security", "on", "a[href='/security/address/remove']", "form[action='/security/devices/revoke']")
	x.Evaluate(`document.querySelectorAll("details").forEach((d) => { d.open = true })`)
	x.show("security", "open", "details[open] input")
	x.Get("/password")
	x.show("twofactor", "step", "#code")
	x.send("/security/step", "code", app.next())
	x.show("password", "", "#old")
	x.send("/password", "old", "wrong", "password", password)
	x.show("password", "wrong", "#old-problem")
	x.Get("/data")
	x.send("/security/step", "code", app.next())
	x.show("data", "", "pre")
	return app
}

// others shows the pages of an administrator.
func (x *tour) others(app oath) {
	x.t.Helper()
	s := x.site
	bob := s.member("bob-with-a-rather-long-address@subsidiary.example.com")
	phone, _ := bob.enable()
	s.member("carla@example.com")
	x.Get("/admin/members")
	x.show("twofactor", "step-admin", "#code")
	x.send("/security/step", "code", app.next())
	x.show("members", "", "table")
	x.Get("/admin/members?search=nobody")
	x.show("members", "none", "form[role=search]")
	x.Get(memberPath(s.idOf("admin@example.com")))
	x.show("member", "own", "dl")
	id := s.idOf("bob-with-a-rather-long-address@subsidiary.example.com")
	bob.signOutNow()
	bob.signIn("bob-with-a-rather-long-address@subsidiary.example.com")
	bob.submit("/security/sign-in/reset")
	for range 5 {
		bob.code(phone.wrong())
	}
	x.Get(memberPath(id))
	x.show("member", "asks", "[value=unlock]", "[value=refuse]", ".box.warn")
	x.Click("[value=erase]")
	x.Click("[name=sure]") // which is there now
	x.show("member", "erase")
	x.Get("/admin/members")
	x.show("members", "asks", ".badge")
	x.Get(memberPath(id))
	x.Click("[value=reset]")
	x.Click("[name=ticket]")
	x.send("/admin/member", "reason", "Telefon verloren")
	x.show("member", "ticket", ".ticket")
	x.Get("/admin/mandate")
	x.show("mandate", "off", "#days")
	x.send("/admin/mandate", "days", "91")
	x.show("mandate", "wrong", "#days-problem")
	x.Click("#all")
	x.send("/admin/mandate", "days", "7")
	x.show("mandate", "on", "[role=status]")
	x.Get("/security/")
	x.show("security", "required", "#off")
}

// trouble shows what one sees without the phone.
func (x *tour) trouble(app oath) {
	x.t.Helper()
	s := x.site
	const email = "admin@example.com"
	x.Get("/forgot")
	x.send("/forgot", "email", email)
	x.Get(s.received(email, "Der Link gilt").Link)
	x.show("twofactor", "step-reset", "#code")
	x.send("/security/step", "code", app.next())
	x.show("password", "reset", "#password")
	other := &tour{s.person(), x.language, x.seen}
	other.Prefers(x.language)
	other.enter("carla@example.com")
	other.show("home", "grace", ".box.warn")
	other.Get("/sign-in?return=/security/")
	other.show("confirm", "", "form[action='/confirm']")
	other.send("/confirm", "password", "wrong")
	other.show("confirm", "wrong", "#password-problem")
	x.send("/forgot/password", "password", password)
	x.enter(email)
	for range 5 {
		x.send("/security/sign-in", "code", "000000")
	}
	x.show("twofactor", "locked", "[data-wait]")
	if n := s.happened(email, enrollment.EventLocked); n != 1 {
		x.t.Errorf("locked %d times", n)
	}
}

// bar shows the demonstration.
func (x *tour) bar() {
	x.t.Helper()
	s, _ := demonstrate(x.t)
	b := &tour{s.person(), x.language, x.seen}
	b.Prefers(x.language)
	b.Get("/")
	b.show("home", "demo", "[value=review]")
	b.Next(func() { b.Click("[value=frame]") })
	b.Evaluate(`document.querySelectorAll("details").forEach((d) => { d.open = true })`)
	b.show("sign-in", "demo", "[name=as]")
	b.Next(func() { b.Click("[value=review]") })
	b.Get("/security/setup/begin")
	b.send("/security/setup/begin")
	b.show("twofactor", "demo", "[name=scan]")
	b.Get("/messages")
	b.show("messages", "none", "main")
	b.Click(".demo details summary")
	b.Next(func() { b.Click("[value=tracker]") })
	b.Get("/messages")
	b.show("messages", "", "ol.letters")
	b.Get("/demo/code?of=(*app).home")
	b.show("code", "", "pre")
}
