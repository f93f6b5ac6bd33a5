// Package login is the first factor of the hosts: names and passwords.
package login

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"html"
	"log"
	"net/http"
	"strings"
	"sync"
	"unicode"
)

// Users are the users of a host and their passwords. A real host keeps hashes in its
// database.
type Users struct {
	mu        sync.Mutex
	passwords map[string]string
}

// Add adds a user and returns the id, which is the name.
func (u *Users) Add(name, password string) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.add(name, password)
	return name
}

func (u *Users) add(name, password string) {
	if u.passwords == nil {
		u.passwords = make(map[string]string)
	}
	u.passwords[name] = password
}

// SignUp adds the user of a request as Check reads it. It returns "", or what to tell the
// user who could not be added.
func (u *Users) SignUp(r *http.Request) (problem string) {
	in, ok := read(r)
	if !ok || in.User == "" || len(in.User) > 64 || strings.ContainsFunc(in.User, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "A name has 1 to 64 letters."
	}
	if len(in.Password) < 8 {
		return "A password has at least 8 letters."
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, taken := u.passwords[in.User]; taken {
		return "That name is taken."
	}
	u.add(in.User, in.Password)
	return ""
}

// Check returns the user of a request to sign in, as a form or as JSON, if the password
// is right.
func (u *Users) Check(r *http.Request) (user string, ok bool) {
	in, ok := read(r)
	u.mu.Lock()
	defer u.mu.Unlock()
	password, known := u.passwords[in.User]
	return in.User, ok && known && subtle.ConstantTimeCompare([]byte(password), []byte(in.Password)) == 1
}

type credentials struct{ User, Password string }

func read(r *http.Request) (in credentials, ok bool) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if json.NewDecoder(http.MaxBytesReader(nil, r.Body, 4096)).Decode(&in) != nil {
			return in, false
		}
		return in, true
	}
	return credentials{r.PostFormValue("user"), r.PostFormValue("password")}, true
}

const head = `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width, initial-scale=1">`

// Home greets a user, with a link to each of the pages.
func Home(w http.ResponseWriter, user string, pages ...string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprintf(w, head+`<title>Home</title><main><h1>Hello, %s</h1>`, html.EscapeString(user))
	for _, page := range pages {
		fmt.Fprintf(w, `<p><a href="%[1]s">%[1]s</a></p>`, html.EscapeString(page))
	}
	fmt.Fprint(w, `</main>`)
}

// Danger is what only a user who has just typed a code may do. A GET shows the button for
// it: a link from anywhere sends a GET, so that must do nothing.
func Danger(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	main := `<h1>Something dangerous</h1><form method="post"><button>Do it</button></form>`
	if r.Method == http.MethodPost {
		main = `<h1>danger done</h1>`
	}
	fmt.Fprint(w, head+`<title>Something dangerous</title><main>`+main+`</main>`)
}

// SignedIn reports whether there is a user, or an error instead, as a host has found out. It
// leads nobody to the login. An error must not: the user is still signed in.
func SignedIn(w http.ResponseWriter, r *http.Request, user string, err error) bool {
	switch {
	case err != nil:
		Fault(w, r, err)
	case user == "":
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	}
	return err == nil && user != ""
}

// Fault logs an error that is not the user's, and answers the request.
func Fault(w http.ResponseWriter, r *http.Request, err error) {
	log.Printf("%s %s: %v", r.Method, r.URL.Path, err)
	http.Error(w, "Something went wrong.", http.StatusInternalServerError)
}

// Page asks for name and password. Its form goes to the address of the page, whose query can
// say where to go after it.
func Page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprint(w, head+`<title>Sign in</title><main><h1>Sign in</h1><form method="post">
<p><label>Name <input name="user" autofocus required autocomplete="username"></label></p>
<p><label>Password <input name="password" type="password" required autocomplete="current-password"></label></p>
<button>Sign in</button></form></main>`)
}
