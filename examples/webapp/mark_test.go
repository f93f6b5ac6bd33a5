package main

import (
	"html"
	"strings"
	"testing"
)

// marked checks that the forms of package web on the page say whose account they are
// about, also where the template is one of this site. It returns their actions.
func (b *browser) marked() (actions []string) {
	b.t.Helper()
	for _, form := range formRE.FindAllStringSubmatch(b.page.body, -1) {
		action := html.UnescapeString(form[1])
		if !strings.HasPrefix(action, twoFactorPath+"/") {
			continue
		}
		actions = append(actions, action)
		if !strings.Contains(form[2], `<input type="hidden" name="mark" value="`) || strings.Contains(form[2], `name="mark" value=""`) {
			b.t.Errorf("%s has a form without a mark:\n%s", b.page.path, form[0])
		}
	}
	return actions
}

// A form of the security page that is left open in one tab does nothing to the account
// that signs in in another.
func TestFormsOfAnotherAccount(t *testing.T) {
	t.Parallel()
	const email, other = "alice@example.com", "bob@example.com"
	s := newSite(t, fast)
	s.member(other)
	b := s.member(email)
	phone, _ := b.enable()
	b.get("/")
	b.signOut()
	b.trusting(email, phone.next())
	b.get("/security/address")
	b.step(phone.next())
	if len(b.marked()) != 1 {
		t.Errorf("%s has no form", b.page.path)
	}
	b.get("/security/setup/begin")
	b.submit("/security/setup/begin")
	again := s.browser()
	again.signIn(email)
	again.marked()
	again.submit("/security/sign-in/reset")
	b.get("/security/")
	actions := b.marked()
	if len(actions) < 6 { // reset, setup, two names, trust in one and in all
		t.Errorf("there are only %q", actions)
	}
	left := b.page
	b.get("/")
	b.signOut()
	b.signIn(other)
	b.at("/")
	for _, action := range actions {
		b.page = left
		b.submit(action)
		b.at("/security/sign-in?with=other")
		b.sees("This browser was used with another account in the meantime.")
	}
}
