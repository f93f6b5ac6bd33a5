package enrollment

import (
	"context"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Swept is what a [Directory.Sweep] has done.
type Swept struct {
	// Seen is how many accounts were due.
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

	// Failed are the accounts for which what was due could not be done.
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
// An account that can't be opened or saved is in Swept.Failed, and the others
// are processed all the same. It returns what was done so far, and an error if the context
// ends, which is looked at before each account, or if the accounts can't be
// listed. Config.Observe counts each account that was due, as "sweep"; unless it
// failed, it is a line of the log.
func (d *Directory) Sweep(ctx context.Context) (Swept, error) {
	var done Swept
	for page, err := range d.pages(ctx, store.Query{DueBy: d.guard.now()}) {
		if err != nil {
			return done, err
		}
		for _, rec := range page.Records {
			if err := ctx.Err(); err != nil {
				return done, fmt.Errorf("enrollment: sweeping: %w", err)
			}
			d.sweep(ctx, rec.UserID, &done)
		}
	}
	return done, nil
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
	if err == nil && one.Seen == 0 {
		return // somebody else was here meanwhile
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
	done.Delivered += e.taken
	done.Undelivered += e.told - e.taken
}

// sweep decides. What it leaves unchanged is not written.
func (e *edit) sweep(a *account.Account, m account.Moment) (Swept, error) {
	var one Swept
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
