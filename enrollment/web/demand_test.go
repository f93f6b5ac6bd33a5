package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// mandatory is a host whose users must have a second factor.
func mandatory(t *testing.T, kit *enrollmenttest.Kit, changes ...func(*web.Config)) *host {
	t.Helper()
	h := newHost(t, kit, changes...)
	h.login.Require = true
	return h
}

const beginDemanded = "/2fa/setup/begin?return=%2Fnews"

// demanded enters the password, and is led to the setup.
func (b *browser) demanded(user string) *browser {
	b.t.Helper()
	return b.post("/login?return=/news", "user", user, "return", "/news").at(beginDemanded)
}

// outside checks that nobody is signed in.
func (b *browser) outside() {
	b.t.Helper()
	b.clone().get("/").at("/", `home of ""`)
}

// A sign-in leads to the setup and from its first code to where the user wanted to go.
func TestDemandedSetup(t *testing.T) {
	t.Parallel()
	h := mandatory(t, enrollmenttest.New(t))
	b := h.browser().demanded("alice").sees(`class="box warn" role="status">Your account requires two-factor authentication.`)
	b.outside()
	b.submit("/2fa/setup/begin").at("/2fa/setup?return=%2Fnews").outside()
	app := b.scan()
	b.get("/2fa/setup?return=/news").at("/2fa/setup?return=/news") // a reload
	b.submit("/2fa/setup", "code", app.WrongCode(h.kit.Clock.Now())).sees("That code is wrong.").outside()
	form := b.form("/2fa/setup", "code", h.code(app))
	for range 3 {
		b.clone().post("/2fa/setup", form...) // a browser that has seen no answer
	}
	b.post("/2fa/setup", form...).at("/2fa/codes?return=%2Fnews")
	if codes := b.codes(); b.clone().get("/2fa/codes").codes()[9] != codes[9] {
		t.Error("a reload shows other codes")
	}
	if in := h.started[0]; len(h.started) != 1 || in.UserID != "alice" || in.Renewed || in.Factor != enrollment.FactorTOTP || in.At.IsZero() {
		t.Errorf("started were %+v", h.started)
	}

	b = h.browser().demanded("bob").submit("/2fa/setup/begin")
	b.submit("/2fa/setup", "code", h.code(b.scan())).at("/2fa/codes?return=%2Fnews")
	if b.cookie("enroll") != "" {
		t.Error("the token is still there")
	}
	b.submit("/2fa/codes").at("/news", `home of "bob"`)
}

// The token opens the pages of a setup, and no other.
func TestDemandedSetupIsNoSession(t *testing.T) {
	t.Parallel()
	h := mandatory(t, enrollmenttest.New(t))
	b := h.browser().demanded("alice")
	for _, path := range []string{"/2fa/", "/2fa/step?for=delete", "/2fa/codes/new", "/2fa/codes/kept", "/2fa/remove", "/2fa/disable", "/2fa/address/remove", "/2fa/devices", "/delete"} {
		if got := b.clone().get(path); !strings.HasPrefix(got.path, "/login") {
			t.Errorf("GET %s is answered at %s", path, got.path)
		}
	}
	for _, path := range []string{"/2fa/step", "/2fa/step/text", "/2fa/codes/new", "/2fa/rename", "/2fa/remove", "/2fa/disable", "/2fa/address/remove", "/2fa/devices/rename", "/2fa/devices/revoke", "/2fa/reset/cancel"} {
		if got := b.clone().post(path); !strings.HasPrefix(got.path, "/login") {
			t.Errorf("POST %s is answered at %s", path, got.path)
		}
	}
}

// It wins over the session of another user, and its setup ends that session.
func TestDemandedSetupBesideASession(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b := h.browser().login("bob").at("/", `home of "bob"`)
	h.login.Require = true
	b.demanded("alice").submit("/2fa/setup/begin")
	b.submit("/2fa/setup", "code", h.code(b.scan()))
	b.get("/").sees(`home of "alice"`)
	if status, err := h.kit.Guard.Status(t.Context(), "bob"); err != nil || status.Enabled() {
		t.Errorf("bob has a second factor: %v", err)
	}
}

