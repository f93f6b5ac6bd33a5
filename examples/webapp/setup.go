package main

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// beginQuestion is what stands before a setup: the first one, one more, or one
// that takes the place of another.
func (a *app) beginQuestion(r *http.Request, u user, id string) (question, error) {
	q := question{
		Title: "Switch two-factor authentication on",
		Text: []string{
			"Signing in will take your password and a code from an app on your phone. Whoever learns your password can’t get in with it alone.",
			"You need an authenticator app: Google Authenticator, Microsoft Authenticator, Aegis, 1Password or any other that makes six-digit codes.",
		},
		Action: "/security/begin",
		Button: "Show the QR code",
		Cancel: "/security",
		ID:     id,
		Phone:  a.config.messagesAlone,
	}
	if a.sessions.GetString(r.Context(), keyEnrolling) != "" {
		q.Cancel = "/sign-in"
	}
	status, err := a.guard.Status(r.Context(), u.ID)
	if err != nil || !status.Enabled() {
		return q, err
	}
	// Whoever has answered with a code a moment ago is not asked for another
	// one: that matters most to those who have signed in with a recovery code
	// because the phone is gone.
	q.AskCode, q.Phone = !a.answeredRecently(r), false
	if id == "" {
		q.Title = "Add an authenticator"
		q.Text = []string{"A second device, or an app of another kind, whose codes work beside those you have."}
		q.AskName = true
		return q, nil
	}
	name, err := a.authenticatorName(r, u, id)
	q.Title = "Replace “" + name + "”"
	q.Text = []string{"For a new phone. The old one goes on working until the new one has proven itself with a code, so that you are never without."}
	return q, err
}

// answeredRecently reports whether the receipt in the session can still prove
// something. It saves a question; what counts is what the Guard says to it.
func (a *app) answeredRecently(r *http.Request) bool {
	at := time.Unix(a.sessions.GetInt64(r.Context(), keyReceiptAt), 0)
	return a.now().Sub(at) < enrollment.ReceiptTTL
}

