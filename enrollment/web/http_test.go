package web_test

import (
	"mime"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

// Each answer forbids caches, frames and foreign scripts.
func TestHeaders(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b, _, _ := h.member("alice")
	for _, path := range []string{"/2fa/", "/2fa/sign-in", "/2fa/nothing", "/2fa/step?for=settings", "/delete"} {
		b.get(path)
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Content-Security-Policy": "frame-ancestors 'none'",
		} {
			if path == "/2fa/sign-in" { // leads home
				continue
			}
			if got := b.header.Get(name); !strings.Contains(got, want) {
				t.Errorf("%s: %s: %q, want %q", path, name, got, want)
			}
		}
		if policy := b.header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
		if strings.Contains(b.body, "style=") || strings.Contains(b.body, "<script>") || strings.Contains(b.body, "onclick") {
			t.Errorf("%s needs what the policy forbids:\n%s", path, b.body)
		}
	}
	for _, file := range []string{"/2fa/style.css", "/2fa/script.js"} {
		b.get(file)
		r := b.request(http.MethodGet, file, nil)
		r.Header.Set("If-None-Match", b.header.Get("ETag"))
		if b.load(r); b.status != http.StatusNotModified {
			t.Errorf("%s: status %d", file, b.status)
		}
		if b.post(file); b.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: status %d", file, b.status)
		}
	}
}

