package web_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

// A route is a path and its methods, as route.go has them.
type route struct {
	path      string
	get, post bool
}

var routeRE = regexp.MustCompile(`(?m)^\t\t"(/[a-z/.-]*)": +\{(.*)\},$`)

// routes returns every route, so that the attacks leave out none.
func routes(t *testing.T) (list []route) {
	t.Helper()
	text, err := os.ReadFile("route.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range routeRE.FindAllStringSubmatch(string(text), -1) {
		list = append(list, route{"/2fa" + m[1], strings.Contains(m[2], "get:"), strings.Contains(m[2], "post:")})
	}
	if len(list) < 24 {
		t.Fatalf("only %d routes", len(list))
	}
	return list
}

// everything is a host with all that is optional, and a member who has all of it.
func everything(t *testing.T) (*host, *browser, *enrollmenttest.App) {
	t.Helper()
	mail := &inbox{}
	kit := enrollmenttest.New(t, func(c *enrollment.Config) { c.KeepCodes, c.Sender = true, mail })
	h := newHost(t, kit, func(c *web.Config) {
		c.TrustDevices, c.Resets = true, true
		c.Address = func(_ *http.Request, typed string) (string, string, error) { return "sms", typed, nil }
	})
	b, app, _ := h.member("alice")
	bind(t, h, mail, app)
	b.login("alice").submit("/2fa/sign-in", "code", h.code(app), "trust", "1")
	return h, b, app
}

// still makes the browser stay where a redirect is.
func still(b *browser) *browser {
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

// record returns what the database has about alice.
func (h *host) record() string { return h.recordOf("alice") }

func (h *host) recordOf(user string) string {
	h.t.Helper()
	r, err := h.kit.Store.Load(h.t.Context(), user)
	if err != nil {
		h.t.Fatal(err)
	}
	return fmt.Sprint(r.Version, r.State, r.Updated, bytes.Clone(r.Data))
}

// Whatever is asked and however it ends, the answer can't be kept, framed or read by
// another site, and leads nowhere else.
func TestEachAnswer(t *testing.T) {
	t.Parallel()
	h, b, app := everything(t)
	b.get("/2fa/disable").submit("/2fa/step", "code", h.code(app))
	check := func(what string) {
		t.Helper()
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Content-Security-Policy": "frame-ancestors 'none'",
		} {
			if got := b.header.Get(name); !strings.Contains(got, want) {
				t.Errorf("%s: status %d, %s: %q, want %q", what, b.status, name, got, want)
			}
		}
		for name := range b.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: %s: %q", what, name, b.header[name])
			}
		}
		if to := b.header.Get("Location"); to != "" && (to[0] != '/' || strings.HasPrefix(to, "//")) {
			t.Errorf("%s leads to %q", what, to)
		}
		if b.body != "" && !slices.Contains([]string{"text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"}, b.header.Get("Content-Type")) {
			t.Errorf("%s: the type %q", what, b.header.Get("Content-Type"))
		}
		if b.status >= 500 {
			t.Errorf("%s: status %d", what, b.status)
		}
	}
	for _, to := range append(routes(t), route{path: "/2fa/nothing"}, route{path: "/2fa/setup/"}, route{path: "/2fa/%2e%2e/2fa/setup"}) {
		for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS", "get"} {
			for _, kind := range []string{"application/x-www-form-urlencoded", "application/json", "text/plain"} {
				for _, body := range []string{"", "{}", "code=1&for=settings", strings.Repeat("x", 40000)} {
					one := still(b.clone())
					r := one.request(method, to.path, strings.NewReader(body))
					r.URL.Opaque = "//" + r.URL.Host + to.path // as it is
					r.Host = "evil.example"
					r.Header.Set("Content-Type", kind)
					r.Header.Set("Accept", kind)
					r.Header.Set("X-Http-Method-Override", "POST")
					one.load(r)
					b.status, b.header, b.body = one.status, one.header, one.body
					check(method + " " + to.path + " " + kind)
				}
			}
		}
	}
}

// A method that a route has not is refused on each route, and says which it has. To look
// changes nothing.
func TestEachMethod(t *testing.T) {
	t.Parallel()
	h, b, app := everything(t)
	b.get("/2fa/disable").submit("/2fa/step", "code", h.code(app))
	still(b)
	before := h.record()
	for _, to := range routes(t) {
		var allow []string
		if to.get {
			allow = append(allow, "GET", "HEAD")
		}
		if to.post {
			allow = append(allow, "POST")
		}
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			if slices.Contains(allow, method) {
				continue
			}
			b.load(b.request(method, to.path, nil))
			if b.status != http.StatusMethodNotAllowed || b.header.Get("Allow") != strings.Join(allow, ", ") {
				t.Errorf("%s %s: status %d, allowed %q", method, to.path, b.status, b.header.Get("Allow"))
			}
		}
		if to.get && to.path != "/2fa/codes/kept" { // of which the owner is told
			for range 2 {
				b.clone().get(to.path)
				b.clone().load(b.request("HEAD", to.path, nil))
			}
		}
	}
	if h.record() != before {
		t.Error("a GET or a wrong method has changed the account")
	}
}

