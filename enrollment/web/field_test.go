package web_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Each field of each form can hold anything, as can each member in JSON. That is no fault of
// the application, and no page has it as it is.
func TestEachField(t *testing.T) {
	t.Parallel()
	h, b, app := everything(t)
	b.get("/2fa/disable").submit("/2fa/step", "code", h.code(app))
	c := h.client()
	d := c.call(200, http.MethodPost, "/login?user=alice", nil)
	c.call(200, http.MethodPost, "/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": h.code(app)})
	c.receipt = c.call(200, http.MethodPost, "/2fa/step", map[string]any{"for": "settings", "code": h.code(app)})["success"].(map[string]any)["receipt"].(string)
	browsers := []*browser{still(b), still(h.browser().login("alice"))} // the second waits for its code

	fields := []string{"code", "challenge", "token", "for", "return", "id", "name", "replace", "ticket", "to", "with", "mark", "trust", "enroll_token"}
	values := []string{
		"\x00", "\xff\xfe", `"><script>alert(1)</script>`, strings.Repeat("ü~", 1000), // each in every field, the others in all at once
		"a\x00b", "\u202egnirts", "{{.}}", "%s%n", "../../etc/passwd", "!~!", "\r\nSet-Cookie: a=b", "\ud7ff\uffff", strings.Repeat("x", 2000), " ", "-1", "9e999", "null",
	}
	check := func(b *browser, path string, sent url.Values) {
		t.Helper()
		if b.status >= 500 || strings.Contains(b.body, "<script>alert") || h.failure != nil {
			t.Errorf("%s with %.60q: status %d, %v", path, sent.Encode(), b.status, h.failure)
			h.failure = nil
		}
	}
	try := func(to route, sent url.Values) {
		t.Helper()
		for _, b := range browsers {
			if to.get {
				check(b.get(to.path+"?"+sent.Encode()), to.path, sent)
			}
			if to.post {
				check(b.load(b.formRequest(to.path, sent)), to.path, sent)
			}
		}
		members := map[string]string{}
		for name := range sent {
			members[name] = sent.Get(name)
		}
		body, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		r := c.request(http.MethodPost, to.path, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+c.session)
		r.Header.Set("Twofactor-Receipt", c.receipt)
		check(c.load(r), to.path+" in JSON", sent)
	}
	for _, to := range routes(t) {
		switch to.path {
		case "/2fa/disable", "/2fa/address/remove", "/2fa/codes/new": // they take no field, and end the session
			continue
		}
		try(to, url.Values{})
		for i, value := range values {
			all := url.Values{}
			for _, field := range fields {
				if i < 4 {
					try(to, url.Values{field: {value}})
				}
				if field != "mark" { // with which nothing is done
					all.Set(field, value)
				}
			}
			try(to, all)
			all.Set("for", "settings")
			try(to, all)
		}
	}
}
