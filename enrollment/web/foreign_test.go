package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

// secretsOf returns what is on a page and in the cookies of the browser.
func (b *browser) secretsOf() (secrets []string, tokens url.Values) {
	b.t.Helper()
	tokens = url.Values{}
	for _, c := range b.client.Jar.Cookies(b.host.at()) {
		if name, ok := strings.CutPrefix(c.Name, "__Host-twofactor-"); ok && name != "note" {
			secrets = append(secrets, c.Value)
			tokens.Set(c.Name, c.Value)
		}
	}
	for _, m := range append(codeRE.FindAllStringSubmatch(b.body, -1), linkRE.FindAllStringSubmatch(b.body, -1)...) {
		secrets = append(secrets, m[1])
	}
	return secrets, tokens
}

// All cookies of another user, with codes and a secret that were never shown, are worth
// nothing in a session: no page shows what is theirs, and nothing of theirs changes.
func TestForeignCookies(t *testing.T) {
	t.Parallel()
	h, b, app := everything(t)
	h.member("bob")
	b.get("/2fa/address").submit("/2fa/step", "code", h.code(app)).submit("/2fa/address", "to", "+4930123456")
	moving(still(b.get("/2fa/codes/new")).submit("/2fa/codes/new")) // whose codes nobody has seen
	b.get("/2fa/setup/begin").submit("/2fa/step", "code", h.code(app)).submit("/2fa/setup/begin").at("/2fa/setup")
	token := b.form("/2fa/setup")[1]
	secrets, cookies := b.secretsOf()
	secrets = append(secrets, b.clone().get("/2fa/codes").codes()...)
	more := func() {
		_, tokens := b.secretsOf()
		for name := range tokens {
			cookies.Set(name, tokens.Get(name))
		}
	}
	b.get("/delete").submit("/2fa/step", "code", h.code(app)).at("/delete")
	more()
	h.kit.Clock.Advance(2 * time.Minute)
	b.get("/2fa/step?for=delete").submit("/2fa/step/text").at("/2fa/step?for=delete&with=text")
	more()
	b.login("alice")
	more()
	if len(cookies) < 8 || token == "" || cookies.Get("__Host-twofactor-challenge") == "" {
		t.Fatalf("only the cookies %v", cookies)
	}

	bob, bobs, _ := h.member("robert")
	bob.get("/2fa/disable").submit("/2fa/step", "code", h.code(bobs))
	before, started, wrong := h.record(), len(h.started), app.WrongCode(h.kit.Clock.Now())
	for _, to := range routes(t) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			one := bob.clone()
			for name := range cookies {
				if !strings.Contains(name, "receipt-") || one.cookie(strings.TrimPrefix(name, "__Host-twofactor-")) == "" {
					one.setCookie(name, cookies.Get(name))
				}
			}
			if method == http.MethodGet {
				one.get(to.path)
			} else {
				one.post(to.path, "code", wrong, "token", token, "for", "delete", "to", "+491", "name", "x", "return", "/delete")
			}
			for _, secret := range secrets {
				if strings.Contains(one.body, secret) {
					t.Errorf("%s %s shows %q of another user", method, to.path, secret)
				}
			}
			if strings.Contains(one.body, "+4930123456") {
				t.Errorf("%s %s shows the address of another user", method, to.path)
			}
			if h.failure != nil {
				t.Fatalf("%s %s: %v", method, to.path, h.failure)
			}
			if slices.Contains([]string{"/2fa/sign-in", "/2fa/sign-in/text", "/2fa/sign-in/reset"}, to.path) {
				before = h.record() // these go on with the sign-in, as the cookie says
			} else if h.record() != before {
				t.Errorf("%s %s changes the account of another user", method, to.path)
				before = h.record()
			}
		}
	}
	for _, in := range h.started[started:] {
		if in.UserID == "alice" && in.Factor != enrollment.FactorTOTP {
			t.Errorf("a session of another user: %+v", in)
		}
	}
}

// Six clicks that arrive at once have one effect, and each of them ends at the codes.
func TestSixClicksAtOnce(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(h *host) (*browser, string, []string){
		"setup": func(h *host) (*browser, string, []string) {
			b := h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin")
			return b, "/2fa/setup", b.form("/2fa/setup", "code", h.code(b.scan()))
		},
		"demanded setup": func(h *host) (*browser, string, []string) {
			h.login.Require = true
			b := h.browser().login("alice").submit("/2fa/setup/begin")
			return b, "/2fa/setup", b.form("/2fa/setup", "code", h.code(b.scan()))
		},
		"new codes": func(h *host) (*browser, string, []string) {
			b, app, _ := h.member("alice")
			b.renewal(app)
			return b, "/2fa/codes/new", b.form("/2fa/codes/new")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, enrollmenttest.New(t))
			h.t = t
			b, action, form := begin(h)
			var all sync.WaitGroup
			tabs := make([]*browser, 6)
			for i := range tabs {
				tabs[i] = b.clone()
				all.Go(func() { tabs[i].post(action, form...) })
			}
			all.Wait()
			codes := tabs[0].codes()
			for i, tab := range tabs {
				if got := tab.codes(); !slices.Equal(got, codes) {
					t.Errorf("click %d ends at %s with other codes", i+1, tab.path)
				}
			}
		})
	}
}

// Each cookie fits into what browsers keep, also for the longest id of a user and the
// longest address: 4096 bytes with its name (RFC 6265, section 6.1).
func TestCookieSizes(t *testing.T) {
	t.Parallel()
	mail := &inbox{}
	kit := enrollmenttest.New(t, func(c *enrollment.Config) { c.Sender = mail })
	h := newHost(t, kit, func(c *web.Config) {
		c.Path, c.TrustDevices = "/"+strings.Repeat("administrators/", 8)+"2fa", true
		c.Address = func(_ *http.Request, typed string) (string, string, error) {
			return "channel-" + strings.Repeat("x", 24), typed, nil
		}
	})
	path := "/" + strings.Repeat("administrators/", 8) + "2fa"
	user := strings.Repeat("ü", 127) + "x"
	largest := 0
	b := h.browser()
	b.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		for _, c := range r.Response.Cookies() {
			largest = max(largest, len(c.Name)+len(c.Value))
		}
		return nil
	}
	h.login.Require = true
	b.post("/login", "user", user).submit(path + "/setup/begin")
	app := b.scan()
	b.submit(path+"/setup", "code", h.code(app)).submit(path + "/codes")
	b.get(path+"/address").submit(path+"/step", "code", h.code(app)).submit(path+"/address", "to", strings.Repeat("4", enrollment.MaxAddress))
	b.submit(path+"/address/code", "code", mail.code)
	h.kit.Clock.Advance(2 * time.Minute)
	b.post("/login", "user", user).submit(path + "/sign-in/text")
	b.submit(path+"/sign-in", "code", mail.code, "trust", "1").at("/")
	b.get(path+"/codes/new").submit(path+"/step", "code", h.code(app)).submit(path + "/codes/new").codes()
	if largest > 4096 || largest < 500 {
		t.Errorf("the largest cookie has %d bytes", largest)
	}
	t.Logf("the largest cookie has %d bytes", largest)
}
