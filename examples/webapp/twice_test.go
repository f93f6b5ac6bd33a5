package main

import (
	"slices"
	"testing"
)

// A second click on a button leads to the codes that the first answer has shown.
func TestSecondClick(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	b := s.member("alice@example.com")
	phone := b.setUp("/security/setup/begin")
	twice := func(action string, typed ...string) {
		t.Helper()
		form := b.page
		b.submit(action, typed...)
		shown := b.codes()
		b.page = form
		b.submit(action, typed...)
		if again := b.codes(); !slices.Equal(again, shown) {
			t.Errorf("%s: the second click shows %d other codes", action, len(again))
		}
	}
	twice("/security/setup", "code", phone.next())
	b.submit("/security/codes")
	b.get("/security/codes/new")
	b.step(phone.next())
	twice("/security/codes/new")
	b.submit("/security/codes")

	// Once a code was used, nothing is shown again.
	b.get("/security/codes/new")
	b.step(phone.next())
	form := b.page
	b.submit("/security/codes/new")
	codes := b.codes()
	b.signOutNow()
	b.signIn("alice@example.com")
	b.code(codes[0])
	b.page = form
	b.post("/security/codes/new", nil)
	b.lacks(codes...)
}

// A phone number that is all an account has is confirmed like an app.
func TestSecondClickOnPhone(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) { c.AddressAlone = true })
	b := s.member("alice@example.com")
	b.get("/security/address")
	b.submit("/security/address", "to", typedAs)
	form, code := b.page, s.sentCode(number)
	b.submit("/security/address/code", "code", code)
	shown := b.codes()
	b.page = form
	b.submit("/security/address/code", "code", code)
	if again := b.codes(); !slices.Equal(again, shown) {
		t.Errorf("the second click shows %d other codes", len(again))
	}
}
