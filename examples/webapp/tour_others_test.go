package main

import (
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
)

const (
	tourBob   = "bob-with-a-rather-long-address@subsidiary.example.com"
	tourCarla = "carla@example.com"
	tourDora  = "dora@example.com"
)

// others shows the pages of an administrator, and what comes of them.
func (x *tour) others(app oath) {
	x.t.Helper()
	s := x.site
	bob := s.member(tourBob)
	phone, _ := bob.enable()
	s.member(tourCarla)
	dora := s.member(tourDora)
	dora.enable()
	x.Get("/admin/members")
	x.show("web/step", "admin", "#code")
	x.send("/security/step", "code", app.next())
	x.show("members", "", "table")
	x.Get("/admin/members?search=nobody")
	x.show("members", "none", "form[role=search]")
	x.Get(memberPath(s.idOf(tourAdmin)))
	x.show("member", "own", "dl")
	bob.signOutNow()
	bob.signIn(tourBob)
	bob.submit("/security/sign-in/reset")
	for range 5 {
		bob.code(phone.wrong())
	}
	x.Get(memberPath(s.idOf(tourBob)))
	x.show("member", "asks", "[value=unlock]", "[value=refuse]", ".box.warn")
	x.Click("[value=erase]")
	x.Click("[name=sure]") // which is there now
	x.show("member", "erase")
	x.Get("/admin/members")
	x.show("members", "asks", ".badge")
	x.Get(memberPath(s.idOf(tourBob)))
	x.Click("[value=reset]")
	x.Click("[name=ticket]")
	x.send("/admin/member", "reason", "Telefon verloren, lost phone")
	x.show("member", "ticket", ".ticket")
	x.Get(memberPath(s.idOf(tourDora)))
	x.Click("[value=pass]")
	x.send("/admin/member", "reason", "Telefon zu Hause, phone at home")
	x.show("member", "pass", "[role=status]")

	other := &tour{s.person(), x.language, x.seen}
	other.Prefers(x.language)
	other.enter(tourDora)
	other.show("home", "pass", "main .warn")
	other.Get("/security/")
	other.show("security", "pass", "main .warn")
	other.enter(tourBob)
	other.Get("/security/setup/begin")
	other.show("web/begin", "ticket", "#ticket")

	x.Get("/admin/mandate")
	x.show("mandate", "off", "#days")
	x.send("/admin/mandate", "days", "91")
	x.show("mandate", "wrong", "#days-problem", "#days[value='91']")
	x.Click("#all")
	x.send("/admin/mandate", "days", "7")
	x.show("mandate", "on", "[role=status]")
	x.Get("/security/")
	x.show("security", "required", "#off")
	other.enter(tourCarla)
	other.show("home", "grace", ".box.warn")
	other.Get("/sign-in?return=/security/")
	other.show("confirm", "", "form[action='/confirm']")
	other.send("/confirm", "password", "wrong")
	other.show("confirm", "wrong", "#password-problem")
}

// trouble shows what one sees without the password or the phone.
func (x *tour) trouble(app oath) {
	x.t.Helper()
	s := x.site
	x.Get("/forgot")
	x.send("/forgot", "email", tourAdmin)
	x.Get(s.linked(tourAdmin, "/forgot/link"))
	x.show("web/step", "reset", "#code")
	x.send("/security/step", "code", app.next())
	x.show("password", "reset", "#password")
	x.send("/forgot/password", "password", password)
	x.enter(tourAdmin)
	x.send("/security/sign-in/reset")
	x.show("web/sign-in", "lost", "[role=status]")
	for range 5 {
		x.send("/security/sign-in", "code", "000000")
	}
	x.show("web/sign-in", "locked", "[data-wait]")
	if n := s.happened(tourAdmin, enrollment.EventLocked); n != 1 {
		x.t.Errorf("locked %d times", n)
	}
	x.Get("/security/sign-in?with=three")
	x.show("web/sign-in", "three", "#code-3")
	s.clock.advance(11 * time.Minute)
	x.send("/security/sign-in", "code", "000000")
	x.show("web/sign-in", "late", "[role=alert]", "main a.button")
	x.enter(tourAdmin)
	x.send("/security/sign-in", "code", app.next())
	x.Get("/security/")
	x.show("security", "warned", ".history")
}

// linked returns the link in the latest letter to that address that leads to the path.
func (s *site) linked(to, path string) string {
	s.t.Helper()
	for _, l := range s.app.mailbox.List() {
		if l.To == to && strings.HasPrefix(l.Link, path) {
			return l.Link
		}
	}
	s.t.Fatalf("no message to %s has a link to %s", to, path)
	return ""
}

// bar shows the demonstration.
func (x *tour) bar(asked string) {
	x.t.Helper()
	s, d := demonstrate(x.t)
	b := &tour{s.person(), x.language, x.seen}
	b.Prefers(asked)
	b.Get("/")
	b.show("home", "demo", "[value=review]")
	b.next("[value=frame]")
	b.unfold()
	b.show("sign-in", "demo", "[name=as]")
	b.send("/sign-in", "password", storyPassword)
	b.show("web/begin", "required", ".warn[role=status]")
	b.unfold()
	b.next("[value=review]")
	b.Get("/messages")
	b.show("messages", "none", "main")
	b.Get("/security/setup/begin")
	b.send("/security/setup/begin")
	b.next("[name=scan] ~ button")
	b.show("web/setup", "demo", "[data-type]")
	if x.language == "en" {
		b.Publish("webapp", 1280)
	}

	// What is off by default.
	_, err := d.reconfigure(x.t.Context(), configure(&demo.Story{Issuer: defaultIssuer, Switches: []string{"setup", "replenish", "keep"}}))
	if err != nil {
		x.t.Fatal(err)
	}
	b.Get("/security/setup/begin")
	b.send("/security/setup/begin")
	b.show("web/setup", "codes", ".recovery-codes", "img.qr")
	codes := b.Texts(".recovery-codes ol code")
	b.next("[name=scan] ~ button")
	b.next(".demo-phone li:first-child [data-type]")
	b.Click("main [type=checkbox]")
	b.send("/security/codes")
	b.Get("/data")
	b.send("/security/step", "code", codes[0])
	b.show("web/new-code", "", ".recovery-codes")

	b.Click(".demo details summary")
	b.next("[value=tracker]")
	b.Get("/messages")
	b.show("messages", "", "ol.letters")
	b.Get("/demo/code?of=(*app).home")
	b.show("code", "", "pre")
}
