package main

import (
	"slices"
	"testing"
)

// A second click on a button leads to the codes that the first answer has shown.
func TestSecondClick(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	b := s.browser()
	b.signUp("alice@example.com")
	b.signIn("alice@example.com")
	b.get("/security")
	b.follow("Turn on")
	b.submit("/security/begin")
	phone := b.scan()
	twice := func(action, code string) {
		t.Helper()
		form := b.page
		b.submit(action, "code", code)
		shown := b.codes()
		b.page = form
		b.submit(action, "code", code)
		if again := b.codes(); !slices.Equal(again, shown) {
			t.Errorf("%s: the second click shows %d other codes", action, len(again))
		}
	}
	twice("/security/setup", phone.next())
	b.get("/security/codes")
	twice("/security/codes", phone.next())

	// Once a code was used, nothing is shown again.
	b.get("/security/codes")
	form := b.page
	b.submit("/security/codes", "code", phone.next())
	codes := b.codes()
	b.signOut()
	b.signIn("alice@example.com")
	b.submit("/sign-in/code", "code", codes[0])
	b.page = form
	b.submit("/security/codes", "code", phone.next())
	b.at("/security")
	b.sees("You have already made these recovery codes.")
}

// A phone number that is all an account has is confirmed like an app.
func TestSecondClickOnPhone(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) { c.messagesAlone = true })
	b := s.browser()
	b.signUp("alice@example.com")
	b.signIn("alice@example.com")
	b.get("/security/phone")
	b.submit("/security/phone", "number", typedAs)
	form, code := b.page, s.sentCode(number)
	b.submit("/security/phone/code", "code", code)
	shown := b.codes()
	b.page = form
	b.submit("/security/phone/code", "code", code)
	if again := b.codes(); !slices.Equal(again, shown) {
		t.Errorf("the second click shows %d other codes", len(again))
	}
}
