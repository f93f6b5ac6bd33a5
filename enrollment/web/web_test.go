package web_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

// host is an application with sessions that end when their stamp is old.
type host struct {
	t      *testing.T
	kit    *enrollmenttest.Kit
	pages  *web.Pages
	server *httptest.Server
	login  enrollment.SignInOptions // of the next sign-in
	wipe   http.Handler             // at /wipe, if a test has one

	mu       sync.Mutex
	sessions map[string]web.SignedIn
	started  []web.SignedIn
	next     int
	checked  func() time.Time // what Reauth returns
	failure  error            // what Fail got last
	down     error            // what the database answers once the session was found
}

var texts = web.Texts("en")

// newHost starts an application. The changes adjust the Config of its pages.
func newHost(t *testing.T, kit *enrollmenttest.Kit, changes ...func(*web.Config)) *host {
	t.Helper()
	h := &host{t: t, kit: kit, sessions: map[string]web.SignedIn{}, checked: kit.Clock.Now}
	config := web.Config{
		User:    h.user,
		Start:   h.start,
		Reauth:  func(*http.Request) (time.Time, error) { return h.checked(), nil },
		Account: nil,
		Fail: func(w http.ResponseWriter, _ *http.Request, err error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.failure = err
			w.WriteHeader(http.StatusInternalServerError)
		},
	}
	for _, change := range changes {
		change(&config)
	}
	own := config.Text
	config.Text = func(r *http.Request, key string) string {
		if texts[key] == "" {
			t.Errorf("%s %s asks for the words for %q, which Texts has not", r.Method, r.URL, key)
		}
		if own != nil {
			return own(r, key)
		}
		return ""
	}
	var err error
	if h.pages, err = web.New(kit.Guard, config); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(cmp.Or(config.Path, "/2fa")+"/", h.pages)
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		if user := r.FormValue("user"); user != "" {
			h.pages.SignIn(w, r, user, h.login)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
	mux.Handle("/delete", h.pages.RequireRecent("delete", 5*time.Minute)(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method, " deleted") })))
	mux.HandleFunc("/wipe", func(w http.ResponseWriter, r *http.Request) { h.wipe.ServeHTTP(w, r) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		user, err := h.user(r)
		fmt.Fprintf(w, "home of %q %v", user, err)
	})
	h.server = httptest.NewTLSServer(answeredOnce(t, mux))
	t.Cleanup(h.server.Close)
	return h
}

func (h *host) user(r *http.Request) (string, error) {
	id := ""
	if cookie, err := r.Cookie("session"); err == nil {
		id = cookie.Value
	} else if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		id = token
	}
	h.mu.Lock()
	in, ok := h.sessions[id]
	h.mu.Unlock()
	if !ok {
		return "", nil
	}
	status, err := h.kit.Guard.Status(r.Context(), in.UserID)
	if err != nil || status.Stamp != in.Stamp {
		return "", err
	}
	if h.down != nil {
		h.kit.FailStore(h.down)
	}
	return in.UserID, nil
}

func (h *host) start(w http.ResponseWriter, r *http.Request, in web.SignedIn) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if cookie, err := r.Cookie("session"); err == nil {
		delete(h.sessions, cookie.Value)
	}
	h.next++
	id := fmt.Sprintf("session-%d", h.next)
	h.sessions[id] = in
	h.started = append(h.started, in)
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", Secure: true, HttpOnly: true})
	return id, nil
}

// at returns the address of the application.
func (h *host) at() *url.URL {
	at, _ := url.Parse(h.server.URL)
	return at
}

// browser acts as one: it keeps cookies, follows redirects, and fills in forms.
type browser struct {
	t      *testing.T
	host   *host
	client *http.Client

	status int
	path   string
	header http.Header
	body   string
}

func (h *host) browser() *browser {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	client := *h.server.Client()
	client.Jar = jar
	return &browser{t: h.t, host: h, client: &client}
}

// clone returns a browser with the same cookies that shares none of its later ones.
func (b *browser) clone() *browser {
	b.t.Helper()
	c := b.host.browser()
	at, _ := url.Parse(b.host.server.URL)
	c.client.Jar.SetCookies(at, b.client.Jar.Cookies(at))
	return c
}

func (b *browser) load(r *http.Request) *browser {
	b.t.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.status, b.path, b.header, b.body = response.StatusCode, response.Request.URL.RequestURI(), response.Header, string(body)
	return b
}

func (b *browser) request(method, path string, body io.Reader) *http.Request {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.host.server.URL+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	return r
}

func (b *browser) get(path string) *browser {
	b.t.Helper()
	return b.load(b.request(http.MethodGet, path, nil))
}

func (b *browser) post(path string, pairs ...string) *browser {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.load(b.formRequest(path, form))
}

