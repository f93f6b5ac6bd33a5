package enrollment

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Swept is what a [Directory.Sweep] has done.
type Swept struct {
	// Seen is how many accounts were due, or can't be opened, so that nobody
	// knows.
	Seen int

	// Expired is how many setups were not confirmed in time, and are gone. They
	// were good for nothing any more.
	Expired int

	// Reminded, Matured, Completed and Lapsed count requests for a reset; see
	// [ResetRequests]: whose owner was reminded, that can be approved from now on,
	// that were carried out without an approval, and that nobody has approved in
	// time.
	Reminded, Matured, Completed, Lapsed int

	// Delivered and Undelivered count events that Config.Notify has taken, and
	// that it has not: they stay in the account for a later Sweep.
	Delivered, Undelivered int

	// Waiting is how many accounts were left as they are because they wait for
	// a Guard with a Config.Notify.
	Waiting int

	// Walked is how many accounts the walk over all of them has looked at, and
	// Repaired how many had another Due in the database than they have by what
	// is sealed, and are saved with their own now. Somebody else has written to
	// the database then.
	Walked, Repaired int

	// Walk says how far the walk has come, for [Directory.ResumeWalk].
	Walk string

	// Failed are the accounts for which what was due could not be done, and
	// those that the walk could not open.
	Failed Failures
}

// Sweep does what is due at the time of the call, account by account: it
// deletes setups that were not confirmed in time, tells the owners of open
// requests for a reset again and carries out those that need no approval, and
// hands events to Config.Notify that were not delivered when they happened,
// because Notify failed or a process ended. Call it every few minutes, from one
// process or from many: each thing is done once, whoever comes first, but for
// events, which can arrive twice. Nothing about signing in waits for it.
//
// A Guard without Config.Notify tells nobody. It only deletes what has expired,
// and leaves requests and events to one that does.
//
// The database says in clear when an account is due, so that Sweep finds it at
// once. Somebody who writes to the database could keep it from being found.
// Therefore Sweep also walks over all accounts, about once in 24 hours, compares
// each with what is sealed, and does at once what was kept back. The walk begins
// with the first Sweep of a Directory and goes on where the last one was
// interrupted, by the end of its context for example: make one Directory and
// keep it. See [Directory.ResumeWalk] for programs that end after each Sweep.
//
// An account that can't be opened or saved is in Swept.Failed, and the others
// are processed all the same. It returns what was done so far, and an error if the context
// ends, which is looked at before each account, or if the accounts can't be
// listed. Config.Observe counts each account that was due, as "sweep"; unless it
// failed, it is a line of the log.
func (d *Directory) Sweep(ctx context.Context) (Swept, error) {
	var done Swept
	if err := d.check(); err != nil {
		return done, err
	}
	now := d.guard.now()
	err := d.sweepDue(ctx, now, &done)
	if err == nil {
		err = d.walkAll(ctx, now, &done)
	}
	done.Walk = d.walk.text()
	return done, err
}

// sweepDue does what is due by what the store says.
func (d *Directory) sweepDue(ctx context.Context, now time.Time, done *Swept) error {
	for page, err := range d.pages(ctx, store.Query{DueBy: now}) {
		if err != nil {
			return err
		}
		for _, rec := range page.Records {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("enrollment: sweeping: %w", err)
			}
			d.sweep(ctx, rec.UserID, done)
		}
	}
	return nil
}

// sweep does what is due for one account.
func (d *Directory) sweep(ctx context.Context, userID string, done *Swept) {
	if err := validUser(userID); err != nil {
		done.Seen++
		// Without its chain: it is not the caller's argument that is invalid.
		done.Failed.add(userID, fmt.Errorf("%w: %v", ErrCorrupt, err))
		return
	}
	e := edit{guard: d.guard, op: opSweep, user: userID}
	one, err := run(ctx, &e, e.sweep)
	if err == nil && one.Seen == 0 { // somebody else was here meanwhile
		done.Repaired += one.Repaired
		return
	}
	e.conclude(ctx, &err)
	if err != nil {
		done.Seen++
		done.Failed.add(userID, err)
		return
	}
	done.Seen += one.Seen
	done.Expired += one.Expired
	done.Reminded += one.Reminded
	done.Matured += one.Matured
	done.Completed += one.Completed
	done.Lapsed += one.Lapsed
	done.Waiting += one.Waiting
	done.Repaired += one.Repaired
	done.Delivered += e.taken
	done.Undelivered += e.told - e.taken
}

// sweep decides. What it leaves unchanged is not written.
func (e *edit) sweep(a *account.Account, m account.Moment) (Swept, error) {
	var one Swept
	if e.misfiled {
		one.Repaired = 1
		a.Touch()
	}
	was := e.loaded.Due
	if was.IsZero() || was.After(m.Now) {
		return one, nil // erased, or somebody else was here meanwhile
	}
	one.Seen = 1
	notify := e.guard.config.Notify != nil
	if notify {
		if err := a.Sweep(m); err != nil {
			return one, err
		}
	}
	for _, x := range a.Recorded() {
		switch x.Kind {
		case account.EventResetReminder:
			one.Reminded++
		case account.EventResetMatured:
			one.Matured++
		case account.EventReset:
			one.Completed++
		}
	}
	if a.Expired() {
		one.Expired++
	}
	if a.Lapsed() {
		one.Lapsed++
	}
	due, err := a.Due()
	if err != nil {
		return one, err
	}
	// What is due still are events, or without Notify a request. Without Notify
	// they stay due, and a write would change nothing: it would come again with
	// every sweep.
	overdue := !due.IsZero() && !due.After(m.Now)
	if overdue && !notify {
		one.Waiting++
	}
	if a.Expired() || a.Lapsed() || !overdue || notify {
		a.Touch()
	}
	return one, nil
}
