package web_test

import (
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

var digitsRE = regexp.MustCompile(`data-(?:submit|next)="[^"]*"`)

// sends checks after how many digits the script goes on, field by field.
func (b *browser) sends(want ...string) *browser {
	b.t.Helper()
	if got := digitsRE.FindAllString(b.body, -1); !slices.Equal(got, want) {
		b.t.Errorf("%s has %q, want %q:\n%s", b.path, got, want, b.body)
	}
	return b
}

// eight is a host whose apps show eight digits.
func eight(t *testing.T) (*host, *inbox) {
	t.Helper()
	mail := &inbox{}
	kit := enrollmenttest.New(t, func(c *enrollment.Config) {
		c.Params.Digits, c.Sender, c.AddressAlone = 8, mail, true
	})
	return newHost(t, kit, func(c *web.Config) {
		c.Address = func(_ *http.Request, typed string) (string, string, error) { return "sms", typed, nil }
	}), mail
}

// Where apps show eight digits, no page says six, or sends a code after the sixth.
func TestEightDigits(t *testing.T) {
	t.Parallel()
	h, _ := eight(t)
	b := h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin").sees("8 digits").sends(`data-submit="8"`)
	app := b.scan()
	b.submit("/2fa/setup", "code", h.code(app)).submit("/2fa/codes")
	b.get("/delete").sees("The 8 digits that your authenticator app shows, or").sends(`data-submit="8"`)
	b.get("/2fa/step?for=settings&with=app").sees("The 8 digits that the app shows now.", `inputmode="numeric"`).sends(`data-submit="8"`)

	b = h.browser().login("alice").sees("The 8 digits that your authenticator app shows, or").lacks(`inputmode="numeric"`).sends(`data-submit="8"`)
	wrong := app.WrongCode(h.kit.Clock.Now())
	b.submit("/2fa/sign-in", "code", wrong[:6]).sees("That is not a code.").sends()
	for range 5 {
		b.submit("/2fa/sign-in", "code", wrong).sends()
	}
	b.get("/2fa/sign-in").sends(`data-submit="8"`)
	b.follow("/2fa/sign-in?with=three").sends(`data-next="8"`, `data-next="8"`, `data-submit="8"`)
	r := b.request(http.MethodGet, "/2fa/sign-in", nil)
	r.Header.Set("Accept-Language", "de")
	b.load(r).sees("Die 8 Ziffern, die")

	if d := h.client().call(200, "POST", "/login?user=alice", nil); d["digits"] != 8.0 {
		t.Errorf("a program is told %v", d)
	}
}

// Codes in messages have six digits all the same. A page that takes recovery codes alone
// sends none by itself.
func TestEightDigitsAndMessages(t *testing.T) {
	t.Parallel()
	h, mail := eight(t)
	_, app, _ := h.member("alice")
	bind(t, h, mail, app)
	b := h.browser().login("alice").sends(`data-submit="8"`).submit("/2fa/sign-in/text").sends(`data-submit="6"`).sees(`inputmode="numeric"`)
	if len(mail.code) != 6 {
		t.Errorf("the code is %q", mail.code)
	}
	b.follow("/2fa/sign-in").sends(`data-submit="8"`)
	b.follow("/2fa/sign-in?with=text").submit("/2fa/sign-in", "code", mail.code).at("/")
	h.kit.Clock.Advance(2 * time.Minute)
	b.get("/delete").sends(`data-submit="8"`).submit("/2fa/step/text").sends(`data-submit="6"`)

	b = h.browser().login("bob").get("/2fa/address").submit("/2fa/address", "to", "+49 7").at("/2fa/address/code").sends(`data-submit="6"`)
	b.submit("/2fa/address/code", "code", mail.code).submit("/2fa/codes")
	h.kit.Clock.Advance(2 * time.Minute)
	b.get("/delete").sends()
	if d := h.client().call(200, "POST", "/login?user=bob", nil); d["digits"] != nil {
		t.Errorf("a program is told %v", d)
	}
	h.browser().login("bob").sends().submit("/2fa/sign-in/text").sends(`data-submit="6"`)
}

// A hardware token of a user shows more digits than the app: no page takes one of them
// for the last.
func TestMixedDigits(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, _ := h.member("alice")
	h.browser().login("alice").sees("The 6 digits").sends(`data-submit="6"`)
	_, id := h.withTokenOf(app, "&digits=8")
	one := h.browser().login("alice").sees("The digits that your authenticator app shows, or").sends()
	wrong := app.WrongCode(h.kit.Clock.Now())
	for range 6 {
		one.submit("/2fa/sign-in", "code", wrong)
	}
	one.follow("/2fa/sign-in?with=three").sends()
	if d := h.client().call(200, "POST", "/login?user=alice", nil); d["digits"] != nil {
		t.Errorf("a program is told %v", d)
	}
	h.kit.Clock.Advance(time.Hour)
	b := h.browser().login("alice").submit("/2fa/sign-in", "code", h.code(app)).at("/2fa/wrong-codes?return=%2F")
	b.get("/2fa/step?for=settings&with=app").sees("The digits that the app shows now.").sends()
	b.get("/2fa/step?for=settings").sees("The digits that your authenticator app shows, or").sends()

	// Three codes of the token alone are another matter. The button sends them.
	b.get("/2fa/resynchronize?id="+id).submit("/2fa/step", "code", h.code(app)).sends(`data-next="8"`, `data-next="8"`)
}

// What no code has is no number of digits, whatever a browser sends.
func TestForgedDigits(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	h.member("alice")
	for _, digits := range []string{"0", "5", "9", "-8", "99999999999999999999", "8x", "", `8"x`} {
		b := h.browser().login("alice")
		b.setCookie("__Host-twofactor-challenge", "x~totp.recovery~~"+digits)
		b.get("/2fa/sign-in").sees("The digits that your authenticator app shows, or").sends()
	}
}
