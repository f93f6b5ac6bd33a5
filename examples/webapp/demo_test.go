package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
)

// demonstrate starts the site with the bar.
func demonstrate(t *testing.T) (*site, *demonstration) {
	t.Helper()
	s := &site{t: t, log: &notes{}}
	d, err := newDemonstration(t.Context(), config{
		Config: enrollment.Config{Issuer: defaultIssuer, Logger: slog.New(slog.NewTextHandler(s.log, nil))},
		data:   t.TempDir(), cost: bcrypt.MinCost, domain: "example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewServer(d)
	t.Cleanup(func() { s.server.Close(); d.running().close() })
	return s, d
}

func (b *browser) tell(story, as string) {
	b.t.Helper()
	b.post("/demo/story", url.Values{"story": {story}, "as": {as}})
}

// typed returns the code that the phone in the bar shows for an account after some time.
func (b *browser) typed(by, account string) string {
	b.t.Helper()
	b.post("/demo/time", url.Values{"by": {by}, "return": {b.page.path}})
	m := regexp.MustCompile(`: ` + regexp.QuoteMeta(account) + `[^<]*</span><output[^>]*>([0-9]{6})</output>`).FindStringSubmatch(b.page.body)
	if m == nil {
		b.t.Fatalf("the phone shows no code:\n%s", b.page.body)
	}
	return m[1]
}

// A story begins with a click, and the bar has all that it takes to get through it.
func TestDemonstration(t *testing.T) {
	t.Parallel()
	s, d := demonstrate(t)
	b := s.browser()
	b.get("/")
	b.sees("Stories", "Phone", "No accounts.", "No messages.")
	b.tell("review", "")
	b.at("/security/")
	b.sees("You are review-", storyPassword)
	b.follow("Turn on")
	b.submit("/security/setup/begin")
	b.sees("Scan the QR code")
	b.submit("/demo/phone") // the first form of the phone scans
	b.at("/security/setup")
	b.post("/demo/phone", url.Values{"off": {"-4m0s"}, "return": {"/security/setup"}})
	const period = 30 * time.Second
	fresh := period - time.Duration(d.clock.Now().UnixNano())%period // no step ends meanwhile
	b.submit("/security/setup", "code", b.typed(fresh.String(), "review-"))
	b.denied("about 4 minutes slow")
	b.post("/demo/phone", url.Values{"off": {"0s"}, "return": {"/security/setup"}})
	b.submit("/security/setup", "code", b.typed("30s", "review-"))
	b.saved()
	b.sees("10 of 10 are left.", "Two-factor authentication is on")
	email := regexp.MustCompile(`review-[a-z0-9]+@example\.com`).FindString(b.page.body)
	b.signOut()
	b.get("/sign-in")
	b.submit("/sign-in", "email", email, "password", storyPassword)
	b.code(b.typed("30s", email))
	b.at("/")

	// Three days pass: the challenge has expired, and the reset is due.
	b.signOut()
	b.get("/sign-in")
	b.submit("/sign-in", "email", email, "password", storyPassword)
	b.submit("/security/sign-in/reset")
	b.post("/demo/time", url.Values{"by": {"72h"}})
	b.sees("Wait over: request to turn off")
	b.tell("review", "admin")
	b.at("/security/step?" + url.Values{"for": {string(adminPurpose)}, "return": {"/admin/members"}}.Encode())
	b.step(b.typed("30s", storyAdmin))
	b.sees(email, "reset requested")

	b.post("/demo/phone", url.Values{"lose": {"1"}})
	b.sees("No accounts.")
	if d.phone.Has(storyAdmin) {
		t.Error("the phone is lost and still has an account")
	}
	b.tell("review", "admin") // gets a new one
	b.step(b.typed("30s", storyAdmin))
	b.at("/admin/members")
}

// Each story begins with its switches and its rule.
func TestStoriesBegin(t *testing.T) {
	t.Parallel()
	s, d := demonstrate(t)
	for _, x := range demo.Stories {
		b := s.browser()
		b.tell(x.Name, "")
		b.sees(x.Title, x.Steps[0], "You are "+x.Name+"-")
		if x.Mandatory {
			email := regexp.MustCompile(x.Name + `-[a-z0-9]+@example\.com`).FindString(b.page.body)
			b.submit("/sign-in", "password", storyPassword) // the address is filled in
			b.at("/security/setup/begin")
			if email == "" {
				t.Error("nobody says who it is")
			}
		} else {
			b.at("/security/")
		}
		if x.Enrolled {
			b.sees("10 of 10 are left.")
		}
	}
	c := d.running().config
	if c.Issuer != "Reseller One" || !c.ReplenishCodes || !c.KeepCodes || !c.eightCodes || c.CodesAtSetup || c.ReauthDisables || c.AddressAlone {
		t.Errorf("the last story has the switches %+v", c)
	}

	// A story has nothing of the sign-in that another one has left.
	b := s.browser()
	b.tell("frame", "")
	b.submit("/sign-in", "password", storyPassword)
	b.at("/security/setup/begin")
	b.tell("review", "")
	b.get("/security/setup/begin")
	b.submit("/security/setup/begin")
	if link := linkRE.FindString(b.page.body); !strings.Contains(link, ":review-") {
		t.Errorf("the app shows %q", link)
	}

	// A switch changes the site at once, and no session ends.
	b = s.browser()
	b.tell("review", "")
	b.post("/demo/switches", url.Values{"setup": {"1"}, "tenant": {"Acme Rentals"}, "return": {"/security/"}})
	b.at("/security/")
	b.sees("<title>Security · Acme Rentals</title>")
	b.setUp("/security/setup/begin")
	b.codes()
	b.post("/demo/switches", url.Values{"tenant": {"Evil Inc"}})
	if got := d.running().config; got.Issuer != "Acme Rentals" || got.CodesAtSetup {
		t.Errorf("the switches are %+v", got)
	}
	b.post("/demo/time", url.Values{"by": {"9000h"}})
	b.post("/demo/time", url.Values{"by": {"-30s"}})
	if d.clock.Ahead() != 0 {
		t.Errorf("the clock is %v ahead", d.clock.Ahead())
	}
}

// The bar names what answers each page, and shows its source.
func TestShowTheCode(t *testing.T) {
	t.Parallel()
	s, d := demonstrate(t)
	b := s.browser()
	for page, handler := range map[string]string{"/": "home", "/sign-in": "signInForm", "/forgot": "forgotForm"} {
		b.get(page)
		b.sees(`"><code>(*app).` + handler + "</code>")
		b.get("/demo/code?of=" + url.QueryEscape("(*app)."+handler))
		b.sees("func (a *app) "+handler+"(", ".go")
	}
	b.tell("review", "")
	b.sees("The page “security” of package enrollment/web", "showSecurity")
	a := d.running()
	for pattern, name := range a.shows {
		if file, text := demo.Source(source, name); !strings.HasSuffix(file, ".go") || !strings.HasPrefix(text, "// ") && !strings.HasPrefix(text, "func ") {
			t.Errorf("%s: no source of %q", pattern, name)
		}
	}
	b.get("/demo/code?of=" + url.QueryEscape("(*app).nothing"))
	if b.page.status != http.StatusNotFound {
		t.Errorf("status %d", b.page.status)
	}
}

// Nobody but this machine sees the bar or uses it.
func TestDemonstrationIsLocal(t *testing.T) {
	t.Parallel()
	_, d := demonstrate(t)
	try := func(method, path string, change func(*http.Request)) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://127.0.0.1:8080"+path, nil)
		r.RemoteAddr = "127.0.0.1:1234"
		change(r)
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		return w
	}
	here := func(*http.Request) {}
	if w := try("GET", "/", here); !strings.Contains(w.Body.String(), "Demonstration") {
		t.Fatal("there is no bar")
	}
	for name, change := range map[string]func(*http.Request){
		"another machine": func(r *http.Request) { r.RemoteAddr = "192.0.2.7:1234" },
		"another name":    func(r *http.Request) { r.Host = "rebound.example" },
		"a proxy":         func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.7") },
	} {
		if w := try("GET", "/", change); strings.Contains(w.Body.String(), "Demonstration") {
			t.Errorf("%s sees the bar", name)
		}
		for _, path := range []string{"/demo/time?by=24h", "/demo/phone?lose=1", "/demo/switches", "/demo/story?story=review"} {
			if w := try("POST", path, change); w.Code != http.StatusNotFound {
				t.Errorf("%s: %s answers %d", name, path, w.Code)
			}
		}
	}
	cross := func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }
	if w := try("POST", "/demo/time", cross); w.Code != http.StatusForbidden {
		t.Errorf("another site moves the clock: %d", w.Code)
	}
	if d.clock.Ahead() > time.Second {
		t.Error("the clock has moved")
	}
}
