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

// pages are the parsed templates, by the name of the page.
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
	"factor":  factorInWords,
}

// view is what every page is made of.
type view struct {
	Issuer  string
	Mailbox bool   // there is a page /messages
	Bare    bool   // without navigation, as nobody looked who is signed in
	User    *user  // nil while nobody is signed in
	Notice  string // what was done, after a redirect
	Problem string // what was not
	Data    any    // of the page itself
}

// render answers with a page. What it needs of the session is read before the
// first byte is written, when the session is saved.
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

// errorPage answers with a page that needs no session and no database.
func (a *app) errorPage(w http.ResponseWriter, r *http.Request, status int, text string) {
	a.write(w, r, status, "error", view{Issuer: a.issuer(r), Bare: true, Data: text})
}

func (a *app) write(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	var page bytes.Buffer // so that half a page is never sent
	if err := a.pages[name].ExecuteTemplate(&page, "layout", v); err != nil {
		a.log.ErrorContext(r.Context(), "rendering", "page", name, "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(page.Bytes())
}

// say leaves a sentence for the next page, and goes there.
func (a *app) say(w http.ResponseWriter, r *http.Request, key, text, to string) {
	a.sessions.Put(r.Context(), key, text)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// The variants of a codeField, as the parameter "with" has them. The first one
// is for a code of the app.
const (
	withApp      = ""
	withRecovery = "recovery"
	withMessage  = "message"
)

// codeField is a field for a code. App codes and recovery codes go into the
// same one; a page comes in variants, so that a phone shows the keyboard that
// fits.
type codeField struct {
	With    string
	AppOnly bool   // no recovery codes here
	NoApp   bool   // no codes of an app: the user has none
	Problem string // what is wrong with the code
	Apps    string // address of the page's variant for codes of the app
	Other   string // and of that for recovery codes
}

// newCodeField returns the field in the variant that the request asks for.
// problem is what is wrong with the code, if one was sent.
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
