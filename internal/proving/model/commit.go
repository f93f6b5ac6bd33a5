package model

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// do carries out an operation: decide on the model, act on the Guard. fill
// gives the model what only the Guard can know, such as a fresh secret.
func (r *modelRun) do(u *modelUser, what string, decide func(a *modelAccount, turn int) *modelNo,
	act func(ctx context.Context) error, fill func(a *modelAccount),
) *modelNo {
	now := r.now()
	a := u.account.clone()
	a.limits = r.limits
	a.tells = r.notify
	a.listens = r.notify && r.config.AlertUnanswered
	a.origin = []string{"", "Firefox, 192.0.2.7", "Safari, 2001:db8::7"}[r.where.IntN(3)]
	ctx := enrollment.WithOrigin(r.t.Context(), a.origin)
	turn := r.next()
	if !a.stored {
		a.epoch = turn
	}
	back := a.clampFuture(now, turn)
	a.tidy(now)
	a.kept = a.kept && r.config.KeepCodes // gone with the next write
	guessers, others := len(a.apps), len(a.imported) > 0
	no := decide(a, turn)
	if no != nil && no.form {
		a.dirty = false
	}
	r.tick(now)

	r.notifyFails = r.notify && (r.notifyDown || r.chance(4))
	r.notified, r.observed, r.failed, r.refused = nil, nil, false, false
	saves := r.store.Calls(proving.Save)
	err := act(ctx)

	name, _, _ := strings.Cut(what, " ")
	r.tally[name+": "+cmp.Or(string(proving.ReasonOf(err)), "yes")]++
	r.log = append(r.log, fmt.Sprintf("%3d %s %s %s, from %q → %v (model: %v)", len(r.log), now.Format(time.RFC3339Nano), u.name, what, a.origin, err, no))
	for _, q := range a.fresh {
		r.tally["Event: "+string(q.event.Kind)]++
	}
	r.compare(err, no)
	if no == nil && fill != nil {
		fill(a)
	}
	r.compareObserved(name, a, no)

	wantSaves := 0
	if a.dirty {
		wantSaves = 1
		if name == "Move" {
			wantSaves = 4
		}
		if name == "SignIn" { // nobody is told by a repair alone
			r.quiet = true
			r.tally["SignIn: repaired"]++
		}
		r.commit(u, a, back, now)
		r.quiet = false
		if len(r.notified) > 0 && !r.notifyFails {
			wantSaves++ // the acknowledgement
		}
		if r.refused {
			wantSaves++ // the message is taken back
		}
	}
	if got := r.store.Calls(proving.Save) - saves; got != wantSaves {
		r.fatalf("%s was saved %d times, want %d", u.name, got, wantSaves)
	}
	if no != nil && others && no.factor == enrollment.FactorRecovery && no.retry.Sub(now) > time.Minute {
		r.tally["Others: budget"]++
	}
	if no != nil && no.reason == enrollment.ReasonWrongCode {
		switch {
		case no.factor == enrollment.FactorRecovery && others:
			u.others++
		case no.factor == enrollment.FactorTOTP && name == "Confirm" && a.setup.app.hardware:
			u.guesses++
			r.tally["Confirm: guess at a hardware token"]++
		case no.factor == enrollment.FactorTOTP && name != "Confirm" && !no.triple: // a setup has a count of its own, and three codes none
			u.guesses += guessers
		case no.factor == enrollment.FactorDelivered:
			u.delivered++
		}
	}
	if a.dirty && !a.erased {
		r.compareGone(u)
	}
	before := u.status
	r.inspect()
	if no != nil && no.reason != enrollment.ReasonWrongCode && no.reason != enrollment.ReasonReplayed && no.reason != enrollment.ReasonMustReplace {
		r.compareUntouched(u, before)
	}
	return no
}

// giveBack forgets used steps that a broken clock had stored far ahead: by the
// documentation they can be used again.
func (u *modelUser) giveBack(a *modelAccount, back modelBack, now time.Time) {
	for k := range u.keys {
		limit, given := modelStep(now), back.gone
		for i, x := range a.apps {
			if x.key.Secret().Equal(u.keys[k].Secret()) {
				limit, given = modelStep(now)+max(0, x.offset)+1, slices.Contains(back.apps, i)
			}
		}
		if given {
			u.used[k] = slices.DeleteFunc(u.used[k], func(s int64) bool { return s > limit })
		}
	}
}

// commit makes what the model decided the stored account. It reports whether
// there was something to tell.
func (r *modelRun) commit(u *modelUser, a *modelAccount, back modelBack, now time.Time) (told bool) {
	u.giveBack(u.account, back, now)
	if r.notify && !r.quiet {
		leased := a.lease(now)
		told = len(leased) > 0
		heard := slices.DeleteFunc(slices.Clone(r.notified), func(e enrollment.Event) bool { return e.UserID != u.name })
		if len(heard) != len(leased) {
			r.fatalf("%d events were handed to Notify, want %d", len(heard), len(leased))
		}
		for i, e := range heard {
			r.compareEvent(u, e, leased[i].event)
		}
		if !r.notifyFails && len(leased) > 0 {
			news := false // of a request for a reset
			a.queue = slices.DeleteFunc(a.queue, func(q modelQueued) bool {
				taken := slices.ContainsFunc(leased, func(l modelQueued) bool { return l.at == q.at })
				news = news || taken && q.event.Kind == enrollment.EventResetRequested
				return taken
			})
			u.giveBack(a, a.clampFuture(now, r.next()), now) // the acknowledgement is an edit of its own
			if news && a.reset.heard(now) {
				r.tally["Reset: heard late"]++
			}
		}
	}
	if a.erased {
		u.account, u.record = &modelAccount{}, store.Record{}
		return told
	}
	u.account = a
	u.account.stored, u.account.fresh = true, nil
	return told
}

// tick keeps account of how the clock has moved.
func (r *modelRun) tick(now time.Time) {
	if now.After(r.shown) {
		r.forward += float64(now.Unix()-r.shown.Unix()) + 1e-6
		r.motion += float64(now.Unix()-r.shown.Unix()) + float64(now.Nanosecond()-r.shown.Nanosecond())/1e9
	}
	r.shown = now
}