// What another site sends does nothing on any route, as a form or as JSON.
func TestEachOrigin(t *testing.T) {
	t.Parallel()
	h, b, app := everything(t)
	b.get("/2fa/disable").submit("/2fa/step", "code", h.code(app))
	before, sessions := h.record(), len(h.started)
	for _, to := range append(routes(t), route{"/delete", true, true}, route{"/login?user=alice", true, true}) {
		if !to.post {
			continue
		}
		for _, from := range []http.Header{
			{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"null"}},
			{"Origin": {"https://evil.example"}}, {"Origin": {strings.Replace(h.server.URL, "https:", "https://x.", 1)}},
			{"Sec-Fetch-Site": {"cross-site"}, "Origin": {h.server.URL}},
		} {
			for _, kind := range []string{"application/x-www-form-urlencoded", "application/json", "text/plain"} {
				r := b.request(http.MethodPost, to.path, strings.NewReader("code=1"))
				r.Header.Set("Content-Type", kind)
				for name, value := range from {
					r.Header[name] = value
				}
				if b.load(r); b.status != http.StatusForbidden || len(b.header.Values("Set-Cookie")) > 0 {
					t.Errorf("%s from %v: status %d, %q", to.path, from, b.status, b.header["Set-Cookie"])
				}
			}
		}
	}
	if h.record() != before || len(h.started) != sessions {
		t.Error("another site has changed something")
	}
}

// A body that is too large is refused on each route, also if its length is not said.
func TestEachLargeBody(t *testing.T) {
	t.Parallel()
	h, b, _ := everything(t)
	before := h.record()
	for _, to := range routes(t) {
		if !to.post {
			continue
		}
		for kind, body := range map[string]string{
			"application/x-www-form-urlencoded": "code=" + strings.Repeat("1", 40000),
			"application/json":                  `{"x":"` + strings.Repeat("1", 40000) + `"}`,
		} {
			for _, said := range []bool{true, false} {
				r := b.request(http.MethodPost, to.path, strings.NewReader(body))
				r.Header.Set("Content-Type", kind)
				if !said {
					r.ContentLength = -1
				}
				if b.load(r); b.status != http.StatusRequestEntityTooLarge {
					t.Errorf("%s %s: status %d", to.path, kind, b.status)
				}
			}
		}
	}
	if h.record() != before {
		t.Error("a large body has changed the account")
	}
}

// Each cookie can hold anything, for each page: nobody is let in, and nothing breaks.
func TestEachCookie(t *testing.T) {
	t.Parallel()
	h, b, _ := everything(t)
	for _, name := range []string{"challenge", "message", "step", "step-code", "setup", "address", "renewal", "newcode", "device", "wrong", "note", "receipt-0000000000000000"} {
		for _, value := range []string{"x", "~~~~", "~", "!", "x~!~", strings.Repeat("A", 3000), "%00", "done~<script>~~0~0", "x~YWxpY2U~x", "x~!YWxpY2U~x~9e9", "x~YWxpY2U~c2V0dXAKWA"} {
			for _, to := range routes(t) {
				if !to.get {
					continue
				}
				one := still(b.clone())
				one.setCookie("__Host-twofactor-"+name, value)
				if one.get(to.path); one.status >= 500 || strings.Contains(one.body, "<script>") {
					t.Errorf("%s with %s=%.20q: status %d", to.path, name, value, one.status)
				}
			}
		}
	}
	if h.failure != nil {
		t.Error(h.failure)
	}
}

// No log has a code, a token or the address with its query, whatever fails. Not parallel:
// it looks at the log of the process.
func TestNoSecretInLogs(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(before)
	h := newHost(t, enrollmenttest.New(t), func(c *web.Config) { c.Fail = nil })
	b, app, codes := h.member("alice")
	b.get("/2fa/codes/new").submit("/2fa/step", "code", h.code(app))
	b.login("alice").get("/2fa/sign-in?return=%2Freset-password%3Fkey%3Dof-the-application")
	secrets := append([]string{b.cookie("challenge"), b.cookie("renewal"), "of-the-application"}, codes...)
	h.kit.FailStore(errors.New("the database is down"))
	for _, code := range []string{codes[0], h.code(app)} {
		b.post("/2fa/sign-in?return=%2Freset-password%3Fkey%3Dof-the-application", "code", code)
		b.post("/2fa/setup", "code", code, "token", codes[1])
		b.post("/2fa/codes/new", "token", codes[2])
		b.get("/2fa/?code=" + code)
		secrets = append(secrets, code)
	}
	if strings.Count(log.String(), "the database is down") < 2 {
		t.Errorf("nothing is logged:\n%s", &log)
	}
	for _, secret := range secrets {
		if secret == "" || strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log, or was never there:\n%s", secret, &log)
		}
	}
}

// Where the database fails in the middle of a request, each page that shows something of
// the account is a fault, and nothing else.
func TestEachPageWhileTheDatabaseFails(t *testing.T) {
	t.Parallel()
	h, b, app := everything(t)
	b.get("/2fa/disable").submit("/2fa/step", "code", h.code(app))
	still(b)
	down := errors.New("the database is down")
	var faults int
	var without []string
	for _, to := range routes(t) {
		if b.get(to.path); !to.get || b.status != http.StatusOK {
			continue // it leads elsewhere
		}
		h.down, h.failure = down, nil
		b.get(to.path)
		h.down = nil
		h.kit.FailStore(nil)
		if h.failure == nil && b.status == http.StatusOK {
			without = append(without, strings.TrimPrefix(to.path, "/2fa"))
			continue
		}
		if faults++; !errors.Is(h.failure, down) || b.status != http.StatusInternalServerError || b.body != "" {
			t.Errorf("%s: status %d, Fail got %v, %q", to.path, b.status, h.failure, b.body)
		}
	}
	if faults < 6 || len(without) > 0 {
		t.Errorf("%d pages are faults, and these are shown: %q", faults, without)
	}
}