// formRequest returns what a form of the application sends.
func (b *browser) formRequest(path string, form url.Values) *http.Request {
	b.t.Helper()
	r := b.request(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.host.server.URL)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

var (
	formRE  = regexp.MustCompile(`(?s)<form[^>]*\baction="([^"]*)"[^>]*>(.*?)</form>`)
	inputRE = regexp.MustCompile(`<input\b[^>]*>`)
	nameRE  = regexp.MustCompile(`\bname="([^"]*)"`)
	valueRE = regexp.MustCompile(`\bvalue="([^"]*)"`)
)

// form returns the fields of the form with that action, filled in from pairs.
func (b *browser) form(action string, pairs ...string) []string {
	b.t.Helper()
	for _, form := range formRE.FindAllStringSubmatch(b.body, -1) {
		if html.UnescapeString(form[1]) != action {
			continue
		}
		fields := []string{}
		for _, input := range inputRE.FindAllString(form[2], -1) {
			name, value := nameRE.FindStringSubmatch(input), valueRE.FindStringSubmatch(input)
			if name == nil || strings.Contains(input, "checkbox") || contains(pairs, name[1]) {
				continue
			}
			fields = append(fields, name[1], "")
			if value != nil {
				fields[len(fields)-1] = html.UnescapeString(value[1])
			}
		}
		return append(fields, pairs...)
	}
	b.t.Fatalf("%s has no form for %s:\n%s", b.path, action, b.body)
	return nil
}

func contains(pairs []string, name string) bool {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == name {
			return true
		}
	}
	return false
}

func (b *browser) submit(action string, pairs ...string) *browser {
	b.t.Helper()
	return b.post(action, b.form(action, pairs...)...)
}

// follow follows the link to that address.
func (b *browser) follow(href string) *browser {
	b.t.Helper()
	if !strings.Contains(html.UnescapeString(b.body), `href="`+href+`"`) {
		b.t.Fatalf("%s has no link to %s:\n%s", b.path, href, b.body)
	}
	return b.get(href)
}

// at checks where the browser is, and what the page says.
func (b *browser) at(path string, says ...string) *browser {
	b.t.Helper()
	if b.path != path || b.status != http.StatusOK {
		b.t.Fatalf("at %s with status %d, want %s:\n%s", b.path, b.status, path, b.body)
	}
	return b.sees(says...)
}

func (b *browser) sees(says ...string) *browser {
	b.t.Helper()
	for _, text := range says {
		if !strings.Contains(html.UnescapeString(b.body), text) {
			b.t.Fatalf("%s does not say %q:\n%s", b.path, text, b.body)
		}
	}
	return b
}

func (b *browser) lacks(says ...string) *browser {
	b.t.Helper()
	for _, text := range says {
		if strings.Contains(html.UnescapeString(b.body), text) {
			b.t.Fatalf("%s says %q:\n%s", b.path, text, b.body)
		}
	}
	return b
}

// login enters the password.
func (b *browser) login(user string) *browser {
	b.t.Helper()
	return b.post("/login", "user", user)
}

var (
	linkRE = regexp.MustCompile(`href="(otpauth://[^"]*)"`)
	codeRE = regexp.MustCompile(`<code[^>]*>([0-9A-Z]{4}(?:-[0-9A-Z]{2,4})+)</code>`)
)

// scan sets up an app with the secret on the page.
func (b *browser) scan() *enrollmenttest.App {
	b.t.Helper()
	link := linkRE.FindStringSubmatch(b.body)
	if link == nil {
		b.t.Fatalf("%s has no otpauth link:\n%s", b.path, b.body)
	}
	app, err := enrollmenttest.Scan(html.UnescapeString(link[1]))
	if err != nil {
		b.t.Fatal(err)
	}
	return app
}

// codes returns the recovery codes on the page.
func (b *browser) codes() []string {
	b.t.Helper()
	var codes []string
	for _, m := range codeRE.FindAllStringSubmatch(b.body, -1) {
		codes = append(codes, m[1])
	}
	if len(codes) != 10 {
		b.t.Fatalf("%s shows %d recovery codes:\n%s", b.path, len(codes), b.body)
	}
	return codes
}

// code returns what the app shows after the clock has moved to the next code.
func (h *host) code(app *enrollmenttest.App) string {
	before := app.Code(h.kit.Clock.Now())
	for {
		h.kit.Clock.Advance(app.Period())
		if code := app.Code(h.kit.Clock.Now()); code != before {
			return code
		}
	}
}

// enroll turns two-factor authentication on, for a user who is signed in.
func (b *browser) enroll() (*enrollmenttest.App, []string) {
	b.t.Helper()
	b.get("/2fa/").follow("/2fa/setup/begin").submit("/2fa/setup/begin").at("/2fa/setup")
	app := b.scan()
	b.submit("/2fa/setup", "code", b.host.code(app)).at("/2fa/codes")
	codes := b.codes()
	b.get("/2fa/setup").at("/2fa/codes").submit("/2fa/codes") // as after Back
	return app, codes
}

// member returns a browser of a user who is signed in and enrolled.
func (h *host) member(user string) (*browser, *enrollmenttest.App, []string) {
	h.t.Helper()
	b := h.browser().login(user)
	app, codes := b.enroll()
	return b, app, codes
}

// cookie returns the value of a cookie of the package.
func (b *browser) cookie(name string) string {
	at, _ := url.Parse(b.host.server.URL)
	for _, c := range b.client.Jar.Cookies(at) {
		if c.Name == "__Host-twofactor-"+name {
			return c.Value
		}
	}
	return ""
}

func (b *browser) setCookie(name, value string) {
	at, _ := url.Parse(b.host.server.URL)
	b.client.Jar.SetCookies(at, []*http.Cookie{{Name: name, Value: value, Path: "/", Secure: true}})
}

// object reads the answer as JSON.
func (b *browser) object() map[string]any {
	b.t.Helper()
	v := map[string]any{}
	if err := json.Unmarshal([]byte(b.body), &v); err != nil {
		b.t.Fatalf("%s: %v:\n%s", b.path, err, b.body)
	}
	return v
}
