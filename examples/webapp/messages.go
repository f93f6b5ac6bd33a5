package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/wording"
)

// words are what the library's answers say to users. wording.German() speaks German.
var words = ownWords()

// ownWords says some things in this application's own way.
func ownWords() *wording.Language {
	words := wording.English()
	words.Factors[enrollment.FactorDelivered] = "text message" // there is no other channel
	return words
}

// aboutCode describes an error about a code, to be shown at the code's field,
// and returns the HTTP status to answer with. about is false for nil and for
// every other error.
func (a *app) aboutCode(w http.ResponseWriter, err error) (problem string, status int, about bool) {
	switch {
	case errors.Is(err, enrollment.ErrLocked), errors.Is(err, enrollment.ErrWrongCode), errors.Is(err, enrollment.ReasonProofNotAllowed):
	default:
		return "", 0, false
	}
	answer := words.Describe(err, a.now())
	if answer.Wait > 0 {
		w.Header().Set("Retry-After", answer.RetryAfter())
	}
	return answer.Text, answer.Status, true
}

// fail ends a request after an error of the Guard that is not about a code in a
// field. A denial becomes a sentence on the page where the user continues.
// Anything else is a fault.
func (a *app) fail(w http.ResponseWriter, r *http.Request, err error) {
	var denied *enrollment.Denied
	switch {
	case errors.As(err, &denied):
		to := "/security"
		switch {
		case errors.Is(denied, enrollment.ErrChallenge):
			to = "/sign-in"
		case a.sessions.GetString(r.Context(), keyEnrolling) != "":
			to = "/security/begin"
		}
		a.say(w, r, keyBad, deniedInWords(denied, a.now()), to)
	case errors.Is(err, enrollment.ErrBusy):
		a.busy(w, r)
	default:
		a.internalError(w, r, err)
	}
}

// deniedInWords tells the user what went wrong and what to do.
func deniedInWords(d *enrollment.Denied, now time.Time) string { return words.Describe(d, now).Text }

// inWords returns a waiting time. It rounds up.
func inWords(d time.Duration) string { return words.Duration(d) }

// describe tells the user what happened to the account.
func describe(e enrollment.Event) string { return words.Event(e) }

// lockInWords says the same as the denial of a code does.
func lockInWords(l enrollment.Lock, now time.Time) string {
	d := &enrollment.Denied{Reason: enrollment.ReasonLocked, Factor: l.Factor, RetryAt: l.Until}
	if l.Until.IsZero() {
		d.Reason = enrollment.ReasonFactorDisabled
	}
	return deniedInWords(d, now)
}

// recoveryUsed says how many recovery codes are left after a sign-in with one.
func recoveryUsed(left int) string {
	text := fmt.Sprintf("You signed in with a recovery code. %d are left.", left)
	switch left {
	case 0:
		text = "You signed in with your last recovery code."
	case 1:
		text = "You signed in with a recovery code. One is left."
	}
	if left <= fewCodes {
		text += " Make new ones."
	}
	return text + " If you lost your phone, replace your authenticator now."
}

func signUpWords(err error) string {
	switch {
	case errors.Is(err, errEmail):
		return "We can’t use that e-mail address."
	case errors.Is(err, errTaken):
		return "That e-mail address already has an account."
	}
	return fmt.Sprintf("Use at least %d characters and at most %d bytes.", minPassword, maxPassword)
}

// cleanName makes a valid authenticator name from what the user typed.
func cleanName(name string) string { return cleanText(name, enrollment.MaxName) }

// cleanText drops control characters and shortens the text to that many bytes.
func cleanText(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.TrimSpace(text)
	for len(text) > most {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}
