package enrollment

import (
	"context"
	"errors"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// Move moves the account of a user whose id has changed. The account keeps its
// authenticators, recovery codes, used codes, guessing budgets, waits, message
// counts, bypass, reset request, history and undelivered events. Challenges,
// receipts, a pending setup, sent codes and trust in devices end. The [Stamp] changes, so
// sessions end as well. A ticket was issued for the old id: if the account still demands
// one, issue another with Reset. The event is [EventMoved], under the new id.
//
// Call Move before the application uses the new id. Until then, the new id has no
// account, so SignIn says Proceed for it. During a move, the account works under one of
// the ids or under neither. An operation on an id that it does not work under returns an
// error that matches [ErrMoved]. After Move has returned nil, the account works under the
// new id. The old id is refused until Erase removes what is left there: a record that
// names the new id and holds no account. If Move returns an error, call it again with the
// same ids until it returns nil: it continues where it stopped. To give up a move while
// the old id still works, erase the new id.
//
// Move returns a [Denied] of reason ReasonNotEnrolled if the old id has no record. If it was
// erased during a move, users can then enrol under the new id. The reason is
// ReasonUserIDTaken if the new id has a record, and ReasonOwnAccount if the actor
// is either. What is under the new id has to be erased first. A record that
// another Move has left there, such as after moving away and back, is replaced. If
// the account of the old id is under a third one, the error matches ErrMoved.
//
// Move writes four records, one after the other. The caller can cancel it until the
// second is written. The order is such that no code works under both ids, in any
// crash or race.
func (x Admin) Move(ctx context.Context, from, to string) (err error) {
	e, err := x.edit(opMove, from)
	defer e.conclude(ctx, &err)
	switch {
	case err != nil:
		return err
	case x.by.Actor == to:
		return deny(ReasonOwnAccount)
	case from == to:
		return errors.New("enrollment: the two user ids are the same")
	}
	for _, id := range []string{from, to} {
		if err := validUser(id); err != nil {
			return err
		}
	}
	e.looked = true
	err = x.move(ctx, from, to)
	if denied := deniedIn(err); denied != nil && denied.Reason == ReasonNotEnrolled {
		if failed := x.unclaim(ctx, from, to); failed != nil && !errors.Is(failed, ErrCorrupt) {
			err = failed
		}
	}
	e.returned = true
	return err
}

// move claims the new id, so that nothing can begin there. Then it closes the
// record of the old id, which keeps the account. Then the account takes the place
// of the claim, and last the old record is emptied. Each step is one conditional
// write and does nothing if it was done before.
//
// The third step looks at the old record after it has loaded the claim. Once the
// old record is emptied, the claim it has seen is gone, and the write fails. So an
// account that has arrived never arrives again.
func (x Admin) move(ctx context.Context, from, to string) error {
	now, epoch, err := x.beforeMove(ctx, from, to)
	if err != nil {
		return err
	}
	if now.Stage == account.Gone {
		_, err := x.withdraw(ctx, now.ID, to)
		return err
	}
	id, err := x.claim(ctx, now.ID, from, to)
	if denied := deniedIn(err); denied != nil && now.Stage == account.Settled {
		// What is there may be this account, if somebody else has moved it meanwhile.
		then, _, failed := x.beforeMove(ctx, from, to)
		switch {
		case failed != nil:
			return failed
		case then.Stage != account.Settled:
			return x.move(ctx, from, to)
		}
	}
	if err != nil {
		return err
	}
	if err := x.depart(ctx, id, epoch, from, to); err != nil {
		return err
	}
	if err := x.arrive(ctx, id, from, to); err != nil {
		return err
	}
	return x.vacate(ctx, id, from)
}

// step is one write of a move. It works on records that refuse all else, and mends
// nothing by itself: depart and arrive mend the account that moves.
func (x Admin) step(ctx context.Context, op Operation, userID string, decide func(e *edit, a *account.Account, m account.Moment) error) error {
	e := &edit{guard: x.guard, op: op, user: userID, moves: true, asItIs: true}
	return e.run(ctx, func(a *account.Account, m account.Moment) error { return decide(e, a, m) })
}

// beforeMove returns how far the move has come by the record of the old id, and the
// epoch of the account there. An earlier move that brought the account there is finished
// first: its own old record must not hold the account any more when the account leaves.
func (x Admin) beforeMove(ctx context.Context, from, to string) (now account.Move, epoch account.Epoch, err error) {
	b, err := x.guard.load(ctx, from)
	if err != nil {
		return now, epoch, err
	}
	if !b.found {
		return now, epoch, deny(ReasonNotEnrolled)
	}
	if err := x.guard.open(ctx, from, b); err != nil {
		return now, epoch, err
	}
	a, err := b.account(account.Moment{})
	if err != nil {
		return now, epoch, err
	}
	now = a.Move()
	if now.Stage == account.Settled {
		return now, a.Epoch(), x.finishArrival(ctx, a)
	}
	return now, a.Epoch(), inTheWay(now, to)
}

// finishArrival empties the record that the account came from, if a Move was
// interrupted just before that.
func (x Admin) finishArrival(ctx context.Context, a *account.Account) error {
	if id, from := a.Arrival(); from != "" {
		return x.vacate(ctx, id, from)
	}
	return nil
}

// inTheWay returns an error if a record is part of another move than one to that
// user id.
func inTheWay(now account.Move, to string) error {
	if now.Stage == account.Claimed || now.Stage != account.Settled && now.Other != to {
		return movedError(now)
	}
	return nil
}

// claim makes the new id refuse everything, and returns the id of the move. The one
// it is given is zero if the old record does not say which move this is.
func (x Admin) claim(ctx context.Context, id account.MoveID, from, to string) (claim account.MoveID, err error) {
	var fresh account.MoveID
	if err := x.guard.draw(fresh[:]); err != nil {
		return claim, err
	}
	err = x.step(ctx, "", to, func(e *edit, a *account.Account, m account.Moment) error {
		claim = id
		now := a.Move()
		came, _ := a.Arrival()
		ours := now.Stage == account.Claimed && now.Other == from
		switch {
		case id != account.MoveID{} && came == id:
			return nil // the account is here
		case ours && (id == now.ID || id == account.MoveID{}):
			claim = now.ID
			return nil
		case ours, now.Stage == account.Gone, !e.base.found:
			if id == (account.MoveID{}) {
				claim = fresh
			}
			a.Claim(m, claim, from)
			return nil
		}
		return deny(ReasonUserIDTaken)
	})
	return claim, err
}

// depart closes the record of the old id, if the account there is the one that was found
// at first. Another may have come there meanwhile, or the same one may have moved and come
// back. The new id then takes it for one that has arrived, and it would be emptied here.
func (x Admin) depart(ctx context.Context, id account.MoveID, found account.Epoch, from, to string) error {
	return x.step(ctx, "", from, func(e *edit, a *account.Account, m account.Moment) error {
		now := a.Move()
		if err := inTheWay(now, to); err != nil {
			return err
		}
		switch {
		case !e.base.found:
			return deny(ReasonNotEnrolled) // erased meanwhile
		case now.Stage == account.Settled && a.Epoch() != found:
			return ErrBusy
		case now.Stage == account.Settled:
			x.guard.mend(a, m)
			a.Depart(m, id, to)
		case now.ID != id:
			return ErrBusy // somebody else moves it the same way
		}
		return nil
	})
}

// arrive puts the account in the place of the claim. The caller can't cancel it:
// nobody can sign in before.
func (x Admin) arrive(ctx context.Context, id account.MoveID, from, to string) error {
	ctx, cancel := settle(ctx)
	defer cancel()
	return x.step(ctx, opMove, to, func(_ *edit, a *account.Account, m account.Moment) error {
		if came, _ := a.Arrival(); came == id {
			return nil
		}
		if now := a.Move(); now.Stage != account.Claimed || now.ID != id {
			return ErrBusy // erased, or claimed anew
		}
		b, err := x.guard.load(ctx, from)
		if err != nil {
			return err
		}
		if err := x.guard.open(ctx, from, b); err != nil {
			return err
		}
		held, err := b.account(m)
		if err != nil {
			return err
		}
		switch now := held.Move(); {
		case now.Stage == account.Gone && now.ID == id:
			a.Withdraw(m) // it had arrived, and was erased here before the claim
			return nil
		case now.Stage != account.Leaving || now.ID != id:
			return ErrBusy
		}
		x.guard.mend(held, m)
		return a.Arrive(m, held, x.by)
	})
}

// withdraw takes back a claim for which no account comes, because it is erased. It reports
// whether the account has arrived instead.
func (x Admin) withdraw(ctx context.Context, id account.MoveID, to string) (arrived bool, err error) {
	err = x.step(ctx, "", to, func(_ *edit, a *account.Account, m account.Moment) error {
		came, _ := a.Arrival()
		arrived = came == id
		if now := a.Move(); now.Stage == account.Claimed && now.ID == id {
			a.Withdraw(m)
		}
		return nil
	})
	return arrived, err
}

// unclaim takes back a claim for which no account comes, because the old record is not
// there any more.
func (x Admin) unclaim(ctx context.Context, from, to string) error {
	return x.step(ctx, "", to, func(_ *edit, a *account.Account, m account.Moment) error {
		if now := a.Move(); now.Stage != account.Claimed || now.Other != from {
			return nil
		}
		b, err := x.guard.load(ctx, from)
		if err == nil && !b.found {
			a.Withdraw(m)
		}
		return err
	})
}

// vacate empties the old record, once the account has arrived. The caller can't
// cancel it.
func (x Admin) vacate(ctx context.Context, id account.MoveID, from string) error {
	ctx, cancel := settle(ctx)
	defer cancel()
	return x.step(ctx, "", from, func(_ *edit, a *account.Account, m account.Moment) error {
		if now := a.Move(); now.Stage == account.Leaving && now.ID == id {
			a.Vacate(m)
		}
		return nil
	})
}
