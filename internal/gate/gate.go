// Package gate admits slow key derivations: few at a time over all accounts, one
// account after itself, and those of whole sets of codes in a line of their own.
package gate

import (
	"context"
	"sync"
)

// A Gate has a number of slots, each of which stands for the memory and the
// processor of one derivation. It is safe for concurrent use.
type Gate struct {
	slots chan struct{} // holds a token for each slot in use
	bulk  chan struct{} // holds a token for each caller with leave for bulk work

	mu    sync.Mutex
	turns map[string]*turn
}

// turn serialises the callers of one account.
type turn struct {
	busy chan struct{} // holds a token while somebody has the turn
	refs int           // callers that hold or wait for it; guarded by Gate.mu
}

// New returns a gate with that many slots, at least one.
func New(slots int) *Gate {
	slots = max(1, slots)
	return &Gate{
		slots: make(chan struct{}, slots),
		bulk:  make(chan struct{}, max(1, slots/2)),
		turns: make(map[string]*turn),
	}
}

// Turn waits until no other caller has the turn of the account. The caller
// ends it with done, once. Waited reports whether somebody else had it: what the
// caller knew of the account may be out of date then. Turn returns the
// context's error if that ends first.
func (g *Gate) Turn(ctx context.Context, account string) (done func(), waited bool, err error) {
	t := g.enter(account)
	if waited, err = acquire(ctx, t.busy); err != nil {
		g.leave(account, t)
		return nil, waited, err
	}
	return g.end(account, t), waited, nil
}

// TryTurn is Turn for a caller who does not wait. It reports false if somebody
// else has the turn.
func (g *Gate) TryTurn(account string) (done func(), ok bool) {
	t := g.enter(account)
	if !try(t.busy) {
		g.leave(account, t)
		return nil, false
	}
	return g.end(account, t), true
}

func (g *Gate) enter(account string) *turn {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.turns[account]
	if t == nil {
		t = &turn{busy: make(chan struct{}, 1)}
		g.turns[account] = t
	}
	t.refs++
	return t
}

func (g *Gate) leave(account string, t *turn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.refs--; t.refs == 0 {
		delete(g.turns, account)
	}
}

func (g *Gate) end(account string, t *turn) func() {
	return func() { <-t.busy; g.leave(account, t) }
}

// Slot waits for a slot. The caller gives it back with done, once. Waited
// reports whether all slots were taken. Slot returns the context's error if
// that ends first.
func (g *Gate) Slot(ctx context.Context) (done func(), waited bool, err error) {
	if waited, err = acquire(ctx, g.slots); err != nil {
		return nil, waited, err
	}
	return func() { <-g.slots }, waited, nil
}

// Bulk waits for leave to make many derivations in a row. Half as many callers have it
// at a time as there are slots, so that single derivations are not kept waiting behind
// them. It is no slot: the caller takes one for the derivations, and can do other things
// before that. It gives the leave back with done, once. Waited and the error are those
// of Slot.
func (g *Gate) Bulk(ctx context.Context) (done func(), waited bool, err error) {
	if waited, err = acquire(ctx, g.bulk); err != nil {
		return nil, waited, err
	}
	return func() { <-g.bulk }, waited, nil
}

// acquire puts a token into the channel, and reports whether it had to wait for
// room. A context that has ended gets none, even where there is room.
func acquire(ctx context.Context, tokens chan struct{}) (waited bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if try(tokens) {
		return false, nil
	}
	select {
	case tokens <- struct{}{}:
		return true, nil
	case <-ctx.Done():
		return true, ctx.Err()
	}
}

// try puts a token into the channel if there is room. Nobody overtakes those
// who wait: while somebody does, there is none.
func try(tokens chan struct{}) bool {
	select {
	case tokens <- struct{}{}:
		return true
	default:
		return false
	}
}