// Who takes too long, or has done it elsewhere, signs in again.
func TestDemandedSetupEnds(t *testing.T) {
	t.Parallel()
	h := mandatory(t, enrollmenttest.New(t))
	const again = "/2fa/sign-in?return=%2Fnews"
	late := h.browser().demanded("alice")
	h.kit.Clock.Advance(enrollment.EnrollTTL + time.Second)
	late.submit("/2fa/setup/begin").at(again, "Please sign in again.")
	if late.cookie("enroll") != "" {
		t.Error("the token is still there")
	}
	late.follow("/login?return=%2fnews")

	slow := h.browser().demanded("alice").submit("/2fa/setup/begin")
	app := slow.scan()
	form := slow.form("/2fa/setup", "code", app.Code(h.kit.Clock.Now()))
	h.kit.Clock.Advance(enrollment.EnrollConfirmTTL + time.Second)
	if slow.post("/2fa/setup", form...); !strings.HasPrefix(slow.path, "/login") {
		t.Errorf("at %s", slow.path)
	}

	first, second := h.browser().demanded("carol"), h.browser().demanded("carol") // who has no account
	second.submit("/2fa/setup/begin").at("/2fa/setup?return=%2Fnews")
	first.submit("/2fa/setup/begin").at(again, "Please sign in again.")
	first.demanded("carol")
	second.submit("/2fa/setup", "code", h.code(second.scan())).at("/2fa/codes?return=%2Fnews")
	first.get("/2fa/setup/begin?return=/news").at(again, "Please sign in again.")

	b := h.browser().demanded("dora").submit("/2fa/setup/begin").submit("/2fa/setup/cancel")
	if b.path != "/login?return=%2Fnews" || b.cookie("enroll") != "" || b.cookie("setup") != "" {
		t.Errorf("cancelled at %s", b.path)
	}
}

// A setup that was begun in another way signs nobody in, although a sign-in demands it.
func TestDemandedSetupOfAnother(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b := h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin")
	app := b.scan()
	b.setCookie("session", "none")
	h.login.Require = true
	b.demanded("alice").get("/2fa/setup?return=/news")
	b.submit("/2fa/setup", "code", h.code(app)).at("/2fa/codes?return=%2Flogin%3Freturn%3D%252Fnews")
	b.outside()
	b.submit("/2fa/codes").at("/login?return=%2Fnews")
	if len(h.started) != 1 {
		t.Errorf("started were %+v", h.started)
	}
}

// A ticket is asked for, and an address can be all that there is.
func TestDemandedSetupWithTicketOrAddress(t *testing.T) {
	t.Parallel()
	mail := new(inbox)
	kit := enrollmenttest.New(t, func(c *enrollment.Config) { c.Sender, c.AddressAlone = mail, true })
	h := mandatory(t, kit, func(c *web.Config) {
		c.Address = func(_ *http.Request, typed string) (string, string, error) { return "sms", typed, nil }
	})
	ticket, err := kit.Guard.Admin("root", "new here").Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	if err != nil {
		t.Fatal(err)
	}
	b := h.browser().demanded("alice").sees(`name="ticket"`)
	b.submit("/2fa/setup/begin", "ticket", "AAAA-AAAA-AAAA-AAAA").at(beginDemanded, `name="ticket"`)
	b.submit("/2fa/setup/begin", "ticket", ticket.Reveal()).at("/2fa/setup?return=%2Fnews")
	b.submit("/2fa/setup", "code", h.code(b.scan())).get("/").sees(`home of "alice"`)

	b = h.browser().demanded("bob").follow("/2fa/address?return=%2fnews")
	b.submit("/2fa/address", "to", "+491234567842").sees("We have sent you a code.").outside()
	b.clone().get("/2fa/address?return=/news").at("/2fa/address/code?return=%2Fnews", "You can ask for another one in 1 minute.")
	b.submit("/2fa/address/code", "code", map[bool]string{true: "111111", false: "222222"}[mail.code != "111111"])
	b.at("/2fa/address/code?return=%2Fnews", `role="alert"`).submit("/2fa/address/code", "code", mail.code)
	b.at("/2fa/codes?return=%2Fnews").submit("/2fa/codes").at("/news", `home of "bob"`)
	if in := h.started[len(h.started)-1]; in.Factor != enrollment.FactorDelivered || in.Renewed {
		t.Errorf("%+v", in)
	}
}

