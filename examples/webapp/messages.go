package main

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// aboutCode says in words what was wrong with a code, to stand at its field,
// and with which status to answer. about is false for every other error, and
// for nil.
func (a *app) aboutCode(w http.ResponseWriter, err error) (problem string, status int, about bool) {
	var denied *enrollment.Denied
	if !errors.As(err, &denied) {
		return "", 0, false
	}
	now := a.now()
	switch {
	case errors.Is(denied, enrollment.ErrLocked):
		status = http.StatusTooManyRequests
	case errors.Is(denied, enrollment.ErrWrongCode), errors.Is(denied, enrollment.ErrProof) && denied.Reason == enrollment.ReasonProofNotAllowed:
		status = http.StatusUnprocessableEntity
	default:
		return "", 0, false
	}
	if wait := denied.RetryAt.Sub(now); !denied.RetryAt.IsZero() && wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	return deniedInWords(denied, now), status, true
}

// fail ends a request with what the Guard said, where that is not about a code
// in a field: the user's "no" as a sentence on the page to go on from, and
// everything else as a fault.
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

// deniedInWords says what a person can do about it.
func deniedInWords(d *enrollment.Denied, now time.Time) string {
	wait := inWords(d.RetryAt.Sub(now))
	switch d.Reason {
	case enrollment.ReasonWrongCode:
		text := "That code is not right. Enter the one that your app shows now."
		switch d.Factor {
		case enrollment.FactorDelivered:
			text = "That is not the code in the last message that we have sent you."
		case enrollment.FactorRecovery:
			text = "That is not one of your recovery codes. Look at the sheet again: you may have an older set."
		}
		if !d.RetryAt.IsZero() {
			text += " That was one too many: wait " + wait + " before you try again."
		}
		return text
	case enrollment.ReasonReplayed:
		if d.Factor == enrollment.FactorRecovery {
			return "That recovery code has been used. Take the next one on your sheet."
		}
		return "That code has been used. Wait until your app shows the next one."
	case enrollment.ReasonMalformedCode:
		return "That does not look like a code. A code of the app has six digits, a recovery code sixteen letters and digits."
	case enrollment.ReasonClockSkew:
		text := fmt.Sprintf("Your phone’s clock is about %s %s, so its codes will not work. Set it to the network’s time in the phone’s settings, then enter the code that the app shows.",
			inWords(d.Skew.Abs()), direction(d.Skew))
		if !d.RetryAt.IsZero() {
			text += " Wait " + wait + " before you try again."
		}
		return text
	case enrollment.ReasonLocked:
		if d.Factor == enrollment.FactorRecovery {
			return "Too many wrong recovery codes. Wait " + wait + " before you try again."
		}
		return "Too many wrong codes. Wait " + wait + " before you try again: until then, even the right one is not accepted."
	case enrollment.ReasonFactorDisabled:
		return "After very many wrong codes, codes of the app are not accepted any more. Use a recovery code."
	case enrollment.ReasonChallengeInvalid, enrollment.ReasonChallengeExpired:
		return "That took too long. Sign in again, please."
	case enrollment.ReasonChallengeSpent:
		return "You have signed in with this already. Sign in again, please."
	case enrollment.ReasonChallengeVoid:
		return "Your security settings were changed meanwhile. Sign in again, please."
	case enrollment.ReasonSetupInvalid:
		return "That setup was not yours, or is not complete. Begin a new one."
	case enrollment.ReasonSetupExpired:
		return "That took too long, and the QR code is not valid any more. Begin a new setup, and delete the entry in your app."
	case enrollment.ReasonSetupSuperseded:
		return "You have begun another setup meanwhile, perhaps in another tab. Go on there, and delete the entry of this one in your app."
	case enrollment.ReasonNoSetup:
		return "There is no setup to go on with: it was completed, cancelled, took too long, or your security settings were changed meanwhile."
	case enrollment.ReasonNotEnrolled:
		return "Two-factor authentication is not on."
	case enrollment.ReasonTooManyAuthenticators:
		return "You have as many authenticators as there can be. Remove or replace one."
	case enrollment.ReasonTooManyCodeSets:
		return "You have made many sets of recovery codes today. The next one can be made in " + wait + "."
	case enrollment.ReasonUnknownAuthenticator:
		return "That authenticator is not there any more."
	case enrollment.ReasonLastAuthenticator:
		return "That is your only authenticator. Replace it, or switch two-factor authentication off."
	case enrollment.ReasonDuplicateSecret:
		return "That authenticator is set up already."
	case enrollment.ReasonInvalidName:
		return "Give it a shorter name, without special characters."
	case enrollment.ReasonProofRequired, enrollment.ReasonProofInvalid, enrollment.ReasonProofStale:
		return "Confirm it with a code, please."
	case enrollment.ReasonProofNotAllowed:
		return "That has to be confirmed in another way."
	case enrollment.ReasonAlreadyEnrolled:
		return "Two-factor authentication is on already."
	case enrollment.ReasonWasEnrolled:
		return "Two-factor authentication was on before, or a ticket is out."
	case enrollment.ReasonCodesNotKept:
		return "We can’t show your recovery codes again. Make new ones."
	case enrollment.ReasonUnknownDevice:
		return "That device is not trusted any more: it asks for a code already."
	case enrollment.ReasonNoAddress:
		return "We have no address to send a code to."
	case enrollment.ReasonSameChannel:
		return "We can’t send the code the way you have just signed in."
	case enrollment.ReasonTooManyMessages:
		return "We have sent you a code a moment ago, or too many in a day. Wait " + wait + " for the next one."
	case enrollment.ReasonTicketRequired:
		return "Enter the ticket that your administrator has given you."
	case enrollment.ReasonTicketInvalid:
		return "That is not the ticket that your administrator has given you."
	case enrollment.ReasonNoReset:
		return "There is no open request for a reset."
	case enrollment.ReasonResetWaiting:
		if d.RetryAt.IsZero() {
			return "The request can’t be approved before the user has been told of it."
		}
		return "The request can’t be approved before " + wait + " have passed."
	case enrollment.ReasonTooManyResets:
		return "You have asked for that less than a day ago. You can do so again in " + wait + "."
	case enrollment.ReasonInvalidBypass:
		return "A pass can’t be given for so long."
	case enrollment.ReasonOwnAccount:
		return "Another administrator has to do that for you."
	}
	return "That was not possible." // a reason that came with a later version
}

