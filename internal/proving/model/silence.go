package model

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// The owner hears that somebody had the first factor and gave no code.

// A modelSilence is somebody who was asked for a code.
type modelSilence struct {
	who   string
	since time.Time
}

// who is who makes a call: where it comes from, or the challenge.
func (a *modelAccount) who(challenge int) string {
	if a.origin != "" {
		return a.origin
	}
	return fmt.Sprint("challenge ", challenge)
}

// asked is one challenge that was handed out.
func (a *modelAccount) asked(challenge int, now time.Time) {
	who := a.who(challenge)
	switch {
	case !a.listens || a.crowd,
		slices.ContainsFunc(a.silent, func(s modelSilence) bool { return s.who == who }),
		!a.alert.told.IsZero() && now.Before(a.alert.told.Add(modelDay)):
		return
	case len(a.silent) == 4:
		a.crowd = true
	default:
		a.silent = append(a.silent, modelSilence{who, now})
	}
	a.dirty = true
}

// spoke is an answer of somebody, wrong or in time.
func (a *modelAccount) spoke(who string, right bool, now time.Time) {
	if a.crowd {
		return
	}
	a.silent = slices.DeleteFunc(a.silent, func(s modelSilence) bool {
		return s.who == who && (!right || now.Before(s.since.Add(10*time.Minute)))
	})
}

// silenceDue is when the owner has to be told; the zero time if there is nothing.
func (a *modelAccount) silenceDue() time.Time {
	switch {
	case len(a.silent) == 0:
		return time.Time{}
	case a.alert.told.IsZero():
		return a.silent[0].since.Add(10 * time.Minute)
	}
	return modelLater(a.silent[0].since.Add(10*time.Minute), a.alert.told.Add(modelDay))
}

// raiseSilence tells the owner of it.
func (a *modelAccount) raiseSilence(now time.Time) {
	if len(a.silent) == 0 {
		return
	}
	a.alert.told = modelLater(a.alert.told, now)
	a.recordFrom(a.silent[0].who, now, enrollment.Event{Kind: enrollment.EventWrongCodes})
	a.silent, a.crowd = nil, false
}

// recordFrom records an event that somebody else has caused.
func (a *modelAccount) recordFrom(who string, now time.Time, e enrollment.Event) {
	origin := a.origin
	if a.origin = who; len(who) > 9 && who[:9] == "challenge" {
		a.origin = ""
	}
	a.record(now, e)
	a.origin = origin
}
