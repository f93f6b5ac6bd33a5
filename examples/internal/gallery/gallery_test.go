package gallery

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Each page of which there is a template is shown, and has no barrier.
func TestPages(t *testing.T) {
	scenes := map[string]func(*testing.T){
		"sign-in": signIn, "setup": setUp, "security": security, "step": step, "changes": changes,
		"address": address, "kept codes": keptCodes, "replaced codes": replacedCodes, "unusual": unusual, "hardware": hardware,
	}
	ran := 0
	t.Run("scenes", func(t *testing.T) {
		for name, scene := range scenes {
			t.Run(name, func(t *testing.T) {
				ran++
				t.Parallel()
				scene(t)
			})
		}
	})
	if t.Failed() || testing.Short() || ran < len(scenes) {
		return
	}
	templates, err := filepath.Glob("../../../enrollment/web/templates/*.html")
	if err != nil || len(templates) == 0 {
		t.Fatalf("there are no templates: %v", err)
	}
	for _, file := range templates {
		name := strings.TrimSuffix(filepath.Base(file), ".html")
		if _, ok := seen.Load(name); !ok && name != "layout" && name != "parts" {
			t.Errorf("the page %s was not shown", name)
		}
	}
}

func signIn(t *testing.T) {
	h := open(t)
	u := h.Enroll("anna@example.com")
	h.Get("/2fa/sign-in")
	h.show("sign-in-over", "a[href='/login']")
	h.Get("/login/" + u.ID)
	h.show("sign-in", "#account bdi", "#code[data-submit]", "[name=trust]", "details")
	h.send("/2fa/sign-in", "code", u.WrongCode())
	h.show("sign-in-wrong", "#code[aria-invalid]", "[role=alert]")
	h.bind(u)
	h.Get("/login/" + u.ID)
	h.show("sign-in-ways", "form[action='/2fa/sign-in/text']")
	h.send("/2fa/sign-in/text")
	h.show("sign-in-message", "[role=status]", "[name=with][value=text]")
	h.Get("/2fa/sign-in")
	h.send("/2fa/sign-in/reset")
	h.show("sign-in-reset", "[role=status]")
	for range 5 {
		h.send("/2fa/sign-in", "code", u.WrongCode())
	}
	h.show("sign-in-locked", "[data-wait]", "a[href*='with=three']")
	h.Clock.Advance(time.Minute - time.Second)
	h.send("/2fa/sign-in", "code", u.WrongCode())
	h.Sees(web.Texts(*language)["wait.over"]) // by the clock of the browser, after a second
	h.Get("/2fa/sign-in?with=three")
	h.show("sign-in-three", "#code-3")
	h.Get("/as/" + u.ID)
	h.Get("/2fa/")
	h.show("security-warned", "form[action='/2fa/reset/cancel']", ".box.warn")

	u = h.Enroll("arno@example.com")
	d, err := h.Guard.SignIn(t.Context(), u.ID, enrollment.SignInOptions{}) // by somebody else
	h.must(err)
	if _, err := h.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, u.WrongCode()); err == nil {
		t.Fatal("a wrong code is right")
	}
	h.Get("/login/" + u.ID)
	h.send("/2fa/sign-in", "code", h.next(u.App))
	h.show("wrong-codes", ".box.warn[role=status]", "a[href='/']")
}

func setUp(t *testing.T) {
	h := open(t, func(c *enrollment.Config) { c.RecoveryScheme = recovery.Argon2id })
	h.Get("/as/ben@example.com")
	h.Get("/2fa/")
	h.show("security-off", "a[href='/2fa/setup/begin']")
	h.Get("/2fa/setup/begin")
	h.show("begin", "form[action='/2fa/setup/begin']")
	h.send("/2fa/setup/begin")
	h.show("setup", "img.qr", "#code[data-submit]")
	app, err := enrollmenttest.Scan(h.Scan("img.qr"))
	h.must(err)
	h.send("/2fa/setup", "code", app.WrongCode(h.Clock.Now()))
	h.show("setup-wrong", "[role=alert]")
	h.send("/2fa/setup", "code", h.next(app))
	h.show("codes", ".recovery-codes", "[type=checkbox]")
	if !h.Prints(".recovery-codes ol") || h.Prints("button") || h.Prints("[type=checkbox]") {
		t.Error("the printed sheet has something else than the codes")
	}
	h.Click("[type=checkbox]")
	h.send("/2fa/codes")
	h.show("security-new", "[role=status]")

	ticket, err := h.Guard.Admin("support", "lost phone").Reset(t.Context(), "ben@example.com", enrollment.ResetOptions{Ticket: true})
	h.must(err)
	h.Get("/2fa/setup/begin")
	h.show("begin-ticket", "#ticket")
	h.send("/2fa/setup/begin", "ticket", ticket.Reveal()[:4])
	h.show("begin-ticket-wrong", "#ticket", "[role=alert]")
}

func security(t *testing.T) {
	h := open(t)
	u := h.Enroll("carla@example.com")
	h.bind(u)
	h.must(h.Guard.Rename(t.Context(), u.ID, h.first(u), "Telefon, das sehr lange schon hier ist"))
	h.second(u, "Password manager")
	h.trust(u, "Firefox (Linux)")
	h.trust(u, "Safari (iPhone)")
	h.Get("/as/" + u.ID)
	h.Get("/2fa/")
	h.show("security", "form[action='/2fa/devices/revoke']", "a[href='/2fa/disable']", ".history")
	// The script shows times in a layout without a language, too.
	h.Evaluate(`document.documentElement.removeAttribute("lang");
		for (const time of document.querySelectorAll("time")) time.textContent = "";
		document.body.append(Object.assign(document.createElement("script"), { src: "/2fa/script.js" }))`)
	h.Sees("2026")
	h.Get("/2fa/nothing")
	h.show("refused", "a.button")
}

