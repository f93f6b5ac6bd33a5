package interleave

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A fault is what happens at a call of the store.
type fault string

const (
	fine       fault = "fine"
	fails      fault = "fails"           // nothing is done, and the process is told so
	losesReply fault = "loses its reply" // it is done, and the process is told of an error
	late       fault = "comes late"      // the process is told of an error, and it is done some time afterwards
	refused    fault = "is refused"      // nothing is done, and the process is told of a conflict
	diesBefore fault = "dies before"     // the process is no more, nothing is done
	diesAfter  fault = "dies after"      // it is done, and the process is no more
)

// idle reports whether nothing is done to the store, or not yet.
func (f fault) idle() bool { return f == fails || f == late || f == refused || f == diesBefore }

// faultsAt are the faults that differ at such a call.
func faultsAt(c call) []fault {
	switch {
	case c.op == proving.Save:
		return []fault{fails, losesReply, late, refused, diesBefore, diesAfter}
	case c.writes():
		return []fault{fails, losesReply, late, diesBefore, diesAfter}
	}
	return []fault{fails, diesBefore}
}

var (
	errFault = errors.New("interleave: the store fails")
	errDead  = errors.New("interleave: the process is no more")
)

// A node is a Guard and the store behind it, and whom it is about.
type node struct {
	*enrollment.Guard
	store proving.Full
	user  string
}

// A call is a call of the store that a process is about to make.
type call struct {
	op   proving.Op
	user string // "" for a list of all
}

// writes reports whether the call changes what is stored.
func (c call) writes() bool { return c.op == proving.Save || c.op == proving.Erase }

// apart reports whether two calls of different processes come out the same in either
// order.
func (c call) apart(from call) bool {
	switch {
	case !c.writes() && !from.writes():
		return true
	case c.op == proving.List || from.op == proving.List:
		return false
	}
	return c.user != from.user
}

// A process runs one operation with a Guard of its own, over a store that makes no
// call until it is told to.
type process struct {
	behind proving.Full
	shows  func(store.Record) string // all of a record, in place of its Data what that holds
	keys   *proving.Keys             // what it draws is the same in every schedule
	guard  *enrollment.Guard

	waits chan call // what the process is about to call; closed when it has ended
	goOn  chan fault
	dead  bool
	late  *lateWrite // a write that is on its way; nil otherwise
	knows []byte     // what the store has answered; at its end, only what its caller was told
}

// A lateWrite is on its way to the store. Its caller has given up.
type lateWrite struct {
	do func() error

	saves store.Record // unless it erases
	prev  int64
}

// start runs f up to its first call of the store.
func (p *process) start(f func(n node)) {
	p.waits, p.goOn, p.dead, p.late = make(chan call), make(chan fault), false, nil
	go func() {
		defer close(p.waits)
		f(node{p.guard, p, states.User})
	}()
}

// call makes a call once it is told to.
func (p *process) call(ctx context.Context, op proving.Op, user string, do func(context.Context) error) error {
	if p.dead {
		return errDead
	}
	p.waits <- call{op, user}
	switch f := <-p.goOn; f {
	case fails:
		return errFault
	case refused:
		return store.ErrConflict
	case diesBefore:
		p.dead = true
		return errDead
	case late:
		p.late = &lateWrite{do: func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Hour)
			defer cancel()
			return do(ctx)
		}}
		return errFault
	case diesAfter:
		_ = do(ctx)
		p.dead = true
		return errDead
	case losesReply:
		if err := do(ctx); err != nil {
			return err
		}
		return errFault
	}
	return do(ctx)
}

// hears adds an answer of the store to what the process knows.
func (p *process) hears(op proving.Op, answer ...any) {
	p.knows = fmt.Appendln(append(p.knows, op...), answer...)
}

// Load is [store.Store].Load, when it is told to.
func (p *process) Load(ctx context.Context, user string) (r store.Record, err error) {
	err = p.call(ctx, proving.Load, user, func(ctx context.Context) error { r, err = p.behind.Load(ctx, user); return err })
	p.hears(proving.Load, user, p.shows(r), err)
	return r, err
}

// Save is [store.Store].Save, when it is told to.
func (p *process) Save(ctx context.Context, r store.Record, prev int64) error {
	err := p.call(ctx, proving.Save, r.UserID, func(ctx context.Context) error { return p.behind.Save(ctx, r, prev) })
	if errors.Is(err, errFault) && p.late != nil {
		p.late.saves, p.late.prev = r, prev
	}
	p.hears(proving.Save, r.UserID, err)
	return err
}

// List is [store.Lister].List, when it is told to.
func (p *process) List(ctx context.Context, q store.Query) (page store.Page, err error) {
	err = p.call(ctx, proving.List, "", func(ctx context.Context) error { page, err = p.behind.List(ctx, q); return err })
	for _, r := range page.Records {
		p.hears(proving.List, p.shows(r))
	}
	p.hears(proving.List, page.Next, err)
	return page, err
}

// Erase is [store.Eraser].Erase, when it is told to.
func (p *process) Erase(ctx context.Context, user string) error {
	err := p.call(ctx, proving.Erase, user, func(ctx context.Context) error { return p.behind.Erase(ctx, user) })
	p.hears(proving.Erase, user, err)
	return err
}
