package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

// replenishing is a host whose used recovery codes are replaced.
func replenishing(t *testing.T) *host {
	t.Helper()
	return newHost(t, enrollmenttest.New(t, func(c *enrollment.Config) { c.ReplenishCodes = true }))
}

const newCodePage = "/2fa/codes?return=%2F"

// fresh returns the recovery code that the page shows.
func (b *browser) fresh() string {
	b.t.Helper()
	b.sees("Save your new recovery code")
	found := codeRE.FindAllStringSubmatch(b.body, -1)
	if len(found) != 1 {
		b.t.Fatalf("%s shows %d codes:\n%s", b.path, len(found), b.body)
	}
	return found[0][1]
}

// The code that replaces a used one is shown until the user has saved it, in each tab of
// the browser, and works.
func TestNewCode(t *testing.T) {
	t.Parallel()
	h := replenishing(t)
	_, _, codes := h.member("alice")
	b := h.browser().login("alice").submit("/2fa/sign-in", "code", codes[0]).at(newCodePage)
	fresh := b.fresh()
	if fresh == codes[0] {
		t.Error("the code is the used one")
	}
	done := b.form("/2fa/codes")
	if b.get(b.path).fresh() != fresh || b.clone().get("/2fa/codes").fresh() != fresh {
		t.Error("a reload or another tab shows another code")
	}
	b.get("/2fa/codes.txt").sees(fresh)
	b.get("/2fa/sign-in").at("/", `home of "alice"`) // Back
	b.post("/2fa/codes", done...).at("/", `home of "alice"`)
	if b.cookie("newcode") != "" {
		t.Error("the cookie is still there")
	}
	b.get("/2fa/codes").at("/2fa/").lacks(fresh)
	b.post("/2fa/codes", done...).at("/", `home of "alice"`) // a second click

	// The code works, and its page ends with the next use of a code.
	b = h.browser().login("alice").submit("/2fa/sign-in", "code", fresh).at(newCodePage)
	next := b.fresh()
	h.browser().login("alice").submit("/2fa/sign-in", "code", next).at(newCodePage)
	b.get("/2fa/codes").lacks(next)
}

// Also before something sensitive, and it leads on to there.
func TestNewCodeBeforeSomethingSensitive(t *testing.T) {
	t.Parallel()
	h := replenishing(t)
	b, _, codes := h.member("alice")
	b.get("/delete").submit("/2fa/step", "code", codes[0]).at("/2fa/codes?return=%2Fdelete")
	fresh := b.fresh()
	if b.get(b.path).fresh() != fresh {
		t.Error("a reload shows another code")
	}
	b.submit("/2fa/codes").at("/delete", "GET deleted")
	b.get("/2fa/disable").submit("/2fa/step", "code", fresh).fresh()
	b.submit("/2fa/codes").at("/2fa/disable")
}

// A second click, whose first answer was lost, shows the new code to the browser that sent
// the used one. It signs nobody in: a code works once.
func TestNewCodeAfterLostAnswer(t *testing.T) {
	t.Parallel()
	h := replenishing(t)
	_, app, codes := h.member("alice")
	b := h.browser().login("alice")
	form := b.form("/2fa/sign-in", "code", codes[0])
	for range 5 {
		b.clone().post("/2fa/sign-in", form...)
	}
	thief := b.clone() // has the challenge, and not the code
	started := len(h.started)
	fresh := b.post("/2fa/sign-in", form...).at(newCodePage).fresh()
	b.outside()
	if len(h.started) != started {
		t.Error("somebody is signed in")
	}
	if b.get(b.path).fresh() != fresh {
		t.Error("a reload shows another code")
	}
	for _, code := range []string{codes[1], app.Code(h.kit.Clock.Now()), fresh} {
		thief.clone().post("/2fa/sign-in", "code", code).at("/2fa/sign-in", "Sign in again").lacks(fresh)
	}
	b.submit("/2fa/codes").at("/", `home of ""`)
	h.browser().login("alice").submit("/2fa/sign-in", "code", fresh).fresh()
}

// Once a session has shown the code, it takes one of the same user. The challenge of
// somebody else shows nothing, and nothing is shown for long.
func TestNewCodeIsTheUsers(t *testing.T) {
	t.Parallel()
	h := replenishing(t)
	_, _, codes := h.member("alice")
	_, bobs, _ := h.member("bob")
	b := h.browser().login("alice").submit("/2fa/sign-in", "code", codes[0]).at(newCodePage)
	fresh := b.fresh()
	next := b.clone()
	next.setCookie("session", "none") // alice has signed out
	for _, path := range []string{"/2fa/codes", "/2fa/codes.txt"} {
		next.clone().get(path).lacks(fresh)
	}
	for _, owner := range []string{"YWxpY2U", "Ym9i", "!Ym9i"} { // alice and bob
		part := strings.Split(b.cookie("newcode"), "~")
		bob := h.browser().login("bob").submit("/2fa/sign-in", "code", h.code(bobs)).at("/")
		bob.setCookie("__Host-twofactor-newcode", part[0]+"~"+owner+"~"+part[2])
		bob.get("/2fa/codes").at("/2fa/").lacks(fresh)
	}
	next.login("bob").submit("/2fa/sign-in", "code", h.code(bobs))
	if next.cookie("newcode") != "" {
		t.Error("the cookie is still there")
	}
	if b.get("/2fa/codes").fresh() != fresh {
		t.Error("alice sees another code")
	}
	h.kit.Clock.Advance(enrollment.ChallengeTTL + 10*time.Minute)
	b.get("/2fa/codes").at("/2fa/").lacks(fresh)
}

// A program that speaks JSON has the code in the answer, as before, and no cookie.
func TestNewCodeInJSON(t *testing.T) {
	t.Parallel()
	h := replenishing(t)
	_, _, codes := h.member("alice")
	c := h.client()
	d := c.call(200, http.MethodPost, "/login?user=alice", nil)
	done := c.call(200, http.MethodPost, "/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": codes[0]})
	if code, _ := done["new_code"].(string); code == "" || code == codes[0] || len(c.header.Values("Set-Cookie")) > 1 {
		t.Errorf("%v, %q", done, c.header.Values("Set-Cookie"))
	}
	if got := c.call(401, http.MethodPost, "/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": codes[0]}); got["new_code"] != nil {
		t.Errorf("%v", got)
	}
}
