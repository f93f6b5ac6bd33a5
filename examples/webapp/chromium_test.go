package main

import (
	"flag"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/chromium"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
)

var pictures = flag.String("pictures", "", "`folder` for pictures of the pages")

// A person uses the site with a real browser and an authenticator app.
type person struct {
	*chromium.Tab
	t    *testing.T
	site *site
}

func (s *site) person() *person {
	s.t.Helper()
	if testing.Short() {
		s.t.Skip("takes a browser")
	}
	return &person{chromium.Open(s.t, s.server.URL), s.t, s}
}

// picture looks for barriers on the page, and keeps what it looks like if the flag asks
// for it.
func (p *person) picture(name string) {
	p.t.Helper()
	for _, x := range p.Barriers() {
		p.t.Errorf("%s: %s: %s: %s", name, x.Rule, x.Where, x.Why)
	}
	if *pictures != "" {
		p.Picture(*pictures, name)
	}
}

func (p *person) signUp(email string) {
	p.t.Helper()
	p.Get("/sign-up")
	p.Type("#email", email)
	p.Type("#password", password+"\r")
}

func (p *person) signIn(email string) {
	p.t.Helper()
	p.Get("/sign-in")
	p.Type("#email", email)
	p.Type("#password", password+"\r")
}

// oath is an app that a person uses: the program oathtool, with the secret of a picture.
type oath struct {
	t      *testing.T
	site   *site
	secret string
}

// scan takes a picture of the QR code, as a phone does.
func (p *person) scan() oath {
	p.t.Helper()
	uri := p.Scan("img.qr")
	_, rest, found := strings.Cut(uri, "secret=")
	if !found {
		p.t.Fatalf("the picture says %q", uri)
	}
	secret, _, _ := strings.Cut(rest, "&")
	return oath{p.t, p.site, secret}
}

// next waits for the next code.
func (o oath) next() string {
	o.site.clock.advance(30 * time.Second)
	return o.shows()
}

func (o oath) shows() string {
	o.t.Helper()
	path, err := exec.LookPath("oathtool")
	if err != nil {
		testenv.Missing(o.t, "oathtool is not in PATH")
	}
	now := o.site.clock.Now().UTC().Format("2006-01-02 15:04:05 UTC")
	out, err := exec.CommandContext(o.t.Context(), path, "--totp", "-b", "--now", now, o.secret).Output()
	if err != nil {
		o.t.Fatalf("oathtool: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// Review: two-factor authentication from the settings, backup codes, a new phone,
// and its end.
func TestStoryOfReview(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	p := s.person()
	p.Get("/")
	p.picture("welcome")
	p.signUp("alice@example.com")
	p.Sees("Account created.")
	p.signIn("alice@example.com")
	p.Sees("You are signed in as")
	p.picture("home")
	p.Get("/security/")
	p.picture("security-off")
	p.Click("a[href='/security/setup/begin']")
	p.Sees("Set up two-factor authentication")
	p.picture("begin")
	p.Click("main form button")
	p.Sees("Scan this with the app")
	p.picture("setup")
	app := p.scan()
	p.Type("#code", app.shows()) // the last digit sends it
	p.Sees("Save your recovery codes")
	p.picture("codes")
	codes := p.Texts(".recovery-codes ol code")
	p.Reload()
	p.Sees(codes[9])
	p.Click("main [type=checkbox]")
	p.Click("form[action='/security/codes'] button")
	p.Sees("10 of 10 are left.")
	p.picture("security-on")

	p.signIn("alice@example.com")
	p.Sees("Enter your code")
	p.picture("sign-in-code")
	p.Type("#code", app.next())
	p.Sees("You are signed in as")
	p.Get("/data")
	p.Sees("Confirm that it is you")
	p.picture("step")
	p.Type("#code", codes[0]+"\r")
	p.Sees(`"email": "alice@example.com"`)
	p.picture("data")
	p.Get("/admin/members")
	p.Type("#code", app.next())
	p.Sees("Download as CSV")
	p.picture("members")
	p.Get("/admin/mandate")
	p.picture("mandate")

	other := s.member("bob@example.com")
	other.enable()
	p.Get(memberPath(s.idOf("bob@example.com")))
	p.Sees("Help this user")
	p.picture("member")

	p.Get("/security/codes/new")
	p.Type("#code", app.next())
	p.Sees("Your old recovery codes stop working")
	p.picture("renew")
	p.Get("/security/disable")
	p.Sees("Your password alone will sign in.")
	p.picture("disable")
	p.Get("/security/address")
	p.Sees("Country")
	p.picture("phone")
	p.signIn("alice@example.com")
	for range 6 {
		p.Sees("Enter your code")
		p.Next(func() { p.Type("#code", "000000\r") })
		p.Sees("wrong")
	}
	p.picture("locked")
	p.Get("/nowhere")
	p.picture("error")
}

// A visitor without a phone goes through a story by clicks.
func TestBarInABrowser(t *testing.T) {
	t.Parallel()
	s, _ := demonstrate(t)
	p := s.person()
	click := func(selector string) { p.Next(func() { p.Click(selector) }) }
	p.Get("/")
	p.Sees("Start one")
	p.picture("demo-welcome")
	click("[value=review]")
	p.Sees("You are review-")
	p.picture("demo-story")
	p.Get("/security/setup/begin")
	click("main form button")
	p.Sees("Scan the QR code")
	click("form[action='/demo/phone'] button")
	p.Sees("Type it")
	p.picture("demo-setup")
	click("[data-type]")
	p.Sees("Save your recovery codes")
	p.Click("main [type=checkbox]")
	click("form[action='/security/codes'] button")
	p.Sees("10 of 10 are left.")
	click("[value=admin]")
	p.Sees("Confirm that it is you")
	click("[value='30s']")
	p.Sees("30 seconds ahead")
	click(".demo-phone li:nth-child(2) [data-type]")
	p.Sees("Download as CSV")
	p.picture("demo-members")
}
