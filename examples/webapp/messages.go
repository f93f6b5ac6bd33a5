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

// aboutCode describes an error about a code, to be shown at the code's field,
// and returns the HTTP status to answer with. about is false for nil and for
// every other error.
func (a *app) aboutCode(w http.ResponseWriter, err error) (problem string, status int, about bool) {
	var denied *enrollment.Denied
	if !errors.As(err, &denied) {
		return "", 0, false
	}
	switch {
	case errors.Is(denied, enrollment.ErrLocked):
		status = http.StatusTooManyRequests
	case errors.Is(denied, enrollment.ErrWrongCode), errors.Is(denied, enrollment.ErrProof) && denied.Reason == enrollment.ReasonProofNotAllowed:
		status = http.StatusUnprocessableEntity
	default:
		return "", 0, false
	}
	if denied.Wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(denied.Wait/time.Second)))
	}
	return deniedInWords(denied, a.now()), status, true
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
func deniedInWords(d *enrollment.Denied, now time.Time) string {
	wait := inWords(d.RetryAt.Sub(now))
	switch d.Reason {
	case enrollment.ReasonWrongCode:
		text := "That code is wrong. Enter the code your app shows now."
		switch d.Factor {
		case enrollment.FactorDelivered:
			text = "That is not the code in our last message."
		case enrollment.FactorRecovery:
			text = "That is not one of your recovery codes. Check your list: you may have an older one."
		}
		if !d.RetryAt.IsZero() {
			text += " There were too many wrong codes. Wait " + wait + " before you try again."
		}
		return text
	case enrollment.ReasonReplayed:
		if d.Factor == enrollment.FactorRecovery {
			return "You have already used that recovery code. Use another one."
		}
		return "That code was already used. Wait until your app shows the next one."
	case enrollment.ReasonMalformedCode:
		return "That is not a code. App codes have 6 digits. Recovery codes have 16 letters and digits."
	case enrollment.ReasonClockSkew:
		text := fmt.Sprintf("Your phone’s clock is about %s %s, so its codes do not work. Set the clock automatically in your phone’s settings, then enter the code your app shows.",
			inWords(d.Skew.Abs()), direction(d.Skew))
		if !d.RetryAt.IsZero() {
			text += " Wait " + wait + " before you try again."
		}
		return text
	case enrollment.ReasonParamsIgnored:
		text := "Your app can’t make the codes that we ask for. Delete the entry and use another app."
		if !d.RetryAt.IsZero() {
			text += " Wait " + wait + " before you try again."
		}
		return text
	case enrollment.ReasonLocked:
		if d.Factor == enrollment.FactorRecovery {
			return "Too many wrong recovery codes. Wait " + wait + " before you try again."
		}
		return "Too many wrong codes. Wait " + wait + " before you try again. Until then, we do not accept even a correct code."
	case enrollment.ReasonFactorDisabled:
		return "There were too many wrong codes, so app codes are turned off. Use a recovery code."
	case enrollment.ReasonChallengeInvalid, enrollment.ReasonChallengeExpired:
		return "That took too long. Please sign in again."
	case enrollment.ReasonChallengeSpent:
		return "This step is already done. Please sign in again."
	case enrollment.ReasonChallengeVoid:
		return "Your security settings have changed. Please sign in again."
	case enrollment.ReasonSetupInvalid:
		return "That setup is not yours or is incomplete. Start a new one."
	case enrollment.ReasonSetupExpired:
		return "That took too long, and the QR code has expired. Delete its entry in your app and start a new setup."
	case enrollment.ReasonSetupSuperseded:
		return "You have started another setup, perhaps in another tab. Delete the entry of this one in your app and continue there."
	case enrollment.ReasonNoSetup:
		return "There is no setup to continue. It is finished, cancelled or expired, or your security settings have changed."
	case enrollment.ReasonAlreadyConfirmed:
		return "This is already set up."
	case enrollment.ReasonAlreadyRenewed:
		return "You have already made these recovery codes. They can’t be shown again."
	case enrollment.ReasonRenewalInvalid:
		return "This page is too old, or your security settings have changed. Please open it again."
	case enrollment.ReasonNotEnrolled:
		return "Two-factor authentication is not on."
	case enrollment.ReasonNoAuthenticator:
		return "Set up an authenticator app first."
	case enrollment.ReasonTooManyAuthenticators:
		return "You have the maximum number of authenticators. Remove or replace one."
	case enrollment.ReasonTooManyCodeSets:
		return "You have made too many sets of recovery codes today. You can make the next one in " + wait + "."
	case enrollment.ReasonUnknownAuthenticator:
		return "That authenticator no longer exists."
	case enrollment.ReasonLastAuthenticator:
		return "That is your only authenticator. Replace it, or turn off two-factor authentication."
	case enrollment.ReasonDuplicateSecret:
		return "That authenticator is already set up."
	case enrollment.ReasonInvalidName:
		return "Use a shorter name without special characters."
	case enrollment.ReasonProofRequired, enrollment.ReasonProofInvalid, enrollment.ReasonProofStale:
		return "Please confirm this with a code."
	case enrollment.ReasonProofNotAllowed:
		return "You can’t use that here. Confirm in another way."
	case enrollment.ReasonAlreadyEnrolled:
		return "Two-factor authentication is already on."
	case enrollment.ReasonWasEnrolled:
		return "Two-factor authentication was on before, or a ticket was issued."
	case enrollment.ReasonCodesNotKept:
		return "We can’t show your recovery codes again. Make new ones."
	case enrollment.ReasonUnknownDevice:
		return "That device was already no longer trusted."
	case enrollment.ReasonTrustNotAllowed:
		return "We don’t remember devices."
	case enrollment.ReasonNoAddress:
		return "There is no phone number to send a code to."
	case enrollment.ReasonSameChannel:
		return "We can’t send the code the same way you came here. Use another code."
	case enrollment.ReasonTooSoon:
		return "We have just sent a code. You can ask for another one in " + wait + "."
	case enrollment.ReasonTooManyMessages:
		return "We can’t send you any more codes today. You can ask for another one in " + wait + "."
	case enrollment.ReasonTicketRequired:
		return "Enter the ticket from your administrator."
	case enrollment.ReasonTicketInvalid:
		return "That is not the ticket from your administrator."
	case enrollment.ReasonNoReset:
		return "There is no open request for a reset."
	case enrollment.ReasonResetWaiting:
		return "You can’t approve the request yet. Wait " + wait + "."
	case enrollment.ReasonOwnerNotTold:
		return "You can’t approve the request yet. The user has not been told about it."
	case enrollment.ReasonTooManyResets:
		return "You asked for a reset less than a day ago. You can ask again in " + wait + "."
	case enrollment.ReasonInvalidBypass:
		return "A pass can’t last that long."
	case enrollment.ReasonOwnAccount:
		return "Another administrator must do that for you."
	case enrollment.ReasonUserIDTaken:
		return "The new user id already has two-factor authentication data."
	}
	return "That was not possible." // a reason from a later version of the library
}

