package web_test

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

// tookOver checks that the page says that another account has come in between. A reload
// says it as well.
func (b *browser) tookOver(what string) {
	b.t.Helper()
	for range 2 {
		at, err := url.Parse(b.path)
		if err != nil || b.status != http.StatusOK || at.Path != "/2fa/sign-in" || at.Query().Get("with") != "other" {
			b.t.Errorf("%s: at %s with status %d", what, b.path, b.status)
			return
		}
		b.sees("This browser was used with another account in the meantime.", "Sign in again").lacks(`name="code"`)
		b.get(b.path)
	}
}

// Two accounts wait for a code in two tabs. The code that is typed in the first one is no
// guess at the account of the second, which nobody asks anything of there.
func TestTwoAccountsInTwoTabs(t *testing.T) {
	t.Parallel()
	h, _, app := everything(t)
	_, other, codes := h.member("bob")
	for _, with := range []string{"", "?with=three", "?with=text"} {
		b := h.browser()
		switch with {
		case "?with=three":
			for range 6 {
				b.login("alice").submit("/2fa/sign-in", "code", app.WrongCode(h.kit.Clock.Now()))
			}
		case "?with=text":
			h.kit.Clock.Advance(2 * time.Minute)
			b.login("alice").submit("/2fa/sign-in/text")
		}
		b.login("alice").get("/2fa/sign-in" + with)
		forms := map[string][]string{}
		for _, action := range []string{"/2fa/sign-in", "/2fa/sign-in/text", "/2fa/sign-in/reset"} {
			forms[action] = b.form(action, "code", h.code(app))
		}
		second := b.login("bob").at("/2fa/sign-in").form("/2fa/sign-in", "code", h.code(other))
		before := h.recordOf("bob")
		for action, form := range forms {
			b.post(action, form...).tookOver(action + with)
		}
		if h.recordOf("bob") != before {
			t.Errorf("%s: the other account has changed", with)
		}
		b.follow("/login").at("/login")
		b.post("/2fa/sign-in", second...).at("/", `home of "bob"`)

		// Nor is the first user led on into the session of the second.
		for action, form := range forms {
			b.post(action, form...).tookOver(action + with)
		}
	}

	// Two tabs of one account help each other.
	b := h.browser().login("bob")
	form := b.form("/2fa/sign-in", "code", codes[0])
	b.login("bob").post("/2fa/sign-in", form...).at("/", `home of "bob"`)
	b.post("/2fa/sign-in", form...).at("/", `home of "bob"`)

	// Where nobody is signed in any more, the first user begins again.
	b = h.browser().login("bob")
	form = b.form("/2fa/sign-in", "code", codes[1])
	b.setCookie("__Host-twofactor-challenge", "")
	b.post("/2fa/sign-in", form...).at("/2fa/sign-in", "Sign in with your password first.")
}

// The same for setups that two sign-ins demand.
func TestTwoDemandedSetups(t *testing.T) {
	t.Parallel()
	mail := &inbox{}
	kit := enrollmenttest.New(t, func(c *enrollment.Config) { c.Sender, c.AddressAlone = mail, true })
	h := mandatory(t, kit, func(c *web.Config) {
		c.Address = func(_ *http.Request, typed string) (string, string, error) { return "sms", typed, nil }
	})
	b := h.browser().demanded("alice")
	forms := map[string][]string{"/2fa/setup/begin": b.form("/2fa/setup/begin")}
	b.get("/2fa/address")
	forms["/2fa/address"] = b.form("/2fa/address", "to", "+49 7")
	b.submit("/2fa/address", "to", "+49 7").at("/2fa/address/code")
	forms["/2fa/address/code"] = b.form("/2fa/address/code", "code", mail.code)
	b.get("/2fa/setup/begin").submit("/2fa/setup/begin").at("/2fa/setup")
	forms["/2fa/setup"] = b.form("/2fa/setup", "code", h.code(b.scan()))
	forms["/2fa/setup/cancel"] = b.form("/2fa/setup/cancel")

	b.demanded("bob").submit("/2fa/setup/begin").at("/2fa/setup?return=%2Fnews")
	second := b.form("/2fa/setup", "code", h.code(b.scan()))
	before := h.recordOf("bob")
	for action, form := range forms {
		b.post(action, form...).tookOver(action)
	}
	if h.recordOf("bob") != before {
		t.Error("the other account has changed")
	}
	b.post("/2fa/setup", second...).at("/2fa/codes?return=%2Fnews").codes()
}

// forms returns the forms of the page by their action. Each has the mark of its account.
func (b *browser) forms(into map[string][]string) {
	b.t.Helper()
	if strings.Count(b.body, "<form") != len(formRE.FindAllString(b.body, -1)) {
		b.t.Errorf("%s has a form that this test can't read:\n%s", b.path, b.body)
	}
	for _, form := range formRE.FindAllStringSubmatch(b.body, -1) {
		if strings.Count(form[2], `<input type="hidden" name="mark"`) != 1 {
			b.t.Errorf("%s has a form without a mark:\n%s", b.path, form[0])
		}
		action := html.UnescapeString(form[1])
		into[action] = b.form(action)
	}
}

