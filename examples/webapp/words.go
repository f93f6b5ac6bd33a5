package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/wording"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

// words are what the library's answers say on the pages of this site, which are in English.
var words = ownWords()

// ownWords says some things in this application's own way.
func ownWords() *wording.Language {
	words := wording.English()
	words.Factors[enrollment.FactorDelivered] = "text message" // there is no other channel
	return words
}

// deniedInWords tells the user what went wrong and what to do.
func deniedInWords(d *enrollment.Denied, now time.Time) string { return words.Describe(d, now).Text }

// inWords returns a waiting time. It rounds up.
func inWords(d time.Duration) string { return words.Duration(d) }

func inUTC(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// locksInWords says of each lock what the denial of a code says.
func locksInWords(locks []enrollment.Lock, now time.Time) (list []string) {
	for _, l := range locks {
		d := &enrollment.Denied{Reason: enrollment.ReasonLocked, Factor: l.Factor, RetryAt: l.Until}
		if l.Until.IsZero() {
			d.Reason = enrollment.ReasonFactorDisabled
		}
		list = append(list, deniedInWords(d, now))
	}
	return list
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
	case errors.Is(err, accounts.ErrEmail):
		return "We can’t use that e-mail address."
	case errors.Is(err, accounts.ErrTaken):
		return "That e-mail address already has an account."
	}
	return fmt.Sprintf("Use at least %d characters and at most %d bytes.", accounts.MinPassword, accounts.MaxPassword)
}

// cleanReason makes a valid reason from what an administrator typed: without control
// characters, and not too long.
func cleanReason(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.TrimSpace(text)
	for len(text) > enrollment.MaxAdminReason {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}
