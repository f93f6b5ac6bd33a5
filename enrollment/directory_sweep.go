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
	one, err := run(ctx, &e, func(a *account.Account, m account.Moment) (account.Swept, error) {
		if e.misfiled {
			a.Touch()
		}
		return a.Sweep(m, e.loaded.Due, d.guard.config.Notify != nil)
	})
	if err == nil && e.misfiled {
		done.Repaired++
	}
	if err == nil && !one.Due {
		return // erased, or somebody else was here meanwhile
	}
	e.conclude(ctx, &err)
	done.Seen++
	if err != nil {
		done.Failed.add(userID, err)
		return
	}
	count := func(n *int, one bool) {
		if one {
			*n++
		}
	}
	count(&done.Expired, one.Expired)
	count(&done.Reminded, one.Reminded)
	count(&done.Matured, one.Matured)
	count(&done.Completed, one.Completed)
	count(&done.Lapsed, one.Lapsed)
	count(&done.Waiting, one.Waiting)
	done.Delivered += e.taken
	done.Undelivered += e.told - e.taken
}
