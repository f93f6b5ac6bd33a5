package enrollment

import (
	"bytes"
	"context"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

const (
	// maxConflicts is how often a decision is taken again because somebody
	// else has written meanwhile.
	maxConflicts = 32

	// settleTimeout is how long the store and the Sealer may take for a step of
	// an edit that the caller can't cancel any more.
	settleTimeout = 10 * time.Second
)

// An edit is one operation on one account: load, decide, prepare what the
// decision needs, commit, and only then answer.
type edit struct {
	guard *Guard
	op    Operation // for the log and for counting; "" for none
	user  string
	via   account.Factor // for the log: what is given where there is no guess
	guess *guess         // the code that is evaluated, or nil

	answers challenge // what the guess answers, which makes the code that replaces it

	mandate account.Mandate // what a setup completes that the proof begins

	matched account.Factor // what the guess was right as; NoFactor if it was not

	// reads says that the edit only reads, unless it finds something to write.
	reads bool

	// derives says that the edit derives the digest of a code, if the account's
	// codes are those that it is about.
	derives bool

	// asItIs says that the account is not mended when it is loaded, for tools whose
	// clock and configuration may differ from the application's.
	asItIs bool

	// moves says that the edit works on records that are part of a move, too. All
	// others are refused; see [Admin.Move].
	moves bool

	// from is what the first decision is taken on; nil if it has to be loaded.
	from *base

	// base is what the last decision was based on.
	base *base

	looked   bool // whether the edit has come to look at the account
	returned bool // whether it has returned, and not panicked with the store

	// told and taken are how many events were handed to Config.Notify when the
	// edit was over, and how many of them it took.
	told, taken int

	typed     time.Time        // when the edit first looked
	prepared  account.Prepared // what decisions have needed so far
	place     place            // in the queue for preparing more
	draw      account.Draw     // makes the codes of a new set; nil for fresh ones
	paid      bool             // whether a set of codes was counted, and so is finished
	conflicts int
}

// A decision decides on an account. What it changed is stored whether it returns
// nil or a refusal. It can be called several times, each time with an account as
// it was loaded and a moment of its own, and leaves nothing behind.
type decision func(a *account.Account, m account.Moment) error

// A sealing makes what the caller is handed if that has to be sealed: one token. It
// is called after the account itself was sealed, and before it is stored, because
// nothing may fail after the write.
type sealing[T any] func(ctx context.Context) (T, error)

// run carries the edit out, and returns what decide returned once that is
// stored. It returns any other error if nothing was decided, or if it can't
// know whether the decision was stored.
//
// The caller can cancel while run loads or waits. After a decision, the caller's
// cancellation is ignored until the decision is stored: hanging up does not undo a
// guess. It is also ignored once a set of codes was counted.
func (e *edit) run(ctx context.Context, decide decision) error {
	return e.carryOut(ctx, decide, func(context.Context) error { return nil })
}

// run is [edit.run] for a decision that has a result.
func run[T any](ctx context.Context, e *edit, decide func(a *account.Account, m account.Moment) (T, error)) (T, error) {
	var done, none T
	err := e.run(ctx, func(a *account.Account, m account.Moment) (err error) {
		done, err = decide(a, m)
		return err
	})
	if err != nil {
		return none, err
	}
	return done, nil
}

// issue is [edit.run] for a decision whose result has to be sealed. A refusal that is
// stored seals a token as well, which nobody gets. So a right code and a wrong one call
// the Sealer equally often, and at whichever call it fails, they get the same error.
func issue[T any](ctx context.Context, e *edit, decide func(a *account.Account, m account.Moment) (sealing[T], error)) (T, error) {
	var seal sealing[T]
	var refused bool
	var done, none T
	err := e.carryOut(ctx, func(a *account.Account, m account.Moment) (err error) {
		seal, err = decide(a, m)
		refused = err != nil
		return err
	}, func(ctx context.Context) (err error) {
		if refused {
			_, _, err = e.guard.sealSalted(ctx, labelReceipt, nil)
			return err
		}
		done, err = seal(ctx)
		return err
	})
	if err != nil {
		return none, err
	}
	return done, nil
}

func (e *edit) carryOut(caller context.Context, decide decision, seal func(context.Context) error) error {
	if err := validUser(e.user); err != nil {
		return err
	}
	e.looked = true
	err := e.untilStored(caller, decide, seal)
	e.returned = true
	if denied := deniedIn(err); denied != nil && !denied.RetryAt.IsZero() {
		denied.Wait = waitUntil(denied.RetryAt, e.guard.Now())
	}
	return err
}

// load loads and opens the account. A caller who can't give up any more does not wait without
// end.
func (e *edit) load(caller context.Context) (*base, error) {
	if e.paid {
		var cancel context.CancelFunc
		caller, cancel = settle(caller)
		defer cancel()
	}
	b, err := e.guard.load(caller, e.user)
	if err != nil {
		return nil, err
	}
	return b, e.open(caller, b)
}

// untilStored decides until a decision is stored, or until there is nothing to
// store.
func (e *edit) untilStored(caller context.Context, decide decision, seal func(context.Context) error) error {
	defer e.place.leave()
	e.enter()
	b := e.from
	for {
		m, err := e.moment(caller)
		if err != nil {
			return err
		}
		if b == nil {
			if b, err = e.load(caller); err != nil {
				return err
			}
		}
		if err := e.open(caller, b); err != nil {
			return err
		}
		t, err := e.try(b, m, decide)
		if err != nil {
			return err
		}
		need := t.account.Need()
		if need.Kind == account.NoNeed && !t.changes() {
			if t.verdict != nil {
				return outward(t.verdict)
			}
			return seal(caller)
		}
		if m.Late() {
			return errTooLong
		}
		if need.Kind != account.NoNeed {
			if b, err = e.prepare(caller, b, need); err != nil {
				return err
			}
			if e.paid {
				caller = context.WithoutCancel(caller)
			}
			continue
		}
		if err := caller.Err(); err != nil && e.reads && e.conflicts == 0 {
			return err
		}
		if e.guard.config.Notify != nil && e.op != "" {
			if t.events, err = t.account.Lease(m); err != nil {
				return outward(err)
			}
		}
		stored, now, err := e.commit(caller, &t, seal)
		if err != nil {
			return err
		}
		if stored {
			return e.finish(caller, &t, now)
		}
		b = now
	}
}

// moment returns the moment of the next decision. What was typed is judged as
// of the first one: a code that was right then is right after any wait.
func (e *edit) moment(ctx context.Context) (account.Moment, error) {
	m, err := e.guard.moment(ctx)
	if err != nil {
		return m, err
	}
	if e.typed.IsZero() {
		e.typed = m.Now
	}
	m.Typed, m.Prepared = e.typed, e.prepared
	return m, nil
}

// open is [Guard.open], unless b is open already. It returns an error if ctx has
// ended meanwhile: nobody waits for a decision then.
func (e *edit) open(ctx context.Context, b *base) error {
	if b.opened {
		return nil
	}
	sealed := b.record.Data
	if e.asItIs { // it is asked under which key they are sealed
		b.record.Data = bytes.Clone(sealed)
	}
	err := e.guard.open(ctx, e.user, b)
	b.record.Data = sealed
	if err == nil && !e.reads {
		err = ctx.Err()
	}
	return err
}

// try decides on an account of its own.
func (e *edit) try(b *base, m account.Moment, decide decision) (try, error) {
	a, err := b.account(m)
	if err != nil {
		return try{}, err
	}
	if !e.moves {
		if err := movedError(a.Move()); err != nil {
			return try{}, err
		}
	}
	if !e.asItIs {
		e.guard.mend(a, m)
	}
	e.base = b
	t := try{base: b, account: a, moment: m, verdict: decide(a, m)}
	e.matched = a.Matched()
	return t, nil
}
