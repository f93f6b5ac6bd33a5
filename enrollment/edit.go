package enrollment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

const (
	// maxConflicts is how often a decision is taken again because somebody
	// else has written meanwhile.
	maxConflicts = 32

	// maxAdmissions is how often an edit waits for a slot: once to derive the
	// code that was guessed, once to make codes, and a few times more should
	// the account's set be replaced meanwhile.
	maxAdmissions = 5

	// settleTimeout is how long the store may take for a step of an edit that
	// the caller can't cancel any more.
	settleTimeout = 10 * time.Second
)

// An edit is one operation on one account: load, decide, save, and only then
// answer.
type edit struct {
	guard *Guard
	op    string // for the log and for counting; "" for none
	user  string
	via   account.Factor // for the log: what is given where there is no guess

	looked   bool // whether run has come to look at the account
	returned bool // whether run has returned, and not panicked with the store

	// asItIs says that the account is not to be mended when it is loaded: by a
	// tool whose clock and configuration nobody should have to trust.
	asItIs bool

	// guess is the code that decide evaluates, or nil.
	guess *guess

	// decide takes the decision. What it changed in the account is stored
	// whether it returns nil or a refusal. It can be called several times, each
	// time with an account as it was loaded, and must leave nothing behind
	// from the time before. What has to be sealed for the caller is sealed
	// here, so that nothing can fail after the write.
	decide func(ctx context.Context, a *account.Account, m account.Moment) error

	// loaded is the record that decide has before it, as the store returned it;
	// the zero Record if there is none.
	loaded store.Record

	// told and taken are how many events were handed to Config.Notify when the
	// edit was over, and how many of them it took.
	told, taken int

	// given are recovery codes that decide has found to be shown already; a set
	// is made of them, and otherwise of fresh ones.
	given recovery.Codes

	prepared account.Prepared // what decide has needed so far
	codes    recovery.Codes   // the set of them, in clear
	counted  bool             // whether the account has counted the set that is to be made

	admissions int
	slot       func()   // gives the slot back; nil while there is none
	hasTurn    bool     // of the account, at the gate
	cleanup    []func() // what to do when the edit is over, last first
}

// An attempt is a decision on its way into the store.
type attempt struct {
	account *account.Account
	events  []account.Undelivered // to be delivered once it is stored
	record  store.Record
	verdict error
	err     error // what Save returned
}

// run carries the edit out, and returns what decide returned once that is
// stored. It returns any other error if nothing was decided, or if it can't
// know whether the decision was stored.
//
// The caller can cancel while run loads or waits. From a decision on, the
// caller's cancellation is ignored until the decision is stored: who hangs up
// has guessed all the same.
func (e *edit) run(caller context.Context) error {
	if err := validUser(e.user); err != nil {
		return err
	}
	e.looked = true
	err := e.carryOut(caller)
	e.returned = true
	return err
}

func (e *edit) carryOut(caller context.Context) error {
	defer e.end()

	ctx := caller
	var last *attempt
reload:
	for conflicts := 0; ; {
		worked := false
		m, err := e.guard.moment()
		if err != nil {
			return err
		}
		rec, a, err := e.guard.load(ctx, e.user, m)
		if err == nil && !e.asItIs {
			e.guard.mend(a, m)
		}
		if last != nil {
			// Save did not acknowledge. If its very bytes are there, the reply
			// was lost, or the driver had tried twice, and they are ours.
			if err == nil && rec.Version == last.record.Version && bytes.Equal(rec.Data, last.record.Data) {
				return e.finish(ctx, last)
			}
			if !errors.Is(last.err, store.ErrConflict) {
				return fmt.Errorf("enrollment: saving the account: %w", last.err)
			}
			if conflicts++; conflicts > maxConflicts {
				return ErrBusy
			}
			last = nil
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}

		ctx = e.settle(caller)
		e.loaded = rec
		m.Prepared = e.prepared
		verdict := e.decide(ctx, a, m)
		for {
			work := e.guess.work(e.guard, a.Need(), &e.prepared)
			if work == nil {
				break
			}
			if work.slow && e.slot == nil {
				// Wait, and then look again: the lock may have closed.
				ctx = caller
				slot := e.guard.gate.Slot
				if work.bulk {
					slot = e.guard.gate.BulkSlot
				}
				if err := e.admit(ctx, slot); err != nil {
					return err
				}
				continue reload
			}
			if err := work.do(); err != nil {
				return fmt.Errorf("enrollment: evaluating a recovery code: %w", err)
			}
			worked = true
			ctx = e.settle(caller) // the store's time has not begun yet
			m.Prepared = e.prepared
			verdict = e.decide(ctx, a, m)
		}
		if worked {
			e.giveBack()
		}
		switch {
		case a.Need().Kind == account.NeedSet:
			// Nothing is lost if the caller cancels: the code that was right
			// is not used up. Again, wait first and then look again.
			ctx = caller
			if err := e.makeCodes(ctx); err != nil {
				return err
			}
			continue
		case !decided(verdict):
			return outward(verdict)
		case !a.Changed():
			return outward(verdict)
		}

		last, err = e.save(ctx, a, m, rec.Version, verdict)
		if err != nil {
			return err
		}
		if last.err == nil {
			return e.finish(ctx, last)
		}
		ctx = e.settle(caller)
		pause(conflicts)
	}
}

