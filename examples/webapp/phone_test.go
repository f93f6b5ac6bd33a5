package main

import (
	"html"
	"regexp"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// phone is an authenticator app.
type phone struct {
	t     *testing.T
	key   totp.Key
	clock *clock
}

var linkRE = regexp.MustCompile(`href="(otpauth://[^"]*)"`)

// scan sets up a phone with the secret on the page.
func (b *browser) scan() *phone {
	b.t.Helper()
	b.sees("Scan this with the app")
	link := linkRE.FindStringSubmatch(b.page.body)
	if link == nil {
		b.t.Fatalf("no otpauth link:\n%s", b.page.body)
	}
	key, _, err := totp.ParseURI(html.UnescapeString(link[1]))
	if err != nil {
		b.t.Fatal(err)
	}
	return &phone{b.t, key, b.site.clock}
}

// shows returns the code that the phone shows now.
func (p *phone) shows() string { return p.at(0) }

// at returns the code that the phone shows after that time.
func (p *phone) at(d time.Duration) string {
	p.t.Helper()
	code, err := p.key.Code(p.clock.Now().Add(d))
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

// next advances the clock and returns the next code, which is unused.
func (p *phone) next() string {
	p.t.Helper()
	p.clock.advance(30 * time.Second)
	return p.shows()
}

// wrong returns six digits that are not a valid code now.
func (p *phone) wrong() string {
	p.t.Helper()
	for _, digits := range []string{"000000", "111111", "222222", "333333"} {
		near := false
		for d := -30 * time.Second; d <= 30*time.Second; d += 30 * time.Second {
			near = near || p.at(d) == digits
		}
		if !near {
			return digits
		}
	}
	p.t.Fatal("three codes out of four guesses")
	return ""
}