// A client without cookies sends the token in the body.
func TestDemandedSetupJSON(t *testing.T) {
	t.Parallel()
	h := mandatory(t, enrollmenttest.New(t))
	c := h.client()
	d := c.call(200, "POST", "/login?user=alice", nil)
	token, _ := d["enroll_token"].(string)
	if d["next"] != "must_enroll" || token == "" || d["expires"] == nil || c.session != "" {
		t.Fatalf("%v", d)
	}
	c.call(401, "POST", "/2fa/setup/begin", nil)
	if got := c.call(401, "POST", "/2fa/setup/begin", map[string]any{"enroll_token": token + "x"}); got["reason"] != "enroll_token_invalid" {
		t.Errorf("%v", got)
	}
	c.call(401, "POST", "/2fa/rename", map[string]any{"enroll_token": token})
	setup := c.call(200, "POST", "/2fa/setup/begin", map[string]any{"enroll_token": token})
	app, err := enrollmenttest.Scan(setup["uri"].(string))
	if err != nil {
		t.Fatal(err)
	}
	confirm := map[string]any{"token": setup["token"], "code": h.code(app)}
	c.call(401, "POST", "/2fa/setup", confirm)
	confirm["enroll_token"] = token
	done := c.call(200, "POST", "/2fa/setup", confirm)
	if done["success"].(map[string]any)["purpose"] != "sign_in" || len(done["codes"].([]any)) != 10 || c.session == "" {
		t.Errorf("%v", done)
	}
	if got := c.call(401, "POST", "/2fa/setup/begin", map[string]any{"enroll_token": token}); got["reason"] != "enroll_token_invalid" {
		t.Errorf("%v", got)
	}
	if cookies := c.header.Values("Set-Cookie"); len(cookies) > 0 {
		t.Errorf("cookies: %q", cookies)
	}
}

// Later requests could not name a browser that the application has named.
func TestDemandedSetupNamesNoBrowser(t *testing.T) {
	t.Parallel()
	h := mandatory(t, enrollmenttest.New(t))
	h.login.Browser = "firefox"
	if b := h.browser().login("alice"); b.status != http.StatusInternalServerError || h.failure == nil || !strings.Contains(h.failure.Error(), "Browser") {
		t.Errorf("%d, %v", b.status, h.failure)
	}
}

// shortSecret moves a user in whose secret has 80 bits and is not good for signing in.
func (h *host) shortSecret(user string) totp.Key {
	h.t.Helper()
	if fips.Enforced() {
		h.t.Skip("the app is for SHA-1")
	}
	secret, err := totp.ShortSecrets{}.NewSecret([]byte("0123456789"))
	if err != nil {
		h.t.Fatal(err)
	}
	key, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		h.t.Fatal(err)
	}
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key}}}
	if err := h.kit.Guard.Admin("root", "moving").Import(h.t.Context(), user, im); err != nil {
		h.t.Fatal(err)
	}
	h.kit.Clock.Advance(time.Hour)
	return key
}

