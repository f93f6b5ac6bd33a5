package account

import (
	"encoding/binary"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

const (
	// alertDelay is how long the right code may follow a wrong one. It runs from the
	// first wrong one and never moves: an attacker who goes on does not put it off.
	alertDelay = 10 * time.Minute

	// alertPause is how long after an alert the next one is told.
	alertPause = 24 * time.Hour

	// forgiven is how many wrong codes tell nobody if the right one follows.
	forgiven = 2
)

// An answerer tells apart who answers challenges: by where the call comes from, or if
// that is not known by the challenge.
type answerer struct {
	origin    string
	challenge ChallengeID
}

func answererOf(m Moment, c Challenge) answerer {
	if m.Origin != "" {
		return answerer{origin: m.Origin}
	}
	return answerer{challenge: c.ID}
}

// An alert tells the owner that the first factor was right and the code was not. It
// is one field of bounded size, whatever an attacker does, and never makes room for
// anything else. The rules:
//
//   - The first wrong answer opens it, and it is due alertDelay later.
//   - Only a right answer of the same answerer closes it untold, within alertDelay, and
//     only if at most forgiven were wrong and all of them were the answerer's. So neither a sign-in
//     of the owner nor a trusted device hides what an attacker does.
//   - Any other right answer turns it: then it tells that a right code followed, and
//     is due at once.
//   - In alertPause, it tells at most once of wrong answers and once of a right one
//     after them. What comes sooner is told then, with the count.
type alert struct {
	by    answerer  // of the first wrong answer, or of the right one that has turned it
	first time.Time // when the first wrong one was; zero if nothing is to be told
	count int       // of wrong ones since then
	mixed bool      // whether others than by were wrong as well
	right bool      // whether a right one followed

	told      time.Time // when the owner was last told anything
	toldRight time.Time // and of a right answer

	missed Missed
}

// Missed is how many answers were wrong since the last one that signed in, or was right for
// another purpose.
type Missed struct {
	Count int
	Last  time.Time // when the last of them was
}

// due returns when the owner is to be told; the zero time if there is nothing.
func (x *alert) due() time.Time {
	switch {
	case x.first.IsZero():
		return time.Time{}
	case x.right:
		return later(x.first, x.toldRight.Add(alertPause))
	}
	return later(x.first.Add(alertDelay), x.told.Add(alertPause))
}

// close ends an alert. What was told when stays.
func (x *alert) close() {
	x.by, x.first, x.count, x.mixed, x.right = answerer{}, time.Time{}, 0, false, false
}

// missedAnswer counts a wrong answer.
func (a *Account) missedAnswer(m Moment, by answerer) error {
	x := &a.alert
	x.missed.Count = min(x.missed.Count+1, maxCount)
	x.missed.Last = later(x.missed.Last, m.Now)
	if !m.Tells {
		return nil
	}
	a.unanswered.answered(by, false, m.Now)
	if x.first.IsZero() {
		x.by, x.first = by, m.Now
	}
	x.count = min(x.count+1, maxCount)
	x.mixed = x.mixed || x.by != by
	return a.tellAlert(m)
}

// rightAnswer takes note of a right answer, and returns what was wrong before it.
func (a *Account) rightAnswer(m Moment, by answerer) (Missed, error) {
	x := &a.alert
	missed := x.missed
	x.missed = Missed{}
	a.unanswered.answered(by, true, m.Now)
	switch {
	case x.first.IsZero():
	case x.by == by && x.count <= forgiven && !x.mixed && !x.right && m.Now.Sub(x.first) < alertDelay:
		x.close()
	case !x.right:
		x.by, x.right = by, true
	}
	if !m.Tells {
		return missed, nil
	}
	return missed, a.tellAlert(m)
}

// alertDue returns when the owner is to be told of the alert or of challenges without
// an answer; the zero time if there is nothing.
func (a *Account) alertDue() time.Time {
	due := a.alert.due()
	if at := a.unanswered.due(a.alert.told); !at.IsZero() {
		due = earlier(due, at)
	}
	return due
}

// tellAlert records what is due of the alert, and of challenges without an answer.
func (a *Account) tellAlert(m Moment) error {
	past := func(due time.Time) bool { return !due.IsZero() && !m.Now.Before(due) }
	x, silent := &a.alert, past(a.unanswered.due(a.alert.told))
	if past(x.due()) || silent && !x.right {
		if err := a.raiseWrong(m); err != nil {
			return err
		}
	}
	if !past(a.unanswered.due(x.told)) {
		return nil
	}
	return a.raiseUnanswered(m)
}

// raiseAlert records what is open, whether it is due or not.
func (a *Account) raiseAlert(m Moment) error {
	if err := a.raiseWrong(m); err != nil {
		return err
	}
	return a.raiseUnanswered(m)
}

// raiseWrong records an alert of wrong answers. If no right one followed, it stands for
// challenges without an answer as well.
func (a *Account) raiseWrong(m Moment) error {
	x := &a.alert
	if x.first.IsZero() {
		return nil
	}
	e := Event{Kind: EventWrongCodes, Wrong: x.count}
	x.told = later(x.told, m.Now)
	if x.right {
		e.Kind = EventRightAfterWrong
		x.toldRight = later(x.toldRight, m.Now)
	} else {
		a.unanswered = unanswered{}
	}
	m.Origin = x.by.origin
	x.close()
	return a.record(m, e)
}

func (x *alert) clampFuture(now time.Time) (changed bool) {
	for _, t := range []*time.Time{&x.first, &x.told, &x.toldRight, &x.missed.Last} {
		at, broken := clampFuture(*t, now)
		*t = at
		changed = changed || broken
	}
	return changed
}

// Flags of an alert.
const (
	alertMixed = 1 << iota
	alertRight
	alertByChallenge // by is a challenge, and no origin
)

func (x *alert) append(b []byte) ([]byte, error) {
	var flags byte
	if x.mixed {
		flags |= alertMixed
	}
	if x.right {
		flags |= alertRight
	}
	if x.by.challenge != (ChallengeID{}) {
		flags |= alertByChallenge
	}
	b = append(b, flags)
	for _, t := range []time.Time{x.first, x.told, x.toldRight, x.missed.Last} {
		b = appendInt(b, micros(t))
	}
	b = binary.BigEndian.AppendUint16(b, uint16(x.count))
	b = binary.BigEndian.AppendUint16(b, uint16(x.missed.Count))
	if flags&alertByChallenge != 0 {
		return append(b, x.by.challenge[:]...), nil
	}
	return append(b, x.by.origin...), nil
}

func readAlert(in cryptobyte.String) (x alert, err error) {
	var flags uint8
	var first, told, toldRight, last int64
	var count, missed uint16
	if !in.ReadUint8(&flags) || !readInt(&in, &first) || !readInt(&in, &told) || !readInt(&in, &toldRight) || !readInt(&in, &last) ||
		!in.ReadUint16(&count) || !in.ReadUint16(&missed) {
		return x, ErrDamaged
	}
	x = alert{
		first: fromMicros(first), count: int(count),
		mixed: flags&alertMixed != 0, right: flags&alertRight != 0,
		told: fromMicros(told), toldRight: fromMicros(toldRight),
		missed: Missed{Count: int(missed), Last: fromMicros(last)},
	}
	if flags&alertByChallenge != 0 {
		err = readArray(in, x.by.challenge[:])
	} else {
		x.by.origin = string(in)
	}
	known := flags&^(alertMixed|alertRight|alertByChallenge) == 0
	open := !x.first.IsZero()
	if !known || len(x.by.origin) > MaxOrigin || open != (count > 0) || !open && flags != 0 || (missed > 0) == x.missed.Last.IsZero() {
		return x, ErrDamaged
	}
	return x, err
}
