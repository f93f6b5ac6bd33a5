package hosttest

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
)

// origin is where the application is, as its browsers see it.
const origin = "https://app.example.com"

// maxRedirects is how many redirects a browser follows for one request.
const maxRedirects = 10

// A Browser is what a Host's functions use the application with. It keeps cookies,
// follows redirects and sends the headers by which browsers tell where a request comes
// from. Any number of them are open at a time, each with its own cookies and address. A
// function of a Host uses only the one that it was given.
type Browser struct {
	// User is who sits at the browser.
	User User

	// Header is sent with each request, for example an Authorization that an answer
	// has asked for.
	Header http.Header

	lab     *Lab
	handler http.Handler
	address string
	jar     jar
	page    Page
	trail   []string
	alter   func(*request) // changes what is sent; nil as a rule
	hold    bool           // keep what is not a GET instead of sending it
	held    []*request
	ctx     context.Context // of the requests; nil for one that doesn't end
}

// Get loads the page at that path, follows redirects, and returns where it ends.
func (b *Browser) Get(path string) Page {
	return b.send(&request{method: http.MethodGet, target: path, site: "none"})
}

// Submit sends the form with that action from the present page, with its hidden fields,
// which include the tokens against cross-site requests. Typed are pairs of a field's
// name and its value. It sends what was typed as a POST if the page has no such form,
// because an attacker does not need the form either.
func (b *Browser) Submit(action string, typed ...string) Page {
	r := &request{method: http.MethodPost, target: action, site: "same-origin", typed: url.Values{}, hidden: url.Values{}}
	for i := 0; i+1 < len(typed); i += 2 {
		r.typed.Set(typed[i], typed[i+1])
	}
	if form, ok := b.page.form(action, r.typed); ok {
		r.method = form.method
		for name, values := range form.hidden {
			if !r.typed.Has(name) {
				r.hidden[name] = slices.Clone(values)
			}
		}
	} else {
		b.note("the page has no form for " + action)
	}
	return b.send(r)
}

// SendJSON sends value as JSON. The token against cross-site requests is taken from
// <meta name="csrf-token"> of the present page, or from a cookie with one of the usual
// names, and sent in the headers X-CSRF-Token and X-XSRF-Token.
func (b *Browser) SendJSON(method, path string, value any) Page {
	body, err := json.Marshal(value)
	if err != nil {
		b.note(fmt.Sprintf("the body for %s can't be encoded: %v", path, err))
		return b.page
	}
	return b.send(&request{method: method, target: path, site: "same-origin", json: body, token: b.token()})
}

// Page returns the page on which the last request ended.
func (b *Browser) Page() Page { return b.page }

// send sends the request and follows redirects.
func (b *Browser) send(r *request) Page {
	if b.hold && r.method != http.MethodGet {
		b.held = append(b.held, r)
		return b.page
	}
	target, err := b.page.resolve(r.target)
	if err != nil {
		b.note(fmt.Sprintf("%q is not an address", r.target))
		return b.page
	}
	r.target = target
	r.header = b.Header.Clone()
	r.cookies = b.jar.forSite(target, r.site, r.method)
	if b.alter != nil {
		b.alter(r)
	}
	for range maxRedirects {
		b.page = b.serve(r)
		next, ok := b.page.redirect(r)
		if !ok {
			break
		}
		next.header = r.header
		next.cookies = b.jar.forSite(next.target, next.site, next.method)
		if b.alter != nil {
			b.alter(next)
		}
		r = next
	}
	return b.page
}

// serve has the handler answer one request.
func (b *Browser) serve(r *request) Page {
	ctx := b.ctx
	if ctx == nil {
		ctx = context.Background()
	}
	out, err := r.build(ctx)
	if err != nil {
		b.note(fmt.Sprintf("%s %s can't be sent: %v", r.method, r.target, err))
		return b.page
	}
	out.RemoteAddr, out.TLS = b.address, &tls.ConnectionState{HandshakeComplete: true, Version: tls.VersionTLS13}
	if b.page.target != "" && r.site == "same-origin" {
		out.Header.Set("Referer", origin+b.page.target)
	}
	w := httptest.NewRecorder()
	panicked := answer(b.handler, w, out)
	result := w.Result()
	body, _ := io.ReadAll(result.Body) // of a recorder, in memory
	page := Page{Status: result.StatusCode, Header: result.Header, Body: string(body), target: out.RequestURI}
	if panicked != nil {
		page.Status = http.StatusInternalServerError
		b.note(fmt.Sprintf("the handler panics: %v", panicked))
	}
	b.jar.keep(result.Cookies())
	b.note(fmt.Sprintf("%s %s → %d", r.method, strings.SplitN(r.target, "?", 2)[0], page.Status))
	b.lab.record(exchange{method: r.method, page: page})
	return page
}

// answer calls the handler, and returns what it panicked with, or nil.
func answer(h http.Handler, w http.ResponseWriter, r *http.Request) (panicked any) {
	defer func() { panicked = recover() }()
	h.ServeHTTP(w, r)
	return nil
}

// csrfCookies are the names under which the usual libraries keep a token that a script
// sends back in a header.
var csrfCookies = []string{"XSRF-TOKEN", "csrf_token", "csrftoken", "csrf_", "_csrf"}

func (b *Browser) token() string {
	for _, t := range b.page.tags() {
		if t.name == "meta" && strings.EqualFold(t.attributes["name"], "csrf-token") {
			return t.attributes["content"]
		}
	}
	for _, name := range csrfCookies {
		if c, ok := b.jar[name]; ok {
			return c.Value
		}
	}
	return ""
}

// note adds a line to what the browser has done.
func (b *Browser) note(line string) { b.trail = append(b.trail, line) }

// story returns what the browser has done last, for a failure.
func (b *Browser) story() string {
	const lines = 8
	last := b.trail[max(0, len(b.trail)-lines):]
	if len(last) == 0 {
		return "no request was sent"
	}
	return strings.Join(last, ", ")
}

// clone returns another browser with the same cookies, headers and page.
func (b *Browser) clone() *Browser {
	c := b.lab.browser(b.handler, b.User)
	c.Header, c.jar, c.page, c.trail = b.Header.Clone(), maps.Clone(b.jar), b.page, slices.Clone(b.trail)
	return c
}

// browser returns a fresh browser with an address of its own.
func (l *Lab) browser(h http.Handler, u User) *Browser {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addrs++
	return &Browser{
		User: u, Header: make(http.Header), lab: l, handler: h, jar: make(jar),
		address: fmt.Sprintf("192.0.2.%d:%d", l.addrs%250+1, 20000+l.addrs),
	}
}
