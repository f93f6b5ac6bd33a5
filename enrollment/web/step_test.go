package web_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
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
	b.get("/2fa/disable").submit("/2fa/step", "code", h.code(app)).at("/2fa/disable")
	b.login("alice").submit("/2fa/sign-in", "code", h.code(app))
	b.get("/2fa/disable").at("/2fa/step?for=settings&return=%2F2fa%2Fdisable")

	// Nobody is signed in, or that can't be found out: this package answers, with its headers.
	nobody := still(h.browser()).get("/delete")
	if nobody.status != http.StatusSeeOther || nobody.header.Get("Location") != "/login?return=%2Fdelete" || nobody.header.Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, %v", nobody.status, nobody.header)
	}
	h.kit.FailStore(errors.New("the database is down"))
	if b.get("/delete"); b.status != http.StatusInternalServerError || b.header.Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, %v", b.status, b.header)
	}
	h.kit.FailStore(nil)

	b.get("/2fa/step?for=other")
	if b.status != http.StatusNotFound {
		t.Errorf("an unknown purpose: status %d", b.status)
	}
	h.browser().get("/delete").at("/login?return=%2Fdelete")
	h.browser().login("bob").get("/delete").at("/2fa/setup/begin?return=%2Fdelete")
}

// No method gets by without a code. With one, each request arrives as it was sent, also a
// large one: how large it may be is for the application to say.
func TestRequireRecentMethods(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	got := ""
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		got = fmt.Sprint(r.Method, " ", len(body), " ", r.Header.Get("Content-Type"), " ", err)
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
	guarded := h.pages.RequireRecent("wipe", time.Minute)(next)
	h.wipe = guarded
	b, app, _ := h.member("alice")
	still(b)
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"}
	send := func(method, site string) *browser {
		r := b.request(method, "/wipe", strings.NewReader(strings.Repeat("x", 100000)))
		r.Header.Set("Content-Type", "text/x-anything")
		r.Header.Set("Sec-Fetch-Site", site)
		got = ""
		return b.load(r)
	}
	for _, method := range methods {
		if send(method, "same-origin"); got != "" || b.status != http.StatusSeeOther || !strings.HasPrefix(b.header.Get("Location"), "/2fa/step?for=wipe") {
			t.Errorf("%s without a code: status %d, %q, %s", method, b.status, b.header.Get("Location"), got)
		}
	}
	b.get("/2fa/step?for=wipe").submit("/2fa/step", "code", h.code(app))
	for _, method := range methods {
		want, status := method+" 100000 text/x-anything <nil>", http.StatusMethodNotAllowed
		if method == "POST" {
			status = http.StatusOK
		}
		if send(method, "same-origin"); got != want || b.status != status {
			t.Errorf("%s with a code: status %d, %s", method, b.status, got)
		}
		safe := method == "GET" || method == "HEAD" || method == "OPTIONS"
		if send(method, "cross-site"); safe != (got != "") || !safe && b.status != http.StatusForbidden {
			t.Errorf("%s from another site: status %d, %s", method, b.status, got)
		}
	}
}

// The application is asked once in a request who is signed in. Another click can end the
// session meanwhile, and the answer would be of two minds.
func TestUserIsAskedOnce(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := map[*http.Request]int{}
	h := newHost(t, enrollmenttest.New(t), func(c *web.Config) {
		user := c.User
		c.User = func(r *http.Request) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			asked[r]++
			return user(r)
		}
	})
	b, app, _ := h.member("alice")
	b.renewal(app).submit("/2fa/codes/new").submit("/2fa/codes").get("/delete").submit("/2fa/step", "code", h.code(app))
	b.login("alice").get("/2fa/sign-in")
	for r, n := range asked {
		if n > 1 {
			t.Errorf("%s %s: %d times", r.Method, r.URL.Path, n)
		}
	}
	if len(asked) < 10 {
		t.Errorf("only %d requests", len(asked))
	}
}

// purposeHash is the first bytes of SHA-256 of "delete".
const purposeHash = "6197595503f01ee2"

// With a session id and nothing else, nobody sees a secret or changes a factor. What
// STATES.md lists as needing no proof can be done: names, and to end what was begun or
// trusted.
func TestStolenSession(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t, func(c *enrollment.Config) { c.KeepCodes = true }), func(c *web.Config) { c.TrustDevices = true })
	b, app, codes := h.member("alice")
	b.login("alice").submit("/2fa/sign-in", "code", h.code(app), "trust", "1").at("/")
	b.get("/2fa/setup/begin").submit("/2fa/step", "code", h.code(app)).submit("/2fa/setup/begin")
	pending := b.scan()
	thief := h.browser()
	for _, c := range b.client.Jar.Cookies(h.at()) {
		if c.Name == "session" {
			thief.setCookie(c.Name, c.Value)
		}
	}
	thief.get("/").sees(`home of "alice"`)
	before, err := h.kit.Guard.Status(t.Context(), "alice")
	if err != nil || before.Devices != 1 || before.SetupExpires.IsZero() {
		t.Fatalf("%+v, %v", before, err)
	}
	id := before.Authenticators[0].ID
	for _, path := range []string{
		"/2fa/", "/2fa/sign-in", "/2fa/step?for=settings", "/2fa/setup", "/2fa/setup/begin", "/2fa/setup/begin?replace=" + id, "/2fa/codes", "/2fa/codes.txt",
		"/2fa/codes/new", "/2fa/codes/kept", "/2fa/remove?id=" + id, "/2fa/disable", "/2fa/address", "/2fa/address/code", "/2fa/address/remove", "/2fa/devices",
		"/2fa/sign-in/text", "/2fa/sign-in/reset", "/2fa/step/text", "/2fa/codes/again", "/2fa/codes/token", "/delete",
	} {
		for _, load := range []func() *browser{
			func() *browser { return thief.clone().get(path) },
			func() *browser {
				return thief.clone().post(path, "for", "settings", "code", "123456", "id", id, "replace", id, "token", "x", "to", "x")
			},
		} {
			load().lacks("otpauth:", `name="token"`, codes[0], codes[9], " deleted")
		}
	}
	after, err := h.kit.Guard.Status(t.Context(), "alice")
	if err != nil || after.Stamp != before.Stamp || len(after.Authenticators) != 1 || after.CodesLeft != 10 || !after.SetupExpires.Equal(before.SetupExpires) {
		t.Errorf("%+v, %v", after, err)
	}
	thief.clone().post("/2fa/devices/revoke").post("/2fa/setup/cancel")
	b.submit("/2fa/setup", "code", h.code(pending)).lacks(codes[0])
	if after, err = h.kit.Guard.Status(t.Context(), "alice"); err != nil || after.Devices != 0 || len(after.Authenticators) != 1 {
		t.Errorf("%+v, %v", after, err)
	}
}

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
