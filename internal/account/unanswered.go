package account

import (
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// maxUnanswered is how many answerers are remembered who have not answered. Each is a
// write at a sign-in. An attacker with the password must not make so many of them that
// the owner's answer always finds a conflict.
const maxUnanswered = 4

// unanswered are challenges that nobody has answered yet, if the owner is to hear of
// those as well: the first factor was right and no code came. The rules:
//
//   - Each answerer counts once, with the first challenge. It is due alertDelay later,
//     which is how long a challenge can be answered.
//   - A right answer of the same answerer within that time takes it back. So does a
//     wrong one, which is told by itself.
//   - After maxUnanswered, others are not remembered any more. Then nothing is taken
//     back, and nothing is written until it was told.
//   - What is told with wrong answers is not told again. In alertPause after the owner
//     was told of anything, none are counted.
type unanswered struct {
	list  []unheard // oldest first
	mixed bool      // whether there were others
}

// unheard is an answerer who has not answered.
type unheard struct {
	by    answerer
	since time.Time
}

// due returns when the owner is to be told; the zero time if there is nothing.
func (u *unanswered) due(told time.Time) time.Time {
	if len(u.list) == 0 {
		return time.Time{}
	}
	return later(u.list[0].since.Add(alertDelay), told.Add(alertPause))
}

// minted counts a challenge that was handed out.
func (a *Account) minted(m Moment, c Challenge) {
	u, by := &a.unanswered, answererOf(m, c)
	known := slices.ContainsFunc(u.list, func(w unheard) bool { return w.by == by })
	switch {
	case !m.Tells, !m.Unanswered, known, u.mixed, m.Now.Before(a.alert.told.Add(alertPause)):
		return
	case len(u.list) == maxUnanswered:
		u.mixed = true
	default:
		u.list = append(u.list, unheard{by, m.Now})
	}
	a.changed = true
}

// answered takes an answerer back. If the answer was wrong, the alert goes on with it.
func (u *unanswered) answered(by answerer, right bool, now time.Time) {
	if !u.mixed {
		u.list = slices.DeleteFunc(u.list, func(w unheard) bool {
			return w.by == by && (!right || now.Sub(w.since) < alertDelay)
		})
	}
}

// raiseUnanswered records that no code came, whether it is due or not.
func (a *Account) raiseUnanswered(m Moment) error {
	if len(a.unanswered.list) == 0 {
		return nil
	}
	a.alert.told = later(a.alert.told, m.Now)
	m.Origin = a.unanswered.list[0].by.origin
	a.unanswered = unanswered{}
	return a.record(m, Event{Kind: EventWrongCodes})
}

func (u *unanswered) clampFuture(now time.Time) (changed bool) {
	for i := range u.list {
		since, broken := clampFuture(u.list[i].since, now)
		u.list[i].since, changed = since, changed || broken
	}
	return changed
}

// Kinds of answerers in the encoding.
const (
	byOrigin    = 0
	byChallenge = 1
)

func (u *unanswered) append(b []byte) ([]byte, error) {
	mixed := byte(0)
	if u.mixed {
		mixed = 1
	}
	return appendList(append(b, mixed), u.list, func(b []byte, w *unheard) ([]byte, error) {
		b = appendInt(b, micros(w.since))
		if w.by.challenge != (ChallengeID{}) {
			return append(append(b, byChallenge), w.by.challenge[:]...), nil
		}
		return append(append(b, byOrigin), w.by.origin...), nil
	})
}

func readUnanswered(in cryptobyte.String) (u unanswered, err error) {
	var mixed uint8
	if !in.ReadUint8(&mixed) || mixed > 1 {
		return u, ErrDamaged
	}
	u.mixed = mixed == 1
	u.list, err = readList(in, maxUnanswered, readUnheard)
	if err == nil && (len(u.list) == 0 || u.mixed && len(u.list) < maxUnanswered) {
		err = ErrDamaged
	}
	return u, err
}

func readUnheard(in cryptobyte.String) (w unheard, err error) {
	var since int64
	var kind uint8
	if !readInt(&in, &since) || !in.ReadUint8(&kind) || since == 0 {
		return w, ErrDamaged
	}
	w.since = fromMicros(since)
	switch {
	case kind == byChallenge:
		err = readArray(in, w.by.challenge[:])
	case kind == byOrigin && len(in) <= MaxOrigin:
		w.by.origin = string(in)
	default:
		err = ErrDamaged
	}
	if err == nil && w.by == (answerer{}) {
		err = ErrDamaged
	}
	return w, err
}
