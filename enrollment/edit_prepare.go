package enrollment

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// maxPrepares is how often an edit prepares something: to derive the code that
// was guessed and to make a set of codes, each perhaps after a second look, and
// a few times more should others change the account meanwhile.
const maxPrepares = 8

// errTooLong says that an edit has waited for longer than [account.MaxWait].
var errTooLong = fmt.Errorf("%w: it took too long", ErrBusy)

// A place is an edit's in the queue for slow work, which is bounded: one edit of
// an account at a time, so that the next one sees what this one has stored, and
// few over all accounts.
type place struct {
	turn     func() // ends the account's turn; nil while the edit does not have it
	bulk     func() // gives back the leave for many derivations; nil without it
	admitted bool   // whether there was a slot, since something was last prepared
	prepares int
}

// leave gives back everything. It can be called twice.
func (p *place) leave() {
	for _, end := range []*func(){&p.bulk, &p.turn} {
		if *end != nil {
			(*end)()
			*end = nil
		}
	}
}

// enter takes the account's turn, if it is free and what was typed looks slow to
// evaluate, or what was shown is derived again. Then nobody else evaluates such codes of
// the account from before it is loaded, and it need not be loaded again.
func (e *edit) enter() {
	if e.derives || e.guess != nil && e.guess.Factor == account.Recovery && e.guess.Scheme == recovery.Argon2id {
		e.place.turn, _ = e.guard.gate.TryTurn(e.user)
	}
}

// prepare does what the account needs, and returns what to decide on next: b, or
// nil if that has to be loaded again.
func (e *edit) prepare(caller context.Context, b *base, need account.Need) (*base, error) {
	if e.place.prepares++; e.place.prepares > maxPrepares {
		return nil, ErrBusy
	}
	t, err := e.taskFor(need)
	if err != nil {
		return nil, err
	}
	if !t.slow {
		return b, t.do(caller)
	}
	ctx, cancel := e.bounded(caller)
	defer cancel()
	b, err = e.prepareSlowly(ctx, b, t, need.Kind)
	if errors.Is(err, ErrBusy) && ctx.Err() != nil && caller.Err() == nil {
		err = errTooLong
	}
	return b, err
}

// bounded returns a context that ends when the edit has taken too long.
func (e *edit) bounded(caller context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(caller, account.MaxWait-max(0, e.guard.Now().Sub(e.typed)))
}

// prepareSlowly is prepare for what takes a slot. A set that is paid for is made
// whether the caller waits for it or not: a user who presses the button again has
// one set then, and not one for every time.
func (e *edit) prepareSlowly(ctx context.Context, b *base, t task, kind account.NeedKind) (*base, error) {
	if again, err := e.queue(ctx, t, kind); err != nil || again {
		return nil, err
	}
	if kind == account.NeedSet {
		paid, now, err := e.pay(ctx, b)
		if err != nil || !paid {
			return now, err
		}
		b, e.paid = now, true
		var cancel context.CancelFunc
		ctx, cancel = e.bounded(context.WithoutCancel(ctx))
		defer cancel()
	}
	return b, e.inSlot(ctx, t)
}

// A task is what an account needs done.
type task struct {
	slow bool // takes a slot
	bulk bool // for many slow things in a row
	do   func(ctx context.Context) error
}

func (e *edit) taskFor(need account.Need) (task, error) {
	switch need.Kind {
	case account.NeedDigest:
		return task{slow: need.From.Slow(), do: func(context.Context) error { return e.derive(need) }}, nil
	case account.NeedImported:
		slow := false
		for _, c := range need.Imported {
			slow = slow || c.Scheme == account.ImportedBcrypt
		}
		return task{slow: slow, bulk: slow, do: func(context.Context) error {
			e.tryImported(need.Imported)
			return nil
		}}, nil
	case account.NeedSet:
		return e.makeSet(need.Shown)
	}
	return task{}, errors.New("enrollment: internal error: an unknown need")
}

// queue waits for the account's turn and, if there are many derivations, for leave to
// make them. Both last until the edit is over. A set is paid for only when its turn has
// come, so a caller who waits in vain pays nothing. Then queue waits until there
// is a slot. It reports whether the account has to be looked at
// again before anything slow is done for it, since the lock may have closed:
// after any wait, and where somebody else may have had the turn since it was
// loaded. A set needs no look for the latter, as it is paid for first.
//
// It is where every derivation with Argon2id and every comparison with bcrypt
// comes past, and the Go runtime does not refuse those by itself.
func (e *edit) queue(caller context.Context, t task, kind account.NeedKind) (again bool, err error) {
	if fips.Enforced() {
		return false, fmt.Errorf("%w: the account's recovery codes are hashed with Argon2id, or with bcrypt by another system", ErrNotApproved)
	}
	if e.place.turn == nil {
		done, waited, err := e.guard.gate.Turn(caller, e.user)
		if err != nil {
			return false, fmt.Errorf("%w: %w", ErrBusy, err)
		}
		e.place.turn = done
		again = waited || kind != account.NeedSet
	}
	if t.bulk && e.place.bulk == nil {
		done, waited, err := e.guard.gate.Bulk(caller)
		if err != nil {
			return false, fmt.Errorf("%w: %w", ErrBusy, err)
		}
		e.place.bulk = done
		again = again || waited
	}
	if !e.place.admitted {
		done, waited, err := e.slot(caller)
		if err != nil {
			return false, err
		}
		done() // it is not held while the account is looked at, or a set paid for
		e.place.admitted = true
		again = again || waited
	}
	return again, nil
}

