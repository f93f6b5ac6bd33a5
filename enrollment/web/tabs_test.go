package web_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

// moving makes the browser follow redirects again.
func moving(b *browser) *browser {
	b.client.CheckRedirect = nil
	return b
}

// A tab with an earlier setup is told so, and leads to the later one, which goes on.
func TestTwoTabs(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b := h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin")
	form := b.form("/2fa/setup", "code", b.scan().Code(h.kit.Clock.Now()))
	b.get("/2fa/setup/begin").submit("/2fa/setup/begin")
	second := b.scan()
	later := b.form("/2fa/setup", "code", second.Code(h.kit.Clock.Now()))
	b.post("/2fa/setup", form...).at("/2fa/setup", "You have started another setup").lacks("Recovery codes")
	if shown := b.scan(); shown.Code(h.kit.Clock.Now()) != second.Code(h.kit.Clock.Now()) {
		t.Error("the page has another secret")
	}
	b.clone().post("/2fa/setup", "token", "nonsense", "code", "123456").at("/2fa/setup", `role="alert"`)
	b.post("/2fa/setup", later...).at("/2fa/codes")

	// What is over in its own tab begins anew.
	b = h.browser().login("bob").get("/2fa/setup/begin").submit("/2fa/setup/begin")
	form = b.form("/2fa/setup", "code", "123456")
	h.browser().login("bob").get("/2fa/setup/begin").submit("/2fa/setup/begin") // elsewhere
	if b.post("/2fa/setup", form...).at("/2fa/setup/begin", "You have started another setup"); b.cookie("setup") != "" {
		t.Error("the cookie is still there")
	}
}

// A sign-in that demands a setup is cancelled after the right code, whose answer was lost:
// the codes come first.
func TestCancelAfterLostAnswer(t *testing.T) {
	t.Parallel()
	h := mandatory(t, enrollmenttest.New(t))
	b := h.browser().demanded("alice").submit("/2fa/setup/begin")
	app := b.scan()
	b.clone().post("/2fa/setup", b.form("/2fa/setup", "code", h.code(app))...)
	b.submit("/2fa/setup/cancel").at("/2fa/codes?return=%2Fnews")
	codes := b.codes()
	b = h.browser().login("alice").at("/2fa/sign-in")
	b.submit("/2fa/sign-in", "code", codes[9]).at("/", `home of "alice"`)

	// While the database is down, the setup is not forgotten.
	b = h.browser().demanded("bob").submit("/2fa/setup/begin")
	h.kit.FailStore(errors.New("the database is down"))
	if b.submit("/2fa/setup/cancel"); b.status != http.StatusInternalServerError || b.cookie("setup") == "" {
		t.Errorf("status %d, the cookie is %q", b.status, b.cookie("setup"))
	}
}

// renewal goes to the page that makes new recovery codes.
func (b *browser) renewal(app *enrollmenttest.App) *browser {
	b.t.Helper()
	return b.get("/2fa/codes/new").submit("/2fa/step", "code", b.host.code(app)).at("/2fa/codes/new")
}

// New codes whose page has not come are shown before others can replace them.
func TestNewCodesComeFirst(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b, app, _ := h.member("alice")
	moving(still(b.renewal(app)).submit("/2fa/codes/new"))
	other, others, _ := h.member("bob") // who has them in the way
	other.setCookie("__Host-twofactor-renewal", b.cookie("renewal"))
	other.renewal(others)
	b.get("/2fa/disable").submit("/2fa/step", "code", h.code(app)).at("/2fa/disable")
	if one := still(b.clone()).get("/2fa/codes/new"); one.status != http.StatusSeeOther || one.body != "" {
		t.Errorf("status %d, with the page:\n%s", one.status, one.body)
	}
	codes := b.get("/2fa/codes/new").at("/2fa/codes").codes()
	b.get("/2fa/codes/new").at("/2fa/codes/new") // they were shown
	h.browser().login("alice").submit("/2fa/sign-in", "code", codes[0]).at("/", `home of "alice"`)
}

