package main

import (
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// beginQuestion is the page before a setup: of the first authenticator, of a
// further one, or of one that replaces the authenticator with that id.
func (a *app) beginQuestion(r *http.Request, u user, id string) (question, error) {
	q := question{
		Title: "Turn on two-factor authentication",
		Text: []string{
			"You will sign in with your password and a code from an app on your phone. A stolen password is then not enough to get in.",
			"You need an authenticator app, for example Google Authenticator, Microsoft Authenticator, Aegis or 1Password.",
		},
		Action: "/security/begin",
		Button: "Show QR code",
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
	// Do not ask for a code if the user has just entered one. This matters most
	// to users who lost their phone and signed in with a recovery code.
	q.AskCode, q.Phone = !a.answeredRecently(r), false
	if id == "" {
		q.Title = "Add an authenticator"
		q.Text = []string{"Set up another phone or another app. You can use its codes as well as your present ones."}
		q.AskName = true
		return q, nil
	}
	name, err := a.authenticatorName(r, u, id)
	q.Title = "Replace “" + name + "”"
	q.Text = []string{"Set up your new phone. The old one keeps working until you confirm the new one with a code."}
	return q, err
}

// answeredRecently reports whether the receipt in the session is still fresh. It
// only decides whether to ask for a code. The Guard checks the receipt itself.
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
		Ticket:  enrollment.TicketOf(r.PostFormValue("ticket")),
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
		if asksForTicket(err) && qErr == nil {
			a.askTicket(w, r, q, err, !o.Ticket.IsZero())
			return
		}
		q.AskCode = true
		if errors.Is(err, enrollment.ErrProof) && qErr == nil {
			a.ask(w, r, q, nil) // the receipt has expired, so ask for a code
		} else if qErr != nil || !a.ask(w, r, q, err) {
			a.fail(w, r, err)
		}
		return
	}
	a.stay(ctx, u) // the proof may have been a recovery code
	// The token of a first setup goes into the session, so that its page can be
	// reloaded. If the account already has a second factor, the token goes only
	// into the page: someone who steals the session later must not get the new
	// secret.
	if status.Enabled() {
		a.sessions.Remove(ctx, keySetup)
		a.showSetup(w, r, u, setup, http.StatusOK, "")
		return
	}
	a.sessions.Put(ctx, keySetup, setup.Token.Reveal())
	http.Redirect(w, r, "/security/setup", http.StatusSeeOther)
}

// proof returns the proof for a change of settings: the code in the form, or the
// receipt of the last code.
func (a *app) proof(r *http.Request) enrollment.Proof {
	if code := r.PostFormValue("code"); code != "" {
		return enrollment.ByCode(code)
	}
	if receipt := a.sessions.GetString(r.Context(), keyReceipt); receipt != "" {
		return enrollment.ByReceipt(enrollment.ReceiptOf(receipt))
	}
	return enrollment.Proof{}
}

// setupPage shows a new secret to its owner.
type setupPage struct {
	Token   string
	QR      template.URL // a data URL, so that no second response contains it
	Link    template.URL // opens an app on the same device
	Secret  string       // in groups, for typing
	Plain   string       // the same, for pasting
	Params  totp.Params
	Expires time.Time
	Wait    string // the time left, in words
	Codes   template.HTML
	Code    codeField
}

// setupForm shows the first setup again, in the browser that started it.
func (a *app) setupForm(w http.ResponseWriter, r *http.Request, u user) {
	token := a.sessions.GetString(r.Context(), keySetup)
	if token == "" {
		http.Redirect(w, r, "/security/begin", http.StatusSeeOther)
		return
	}
	setup, err := a.guard.Resume(r.Context(), u.ID, enrollment.SetupTokenOf(token))
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
	field.With, field.AppOnly = withApp, true // the request may have had a recovery code as its proof
	a.render(w, r, status, "setup", setupPage{
		Token:   setup.Token.Reveal(),
		QR:      template.URL(image),
		Link:    template.URL(setup.URI()),
		Secret:  setup.Secret().Grouped(),
		Plain:   setup.Secret().Base32(),
		Params:  setup.Params(),
		Expires: setup.Expires,
		Wait:    inWords(setup.Expires.Sub(a.now())),
		Codes:   a.sheet(r, u, setup.Codes()),
		Code:    field,
	})
}

// confirm takes the token from the form and not from the session. The session has
// the token of the latest setup, which may be that of another tab.
func (a *app) confirm(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	token := enrollment.SetupTokenOf(r.PostFormValue("token"))
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
	if errors.Is(err, enrollment.ReasonAlreadyConfirmed) {
		a.confirmedBefore(w, r, u, token)
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}

	a.sessions.Remove(ctx, keySetup)
	text := "Your new authenticator works."
	if done.Did == enrollment.EventEnabled {
		text = "Two-factor authentication is on. From now on, you sign in with your password and a code from your app."
	}
	a.confirmed(w, r, u, done, text)
}

// confirmed continues after a new authenticator or phone number is confirmed. The other
// sessions have ended: some began with a password alone. If this turned two-factor
// authentication on, it also signs in a user who had to set it up.
func (a *app) confirmed(w http.ResponseWriter, r *http.Request, u user, done enrollment.Confirmed, text string) {
	ctx := r.Context()
	if done.Did == enrollment.EventEnabled {
		// Show the codes even if this fails. They can't be shown later.
		if err := a.start(ctx, u, done.Success.Stamp); err != nil {
			a.log.ErrorContext(ctx, "renewing the session", "user", u.ID, "error", err)
		}
	} else {
		a.stay(ctx, u)
	}
	a.keepReceipt(ctx, done.Success.Receipt, done.Success.At)
	switch {
	case done.Codes.Len() == 0:
		a.say(w, r, keyNotice, text+" Your recovery codes have not changed.", "/security")
	case done.Did == enrollment.EventEnabled:
		a.showCodes(w, r, u, done.Codes, text)
	default:
		a.showCodes(w, r, u, done.Codes, text+" You had no recovery codes left, so here are new ones.")
	}
}

// confirmedBefore answers a second click on the button, or a page that is loaded again.
// It shows the recovery codes, because the first answer may have been lost.
func (a *app) confirmedBefore(w http.ResponseWriter, r *http.Request, u user, token enrollment.SetupToken) {
	codes, err := a.guard.SetupCodes(r.Context(), u.ID, token)
	if errors.Is(err, enrollment.ReasonCodesNotKept) {
		a.say(w, r, keyNotice, "This is already set up.", "/security")
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.showCodes(w, r, u, codes, "This is already set up, and two-factor authentication is on.")
}

func (a *app) cancel(w http.ResponseWriter, r *http.Request, u user) {
	err := a.guard.Cancel(r.Context(), u.ID)
	if err != nil && !errors.Is(err, enrollment.ErrSetup) {
		a.fail(w, r, err)
		return
	}
	a.sessions.Remove(r.Context(), keySetup)
	a.say(w, r, keyNotice, "Setup cancelled. Nothing has changed.", "/security")
}
