package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

//go:embed templates
var templateFiles embed.FS

// pages maps the tag of a language and the name of a page, "de/home", to its parsed template.
type pages map[string]*template.Template

func parsePages() (pages, error) {
	all := pages{}
	for tag, l := range languages {
		if err := front.ParsePages(templateFiles, l.functions(), func(name string, t *template.Template) { all[tag+"/"+name] = t }); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// functions are for the templates: t says a sentence that the template has, with markup,
// and text says one of the program.
func (l language) functions() template.FuncMap {
	return template.FuncMap{
		"t":        l.html,
		"text":     func(sentence any) string { return l.say(fmt.Sprint(sentence)) },
		"when":     l.when,
		"duration": l.Duration,
		"factor":   l.Factor,
		"event":    l.Event,
		"lock":     l.lock,
		"under":    strings.HasPrefix,
		"address": func(email string) template.HTML {
			return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(email), "@", "<wbr>@"))
		},
		"named": func(to, mark, id, name string) renameForm { return renameForm{to, mark, id, name} },
	}
}

// renameForm gives something another name.
type renameForm struct{ To, Mark, ID, Name string }

// view is the data of every page.
type view struct {
	Issuer  string
	Lang    string
	Now     time.Time
	Path    string         // of the page, for the mark in the navigation
	Toward  string         // the page after this one, if this one asks for something first
	Demo    *bar           // the demonstration, or nil
	Bare    bool           // without navigation: the session was not read
	User    *accounts.User // nil if no one is signed in
	Midway  bool           // the password was right, and a code or a setup is still to come
	Notice  string         // good news after a redirect
	Warning string         // what the user should know
	Problem string         // bad news after a redirect
	Data    any            // depends on the page
}

// render answers with a page. It reads the session before it writes the first
// byte, because the session is saved then.
func (a *app) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) error {
	if front.SpeaksJSON(r) {
		return noPage
	}
	v := view{
		Issuer:  a.issuer(r),
		Lang:    languageOf(r).Tag,
		Now:     a.config.Now(),
		Path:    r.URL.Path,
		Toward:  r.URL.Query().Get("return"),
		Midway:  strings.HasPrefix(r.URL.Path, twoFactorPath+"/"),
		Notice:  a.sessions.PopString(r.Context(), keyNotice),
		Warning: a.sessions.PopString(r.Context(), keyWarning),
		Problem: a.sessions.PopString(r.Context(), keyBad),
		Data:    data,
	}
	if a.config.demo != nil && front.Local(r) {
		v.Demo = a.config.demo.bar(a, r, data)
	}
	u, err := a.current(r.Context())
	switch {
	case err == nil && r.URL.Path != twoFactorPath+"/sign-in":
		v.User = &u
	case err != nil && !errors.Is(err, accounts.ErrNoUser): // who may be signed in
		return err
	}
	return a.write(w, status, name, v)
}

// wrong shows a form again, with the problem that is in it.
func (a *app) wrong(w http.ResponseWriter, r *http.Request, name string, form any, problem string) error {
	if front.SpeaksJSON(r) {
		return hint{problem, ""}
	}
	return a.render(w, r, http.StatusUnprocessableEntity, name, form)
}

// errorPage answers with a page that needs no session and no database.
func (a *app) errorPage(w http.ResponseWriter, r *http.Request, p *problem) {
	if p.wait != "" {
		w.Header().Set("Retry-After", p.wait)
	}
	if err := a.write(w, p.status, "error", view{Issuer: a.issuer(r), Lang: languageOf(r).Tag, Bare: true, Data: p}); err != nil {
		a.config.Logger.ErrorContext(r.Context(), "rendering a problem", "error", err)
		http.Error(w, http.StatusText(p.status), p.status)
	}
}

// write sends a whole page, or none after an error.
func (a *app) write(w http.ResponseWriter, status int, name string, v view) error {
	var page bytes.Buffer
	if err := a.templates[v.Lang+"/"+name].ExecuteTemplate(&page, "layout", v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(page.Bytes())
	return nil
}

// say redirects to a page that shows the text. The key is keyNotice or keyBad. A client that
// speaks JSON gets the text.
func (a *app) say(w http.ResponseWriter, r *http.Request, key, text, to string) error {
	if front.SpeaksJSON(r) {
		return a.sayJSON(w, r, map[string]string{"text": languageOf(r).say(text)})
	}
	a.sessions.Put(r.Context(), key, text)
	return a.redirect(w, r, to)
}

// sayJSON answers with an object and the token of the session, which may be another one now.
func (a *app) sayJSON(w http.ResponseWriter, r *http.Request, answer map[string]string) error {
	if token := a.sessions.Token(r.Context()); token != "" {
		answer["session"] = token
	}
	return front.WriteJSON(w, http.StatusOK, answer)
}

// redirect leads to another page, and a client that speaks JSON nowhere. It returns nil, as
// the last thing that a handler does.
func (a *app) redirect(w http.ResponseWriter, r *http.Request, to string) error {
	if front.SpeaksJSON(r) {
		return a.sayJSON(w, r, map[string]string{})
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
