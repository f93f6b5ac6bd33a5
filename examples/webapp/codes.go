package main

import (
	"encoding/base64"
	"html/template"
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

func newCodesQuestion() question {
	return question{
		Title:   "Make new recovery codes",
		Text:    []string{"You get ten new codes. Each signs you in once when you do not have your authenticator app at hand."},
		Warning: "Your earlier recovery codes stop working at once, also those you have not used.",
		Action:  "/security/codes",
		Button:  "Make new codes",
		Cancel:  "/security",
		AskCode: true,
	}
}

func (a *app) newCodesForm(w http.ResponseWriter, r *http.Request, _ user) {
	a.ask(w, r, newCodesQuestion(), nil)
}

func (a *app) newCodes(w http.ResponseWriter, r *http.Request, u user) {
	done, err := a.guard.RenewCodes(r.Context(), u.ID, enrollment.ByCode(r.PostFormValue("code")))
	if err != nil {
		if !a.ask(w, r, newCodesQuestion(), err) {
			a.fail(w, r, err)
		}
		return
	}
	a.keepReceipt(r.Context(), done.Receipt, a.now()) // the code has just been answered
	a.showCodes(w, r, u, done.Codes, "These are your new recovery codes. The earlier ones do not work any more.")
}

// showAgainQuestion stands before codes that were shown before, with the flag
// -keep-codes.
func showAgainQuestion() question {
	return question{
		Title:   "Show your recovery codes again",
		Text:    []string{"It takes a code of your app. You will get a message that they were shown."},
		Action:  "/security/codes/show",
		Button:  "Show them",
		Cancel:  "/security",
		AskCode: true,
	}
}

func (a *app) codesAgainForm(w http.ResponseWriter, r *http.Request, _ user) {
	a.ask(w, r, showAgainQuestion(), nil)
}

func (a *app) codesAgain(w http.ResponseWriter, r *http.Request, u user) {
	codes, err := a.guard.RecoveryCodes(r.Context(), u.ID, enrollment.ByCode(r.PostFormValue("code")))
	if err != nil {
		if !a.ask(w, r, showAgainQuestion(), err) {
			a.fail(w, r, err)
		}
		return
	}
	a.showCodes(w, r, u, codes, "These are the codes that you have not used.")
}

// codesPage shows recovery codes.
type codesPage struct {
	Text  string
	Kept  bool          // they can be shown again
	Sheet template.HTML // to look at, and to print
	File  template.URL  // the same to download
	Name  string        // of the file
}

// showCodes answers with the codes themselves, and not with a redirect to a
// page that would have to get them from somewhere: they are stored nowhere in
// clear, and so not in the session.
//
// The file to download is in the page as well. The browser makes it without
// another request, in whose body a proxy or a tracing agent might see the
// codes. In base64 they do not stand in the status line when the pointer is
// over the link.
func (a *app) showCodes(w http.ResponseWriter, r *http.Request, u user, codes recovery.Codes, text string) {
	file := codes.Sheet(a.sheetInfo(r, u))
	a.render(w, r, http.StatusOK, "codes", codesPage{
		Text:  text,
		Kept:  a.config.keepCodes,
		Sheet: a.sheet(r, u, codes),
		File:  template.URL("data:text/plain;charset=utf-8;base64," + base64.StdEncoding.EncodeToString([]byte(file))),
		Name:  "recovery-codes.txt",
	})
}

// showNewCode shows the code that has taken the place of the one that was used,
// with the flag -replenish.
func (a *app) showNewCode(w http.ResponseWriter, r *http.Request, u user, code recovery.Code) {
	codes, err := recovery.JoinCodes(code)
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	a.showCodes(w, r, u, codes, "You have used a recovery code. This new one takes its place: write it on your sheet.")
}

// sheet returns the codes as a part of a page, which the library has escaped.
func (a *app) sheet(r *http.Request, u user, codes recovery.Codes) template.HTML {
	if codes.Len() == 0 {
		return ""
	}
	return template.HTML(codes.SheetHTML(a.sheetInfo(r, u)))
}

func (a *app) sheetInfo(r *http.Request, u user) recovery.Sheet {
	return recovery.Sheet{Issuer: a.issuer(r), Account: u.Email, Created: a.now()}
}
