package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/chromium"
)

// A tour shows the pages of the site in one language. It knows them by what they have, and
// not by their words.
type tour struct {
	*person
	language string
	seen     map[string]bool // the pages
}

// Every page: narrow and wide, light and dark, without barriers. German has the longer words;
// in English, which most other tests show, only .ci/pictures takes the tour. The pages of
// package web are those that begin with "web/".
func TestTour(t *testing.T) {
	t.Parallel()
	for language, asked := range map[string]string{"en": "en-GB,en;q=0.9", "de": "de-DE,de;q=0.9,en;q=0.8"} {
		if language == "en" && chromium.Pictures(t) == "" {
			continue
		}
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, fast, func(c *config) { c.AddressAlone, c.KeepCodes = true, true })
			x := &tour{s.person(), language, map[string]bool{}}
			x.Prefers(asked)
			x.guest()
			app := x.own(tourAdmin)
			x.changes(app)
			x.others(app)
			x.trouble(app)
			x.bar(asked)
			x.complete()
		})
	}
}

const tourAdmin = "admin@example.com"

// complete checks that every page was shown.
func (x *tour) complete() {
	x.t.Helper()
	for prefix, folder := range map[string]string{"": "templates", "web/": "../../enrollment/web/templates"} {
		files, err := filepath.Glob(folder + "/*.html")
		if err != nil || len(files) == 0 {
			x.t.Fatalf("there are no templates: %v", err)
		}
		for _, file := range files {
			name := prefix + strings.TrimSuffix(filepath.Base(file), ".html")
			switch name {
			case "web/layout", "web/parts", "twofactor": // are around pages, or in them
			case "web/security", "web/address": // this site has its own
			case "web/resynchronize": // there are no hardware tokens
			default:
				if !x.seen[name] {
					x.t.Errorf("the page %s was not shown", name)
				}
			}
		}
	}
}