func step(t *testing.T) {
	h := open(t)
	u := h.Enroll("dora@example.com")
	h.bind(u)
	h.Get("/as/" + u.ID)
	h.Get("/2fa/disable")
	h.show("step-settings", "#code")
	h.send("/2fa/step", "code", u.WrongCode())
	h.show("step-wrong", "#code[aria-invalid]")
	h.Get("/danger")
	h.show("step", "#account bdi", "#code", "form[action='/2fa/step/text']")
	h.send("/2fa/step/text")
	h.show("step-message", "[name=with][value=text]")
}

func changes(t *testing.T) {
	h := open(t)
	u := h.Enroll("emil@example.com")
	h.bind(u)
	first := h.first(u)
	h.second(u, "Work phone")
	h.Get("/as/" + u.ID)
	h.prove(u)
	for _, page := range []struct{ name, path, has string }{
		{"remove", "/2fa/remove?id=" + first, "button.danger"},
		{"disable", "/2fa/disable", "button.danger"},
		{"unbind", "/2fa/address/remove", "button.danger"},
		{"renew", "/2fa/codes/new", "form[action='/2fa/codes/new']"},
		{"begin-another", "/2fa/setup/begin", "#name"},
		{"begin-replace", "/2fa/setup/begin?replace=" + first, "[name=replace]"},
	} {
		h.Get(page.path)
		h.show(page.name, page.has)
	}
}

func address(t *testing.T) {
	h := open(t)
	u := h.Enroll("fritz@example.com")
	h.Get("/as/" + u.ID)
	h.prove(u)
	h.Get("/2fa/address")
	h.show("address", "#to")
	h.send("/2fa/address", "to", "+49 171 5551234")
	h.show("address-code", "#code")
	h.send("/2fa/address/code", "code", "1")
	h.show("address-code-wrong", "[role=alert]")
}

func hardware(t *testing.T) {
	h := open(t)
	u := h.Enroll("karl@example.com")
	key, _, err := totp.ParseURI("otpauth://totp/Vendor:26-0417?issuer=Vendor&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
	h.must(err)
	token, err := enrollmenttest.Scan("otpauth://totp/Vendor:26-0417?issuer=Vendor&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
	h.must(err)
	setup, err := h.Guard.Begin(t.Context(), u.ID, enrollment.BeginOptions{Name: "Token 26-0417", HardwareToken: key, Proof: enrollment.ByCode(h.next(u.App))})
	h.must(err)
	_, err = h.Guard.Confirm(t.Context(), u.ID, setup.Token, token.Code(h.Clock.Now()))
	h.must(err)
	h.Get("/as/" + u.ID)
	h.prove(u)
	h.Get("/2fa/")
	h.show("security-token", "a[href*='/2fa/resynchronize']")
	h.Next(func() { h.Click("a[href*='/2fa/resynchronize']") })
	h.show("resynchronize", "#code-3", "form[action='/2fa/resynchronize']")
}

func keptCodes(t *testing.T) {
	h := open(t, func(c *enrollment.Config) { c.KeepCodes, c.CodesAtSetup = true, true })
	h.Get("/as/gerda@example.com")
	h.Get("/2fa/setup/begin")
	h.send("/2fa/setup/begin")
	h.show("setup-codes", ".recovery-codes", "img.qr")
	if !h.Prints(".recovery-codes ol") || h.Prints("img.qr") || h.Prints("button") || h.Prints("details") || h.Prints(".hint") {
		t.Error("the printed sheet has something else than the codes, such as the secret")
	}
	u := h.Enroll("hans@example.com")
	h.Get("/as/" + u.ID)
	h.prove(u)
	h.Get("/2fa/codes/kept")
	h.show("kept", ".recovery-codes")
}

func replacedCodes(t *testing.T) {
	h := open(t, func(c *enrollment.Config) { c.ReplenishCodes = true })
	u := h.Enroll("ida@example.com")
	h.Get("/login/" + u.ID)
	h.send("/2fa/sign-in", "code", u.RecoveryCodes[0])
	h.show("new-code", ".recovery-codes")
}

func unusual(t *testing.T) {
	h := open(t, func(c *enrollment.Config) {
		c.Params = totp.Params{Algorithm: totp.SHA256, Digits: 8, Period: time.Minute}
	})
	h.Get("/as/josef@example.com")
	h.Get("/2fa/setup/begin")
	h.send("/2fa/setup/begin")
	h.show("setup-unusual", "#code[data-submit='8']")
}

// first returns the id of the user's first app.
func (h *host) first(u *enrollmenttest.User) string {
	h.t.Helper()
	status, err := h.Guard.Status(h.t.Context(), u.ID)
	h.must(err)
	return status.Authenticators[0].ID
}

// second gives the user another app.
func (h *host) second(u *enrollmenttest.User, name string) {
	h.t.Helper()
	setup, err := h.Guard.Begin(h.t.Context(), u.ID, enrollment.BeginOptions{Account: u.ID, Name: name, Proof: enrollment.ByCode(h.next(u.App))})
	h.must(err)
	app, err := enrollmenttest.Scan(setup.URI())
	h.must(err)
	_, err = h.Guard.Confirm(h.t.Context(), u.ID, setup.Token, app.Code(h.Clock.Now()))
	h.must(err)
}

// prove gives the code that changes of settings take.
func (h *host) prove(u *enrollmenttest.User) {
	h.t.Helper()
	h.Get("/2fa/step?for=settings")
	h.send("/2fa/step", "code", h.next(u.App))
}
