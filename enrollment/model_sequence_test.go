package enrollment_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Sequences of operations: random ones, and some that are rare by chance.

// enroll begins and confirms as an honest user does.
func (r *modelRun) enroll(u *modelUser) {
	before := len(r.setups)
	x, ok := modelPick(r, u.account.apps)
	if ok && r.chance(2) {
		r.beginWith(u, "", "", modelProof{kind: "code", code: modelShown(x.key, r.now())})
	} else {
		r.begin(u)
	}
	if len(r.setups) > before {
		r.confirmWith(u, r.setups[len(r.setups)-1], modelShown(u.keys[len(u.keys)-1], r.now()))
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
		if no == nil || no.reason != enrollment.WrongCode && no.reason != enrollment.Locked {
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
	p := modelProof{kind: "code", code: modelShown(x.key, r.now())}
	for range 5 {
		before := len(r.receipts)
		r.newCodesBy(u, p)
		if len(r.receipts) == before {
			return
		}
		p = modelProof{kind: "receipt", receipt: r.receipts[before]}
		r.real = r.real.Add(time.Duration(r.rng.IntN(120)) * time.Second)
	}
	if r.chance(2) {
		// Whoever has spent all codes and enables anew finds the limit there.
		for _, c := range u.account.codes {
			r.verify(u, c)
		}
		r.enroll(u)
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
		code := modelShown(x.key, r.now())
		if x.last >= modelStep(r.now()) {
			code = modelShown(x.key, r.now().Add(30*time.Second))
		}
		r.answerWith(u, c, c.purpose, code)
		r.real = r.real.Add(time.Duration(10+r.rng.IntN(21)) * time.Second)
	}
	r.answer(u)
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
		for _, t := range append(slices.Clone(r.challenges), r.setups...) {
			ends = append(ends, t.expires)
		}
		for _, t := range r.receipts {
			ends = append(ends, t.issued.Add(5*time.Minute))
		}
		ends = append(ends, u.account.totp.opens(true, max(1, len(u.account.apps))), u.account.recovery.opens(false, 1),
			u.account.setsSince.Add(modelDay), u.account.totp.mark.Add(-modelDay), u.account.recovery.mark.Add(-modelDay))
		end, _ := modelPick(r, ends)
		end = end.Add(time.Duration(r.rng.IntN(3)-1) * time.Microsecond)
		if d := end.Sub(r.now()); d > -2*modelDay && d < 50*modelDay && !end.IsZero() {
			r.real = r.real.Add(d)
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

// step does one random operation.
func (r *modelRun) step() {
	u := r.users[min(1, r.rng.IntN(3))] // one of them is busier
	switch n := r.rng.IntN(100); {
	case n < 24:
		r.wait()
	case n < 32:
		r.begin(u)
	case n < 34:
		r.resume(u)
	case n < 42:
		r.confirm(u)
	case n < 50:
		if len(u.account.apps) < 3 {
			r.enroll(u)
		} else {
			r.answer(u)
		}
	case n < 52:
		r.cancel(u)
	case n < 60:
		r.signIn(u)
	case n < 72:
		r.answer(u)
	case n < 82:
		r.verify(u, r.typed(u))
	case n < 85:
		r.disable(u)
	case n < 89:
		r.remove(u)
	case n < 94:
		r.newCodes(u)
	case n < 96:
		r.restart()
	case n < 97:
		r.grind(u)
	case n < 98:
		r.marathon(u)
	case n < 99:
		r.fumble(u)
	default:
		r.renew(u)
	}
}

// TestGuardAgreesWithModel runs random sequences of operations, each on its own
// store.
func TestGuardAgreesWithModel(t *testing.T) {
	t.Parallel()
	first, last := *modelFirst, *modelFirst+uint64(*modelSequences)
	if testing.Short() {
		last = first + uint64(*modelSequences)/10
	}
	if *modelSeed != 0 {
		first, last = *modelSeed, *modelSeed+1
	}
	tally := map[string]int{}
	for seed := first; seed < last; seed++ {
		r := newModelRun(t, seed)
		if !r.chance(3) {
			r.enroll(r.users[0])
		}
		for range *modelSteps {
			r.step()
		}
		for k, n := range r.tally {
			tally[k] += n
		}
	}
	if *modelTally {
		for _, k := range slices.Sorted(maps.Keys(tally)) {
			t.Logf("%8d %s", tally[k], k)
		}
	}
	if *modelSeed != 0 || testing.Short() {
		return
	}
	// A sequence that never gets anywhere proves nothing.
	for _, k := range []string{
		"Answer: yes", "Answer: code_already_used", "Answer: wrong_code", "Answer: locked", "Answer: challenge_spent",
		"Answer: challenge_void", "Answer: challenge_expired", "Answer: challenge_invalid", "Verify: factor_disabled",
		"Begin: yes", "Begin: too_many_authenticators", "Begin: proof_stale", "Begin: proof_invalid", "Begin: proof_required",
		"Begin: proof_not_allowed", "Confirm: yes", "Confirm: clock_skew", "Confirm: setup_superseded", "Confirm: locked",
		"Cancel: yes", "Disable: yes", "Disable: proof_not_allowed", "Remove: yes", "Remove: last_authenticator",
		"NewCodes: yes", "NewCodes: too_many_code_sets", "Resume: yes", "Resume: setup_superseded", "Resume: setup_expired",
	} {
		if *modelSequences >= 3000 && tally[k] == 0 {
			t.Errorf("no sequence came to %q", k)
		}
	}
}
