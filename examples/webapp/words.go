package main

import (
	_ "embed" // for the words in German
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/enrollment/wording"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

// A language is the words of this site in one language: those of the library, and its own
// by the sentence in English.
type language struct {
	*wording.Language
	own map[string]string
}

//go:embed german.json
var german []byte

// languages are by their tags. In English, each sentence is its own translation.
var languages = func() map[string]language {
	en, de := language{Language: wording.English()}, language{Language: wording.German()}
	if err := json.Unmarshal(german, &de.own); err != nil {
		panic(err) // the file is part of the program
	}
	for _, l := range []language{en, de} { // there is no other channel
		l.Factors[enrollment.FactorDelivered] = l.say("text message")
	}
	return map[string]language{en.Tag: en, de.Tag: de}
}()

// languageOf returns the language that the request asks for, as for the pages of package
// web.
func languageOf(r *http.Request) language { return languageTagged(web.Language(r)) }

// languageTagged returns the language with that tag, and English for one that this site
// does not have.
func languageTagged(tag string) language {
	if l, ok := languages[tag]; ok {
		return l
	}
	return languages["en"]
}

// say returns the sentence in this language. Each %v in it stands for one of the values.
// What has no translation stays as it is.
func (l language) say(sentence string, values ...any) string {
	if own, ok := l.own[sentence]; ok {
		sentence = own
	}
	if len(values) == 0 {
		return sentence
	}
	return fmt.Sprintf(sentence, values...)
}

// html is say for a sentence with markup. It escapes the values that are not HTML.
func (l language) html(sentence string, values ...any) template.HTML {
	for i, v := range values {
		if _, ok := v.(template.HTML); !ok {
			values[i] = template.HTMLEscaper(v)
		}
	}
	return template.HTML(l.say(sentence, values...))
}

// time returns a time in words, in UTC.
func (l language) time(t time.Time) string { return t.UTC().Format(l.Time) }

// when is time for a page, where a script shows it in the zone of the reader.
func (l language) when(t time.Time) template.HTML {
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `">` + template.HTMLEscapeString(l.time(t)) + `</time>`)
}

// lock says of a lock what the denial of a code says.
func (l language) lock(lock enrollment.Lock, now time.Time) string {
	d := &enrollment.Denied{Reason: enrollment.ReasonLocked, Factor: lock.Factor, RetryAt: lock.Until}
	if lock.Until.IsZero() {
		d.Reason = enrollment.ReasonFactorDisabled
	}
	return l.Describe(d, now).Text
}

// recoveryUsed says how many recovery codes are left after a sign-in with one.
func (l language) recoveryUsed(left int) string {
	text := l.say("You signed in with a recovery code. %v are left.", left)
	switch left {
	case 0:
		text = l.say("You signed in with your last recovery code.")
	case 1:
		text = l.say("You signed in with a recovery code. One is left.")
	}
	if left <= fewCodes {
		text += " " + l.say("Make new ones.")
	}
	return text + " " + l.say("If you lost your phone, replace your authenticator now.")
}

// resetAsked says that someone has asked for a reset. It returns "" if nobody has.
func (l language) resetAsked(s enrollment.Status) string {
	if s.Reset == nil {
		return ""
	}
	return l.say("Someone has asked to turn off your two-factor authentication. That is possible from %v. Signing in with a code cancels it.", l.time(s.Reset.Matures))
}

func (l language) signUp(err error) string {
	switch {
	case errors.Is(err, accounts.ErrEmail):
		return l.say("We can’t use that e-mail address.")
	case errors.Is(err, accounts.ErrTaken):
		return l.say("That e-mail address already has an account.")
	}
	return l.say("Use at least %v characters and at most %v bytes.", accounts.MinPassword, accounts.MaxPassword)
}
