package main

import (
	"bytes"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// clock is the clock of a site and its phones.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 3, 2, 10, 0, 7, 0, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// notes is a log that tests can read while it is written.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(b)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// site is a running server with its own folder.
type site struct {
	t      *testing.T
	config config
	clock  *clock
	log    *notes
	app    *app
	server *httptest.Server
}

// newSite starts a site. The changes adjust its configuration.
func newSite(t *testing.T, changes ...func(*config)) *site {
	t.Helper()
	s := &site{t: t, clock: newClock(), log: &notes{}}
	s.config = s.settings()
	for _, change := range changes {
		change(&s.config)
	}
	s.start()
	t.Cleanup(s.stop)
	return s
}

// settings returns the configuration of a site before any change.
func (s *site) settings() config {
	return config{
		Config: enrollment.Config{
			Issuer: defaultIssuer,
			Now:    s.clock.Now,
			Logger: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		},
		data:   s.t.TempDir(),
		cost:   bcrypt.MinCost,
		domain: "example.com",
	}
}

func (s *site) start() {
	s.t.Helper()
	a, err := open(s.t.Context(), s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.app, s.server = a, httptest.NewServer(a.handler())
}

func (s *site) stop() {
	s.server.Close()
	if err := s.app.close(); err != nil {
		s.t.Error(err)
	}
}

// restart restarts the server, as a new deployment does. Everything in memory is
// lost.
func (s *site) restart() {
	s.t.Helper()
	s.stop()
	s.start()
}

// browser acts as one: it keeps cookies, follows redirects, and fills in the forms
// of its page.
type browser struct {
	t      *testing.T
	site   *site
	client *http.Client
	page   page

	language string // that it asks for
}

// page is the page in a browser.
type page struct {
	status int
	path   string
	header http.Header
	body   string
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{t: s.t, site: s, client: &http.Client{Jar: jar}}
}

func (b *browser) get(path string) {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.site.server.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.load(request)
}

// post sends a form that need not be on the page.
func (b *browser) post(path string, fields url.Values) {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.site.server.URL+path, strings.NewReader(fields.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", b.site.server.URL)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	request.Header.Set("Referer", b.site.server.URL+b.page.path)
	b.load(request)
}

func (b *browser) load(request *http.Request) {
	b.t.Helper()
	request.Header.Set("Accept-Language", b.language)
	request.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.page = page{response.StatusCode, response.Request.URL.RequestURI(), response.Header, string(body)}
	if response.StatusCode >= http.StatusInternalServerError {
		b.t.Fatalf("%s %s: %s\n%s", request.Method, request.URL.Path, response.Status, b.site.log)
	}
	if !strings.Contains(response.Header.Get("Cache-Control"), "no-store") {
		b.t.Errorf("%s %s: can be kept in a cache", request.Method, request.URL.Path)
	}
}

var (
	formRE   = regexp.MustCompile(`(?s)<form[^>]*\baction="([^"]*)"[^>]*>(.*?)</form>`)
	inputRE  = regexp.MustCompile(`<(?:input|select)\b[^>]*>`)
	choiceRE = regexp.MustCompile(`type="(checkbox|radio)"`)
	nameRE   = regexp.MustCompile(`\bname="([^"]*)"`)
	valueRE  = regexp.MustCompile(`\bvalue="([^"]*)"`)
)

// submit fills in and sends the form with that action. typed are pairs of a field's
// name and its value. It fails if the page has no such form or field.
func (b *browser) submit(action string, typed ...string) {
	b.t.Helper()
	for _, form := range formRE.FindAllStringSubmatch(b.page.body, -1) {
		if html.UnescapeString(form[1]) != action {
			continue
		}
		fields, has := url.Values{}, map[string]bool{}
		for _, input := range inputRE.FindAllString(form[2], -1) {
			name, value := nameRE.FindStringSubmatch(input), valueRE.FindStringSubmatch(input)
			if name == nil {
				continue
			}
			has[name[1]] = true
			if choiceRE.MatchString(input) && !strings.Contains(input, " checked") {
				continue
			}
			fields.Set(name[1], "")
			if value != nil {
				fields.Set(name[1], html.UnescapeString(value[1]))
			}
		}
		for i := 0; i < len(typed); i += 2 {
			if !has[typed[i]] {
				b.t.Fatalf("%s: the form for %s has no field %q", b.page.path, action, typed[i])
			}
			fields.Set(typed[i], typed[i+1])
		}
		b.post(action, fields)
		return
	}
	b.t.Fatalf("%s has no form for %s:\n%s", b.page.path, action, b.page.body)
}

// follow follows the link with that text.
func (b *browser) follow(text string) {
	b.t.Helper()
	link := regexp.MustCompile(`<a\b[^>]*\bhref="([^"]*)"[^>]*>[^<]*` + regexp.QuoteMeta(text))
	m := link.FindStringSubmatch(b.page.body)
	if m == nil {
		b.t.Fatalf("%s has no link %q:\n%s", b.page.path, text, b.page.body)
	}
	b.get(html.UnescapeString(m[1]))
}

// lacks checks that the page contains none of the texts.
func (b *browser) lacks(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if b.page.says(text) {
			b.t.Fatalf("%s says %q:\n%s", b.page.path, text, b.page.body)
		}
	}
}

// at checks the path of the page.
func (b *browser) at(path string) {
	b.t.Helper()
	if b.page.path != path {
		b.t.Fatalf("at %s, want %s:\n%s", b.page.path, path, b.page.body)
	}
}

var tagRE = regexp.MustCompile(`<[^>]*>`)

// says reports whether the page contains the text, as text or in its source.
func (p page) says(text string) bool {
	return strings.Contains(html.UnescapeString(p.body), text) ||
		strings.Contains(html.UnescapeString(tagRE.ReplaceAllString(p.body, "")), text)
}

// sees checks that the page contains the texts.
func (b *browser) sees(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if !b.page.says(text) {
			b.t.Fatalf("%s does not say %q:\n%s", b.page.path, text, b.page.body)
		}
	}
}

// denied checks the problem that the page shows.
func (b *browser) denied(text string) {
	b.t.Helper()
	problem := problemRE.FindStringSubmatch(b.page.body)
	if problem == nil || !strings.Contains(html.UnescapeString(tagRE.ReplaceAllString(problem[1], "")), text) {
		b.t.Fatalf("%s does not say %q as a problem:\n%s", b.page.path, text, b.page.body)
	}
}

var problemRE = regexp.MustCompile(`(?s)role="alert">(.*?)</p>`)

// signedOut checks that the page is that of the password.
func (b *browser) signedOut() {
	b.t.Helper()
	path, _, _ := strings.Cut(b.page.path, "?")
	again := path == "/security/sign-in" && b.page.says("Sign in with your password first.")
	if path != "/sign-in" && !again {
		b.t.Fatalf("at %s, want /sign-in:\n%s", b.page.path, b.page.body)
	}
}

// askedForCode checks that the page asks for a code of a user who is signed in.
func (b *browser) askedForCode() {
	b.t.Helper()
	if path, _, _ := strings.Cut(b.page.path, "?"); path != "/security/step" {
		b.t.Fatalf("at %s, want /security/step:\n%s", b.page.path, b.page.body)
	}
}

// step enters a code on the page that asks for one.
func (b *browser) step(code string) {
	b.t.Helper()
	b.askedForCode()
	b.submit("/security/step", "code", code)
}

// code enters a code of the sign-in.
func (b *browser) code(code string, more ...string) {
	b.t.Helper()
	b.submit("/security/sign-in", append([]string{"code", code}, more...)...)
}

const password = "correct horse battery"

func (b *browser) signUp(email string) {
	b.t.Helper()
	b.get("/sign-up")
	b.submit("/sign-up", "email", email, "password", password)
	b.at("/sign-in")
}

// signIn enters the password.
func (b *browser) signIn(email string) {
	b.t.Helper()
	b.get("/sign-in")
	b.submit("/sign-in", "email", email, "password", password)
}

func (b *browser) signOut() {
	b.t.Helper()
	b.submit("/sign-out")
	b.at("/")
}

// enable turns two-factor authentication on.
func (b *browser) enable() (*phone, []string) {
	b.t.Helper()
	p := b.setUp("/security/setup/begin")
	b.submit("/security/setup", "code", p.next())
	return p, b.saved()
}

// setUp goes to the page with the QR code.
func (b *browser) setUp(path string) *phone {
	b.t.Helper()
	b.get(path)
	b.submit("/security/setup/begin")
	return b.scan()
}

// saved returns the recovery codes on the page and leaves it.
func (b *browser) saved() []string {
	b.t.Helper()
	codes := b.codes()
	b.submit("/security/codes")
	return codes
}

var codeRE = regexp.MustCompile(`<code translate="no">([0-9A-Z-]+)</code></li>`)

// codes returns the recovery codes on the page.
func (b *browser) codes() []string {
	b.t.Helper()
	var codes []string
	for _, m := range codeRE.FindAllStringSubmatch(b.page.body, -1) {
		codes = append(codes, m[1])
	}
	if len(codes) != 10 {
		b.t.Fatalf("%s shows %d recovery codes, want 10:\n%s", b.page.path, len(codes), b.page.body)
	}
	return codes
}

// shown lets tests read the messages as people do. The bar is on each page then.
func shown(c *config) { c.demo = &demonstration{} }

// fast makes recovery codes cheap.
func fast(c *config) { c.RecoveryScheme = recovery.Fast }

// member signs a user up and in.
func (s *site) member(email string) *browser {
	s.t.Helper()
	b := s.browser()
	b.signUp(email)
	b.signIn(email)
	b.at("/")
	return b
}

const adminEmail = "root@example.com"

// admin is the first user, with two-factor authentication on and a code entered for
// administration.
func (s *site) admin() (*browser, *phone) {
	s.t.Helper()
	b := s.member(adminEmail)
	p, _ := b.enable()
	b.get("/admin/mandate")
	b.step(p.next())
	b.at("/admin/mandate")
	return b, p
}

// idOf returns the id of a user.
func (s *site) idOf(email string) string {
	s.t.Helper()
	u, err := s.app.accounts.ByEmail(s.t.Context(), email)
	if err != nil {
		s.t.Fatal(err)
	}
	return u.ID
}

// received returns the latest letter to that address that contains the text.
func (s *site) received(to, text string) demo.Letter {
	s.t.Helper()
	for _, l := range s.app.mailbox.List() {
		if l.To == to && strings.Contains(l.Text, text) {
			return l
		}
	}
	s.t.Fatalf("no message to %s says %q: %+v", to, text, s.app.mailbox.List())
	return demo.Letter{}
}

var sentRE = regexp.MustCompile(`#([0-9]{6})$`)

// sentCode returns the code in the latest message to that number.
func (s *site) sentCode(to string) string {
	s.t.Helper()
	return sentRE.FindStringSubmatch(s.received(to, "\n\n@").Text)[1]
}

// cookies returns the cookies of the site.
func (b *browser) cookies() []*http.Cookie {
	b.t.Helper()
	at, err := url.Parse(b.site.server.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.client.Jar.Cookies(at)
}

// cookie returns the cookie with that name, or nil.
func (b *browser) cookie(name string) *http.Cookie {
	b.t.Helper()
	for _, c := range b.cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

func (b *browser) setCookies(cookies []*http.Cookie) {
	b.t.Helper()
	at, err := url.Parse(b.site.server.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	b.client.Jar.SetCookies(at, cookies)
}