// direction says on which side of ours a clock is.
func direction(skew time.Duration) string {
	if skew < 0 {
		return "slow"
	}
	return "fast"
}

// inWords returns a time to wait: never shorter than it is.
func inWords(d time.Duration) string {
	for _, u := range []struct {
		name  string
		unit  time.Duration
		below int // how many of them still say it well
	}{
		{"second", time.Second, 60},
		{"minute", time.Minute, 120},
		{"hour", time.Hour, 48},
		{"day", 24 * time.Hour, math.MaxInt},
	} {
		n := max(1, int((d+u.unit-1)/u.unit))
		if n == 1 {
			return "1 " + u.name
		}
		if n < u.below {
			return strconv.Itoa(n) + " " + u.name + "s"
		}
	}
	return "a long time" // not reached
}

// describe says in words what happened to an account.
func describe(e enrollment.Event) string {
	name := "An authenticator"
	if e.Name != "" {
		name = "“" + e.Name + "”"
	}
	switch e.Kind {
	case enrollment.EventEnabled:
		return "Two-factor authentication was switched on."
	case enrollment.EventAuthenticatorAdded:
		return name + " was added."
	case enrollment.EventAuthenticatorReplaced:
		return name + " took the place of another authenticator."
	case enrollment.EventAuthenticatorRemoved:
		return name + " was removed."
	case enrollment.EventDisabled:
		return "Two-factor authentication was switched off."
	case enrollment.EventCodesRenewed:
		return "New recovery codes were made."
	case enrollment.EventRecoveryUsed:
		return "A recovery code was used."
	case enrollment.EventLocked:
		return "Too many wrong codes: we made whoever typed them wait. If it was not you, change your password."
	case enrollment.EventFactorDisabled:
		return "After very many wrong codes, codes of the app are not accepted until a recovery code is used."
	case enrollment.EventCodesShown:
		return "Your recovery codes were shown."
	case enrollment.EventDeviceTrusted:
		return name + " signs in without a code from now on."
	case enrollment.EventDeviceRevoked:
		if e.Name == "" {
			return "Every device asks for a code again."
		}
		return name + " asks for a code again."
	case enrollment.EventAddressBound:
		return "Codes can be sent to you" + over(e) + "."
	case enrollment.EventAddressRemoved:
		return "Codes are not sent to you" + over(e) + " any more."
	case enrollment.EventReset:
		if e.Actor == "" {
			return "Two-factor authentication was taken away, as somebody with your password had asked for days ago."
		}
		return "Two-factor authentication was taken away" + inTheNameOf(e)
	case enrollment.EventUnlocked:
		return "The wait after wrong codes was ended" + inTheNameOf(e)
	case enrollment.EventBypassGranted:
		return "A pass to sign in without a second factor for a while was given to you" + inTheNameOf(e)
	case enrollment.EventResetRequested:
		return "Somebody with your password has asked for two-factor authentication to be taken away. If it was not you, cancel it and change your password."
	case enrollment.EventResetReminder:
		return "The request to take two-factor authentication away is still open. If it was not you, cancel it and change your password."
	case enrollment.EventResetMatured:
		return "The request to take two-factor authentication away waits for an administrator."
	case enrollment.EventResetCancelled:
		return "The request to take two-factor authentication away was cancelled."
	case enrollment.EventResetRefused:
		return "The request to take two-factor authentication away was refused" + inTheNameOf(e)
	case enrollment.EventImported:
		return "Two-factor authentication was taken over from another system" + inTheNameOf(e)
	case enrollment.EventExported:
		return "The secrets of your authenticators were read" + inTheNameOf(e)
	case enrollment.EventErased:
		return "What we keep of your two-factor authentication was deleted" + inTheNameOf(e)
	}
	return "Something else happened (" + string(e.Kind) + ")."
}

