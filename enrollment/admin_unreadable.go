package enrollment

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// EraseUnreadable erases the user's record only if it can't be opened, for operators
// whose keys are lost. [Directory.Inspect] lists such records. Afterwards, the user
// has no second factor: the password alone signs in, unless
// SignInOptions.Require is set. Nobody gets the account back, not even with
// the keys.
//
// It returns false and nil if there is no record, or if the account opens. An
// account that is repaired meanwhile is not erased, and neither is one that does not
// open only because the [Sealer] fails. First, one conditional write replaces the
// record by an empty account with [EventErased], which Config.Notify is then handed.
// Then the record is deleted. If Notify fails, the empty account stays, and
// [Directory.Sweep] delivers the event.
//
// It returns [ErrNoEraser] if the store is not a [store.Eraser], and a [Denied] of
// reason ReasonOwnAccount. After an error that comes with true, only the empty
// account may be left.
func (x Admin) EraseUnreadable(ctx context.Context, userID string) (erased bool, err error) {
	e, err := x.edit(opErase, userID)
	defer e.conclude(ctx, &err)
	if err != nil {
		return false, err
	}
	eraser, ok := x.guard.store.(store.Eraser)
	if !ok {
		return false, ErrNoEraser
	}
	if err := validUser(userID); err != nil {
		return false, err
	}
	e.looked = true
	erased, err = x.replaceUnreadable(ctx, e)
	if err == nil && erased && e.taken == e.told {
		err = x.delete(ctx, eraser, userID)
	}
	e.returned = true
	return erased, err
}

// replaceUnreadable puts an empty account in the place of one that can't be opened,
// and tells the owner.
func (x Admin) replaceUnreadable(ctx context.Context, e *edit) (replaced bool, err error) {
	b, err := x.guard.load(ctx, e.user)
	if err != nil || !b.found {
		return false, err
	}
	if b.record.UserID != e.user {
		return false, fmt.Errorf("%w: the store returned the record of another user", ErrCorrupt)
	}
	look := *b
	look.record.Data = bytes.Clone(look.record.Data)
	err = x.guard.open(ctx, e.user, &look)
	if err == nil {
		_, err = look.account(account.Moment{})
	}
	if !errors.Is(err, ErrCorrupt) {
		return false, err
	}
	m, err := x.guard.moment(ctx)
	if err != nil {
		return false, err
	}
	a := account.New(m)
	if err := a.Note(m, account.EventErased, x.by); err != nil {
		return false, outward(err)
	}
	t := &try{base: b, account: a, moment: m}
	if x.guard.config.Notify != nil {
		if t.events, err = a.Lease(m); err != nil {
			return false, outward(err)
		}
	}
	stored, now, err := e.commit(ctx, t, func(context.Context) error { return nil })
	switch {
	case err != nil:
		return false, err
	case !stored:
		return false, ErrBusy // it was repaired, or erased by another
	}
	return true, e.finish(ctx, t, now)
}
