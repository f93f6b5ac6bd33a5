package main

import (
	"html"
	"net/url"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// TestKeepCodes shows recovery codes a second time.
func TestKeepCodes(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) { c.KeepCodes = true })
	b := s.member("alice@example.com")
	phone, codes := b.enable()
	b.get("/security/")
	b.follow("Show codes again")
	b.step(codes[0])
	b.denied("A recovery code can’t be used here.")
	b.step(phone.next())
	if got := b.codes(); !slices.Equal(got, codes) {
		t.Errorf("shows %v, want %v", got, codes)
	}
	b.get("/security/")
	b.sees("Your recovery codes were shown.")

	s.config.KeepCodes = false
	s.restart()
	c := s.member("carol@example.com")
	c.enable()
	c.get("/security/")
	c.lacks("Show codes again")
	c.get("/security/codes/kept")
	c.lacks("recovery-codes")
}

// TestReplenish shows the code that replaces a used one.
func TestReplenish(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast, func(c *config) { c.ReplenishCodes, c.eightCodes = true, true })
	b := s.member(email)
	phone := b.setUp("/security/setup/begin")
	b.submit("/security/setup", "code", phone.next())
	codes := codeRE.FindAllStringSubmatch(b.page.body, -1)
	if len(codes) != 8 {
		t.Fatalf("%d codes", len(codes))
	}
	b.submit("/security/codes")
	b.signOut()
	b.signIn(email)
	b.code(codes[0][1])
	b.sees("It replaces the one that you have just used.")
	m := codeRE.FindAllStringSubmatch(b.page.body, -1)
	if len(m) != 1 {
		t.Fatalf("%d new codes:\n%s", len(m), b.page.body)
	}
	b.get("/security/")
	b.sees("8 of 8 are left.")
	b.get("/data")
	b.step(m[0][1])
	b.sees("It replaces the one that you have just used.")
	b.get("/data")
	b.sees(email)
	b.signOut()
	b.signIn(email)
	b.code(m[0][1])
	b.denied("not one of your recovery codes")
}

// TestCodesAtSetup shows the recovery codes before the first code.
func TestCodesAtSetup(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast, func(c *config) { c.CodesAtSetup = true })
	b := s.member(email)
	phone := b.setUp("/security/setup/begin")
	codes := b.codes()
	b.sees("They become valid when the setup is done.")
	b.get("/security/setup")
	b.submit("/security/setup", "code", phone.next())
	if got := b.saved(); !slices.Equal(got, codes) {
		t.Errorf("confirms %v, has shown %v", got, codes)
	}
	b.signOut()
	b.signIn(email)
	b.code(codes[9])
	b.at("/")
	b.sees("9 are left.")
}

// TestPasswordDisables turns it off with the password alone.
func TestPasswordDisables(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) { c.ReauthDisables = true })
	b := s.member("alice@example.com")
	b.enable()
	s.clock.advance(10 * time.Minute)
	b.get("/security/disable")
	b.sees("For this change we need your password again.")
	b.lacks("authenticator app", `name="code"`)
	b.submit("/confirm", "password", password+"?")
	b.denied("Wrong password.")
	b.submit("/confirm", "password", password)
	b.at("/security/disable")
	b.submit("/security/disable")
	b.sees("Two-factor authentication is off.")

	phone, _ := b.enable()
	s.config.ReauthDisables = false
	s.restart()
	c := s.browser()
	c.signIn("alice@example.com")
	c.code(phone.next())
	c.post("/security/disable", url.Values{"password": {password}})
	c.askedForCode()
}

// The page that asks for the password again leads to this site and nowhere else.
func TestConfirmLeadsHere(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	b := s.member("alice@example.com")
	for _, to := range []string{"//evil.example", "https://evil.example/", "/\\evil.example", "evil", ""} {
		b.post("/confirm", url.Values{"password": {password}, "return": {to}})
		b.at("/")
	}
	b.post("/confirm", url.Values{"password": {password}, "return": {"/security/"}})
	b.at("/security/")
}

// TestBrands shows another name for another host, in the page and in the app.
func TestBrands(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) {
		c.Issuer = "Acme"
		c.brands = map[string]string{"localhost": "Reseller One"}
	})
	for host, want := range map[string]string{"127.0.0.1": "Acme", "localhost": "Reseller One"} {
		s.server.URL = regexp.MustCompile(`//[^:]*:`).ReplaceAllString(s.server.URL, "//"+host+":")
		b := s.member("alice@" + host + ".example")
		b.sees("<title>Home · " + want + "</title>")
		phone := b.setUp("/security/setup/begin")
		_, label, err := totp.ParseURI(html.UnescapeString(linkRE.FindStringSubmatch(b.page.body)[1]))
		if err != nil || label.Issuer != want {
			t.Errorf("%s: the app shows %q, %v", host, label.Issuer, err)
		}
		b.submit("/security/setup", "code", phone.next())
		b.sees("Recovery codes for " + want)
		s.clock.advance(time.Minute)
	}
	brands := map[string]string{}
	for _, text := range []string{"", "localhost", "=Acme", "localhost="} {
		if err := addBrand(brands, text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	if err := addBrand(brands, "Example.COM=Acme"); err != nil || brands["example.com"] != "Acme" {
		t.Errorf("%v, %v", brands, err)
	}
	s.config.brands = map[string]string{"localhost": "a:b"}
	if _, err := open(t.Context(), s.config); err == nil {
		t.Error("a name that apps can't show is taken")
	}
}