// The script is one also on a system that takes the ending of its name for another type:
// with nosniff, a browser would not run it. Not parallel: it changes what the process knows.
func TestTypesOfFiles(t *testing.T) {
	for _, file := range []struct{ name, kind string }{{".css", "text/css; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"}} {
		if err := mime.AddExtensionType(file.name, "text/plain; charset=utf-8"); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = mime.AddExtensionType(file.name, file.kind) }()
		name := map[string]string{".css": "style.css", ".js": "script.js"}[file.name]
		b := newHost(t, enrollmenttest.New(t)).browser().get("/2fa/" + name)
		if got := b.header.Get("Content-Type"); got != file.kind {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// Cookies are for this host alone, and no script reads them.
func TestCookies(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t), func(c *web.Config) { c.TrustDevices = true })
	b, app, _ := h.member("alice")
	seen := 0
	b.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		for _, c := range r.Response.Cookies() {
			if c.Name == "session" {
				continue
			}
			seen++
			if !strings.HasPrefix(c.Name, "__Host-") || !c.HttpOnly || !c.Secure || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
				t.Errorf("the cookie %+v", c)
			}
		}
		return nil
	}
	b.login("alice").submit("/2fa/sign-in", "code", h.code(app), "trust", "1").at("/")
	b.get("/2fa/disable").submit("/2fa/step", "code", h.code(app))
	if seen < 4 {
		t.Errorf("only %d cookies", seen)
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b, _, _ := h.member("alice")
	for _, tt := range []struct{ method, path, allow string }{
		{"POST", "/2fa/", "GET, HEAD"}, {"GET", "/2fa/rename", "POST"}, {"PUT", "/2fa/disable", "GET, HEAD, POST"},
		{"OPTIONS", "/2fa/setup", "GET, HEAD, POST"}, {"HEAD", "/2fa/rename", "POST"}, {"GET", "/2fa/setup/cancel", "POST"},
	} {
		b.load(b.request(tt.method, tt.path, nil))
		if b.status != http.StatusMethodNotAllowed || b.header.Get("Allow") != tt.allow {
			t.Errorf("%s %s: status %d, allowed %q", tt.method, tt.path, b.status, b.header.Get("Allow"))
		}
	}
	if b.load(b.request("HEAD", "/2fa/", nil)); b.status != http.StatusOK || b.body != "" {
		t.Errorf("HEAD: status %d", b.status)
	}
	if b.get("/2fa/nothing"); b.status != http.StatusNotFound {
		t.Errorf("status %d", b.status)
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b, _, _ := h.member("alice")
	for _, tt := range []struct {
		kind, body string
		want       int
	}{
		{"application/x-www-form-urlencoded", "name=" + strings.Repeat("x", 40000), http.StatusRequestEntityTooLarge},
		{"application/json", `{"name":"` + strings.Repeat("x", 40000) + `"}`, http.StatusRequestEntityTooLarge},
		{"application/json", `{"name":`, http.StatusBadRequest},
		{"application/json", `{} {}`, http.StatusBadRequest},
		{"application/json", `[]`, http.StatusBadRequest},
		{"application/x-www-form-urlencoded", "name=%zz", http.StatusBadRequest},
		{"text/plain", "name=x", http.StatusUnsupportedMediaType},
		{"multipart/form-data; boundary=x", "--x--", http.StatusUnsupportedMediaType},
		{"", "name=x", http.StatusUnsupportedMediaType},
		{"application/json, application/x-www-form-urlencoded", "name=x", http.StatusUnsupportedMediaType},
		{"application/problem+json", `{"name":"x"}`, http.StatusUnsupportedMediaType},
	} {
		r := b.request(http.MethodPost, "/2fa/rename", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", tt.kind)
		if b.load(r); b.status != tt.want {
			t.Errorf("%s %.20s: status %d, want %d", tt.kind, tt.body, b.status, tt.want)
		}
	}
}

// No other site can make the browser do anything, also not sign in.
func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	trusted := new(http.CrossOriginProtection)
	if err := trusted.AddTrustedOrigin("https://appleid.apple.com"); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, enrollmenttest.New(t), func(c *web.Config) { c.Origins = trusted })
	b, _, _ := h.member("alice")
	send := func(path, origin string, pairs ...string) int {
		form := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		r := b.request(http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		return b.load(r).status
	}
	for _, path := range []string{"/login", "/2fa/devices/revoke", "/2fa/sign-in", "/2fa/codes", "/delete"} {
		if status := send(path, "https://evil.example", "user", "mallory"); status != http.StatusForbidden {
			t.Errorf("%s: status %d", path, status)
		}
	}
	if send("/login", "https://appleid.apple.com", "user", "carol"); b.status != http.StatusOK {
		t.Errorf("a trusted origin: status %d", b.status)
	}
	b.sees(`home of "carol"`)
}

// The path to return to leads nowhere but to this host.
func TestReturn(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b, app, _ := h.member("alice")
	for _, bad := range []string{
		"https://evil.example/", "//evil.example", `/\evil.example`, `\\evil.example`, "javascript:alert(1)", "/\t/evil.example",
		"/\r\nSet-Cookie: a=b", "evil.example", " /x", "/" + strings.Repeat("x", 2000), "/%zz", "/ü",
	} {
		b.post("/login?return="+url.QueryEscape(bad), "user", "alice")
		b.submit("/2fa/sign-in", "code", h.code(app)).at("/", "home of")
		b.login("alice")
		b.post("/2fa/sign-in", "code", h.code(app), "return", bad).at("/", "home of")
	}
	b.post("/login", "user", "alice", "return", "/inbox?a=b&c=d").at("/2fa/sign-in?return=%2Finbox%3Fa%3Db%26c%3Dd")
	b.submit("/2fa/sign-in", "code", h.code(app)).at("/inbox?a=b&c=d")
	if b.header.Get("Location") != "" {
		t.Error("redirected again")
	}
	// A page for members leads to the login, and back.
	h.browser().get("/2fa/disable").at("/login?return=%2F2fa%2Fdisable")
}

// No address ever holds a token, a secret or a code.
func TestNoSecretInAddresses(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b := h.browser()
	var addresses []string
	b.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		addresses = append(addresses, r.URL.RequestURI())
		return nil
	}
	b.login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin")
	app, secrets := b.scan(), []string{b.cookie("setup")}
	code := h.code(app)
	b.submit("/2fa/setup", "code", code)
	secrets = append(append(secrets, code, b.cookie("setup")), b.codes()...)
	b.submit("/2fa/codes").login("alice")
	secrets = append(secrets, b.cookie("challenge"))
	b.submit("/2fa/sign-in", "code", h.code(app)).get("/2fa/codes/new").submit("/2fa/step", "code", h.code(app))
	secrets = append(secrets, b.cookie("renewal"))
	b.submit("/2fa/codes/new")
	secrets = append(secrets, b.codes()...)
	for _, secret := range secrets {
		if secret == "" || strings.Contains(strings.Join(addresses, "\n"), secret) {
			t.Errorf("%q is in an address, or was never there", secret)
		}
	}
	if len(addresses) < 6 {
		t.Error(addresses)
	}
}

