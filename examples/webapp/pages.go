package main

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"
	"time"
)

//go:embed templates
var templates embed.FS

// pages maps the name of a page to its parsed template.
type pages map[string]*template.Template

func parsePages() (pages, error) {
	const shared = "templates/shared/*.html"
	all := pages{}
	files, err := templates.ReadDir("templates")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		t, err := template.New("").Funcs(functions).ParseFS(templates, shared, "templates/"+f.Name())
		if err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(f.Name(), ".html")] = t
	}
	return all, nil
}

var functions = template.FuncMap{
	"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"human":   func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
	"factor":  words.Factor,
}

// view is the data of every page.
type view struct {
	Issuer  string
	Mailbox bool   // the page /messages exists
	Bare    bool   // without navigation: the session was not read
	User    *user  // nil if no one is signed in
	Notice  string // good news after a redirect
	Problem string // bad news after a redirect
	Data    any    // depends on the page
}

// render answers with a page. It reads the session before it writes the first
// byte, because the session is saved then.
func (a *app) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	v := view{
		Issuer:  a.issuer(r),
		Mailbox: a.config.mailbox && isLocal(r),
		Notice:  a.sessions.PopString(r.Context(), keyNotice),
		Problem: a.sessions.PopString(r.Context(), keyBad),
		Data:    data,
	}
	if u, err := a.current(r.Context()); err == nil {
		v.User = &u
	}
	a.write(w, r, status, name, v)
}

// problemPage is a page that only says what is wrong.
type problemPage struct{ Title, Text string }

// errorPage answers with a page that needs no session and no database.
func (a *app) errorPage(w http.ResponseWriter, r *http.Request, status int, p problemPage) {
	a.write(w, r, status, "error", view{Issuer: a.issuer(r), Bare: true, Data: p})
}

func (a *app) write(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	var page bytes.Buffer // never send half a page
	if err := a.pages[name].ExecuteTemplate(&page, "layout", v); err != nil {
		a.log.ErrorContext(r.Context(), "rendering", "page", name, "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(page.Bytes())
}

// say redirects to a page that shows the text. The key is keyNotice or keyBad.
func (a *app) say(w http.ResponseWriter, r *http.Request, key, text, to string) {
	a.sessions.Put(r.Context(), key, text)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// The variants of a codeField, as values of the parameter "with".
const (
	withApp      = ""
	withRecovery = "recovery"
	withMessage  = "message"
)

// codeField is a form field for a code. One field takes app codes and recovery
// codes. Its variants differ in the label and in the keyboard that a phone shows.
type codeField struct {
	With    string
	AppOnly bool   // do not offer recovery codes
	NoApp   bool   // the user has no authenticator app
	Problem string // what was wrong with the last code
	Apps    string // URL of the same page for app codes
	Other   string // URL of the same page for recovery codes
}

// newCodeField returns the field in the variant that the request asks for.
// problem is what was wrong with the last code, or "".
func newCodeField(r *http.Request, problem string) codeField {
	query := r.URL.Query()
	field := codeField{Problem: problem, With: query.Get("with")}
	if r.Method == http.MethodPost {
		field.With = r.PostForm.Get("with")
	}
	if id := r.PostForm.Get("id"); id != "" {
		query.Set("id", id)
	}
	address := func(with string) string {
		query.Del("with")
		if with != withApp {
			query.Set("with", with)
		}
		if q := query.Encode(); q != "" {
			return r.URL.Path + "?" + q
		}
		return r.URL.Path
	}
	field.Apps, field.Other = address(withApp), address(withRecovery)
	return field
}