// A form of any page does nothing to the account that signs in in another tab, whatever
// that has at hand.
func TestEachFormOfAnotherAccount(t *testing.T) {
	t.Parallel()
	h, b, app := everything(t)
	_, token := h.withToken(app)
	b.login("alice").submit("/2fa/sign-in", "code", h.code(app), "trust", "1").at("/")
	h.browser().login("alice").submit("/2fa/sign-in/reset")
	forms := map[string][]string{}
	h.browser().login("alice").forms(forms)
	b.get("/2fa/").forms(forms)
	b.get("/delete").forms(forms)
	b.get("/2fa/disable").submit("/2fa/step", "code", h.code(app))
	status, err := h.kit.Guard.Status(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range routes(t) {
		for _, query := range []string{"", "?id=" + token, "?id=" + status.Authenticators[0].ID, "?replace=" + token} {
			if to.get && to.path != "/2fa/codes/kept" {
				b.get(to.path + query).forms(forms)
			}
		}
	}
	b.get("/2fa/setup/begin").submit("/2fa/setup/begin").at("/2fa/setup").forms(forms)
	h.kit.Clock.Advance(2 * time.Minute)
	b.get("/2fa/address").submit("/2fa/address", "to", "+49 7").at("/2fa/address/code").forms(forms)
	b.get("/2fa/codes/new").submit("/2fa/codes/new").at("/2fa/codes").forms(forms)
	for _, to := range routes(t) {
		if to.post && forms[to.path] == nil && !slices.Contains([]string{"/2fa/codes/token", "/2fa/codes/again", "/2fa/step/begin"}, to.path) { // those are for JSON
			t.Errorf("no form is for %s", to.path)
		}
	}

	b.login("bob")
	other, _ := b.enroll()
	b.get("/2fa/disable").submit("/2fa/step", "code", h.code(other)).at("/2fa/disable")
	before := h.recordOf("bob")
	for action, form := range forms {
		for i := 0; i < len(form); i += 2 {
			if form[i] == "code" {
				form[i+1] = other.WrongCode(h.kit.Clock.Now())
			}
		}
		one := b.clone()
		one.post(action, form...).tookOver(action)
		if now := h.recordOf("bob"); now != before {
			t.Errorf("%s: the other account has changed", action)
			before = now
		}
	}

	// In JSON, tokens name their user, and there is no such member.
	c := h.client()
	d := c.call(200, "POST", "/login?user=bob", nil)
	c.call(200, "POST", "/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": h.code(other), "mark": "0000000000000000"})
}

// Codes that were made for one account, in an answer that was lost, stay when the button
// below those of another is pressed.
func TestDoneOfAnotherAccount(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b := h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin")
	b.submit("/2fa/setup", "code", h.code(b.scan())).at("/2fa/codes").codes()
	done := b.form("/2fa/codes")
	b.login("bob").get("/2fa/setup/begin").submit("/2fa/setup/begin")
	lost := b.clone() // its session is the one of before, which has ended
	b.submit("/2fa/setup", "code", h.code(b.scan())).at("/2fa/codes").codes()
	b.post("/2fa/codes", done...).tookOver("Done")
	b.get("/2fa/codes").codes()

	lost.post("/2fa/codes", done...)
	if lost.cookie("setup") == "" {
		t.Error("nobody has seen these codes, and the token is gone")
	}
	lost.get("/2fa/codes").codes()
	lost.submit("/2fa/codes")
	if lost.cookie("setup") != "" {
		t.Error("the cookie is still there")
	}
}

// Who is signed in can't be found out: that is a fault, and no answer.
func TestMarkWhileTheDatabaseFails(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, _ := h.member("alice")
	b := h.browser().login("alice")
	form := b.form("/2fa/sign-in", "code", h.code(app))
	b.post("/2fa/sign-in", form...).at("/")
	h.kit.FailStore(errors.New("the database is down"))
	if b.post("/2fa/sign-in", form...); b.status != http.StatusInternalServerError {
		t.Errorf("at %s with status %d", b.path, b.status)
	}
}

// A mark tells two accounts apart, and an application without one in its own form does
// as before.
func TestMark(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	seen := map[string]string{}
	for n := range 100 {
		user := fmt.Sprintf("user-%d", n)
		b := h.browser().login(user).get("/2fa/setup/begin")
		form := b.form("/2fa/setup/begin")
		if len(form) != 2 || form[0] != "mark" || len(form[1]) != 16 || seen[form[1]] != "" || strings.Contains(form[1], user) {
			t.Fatalf("%s has %q, among %q", user, form, seen)
		}
		seen[form[1]] = user
	}
	h.browser().login("alice").post("/2fa/setup/begin").at("/2fa/setup")
	h.browser().login("alice").get("/2fa/setup/begin?mark=0000000000000000").at("/2fa/setup/begin?mark=0000000000000000")
}
