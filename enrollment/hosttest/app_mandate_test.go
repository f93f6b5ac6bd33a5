package hosttest_test

import (
	"html/template"
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
)

var enrollPage = template.Must(template.New("").Parse(`
<p>You need a second factor.</p>
<form method="post" action="/security/begin"></form>
`))

// demand leads a user to the setup whose sign-in demands it.
func (a *app) demand(w http.ResponseWriter, r *http.Request, userID string, token enrollment.EnrollToken) {
	s := session{enroll: token.Reveal()}
	switch a.fault {
	case "a session before the setup":
		s.user, s.unstamped = userID, true
	case "a mandate lasts":
		s = session{enrolling: userID}
	}
	a.renewID(w, r, s)
	http.Redirect(w, r, "/enroll", http.StatusSeeOther)
}

// settingUp lets users through who are signed in, and those whose sign-in demands the
// setup.
func (a *app) settingUp(next func(http.ResponseWriter, *http.Request, hosttest.User)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := a.session(r)
		id := s.enrolling
		if s.enroll != "" {
			var err error
			if id, err = a.guard.EnrollingUser(r.Context(), enrollment.EnrollTokenOf(s.enroll), ""); err != nil {
				a.fail(w, err)
				return
			}
		}
		if u, ok := a.user(id); ok {
			next(w, r, u)
			return
		}
		a.signedIn(next)(w, r)
	}
}

// mandate is the proof that a sign-in has demanded the setup.
func (a *app) mandate(r *http.Request) (enrollment.Proof, bool) {
	s := a.session(r)
	switch {
	case s.enrolling != "":
		return enrollment.ByReauth("password"), true
	case s.enroll != "":
		return enrollment.ByEnrollToken(enrollment.EnrollTokenOf(s.enroll), ""), true
	}
	return enrollment.Proof{}, false
}
