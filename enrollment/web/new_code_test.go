package web_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
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

// A program that speaks JSON has the code in the answer, and in that to the same request
// again. It needs the challenge before, and gets no cookie.
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
	repeated := func(path string, body map[string]any, want any) {
		t.Helper()
		got := c.call(401, http.MethodPost, path, body)
		if got["new_code"] != want || want == "" || got["reason"] != "challenge_spent" || got["session"] != nil {
			t.Errorf("%s: %v, want the code %v", path, got, want)
		}
	}
	repeated("/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": codes[0]}, done["new_code"])
	repeated("/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": codes[1]}, nil)

	for _, purpose := range []string{"delete", "settings"} {
		old, used := c.session, codes[2]
		codes = codes[1:]
		d = c.call(200, http.MethodPost, "/2fa/step/begin", map[string]any{"for": purpose})
		body := map[string]any{"for": purpose, "challenge": d["challenge"], "code": used}
		done = c.call(200, http.MethodPost, "/2fa/step", body)
		repeated("/2fa/step", body, done["new_code"])
		c.session = old // the answer was lost, and with it the session
		repeated("/2fa/step", body, done["new_code"])
		body["code"] = codes[4]
		if got := c.call(401, http.MethodPost, "/2fa/step", body); got["new_code"] != nil || got["reason"] != "signed_out" {
			t.Errorf("%v", got)
		}
		c.session = done["session"].(string)
		repeated("/2fa/step", body, nil)
	}
	c.call(404, http.MethodPost, "/2fa/step/begin", map[string]any{"for": "other"})
	if len(c.header.Values("Set-Cookie")) > 1 {
		t.Errorf("%q", c.header.Values("Set-Cookie"))
	}
}

// Before something sensitive, the browser has the challenge before it sends the code: what
// comes after a lost answer shows the new code, although that answer has ended the session.
func TestNewCodeOfStepAfterLostAnswer(t *testing.T) {
	t.Parallel()
	for _, keeps := range []bool{false, true} { // whether the application has ended the session
		h := replenishing(t)
		b, app, codes := h.member("alice")
		before, err := h.kit.Guard.Status(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		b.get("/delete")
		form := b.form("/2fa/step", "code", codes[0])
		session := func(one *browser) *browser {
			if keeps {
				after, err := h.kit.Guard.Status(t.Context(), "alice")
				if err != nil {
					t.Fatal(err)
				}
				h.mu.Lock()
				h.sessions["kept"] = web.SignedIn{UserID: "alice", Stamp: after.Stamp}
				h.mu.Unlock()
				one.setCookie("session", "kept")
			}
			return one
		}

		// The first request checks nothing.
		still(b).post("/2fa/step", form...)
		if after, err := h.kit.Guard.Status(t.Context(), "alice"); err != nil || after.Stamp != before.Stamp || b.status != http.StatusTemporaryRedirect {
			t.Fatalf("status %d, %v", b.status, err)
		}
		thief := b.clone() // has the challenge, and not the code
		again := b.header.Get("Location")
		moving(b)
		b.clone().post(again, form...).fresh() // which the browser does not see
		fresh := session(b.clone()).post(again, form...).at("/2fa/codes?return=%2Fdelete").fresh()
		for _, path := range []string{"/2fa/step", again} { // a second click, and a reload
			one := session(b.clone())
			one.post(path, form...).at("/2fa/codes?return=%2Fdelete")
			if one.fresh() != fresh || one.get(one.path).fresh() != fresh {
				t.Error("another code")
			}
			one.submit("/2fa/codes")
			if want := map[bool]string{false: "/login?return=%2Fdelete", true: "/2fa/step?for=delete&return=%2Fdelete"}[keeps]; one.path != want {
				t.Errorf("it leads to %s, want %s", one.path, want)
			}
		}
		for _, code := range []string{codes[1], app.Code(h.kit.Clock.Now()), fresh} {
			thief.clone().post("/2fa/step", "for", "delete", "code", code).lacks(fresh).at("/login")
		}
		b.clone().post("/2fa/step", "for", "settings", "code", codes[0]).lacks(fresh)
		b.clone().post("/2fa/step", "for", "delete", "code", codes[0], "mark", "0000000000000000").lacks(fresh)
		h.browser().login("alice").submit("/2fa/sign-in", "code", fresh).fresh()
	}
}

// Two clicks at once use one code, and both end at the new one.
func TestNewCodeOfStepTwiceAtOnce(t *testing.T) {
	t.Parallel()
	h := replenishing(t)
	b, _, codes := h.member("alice")
	b.get("/delete")
	form := b.form("/2fa/step", "code", codes[0])
	still(b).post("/2fa/step", form...)
	again := b.header.Get("Location")
	tabs := make([]*browser, 6)
	var all sync.WaitGroup
	for i := range tabs {
		tabs[i] = b.clone()
		all.Go(func() { tabs[i].post([]string{again, "/2fa/step"}[i%2], form...) })
	}
	all.Wait()
	for _, tab := range tabs {
		if tab.fresh() != tabs[0].fresh() {
			t.Error("another code")
		}
	}
}

// A browser that keeps no such cookie is not led in a circle, and a challenge that is of no use
// any more is replaced by another.
func TestStepWithoutItsCookie(t *testing.T) {
	t.Parallel()
	h := replenishing(t)
	b, app, codes := h.member("alice")
	b.get("/delete")
	still(b).post("/2fa/step", b.form("/2fa/step", "code", codes[0])...)
	again, old := b.header.Get("Location"), b.cookie("step-code")
	b.setCookie("__Host-twofactor-step-code", "")
	moving(b).post(again, "for", "delete", "return", "/delete", "code", codes[0]).at("/2fa/codes?return=%2Fdelete").fresh()
	b.submit("/2fa/codes").at("/delete", "GET deleted")

	// One of before the code was used, and one of another user.
	bob, _, bobs := h.member("bob")
	for i, value := range []string{old, "x", old[:len(old)/2], strings.Split(old, "~")[0] + "~Ym9i"} {
		for _, one := range []struct {
			b     *browser
			codes []string
		}{{b, codes}, {bob, bobs}} {
			one.b.get("/2fa/step?for=delete&return=%2Fdelete").setCookie("__Host-twofactor-step-code", value)
			one.b.submit("/2fa/step", "code", one.codes[i+1]).at("/2fa/codes?return=%2Fdelete").fresh()
			one.b.submit("/2fa/codes").at("/delete")
			if one.b.cookie("step-code") != "" {
				t.Error("the cookie is still there")
			}
		}
	}
	// What bob types is no guess at the account of alice, whose sign-in came before.
	still(b.get("/2fa/step?for=delete")).submit("/2fa/step", "code", codes[5])
	bob.get("/2fa/step?for=delete").setCookie("__Host-twofactor-step-code", b.cookie("step-code"))
	before := h.record()
	bob.submit("/2fa/step", "code", codes[0]).sees("That is not one of your recovery codes.")
	if h.record() != before {
		t.Error("the other account has changed")
	}
	moving(b).get("/2fa/step?for=delete").submit("/2fa/step", "code", codes[0]).sees("That is not one of your recovery codes.")
	b.submit("/2fa/step", "code", h.code(app)).at("/2fa/")
}