// over names the way that codes are sent.
func over(e enrollment.Event) string {
	if e.Name == channelSMS {
		return " in text messages"
	}
	return ""
}

// inTheNameOf ends a sentence with why an administrator did it. Who it was stands
// in the log: e.Actor is an id.
func inTheNameOf(e enrollment.Event) string {
	if e.Actor == "" {
		return "."
	}
	return " by an administrator: " + e.Note + "."
}

// advice says what to do about an event, in the message to the owner.
func advice(e enrollment.Event) string {
	switch e.Kind {
	case enrollment.EventLocked, enrollment.EventResetRequested, enrollment.EventResetReminder:
		return "" // says so itself
	case enrollment.EventDisabled, enrollment.EventReset:
		return " From now on, your password alone signs you in. If it was not you who wanted that, tell us at once."
	}
	return " If it was not you, change your password, and tell us."
}

func lockInWords(l enrollment.Lock, now time.Time) string {
	who := "Codes of your authenticator app"
	switch l.Factor {
	case enrollment.FactorRecovery:
		who = "Recovery codes"
	case enrollment.FactorDelivered:
		who = "Codes in messages"
	}
	if l.Until.IsZero() {
		return who + " are not accepted until you use a recovery code."
	}
	return who + " are not accepted after too many wrong ones. Try again in " + inWords(l.Until.Sub(now)) + "."
}

func factorInWords(f enrollment.Factor) string {
	switch f {
	case enrollment.FactorTOTP:
		return "authenticator app"
	case enrollment.FactorRecovery:
		return "recovery code"
	case enrollment.FactorDelivered:
		return "code in a message"
	case enrollment.FactorTrustedDevice:
		return "trusted device"
	case enrollment.FactorBypass:
		return "pass of an administrator"
	}
	return "code"
}

// recoveryUsed says how many codes there are, after one was used.
func recoveryUsed(left int) string {
	text := fmt.Sprintf("You have signed in with a recovery code. %d are left.", left)
	switch left {
	case 0:
		text = "You have signed in with your last recovery code."
	case 1:
		text = "You have signed in with a recovery code. One is left."
	}
	if left <= fewCodes {
		text += " Make new ones."
	}
	return text + " If your phone is gone, replace your authenticator now."
}

func signUpWords(err error) string {
	switch {
	case errors.Is(err, errEmail):
		return "That is not an e-mail address we can use."
	case errors.Is(err, errTaken):
		return "There is an account with that e-mail address already."
	}
	return fmt.Sprintf("A password has at least %d characters, and at most %d bytes.", minPassword, maxPassword)
}

// cleanName makes what somebody calls an authenticator fit to be one.
func cleanName(name string) string { return cleanText(name, enrollment.MaxName) }

// cleanText drops what can't be printed, and cuts the text to that many bytes.
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
