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
	Action  string // URL of the form
	Button  string
	Danger  bool
	Cancel  string // URL of the Cancel button
	ID      string // of an authenticator, or ""
	Token   string // that makes the form count once, or ""
	Phone   bool   // offer text messages instead
	AskName bool   // ask for a name for the authenticator
	AskCode bool
	Code    codeField

	AskTicket bool
	BadTicket string
	AskWord   bool // ask for the password
	BadWord   string
}

// ask shows the question. err is the error of the attempt before, or nil. ask
// returns false, and writes nothing, if err is not about the code.
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

// asksForTicket reports whether the Guard wants a ticket, or another one.
func asksForTicket(err error) bool {
	return errors.Is(err, enrollment.ReasonTicketRequired) || errors.Is(err, enrollment.ReasonTicketInvalid)
}

// askTicket shows the question with a field for the ticket that an administrator
// issued with a reset. given says whether the user entered one.
func (a *app) askTicket(w http.ResponseWriter, r *http.Request, q question, err error, given bool) {
	status := http.StatusOK
	q.AskTicket = true
	var denied *enrollment.Denied
	if given && errors.As(err, &denied) {
		status, q.BadTicket = http.StatusUnprocessableEntity, deniedInWords(denied, a.now())
	}
	a.render(w, r, status, "question", q)
}
