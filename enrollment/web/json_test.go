package web_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

// client speaks JSON, as a program without cookies.
type client struct {
	*browser
	session, receipt string
}

func (h *host) client() *client {
	b := h.browser()
	b.client.Jar = nil
	return &client{browser: b}
}

// call sends an object, or nothing with a GET, and returns the answer.
func (c *client) call(want int, method, path string, in map[string]any) map[string]any {
	c.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		c.t.Fatal(err)
	}
	if method == http.MethodGet {
		body = nil
	}
	r := c.request(method, path, bytes.NewReader(body))
	r.Header.Set("Accept", "application/json")
	if method != http.MethodGet {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.session != "" {
		r.Header.Set("Authorization", "Bearer "+c.session)
	}
	if c.receipt != "" {
		r.Header.Set("Twofactor-Receipt", c.receipt)
	}
	c.load(r)
	if c.status != want {
		c.t.Fatalf("%s %s: status %d, want %d:\n%s", method, path, c.status, want, c.body)
	}
	if cookies := c.header.Values("Set-Cookie"); len(cookies) > 0 && path != "/login?user=alice" && method == http.MethodGet {
		c.t.Errorf("%s %s sets %q", method, path, cookies)
	}
	answer := c.object()
	if session, ok := answer["session"].(string); ok {
		c.session = session
	}
	return answer
}

// The main job without cookies.
func TestJSON(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	c := h.client()
	if got := c.call(200, "POST", "/login?user=alice", nil); got["next"] != "proceed" || c.session == "" {
		t.Fatalf("%v", got)
	}
	if got := c.call(200, "GET", "/2fa/", nil); got["state"] != "none" {
		t.Errorf("%v", got)
	}
	setup := c.call(200, "POST", "/2fa/setup/begin", map[string]any{"name": "phone"})
	app, err := enrollmenttest.Scan(setup["uri"].(string))
	if err != nil {
		t.Fatal(err)
	}
	got := c.call(422, "POST", "/2fa/setup", map[string]any{"token": setup["token"], "code": app.WrongCode(h.kit.Clock.Now())})
	if got["reason"] != "wrong_code" || got["text"] == "" {
		t.Errorf("%v", got)
	}
	confirm := map[string]any{"token": setup["token"], "code": h.code(app)}
	done := c.call(200, "POST", "/2fa/setup", confirm)
	codes := done["codes"].([]any)
	if len(codes) != 10 || done["event"] != "enabled" || c.session != "session-2" {
		t.Fatalf("%v", done)
	}
	if got := c.call(409, "POST", "/2fa/setup", confirm); got["reason"] != "already_confirmed" {
		t.Errorf("%v", got)
	}
	if got := c.call(200, "POST", "/2fa/codes/again", map[string]any{"token": setup["token"]}); got["codes"].([]any)[9] != codes[9] {
		t.Errorf("%v", got)
	}

	c = h.client()
	d := c.call(200, "POST", "/login?user=alice", nil)
	if d["next"] != "ask_code" || c.session != "" {
		t.Fatalf("%v", d)
	}
	answer := map[string]any{"challenge": d["challenge"], "code": app.WrongCode(h.kit.Clock.Now())}
	c.call(422, "POST", "/2fa/sign-in", answer)
	answer["code"] = []string{h.code(app)}
	done = c.call(200, "POST", "/2fa/sign-in", answer)
	if done["success"].(map[string]any)["factor"] != "totp" || c.session == "" {
		t.Fatalf("%v", done)
	}
	if got := c.call(401, "POST", "/2fa/sign-in", answer); got["reason"] != "challenge_spent" {
		t.Errorf("%v", got)
	}

	if got := c.call(403, "POST", "/2fa/disable", nil); got["reason"] != "proof_required" {
		t.Errorf("%v", got)
	}
	done = c.call(200, "POST", "/2fa/step", map[string]any{"for": "settings", "code": h.code(app)})
	c.receipt = done["success"].(map[string]any)["receipt"].(string)
	token := c.call(200, "POST", "/2fa/codes/token", nil)["token"]
	done = c.call(200, "POST", "/2fa/codes/new", map[string]any{"token": token})
	fresh := done["codes"].([]any)
	if fresh[0] == codes[0] {
		t.Error("the codes are the old ones")
	}
	c.receipt = done["receipt"].(string)
	if got := c.call(409, "POST", "/2fa/codes/new", map[string]any{"token": token}); got["reason"] != "already_renewed" {
		t.Errorf("%v", got)
	}
	if got := c.call(200, "POST", "/2fa/codes/again", map[string]any{"token": token}); got["codes"].([]any)[0] != fresh[0] {
		t.Errorf("%v", got)
	}
	c.call(200, "POST", "/2fa/disable", nil)
	if got := c.call(200, "GET", "/2fa/", nil); got["state"] != "disabled" {
		t.Errorf("%v", got)
	}
}

