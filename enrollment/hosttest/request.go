package hosttest

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// A request is what a browser is about to send.
type request struct {
	method  string
	target  string // path and query
	site    string // Sec-Fetch-Site: where it comes from
	header  http.Header
	cookies []*http.Cookie
	token   string // against cross-site requests, as a script sends it

	typed  url.Values // what a person typed into a form
	hidden url.Values // the other fields of the form
	json   []byte     // instead of a form
	plain  bool       // send JSON as another type, as forms of other sites can
}

// An exchange is a request with its answer.
type exchange struct {
	method string
	page   Page
}

// build returns the request as a handler gets it.
func (r *request) build(ctx context.Context) (*http.Request, error) {
	target, body, kind := r.target, "", ""
	fields := url.Values{}
	for _, from := range []url.Values{r.hidden, r.typed} {
		for name, values := range from {
			fields[name] = values
		}
	}
	switch {
	case r.json != nil && r.plain:
		body, kind = string(r.json), "text/plain"
	case r.json != nil:
		body, kind = string(r.json), "application/json"
	case r.method == http.MethodGet && len(fields) > 0:
		sep := "?"
		if strings.Contains(target, "?") {
			sep = "&"
		}
		target += sep + fields.Encode()
	case r.method != http.MethodGet:
		body, kind = fields.Encode(), "application/x-www-form-urlencoded"
	}
	var content io.Reader = http.NoBody
	if body != "" {
		content = strings.NewReader(body)
	}
	out, err := http.NewRequestWithContext(ctx, r.method, origin+target, content)
	if err != nil {
		return nil, err
	}
	out.RequestURI = target
	for name, values := range r.header {
		out.Header[name] = values
	}
	if kind != "" {
		out.Header.Set("Content-Type", kind)
	}
	if r.token != "" {
		out.Header.Set("X-CSRF-Token", r.token)
		out.Header.Set("X-XSRF-Token", r.token)
	}
	for _, c := range r.cookies {
		out.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	out.Header.Set("Sec-Fetch-Site", r.site)
	switch {
	case r.site == "cross-site" && r.method != http.MethodGet:
		out.Header.Set("Origin", "https://attacker.example")
		out.Header.Set("Referer", "https://attacker.example/")
	case r.method != http.MethodGet:
		out.Header.Set("Origin", origin)
	}
	return out, nil
}

// replace puts another text for each place of the request that has the old one, also
// inside addresses and cookies.
func (r *request) replace(old, new string) {
	put := func(text string) string {
		for _, escape := range []func(string) string{func(s string) string { return s }, url.QueryEscape, url.PathEscape} {
			text = strings.ReplaceAll(text, escape(old), escape(new))
		}
		return text
	}
	r.target = put(r.target)
	if r.json != nil {
		r.json = []byte(put(string(r.json)))
	}
	for _, fields := range []map[string][]string{r.typed, r.hidden, r.header} {
		for _, values := range fields {
			for i := range values {
				values[i] = put(values[i])
			}
		}
	}
	for i, c := range r.cookies {
		changed := *c
		changed.Value = put(c.Value)
		r.cookies[i] = &changed
	}
}

// replaceValue puts another value for each whole value that is the old one: of a field, of
// a part of the path, of a cookie. A user id can be short, so its text may be anywhere.
func (r *request) replaceValue(old, new string) {
	put := func(value string) string {
		if value == old {
			return new
		}
		return value
	}
	path, query, _ := strings.Cut(r.target, "?")
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = put(parts[i])
	}
	r.target = strings.Join(parts, "/")
	inQuery, _ := url.ParseQuery(query)
	for _, fields := range []map[string][]string{inQuery, r.typed, r.hidden} {
		for _, values := range fields {
			for i := range values {
				values[i] = put(values[i])
			}
		}
	}
	if query != "" {
		r.target += "?" + inQuery.Encode()
	}
	if r.json != nil {
		for _, end := range []string{",", "}", "]"} {
			for _, quote := range []string{"", `"`} {
				r.json = []byte(strings.ReplaceAll(string(r.json), ":"+quote+old+quote+end, ":"+quote+new+quote+end))
			}
		}
	}
	for i, c := range r.cookies {
		changed := *c
		changed.Value = put(c.Value)
		r.cookies[i] = &changed
	}
}

// add adds a field to the request, wherever a handler may look for one.
func (r *request) add(name, value string) {
	sep := "?"
	if strings.Contains(r.target, "?") {
		sep = "&"
	}
	r.target += sep + url.Values{name: {value}}.Encode()
	if r.json == nil && r.method != http.MethodGet && !r.typed.Has(name) && !r.hidden.Has(name) {
		if r.typed == nil {
			r.typed = url.Values{}
		}
		r.typed.Set(name, value)
	}
}
