package model

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Sequences of operations: random ones, and some that are rare by chance.

// enroll begins and confirms as an honest user does.
func (r *modelRun) enroll(u *modelUser) {
	before := len(r.setups)
	x, ok := modelPick(r, u.account.apps)
	if ok && r.chance(2) {
		r.beginWith(u, totp.Key{}, "", "", "", modelProof{kind: "code", code: proving.Shown(x.key, r.now())})
	} else {
		r.beginWith(u, totp.Key{}, "", "", u.account.ticket, r.proof(u))
	}
	if len(r.setups) > before {
		r.confirmWith(u, r.setups[len(r.setups)-1], proving.Shown(u.keys[len(u.keys)-1], r.now()))
	}
}

// grind guesses as often as it can for a while, and sometimes the owner comes
// in between with a recovery code.
func (r *modelRun) grind(u *modelUser) {
	rounds := 5 + r.rng.IntN(35)
	if r.chance(12) {
		rounds = 120 // until app codes are disabled
	}
	r.guess(u, rounds, r.chance(5))
	unspent := slices.DeleteFunc(slices.Clone(u.account.codes), func(c string) bool { return u.account.spentCodes[c] })
	if c, ok := modelPick(r, unspent); ok && r.chance(2) {
		r.verify(u, c)
		r.guess(u, 6+r.rng.IntN(3), false)
	}
}

// guess types that many wrong codes, each as soon as it is evaluated.
func (r *modelRun) guess(u *modelUser, rounds int, recoveryCodes bool) {
	for range rounds {
		code := fmt.Sprintf("%06d", r.rng.IntN(1_000_000))
		if recoveryCodes {
			code = r.symbols(26)
		}
		no := r.verify(u, code)
		if no == nil || no.reason != enrollment.ReasonWrongCode && no.reason != enrollment.ReasonLocked {
			return
		}
		if r.chance(25) {
			r.shift -= int64(r.rng.IntN(7200)) // the clock jumps back meanwhile
		}
		if no.retry.IsZero() {
			continue
		}
		wait := no.retry.Sub(r.now())
		if wait > 40*modelDay {
			return
		}
		if r.chance(3) && wait > time.Microsecond {
			r.real = r.real.Add(wait - time.Microsecond)
			r.verify(u, code) // still locked, by a microsecond
			wait = time.Microsecond
		}
		r.real = r.real.Add(wait)
	}
}

// fumble types wrong codes for a setup until it is locked.
func (r *modelRun) fumble(u *modelUser) {
	if u.account.setup == nil {
		r.begin(u)
	}
	for range 4 + r.rng.IntN(6) {
		r.confirmWith(u, r.setupToken(u), fmt.Sprintf("%06d", r.rng.IntN(1_000_000)))
	}
	if r.chance(2) {
		r.real = r.real.Add(time.Minute)
		r.confirmWith(u, r.setupToken(u), fmt.Sprintf("%06d", r.rng.IntN(1_000_000)))
	}
	r.confirm(u)
}

// renew makes sets of recovery codes until it may not any more.
func (r *modelRun) renew(u *modelUser) {
	x, ok := modelPick(r, u.account.apps)
	if !ok {
		return
	}
	p := modelProof{kind: "code", code: proving.Shown(x.key, r.now())}
	for range 5 {
		before := len(r.receipts)
		r.newCodesBy(u, p)
		if len(r.receipts) == before {
			break
		}
		p = modelProof{kind: "receipt", receipt: r.receipts[before]}
		r.real = r.real.Add(time.Duration(r.rng.IntN(120)) * time.Second)
	}
	if r.chance(2) {
		// A user who has spent all codes and enables anew finds the limit there.
		for _, c := range u.account.codes {
			r.verify(u, c)
		}
		if !r.chance(3) {
			r.enroll(u)
			return
		}
		// So does a user who was shown codes, when a clock has gone back.
		r.until(u.account.setsSince.Add(modelDay))
		if x, ok := modelPick(r, u.account.apps); ok {
			r.beginWith(u, totp.Key{}, "", "", "", modelProof{kind: "code", code: modelNext(x, r.now())})
			r.shift -= 60
			r.confirm(u)
			r.shift += 60
			r.confirm(u)
		}
	}
}