// The answer that had the recovery codes is lost, and the session has ended with the change.
// After a new sign-in, the token shows the codes.
func TestJSONLostAnswer(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	c := h.client()
	c.call(200, "POST", "/login?user=alice", nil)
	setup := c.call(200, "POST", "/2fa/setup/begin", nil)
	app, err := enrollmenttest.Scan(setup["uri"].(string))
	if err != nil {
		t.Fatal(err)
	}
	lost := func(path string, in map[string]any) any {
		t.Helper()
		before := c.session
		codes := c.call(200, "POST", path, in)["codes"].([]any)[0]
		c.session, c.receipt = before, ""
		return codes
	}
	again := func(token, want any) {
		t.Helper()
		in := map[string]any{"token": token}
		if got := c.call(401, "POST", "/2fa/codes/again", in); got["reason"] != "signed_out" {
			t.Errorf("%v", got)
		}
		c.session = ""
		d := c.call(200, "POST", "/login?user=alice", nil)
		c.call(200, "POST", "/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": h.code(app)})
		if got := c.call(200, "POST", "/2fa/codes/again", in)["codes"].([]any)[0]; got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	again(setup["token"], lost("/2fa/setup", map[string]any{"token": setup["token"], "code": h.code(app)}))

	done := c.call(200, "POST", "/2fa/step", map[string]any{"for": "settings", "code": h.code(app)})
	c.receipt = done["success"].(map[string]any)["receipt"].(string)
	token := c.call(200, "POST", "/2fa/codes/token", nil)["token"]
	again(token, lost("/2fa/codes/new", map[string]any{"token": token}))
}

// Spaces around a name are dropped, and a name of spaces is not a name, as in a form.
func TestJSONName(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b, _, _ := h.member("alice")
	c := h.client()
	c.session = b.session()
	id := c.call(200, "GET", "/2fa/", nil)["authenticators"].([]any)[0].(map[string]any)["id"]
	c.call(422, "POST", "/2fa/rename", map[string]any{"id": id, "name": "  "})
	c.call(200, "POST", "/2fa/rename", map[string]any{"id": id, "name": " tablet "})
	b.get("/2fa/").sees("<strong>tablet</strong>")
}

// Something sensitive answers with what is missing, and takes a receipt in the header.
func TestJSONStep(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, codes := h.member("alice")
	c := h.client()
	d := c.call(200, "POST", "/login?user=alice", nil)
	c.call(200, "POST", "/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": h.code(app)})
	if got := c.call(403, "POST", "/delete", nil); got["reason"] != "proof_invalid" {
		t.Errorf("%v", got)
	}
	for range 5 {
		c.call(422, "POST", "/2fa/step", map[string]any{"for": "delete", "code": app.WrongCode(h.kit.Clock.Now())})
	}
	got := c.call(429, "POST", "/2fa/step", map[string]any{"for": "delete", "code": h.code(app)})
	if got["reason"] != "locked" || got["wait_seconds"] != 30.0 || c.header.Get("Retry-After") != "30" {
		t.Errorf("%v, %v", got, c.header)
	}
	done := c.call(200, "POST", "/2fa/step", map[string]any{"for": "delete", "code": codes[0]})
	c.receipt = done["success"].(map[string]any)["receipt"].(string)
	r := c.request(http.MethodPost, "/delete", nil)
	r.Header.Set("Authorization", "Bearer "+c.session)
	r.Header.Set("Twofactor-Receipt", c.receipt)
	c.load(r).at("/delete", "POST deleted")
	h.kit.Clock.Advance(6 * time.Minute)
	c.call(403, "POST", "/delete", nil)

	c.session = ""
	if got := c.call(401, "GET", "/2fa/", nil); got["reason"] != "signed_out" {
		t.Errorf("%v", got)
	}
	c.call(406, "GET", "/2fa/setup", nil)
}

// Cookies are nothing to a client that speaks JSON, and JSON that came as something else
// is not read.
func TestJSONTakesNoCookies(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b, app, _ := h.member("alice")
	b.get("/2fa/disable").submit("/2fa/step", "code", h.code(app)).at("/2fa/disable")
	r := b.request(http.MethodPost, "/2fa/disable", bytes.NewReader([]byte("{}")))
	r.Header.Set("Content-Type", "application/json")
	if b.load(r); b.status != http.StatusForbidden || b.object()["reason"] != "proof_required" {
		t.Errorf("status %d:\n%s", b.status, b.body)
	}
	r = b.request(http.MethodPost, "/2fa/disable", bytes.NewReader([]byte("{}")))
	r.Header.Set("Content-Type", "text/plain")
	if b.load(r); b.status != http.StatusUnsupportedMediaType {
		t.Errorf("status %d", b.status)
	}
	if status, err := h.kit.Guard.Status(t.Context(), "alice"); err != nil || !status.Enabled() {
		t.Error(status.State, err)
	}
}

