// Package model holds the rules of a Guard a second time, as naive as can be and
// written from the documentation, and drives both with random operations. They
// have to agree on every answer, on Status, on whether the record was written,
// and on what stands in it. What must hold whatever the rules are (a step works
// once, guesses stay within the budget) is checked apart from the model.
package model

import (
	"maps"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

const modelDay = 24 * time.Hour

// A modelNo is what a Denied should be.
type modelNo struct {
	reason enrollment.Reason
	factor enrollment.Factor
	retry  time.Time
	skew   time.Duration
	three  bool // whether three consecutive codes are offered
	triple bool // of three consecutive codes, which are no guess
	missed bool // counted as a wrong guess
	form   bool // denied by its form alone: the account was not looked at
}

func modelDeny(r enrollment.Reason) *modelNo { return &modelNo{reason: r} }

func modelForm(r enrollment.Reason) *modelNo { return &modelNo{reason: r, form: true} }

func (n *modelNo) String() string {
	if n == nil {
		return "yes"
	}
	text := string(n.reason)
	if !n.retry.IsZero() {
		text += " retry " + n.retry.Format(time.RFC3339Nano)
	}
	if n.three {
		text += " three"
	}
	if n.skew != 0 {
		text += " skew " + n.skew.String()
	}
	return text
}

// A modelApp is an authenticator.
type modelApp struct {
	id, name    string
	key         totp.Key
	added, used time.Time
	last        int64 // highest step used
	near        modelNear
	hardware    bool
	offset      int64 // steps by which the clock of a token is known to be ahead
}

// clock is what the clock of the app shows, as far as that is known.
func (x *modelApp) clock(now time.Time) time.Time {
	return now.Add(time.Duration(x.offset) * modelPeriod * time.Second)
}

const modelPeriod = 30

func modelStep(at time.Time) int64 {
	step := at.Unix() / modelPeriod
	if at.Unix()%modelPeriod < 0 {
		step--
	}
	return step
}

// match returns the highest step of the window that the code belongs to, or of a
// used one beside the window, 0 if none.
func (x *modelApp) match(digits string, now time.Time, l modelLimits) int64 {
	for d := int64(1); d >= -1; d-- {
		step := modelStep(x.clock(now)) + d
		if step > 0 && (step <= x.last || l.accepts(d)) && proving.Shown(x.key, time.Unix(step*modelPeriod, 0)) == digits {
			return step
		}
	}
	return 0
}

type modelSetup struct {
	number   int
	expires  time.Time
	replaces string
	app      modelApp
	throttle modelThrottle
	codes    []string // recovery codes that were shown with it
}

type modelSpent struct {
	number          int
	issued, expires time.Time
}

// A modelImported is a recovery code of another system.
type modelImported struct {
	text string
	used bool
}

// A modelAccount is what one user's record should amount to.
type modelAccount struct {
	limits modelLimits // as they are now; they are not stored

	stored bool
	epoch  int
	was    bool
	apps   []modelApp
	setup  *modelSetup

	totp, recovery, sms modelThrottle

	codes      []string // of the set, in their order
	spentCodes map[string]bool
	kept       bool // whether the set can be shown again
	imported   []modelImported
	sets       int
	setsSince  time.Time

	spent      []modelSpent
	floor      time.Time
	lastUsed   int64
	lastSignIn time.Time
	lastFactor enrollment.Factor

	devices       []modelDevice
	lost          []modelDevice // what a change of factor has ended; not told yet
	address       modelAddress
	waiting       *modelMessage
	messages      int // sent in the window
	refusals      int // of those
	messagesSince time.Time
	lastMessage   time.Time

	bypassFrom, bypassUntil time.Time
	ticket                  string
	reset                   modelReset
	setUp, renewed          modelDone
	alert                   modelAlert
	silent                  []modelSilence // who was asked and has not answered
	crowd                   bool           // whether there were more of them

	history []enrollment.Event // newest last
	queue   []modelQueued
	events  int

	origin string // where the request comes from
	tells  bool   // whether somebody tells the owner

	listens bool // whether the owner hears of challenges without an answer

	dirty           bool
	erased          bool // with this write
	expired, lapsed bool // whether a setup or a request has just gone with its time
	fresh           []modelQueued
	forgiven        bool // whether the first app was given guesses back
}

func (a *modelAccount) clone() *modelAccount {
	b := *a
	b.apps = slices.Clone(a.apps)
	if a.setup != nil {
		s := *a.setup
		b.setup = &s
	}
	b.spentCodes = maps.Clone(a.spentCodes)
	b.spent = slices.Clone(a.spent)
	b.imported = slices.Clone(a.imported)
	b.devices = slices.Clone(a.devices)
	b.silent = slices.Clone(a.silent)
	if a.waiting != nil {
		w := *a.waiting
		b.waiting = &w
	}
	b.history = slices.Clone(a.history)
	b.queue = slices.Clone(a.queue)
	b.origin, b.tells = "", false
	b.dirty, b.expired, b.lapsed, b.fresh, b.forgiven = false, false, false, nil, false
	return &b
}

// enrolled reports whether sign-in asks for a code.
func (a *modelAccount) enrolled() bool { return len(a.apps) > 0 || a.address.channel != "" }

func (a *modelAccount) state() store.State {
	switch {
	case a.enrolled():
		return store.Confirmed
	case a.setup != nil:
		return store.Pending
	case a.was:
		return store.Disabled
	}
	return store.None
}

// due is when somebody has to look at the record.
func (a *modelAccount) due() time.Time {
	var due time.Time
	at := func(t time.Time) {
		if due.IsZero() || t.Before(due) {
			due = t
		}
	}
	if a.setup != nil {
		at(a.setup.expires)
	}
	if a.reset.open {
		at(a.reset.next)
	}
	for _, q := range a.queue {
		at(q.lease)
	}
	for _, told := range []time.Time{a.alert.due(), a.silenceDue()} {
		if !told.IsZero() {
			at(told)
		}
	}
	return due
}

func (a *modelAccount) find(id string) int {
	return slices.IndexFunc(a.apps, func(x modelApp) bool { return x.id == id })
}

func (a *modelAccount) drop(i int) {
	if last := a.apps[i].last; last != 0 {
		a.lastUsed = max(a.lastUsed, (last+1)*modelPeriod-1)
	}
	a.apps = slices.Delete(a.apps, i, i+1)
}

// codesLeft counts unspent recovery codes, those of another system included.
func (a *modelAccount) codesLeft() int {
	left := len(a.codes) - len(a.spentCodes)
	for _, f := range a.imported {
		if !f.used {
			left++
		}
	}
	return left
}

// clear takes every factor away, and whatever was handed out or begun.
func (a *modelAccount) clear(now time.Time, turn int) {
	if a.tells {
		a.raise(now) // no code is left that would be waited for
	}
	a.was = a.was || a.enrolled()
	a.endBypass()
	for len(a.apps) > 0 {
		a.drop(0)
	}
	a.codes, a.spentCodes, a.kept, a.imported = nil, nil, false, nil
	a.address = modelAddress{}
	a.forgive(now)
	a.recovery = modelThrottle{}
	a.ticket = ""
	a.reset.close()
	a.setUp, a.renewed = modelDone{}, modelDone{}
	a.turn(turn)
	a.dirty = true
}

// forgive ends the waits of what is not a recovery code, and leaves some guesses.
func (a *modelAccount) forgive(now time.Time) {
	a.totp.forgive(max(1, len(a.apps)), now)
	if a.messages > 0 {
		a.sms.forgive(1, now)
	}
}
