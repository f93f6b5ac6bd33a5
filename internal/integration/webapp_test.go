package integration_test

import (
	"bufio"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// TestWebapp runs the program of examples/webapp, kills it again and again, and
// checks that nothing it has said is lost.
func TestWebapp(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "webapp")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Dir = filepath.Join("..", "..", "examples", "webapp")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		webappStory(t, binary, "-data", t.TempDir())
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		webappStory(t, binary, "-data", t.TempDir(), "-db", testenv.PostgresURL(t))
	})
	t.Run("MariaDB", func(t *testing.T) {
		t.Parallel()
		webappStory(t, binary, "-data", t.TempDir(), "-db", "mysql://"+testenv.MariaDBDSN(t))
	})
}

func webappStory(t *testing.T, binary string, args ...string) {
	w := &webapp{t: t, binary: binary, args: args}
	w.start()
	t.Cleanup(w.end)
	b := w.browser()
	b.post("/sign-up", "email", webappEmail, "password", webappPassword)
	b.signIn()
	b.get("/security/setup/begin")
	b.submit("/security/setup/begin")
	b.wants("/security/setup", "6 digits")
	w.kill()

	// The session and the setup are there, and the same.
	b.get("/security/setup")
	phone := b.scan()
	used := []string{phone.next()}
	b.submit("/security/setup", "code", used[0])
	b.wants("/security/codes", "Save your recovery codes")
	codes := b.codes()
	w.kill()

	// So are the codes, until the user has saved them.
	b.get("/security/codes")
	if again := b.codes(); !slices.Equal(again, codes) {
		t.Errorf("the recovery codes are %v after a restart, want %v", again, codes)
	}
	b.submit("/security/codes", "saved", "yes")
	b.wants("/security/", "10 of 10 are left.")
	b.post("/sign-out")
	b.signIn()
	w.kill()

	// The challenge is there, too; the code of the setup is used up.
	b.get("/security/sign-in")
	b.refused("/security/sign-in", used[0])
	b.submit("/security/sign-in", "code", codes[0])
	b.wants("/", "9 are left.")
	w.kill()
	b.post("/sign-out")
	b.signIn()
	b.refused("/security/sign-in", codes[0])
	used = append(used, phone.next())
	b.submit("/security/sign-in", "code", used[1])
	b.wants("/", "You are signed in as")
	w.kill()
	b.post("/sign-out")
	b.signIn()
	for _, code := range used {
		b.refused("/security/sign-in", code)
	}
	b.submit("/security/sign-in", "code", codes[1])
	b.wants("/", "8 are left.")

	w.raceAndKill(codes[2])

	// New codes replace the old ones, and outlive the process.
	b.signIn()
	b.submit("/security/sign-in", "code", codes[3])
	b.get("/security/codes/new")
	b.submit("/security/step", "code", codes[4])
	b.submit("/security/codes/new")
	renewed := b.codes()
	w.kill()
	b.post("/sign-out")
	b.signIn()
	b.refused("/security/sign-in", codes[5])
	b.submit("/security/sign-in", "code", renewed[0])
	b.get("/security/disable")
	b.submit("/security/step", "code", renewed[1])
	b.submit("/security/disable")
	b.wants("/security/", "Two-factor authentication is off.")
	w.kill()
	b.post("/sign-out")
	b.signIn()
	b.wants("/", "You are signed in as")
}

// raceAndKill sends one recovery code from many browsers at once, kills the
// program meanwhile, and sends it again from all of them.
func (w *webapp) raceAndKill(code string) {
	w.t.Helper()
	browsers := make([]*webappBrowser, 8)
	for i := range browsers {
		browsers[i] = w.browser()
		browsers[i].signIn()
		browsers[i].wants("/security/sign-in", "Enter your code")
	}
	// A browser that is in already is led on when it sends the code again.
	var mu sync.Mutex
	in := make(map[*webappBrowser]bool)
	send := func(answered chan<- struct{}) {
		var all sync.WaitGroup
		for _, b := range browsers {
			all.Go(func() {
				page, err := b.send(http.MethodPost, "/security/sign-in", b.form("/security/sign-in", "code", code))
				if err == nil && page.path == "/" && strings.Contains(page.body, "You are signed in as") {
					mu.Lock()
					in[b] = true
					mu.Unlock()
				}
				select {
				case answered <- struct{}{}:
				default:
				}
			})
		}
		all.Wait()
	}
	answered := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		send(answered)
	}()
	<-answered // the others are still waiting for their derivation
	w.kill()
	<-done
	send(nil)
	if len(in) > 1 {
		w.t.Errorf("one recovery code has signed in %d browsers", len(in))
	}
	browsers[0].signIn()
	browsers[0].refused("/security/sign-in", code)
}

const (
	webappEmail    = "alice@example.com"
	webappPassword = "correct horse battery"
)

// webapp is the program.
type webapp struct {
	t      *testing.T
	binary string
	args   []string

	mu   sync.Mutex // browsers read the address while it changes
	base string
	cmd  *exec.Cmd
}

// start starts the program on a free port, and waits until it listens.
func (w *webapp) start() {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), w.binary, append([]string{"-addr", "127.0.0.1:0"}, w.args...)...)
	cmd.Stderr = &testLog{t: w.t}
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		w.t.Fatalf("the program did not start: %v, %v", err, cmd.Wait())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cmd, w.base = cmd, strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
}

