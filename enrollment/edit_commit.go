package enrollment

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A try is a decision that is not stored yet.
type try struct {
	base    *base // what it is based on
	account *account.Account
	moment  account.Moment
	verdict error
	events  []account.Undelivered // to be delivered once it is stored
}

// changes reports whether the decision has to be stored: it is an answer to the
// caller, and no fault, and has changed the account.
func (t *try) changes() bool {
	switch t.verdict.(type) {
	case nil, *account.Refusal, *Denied:
		return t.account.Changed()
	}
	return false
}

// commit seals the account and what the caller is handed, and saves the account. It
// reports whether it is stored, and returns what the store holds then: this account,
// or what somebody else has written meanwhile.
//
// The caller can't cancel it.
func (e *edit) commit(caller context.Context, t *try, seal func(context.Context) error) (stored bool, now *base, err error) {
	ctx, cancel := settle(caller)
	defer cancel()
	if now, err = e.guard.seal(ctx, e.user, t.account, t.base.record.Version, t.moment); err != nil {
		return false, nil, err
	}
	if err := seal(ctx); err != nil {
		return false, nil, err
	}
	stored = true
	if err = e.guard.store.Save(ctx, now.record, t.base.record.Version); err != nil {
		stored, now, err = e.settled(caller, now, err)
	}
	if stored && t.base.misfiled {
		e.guard.repaired(context.WithoutCancel(caller), e.user)
	}
	return stored, now, err
}

// settled is commit after a Save that was not acknowledged. If the store holds the
// very bytes that were sent, they are ours: the reply was lost, or the driver tried
// twice.
func (e *edit) settled(caller context.Context, sent *base, failed error) (stored bool, now *base, err error) {
	if e.conflicts > 0 {
		// Let those who write at the same time get out of step.
		time.Sleep(rand.N(time.Duration(e.conflicts) * time.Millisecond))
	}
	ctx, cancel := settle(caller) // what Save was given may have run out
	defer cancel()
	now, err = e.guard.load(ctx, e.user)
	switch {
	case err == nil && now.holds(sent.record):
		return true, sent, nil
	case !errors.Is(failed, store.ErrConflict):
		return false, nil, fmt.Errorf("enrollment: saving the account: %w", failed)
	case e.conflicts == maxConflicts:
		return false, nil, ErrBusy
	case err != nil:
		return false, nil, err
	}
	e.conflicts++
	return false, now, e.open(ctx, now)
}

// settle returns a context that the caller's cancellation does not reach.
func settle(caller context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(caller), settleTimeout)
}

// finish answers after the decision was stored.
func (e *edit) finish(caller context.Context, t *try, now *base) error {
	e.place.leave() // the account's turn is over, Notify must not prolong it
	e.guard.hints.look(t.account, t.moment)
	if recorded := t.account.Recorded(); len(recorded) > 0 || len(t.events) > 0 {
		ctx := context.WithoutCancel(caller)
		e.guard.logEvents(ctx, e.user, recorded)
		e.told, e.taken = len(t.events), e.guard.deliver(ctx, e.user, now, t.events)
	}
	return outward(t.verdict)
}