// old returns what an app with that key shows.
func (h *host) old(key totp.Key) string {
	h.t.Helper()
	code, err := key.Code(h.kit.Clock.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	return code
}

// shortSecrets have been good until a minute after the kit begins.
func shortSecrets(t *testing.T) *enrollmenttest.Kit {
	t.Helper()
	return enrollmenttest.New(t, func(c *enrollment.Config) { c.ShortSecretsUntil = c.Now().Add(time.Minute) })
}

// A right code for a secret that has to be replaced leads to the setup of another one,
// whose first code signs in.
func TestReplacement(t *testing.T) {
	t.Parallel()
	h := newHost(t, shortSecrets(t))
	old := h.shortSecret("alice")
	b := h.browser().post("/login?return=/news", "user", "alice", "return", "/news").at("/2fa/sign-in?return=%2Fnews")
	b.submit("/2fa/sign-in", "code", h.old(old)).at(beginDemanded, "the key of your authenticator app is too short")
	b.outside()
	b.submit("/2fa/setup/begin", "name", "new phone").at("/2fa/setup?return=%2Fnews").outside()
	b.submit("/2fa/setup", "code", h.code(b.scan())).at("/2fa/codes?return=%2Fnews")
	b.submit("/2fa/codes").at("/news", `home of "alice"`)
	status, err := h.kit.Guard.Status(t.Context(), "alice")
	if err != nil || len(status.Authenticators) != 1 || status.Authenticators[0].Name != "new phone" || status.Authenticators[0].Short {
		t.Errorf("%+v, %v", status.Authenticators, err)
	}
	if in := h.started[0]; len(h.started) != 1 || in.Renewed || in.Factor != enrollment.FactorTOTP {
		t.Errorf("started were %+v", h.started)
	}
}

// Who is led to the replacement can do nothing else, such as add an address.
func TestReplacementOnly(t *testing.T) {
	t.Parallel()
	mail := new(inbox)
	kit := enrollmenttest.New(t, func(c *enrollment.Config) {
		c.ShortSecretsUntil, c.Sender = c.Now().Add(time.Minute), mail
	})
	h := newHost(t, kit, func(c *web.Config) {
		c.Address = func(_ *http.Request, typed string) (string, string, error) { return "sms", typed, nil }
	})
	old := h.shortSecret("bob")
	b := h.browser().login("bob").submit("/2fa/sign-in", "code", h.old(old)).at("/2fa/setup/begin")
	b.clone().get("/2fa/address").at("/2fa/sign-in", "Please sign in again.")
	b.clone().post("/2fa/address", "to", "+491234567842").at("/2fa/sign-in", "Please sign in again.")
	b.clone().post("/2fa/setup/begin", "replace", "").at("/2fa/setup") // which it replaces is in the cookie
	if mail.code != "" {
		t.Error("a message was sent")
	}
}

// What ends at a certain time is shown: a short secret, and the permission of an administrator.
func TestEndsAreShown(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t, func(c *enrollment.Config) { c.ShortSecretsUntil = c.Now().Add(2 * time.Hour) })
	h := newHost(t, kit)
	admin := kit.Guard.Admin("root", "at the desk")
	if err := admin.Bypass(t.Context(), "bob", kit.Clock.Now().Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	h.browser().login("bob").get("/2fa/").at("/2fa/", "without a code until 2 January 2026, 05:04 UTC").lacks("too short")
	old := h.shortSecret("alice")
	b := h.browser().login("alice").submit("/2fa/sign-in", "code", h.old(old)).get("/2fa/")
	b.at("/2fa/", "Replace that app before 2 January 2026, 05:04 UTC", "key too short").lacks("without a code until")
	carol, _, _ := h.member("carol")
	carol.get("/2fa/").at("/2fa/").lacks("too short", "without a code until")
}

// After an import at the sign-in, the page says when the app shows a code that works.
func TestNextCode(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the app is for SHA-1")
	}
	h := newHost(t, enrollmenttest.New(t))
	secret, err := totp.NewSecret([]byte("0123456789abcdef0123"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		t.Fatal(err)
	}
	h.login.Import = &enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key}}}
	b := h.browser().login("alice").at("/2fa/sign-in", `class="box warn"`, "The codes that it shows now do not work. Wait 55 seconds,")
	h.kit.Clock.Advance(55 * time.Second)
	b.submit("/2fa/sign-in", "code", h.old(key)).at("/", `home of "alice"`)
	h.browser().login("alice").at("/2fa/sign-in").lacks("Wait ")
}

// A client without cookies gets what leads to the setup with the denial.
func TestReplacementJSON(t *testing.T) {
	t.Parallel()
	h := newHost(t, shortSecrets(t))
	old := h.shortSecret("alice")
	c := h.client()
	d := c.call(200, "POST", "/login?user=alice", nil)
	got := c.call(403, "POST", "/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": h.old(old)})
	if got["reason"] != "must_replace" || got["enroll_token"] == nil || got["replace"] == nil || c.session != "" {
		t.Fatalf("%v", got)
	}
	in := map[string]any{"enroll_token": got["enroll_token"], "replace": got["replace"]}
	setup := c.call(200, "POST", "/2fa/setup/begin", in)
	app, err := enrollmenttest.Scan(setup["uri"].(string))
	if err != nil {
		t.Fatal(err)
	}
	in["token"], in["code"] = setup["token"], h.code(app)
	if done := c.call(200, "POST", "/2fa/setup", in); done["event"] != "authenticator_replaced" || c.session == "" {
		t.Errorf("%v", done)
	}
}
