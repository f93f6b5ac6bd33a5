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
// including an [EventWrongCodes] that is not due yet, and [EventErased] last. If Notify does
// not accept all of them, Erase deletes nothing and returns [ErrUndelivered]. A Guard
// without Notify tells nobody; it returns ErrUndelivered if another Guard has left
// undelivered events. A change during Erase can be deleted before the user is told of it.
// So end the user's sessions first, and let nobody sign in.
//
// Erase also deletes a record that can't be opened (see [ErrCorrupt]), unless it
// belongs to another user. Notify is then handed only EventErased, once, after the record is
// deleted; if Notify fails, the event is lost. Erase does not delete an account that a later
// version of the library can read (see [ErrNewer]): its events would be lost.
//
// Erase returns nil if there is no record, and [ErrNoEraser] if the store is not a
// [store.Eraser]. After another error, call it again: the record may still be
// there, and the event may come twice. A row that the store itself can't read stays, with the
// store's error; only the store's own Erase deletes it.
//
// After [Admin.Move], the record of the old id holds no account. Erase removes it without
// an event. After an interrupted Move, the record of the old id can still hold the account.
// Erase then deletes it, and the account can't come to the new id any more; users can enrol
// there. If Erase returns an error instead, and you want to move the account after all, erase
// the new id first. If the account has arrived there already, it stays. Do not erase an id
// while a Move to it runs: if the account arrives during Erase, it can be deleted without an
// event.
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
		// Without a delete, which would take an account that somebody begins now.
		e.looked, e.returned = true, true
		return nil
	case e.from.record.UserID != userID:
		// A store that confuses two users would delete the other one.
		return fmt.Errorf("%w: %w", ErrCorrupt, errAnother)
	}
	var departed account.Move
	if e.from, departed, err = x.finishMove(ctx, e.from); err != nil {
		return err
	}
	e.moves = true
	gone := false
	told := e.run(ctx, func(a *account.Account, m account.Moment) error {
		if gone = !e.base.found; gone {
			return nil // somebody else has erased it meanwhile
		}
		if now := a.Move(); now.Stage == account.Leaving && now != departed {
			return ErrBusy // a Move runs
		}
		return x.noteErasure(a, m)
	})
	switch {
	case told != nil && (!errors.Is(told, ErrCorrupt) || errors.Is(told, errAnother)):
		return told
	case gone:
		return nil // what is there now was begun after that
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

// finishMove sees to it that what is erased here is nowhere else, nor can come there any more.
// It does the last step of a Move that was interrupted just before: it empties the record that
// the account came from, or this one if the account has arrived at another id. If the account
// has departed and not arrived, it takes back the claim of the other id. That comes before
// anybody is told of the erasure, because a Move may be running. It returns the base, or nil
// if that has changed, and the move if the account has departed and is still here.
func (x Admin) finishMove(ctx context.Context, b *base) (now *base, departed account.Move, err error) {
	look := *b
	look.record.Data = bytes.Clone(look.record.Data)
	err = x.guard.open(ctx, look.record.UserID, &look)
	var a *account.Account
	if err == nil {
		a, err = look.account(account.Moment{})
	}
	if errors.Is(err, ErrCorrupt) {
		return b, departed, nil
	}
	if err != nil {
		return b, departed, err
	}
	switch departed = a.Move(); departed.Stage {
	case account.Settled:
		return b, departed, x.finishArrival(ctx, a)
	case account.Leaving:
		arrived, err := x.withdraw(ctx, departed.ID, departed.Other)
		if err == nil && arrived {
			return nil, account.Move{}, x.vacate(ctx, departed.ID, look.record.UserID)
		}
		return b, departed, err
	}
	return b, departed, nil
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

// EraseUnreadable erases the user's account only if it can't be opened, for operators
// whose keys are lost. [Directory.Inspect] lists such accounts. Afterwards, the user has
// no second factor: the password alone signs in, unless SignInOptions.Require or Enrolled is
// set. Nobody gets the account back, not even with the keys.
//
// It returns false and nil if there is no record, or if the account opens. An account
// that is repaired meanwhile is not erased, and neither is one that does not open only
// because the [Sealer] fails, or that a later version of the library wrote ([ErrNewer]).
//
// One conditional write replaces the account by an empty one with [EventErased], which
// Config.Notify is then handed; if Notify fails, [Directory.Sweep] delivers the event. The
// record stays, because the user may sign in and set up a new factor at any time. If the
// user is gone as well, call [Admin.Erase].
//
// It returns a [Denied] of reason ReasonOwnAccount.
func (x Admin) EraseUnreadable(ctx context.Context, userID string) (erased bool, err error) {
	e, err := x.edit(opErase, userID)
	defer e.conclude(ctx, &err)
	if err != nil {
		return false, err
	}
	if err := validUser(userID); err != nil {
		return false, err
	}
	e.looked = true
	erased, err = x.replaceUnreadable(ctx, e)
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
		return false, fmt.Errorf("%w: %w", ErrCorrupt, errAnother)
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