// slot waits for a slot, which the caller gives back by calling done.
func (e *edit) slot(caller context.Context) (done func(), waited bool, err error) {
	done, waited, err = e.guard.gate.Slot(caller)
	if err != nil {
		return nil, waited, fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return done, waited, nil
}

// inSlot does slow work, and nothing else, in a slot.
func (e *edit) inSlot(caller context.Context, t task) error {
	done, _, err := e.slot(caller)
	if err != nil {
		return err
	}
	defer done()
	e.place.admitted = false
	return t.do(caller)
}

// pay counts a set before it is made, so that a caller who gives up does not get
// the work for free. It returns what commit returns.
func (e *edit) pay(caller context.Context, b *base) (paid bool, now *base, err error) {
	m, err := e.moment(caller)
	if err != nil {
		return false, nil, err
	}
	t, err := e.try(b, m, func(a *account.Account, m account.Moment) error { return a.CountSet(m) })
	if err != nil {
		return false, nil, err
	}
	if t.verdict != nil {
		return false, nil, outward(t.verdict)
	}
	return e.commit(caller, &t, func(context.Context) error { return nil })
}

// makeSet is the task of making a set of recovery codes. With the scheme Argon2id
// it takes a derivation for each.
func (e *edit) makeSet(shown recovery.Codes) (task, error) {
	config, codes, draw := e.guard.config, shown, e.draw
	if draw == nil {
		draw = e.guard.freshCodes
	}
	if codes.Len() == 0 {
		var err error
		if codes, err = draw(config.RecoveryCodes, config.RecoveryScheme); err != nil {
			return task{}, err
		}
	}
	from, err := recovery.NewDerivation(e.guard.random, codes.Scheme()) // the configuration may differ from what was shown
	if err != nil {
		return task{}, fmt.Errorf("enrollment: making recovery codes: %w", err)
	}
	return task{slow: from.Slow(), bulk: true, do: func(ctx context.Context) error {
		set, err := from.DeriveAll(ctx, codes)
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
		}
		if err != nil {
			return fmt.Errorf("enrollment: making recovery codes: %w", err)
		}
		e.prepared.Set = &account.FreshSet{Set: set, Codes: codes, Keep: config.KeepCodes, Counted: from.Slow()}
		return nil
	}}, nil
}

// derive computes the digest that the account's codes are compared with, and
// makes the code that replaces the right one, if it is to be replaced.
func (e *edit) derive(need account.Need) error {
	code := need.Code
	if code.IsZero() {
		code = e.guess.code
	}
	digest, err := need.From.Derive(code)
	if err != nil {
		return fmt.Errorf("enrollment: evaluating a recovery code: %w", err)
	}
	e.prepared.Digest = &account.Derived{From: need.From, Digest: digest}
	if !need.Replaces(digest) {
		return nil
	}
	spare, err := e.guard.newCode(e.answers, code, need.From.Scheme())
	if err == nil {
		digest, err = need.From.Derive(spare)
	}
	if err != nil {
		return fmt.Errorf("enrollment: evaluating a recovery code: %w", err)
	}
	e.prepared.Digest.Spare = &account.FreshCode{Code: spare, Digest: digest}
	return nil
}

// tryImported compares the text with codes that another system has hashed. It
// tries all of them, used ones as well, so the time it takes does not tell which
// one matched. Codes hashed with SHA-256 are also found in capitals or in small
// letters; with bcrypt that would cost three times as much.
func (e *edit) tryImported(codes []account.ImportedCode) {
	text := e.guess.text
	var sums [][32]byte
	for _, text := range []string{text, strings.ToLower(text), strings.ToUpper(text)} {
		sums = append(sums, sha256.Sum256([]byte(text)))
	}
	e.prepared.Imported = &account.ImportedTry{List: account.ImportedList(codes), Match: -1}
	for i, c := range codes {
		same := false
		switch c.Scheme {
		case account.ImportedSHA256:
			for _, sum := range sums {
				same = subtle.ConstantTimeCompare(sum[:], c.Hash) == 1 || same
			}
		case account.ImportedBcrypt:
			same = e.guard.bcrypt(c.Hash, []byte(text)) == nil
		}
		if same {
			e.prepared.Imported.Match = i
		}
	}
}
