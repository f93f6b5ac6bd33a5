package enrollment

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// ErrNoEraser says that the store can't delete accounts; see [store.Eraser].
var ErrNoEraser = errors.New("enrollment: the store does not implement store.Eraser")

// ErrUndelivered says that an account was not erased, because Config.Notify has not
// accepted all of its events. Call [Admin.Erase] again later.
var ErrUndelivered = errors.New("enrollment: not erased: the account has undelivered events")

// Erase deletes the user's record with its history. Call it when the user is deleted.
// First, it hands Config.Notify the events of the account that are still undelivered,
// also an [EventWrongCodes] that is not due yet, and [EventErased] last. If Notify does
// not accept all of them, Erase deletes nothing and returns [ErrUndelivered]. A Guard
// without Notify tells nobody; it returns ErrUndelivered if another Guard has left
// undelivered events. A change during Erase can be deleted before the user is told of it.
// So end the user's sessions first, and let nobody sign in.
//
// Erase also deletes a record that can't be opened (see [ErrCorrupt]), unless it
// belongs to another user. Notify is then handed only EventErased, once, after the
// record is deleted; if Notify fails, the event is lost.
//
// Erase returns nil if there is no record, and [ErrNoEraser] if the store is not a
// [store.Eraser]. After another error, call it again: the record may still be
// there, and the event may come twice.
//
// After [Admin.Move], the record of the old id holds no account. Erase removes it without
// an event. While a Move is unfinished, the record of the old id can still hold the
// account, and Erase deletes it.
//
// Erase also forgets which codes were used: if the account is created again with
// the same secret, it accepts a used code once more.
func (x Admin) Erase(ctx context.Context, userID string) (err error) {
	e, err := x.edit(opErase, userID)
	defer e.conclude(ctx, &err)
	if err != nil {
		return err
	}
	eraser, ok := x.guard.store.(store.Eraser)
	if !ok {
		return ErrNoEraser
	}
	if err := validUser(userID); err != nil {
		return err
	}
	e.from, err = x.guard.load(ctx, userID)
	switch {
	case err != nil:
		return err
	case !e.from.found:
		e.looked, e.returned = true, true
		return nil
	case e.from.record.UserID != userID:
		// A store that confuses two users would delete the other one.
		return fmt.Errorf("%w: the store returned the record of another user", ErrCorrupt)
	}
	if err := x.finishMove(ctx, e.from); err != nil {
		return err
	}
	e.moves = true
	told := e.run(ctx, func(a *account.Account, m account.Moment) error {
		if e.loaded.Version == 0 {
			return nil // somebody else has erased it meanwhile
		}
		return x.noteErasure(a, m)
	})
	switch {
	case told != nil && !errors.Is(told, ErrCorrupt):
		return told
	case e.taken < e.told:
		return ErrUndelivered
	}
	if err := x.delete(ctx, eraser, userID); err != nil {
		return err
	}
	if told != nil {
		return x.tellErasure(ctx, userID)
	}
	return nil
}

// delete deletes the record. The owner has been told, so it goes even if the caller
// hangs up now.
func (x Admin) delete(ctx context.Context, eraser store.Eraser, userID string) error {
	ctx, cancel := settle(ctx)
	defer cancel()
	err := eraser.Erase(ctx, userID)
	if err == nil {
		err = absent(ctx)
	}
	if err != nil {
		return fmt.Errorf("enrollment: erasing the account: %w", err)
	}
	return nil
}

// finishMove empties the record that the account came from, if a Move was
// interrupted just before: that record must not bring back what is erased here.
func (x Admin) finishMove(ctx context.Context, b *base) error {
	look := *b
	look.record.Data = bytes.Clone(look.record.Data)
	err := x.guard.open(ctx, look.record.UserID, &look)
	var a *account.Account
	if err == nil {
		a, err = look.account(account.Moment{})
	}
	if errors.Is(err, ErrCorrupt) {
		return nil
	}
	if err != nil {
		return err
	}
	if a.Move().Stage == account.Settled {
		return x.finishArrival(ctx, a)
	}
	return nil
}

// noteErasure records that the account is erased. It also makes all that was not told
// due, so that it is delivered first.
func (x Admin) noteErasure(a *account.Account, m account.Moment) error {
	if stage := a.Move().Stage; stage == account.Claimed || stage == account.Gone {
		return nil // nothing of the user is here
	}
	if x.guard.config.Notify != nil {
		if err := a.Recall(m); err != nil {
			return err
		}
	} else if waits, err := a.Untold(); err != nil {
		return err
	} else if waits {
		return ErrUndelivered
	}
	return a.Note(m, account.EventErased, x.by)
}

// tellErasure logs and delivers EventErased for a record that could not store it.
func (x Admin) tellErasure(ctx context.Context, userID string) error {
	m, err := x.guard.moment(ctx)
	if err != nil {
		return err
	}
	a := account.New(m)
	if err := x.noteErasure(a, m); err != nil {
		return outward(err)
	}
	x.guard.logEvents(ctx, userID, a.Recorded())
	if x.guard.config.Notify == nil {
		return nil
	}
	events, err := a.Lease(m)
	if err != nil {
		return outward(err)
	}
	x.guard.deliver(ctx, userID, nil, events)
	return nil
}
