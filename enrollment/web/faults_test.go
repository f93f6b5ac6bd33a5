package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A stage is a host whose database fails when a test wants it to, with a member who has
// all that is optional and has just given a code.
type stage struct {
	*host
	store *proving.Store
	mail  *inbox
	b     *browser
	app   *enrollmenttest.App
	codes []string
	token token
	ids   []string // of the authenticators
	who   string   // whose account it is about
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{mail: &inbox{}, who: "alice"}
	kit := enrollmenttest.New(t)
	s.store = proving.NewStore(kit.Store)
	keys, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	kit.Guard, err = enrollment.New(s.store, keys, enrollment.Config{
		Issuer: "Example", Now: kit.Clock.Now, AllowSHA1: fips.Exempts, Sender: s.mail, KeepCodes: true, ReplenishCodes: true,
		RecoveryScheme: recovery.Fast, MaxAuthenticators: 3, Notify: func(context.Context, enrollment.Event) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.host = newHost(t, kit, func(c *web.Config) {
		c.TrustDevices, c.Resets = true, true
		c.Address = func(_ *http.Request, typed string) (string, string, error) { return "sms", typed, nil }
	})
	s.b, s.app, s.codes = s.member("alice")
	bind(t, s.host, s.mail, s.app)
	var id string
	s.token, id = s.withToken(s.app)
	s.b.login("alice").submit("/2fa/sign-in", "code", s.code(s.app), "trust", "1").at("/")
	s.b.get("/2fa/disable").submit("/2fa/step", "code", s.code(s.app)).at("/2fa/disable")
	status, err := kit.Guard.Status(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	s.ids = []string{status.Authenticators[0].ID, id}
	return s
}

// A moment is what the database and the application hold.
type moment struct {
	records  []store.Record
	sessions map[string]web.SignedIn
}

func (s *stage) keep() (m moment) {
	s.t.Helper()
	page, err := s.kit.Store.List(s.t.Context(), store.Query{Limit: 10})
	if err != nil {
		s.t.Fatal(err)
	}
	return moment{page.Records, maps.Clone(s.sessions)}
}

func (s *stage) restore(m moment) {
	s.t.Helper()
	for _, r := range s.keep().records {
		if err := s.kit.Store.Erase(s.t.Context(), r.UserID); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, r := range m.records {
		if err := s.kit.Store.Save(s.t.Context(), r, 0); err != nil {
			s.t.Fatal(err)
		}
	}
	s.sessions = maps.Clone(m.sessions)
}

// account returns what the security page says about the account.
func (s *stage) account() string {
	s.t.Helper()
	st, err := s.kit.Guard.Status(s.t.Context(), s.who)
	if err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, x := range st.Authenticators {
		names = append(names, x.Name)
	}
	devices, err := s.kit.Guard.Devices().List(s.t.Context(), s.who)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range devices {
		names = append(names, d.Name)
	}
	return fmt.Sprint(st.State, names, st.CodesLeft, st.Address, st.SetupExpires, st.Reset, st.NextMessage, len(st.History))
}

// tokenRE finds tokens, which are others each time.
var tokenRE = regexp.MustCompile(`[A-Za-z0-9_-]{80,}`)

// An ending is what has come of a request.
type ending struct{ answer, account, session string }

func (s *stage) send(b *browser, request func(*browser)) ending {
	s.t.Helper()
	sessions := len(s.started)
	request(b)
	s.store.Straighten()
	var cookies []string
	for _, c := range (&http.Response{Header: b.header}).Cookies() {
		value := tokenRE.ReplaceAllString(c.Value, "a token")
		switch {
		case c.MaxAge < 0:
			value = "deleted"
		case c.Name == "session":
			value = "set"
		}
		cookies = append(cookies, c.Name+" is "+value)
	}
	slices.Sort(cookies)
	e := ending{account: s.account()}
	e.answer = fmt.Sprintln(b.status, b.header.Get("Location"), cookies) + tokenRE.ReplaceAllString(b.body, "a token")
	if len(s.started) > sessions {
		in := s.started[len(s.started)-1]
		status, err := s.kit.Guard.Status(s.t.Context(), in.UserID)
		e.session = fmt.Sprint(in.UserID, in.Renewed, in.Factor, in.Stamp == status.Stamp, err)
	}
	return e
}

// walk sends a request once for each call of the store that it makes, and for each way
// in which that call can fail. The answer is a fault that shows nothing and signs nobody
// in, and the account is as it was, or as the request would have made it. If a call does
// not matter, the request ends as it does without.
func (s *stage) walk(name string, request func(*browser)) {
	s.t.Helper()
	before, account := s.keep(), s.account()
	s.store.Reset()
	calls := 0
	want := s.send(still(s.b.clone()), func(b *browser) {
		if request(b); b.status >= 400 {
			s.t.Fatalf("%s: status %d:\n%s", name, b.status, b.body)
		}
		calls = s.store.Calls()
	})
	down := errors.New("the database is down")
	for n := 1; n <= calls; n++ {
		for how, fails := range map[string]struct {
			at    func(number int) bool
			after bool
		}{
			"fails":          {func(number int) bool { return number == n }, false},
			"fails for good": {func(number int) bool { return number >= n }, false},
			"gets no reply":  {func(number int) bool { return number == n }, true},
		} {
			s.restore(before)
			s.store.Reset()
			bend := func(_ context.Context, c *proving.Call) {
				if fails.at(c.Number) && c.Err == nil {
					c.Err = down
				}
			}
			for _, op := range []proving.Op{proving.Load, proving.Save} {
				if fails.after {
					s.store.After(op, bend)
				} else {
					s.store.Before(op, bend)
				}
			}
			s.failure = nil
			b := still(s.b.clone())
			got := s.send(b, request)
			if s.failure == nil && b.status < 500 {
				if got != want {
					s.t.Errorf("%s: call %d of %d %s:\n%+v, want\n%+v", name, n, calls, how, got, want)
				}
				continue
			}
			if b.status != http.StatusInternalServerError || b.body != "" || !errors.Is(s.failure, down) || strings.Contains(strings.ReplaceAll(got.answer, " is deleted", ""), " is ") || got.session != "" {
				s.t.Errorf("%s: call %d of %d %s: %+v\n%s, Fail got %v", name, n, calls, how, got, b.body, s.failure)
			}
			if got.account != account && got.account != want.account {
				s.t.Errorf("%s: call %d of %d %s: the account is\n%s, was\n%s, and should be\n%s", name, n, calls, how, got.account, account, want.account)
			}
			if request(b); b.status >= 500 { // the user tries again
				s.t.Errorf("%s: call %d of %d %s, and then: status %d", name, n, calls, how, b.status)
			}
		}
	}
}

// sends returns a request that posts a form.
func sends(path string, pairs ...string) func(*browser) {
	return func(b *browser) { b.post(path, pairs...) }
}

// sendsJSON returns a request that posts an object, or gets one.
func sendsJSON(method, path string, in map[string]any) func(*browser) {
	return func(b *browser) {
		body, _ := json.Marshal(in)
		r := b.request(method, path, bytes.NewReader(body))
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Content-Type", "application/json")
		b.load(r)
	}
}

// filled returns a request that posts the form on the page.
func (s *stage) filled(action string, pairs ...string) func(*browser) {
	s.t.Helper()
	return sends(action, s.b.form(action, pairs...)...)
}

// scenes are requests, each after what leads to it.
var scenes = map[string]func(s *stage) func(*browser){
	"GET /2fa/setup": func(s *stage) func(*browser) {
		s.b.get("/2fa/setup/begin").submit("/2fa/setup/begin").at("/2fa/setup")
		return nil
	},
	"GET /2fa/codes":     func(s *stage) func(*browser) { return s.renewed(true) },
	"GET /2fa/codes.txt": func(s *stage) func(*browser) { return s.renewed(false) },
	"GET /2fa/codes with a new code": func(s *stage) func(*browser) {
		still(s.b).post("/2fa/step", "for", "settings", "code", s.codes[0])
		return func(b *browser) { b.get("/2fa/codes") }
	},
	"POST /2fa/sign-in after a lost answer": func(s *stage) func(*browser) {
		s.b = s.browser().login("alice")
		s.b.clone().post("/2fa/sign-in", "code", s.codes[0])
		return sends("/2fa/sign-in", "code", s.codes[0])
	},
	"GET /2fa/codes/new with codes to be shown": func(s *stage) func(*browser) {
		s.renewed(true)
		s.proven()
		return func(b *browser) { b.get("/2fa/codes/new") }
	},
	"GET /2fa/address/code": func(s *stage) func(*browser) { return s.bound() },
	"GET /2fa/address in a minute": func(s *stage) func(*browser) {
		s.bound()
		return func(b *browser) { b.get("/2fa/address") }
	},
	"GET /2fa/remove":        func(s *stage) func(*browser) { return func(b *browser) { b.get("/2fa/remove?id=" + s.ids[0]) } },
	"GET /2fa/resynchronize": func(s *stage) func(*browser) { return func(b *browser) { b.get("/2fa/resynchronize?id=" + s.ids[1]) } },
	"GET /2fa/step":          func(*stage) func(*browser) { return func(b *browser) { b.get("/2fa/step?for=delete") } },
	"GET /2fa/setup/begin":   func(*stage) func(*browser) { return nil },
	"GET /2fa/setup/begin for another": func(s *stage) func(*browser) {
		return func(b *browser) { b.get("/2fa/setup/begin?replace=" + s.ids[0]) }
	},
	"GET /2fa/sign-in": func(s *stage) func(*browser) { s.b = s.browser().login("alice"); return nil },
	"GET /delete": func(s *stage) func(*browser) {
		s.b.get("/delete").submit("/2fa/step", "code", s.code(s.app)).at("/delete")
		return nil
	},
	"GET /2fa/ in JSON": func(*stage) func(*browser) { return sendsJSON("GET", "/2fa/", nil) },
	"GET /2fa/codes/kept with its proof": func(s *stage) func(*browser) {
		s.proven()
		return func(b *browser) { b.get("/2fa/codes/kept") }
	},
	"GET /2fa/devices in JSON": func(*stage) func(*browser) { return sendsJSON("GET", "/2fa/devices", nil) },

	"POST /login": func(s *stage) func(*browser) { s.b = s.browser(); return sends("/login", "user", "alice") },
	"POST /login for a setup": func(s *stage) func(*browser) {
		s.b, s.who, s.login.Require = s.browser(), "bob", true
		return sends("/login", "user", "bob")
	},
	"POST /login with a trusted browser": func(*stage) func(*browser) { return sends("/login", "user", "alice") },

	"POST /2fa/sign-in": func(s *stage) func(*browser) {
		s.b = s.browser().login("alice")
		return sends("/2fa/sign-in", "code", s.code(s.app))
	},
	"POST /2fa/sign-in with a recovery code": func(s *stage) func(*browser) {
		s.b = s.browser().login("alice")
		return sends("/2fa/sign-in", "code", s.codes[0])
	},
	"POST /2fa/sign-in/text": func(s *stage) func(*browser) {
		s.b = s.browser().login("alice")
		return sends("/2fa/sign-in/text")
	},
	"POST /2fa/sign-in/reset": func(s *stage) func(*browser) {
		s.b = s.browser().login("alice")
		return sends("/2fa/sign-in/reset")
	},
	"POST /2fa/step": func(s *stage) func(*browser) {
		return sends("/2fa/step", "for", "delete", "code", s.code(s.app))
	},
	"POST /2fa/step with a recovery code": func(s *stage) func(*browser) {
		return sends("/2fa/step", "for", "settings", "code", s.codes[0])
	},
	"POST /2fa/step/begin": func(*stage) func(*browser) {
		return sendsJSON("POST", "/2fa/step/begin", map[string]any{"for": "settings"})
	},
	"POST /2fa/step/text": func(*stage) func(*browser) { return sends("/2fa/step/text", "for", "delete") },
	"POST /2fa/setup/begin": func(*stage) func(*browser) {
		return sends("/2fa/setup/begin", "name", "work phone")
	},
	"POST /2fa/setup": func(s *stage) func(*browser) {
		s.b.get("/2fa/setup/begin").submit("/2fa/setup/begin", "name", "work phone")
		return s.filled("/2fa/setup", "code", s.code(s.b.scan()))
	},
	"POST /2fa/setup of the first app": func(s *stage) func(*browser) {
		s.who, s.b = "bob", s.browser().login("bob").get("/2fa/setup/begin").submit("/2fa/setup/begin")
		return s.filled("/2fa/setup", "code", s.code(s.b.scan()))
	},
	"POST /2fa/setup that a sign-in demands": func(s *stage) func(*browser) {
		s.who, s.login.Require = "bob", true
		s.b = s.browser().login("bob").submit("/2fa/setup/begin")
		return s.filled("/2fa/setup", "code", s.code(s.b.scan()))
	},
	"POST /2fa/setup/cancel": func(s *stage) func(*browser) {
		s.b.get("/2fa/setup/begin").submit("/2fa/setup/begin")
		return sends("/2fa/setup/cancel")
	},
	"POST /2fa/codes": func(s *stage) func(*browser) { s.renewed(false); return sends("/2fa/codes") },
	"POST /2fa/codes that nobody has seen": func(s *stage) func(*browser) {
		s.renewed(true)
		return sends("/2fa/codes")
	},
	"POST /2fa/codes/new": func(s *stage) func(*browser) {
		s.b.get("/2fa/codes/new")
		return s.filled("/2fa/codes/new")
	},
	"POST /2fa/codes/token": func(*stage) func(*browser) { return sendsJSON("POST", "/2fa/codes/token", nil) },
	"POST /2fa/codes/again": func(s *stage) func(*browser) {
		s.renewed(true)
		token, _, _ := strings.Cut(s.b.cookie("renewal"), "~")
		return sendsJSON("POST", "/2fa/codes/again", map[string]any{"token": token})
	},
	"POST /2fa/rename": func(s *stage) func(*browser) { return sends("/2fa/rename", "id", s.ids[0], "name", "old") },
	"POST /2fa/resynchronize": func(s *stage) func(*browser) {
		pairs := []string{"id", s.ids[1]}
		for _, code := range s.token.three() {
			pairs = append(pairs, "code", code)
		}
		return sends("/2fa/resynchronize", pairs...)
	},
	"POST /2fa/remove":       func(s *stage) func(*browser) { return sends("/2fa/remove", "id", s.ids[0]) },
	"POST /2fa/disable":      func(*stage) func(*browser) { return sends("/2fa/disable") },
	"POST /2fa/address":      func(*stage) func(*browser) { return sends("/2fa/address", "to", "+49 1") },
	"POST /2fa/address/code": func(s *stage) func(*browser) { s.bound(); return sends("/2fa/address/code", "code", s.mail.code) },
	"POST /2fa/address/remove": func(*stage) func(*browser) {
		return sends("/2fa/address/remove")
	},
	"POST /2fa/devices/rename": func(s *stage) func(*browser) { return sends("/2fa/devices/rename", "id", s.device(), "name", "old") },
	"POST /2fa/devices/revoke": func(s *stage) func(*browser) { return sends("/2fa/devices/revoke", "id", s.device()) },
	"POST /2fa/devices/revoke of all": func(*stage) func(*browser) {
		return sends("/2fa/devices/revoke")
	},
	"POST /2fa/reset/cancel": func(s *stage) func(*browser) {
		s.browser().login("alice").submit("/2fa/sign-in/reset")
		return sends("/2fa/reset/cancel")
	},
}

// proven gives a code for a change of settings.
func (s *stage) proven() {
	s.t.Helper()
	s.b.get("/2fa/step?for=settings").submit("/2fa/step", "code", s.code(s.app))
}

// renewed makes new recovery codes. Their answer can be lost.
func (s *stage) renewed(lost bool) func(*browser) {
	s.t.Helper()
	s.b.get("/2fa/codes/new")
	if still(s.b).submit("/2fa/codes/new"); !lost {
		s.b.get("/2fa/codes").codes()
	}
	moving(s.b)
	return nil
}

// bound asks for a code to an address.
func (s *stage) bound() func(*browser) {
	s.t.Helper()
	s.b.get("/2fa/address").submit("/2fa/address", "to", "+49 1").at("/2fa/address/code")
	return nil
}

func (s *stage) device() string {
	s.t.Helper()
	devices, err := s.kit.Guard.Devices().List(s.t.Context(), "alice")
	if err != nil || len(devices) != 1 {
		s.t.Fatal(devices, err)
	}
	return devices[0].ID
}

// Each request fails as a whole, wherever the database fails in it.
func TestEachCallOfTheStoreFails(t *testing.T) {
	t.Parallel()
	all := maps.Clone(scenes)
	for _, to := range routes(t) {
		get, post := "GET "+to.path, "POST "+to.path
		if to.get && all[get] == nil {
			all[get] = func(*stage) func(*browser) { return nil }
		}
		if to.post && all[post] == nil {
			t.Errorf("there is no scene for %s", post)
		}
	}
	for name, scene := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			request := scene(s)
			if request == nil {
				request = func(b *browser) { b.get(strings.Fields(name)[1]) }
			}
			s.walk(name, request)
		})
	}
}

// That a browser can't be trusted is no reason not to sign in.
func TestFaultOfTrust(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.browser().login("alice")
	s.store.Reset()
	s.store.Nth(proving.Save, 2, proving.Fails(errors.New("the database is down")))
	b.submit("/2fa/sign-in", "code", s.code(s.app), "trust", "1").at("/")
	s.store.Straighten()
	if status, err := s.kit.Guard.Status(t.Context(), "alice"); err != nil || status.Devices != 1 || b.cookie("device") != "" {
		t.Errorf("%d devices, the cookie is %q, %v", status.Devices, b.cookie("device"), err)
	}
	for _, c := range b.client.Jar.Cookies(s.at()) {
		if c.Name == "__Host-twofactor-device" {
			t.Errorf("the browser has %v", c)
		}
	}
}