func (a *app) beginForm(w http.ResponseWriter, r *http.Request, u user) {
	q, err := a.beginQuestion(r, u, r.URL.Query().Get("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.ask(w, r, q, nil)
}

func (a *app) begin(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	o := enrollment.BeginOptions{
		Account: u.Email,
		Issuer:  a.issuer(r),
		Name:    cleanName(r.PostFormValue("name")),
		Replace: r.PostFormValue("id"),
		Ticket:  r.PostFormValue("ticket"),
		Proof:   a.proof(r),
	}
	status, err := a.guard.Status(ctx, u.ID)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	setup, err := a.guard.Begin(ctx, u.ID, o)
	if err != nil {
		q, qErr := a.beginQuestion(r, u, o.Replace)
		if errors.Is(err, enrollment.ErrTicket) && qErr == nil {
			a.askTicket(w, r, q, err, o.Ticket != "")
			return
		}
		q.AskCode = true
		if errors.Is(err, enrollment.ErrProof) && qErr == nil {
			a.ask(w, r, q, nil) // the receipt was too old: a code is needed after all
		} else if qErr != nil || !a.ask(w, r, q, err) {
			a.fail(w, r, err)
		}
		return
	}
	// The first setup can be called up again from the session, by a reload of
	// its page. Where an account is protected already, the token is in the page
	// alone: whoever steals the session later must not find the new secret there.
	if status.Enabled() {
		a.sessions.Remove(ctx, keySetup)
		a.showSetup(w, r, u, setup, http.StatusOK, "")
		return
	}
	a.sessions.Put(ctx, keySetup, setup.Token)
	http.Redirect(w, r, "/security/setup", http.StatusSeeOther)
}

// proof returns what authorises a change of settings: the code that was typed,
// or the receipt of one that was answered a moment ago.
func (a *app) proof(r *http.Request) enrollment.Proof {
	if code := r.PostFormValue("code"); code != "" {
		return enrollment.ByCode(code)
	}
	if receipt := a.sessions.GetString(r.Context(), keyReceipt); receipt != "" {
		return enrollment.ByReceipt(receipt)
	}
	return enrollment.Proof{}
}

// setupPage shows a secret to the one who is setting it up.
type setupPage struct {
	Token   string
	QR      template.URL // the image itself, so that no other request carries it
	Link    template.URL // opens an app on the same device
	Secret  string
	Params  totp.Params
	Expires time.Time
	Wait    string // how long until then, in words
	Codes   template.HTML
	Code    codeField
}

// setupForm shows the first setup, if it was begun in this browser, as often as
// the page is loaded.
func (a *app) setupForm(w http.ResponseWriter, r *http.Request, u user) {
	token := a.sessions.GetString(r.Context(), keySetup)
	if token == "" {
		http.Redirect(w, r, "/security/begin", http.StatusSeeOther)
		return
	}
	setup, err := a.guard.Resume(r.Context(), u.ID, token)
	if err != nil {
		if errors.Is(err, enrollment.ErrSetup) {
			a.sessions.Remove(r.Context(), keySetup)
		}
		a.fail(w, r, err)
		return
	}
	a.showSetup(w, r, u, setup, http.StatusOK, "")
}

func (a *app) showSetup(w http.ResponseWriter, r *http.Request, u user, setup enrollment.Setup, status int, problem string) {
	code, err := setup.QR()
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	image, err := code.DataURI(240)
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	field := newCodeField(r, problem)
	field.With, field.AppOnly = withApp, true // whatever the proof was typed as
	a.render(w, r, status, "setup", setupPage{
		Token:   setup.Token,
		QR:      template.URL(image),
		Link:    template.URL(setup.URI()),
		Secret:  setup.Secret(),
		Params:  setup.Params(),
		Expires: setup.Expires,
		Wait:    inWords(setup.Expires.Sub(a.now())),
		Codes:   a.sheet(r, u, setup.Codes()),
		Code:    field,
	})
}

// confirm takes the token from the form, not from the session: in the session
// is that of the latest setup, which another tab may have begun, and then this
// tab shows a QR code that leads nowhere.
func (a *app) confirm(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	token := r.PostFormValue("token")
	done, err := a.guard.Confirm(ctx, u.ID, token, r.PostFormValue("code"))
	if problem, status, about := a.aboutCode(w, err); about {
		setup, err := a.guard.Resume(ctx, u.ID, token)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		a.showSetup(w, r, u, setup, status, problem)
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}

	a.sessions.Remove(ctx, keySetup)
	text := "Your new authenticator works."
	if done.Did == enrollment.EventEnabled {
		text = "Two-factor authentication is on. From now on, signing in takes a code from your app."
	}
	a.confirmed(w, r, u, done, text)
}

// confirmed goes on after a new authenticator, or a phone number, has proven
// itself. Where two-factor authentication is on with it, sessions that began
// with a password alone end here, and whoever had to set it up first is signed
// in now.
func (a *app) confirmed(w http.ResponseWriter, r *http.Request, u user, done enrollment.Confirmed, text string) {
	ctx := r.Context()
	if done.Did == enrollment.EventEnabled {
		// If that fails, the codes must be shown all the same: nobody can later.
		if err := a.endOthers(ctx, u); err != nil {
			a.log.ErrorContext(ctx, "ending other sessions", "user", u.ID, "error", err)
		}
	}
	a.keepReceipt(ctx, done.Success.Receipt, done.Success.At)
	switch {
	case done.Codes.Len() == 0:
		a.say(w, r, keyNotice, text+" Your recovery codes are the same as before.", "/security")
	case done.Did == enrollment.EventEnabled:
		a.showCodes(w, r, u, done.Codes, text)
	default:
		a.showCodes(w, r, u, done.Codes, text+" No recovery codes were left, so here are new ones.")
	}
}

// endOthers ends all sessions of the user but the one in use.
func (a *app) endOthers(ctx context.Context, u user) error {
	renewed, err := a.users.renew(ctx, u.ID)
	if err != nil {
		return err
	}
	return a.start(ctx, renewed)
}

func (a *app) cancel(w http.ResponseWriter, r *http.Request, u user) {
	err := a.guard.Cancel(r.Context(), u.ID)
	if err != nil && !errors.Is(err, enrollment.ErrSetup) {
		a.fail(w, r, err)
		return
	}
	a.sessions.Remove(r.Context(), keySetup)
	a.say(w, r, keyNotice, "The setup is cancelled. Nothing has changed.", "/security")
}
