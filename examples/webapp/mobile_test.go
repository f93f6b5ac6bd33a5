package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

// An appliance is a client without cookies that speaks JSON, such as an app on a phone.
type appliance struct {
	t              *testing.T
	site           *site
	token, receipt string
	cookie         string // it has none, unless a test says so
}

type object map[string]any

// call sends an object, or asks without one, and returns the answer. It keeps the token of
// the session.
func (c *appliance) call(want int, method, path string, in object) object {
	c.t.Helper()
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			c.t.Fatal(err)
		}
		body = bytes.NewReader(text)
	}
	return c.send(want, method, path, body)
}

func (c *appliance) send(want int, method, path string, body io.Reader) object {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.site.server.URL+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + c.token, "Twofactor-Receipt": c.receipt, "Cookie": c.cookie} {
		if value != "" && value != "Bearer " {
			r.Header.Set(name, value)
		}
	}
	r.Header.Set("Accept", "application/json")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	w, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if w.StatusCode != want || len(w.Header["Set-Cookie"]) > 0 {
		c.t.Fatalf("%s %s: status %d, want %d, cookies %q:\n%s", method, path, w.StatusCode, want, w.Header["Set-Cookie"], text)
	}
	answer := object{}
	if err := json.Unmarshal(text, &answer); len(text) > 0 && err != nil {
		c.t.Fatalf("%s %s: %v:\n%s", method, path, err, text)
	}
	if token, ok := answer["session"].(string); ok {
		c.token = token
	}
	return answer
}

// The main job of an app on a phone: it signs up and in, turns the second factor on, signs in
// with it, is asked for a code before something sensitive, and signs out.
func TestMobile(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	c := &appliance{t: t, site: s}
	credentials := object{"email": email, "password": password}
	if got := c.call(200, "POST", "/sign-up", credentials); !strings.HasPrefix(got["text"].(string), "Account created.") || got["session"] != nil {
		t.Errorf("%v", got)
	}
	if got := c.call(422, "POST", "/sign-in", object{"email": email, "password": "wrong"}); got["text"] != wrongPassword {
		t.Errorf("%v", got)
	}
	c.call(401, "GET", "/data", nil)
	if got := c.call(200, "POST", "/sign-in", credentials); got["next"] != "proceed" || c.token == "" {
		t.Fatalf("%v", got)
	}
	if got := c.call(200, "GET", "/data", nil); got["email"] != email {
		t.Errorf("%v", got)
	}
	setup := c.call(200, "POST", "/security/setup/begin", object{})
	app, err := enrollmenttest.Scan(setup["uri"].(string))
	if err != nil {
		t.Fatal(err)
	}
	next := func() string { s.clock.advance(30 * time.Second); return app.Code(s.clock.Now()) }
	before := c.token
	codes := c.call(200, "POST", "/security/setup", object{"token": setup["token"], "code": next()})["codes"].([]any)
	after := c.token
	c.token = before
	c.call(401, "GET", "/data", nil) // it ended with the change of factors
	c.token = after
	if len(codes) != 10 || before == after {
		t.Errorf("%d codes", len(codes))
	}
	c.call(200, "POST", "/sign-out", object{})
	c.call(401, "GET", "/data", nil)

	// With the code. A token of before grants nothing, and a challenge is no session.
	got := c.call(200, "POST", "/sign-in", credentials)
	if got["next"] != "ask_code" || got["session"] != nil {
		t.Fatalf("%v", got)
	}
	c.call(401, "GET", "/data", nil)
	if wrong := c.call(422, "POST", "/security/sign-in", object{"challenge": got["challenge"], "code": app.WrongCode(s.clock.Now())}); wrong["reason"] != "wrong_code" {
		t.Errorf("%v", wrong)
	}
	c.call(200, "POST", "/security/sign-in", object{"challenge": got["challenge"], "code": next()})
	c.call(403, "GET", "/data", nil) // it takes a code of its own
	c.receipt = c.call(200, "POST", "/security/step", object{"for": dataPurpose, "code": codes[0]})["success"].(map[string]any)["receipt"].(string)
	if got := c.call(200, "GET", "/data", nil); got["email"] != email {
		t.Errorf("%v", got)
	}

	// A new password ends the session, and the answer has the next.
	c.receipt = c.call(200, "POST", "/security/step", object{"for": passwordPurpose, "code": next()})["success"].(map[string]any)["receipt"].(string)
	before = c.token
	c.call(200, "POST", "/password", object{"old": password, "password": password + "!"})
	c.call(403, "GET", "/data", nil)
	if c.token == before {
		t.Error("the token is the old one")
	}
}