// A challenge of one user is nothing in the session of another.
func TestJSONForeignChallenge(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, alice, _ := h.member("alice")
	_, bob, _ := h.member("bob")
	c := h.client()
	d := c.call(200, "POST", "/login?user=bob", nil)
	c.call(200, "POST", "/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": h.code(bob)})
	theirs, err := h.kit.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Purpose: "delete"})
	if err != nil {
		t.Fatal(err)
	}
	got := c.call(401, "POST", "/2fa/step", map[string]any{"for": "delete", "challenge": theirs.Challenge, "code": h.code(alice)})
	if got["reason"] != "challenge_invalid" {
		t.Errorf("%v", got)
	}
}

// An application that starts sessions by cookies alone has no member for them in any answer,
// not even an empty one.
func TestJSONWithoutSession(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t), func(c *web.Config) {
		c.User = func(*http.Request) (string, error) { return "alice", nil }
		c.Start = func(http.ResponseWriter, *http.Request, web.SignedIn) (any, error) { return nil, nil }
	})
	c := h.client()
	call := func(path string, in map[string]any) map[string]any {
		t.Helper()
		got := c.call(200, "POST", path, in)
		if session, ok := got["session"]; ok {
			t.Errorf("%s: the session is %v", path, session)
		}
		return got
	}
	call("/login?user=alice", nil)
	setup := call("/2fa/setup/begin", nil)
	app, err := enrollmenttest.Scan(setup["uri"].(string))
	if err != nil {
		t.Fatal(err)
	}
	codes := call("/2fa/setup", map[string]any{"token": setup["token"], "code": h.code(app)})["codes"].([]any)
	d := call("/login?user=alice", nil)
	call("/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": h.code(app)})
	call("/2fa/step", map[string]any{"for": "delete", "code": codes[0]})
	step := func() {
		done := call("/2fa/step", map[string]any{"for": "settings", "code": h.code(app)})
		c.receipt = done["success"].(map[string]any)["receipt"].(string)
	}
	step()
	call("/2fa/codes/new", map[string]any{"token": call("/2fa/codes/token", nil)["token"]})
	step()
	call("/2fa/disable", nil)
}

// A client keeps the token of a trusted device itself.
func TestJSONDevice(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t), func(c *web.Config) { c.TrustDevices = true })
	_, app, _ := h.member("alice")
	c := h.client()
	d := c.call(200, "POST", "/login?user=alice", nil)
	done := c.call(200, "POST", "/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": h.code(app), "trust": true, "name": "laptop"})
	device, _ := done["device"].(string)
	if device == "" {
		t.Fatalf("%v", done)
	}
	h.login.Device = enrollment.DeviceTokenOf(device)
	if got := h.client().call(200, "POST", "/login?user=alice", nil); got["next"] != "proceed" {
		t.Errorf("%v", got)
	}
}

// An address is bound, and a text that is no address is refused.
func TestJSONAddress(t *testing.T) {
	t.Parallel()
	mail := &inbox{}
	h := newHost(t, enrollmenttest.New(t, func(c *enrollment.Config) { c.Sender = mail }), func(c *web.Config) {
		c.Address = func(_ *http.Request, typed string) (string, string, error) {
			if typed == "none" {
				return "", "", nil
			}
			return "sms", typed, nil
		}
	})
	_, app, _ := h.member("alice")
	c := h.client()
	d := c.call(200, "POST", "/login?user=alice", nil)
	c.call(200, "POST", "/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": h.code(app)})
	done := c.call(200, "POST", "/2fa/step", map[string]any{"for": "settings", "code": h.code(app)})
	c.receipt = done["success"].(map[string]any)["receipt"].(string)
	if got := c.call(422, "POST", "/2fa/address", map[string]any{"to": "none"}); got["reason"] != "address" {
		t.Errorf("%v", got)
	}
	bound := c.call(200, "POST", "/2fa/address", map[string]any{"to": "+49 1742"})
	c.call(200, "POST", "/2fa/address/code", map[string]any{"token": bound["token"], "code": mail.code})
	if got := c.call(200, "GET", "/2fa/", nil); got["address"].(map[string]any)["hint"] != "…42" {
		t.Errorf("%v", got)
	}
}
