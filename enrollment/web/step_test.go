package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

// Something sensitive asks for a code, once within its time, and each purpose for one
// of its own.
func TestRequireRecent(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b, app, codes := h.member("alice")
	b.get("/delete?what=all").at("/2fa/step?for=delete&return=%2Fdelete%3Fwhat%3Dall", "what you are about to do")
	b.submit("/2fa/step", "code", app.WrongCode(h.kit.Clock.Now())).sees("That code is wrong.")
	b.submit("/2fa/step", "code", h.code(app)).at("/delete?what=all", "GET deleted")
	b.post("/delete").at("/delete", "POST deleted")
	h.kit.Clock.Advance(5*time.Minute + time.Second)

	// What is not a GET leads back to the page with the form.
	r := b.request(http.MethodPost, "/delete", strings.NewReader("x=y"))
	r.Header.Set("Referer", h.server.URL+"/form?a=b")
	b.load(r).at("/2fa/step?for=delete&return=%2Fform%3Fa%3Db")
	r = b.request(http.MethodPost, "/delete", strings.NewReader("x=y"))
	r.Header.Set("Referer", "https://evil.example/form")
	b.load(r).at("/2fa/step?for=delete&return=%2F")
	b.submit("/2fa/step", "code", codes[0]).at("/", `home of "alice"`)
	b.get("/delete").at("/delete", "GET deleted")
	if got := h.started[len(h.started)-1]; !got.Renewed {
		t.Errorf("a recovery code changes the stamp, and the session was not renewed: %+v", got)
	}

	// A receipt of one purpose is none for another, and none in another session.
	b.get("/2fa/disable").at("/2fa/step?for=settings&return=%2F2fa%2Fdisable")
	receipt := b.cookie("receipt-" + purposeHash)
	if receipt == "" {
		t.Fatal("no receipt")
	}
	for _, c := range []string{"receipt-cde0fb0dec1400c5", "receipt"} {
		b.setCookie("__Host-twofactor-"+c, receipt)
	}
	b.get("/2fa/disable").at("/2fa/step?for=settings&return=%2F2fa%2Fdisable")
	b.login("alice").submit("/2fa/sign-in", "code", h.code(app))
	b.get("/delete").at("/2fa/step?for=delete&return=%2Fdelete")

	b.get("/2fa/step?for=other")
	if b.status != http.StatusNotFound {
		t.Errorf("an unknown purpose: status %d", b.status)
	}
	h.browser().get("/delete").at("/login?return=%2Fdelete")
	h.browser().login("bob").get("/delete").at("/2fa/setup/begin?return=%2Fdelete")
}

// purposeHash is the first bytes of SHA-256 of "delete".
const purposeHash = "6197595503f01ee2"

// What can't be is a mistake of the programmer.
func TestRequireRecentPanics(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	for purpose, within := range map[enrollment.Purpose]time.Duration{
		"": time.Minute, "settings": time.Minute, "sign_in": time.Minute, "setup": time.Minute, "a\n": time.Minute,
		"zero": 0, "long": 25 * time.Hour, enrollment.Purpose(strings.Repeat("x", 65)): time.Minute,
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q within %v is allowed", purpose, within)
				}
			}()
			h.pages.RequireRecent(purpose, within)
		}()
	}
}

// The codes that are kept are shown for a code of the app alone: a recovery code is not
// used up for nothing.
func TestKeptCodes(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t, func(c *enrollment.Config) { c.KeepCodes = true }))
	b, app, codes := h.member("alice")
	b.get("/2fa/").follow("/2fa/codes/kept").at("/2fa/step?for=settings&return=%2F2fa%2Fcodes%2Fkept&with=app", "Code of your authenticator app")
	b.submit("/2fa/step", "code", codes[0]).sees("A recovery code can’t be used here.")
	b.submit("/2fa/step", "code", h.code(app)).at("/2fa/codes/kept")
	if got := b.codes(); got[0] != codes[0] {
		t.Errorf("%q", got)
	}
}