// direction says whether a clock is ahead of ours or behind it.
func direction(skew time.Duration) string {
	if skew < 0 {
		return "slow"
	}
	return "fast"
}

// inWords returns a waiting time. It rounds up.
func inWords(d time.Duration) string {
	for _, u := range []struct {
		name  string
		unit  time.Duration
		below int // use a larger unit from here on
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

// describe tells the user what happened to the account.
func describe(e enrollment.Event) string {
	name := "An authenticator"
	if e.Name != "" {
		name = "“" + e.Name + "”"
	}
	switch e.Kind {
	case enrollment.EventEnabled:
		return "Two-factor authentication was turned on."
	case enrollment.EventAuthenticatorAdded:
		return name + " was added."
	case enrollment.EventAuthenticatorReplaced:
		return name + " replaced another authenticator."
	case enrollment.EventAuthenticatorRemoved:
		return name + " was removed."
	case enrollment.EventDisabled:
		return "Two-factor authentication was turned off."
	case enrollment.EventCodesRenewed:
		return "New recovery codes were made."
	case enrollment.EventRecoveryUsed:
		return "A recovery code was used."
	case enrollment.EventLocked:
		return "Too many wrong codes were entered, so we accept no codes for a while. If it was not you, change your password."
	case enrollment.EventFactorDisabled:
		return "Too many wrong codes were entered, so app codes are turned off until you use a recovery code."
	case enrollment.EventCodesShown:
		return "Your recovery codes were shown."
	case enrollment.EventDeviceTrusted:
		return name + " can now sign in without a code."
	case enrollment.EventDeviceRevoked:
		if e.Name == "" {
			return "All devices lost their trust. They need a code again."
		}
		return name + " is no longer trusted. It needs a code again."
	case enrollment.EventAddressBound:
		return "Codes can now be sent to you" + over(e) + "."
	case enrollment.EventAddressRemoved:
		return "Codes are no longer sent to you" + over(e) + "."
	case enrollment.EventReset:
		if e.Actor == "" {
			return "Two-factor authentication was turned off, because someone with your password asked for it some days ago."
		}
		return "Two-factor authentication was turned off" + inTheNameOf(e)
	case enrollment.EventUnlocked:
		return "The lock after wrong codes was removed" + inTheNameOf(e)
	case enrollment.EventBypassGranted:
		return "You can sign in without a code for a while. The pass was given" + inTheNameOf(e)
	case enrollment.EventResetRequested:
		return "Someone with your password asked us to turn off your two-factor authentication. If it was not you, cancel the request and change your password."
	case enrollment.EventResetReminder:
		return "The request to turn off your two-factor authentication is still open. If it was not you, cancel it and change your password."
	case enrollment.EventResetMatured:
		return "The request to turn off your two-factor authentication is now waiting for an administrator."
	case enrollment.EventResetCancelled:
		return "The request to turn off your two-factor authentication was cancelled."
	case enrollment.EventResetRefused:
		return "The request to turn off your two-factor authentication was refused" + inTheNameOf(e)
	case enrollment.EventImported:
		return "Two-factor authentication was imported from another system" + inTheNameOf(e)
	case enrollment.EventExported:
		return "The secrets of your authenticators were exported" + inTheNameOf(e)
	case enrollment.EventErased:
		return "Your two-factor authentication data was deleted" + inTheNameOf(e)
	case enrollment.EventMoved:
		return "Your two-factor authentication now belongs to your new user id, changed" + inTheNameOf(e)
	}
	return "Something else happened (" + string(e.Kind) + ")."
}

// over names the channel of an address.
func over(e enrollment.Event) string {
	if e.Name == channelSMS {
		return " by text message"
	}
	return ""
}

// inTheNameOf ends a sentence with the administrator's reason. It does not name
// the administrator: e.Actor is an id, and the log has it.
func inTheNameOf(e enrollment.Event) string {
	if e.Actor == "" {
		return "."
	}
	return " by an administrator: " + e.Note + "."
}

// advice tells the owner what to do about an event.
func advice(e enrollment.Event) string {
	switch e.Kind {
	case enrollment.EventLocked, enrollment.EventResetRequested, enrollment.EventResetReminder:
		return "" // describe gives the advice
	case enrollment.EventDisabled, enrollment.EventReset:
		return " From now on, your password alone signs you in. If you did not want this, tell us at once."
	}
	return " If it was not you, change your password and tell us."
}

func lockInWords(l enrollment.Lock, now time.Time) string {
	which := "App codes"
	switch l.Factor {
	case enrollment.FactorRecovery:
		which = "Recovery codes"
	case enrollment.FactorDelivered:
		which = "Text message codes"
	}
	if l.Until.IsZero() {
		return which + " are turned off until you use a recovery code."
	}
	return which + " are locked after too many wrong ones. Try again in " + inWords(l.Until.Sub(now)) + "."
}

func factorInWords(f enrollment.Factor) string {
	switch f {
	case enrollment.FactorTOTP:
		return "authenticator app"
	case enrollment.FactorRecovery:
		return "recovery code"
	case enrollment.FactorDelivered:
		return "text message"
	case enrollment.FactorTrustedDevice:
		return "trusted device"
	case enrollment.FactorBypass:
		return "administrator’s pass"
	}
	return "code"
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