// Back from new codes leads to them again, and the form that made them makes no others.
// After Done it takes a code to make new ones.
func TestBackFromNewCodes(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b, app, _ := h.member("alice")
	form := b.renewal(app).form("/2fa/codes/new")
	codes := b.post("/2fa/codes/new", form...).at("/2fa/codes").codes()
	before := h.record()
	for range 2 {
		if again := b.get("/2fa/codes/new?return=/news").at("/2fa/codes?return=%2Fnews").codes(); again[0] != codes[0] {
			t.Error("the codes are others")
		}
		if again := b.post("/2fa/codes/new", form...).at("/2fa/codes").codes(); again[0] != codes[0] {
			t.Error("the codes are others")
		}
	}
	if h.record() != before {
		t.Error("the account has changed")
	}
	b.submit("/2fa/codes").get("/2fa/codes/new").at("/2fa/step?for=settings&return=%2F2fa%2Fcodes%2Fnew")
}

// A second click on the button that signs in leads on, if the answer to the first has come
// meanwhile. If it was lost, nobody is signed in, and the page says why.
func TestSecondClickOnSignIn(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, _ := h.member("alice")
	b := h.browser().login("alice")
	form := b.form("/2fa/sign-in", "code", h.code(app), "return", "/news")
	first, second, lost := b.clone(), still(b.clone()), b.clone()
	first.post("/2fa/sign-in", form...).at("/news", `home of "alice"`)
	second.post("/2fa/sign-in", form...) // which was sent before that answer came
	second.setCookie("session", first.session())
	moving(second).get(second.header.Get("Location")).at("/news", `home of "alice"`)
	second.get("/2fa/").at("/2fa/").lacks(`role="alert"`)

	lost.post("/2fa/sign-in", form...).at("/2fa/sign-in?return=%2Fnews", "A code was accepted here before", "Sign in again").lacks(`name="code"`)
	lost.outside()
	lost.follow("/login?return=%2fnews")
	if n := len(h.started); n != 3 { // two of them by the setup
		t.Errorf("%d sessions were started", n)
	}
}

// Done in one tab leaves what another has begun: new codes that nobody has seen, and a
// setup.
func TestDoneInAnotherTab(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b := h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin")
	app := b.scan()
	b.submit("/2fa/setup", "code", h.code(app)).at("/2fa/codes")
	old, done := b.codes(), b.form("/2fa/codes")
	moving(still(b.renewal(app)).submit("/2fa/codes/new"))
	b.post("/2fa/codes", done...).at("/2fa/codes?return=%2F2fa%2F").lacks("your recovery codes are saved")
	if b.codes()[0] == old[0] {
		t.Error("the codes are the old ones")
	}
	done = b.form("/2fa/codes")
	b.get("/2fa/setup/begin").submit("/2fa/step", "code", h.code(app)).submit("/2fa/setup/begin").at("/2fa/setup")
	b.post("/2fa/codes", done...).at("/2fa/", "your recovery codes are saved")
	if b.cookie("renewal") != "" {
		t.Error("the cookie is still there")
	}
	b.get("/2fa/setup").at("/2fa/setup")

	// Nor does Back from there, or a new sign-in, forget the setup.
	b.get("/2fa/codes").at("/2fa/").get("/2fa/setup").at("/2fa/setup")
	b.login("alice").submit("/2fa/sign-in", "code", h.code(app)).at("/", `home of "alice"`)
	b.get("/2fa/setup").at("/2fa/setup")
}