// kill ends the program in the middle of whatever it does, and starts it again.
func (w *webapp) kill() {
	w.t.Helper()
	w.end()
	w.start()
}

// end kills the program, and waits until it is gone.
func (w *webapp) end() {
	w.cmd.Process.Kill()
	w.cmd.Wait() // returns an error: it was killed
}

// testLog writes what the program logs where it is seen if the test fails.
type testLog struct{ t *testing.T }

func (l *testLog) Write(b []byte) (int, error) {
	l.t.Logf("%s", b)
	return len(b), nil
}

// webappBrowser stands in for a browser.
type webappBrowser struct {
	t      *testing.T
	app    *webapp
	client *http.Client
	page   webappPage
}

type webappPage struct {
	status     int
	path, body string
}

func (w *webapp) browser() *webappBrowser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &webappBrowser{t: w.t, app: w, client: &http.Client{Jar: jar}}
}

// send sends a request and follows where it leads.
func (b *webappBrowser) send(method, path string, form url.Values) (webappPage, error) {
	b.app.mu.Lock()
	base := b.app.base
	b.app.mu.Unlock()
	request, err := http.NewRequestWithContext(b.t.Context(), method, base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return webappPage{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := b.client.Do(request)
	if err != nil {
		return webappPage{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return webappPage{response.StatusCode, response.Request.URL.Path, html.UnescapeString(string(body))}, err
}

func (b *webappBrowser) load(method, path string, form url.Values) {
	b.t.Helper()
	page, err := b.send(method, path, form)
	if err != nil {
		b.t.Fatal(err)
	}
	if page.status >= http.StatusInternalServerError {
		b.t.Fatalf("%s %s: status %d", method, path, page.status)
	}
	b.page = page
}

func (b *webappBrowser) get(path string) {
	b.t.Helper()
	b.load(http.MethodGet, path, nil)
}

// post sends names and values.
func (b *webappBrowser) post(path string, fields ...string) {
	b.t.Helper()
	b.load(http.MethodPost, path, with(url.Values{}, fields))
}

// submit sends the form of the page that leads to the path, with these names and values.
func (b *webappBrowser) submit(path string, fields ...string) {
	b.t.Helper()
	b.load(http.MethodPost, path, b.form(path, fields...))
}

// form returns what the form of the page has that leads to the path, with these names
// and values.
func (b *webappBrowser) form(path string, fields ...string) url.Values {
	b.t.Helper()
	form := url.Values{}
	text := b.match(`(?s)<form[^>]* action="` + path + `"[^>]*>(.*?)</form>`)
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		form.Set(m[1], m[2])
	}
	return with(form, fields)
}

func with(form url.Values, fields []string) url.Values {
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form
}

func (b *webappBrowser) signIn() {
	b.t.Helper()
	b.post("/sign-in", "email", webappEmail, "password", webappPassword)
}

// wants checks where the browser is and what it shows.
func (b *webappBrowser) wants(path, text string) {
	b.t.Helper()
	if b.page.path != path || !strings.Contains(b.page.body, text) {
		b.t.Fatalf("at %s, want %s with %q:\n%s", b.page.path, path, text, b.page.body)
	}
}

// refused sends a code and checks that it is not accepted.
func (b *webappBrowser) refused(path, code string) {
	b.t.Helper()
	b.submit(path, "code", code)
	if b.page.path != path || !strings.Contains(b.page.body, `role="alert"`) {
		b.t.Fatalf("at %s, want a refusal:\n%s", b.page.path, b.page.body)
	}
}

// match returns what the first group of the pattern finds on the page.
func (b *webappBrowser) match(pattern string) string {
	b.t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(b.page.body)
	if m == nil {
		b.t.Fatalf("no %s at %s:\n%s", pattern, b.page.path, b.page.body)
	}
	return m[1]
}

// codes returns the recovery codes on the page.
func (b *webappBrowser) codes() []string {
	b.t.Helper()
	codes := regexp.MustCompile(`[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}`).FindAllString(b.page.body, -1)
	if len(codes) != 10 {
		b.t.Fatalf("%d recovery codes at %s:\n%s", len(codes), b.page.path, b.page.body)
	}
	return codes
}

// webappPhone is an authenticator app whose owner types no code twice.
type webappPhone struct {
	t    *testing.T
	key  totp.Key
	last int64 // step of the code that was typed last
}

func (b *webappBrowser) scan() *webappPhone {
	b.t.Helper()
	key, _, err := totp.ParseURI(b.match(`href="(otpauth://[^"]*)"`))
	if err != nil {
		b.t.Fatal(err)
	}
	return &webappPhone{t: b.t, key: key}
}

// next returns the code of the earliest step that is accepted now and was not
// used, so that three codes can be had without waiting. It waits for a step
// only where there is none.
func (p *webappPhone) next() string {
	p.t.Helper()
	const margin = 10 * time.Second // that a code takes to arrive, at most
	now := time.Now()
	step := p.key.Step(now)
	if !p.key.StepTime(step + 1).Before(now.Add(margin)) {
		step-- // the one before is still good for long enough
	}
	step = max(step, p.last+1)
	if wait := time.Until(p.key.StepTime(step - totp.LookAround)); wait > 0 {
		select {
		case <-time.After(wait):
		case <-p.t.Context().Done():
			p.t.Fatal("the test ended while waiting for a code")
		}
	}
	p.last = step
	code, err := p.key.Code(p.key.StepTime(step))
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}