// What is wrong in a form is said in JSON, and a session that gets a new token goes on.
func TestMobileForms(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast, func(c *config) { c.ReauthDisables = true })
	c := &appliance{t: t, site: s}
	says := func(want int, text, path string, in object) {
		t.Helper()
		if got := c.call(want, "POST", path, in); got["text"] != text {
			t.Errorf("POST %s: %v, want %q", path, got, text)
		}
	}
	c.call(200, "POST", "/sign-up", object{"email": email, "password": password})
	says(422, "That e-mail address already has an account.", "/sign-up", object{"email": email, "password": password})
	says(422, "Use at least 8 characters and at most 72 bytes.", "/sign-up", object{"email": "bob@example.com", "password": "short"})
	c.call(200, "POST", "/sign-in", object{"email": email, "password": password})
	says(422, "Wrong password.", "/password", object{"old": "wrong", "password": password})
	setup := c.call(200, "POST", "/security/setup/begin", object{})
	app, err := enrollmenttest.Scan(setup["uri"].(string))
	if err != nil {
		t.Fatal(err)
	}
	c.call(200, "POST", "/security/setup", object{"token": setup["token"], "code": app.Code(s.clock.Now())})

	// Where the password alone turns it off, it is entered again first.
	s.clock.advance(10 * time.Minute)
	if got := c.call(403, "POST", "/security/disable", object{}); got["reason"] != "proof_required" {
		t.Errorf("%v", got)
	}
	says(422, "Wrong password.", "/confirm", object{"password": "wrong"})
	before := c.token
	c.call(200, "POST", "/confirm", object{"password": password})
	if c.token == before {
		t.Error("the token is the old one")
	}
	c.call(200, "POST", "/security/disable", object{})
	c.call(200, "GET", "/data", nil)

	// The link to a new password is in the session as well.
	c.call(200, "POST", "/forgot", object{"email": email})
	c.call(200, "GET", s.received(email, "link to change your password").Link, nil)
	c.call(200, "POST", "/forgot/password", object{"password": newPassword})
	c.call(200, "POST", "/sign-in", object{"email": email, "password": newPassword})
}

// An administrator gets the ticket in the answer: there is no cookie that could keep it.
func TestMobileAdmin(t *testing.T) {
	t.Parallel()
	const email = "bob@example.com"
	s := newSite(t, fast)
	_, phone := s.admin()
	bob := s.member(email)
	bob.enable()
	c := &appliance{t: t, site: s}
	challenge := c.call(200, "POST", "/sign-in", object{"email": adminEmail, "password": password})["challenge"]
	c.call(200, "POST", "/security/sign-in", object{"challenge": challenge, "code": phone.next()})
	c.receipt = c.call(200, "POST", "/security/step", object{"for": adminPurpose, "code": phone.next()})["success"].(map[string]any)["receipt"].(string)
	got := c.call(200, "POST", "/admin/member", object{"id": s.idOf(email), "action": "reset", "reason": "phone lost", "ticket": "yes"})
	if got["text"] != isOff || got["ticket"] == nil {
		t.Fatalf("%v", got)
	}
	c.receipt, c.token = "", ""
	c.call(200, "POST", "/sign-in", object{"email": email, "password": password})
	if got := c.call(403, "POST", "/security/setup/begin", object{}); got["reason"] != "ticket_required" {
		t.Errorf("%v", got)
	}
	c.call(200, "POST", "/security/setup/begin", object{"ticket": got["ticket"]})
}

// Cookies count for nothing in a request in JSON, so a page of another site can't send one
// in the name of a user; and what is refused is refused in JSON.
func TestMobileRefuses(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.member(email)
	c := &appliance{t: t, site: s, cookie: "session=" + b.cookie("session").Value}
	c.call(401, "GET", "/data", nil)
	c.call(401, "POST", "/confirm", object{"password": password})
	c.call(401, "POST", "/security/setup/begin", object{})
	c.cookie, c.token = "", "nonsense"
	c.call(401, "GET", "/data", nil)
	c.token = ""
	c.call(406, "GET", "/sign-in", nil)
	c.call(404, "GET", "/nowhere", nil)
	c.call(405, "POST", "/messages", object{})
	for body, status := range map[string]int{"{": 400, "[]": 400, `{"email":1}`: 400, "": 400, `{"email":"` + strings.Repeat("a", maxBody) + `"}`: 413} {
		c.send(status, "POST", "/sign-in", strings.NewReader(body))
	}
	for range 20 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/sign-in", strings.NewReader(`{"email":"`+email+`","password":"wrong"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		w, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		w.Body.Close()
		if w.StatusCode == http.StatusTooManyRequests {
			if w.Header.Get("Retry-After") == "" {
				t.Error("nothing says how long to wait")
			}
			return
		}
	}
	t.Error("passwords can be guessed without a limit")
}