// Done forgets nothing of what can't be found out while the database is down.
func TestDoneWithoutDatabase(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t), func(c *web.Config) {
		c.User = func(*http.Request) (string, error) { return "alice", nil } // without asking the database
	})
	b := h.browser()
	app, _ := b.enroll()
	moving(still(b.renewal(app)).submit("/2fa/codes/new"))
	h.kit.FailStore(errors.New("the database is down"))
	if b.post("/2fa/codes"); b.status != http.StatusInternalServerError || b.path != "/2fa/codes?return=%2F2fa%2F" {
		t.Errorf("at %s with status %d", b.path, b.status) // it does not say that they are saved
	}
	h.kit.FailStore(nil)
	b.get("/2fa/codes").codes()
}

// Two Pages on one host, with paths of their own, leave each other's cookies alone.
func TestTwoPagesOnOneHost(t *testing.T) {
	t.Parallel()
	trust := func(c *web.Config) { c.TrustDevices = true }
	users := newHost(t, enrollmenttest.New(t), trust)
	admins := newHost(t, enrollmenttest.New(t), trust, func(c *web.Config) { c.Path = "/admin/2fa" })
	_, app, _ := users.member("alice")
	token := admins.kit.Enroll("root").App

	// A browser does not tell ports apart.
	b, a := users.browser(), admins.browser()
	a.client.Jar = b.client.Jar
	b.login("alice").at("/2fa/sign-in")
	a.login("root").at("/admin/2fa/sign-in")
	b.submit("/2fa/sign-in", "code", users.code(app), "trust", "1").at("/", `home of "alice"`)
	a.submit("/admin/2fa/sign-in", "code", admins.code(token), "trust", "1").at("/", `home of "root"`)
	b.login("alice").at("/", `home of "alice"`)
	a.login("root").at("/", `home of "root"`)

	// The code before something sensitive stays good while somebody signs in over there.
	b.login("alice").get("/delete").submit("/2fa/step", "code", users.code(app)).at("/delete")
	id := b.session()
	a.login("root")
	b.setCookie("session", id)
	b.get("/delete").at("/delete")

	users.login.Require, admins.login.Require = true, true
	b.login("carol").at("/2fa/setup/begin")
	a.login("dora").at("/admin/2fa/setup/begin").submit("/admin/2fa/setup/begin").at("/admin/2fa/setup")
	b.submit("/2fa/setup/begin").at("/2fa/setup").submit("/2fa/setup", "code", users.code(b.scan())).codes()
	if status, err := users.kit.Guard.Status(t.Context(), "carol"); err != nil || !status.Enabled() {
		t.Errorf("%v, %v", status.State, err)
	}
}

// session returns the id of the application's session.
func (b *browser) session() string {
	for _, c := range b.client.Jar.Cookies(b.host.at()) {
		if c.Name == "session" {
			return c.Value
		}
	}
	return ""
}

// Codes whose page has not come are shown before a page that does not lead to them, or that
// would replace their token.
func TestUnseenCodesComeFirst(t *testing.T) {
	t.Parallel()
	mail := &inbox{}
	h := texting(t, mail)
	first := func(b *browser, base, token string) {
		t.Helper()
		moving(b).clone().get("/2fa/").at("/2fa/codes").submit("/2fa/codes").at("/2fa/")
		b.clone().get(base + "?return=/news").at("/2fa/codes?return=" + url.QueryEscape(base+"?return=%2Fnews"))
		b.clone().post(base, "to", "+49 2").at("/2fa/codes?return=" + url.QueryEscape(base))
		codes := b.get("/2fa/").codes()
		if b.get("/2fa/").at("/2fa/"); b.cookie(token) == "" { // they were shown
			t.Error("the cookie is gone without Done")
		}
		if again := b.get("/2fa/codes").codes(); again[0] != codes[0] {
			t.Error("the codes are others")
		}
	}
	b := h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin")
	first(still(b).submit("/2fa/setup", "code", h.code(b.scan())), "/2fa/setup/begin", "setup")
	b = h.browser().login("bob").get("/2fa/address").submit("/2fa/address", "to", "+49 1")
	first(still(b).submit("/2fa/address/code", "code", mail.code), "/2fa/address", "address")
}
