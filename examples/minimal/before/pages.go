package main

import (
	"html/template"
	"net/http"
)

func show(w http.ResponseWriter, page *template.Template, about string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = page.Execute(w, about)
}

var (
	loginPage = template.Must(template.New("").Parse(`<!doctype html><html lang="en">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Sign in</title>
<main><h1>Sign in</h1>{{with .}}<p role="alert">{{.}}</p>{{end}}
<form method="post"><p><label>Name <input name="user" autofocus required autocomplete="username"></label></p>
<p><label>Password <input name="password" type="password" required autocomplete="current-password"></label></p>
<button>Sign in</button></form></main>`))
	homePage = template.Must(template.New("").Parse(`<!doctype html><html lang="en">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Home</title>
<main><h1>Hello, {{.}}</h1><p><a href="/danger">Something dangerous</a></p>
<form method="post" action="/logout"><button>Sign out</button></form></main>`))
	dangerPage = template.Must(template.New("").Parse(`<!doctype html><html lang="en">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Danger</title>
<main><h1>{{.}}, you may do something dangerous now</h1><p><a href="/">Back</a></p></main>`))
)
