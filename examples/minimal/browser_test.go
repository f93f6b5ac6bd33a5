package main

import (
	"flag"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/chromium"
)

var pictures = flag.String("pictures", "", "`folder` for pictures of the pages")

// visit opens the application in a browser, signed in as alice.
func visit(t *testing.T) (*app, *answers, *chromium.Tab) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes a browser")
	}
	a := newApp()
	a.insecure = true
	if err := a.openSecondFactor(t.Context(), filepath.Join(t.TempDir(), "accounts.db")); err != nil {
		t.Fatal(err)
	}
	late := &answers{Handler: a.handler(), done: make(chan struct{}, 16)}
	server := httptest.NewServer(late)
	t.Cleanup(server.Close)
	b := chromium.Open(t, server.URL)
	signIn(a, b)
	b.Sees("Hello, alice")
	return a, late, b
}

// answers can hold back those to forms, so that a browser stays on its page.
type answers struct {
	http.Handler
	held atomic.Pointer[chan struct{}] // until it is closed
	done chan struct{}                 // has one for each form meanwhile
}

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	held := a.held.Load()
	if held == nil || r.Method != http.MethodPost {
		a.Handler.ServeHTTP(w, r)
		return
	}
	recorded := httptest.NewRecorder()
	a.Handler.ServeHTTP(recorded, r)
	a.done <- struct{}{}
	select {
	case <-*held:
	case <-r.Context().Done(): // the browser wants it no more
		return
	}
	maps.Copy(w.Header(), recorded.Header())
	w.WriteHeader(recorded.Code)
	_, _ = recorded.Body.WriteTo(w)
}

// hold holds answers back while something is done.
func (a *answers) hold(do func()) {
	held := make(chan struct{})
	a.held.Store(&held)
	defer func() { a.held.Store(nil); close(held) }()
	do()
}

func signIn(a *app, b *chromium.Tab) {
	b.Get("/login")
	b.Type("[name=user]", "alice")
	b.Next(func() { b.Type("[name=password]", a.passwords["alice"]+"\r") })
}

// later returns the code that the app shows some steps from now. A right code can be
// used once, and those of the steps before and after the present one are right, too. One of
// a step before is right until the present step ends, so it is taken from one that has begun
// just now.
func later(app *enrollmenttest.App, steps int) string {
	if left := time.Until(time.Now().Truncate(app.Period()).Add(app.Period())); steps < 0 && left < app.Period()/2 {
		time.Sleep(left)
	}
	return app.Code(time.Now().Add(time.Duration(steps) * app.Period()))
}

// The main job as a person does it: the picture is scanned, the code typed and sent with
// its last digit. No page has a barrier.
func TestBrowser(t *testing.T) {
	t.Parallel()
	a, _, b := visit(t)
	show := func(name string) {
		t.Helper()
		if *pictures != "" {
			b.Picture(*pictures, name)
		}
		for _, x := range b.Barriers() {
			t.Errorf("%s: %s: %s: %s", name, x.Rule, x.Where, x.Why)
		}
	}
	show("home")
	b.Get("/2fa/")
	b.Sees("Your password alone signs in.")
	show("security-off")
	b.Next(func() { b.Click("a[href='/2fa/setup/begin']") })
	b.Sees("Set up two-factor authentication")
	show("begin")
	b.Next(func() { b.Click("main button") })
	b.Sees("Scan this with the app")
	show("setup")
	app, err := enrollmenttest.Scan(b.Scan("img.qr"))
	if err != nil {
		t.Fatal(err)
	}
	b.Type("#code", app.WrongCode(time.Now()))
	b.Sees("That code is wrong.")
	show("setup-wrong")
	b.Type("#code", later(app, -1)+"\r")
	b.Sees("Save your recovery codes")
	show("codes")
	codes := b.Texts(".recovery-codes ol code")
	b.Reload()
	b.Sees(codes[9])
	b.Back()
	b.Sees(codes[9])
	b.Click("main [type=checkbox]")
	b.Next(func() { b.Click("form[action='/2fa/codes'] button") })
	b.Sees("Two-factor authentication is on")
	show("security-on")

	signIn(a, b)
	b.Sees("Enter your code")
	show("sign-in")
	b.Type("#code", later(app, 0))
	b.Sees("Hello, alice")

	b.Get("/danger")
	b.Sees("Confirm that it is you")
	show("step")
	b.Type("#code", codes[0]+"\r")
	b.Sees("alice, you may do something dangerous now")
	show("danger")

	b.Get("/2fa/codes/new")
	b.Sees("Confirm that it is you")
	b.Type("#code", later(app, 1))
	b.Sees("Your old recovery codes stop working")
	show("renew")
	b.Get("/2fa/disable")
	b.Sees("Your password alone will sign in.")
	show("disable")

	signIn(a, b)
	for range 6 {
		b.Next(func() { b.Type("#code", app.WrongCode(time.Now())+"\r") })
		b.Sees("wrong")
	}
	show("locked")
	b.Get("/login")
	show("login")
	b.Type("[name=user]", "alice")
	b.Next(func() { b.Type("[name=password]", "wrong\r") })
	b.Sees("Wrong name or password.")
	show("login-wrong")
}

func await(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(5 * time.Minute):
		t.Fatal("the browser does not send the form")
	}
}

// Six clicks in a row end at the codes, with and without JavaScript, although the browser
// loses the answers to the first five.
func TestSixClicksInABrowser(t *testing.T) {
	t.Parallel()
	for name, scripts := range map[string]bool{"with JavaScript": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, late, b := visit(t)
			b.Get("/2fa/setup/begin")
			b.Next(func() { b.Click("main button") })
			b.Sees("Scan this with the app")
			app, err := enrollmenttest.Scan(b.Scan("img.qr"))
			if err != nil {
				t.Fatal(err)
			}
			if !scripts {
				b.WithoutScripts()
				b.Reload()
			}
			b.Fill("#code", later(app, 0))
			b.Next(func() {
				late.hold(func() {
					b.Press("form[action='/2fa/setup'] button", 6, func(n int) {
						if n == 1 || !scripts { // the script sends a form once
							await(t, late.done)
						}
					})
				})
			})
			b.Sees("Save your recovery codes")
			if len(late.done) != 0 {
				t.Error("the form was sent more often")
			}
			codes := b.Texts(".recovery-codes ol code")
			status, err := a.guard.Status(t.Context(), "alice")
			if err != nil || status.CodesLeft != len(codes) || len(codes) != 10 {
				t.Errorf("%d codes, %+v, %v", len(codes), status, err)
			}
			if strings.Count(strings.Join(codes, " "), "-") != 30 {
				t.Errorf("%q", codes)
			}
		})
	}
}