// marathon signs in more often within the life of a challenge than the list of
// spent ones is long.
func (r *modelRun) marathon(u *modelUser) {
	r.signIn(u) // left open for later
	for range 18 {
		x, ok := modelPick(r, u.account.apps)
		if !ok {
			return
		}
		before := len(r.challenges)
		r.signIn(u)
		if len(r.challenges) == before {
			return
		}
		c := r.challenges[before]
		r.answerWith(u, c, c.purpose, r.one(modelNext(x, r.now())))
		r.real = r.real.Add(time.Duration(10+r.rng.IntN(21)) * time.Second)
	}
	r.answer(u)
}

// until lets time pass until then, if that is near.
func (r *modelRun) until(t time.Time) {
	if d := t.Sub(r.now()); d > -2*modelDay && d < 50*modelDay {
		r.real = r.real.Add(d)
	}
}

// wait lets time pass, or moves the clock.
func (r *modelRun) wait() {
	u := r.users[r.rng.IntN(len(r.users))]
	before := r.now()
	switch n := r.rng.IntN(32); {
	case n < 12:
		r.real = r.real.Add(time.Duration(r.rng.IntN(60_000_000)) * time.Microsecond)
	case n < 16:
		r.real = r.real.Add(time.Duration(r.rng.IntN(600)) * time.Second)
	case n < 18:
		r.real = r.real.Add(time.Duration(r.rng.IntN(48)) * time.Hour / 2)
	case n < 19:
		r.real = r.real.Add(time.Duration(r.rng.IntN(40)) * modelDay)
	case n < 23: // to the very instant at which something ends, or beside it
		var ends []time.Time
		for _, t := range slices.Concat(r.challenges, r.setups, r.bindings) {
			ends = append(ends, t.expires)
		}
		for _, d := range u.account.devices {
			ends = append(ends, d.expires)
		}
		for _, q := range u.account.queue {
			ends = append(ends, q.lease)
		}
		for _, t := range r.receipts {
			ends = append(ends, t.issued.Add(5*time.Minute))
		}
		for _, t := range r.enrolls {
			ends = append(ends, t.issued.Add(10*time.Minute), t.issued.Add(30*time.Minute))
		}
		ends = append(ends, u.account.totp.opens(modelShort), u.account.recovery.opens(u.account.recoveryPolicy()),
			u.account.setsSince.Add(modelDay), u.account.sms.opens(modelShort), u.account.lastMessage.Add(time.Minute),
			u.account.messagesSince.Add(modelDay), u.account.bypassUntil, u.account.reset.matures, u.account.reset.next,
			u.account.reset.matures.Add(30*modelDay), u.account.reset.asked.Add(modelDay), u.account.alert.due(), u.account.silenceDue(), u.account.totp.mark.Add(-modelDay), u.account.recovery.mark.Add(-modelDay))
		end, _ := modelPick(r, ends)
		end = end.Add(time.Duration(r.rng.IntN(3)-1) * time.Microsecond)
		if !end.IsZero() {
			r.until(end)
		}
	case n < 26: // back a little
		r.shift -= []int64{1, 29, 30, 59, 61, 300, 3600, 23 * 3600}[r.rng.IntN(8)]
	case n < 27:
		r.shift += []int64{1, 30, 300, 3600, 23 * 3600}[r.rng.IntN(5)]
	case n < 29: // broken
		to := []time.Time{
			r.real.Add(3 * modelDay), r.real.Add(25 * time.Hour), r.real.Add(47 * time.Hour), r.real.Add(-26 * time.Hour),
			time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1970, 1, 1, 0, 0, 40, 0, time.UTC),
			time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC), time.Date(2250, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC), r.real.AddDate(1, 0, 0), r.real.AddDate(0, 0, -40),
		}[r.rng.IntN(11)]
		r.shift = to.Unix() - r.real.Unix()
	default: // mended
		r.shift = 0
	}
	if !r.now().Equal(before) {
		r.log = append(r.log, fmt.Sprintf("%3d the clock goes by %v", len(r.log), r.now().Sub(before)))
		r.tick(r.now())
	}
}
