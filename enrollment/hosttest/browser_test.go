package hosttest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
)

// echo answers with what it got, after the pages that lead there.
func echo(pages map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if page, ok := pages[r.URL.Path]; ok && r.Method == http.MethodGet {
			fmt.Fprint(w, page)
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.RequestURI, body)
		for _, name := range []string{"Content-Type", "Origin", "Referer", "Sec-Fetch-Site", "X-Csrf-Token", "Authorization"} {
			if v := r.Header.Get(name); v != "" {
				fmt.Fprintf(w, "\n%s: %s", name, v)
			}
		}
		if c, err := r.Cookie("kept"); err == nil {
			fmt.Fprintf(w, "\ncookie %s", c.Value)
		}
	})
}

func TestSubmit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		page, action string
		typed        []string
		want         string
	}{
		"hidden fields": {
			`<form action="/to" method="POST"><input type=hidden name='token' value="a&amp;b"><input name="code" value="old"></form>`,
			"/to", []string{"code", "1"}, "POST /to code=1&token=a%26b",
		},
		"an address of its own": {
			`<form method="post"><input type="hidden" name="a" value="1"></form>`, "/form?x=y", nil, "POST /form?x=y a=1",
		},
		"a relative address": {`<form action="to" method="post"></form>`, "/to", nil, "POST /to "},
		"the form with the field": {
			`<form action="/to" method="post"><input type="hidden" name="form" value="1"></form>
			<form action="/to" method="post"><input type="hidden" name="form" value="2"><textarea name="code"></textarea></form>`,
			"/to", []string{"code", "1"}, "POST /to code=1&form=2",
		},
		"typed over a hidden field": {
			`<form action="/to" method="post"><input type="hidden" name="id" value="1"></form>`, "/to", []string{"id", "2"}, "POST /to id=2",
		},
		"a form with GET": {
			`<form action="/to"><input type="hidden" name="a" value="1"><input name="code"></form>`, "/to", []string{"code", "1"}, "GET /to?a=1&code=1 ",
		},
		"the field of another form": {
			`<form action="/other" method="post"><input type="hidden" name="no" value="1"></form><form action="/to" method="post"></form><input type="hidden" name="no" value="1">`,
			"/to", nil, "POST /to ",
		},
		"no form": {`nothing`, "/to", []string{"code", "1"}, "POST /to code=1"},
	} {
		b := hosttest.NewBrowser(echo(map[string]string{"/form": c.page}))
		b.Get("/form?x=y")
		page := b.Submit(c.action, c.typed...)
		if got, _, _ := strings.Cut(page.Body, "\n"); got != c.want {
			t.Errorf("%s: sends %q, want %q", name, got, c.want)
		}
		if strings.HasPrefix(c.want, "POST") && !page.Contains("Content-Type: application/x-www-form-urlencoded\nOrigin: https://app.example.com\nReferer: https://app.example.com/form?x=y\nSec-Fetch-Site: same-origin") {
			t.Errorf("%s: the headers are\n%s", name, page.Body)
		}
	}
}

func TestSendJSON(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.Handler{
		"in the page": echo(map[string]string{"/": `<meta name="csrf-token" content="secret">`}),
		"in a cookie": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				http.SetCookie(w, &http.Cookie{Name: "XSRF-TOKEN", Value: "secret", Path: "/"})
				return
			}
			echo(nil).ServeHTTP(w, r)
		}),
	} {
		b := hosttest.NewBrowser(handler)
		b.Header.Set("Authorization", "Bearer x")
		b.Get("/")
		page := b.SendJSON(http.MethodPut, "/to", map[string]string{"code": "1"})
		for _, want := range []string{`PUT /to {"code":"1"}`, "Content-Type: application/json", "X-Csrf-Token: secret", "Authorization: Bearer x"} {
			if !page.Contains(want) {
				t.Errorf("%s: lacks %q:\n%s", name, want, page.Body)
			}
		}
	}
	b := hosttest.NewBrowser(echo(nil))
	if page := b.SendJSON(http.MethodPost, "/", func() {}); page.Status != 0 {
		t.Errorf("what can't be encoded: status %d", page.Status)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	for path, to := range map[string]struct {
		where string
		how   int
	}{
		"/303": {"/end", 303}, "/relative": {"sub/../end", 302}, "/307": {"/end", 307}, "/308": {"https://app.example.com/end", 308},
		"/away": {"https://other.example/", 302}, "/loop": {"/loop", 302}, "/bad": {"http://[", 302},
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", to.where)
			http.SetCookie(w, &http.Cookie{Name: "kept", Value: path})
			w.WriteHeader(to.how)
		})
	}
	mux.Handle("/end", echo(nil))
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("no") })
	for path, want := range map[string]string{
		"/303": "GET /end ", "/relative": "GET /end ", "/307": "POST /end a=1", "/308": "POST /end a=1",
	} {
		page := hosttest.NewBrowser(mux).Submit(path, "a", "1")
		if got, _, _ := strings.Cut(page.Body, "\n"); got != want || !page.Contains("cookie "+path) {
			t.Errorf("%s leads to %q, want %q", path, page.Body, want)
		}
	}
	for path, want := range map[string]int{"/away": 302, "/loop": 302, "/bad": 302, "/nowhere": 404, "/panic": 500} {
		if page := hosttest.NewBrowser(mux).Get(path); page.Status != want {
			t.Errorf("%s: status %d, want %d", path, page.Status, want)
		}
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	set := map[string][]*http.Cookie{
		"/set": {
			{Name: "a", Value: "1", Path: "/sub"}, {Name: "b", Value: "2", Path: "/"},
			{Name: "c", Value: "3", Path: "/", Expires: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, // by the clock of a test
		},
		"/delete": {{Name: "b", Path: "/", MaxAge: -1}, {Name: "c", Path: "/", Expires: time.Unix(1, 0)}},
	}
	b := hosttest.NewBrowser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, c := range set[r.URL.Path] {
			http.SetCookie(w, c)
		}
		fmt.Fprint(w, r.Header.Get("Cookie"))
	}))
	b.Get("/set")
	for path, want := range map[string]string{"/": "b=2; c=3", "/sub": "a=1; b=2; c=3", "/sub/x": "a=1; b=2; c=3", "/subx": "b=2; c=3"} {
		if got := b.Get(path).Body; got != want {
			t.Errorf("%s gets the cookies %q, want %q", path, got, want)
		}
	}
	b.Get("/delete")
	if got := b.Get("/sub").Body; got != "a=1" {
		t.Errorf("after a deletion: %q", got)
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	page := hosttest.Page{Body: `{"a":{"b":"x &amp; y"},"n":1}`}
	if page.JSON("a.b") != "x &amp; y" || page.JSON("a") != "" || page.JSON("n") != "" || page.JSON("a.b.c") != "" || (hosttest.Page{}).JSON("a") != "" {
		t.Errorf("%q %q %q", page.JSON("a.b"), page.JSON("a"), page.JSON("n"))
	}
	if !page.Contains("x & y") || !page.Contains("&amp;") || page.Contains("z") {
		t.Error("Contains is wrong")
	}
}
