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
	// Seen is how many accounts were due, or could not be opened to find out. During a long
	// walk, an account can become due again, and is seen again.
	Seen int

	// Expired is how many expired setups were deleted.
	Expired int

	// Reminded, Matured, Completed and Lapsed count requests for a reset (see
	// [ResetRequests]): the owner was reminded, the request can be approved from now
	// on, it was carried out without an approval, and nobody approved it in time.
	Reminded, Matured, Completed, Lapsed int

	// Delivered and Undelivered count events that Config.Notify accepted, and did
	// not accept. The latter stay in the account for a later Sweep.
	Delivered, Undelivered int

	// Waiting is how many accounts were skipped because they need a Guard with a
	// Config.Notify.
	Waiting int

	// Walked is how many accounts the walk over all of them has looked at. Repaired
	// is how many had a Due in the database that differs from the sealed one, and
	// were saved with the right one. It means that something else has written to
	// the database.
	Walked, Repaired int

	// Walk says how far the walk has come, for [Directory.ResumeWalk].
	Walk string

	// Failed are the accounts that could not be processed, and those that the walk
	// could not open.
	Failed Failures
}

// Sweep does what is due at the time of the call, account by account. It deletes
// expired setups. It reminds the owners of open requests for a reset, and carries
// out those that need no approval. It hands Config.Notify the events that were not
// delivered when they happened, because Notify failed or a process ended. Call it
// every few minutes, as [Directory.SweepEvery] does, from one process or from many: each
// thing is done once, except that an event can arrive twice. Signing in never waits for it.
//
// A Guard without Config.Notify only deletes what has expired. It leaves requests
// and events to a Guard that has one.
//
// The database says in clear when an account is due, so that Sweep finds it at
// once. An attacker who writes to the database could hide an account that way.
// Therefore Sweep also walks over all accounts, about once in 24 hours, compares
// each with what is sealed, and does at once what was held back. The walk begins
// with the first Sweep of a Directory, and continues where the last Sweep was
// interrupted, for example by its context. What becomes due during a long walk is done every
// minute. An account that a node writes whose clock is more than a minute behind may wait
// for the next Sweep. Make one Directory and keep it. See [Directory.ResumeWalk] for
// programs that end after each Sweep.
//
// An account that can't be opened or saved is in Swept.Failed, and the others are
// processed all the same. Sweep returns what was done so far. It also returns an error if
// the context ends, which is checked before each account, or if the accounts can't be
// listed. Config.Observe counts each account that was due, as "sweep". The log has a line
// for each of them that did not fail.
func (d *Directory) Sweep(ctx context.Context) (Swept, error) {
	var done Swept
	if err := d.check(); err != nil {
		return done, err
	}
	now := d.guard.Now()
	err := d.sweepDue(ctx, time.Time{}, now, &done)
	if err == nil {
		err = d.walkAll(ctx, now, &done)
	}
	done.Walk = d.walk.text()
	return done, err
}

// sweepDue does what has become due after since, by what the store says, or all that is due if
// since is zero. What was due before and still is, this Sweep has tried already.
func (d *Directory) sweepDue(ctx context.Context, since, now time.Time, done *Swept) error {
	// For each page, a database can have to read all that is still due. So there are few.
	for page, err := range d.pages(ctx, store.Query{DueBy: now, Limit: store.MaxPage}) {
		if err != nil {
			return err
		}
		for _, rec := range page.Records {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("enrollment: sweeping: %w", err)
			}
			if since.IsZero() || rec.Due.After(since) {
				d.sweep(ctx, rec.UserID, done)
			}
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
	e := edit{guard: d.guard, op: opSweep, user: userID, moves: true}
	one, err := run(ctx, &e, func(a *account.Account, m account.Moment) (account.Swept, error) {
		if e.base.misfiled {
			a.Touch()
		}
		return a.Sweep(m, e.base.record.Due, d.guard.config.Notify != nil)
	})
	if err == nil && e.base.misfiled {
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