// The pages are in the language that the browser asks for.
func TestLanguages(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t), func(c *web.Config) {
		c.Text = func(_ *http.Request, key string) string { return map[string]string{"security.turn_on": "Go!"}[key] }
	})
	b := h.browser().login("alice")
	for header, want := range map[string]string{
		"": "Two-factor authentication", "de": "Zwei-Faktor-Authentifizierung", "de-AT,en;q=0.5": "Zwei-Faktor",
		"en-GB,de;q=0.9": "Two-factor", "fr, de;q=0.2, en;q=0.1": "Zwei-Faktor", "fr": "Two-factor", "de;q=0, en": "Two-factor",
		"*": "Two-factor", "de;q=x, en;q=0.1": "Two-factor",
	} {
		r := b.request(http.MethodGet, "/2fa/", nil)
		r.Header.Set("Accept-Language", header)
		b.load(r).sees(want, "Go!", `<html lang="`+web.Language(r)+`">`)
	}
	if web.Texts("fr") != nil || len(web.Texts("de")) != len(web.Texts("en")) {
		t.Error("the texts")
	}
	for key, text := range web.Texts("en") {
		if other := web.Texts("de")[key]; other == "" || other == text && text != "Code" && text != "Name" && text != "Ticket" {
			t.Errorf("%s is %q in German", key, other)
		}
	}
}

// A note is what this package has set: other words say nothing.
func TestForgedNote(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b := h.browser().login("alice")
	for _, value := range []string{
		"done~<script>", "denied~wrong_code", "denied~wrong_code~totp~x~0", "denied~<b>~totp~0~0", "fault~Call+evil", "~", "done",
		"denied~locked~totp~99999999999999999999~0", "denied~clock_skew~totp~0~99999999999",
		"done~note.enabled", "done~note.enabled~~x~0",
	} {
		b.setCookie("__Host-twofactor-note", value)
		b.get("/2fa/").at("/2fa/").lacks(`role="alert"`, `role="status"`, "<script>", "evil")
	}
	b.setCookie("__Host-twofactor-note", "denied~no_such_reason~totp~9999999999~0")
	b.get("/2fa/").sees("That was not possible.")
	b.setCookie("__Host-twofactor-note", "fault~busy~~0~0")
	b.get("/2fa/").sees("We are busy at the moment.")
}

// New names what is missing.
func TestNew(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t)
	good := web.Config{
		User:   func(*http.Request) (string, error) { return "", nil },
		Start:  func(http.ResponseWriter, *http.Request, web.SignedIn) (any, error) { return nil, nil },
		Reauth: func(*http.Request) (time.Time, error) { return time.Time{}, nil },
	}
	for want, spoil := range map[string]func(*web.Config, **enrollment.Guard){
		"Guard":          func(_ *web.Config, g **enrollment.Guard) { *g = nil },
		"Config.User":    func(c *web.Config, _ **enrollment.Guard) { c.User = nil },
		"Config.Start":   func(c *web.Config, _ **enrollment.Guard) { c.Start = nil },
		"Config.Reauth":  func(c *web.Config, _ **enrollment.Guard) { c.Reauth = nil },
		"SignedIn.At":    func(c *web.Config, _ **enrollment.Guard) { c.Reauth = nil }, // what to do
		"Config.Path":    func(c *web.Config, _ **enrollment.Guard) { c.Path = "2fa" },
		"Config.Path ":   func(c *web.Config, _ **enrollment.Guard) { c.Path = "/2fa/" },
		"Config.Login":   func(c *web.Config, _ **enrollment.Guard) { c.Login = "https://evil.example" },
		"Config.Login ":  func(c *web.Config, _ **enrollment.Guard) { c.Login = "/login?step=1" },
		"Config.Login  ": func(c *web.Config, _ **enrollment.Guard) { c.Login = "/#login" },
		"Config.Home":    func(c *web.Config, _ **enrollment.Guard) { c.Home = "//evil.example" },
	} {
		config, guard := good, kit.Guard
		spoil(&config, &guard)
		if _, err := web.New(guard, config); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := web.New(kit.Guard, good); err != nil {
		t.Error(err)
	}
}

// An application with several names shows the one of the request, in apps and on the
// sheet of recovery codes.
func TestIssuer(t *testing.T) {
	t.Parallel()
	name := "Reseller One"
	h := newHost(t, enrollmenttest.New(t), func(c *web.Config) { c.Issuer = func(*http.Request) string { return name } })
	b := h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin").sees("issuer=Reseller%20One")
	b.submit("/2fa/setup", "code", h.code(b.scan())).at("/2fa/codes", "Reseller One")
	b.get("/2fa/codes.txt").sees("Reseller One")
	name = ""
	b.get("/2fa/codes.txt").sees("Recovery codes for Example")
	h.browser().login("bob").get("/2fa/setup/begin").submit("/2fa/setup/begin").lacks("Reseller").sees("issuer=")
}
