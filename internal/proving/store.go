package proving

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// An Op is a kind of call of a store.
type Op string

// The calls of a store.
const (
	Load  Op = "load"
	Save  Op = "save"
	List  Op = "list"
	Erase Op = "erase"
)

// A Call is one call of a store. A bend changes it as it likes.
type Call struct {
	Op Op

	// Number says which call it is since the store was made or reset, from 1,
	// over all kinds of calls.
	Number int

	// What the store is asked: the user of Load and Erase, what Save is given,
	// the query of List.
	User  string
	Prev  int64
	Query store.Query

	// Record is what Save is given, and what Load has returned.
	Record store.Record

	// What List has returned, and the error of every call. Before the call, an
	// error replaces it.
	Page store.Page
	Err  error

	// Answered says, before the call, that Record, Page and Err are what it
	// returns, without asking the store behind.
	Answered bool
}

// A Bend watches calls, and changes what it wants to. It may call the store, and
// bend it differently.
type Bend func(ctx context.Context, c *Call)

// Fails bends a call into one that returns err and does nothing.
func Fails(err error) Bend { return func(_ context.Context, c *Call) { c.Err = err } }

// A Store bends what goes to the store behind it and what comes back. It is safe
// for concurrent use.
type Store struct {
	// Straight is the store behind, which nothing bends.
	Straight Full

	mu     sync.Mutex
	calls  map[Op]int
	bends  map[side]Bend
	once   []*once
	gather *gathering
}

// Full is a store that can do everything. All stores that proofs are run over
// can.
type Full interface {
	store.Store
	store.Lister
	store.Eraser
}

type side struct {
	op    Op
	after bool
}

// A once is a bend of the call that is left calls away.
type once struct {
	side
	left int
	bend Bend
}

// NewStore returns a store that bends nothing yet.
func NewStore(behind Full) *Store {
	return &Store{Straight: behind, calls: make(map[Op]int), bends: make(map[side]Bend)}
}

// Before has each call of the kind bent by b before it is made, in place of an
// earlier such bend. With nil none is.
func (s *Store) Before(op Op, b Bend) { s.set(side{op, false}, b) }

// After has what each call of the kind returned bent by b.
func (s *Store) After(op Op, b Bend) { s.set(side{op, true}, b) }

func (s *Store) set(at side, b Bend) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bends[at] = b
}

// Nth has the nth call of the kind from now on, and no other, bent by b before
// it is made, after what Before bends.
func (s *Store) Nth(op Op, n int, b Bend) { s.add(&once{side{op, false}, n, b}) }

// NthAfter has what the nth call of the kind returned, and no other, bent by b.
func (s *Store) NthAfter(op Op, n int, b Bend) { s.add(&once{side{op, true}, n, b}) }

func (s *Store) add(o *once) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.once = append(s.once, o)
}

// Fail lets every call of the kind fail.
func (s *Store) Fail(op Op, err error) { s.Before(op, Fails(err)) }

// ErrLost is what a call returns whose reply is lost.
var ErrLost = errors.New("proving: the connection is gone")

// LoseReply lets the next call of the kind do what it was asked, and return
// [ErrLost].
func (s *Store) LoseReply(op Op) {
	s.NthAfter(op, 1, func(_ context.Context, c *Call) {
		if c.Err == nil {
			c.Err = ErrLost
		}
	})
}

// Stall holds the next call of the kind up. The channel is closed when it has
// come. It goes on once release is called, or fails when its context ends.
func (s *Store) Stall(op Op) (entered <-chan struct{}, release func()) {
	in, out := make(chan struct{}), make(chan struct{})
	s.Nth(op, 1, func(ctx context.Context, c *Call) {
		close(in)
		select {
		case <-out:
		case <-ctx.Done():
			c.Err = ctx.Err()
		}
	})
	return in, func() { close(out) }
}

type gathering struct {
	left int
	all  chan struct{}
}

// Gather holds the next n Loads until all of them have loaded, so that what
// follows races.
func (s *Store) Gather(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gather = &gathering{n, make(chan struct{})}
}

// Calls returns how many calls of these kinds there were, of all kinds without
// an argument, since the store was made or reset.
func (s *Store) Calls(ops ...Op) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for op, calls := range s.calls {
		if len(ops) == 0 || slices.Contains(ops, op) {
			n += calls
		}
	}
	return n
}

// Reset counts from 0 again.
func (s *Store) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
}

// Straighten ends every bend.
func (s *Store) Straighten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.bends)
	s.once, s.gather = nil, nil
}

// enter counts a call, and returns what bends it on either side.
func (s *Store) enter(c *Call) (before, after []Bend, gather *gathering) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[c.Op]++
	for _, n := range s.calls {
		c.Number += n
	}
	if b := s.bends[side{c.Op, false}]; b != nil {
		before = append(before, b)
	}
	if b := s.bends[side{c.Op, true}]; b != nil {
		after = append(after, b)
	}
	s.once = slices.DeleteFunc(s.once, func(o *once) bool {
		if o.op != c.Op {
			return false
		}
		if o.left--; o.left > 0 {
			return false
		}
		if o.after {
			after = append(after, o.bend)
		} else {
			before = append(before, o.bend)
		}
		return true
	})
	if c.Op == Load {
		gather = s.gather
	}
	return before, after, gather
}

func (s *Store) do(ctx context.Context, c *Call, ask func()) {
	before, after, gather := s.enter(c)
	for _, b := range before {
		b(ctx, c)
	}
	if !c.Answered && c.Err == nil {
		ask()
	}
	for _, b := range after {
		b(ctx, c)
	}
	if gather != nil {
		s.mu.Lock()
		if gather.left--; gather.left == 0 {
			close(gather.all)
		}
		s.mu.Unlock()
		<-gather.all
	}
}

// Load is [store.Store].Load, bent.
func (s *Store) Load(ctx context.Context, user string) (store.Record, error) {
	c := &Call{Op: Load, User: user}
	s.do(ctx, c, func() { c.Record, c.Err = s.Straight.Load(ctx, c.User) })
	return c.Record, c.Err
}

// Save is [store.Store].Save, bent.
func (s *Store) Save(ctx context.Context, r store.Record, prev int64) error {
	c := &Call{Op: Save, User: r.UserID, Record: r, Prev: prev}
	s.do(ctx, c, func() { c.Err = s.Straight.Save(ctx, c.Record, c.Prev) })
	return c.Err
}

// List is [store.Lister].List, bent.
func (s *Store) List(ctx context.Context, q store.Query) (store.Page, error) {
	c := &Call{Op: List, Query: q}
	s.do(ctx, c, func() { c.Page, c.Err = s.Straight.List(ctx, c.Query) })
	return c.Page, c.Err
}

// Erase is [store.Eraser].Erase, bent.
func (s *Store) Erase(ctx context.Context, user string) error {
	c := &Call{Op: Erase, User: user}
	s.do(ctx, c, func() { c.Err = s.Straight.Erase(ctx, c.User) })
	return c.Err
}
