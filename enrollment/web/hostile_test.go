package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

// A JSON object means one thing: what comes twice, or is spelt otherwise, is never taken.
func TestJSONMembers(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, codes := h.member("alice")
	challenge := h.client().call(200, http.MethodPost, "/login?user=alice", nil)["challenge"].(string)
	wrong, right := app.WrongCode(h.kit.Clock.Now()), codes[0]
	for _, tt := range []struct {
		body   string
		status int
		reason string
	}{
		{`{"challenge":"%s","code":"%s","code":"%[2]s"}`, 400, "malformed"},
		{`{"challenge":"%s","code":"1","code":"%s"}`, 400, "malformed"},
		{`{"challenge":"%s","code":"%s","\u0063ode":"1"}`, 400, "malformed"},
		{`{"challenge":"%s","x":1,"x":2,"code":"%s"}`, 400, "malformed"},
		{`{"challenge":"%s","CODE":"%s"}`, 422, "malformed_code"},
		{`{"Challenge":"%s","code":"%s"}`, 401, "challenge_invalid"},
		{`{"challenge":"%s","code":{"a":"%s"}}`, 400, "malformed"},
		{`{"challenge":"%s","code":["%s",1]}`, 400, "malformed"},
		{`{"challenge":"%s","code":["%s","%[2]s"]}`, 422, "malformed_code"},
		{`{"challenge":"%s","code":[` + strings.Repeat(`"1",`, 5000) + `"%s"]}`, 422, "malformed_code"},
		{`{"challenge":"%s","code":123456}` + "%.0s", 400, "malformed"},
		{`{"challenge":"%s","code":null}` + "%.0s", 422, "malformed_code"},
		{`{"challenge":null,"code":"%[2]s"}` + "%.0[1]s", 401, "challenge_invalid"},
		{`[{"challenge":"%s","code":"%s"}]`, 400, "malformed"},
		{`{"challenge":"%s","code":"%s"} {}`, 400, "malformed"},
		{`{"challenge":"%s","code":"%s"`, 400, "malformed"},
		{`{"challenge":"%s","code":"%s",}`, 400, "malformed"},
		{`{"x":` + strings.Repeat("[", 15000) + `"%s","%s"`, 400, "malformed"},
		{"\ufeff" + `{"challenge":"%s","code":"%s"}`, 400, "malformed"},
		{`"%s%s"`, 400, "malformed"}, {`null%.0s%.0s`, 401, "challenge_invalid"}, {`%.0s%.0s`, 400, "malformed"},
	} {
		c := h.client()
		r := c.request(http.MethodPost, "/2fa/sign-in", strings.NewReader(fmt.Sprintf(tt.body, challenge, right)))
		r.Header.Set("Content-Type", "application/json")
		if c.load(r); c.status != tt.status || c.object()["reason"] != tt.reason {
			t.Errorf("%.60s: status %d, %s, want %d %s", tt.body, c.status, c.body, tt.status, tt.reason)
		}
	}
	// All of that has cost nothing, and signs nobody in.
	if got := h.client().call(422, http.MethodPost, "/2fa/sign-in", map[string]any{"challenge": challenge, "code": wrong}); got["reason"] != "wrong_code" {
		t.Error(got)
	}
	done := h.client().call(200, http.MethodPost, "/2fa/sign-in", map[string]any{"challenge": challenge, "code": right, "new": "later"})
	if done["success"].(map[string]any)["wrong_codes"] != 1.0 {
		t.Errorf("%v", done["success"])
	}
}

// What a form sends counts, and not the address: a code there would be in logs.
func TestCodeInAddress(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, _, codes := h.member("alice")
	b := h.browser().login("alice")
	b.post("/2fa/sign-in?code="+codes[0]).at("/2fa/sign-in", `role="alert"`)
	b.get("/2fa/sign-in?code=" + codes[0]).lacks(codes[0]).at("/2fa/sign-in?code=" + codes[0])
	b.get("/").sees(`home of ""`)
}

// The language header chooses between words, and none of it is in an answer.
func TestHostileLanguage(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b := h.browser().login("alice")
	for header, want := range map[string]string{
		`de"><script>alert(1)</script>`: "en", "de;q=inf, en": "en", "de;q=NaN, en": "en", "de;q=1e9, en": "en", "de;q=-1": "en",
		"../../de": "en", "de\x00": "en", strings.Repeat("x,", 100000) + "de": "de", strings.Repeat(";", 100000): "en",
		"de-" + strings.Repeat("x", 1000): "de", "DE": "de", " de ; q=1": "de", "{{.}}": "en", "%s%n": "en",
	} {
		r := b.request(http.MethodGet, "/2fa/nothing", nil)
		r.Header["Accept-Language"] = []string{strings.ReplaceAll(header, "\x00", "\u0100")}
		b.load(r).sees(`<html lang="`+want+`">`).lacks("alert(1)", "xxx", "%n")
		for name, values := range b.header {
			if strings.Contains(strings.Join(values, ""), "alert") || name == "Content-Language" {
				t.Errorf("%q is in the header %s", values, name)
			}
		}
	}
}

// Each form can come twice, one after the other or at once: nothing breaks, nobody is
// shown a refusal, and the second changes nothing.
func TestEachFormTwice(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		page, action string
		fields       []string
	}{
		{"/2fa/", "/2fa/rename", []string{"name", "laptop"}},
		{"/2fa/", "/2fa/devices/revoke", nil},
		{"/2fa/disable", "/2fa/disable", nil},
		{"/2fa/address/remove", "/2fa/address/remove", nil},
		{"/2fa/codes/new", "/2fa/codes/new", nil},
		{"/2fa/setup/begin", "/2fa/setup/begin", []string{"name", "tablet"}},
		{"/2fa/address", "/2fa/address", []string{"to", "+49 7"}},
	} {
		for _, atOnce := range []bool{false, true} {
			h, b, app := everything(t)
			b.get("/2fa/disable").submit("/2fa/step", "code", h.code(app))
			form := b.get(tt.page).form(tt.action, tt.fields...)
			var both sync.WaitGroup
			tabs := []*browser{b, b}
			for i := range tabs {
				if atOnce {
					tabs[i] = b.clone()
					both.Go(func() { tabs[i].post(tt.action, form...) })
				} else {
					tabs[i] = b.clone()
					b.post(tt.action, form...)
					*tabs[i] = *b
				}
			}
			both.Wait()
			for i, tab := range tabs {
				refused := strings.Contains(tab.body, `role="alert"`)
				switch {
				case tt.action == "/2fa/address", // a message is on its way
					tt.action == "/2fa/setup/begin" && atOnce: // the earlier setup is told so
					refused = false
				}
				if tab.status != http.StatusOK || refused {
					t.Errorf("%s at once=%v, click %d: status %d at %s:\n%s", tt.action, atOnce, i+1, tab.status, tab.path, tab.body)
				}
			}
			if h.failure != nil {
				t.Errorf("%s: %v", tt.action, h.failure)
			}
		}
	}
}
