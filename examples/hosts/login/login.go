// Package login is the first factor of the hosts: names and passwords.
package login

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
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
	if u.passwords == nil {
		u.passwords = make(map[string]string)
	}
	u.passwords[name] = password
	return name
}

// Check returns the user of a request to sign in, as a form or as JSON, if the password
// is right.
func (u *Users) Check(r *http.Request) (user string, ok bool) {
	var in struct{ User, Password string }
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if json.NewDecoder(http.MaxBytesReader(nil, r.Body, 4096)).Decode(&in) != nil {
			return "", false
		}
	} else {
		in.User, in.Password = r.PostFormValue("user"), r.PostFormValue("password")
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	password, known := u.passwords[in.User]
	return in.User, known && subtle.ConstantTimeCompare([]byte(password), []byte(in.Password)) == 1
}

// Page asks for name and password.
func Page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprint(w, `<!doctype html><html lang="en"><title>Sign in</title><h1>Sign in</h1><form method="post" action="/login">
<p><label>Name <input name="user" autofocus required autocomplete="username"></label></p>
<p><label>Password <input name="password" type="password" required autocomplete="current-password"></label></p>
<button>Sign in</button></form>`)
}
