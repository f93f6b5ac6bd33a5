package main

import (
	"errors"
	"net/http"

	"github.com/nyaruka/phonenumbers"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// channelSMS is the channel of text messages.
const channelSMS = "sms"

// errPhone says that a text is not a phone number with a country code.
var errPhone = errors.New("not a phone number with a country code")

// parsePhone returns the number in E.164 format. The number must start with a plus
// sign and the country code. A guessed country could send codes to someone else.
func parsePhone(text string) (string, error) {
	number, err := phonenumbers.Parse(text, "ZZ")
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", errPhone
	}
	return phonenumbers.Format(number, phonenumbers.E164), nil
}

// phonePage asks for a phone number, or for the code that was sent to it.
type phonePage struct {
	Token     string // of the number whose code is pending
	Number    string
	Problem   string // with the number
	Sent      bool
	AskCode   bool
	AskTicket bool
	BadTicket string
	Cancel    string
	Code      codeField
}

func (a *app) phoneForm(w http.ResponseWriter, r *http.Request, u user) {
	page, err := a.newPhonePage(r, u)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.render(w, r, http.StatusOK, "phone", page)
}

func (a *app) newPhonePage(r *http.Request, u user) (phonePage, error) {
	page := phonePage{Code: newCodeField(r, ""), Cancel: "/security"}
	if a.sessions.GetString(r.Context(), keyEnrolling) != "" {
		page.Cancel = "/security/begin"
	}
	status, err := a.guard.Status(r.Context(), u.ID)
	page.AskCode = status.Enabled() && !a.answeredRecently(r)
	return page, err
}

// bindPhone sends a code to the number in the form.
func (a *app) bindPhone(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	page, err := a.newPhonePage(r, u)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	page.Number = r.PostFormValue("number")
	number, err := parsePhone(page.Number)
	if err != nil {
		page.Problem = "That is not a valid phone number. Include the country code."
		a.render(w, r, http.StatusUnprocessableEntity, "phone", page)
		return
	}
	ticket := r.PostFormValue("ticket")
	binding, err := a.guard.Messages().Bind(ctx, u.ID, enrollment.BindOptions{
		Channel: channelSMS, To: number, Ticket: enrollment.TicketOf(ticket), Proof: a.proof(r),
	})
	var denied *enrollment.Denied
	problem, status, about := a.aboutCode(w, err)
	switch {
	case err == nil:
		a.stay(ctx, u) // the proof may have been a recovery code
		a.sessions.Put(ctx, keyPhone, binding.Token.Reveal())
		http.Redirect(w, r, "/security/phone/code", http.StatusSeeOther)
		return
	case about:
		page.AskCode, page.Code = true, newCodeField(r, problem)
	case errors.Is(err, enrollment.ErrProof): // the receipt has expired
		status, page.AskCode = http.StatusOK, true
	case asksForTicket(err) && errors.As(err, &denied):
		status, page.AskTicket = http.StatusOK, true
		if ticket != "" {
			status, page.BadTicket = http.StatusUnprocessableEntity, deniedInWords(denied, a.now())
		}
	case errors.As(err, &denied):
		status, page.Problem = http.StatusUnprocessableEntity, deniedInWords(denied, a.now())
	case errors.Is(err, enrollment.ErrNotSent):
		a.log.ErrorContext(ctx, "sending a code", "error", err)
		status, page.Problem = http.StatusBadGateway, "We could not send a message to that number. Please try again in a minute."
	default:
		a.fail(w, r, err)
		return
	}
	a.render(w, r, status, "phone", page)
}

func (a *app) phoneCodeForm(w http.ResponseWriter, r *http.Request, _ user) {
	if a.sessions.GetString(r.Context(), keyPhone) == "" {
		http.Redirect(w, r, "/security/phone", http.StatusSeeOther)
		return
	}
	a.showPhoneCode(w, r, a.sessions.GetString(r.Context(), keyPhone), http.StatusOK, "")
}

func (a *app) showPhoneCode(w http.ResponseWriter, r *http.Request, token string, status int, problem string) {
	field := newCodeField(r, problem)
	field.With, field.AppOnly = withMessage, true
	a.render(w, r, status, "phone", phonePage{Sent: true, Token: token, Code: field, Cancel: "/security/phone"})
}

// confirmPhone checks the code that was sent to the number. It takes the token from the
// form: a second click finds none in the session.
func (a *app) confirmPhone(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	token := enrollment.SetupTokenOf(r.PostFormValue("token"))
	done, err := a.guard.Messages().Confirm(ctx, u.ID, token, r.PostFormValue("code"))
	if problem, status, about := a.aboutCode(w, err); about {
		a.showPhoneCode(w, r, token.Reveal(), status, problem)
		return
	}
	if errors.Is(err, enrollment.ReasonAlreadyConfirmed) {
		a.confirmedBefore(w, r, u, token)
		return
	}
	if err != nil {
		a.sessions.Remove(ctx, keyPhone)
		a.fail(w, r, err)
		return
	}
	a.sessions.Remove(ctx, keyPhone)
	text := "We can now text you a code when you sign in."
	if done.Did == enrollment.EventEnabled {
		text = "Two-factor authentication is on. From now on, you sign in with your password and a code that we text you."
	}
	a.confirmed(w, r, u, done, text)
}

func unbindQuestion() question {
	return question{
		Title:   "Remove your phone number",
		Text:    []string{"We will no longer text you codes. Your authenticators and recovery codes stay."},
		Action:  "/security/phone/remove",
		Button:  "Remove",
		Danger:  true,
		Cancel:  "/security",
		AskCode: true,
	}
}

func (a *app) unbindForm(w http.ResponseWriter, r *http.Request, _ user) {
	a.ask(w, r, unbindQuestion(), nil)
}

func (a *app) unbind(w http.ResponseWriter, r *http.Request, u user) {
	if err := a.guard.Messages().Unbind(r.Context(), u.ID, enrollment.ByCode(r.PostFormValue("code"))); err != nil {
		if !a.ask(w, r, unbindQuestion(), err) {
			a.fail(w, r, err)
		}
		return
	}
	a.stay(r.Context(), u)
	a.say(w, r, keyNotice, "Phone number removed. We no longer text you codes.", "/security")
}
