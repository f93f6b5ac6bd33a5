package main

import (
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

func newCodesQuestion(token enrollment.RenewalToken) question {
	return question{
		Title:   "Make new recovery codes",
		Text:    []string{"You get ten new codes. Each one signs you in once when you do not have your phone."},
		Warning: "All your old recovery codes stop working at once.",
		Action:  "/security/codes",
		Button:  "Make new codes",
		Cancel:  "/security",
		Token:   token.Reveal(),
		AskCode: true,
	}
}

func (a *app) newCodesForm(w http.ResponseWriter, r *http.Request, u user) {
	token, err := a.guard.PrepareRenewal(r.Context(), u.ID)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.ask(w, r, newCodesQuestion(token), nil)
}

func (a *app) newCodes(w http.ResponseWriter, r *http.Request, u user) {
	const text = "These are your new recovery codes. The old ones no longer work."
	token := enrollment.RenewalTokenOf(r.PostFormValue("token"))
	done, err := a.guard.RenewCodesOnce(r.Context(), u.ID, token, enrollment.ByCode(r.PostFormValue("code")))
	if errors.Is(err, enrollment.ReasonAlreadyRenewed) { // a second click
		if codes, again := a.guard.RenewalCodes(r.Context(), u.ID, token); again == nil {
			a.showCodes(w, r, u, codes, text)
			return
		}
	}
	if err != nil {
		if !a.ask(w, r, newCodesQuestion(token), err) {
			a.fail(w, r, err)
		}
		return
	}
	a.keepReceipt(r.Context(), done.Receipt, a.now()) // the user has just entered a code
	a.stay(r.Context(), u)
	a.showCodes(w, r, u, done.Codes, text)
}

// showAgainQuestion asks for a code before recovery codes are shown again. It
// needs the flag -keep-codes.
func showAgainQuestion() question {
	return question{
		Title:   "Show your recovery codes again",
		Text:    []string{"You need a code from your app. We will send you a message that the codes were shown."},
		Action:  "/security/codes/show",
		Button:  "Show codes",
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
	a.showCodes(w, r, u, codes, "These are the codes you have not used.")
}

// codesPage shows recovery codes.
type codesPage struct {
	Text  string
	Kept  bool          // the codes can be shown again
	Sheet template.HTML // the codes, to read and print
	File  template.URL  // the codes, to download
	Name  string        // file name of the download
}

// showCodes answers with the codes themselves. A redirect to another page would
// need a place to keep them, and the session must not hold codes in clear.
//
// The download is a data URL in the same page. It needs no second response, in
// which a proxy or a tracing agent could see the codes. It is base64, so that the
// browser does not show the codes when the mouse is over the link.
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

// showNewCode shows the recovery code that replaces the one just used. It needs
// the flag -replenish.
func (a *app) showNewCode(w http.ResponseWriter, r *http.Request, u user, code recovery.Code) {
	codes, err := recovery.JoinCodes(code)
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	a.showCodes(w, r, u, codes, "You used a recovery code. This new code replaces it. Add it to your list.")
}

// sheet returns the codes as HTML. The library has escaped it.
func (a *app) sheet(r *http.Request, u user, codes recovery.Codes) template.HTML {
	if codes.Len() == 0 {
		return ""
	}
	return template.HTML(codes.SheetHTML(a.sheetInfo(r, u)))
}

func (a *app) sheetInfo(r *http.Request, u user) recovery.Sheet {
	return recovery.Sheet{Issuer: a.issuer(r), Account: u.Email, Created: a.now()}
}
