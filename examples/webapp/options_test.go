package main

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// TestKeepCodes shows recovery codes a second time.
func TestKeepCodes(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) { c.keepCodes = true })
	b := s.member("alice@example.com")
	phone, codes := b.enable()
	b.lacks("only once")
	b.get("/security")
	b.follow("Show codes again")
	b.submit("/security/codes/show", "code", codes[0])
	if b.page.status != http.StatusForbidden {
		t.Errorf("with a recovery code: status %d", b.page.status)
	}
	b.submit("/security/codes/show", "code", phone.next())
	if got := b.codes(); strings.Join(got, " ") != strings.Join(codes, " ") {
		t.Errorf("shows %v, want %v", got, codes)
	}
	b.get("/security")
	b.sees("Your recovery codes were shown.")

	s.config.keepCodes = false
	s.restart()
	c := s.member("carol@example.com")
	phone, _ = c.enable()
	c.sees("only once")
	c.get("/security")
	c.lacks("Show codes again")
	c.get("/security/codes/show")
	c.submit("/security/codes/show", "code", phone.next())
	c.sees("We can’t show your recovery codes again.")
}

// TestReplenish shows the code that replaces a used one.
func TestReplenish(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast, func(c *config) { c.replenish = true })
	b := s.member(email)
	_, codes := b.enable()
	b.get("/")
	b.signOut()
	b.signIn(email)
	b.submit("/sign-in/code", "code", codes[0])
	b.sees("This new code replaces it.")
	m := codeRE.FindAllStringSubmatch(b.page.body, -1)
	if len(m) != 1 {
		t.Fatalf("%d new codes:\n%s", len(m), b.page.body)
	}
	b.get("/security")
	b.sees("10 of 10 are left.")
	b.get("/data")
	b.submit("/data", "code", m[0][1])
	b.sees("This new code replaces it.")
	b.get("/data")
	b.sees(email)
	b.signOut()
	b.signIn(email)
	b.submit("/sign-in/code", "code", m[0][1])
	b.denied(http.StatusUnprocessableEntity, "not one of your recovery codes")
}

// TestCodesAtSetup shows the recovery codes before the first code.
func TestCodesAtSetup(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast, func(c *config) { c.codesAtSetup = true })
	b := s.member(email)
	b.get("/security/begin")
	b.submit("/security/begin")
	codes := b.codes()
	b.sees("They work only after you confirm the code below.")
	b.get("/security/setup")
	b.submit("/security/setup", "code", b.scan().next())
	if got := b.codes(); strings.Join(got, " ") != strings.Join(codes, " ") {
		t.Errorf("confirms %v, has shown %v", got, codes)
	}
	b.get("/")
	b.signOut()
	b.signIn(email)
	b.submit("/sign-in/code", "code", codes[9])
	b.at("/security")
	b.sees("9 of 10 are left.")
}

// TestPasswordDisables turns it off with the password alone.
func TestPasswordDisables(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) { c.passwordDisables = true })
	b := s.member("alice@example.com")
	b.enable()
	b.get("/security/disable")
	b.lacks("authenticator app", `name="code"`)
	b.submit("/security/disable", "password", password+"?")
	b.sees("Wrong password.")
	b.submit("/security/disable", "password", password)
	b.sees("Two-factor authentication is off.")

	phone, _ := b.enable()
	s.config.passwordDisables = false
	s.restart()
	c := s.browser()
	c.signIn("alice@example.com")
	c.submit("/sign-in/code", "code", phone.next())
	c.post("/security/disable", url.Values{"password": {password}})
	c.denied(http.StatusUnprocessableEntity, "That is not a code.")
}

// TestBrands shows another name for another host, in the page and in the app.
func TestBrands(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) {
		c.issuer = "Acme"
		c.brands = map[string]string{"localhost": "Reseller One"}
	})
	for host, want := range map[string]string{"127.0.0.1": "Acme", "localhost": "Reseller One"} {
		s.server.URL = regexp.MustCompile(`//[^:]*:`).ReplaceAllString(s.server.URL, "//"+host+":")
		b := s.member("alice@" + host + ".example")
		b.sees("<title>Home · " + want + "</title>")
		b.get("/security/begin")
		b.submit("/security/begin")
		_, label, err := totp.ParseURI(html.UnescapeString(linkRE.FindStringSubmatch(b.page.body)[1]))
		if err != nil || label.Issuer != want {
			t.Errorf("%s: the app shows %q, %v", host, label.Issuer, err)
		}
		b.submit("/security/setup", "code", b.scan().next())
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
