package main

import (
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

func (a *app) addSecondFactor(guard *enrollment.Guard) (err error) {
	a.guard = guard
	a.pages, err = web.New(guard, web.Config{
		User: a.signedIn,
		Start: func(w http.ResponseWriter, r *http.Request, in web.SignedIn) (any, error) {
			s := session{user: in.UserID, began: in.At, stamp: in.Stamp}
			if in.Renewed {
				s.began = a.session(r).began
			}
			a.startSession(w, r, s)
			return nil, nil
		},
		Reauth:   func(r *http.Request) (time.Time, error) { return a.session(r).began, nil },
		Insecure: a.insecure,
	})
	return err
}