// save seals the account and sends it to the store. It returns an error if
// nothing was sent.
func (e *edit) save(ctx context.Context, a *account.Account, m account.Moment, prev int64, verdict error) (*attempt, error) {
	var events []account.Undelivered
	if e.guard.config.Notify != nil && e.op != "" {
		var err error
		if events, err = a.Lease(m); err != nil {
			return nil, outward(err)
		}
	}
	rec, err := e.guard.seal(ctx, e.user, a, prev, m)
	if err != nil {
		return nil, err
	}
	return &attempt{
		account: a,
		events:  events,
		record:  rec,
		verdict: verdict,
		err:     e.guard.store.Save(ctx, rec, prev),
	}, nil
}

// finish answers after the decision was stored.
func (e *edit) finish(ctx context.Context, done *attempt) error {
	ctx = context.WithoutCancel(ctx)
	e.end() // the account's turn is over, Notify must not prolong it
	e.guard.logEvents(ctx, e.user, done.account.Recorded())
	e.told, e.taken = len(done.events), e.guard.deliver(ctx, e.user, done.events)
	return outward(done.verdict)
}

// decided reports whether err is an answer to the caller, nil included, and
// not a fault.
func decided(err error) bool {
	switch err.(type) {
	case nil, *account.Refusal, *Denied:
		return true
	}
	return false
}

// settle returns a context that the caller's cancellation does not reach.
func (e *edit) settle(caller context.Context) context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(caller), settleTimeout)
	e.cleanup = append(e.cleanup, cancel)
	return ctx
}

// admit waits until no other edit of the account is deriving, and for a slot
// to derive in. The account's turn lasts until the edit is over, so that the
// next one sees what this one has stored.
//
// It is where every derivation with Argon2id and every comparison with bcrypt
// comes past, and the Go runtime does not refuse those by itself.
func (e *edit) admit(ctx context.Context, slot func(context.Context) (func(), bool, error)) error {
	if fips.Enforced() {
		return fmt.Errorf("%w: the account's recovery codes are hashed with Argon2id, or with bcrypt by another system", ErrNotApproved)
	}
	if e.admissions++; e.admissions > maxAdmissions {
		return ErrBusy
	}
	if !e.hasTurn {
		done, _, err := e.guard.gate.Turn(ctx, e.user)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBusy, err)
		}
		e.hasTurn = true
		e.cleanup = append(e.cleanup, done)
	}
	done, _, err := slot(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	e.slot = done
	return nil
}

// makeCodes makes a set of recovery codes, or only waits until it may: with
// the scheme Argon2id it is slow, a derivation for each code.
func (e *edit) makeCodes(ctx context.Context) error {
	if e.prepared.Set != nil {
		return errors.New("enrollment: internal error: recovery codes asked for twice")
	}
	scheme := e.guard.config.RecoveryScheme
	if e.given.Len() > 0 {
		scheme = e.given.Scheme() // the configuration may have changed meanwhile
	}
	from, err := recovery.NewDerivation(e.guard.random, scheme)
	if err != nil {
		return fmt.Errorf("enrollment: making recovery codes: %w", err)
	}
	if from.Slow() {
		if e.slot == nil {
			return e.admit(ctx, e.guard.gate.BulkSlot)
		}
		if !e.counted {
			// The account pays before the work is done: who gives up meanwhile,
			// again and again, has soon used up the sets of the day.
			count := edit{guard: e.guard, user: e.user}
			count.decide = func(_ context.Context, a *account.Account, m account.Moment) error { return a.CountSet(m) }
			if err := count.run(ctx); err != nil {
				return err
			}
			e.counted = true
		}
	}
	defer e.giveBack()
	codes := e.given
	if codes.Len() == 0 {
		codes, err = recovery.Generate(e.guard.random, e.guard.config.RecoveryCodes, e.guard.config.RecoveryScheme)
		if err != nil {
			return fmt.Errorf("enrollment: making recovery codes: %w", err)
		}
	}
	set, err := from.DeriveAll(ctx, codes)
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("enrollment: making recovery codes: %w", err)
	}
	e.codes, e.prepared.Set = codes, &account.FreshSet{Set: set, Counted: e.counted}
	if e.guard.config.KeepCodes {
		e.prepared.Set.Codes = codes
	}
	return nil
}

func (e *edit) giveBack() {
	if e.slot != nil {
		e.slot()
		e.slot = nil
	}
}

// end gives back whatever the edit holds. It can be called twice.
func (e *edit) end() {
	e.giveBack()
	for len(e.cleanup) > 0 {
		last := len(e.cleanup) - 1
		e.cleanup[last]()
		e.cleanup = e.cleanup[:last]
	}
}

// pause lets those who write at the same time get out of step, unless it is
// the first time.
func pause(conflicts int) {
	if conflicts > 0 {
		time.Sleep(rand.N(time.Duration(conflicts) * time.Millisecond))
	}
}
