// Package gate admits slow key derivations: few at a time over all accounts,
// and one account after itself.
package gate

import (
	"context"
	"sync"
)

// A Gate has a number of slots, each of which stands for the memory and the
// processor of one derivation. It is safe for concurrent use.
type Gate struct {
	slots chan struct{} // holds a token for each slot in use
	bulk  chan struct{} // the same for bulk work, which gets at most half

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
// ends it with done, once. It returns the context's error if that ends first.
func (g *Gate) Turn(ctx context.Context, account string) (done func(), err error) {
	g.mu.Lock()
	t := g.turns[account]
	if t == nil {
		t = &turn{busy: make(chan struct{}, 1)}
		g.turns[account] = t
	}
	t.refs++
	g.mu.Unlock()

	leave := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if t.refs--; t.refs == 0 {
			delete(g.turns, account)
		}
	}
	if err := acquire(ctx, t.busy); err != nil {
		leave()
		return nil, err
	}
	return func() { <-t.busy; leave() }, nil
}

// Slot waits for a slot. The caller gives it back with done, once. It returns
// the context's error if that ends first.
func (g *Gate) Slot(ctx context.Context) (done func(), err error) {
	if err := acquire(ctx, g.slots); err != nil {
		return nil, err
	}
	return func() { <-g.slots }, nil
}

// BulkSlot waits for a slot for many derivations in a row. At most half of the
// slots go to such work, so that single ones are not kept waiting behind it.
func (g *Gate) BulkSlot(ctx context.Context) (done func(), err error) {
	if err := acquire(ctx, g.bulk); err != nil {
		return nil, err
	}
	free, err := g.Slot(ctx)
	if err != nil {
		<-g.bulk
		return nil, err
	}
	return func() { free(); <-g.bulk }, nil
}

// acquire puts a token into the channel. A context that has ended gets none,
// even where there is room.
func acquire(ctx context.Context, tokens chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case tokens <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
