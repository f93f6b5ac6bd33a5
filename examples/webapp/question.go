package main

import (
	"errors"
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// question is a page that asks for a code before it does something.
type question struct {
	Title   string
	Text    []string
	Warning string
	Action  string // where the form goes
	Button  string
	Danger  bool
	Cancel  string // where to go instead
	ID      string // what it is about, or ""
	Phone   bool   // offer text messages instead
	AskName bool   // for a name of an authenticator
	AskCode bool
	Code    codeField

	AskTicket bool
	BadTicket string
	AskWord   bool // for the password
	BadWord   string
}

// ask shows the question. err is how the attempt before went, or nil; ask
// reports whether it could answer that.
func (a *app) ask(w http.ResponseWriter, r *http.Request, q question, err error) bool {
	status := http.StatusOK
	problem := ""
	if err != nil {
		var about bool
		if problem, status, about = a.aboutCode(w, err); !about {
			return false
		}
	}
	q.Code = newCodeField(r, problem)
	a.render(w, r, status, "question", q)
	return true
}

// askTicket shows the question with a field for the ticket that an administrator
// has handed out with a reset. given says whether one was typed.
func (a *app) askTicket(w http.ResponseWriter, r *http.Request, q question, err error, given bool) {
	status := http.StatusOK
	q.AskTicket = true
	var denied *enrollment.Denied
	if given && errors.As(err, &denied) {
		status, q.BadTicket = http.StatusUnprocessableEntity, deniedInWords(denied, a.now())
	}
	a.render(w, r, status, "question", q)
}
