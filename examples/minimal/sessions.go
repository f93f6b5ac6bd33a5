package main

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A session is what the application knows of a browser.
type session struct {
	user  string
	began time.Time
	stamp enrollment.Stamp
}

// sessions are kept in memory. A real application has a library for them.
type sessions struct {
	mu   sync.Mutex
	byID map[string]session
}

// signedIn returns the user of the session, or "".
func (a *app) signedIn(r *http.Request) (string, error) {
	s := a.session(r)
	if a.guard.Now().Sub(s.began) > 12*time.Hour {
		return "", nil
	}
	return a.pages.Current(r.Context(), s.user, s.stamp)
}

// session returns the session of the browser, or the zero one.
func (a *app) session(r *http.Request) session {
	cookie, err := r.Cookie("session")
	if err != nil {
		return session{}
	}
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	return a.sessions.byID[cookie.Value]
}

// startSession gives the browser a new session. The one that it has ends.
func (a *app) startSession(w http.ResponseWriter, r *http.Request, s session) {
	a.endSession(w, r)
	id := rand.Text()
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	if a.sessions.byID == nil {
		a.sessions.byID = map[string]session{}
	}
	a.sessions.byID[id] = s
	http.SetCookie(w, a.cookie(id, 0))
}

func (a *app) endSession(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie("session")
	if err != nil {
		return
	}
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	delete(a.sessions.byID, cookie.Value)
	http.SetCookie(w, a.cookie("", -1))
}

func (a *app) cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: "session", Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: !a.insecure, SameSite: http.SameSiteLaxMode}
}
