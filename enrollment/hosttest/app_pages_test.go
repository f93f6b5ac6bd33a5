package hosttest_test

import (
	"crypto/rand"
	"errors"
	"html/template"
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

var loginPage = template.Must(template.New("").Parse(`<form method="post" action="/login"><input name="login"><input type="password" name="password"></form>`))

func (a *app) loginForm(w http.ResponseWriter, r *http.Request) {
	if _, err := r.Cookie("__Host-session"); err != nil && a.fault == "the id stays after the password" {
		a.renewID(w, r, session{}) // each visitor gets an id
	}
	a.show(w, loginPage, nil)
}

func (a *app) login(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	u, ok := a.users[r.PostFormValue("login")]
	a.mu.Unlock()
	if !ok || u.Password != r.PostFormValue("password") {
		http.Error(w, "wrong", http.StatusUnauthorized)
		return
	}
	a.mu.Lock()
	mandated := a.mandated[u.ID]
	a.mu.Unlock()
	d, err := a.guard.SignIn(r.Context(), u.ID, enrollment.SignInOptions{Require: mandated})
	switch d.Next {
	case enrollment.MustEnroll:
		a.demand(w, r, u.ID, d.EnrollToken)
	case enrollment.Proceed:
		a.start(w, r, session{user: u.ID, stamp: d.Stamp})
	case enrollment.AskCode:
		s := session{pending: u.ID, challenge: d.Challenge.Reveal()}
		a.mu.Lock()
		a.pending[u.ID] = s.challenge
		a.mu.Unlock()
		if a.fault == "a session before the code" {
			s.user, s.unstamped = u.ID, true
		}
		if a.fault == "the next user is signed in as well" && a.session(r).user != "" {
			s.user, s.unstamped = u.ID, true
		}
		if a.fault == "the password leaves a cookie" {
			id := rand.Text()
			a.mu.Lock()
			a.sessions[id] = session{user: u.ID, unstamped: true}
			a.mu.Unlock()
			http.SetCookie(w, &http.Cookie{Name: "__Host-remember", Value: id, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		}
		if a.stateless {
			s.challenge = ""
			a.renewID(w, r, s)
			a.show(w, codePage, a.codeForm(d.Challenge.Reveal()))
			return
		}
		a.renewID(w, r, s)
		http.Redirect(w, r, "/code", http.StatusSeeOther)
	default:
		if a.fault == "no second factor while the Guard fails" {
			a.start(w, r, session{user: u.ID, unstamped: true})
			return
		}
		a.fail(w, err)
	}
}

// forgot begins to reset a password. The mail is left out.
func (a *app) forgot(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	u := a.users[r.PostFormValue("login")]
	a.mu.Unlock()
	d, err := a.guard.SignIn(r.Context(), u.ID, enrollment.SignInOptions{Purpose: "reset"})
	if err != nil {
		a.fail(w, err)
		return
	}
	a.renewID(w, r, session{pending: u.ID, challenge: d.Challenge.Reveal(), purpose: "reset"})
	http.Redirect(w, r, "/code", http.StatusSeeOther)
}

var codePage = template.Must(template.New("").Parse(`<form method={{.Method}} action='/code'>
{{with .Challenge}}<input type="hidden" name="challenge" value="{{.}}"><input type="hidden" name="purpose" value="sign_in">{{end}}
<input name="code"></form>`))

// codeForm is what codePage shows.
func (a *app) codeForm(challenge string) any {
	method := "post"
	if a.fault == "codes are sent by GET" {
		method = "get"
	}
	return struct{ Method, Challenge string }{method, challenge}
}

func (a *app) codePage(w http.ResponseWriter, r *http.Request) {
	if a.fault == "codes are sent by GET" && r.FormValue("code") != "" {
		a.code(w, r)
		return
	}
	a.show(w, codePage, a.codeForm(""))
}

func (a *app) code(w http.ResponseWriter, r *http.Request) {
	s, purpose := a.session(r), enrollment.PurposeSignIn
	challenge, code := enrollment.ChallengeOf(s.challenge), r.FormValue("code")
	if id := r.FormValue("user_id"); a.fault == "the challenge is found by a name" && s.challenge == "" {
		a.mu.Lock()
		challenge = enrollment.ChallengeOf(a.pending[id])
		a.mu.Unlock()
	}
	if a.stateless {
		challenge = enrollment.ChallengeOf(r.PostFormValue("challenge"))
	}
	switch {
	case a.fault == "the page says the purpose":
		purpose = enrollment.Purpose(r.PostFormValue("purpose"))
	case a.fault == "any purpose signs in" && s.purpose != "":
		purpose = s.purpose
	}
	ok, err := a.guard.Answer(r.Context(), purpose, challenge, code)
	if a.fault == "a fresh challenge for each code" && errors.Is(err, enrollment.ReasonChallengeExpired) {
		d, _ := a.guard.SignIn(r.Context(), s.pending, enrollment.SignInOptions{})
		ok, err = a.guard.Answer(r.Context(), purpose, d.Challenge, code)
	}
	switch denied := new(enrollment.Denied); {
	case a.fault == "a used code is good enough" && errors.Is(err, enrollment.ReasonReplayed),
		a.fault == "a spent challenge is good enough" && errors.Is(err, enrollment.ReasonChallengeSpent),
		a.fault == "a malformed code is good enough" && errors.Is(err, enrollment.ReasonMalformedCode),
		a.fault == "any other error is good enough" && err != nil && !errors.As(err, &denied):
		a.start(w, r, session{user: s.pending, unstamped: true})
		return
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	a.mu.Lock()
	a.receipts[ok.UserID] = ok.Receipt.Reveal()
	a.mu.Unlock()
	signed := session{user: ok.UserID, stamp: ok.Stamp, receipt: ok.Receipt.Reveal(), marked: true}
	if a.fault == "the session says who it is" {
		status, _ := a.guard.Status(r.Context(), s.pending)
		signed.user, signed.stamp = s.pending, status.Stamp
	}
	a.start(w, r, signed)
}

// start signs a user in.
func (a *app) start(w http.ResponseWriter, r *http.Request, s session) {
	a.renewID(w, r, s)
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}
