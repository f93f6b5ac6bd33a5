package web_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

// guess is somebody elsewhere who knows the password, and types as many wrong codes.
func (h *host) guess(app *enrollmenttest.App, times int) {
	h.t.Helper()
	b := h.browser().login("alice")
	for range times {
		b.submit("/2fa/sign-in", "code", app.WrongCode(h.kit.Clock.Now())).sees("That code is wrong.")
	}
}

// The owner is told of wrong codes that were typed elsewhere, and not of typing errors that
// this browser has told of.
func TestWrongCodesElsewhere(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, codes := h.member("alice")
	const two, other = "Wrong codes: 2. The last was on 2 January 2026", "change your password"

	b := h.browser().login("alice").submit("/2fa/sign-in", "code", codes[0]).login("alice")
	for _, code := range []string{codes[0], app.WrongCode(h.kit.Clock.Now()), app.Code(h.kit.Clock.Now()), "12345"} {
		b.submit("/2fa/sign-in", "code", code).at("/2fa/sign-in", `role="alert"`)
	}
	b.login("alice").submit("/2fa/sign-in", "code", h.code(app), "return", "/news").at("/news", `home of "alice"`)
	if in := h.started[len(h.started)-1].Success; in.WrongCodes != 2 || !in.Receipt.IsZero() || in.CodesLeft != 9 {
		t.Errorf("the application gets %+v", in)
	}

	h.guess(app, 1)
	b.login("alice").submit("/2fa/sign-in", "code", app.WrongCode(h.kit.Clock.Now()))
	b.submit("/2fa/sign-in", "code", h.code(app), "return", "/news").at("/2fa/wrong-codes?return=%2Fnews", two, other)
	b.clone().get(b.path).at("/news")
	b.follow("/news").at("/news")
}

// What was typed in this browser excuses no wrong code elsewhere: not after the owner has
// signed in at another browser, nor after it has signed in here without a wrong code.
func TestWrongCodesAfterSuccessElsewhere(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, codes := h.member("alice")
	typo := func() *browser {
		return h.browser().login("alice").submit("/2fa/sign-in", "code", app.WrongCode(h.kit.Clock.Now()))
	}
	a := typo()
	h.browser().login("alice").submit("/2fa/sign-in", "code", codes[0]).at("/2fa/wrong-codes?return=%2F", "Wrong codes: 1.")
	h.kit.Clock.Advance(time.Second)
	h.guess(app, 1)
	a.login("alice").submit("/2fa/sign-in", "code", codes[1]).at("/2fa/wrong-codes?return=%2F", "Wrong codes: 1.")

	b := typo()
	h.browser().login("alice").submit("/2fa/sign-in", "code", codes[2]).at("/2fa/wrong-codes?return=%2F", "Wrong codes: 1.")
	b.login("alice").submit("/2fa/sign-in", "code", codes[3]).at("/", `home of "alice"`)
	if cookie := b.cookie("wrong"); cookie != "" {
		t.Errorf("the cookie %q stays", cookie)
	}
}

// What was typed here excuses others for ten minutes from the first of it on, however often
// more is typed.
func TestWrongCodesAreForgotten(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, codes := h.member("alice")
	b := h.browser()
	for range 3 { // in twelve minutes, as two and one
		b.login("alice").submit("/2fa/sign-in", "code", app.WrongCode(h.kit.Clock.Now()))
		h.kit.Clock.Advance(6 * time.Minute)
	}
	b.login("alice").submit("/2fa/sign-in", "code", codes[0]).at("/2fa/wrong-codes?return=%2F", "Wrong codes: 3.")

	b.login("alice").submit("/2fa/sign-in", "code", app.WrongCode(h.kit.Clock.Now()))
	h.kit.Clock.Advance(10 * time.Minute) // the browser's clock goes its own way
	b.login("alice").submit("/2fa/sign-in", "code", codes[1]).at("/2fa/wrong-codes?return=%2F", "Wrong codes: 1.")
}

// A step without a challenge tells of no wrong code, and leaves the count to a sign-in.
func TestWrongCodesOutlastVerify(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b, app, codes := h.member("alice")
	b.get("/delete").submit("/2fa/step", "code", "0000-0000-0000-0000") // which takes a challenge
	b.get("/delete").submit("/2fa/step", "code", h.code(app)).at("/delete", "GET deleted")
	b.login("alice").submit("/2fa/sign-in", "code", codes[0]).at("/", `home of "alice"`)
	if in := h.started[len(h.started)-1].Success; in.WrongCodes != 1 {
		t.Errorf("the application is told of %d wrong codes", in.WrongCodes)
	}
}

// The clocks of two nodes differ: what was typed here is never later than what was told.
func TestWrongCodesBetweenNodes(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, codes := h.member("alice")
	b := h.browser().login("alice").submit("/2fa/sign-in", "code", app.WrongCode(h.kit.Clock.Now()))
	h.kit.Clock.Advance(-40 * time.Second)
	b.submit("/2fa/sign-in", "code", app.WrongCode(h.kit.Clock.Now()))
	b.submit("/2fa/sign-in", "code", codes[0]).at("/", `home of "alice"`)
}

// A code before something sensitive is such an answer as well.
func TestWrongCodesBeforeStep(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b, app, codes := h.member("alice")
	h.guess(app, 1)
	b.get("/delete").submit("/2fa/step", "code", codes[0]).at("/2fa/wrong-codes?return=%2Fdelete", "Wrong codes: 1.")
	b.follow("/delete").at("/delete", "GET deleted")
	b.get("/2fa/wrong-codes").at("/", `home of "alice"`)
}

// Where a new recovery code is shown first, its page tells of them.
func TestWrongCodesBeforeNewCode(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t, func(c *enrollment.Config) { c.ReplenishCodes = true }))
	_, app, codes := h.member("alice")
	h.guess(app, 2)
	b := h.browser().login("alice").submit("/2fa/sign-in", "code", codes[0])
	b.sees("Save your new recovery code", "Wrong codes: 2.")
	b.submit("/2fa/codes").at("/", `home of "alice"`)
}
