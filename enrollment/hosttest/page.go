package hosttest

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// A Page is an answer of the application.
type Page struct {
	Status int
	Header http.Header
	Body   string

	target string // the path and query that were asked for
}

// Contains reports whether the page has that text, as it stands in the body or as a
// reader sees it.
func (p Page) Contains(text string) bool {
	return strings.Contains(p.Body, text) || strings.Contains(html.UnescapeString(p.Body), text)
}

// JSON returns the text under that key in the object that the body is, or "". It can be
// a path: "session.token" is in the object under "session".
func (p Page) JSON(key string) string {
	var value any
	if json.Unmarshal([]byte(p.Body), &value) != nil {
		return ""
	}
	for _, name := range strings.Split(key, ".") {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	text, _ := value.(string)
	return text
}

// resolve returns the path and query of an address on this page.
func (p Page) resolve(address string) (string, error) {
	base, err := url.Parse(origin + p.target)
	if err != nil {
		return "", err
	}
	u, err := base.Parse(address)
	if err != nil {
		return "", err
	}
	return u.RequestURI(), nil
}

// redirect returns the request that follows, if the answer is a redirect to a page of
// the application.
func (p Page) redirect(from *request) (*request, bool) {
	to := p.Header.Get("Location")
	if p.Status < 300 || p.Status > 399 || to == "" {
		return nil, false
	}
	if u, err := url.Parse(to); err != nil || u.Host != "" && "https://"+u.Host != origin {
		return nil, false
	}
	target, err := p.resolve(to)
	if err != nil {
		return nil, false
	}
	next := &request{method: http.MethodGet, target: target, site: from.site}
	if p.Status == http.StatusTemporaryRedirect || p.Status == http.StatusPermanentRedirect {
		copied := *from
		copied.target, next = target, &copied
	}
	return next, true
}

// path returns the path of the page.
func (p Page) path() string {
	path, _, _ := strings.Cut(p.target, "?")
	return path
}

// A tag is an element's start or end, for example "form" or "/form".
type tag struct {
	name       string
	attributes map[string]string
}

var (
	tagRE       = regexp.MustCompile(`<(/?[a-zA-Z][a-zA-Z0-9]*)((?:[^>"']|"[^"]*"|'[^']*')*)>`)
	attributeRE = regexp.MustCompile(`([a-zA-Z][-a-zA-Z0-9]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?`)
)

// tags returns the tags of the page in order.
func (p Page) tags() (all []tag) {
	for _, m := range tagRE.FindAllStringSubmatch(p.Body, -1) {
		t := tag{strings.ToLower(m[1]), make(map[string]string)}
		for _, a := range attributeRE.FindAllStringSubmatch(m[2], -1) {
			t.attributes[strings.ToLower(a[1])] = html.UnescapeString(a[2] + a[3] + a[4])
		}
		all = append(all, t)
	}
	return all
}

// A form is a form of a page.
type form struct {
	method string
	hidden url.Values // the fields that nobody types
	fields map[string]bool
}

// form returns the form with that action, and the one with the typed fields if there are
// several.
func (p Page) form(action string, typed url.Values) (found form, ok bool) {
	want, err := p.resolve(action)
	if err != nil {
		return form{}, false
	}
	var all []form
	var in *form
	for _, t := range p.tags() {
		switch t.name {
		case "form":
			in = nil
			if to, err := p.resolve(t.attributes["action"]); err == nil && to == want {
				all = append(all, form{methodOf(t), url.Values{}, map[string]bool{}})
				in = &all[len(all)-1]
			}
		case "/form":
			in = nil
		case "input", "button", "select", "textarea":
			if name := t.attributes["name"]; in != nil && name != "" {
				in.fields[name] = true
				if t.attributes["type"] == "hidden" {
					in.hidden.Add(name, t.attributes["value"])
				}
			}
		}
	}
	for _, f := range all {
		if f.has(typed) {
			return f, true
		}
	}
	if len(all) > 0 {
		return all[0], true
	}
	return form{}, false
}

func (f form) has(typed url.Values) bool {
	for name := range typed {
		if !f.fields[name] {
			return false
		}
	}
	return true
}

func methodOf(form tag) string {
	if strings.EqualFold(form.attributes["method"], "post") {
		return http.MethodPost
	}
	return http.MethodGet
}