// show looks at the page that is there: it is in the language and has no barrier. The name
// begins with that of its template.
func (x *tour) show(template, state string, has ...string) {
	x.t.Helper()
	for _, selector := range append(has, "html[lang="+x.language+"]") {
		if len(x.Texts(selector)) == 0 {
			x.t.Fatalf("%s, %s: there is no %s: %q", template, state, selector, x.Texts("main"))
		}
	}
	x.seen[template] = true
	name := strings.TrimSuffix(x.language+"-"+strings.ReplaceAll(template, "/", "-")+"-"+state, "-")
	for _, b := range x.Barriers() {
		x.t.Errorf("%s: %s: %s: %s", name, b.Rule, b.Where, b.Why)
	}
	x.Keep(name)
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

// open loads a page, by way of the code that it asks for.
func (x *tour) open(path string, app oath) {
	x.t.Helper()
	x.Get(path)
	if len(x.Texts("form[action='/security/step']")) > 0 {
		x.send("/security/step", "code", app.next())
	}
}

// unfold opens what is folded.
func (x *tour) unfold() {
	x.Evaluate(`document.querySelectorAll("details").forEach((d) => { d.open = true })`)
}

// enter goes through the sign-in up to the code.
func (x *tour) enter(email string) {
	x.t.Helper()
	x.Get("/sign-in")
	x.send("/sign-in", "email", email, "password", password)
}

func (x *tour) guest() {
	x.Get("/")
	x.show("home", "guest", "a[href='/sign-up']")
	x.Get("/sign-up")
	x.show("sign-up", "", "#email")
	x.send("/sign-up", "email", "nobody", "password", password)
	x.show("sign-up", "address", "#email-problem")
	x.send("/sign-up", "email", tourAdmin, "password", "short")
	x.show("sign-up", "password", "#password-problem")
	x.send("/sign-up", "email", tourAdmin, "password", password)
	x.show("sign-in", "first", "[role=status]")
	x.send("/sign-in", "email", tourAdmin, "password", "wrong")
	x.show("sign-in", "wrong", "[role=alert]")
	x.Get("/forgot")
	x.show("forgot", "", "#email")
	x.send("/forgot", "email", "nobody@example.com")
	x.show("sign-in", "sent", "[role=status]")
	x.Get("/nowhere")
	x.show("error", "not-found", "main a.button")
	x.Get("/security/nowhere")
	x.show("web/refused", "", "main a.button")
	x.Get("/security/sign-in")
	x.show("web/sign-in", "again", "main a.button")
}

// own shows how one turns it on and signs in, and returns the app.
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
	x.show("web/begin", "", "a[href^='/security/address']")
	x.send("/security/setup/begin")
	x.unfold()
	x.show("web/setup", "", "img.qr", "#key")
	app := x.scan()
	x.Get("/security/")
	x.show("security", "setup-waits", "form[action='/security/setup/cancel']")
	x.Get("/security/setup")
	x.send("/security/setup", "code", "000000")
	x.show("web/setup", "wrong", "[role=alert]")
	x.send("/security/setup", "code", app.next())
	x.show("web/codes", "", ".recovery-codes")
	codes := x.Texts(".recovery-codes ol code")
	x.Click("main [type=checkbox]")
	x.send("/security/codes")
	x.show("security", "new", "[role=status]")
	x.Get("/security/address")
	x.show("web/step", "settings", "#code")
	x.send("/security/step", "code", app.next())
	x.show("phone", "", "#country")
	x.send("/security/address", "to", "12")
	x.show("phone", "wrong", "#to-problem", "#to[value='12']")
	x.send("/security/address", "to", number)
	x.show("web/address-code", "", "#code")
	x.send("/security/address/code", "code", "000000")
	x.show("web/address-code", "wrong", "[role=alert]")
	x.send("/security/address/code", "code", s.sentCode(number))

	x.enter(email)
	x.send("/security/sign-in", "code", codes[0])
	x.show("home", "recovery", "main .warn")
	s.clock.advance(2 * time.Minute) // from one message to the next
	x.enter(email)
	x.show("web/sign-in", "", "form[action='/security/sign-in/text']")
	x.send("/security/sign-in", "code", "000000")
	x.unfold()
	x.show("web/sign-in", "wrong", "[role=alert]", "form[action='/security/sign-in/reset']")
	x.send("/security/sign-in/text")
	x.show("web/sign-in", "message", "[name=with][value=text]")
	x.Get("/security/sign-in")
	x.Click("[name=trust]")
	thief := s.browser() // who knows the password
	thief.signIn(email)
	thief.code("000000")
	x.send("/security/sign-in", "code", app.next())
	x.show("web/wrong-codes", "", ".box.warn", "main a.button[href='/']")
	x.Next(func() { x.Click("main a.button") })
	return app
}

// changes shows what one can change.
func (x *tour) changes(app oath) {
	x.t.Helper()
	x.Get("/security/")
	x.show("security", "on", "a[href='/security/address/remove']", "form[action='/security/devices/revoke']")
	x.unfold()
	x.show("security", "open", "details[open] input")
	x.open("/security/setup/begin", app)
	x.show("web/begin", "another", "#name")
	x.send("/security/setup/begin", "name", "Tablet")
	tablet := x.scan()
	x.send("/security/setup", "code", tablet.shows())
	id := x.site.status(tourAdmin).Authenticators[1].ID
	for _, page := range []struct{ name, state, path, has string }{
		{"web/begin", "replace", "/security/setup/begin?replace=" + id, "[name=replace]"},
		{"web/remove", "", "/security/remove?id=" + id, "button.danger"},
		{"web/unbind", "", "/security/address/remove", "button.danger"},
		{"web/renew", "", "/security/codes/new", "form[action='/security/codes/new']"},
		{"web/kept", "", "/security/codes/kept", ".recovery-codes"},
		{"web/disable", "", "/security/disable", "button.danger"},
	} {
		x.open(page.path, app)
		x.show(page.name, page.state, page.has)
	}
	x.Get("/password")
	x.show("web/step", "password", "#code")
	x.send("/security/step", "code", "000000")
	x.show("web/step", "wrong", "[role=alert]")
	x.send("/security/step", "code", app.next())
	x.show("password", "", "#old")
	x.send("/password", "old", "wrong", "password", password)
	x.show("password", "wrong", "#old-problem")
	x.open("/data", app)
	x.show("data", "", "pre")
	if n := x.site.happened(tourAdmin, enrollment.EventLocked); n > 0 {
		x.t.Errorf("locked %d times", n)
	}
}
