package faults

import (
	"bytes"
	"context"
	"errors"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// The ways in which a store fails.

// A mode is a way for one call of the store to fail. What is bent before the call
// can replace it; what is bent after it has happened.
type mode struct {
	name   string
	on     proving.Op
	before func(ctx context.Context, r *rig, c *proving.Call)
	after  func(ctx context.Context, r *rig, c *proving.Call)

	sticky  bool // every later call of the kind fails alike
	legal   legal
	isError error // what the error has to match
}

// legal is what the outcome may be if the fault came before the decision was
// stored. Once it is stored, nothing may change the answer.
type legal int

const (
	legalSame      legal = iota // the same as without the fault
	legalNothing                // an error, and nothing has happened
	legalUnknown                // an error, and all or nothing has happened
	legalDenied                 // nothing, or the same, or a denial
	legalRival                  // somebody else may have had it
	legalOvertaken              // unknown if somebody else has written, the same if not
)

var errFault = errors.New("fault: something is broken")

// bend lets the rig's store fail as its mode says, and keeps account of what is
// stored.
func (r *rig) bend() {
	var bent *proving.Call
	for _, op := range []proving.Op{proving.Load, proving.Save} {
		r.Store.Before(op, func(ctx context.Context, c *proving.Call) {
			if c.User != states.User || !r.due(c) {
				return
			}
			bent = c
			if r.mode.before != nil {
				r.mode.before(ctx, r, c)
			}
		})
		r.Store.After(op, func(ctx context.Context, c *proving.Call) {
			if op == proving.Save && c.Err == nil && c.User == states.User {
				r.landed++
			}
			if bent == c && r.mode.after != nil {
				r.mode.after(ctx, r, c)
			}
		})
	}
}

// due reports whether this call is one that fails.
func (r *rig) due(c *proving.Call) bool {
	if r.mode == nil || r.mode.on != c.Op || c.Number < r.at || c.Number > r.at && !r.mode.sticky {
		return false
	}
	r.strike()
	return true
}

// strike notes that the fault has come.
func (r *rig) strike() {
	if !r.hit {
		r.hit, r.late = true, r.landed > 0
	}
}

// hang waits until the context ends, which it has to.
func (r *rig) hang(ctx context.Context) error {
	if ctx.Done() == nil {
		r.t.Errorf("%s: the call has no deadline and would hang for ever", r.where)
		return errFault
	}
	<-ctx.Done()
	return ctx.Err()
}

// record is what is stored; the zero Record if there is nothing.
func (r *rig) record() store.Record {
	rec, err := r.Store.Straight.Load(context.Background(), states.User)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		r.t.Fatal(err)
	}
	return rec
}

// somebodyElse changes the account in a way that leaves the outcome as it is.
func (r *rig) somebodyElse() {
	before := r.record().Version
	ctx := context.Background()
	var err error
	switch {
	case r.Enrolled():
		_, err = r.healthy.Verify(ctx, states.User, "else", r.Wrong())
	case !r.Token.IsZero():
		_, err = r.healthy.Confirm(ctx, states.User, r.Token, r.Wrong())
	default:
		_, err = r.healthy.Begin(ctx, states.User, enrollment.BeginOptions{Account: "else", Ticket: r.Ticket, Proof: enrollment.ByReauth("password")})
	}
	if proving.ReasonOf(err) == proving.Fault {
		r.t.Fatal(err)
	}
	if r.record().Version != before {
		r.foreign++
		r.base = r.record()
	}
}

// theSame lets somebody else do the same first.
func (r *rig) theSame() {
	_, err := r.op.run(context.Background(), r.State, r.healthy)
	if proving.ReasonOf(err) == proving.Fault {
		r.t.Fatalf("the rival: %v", err)
	}
	r.rivalOK = err == nil
}

const hangsUpAfterLoad = "the caller hangs up after Load"

func modes() []mode {
	type (
		R = *rig
		C = context.Context
		K = *proving.Call
	)
	before := func(name string, on proving.Op, legal legal, do func(C, R, K)) mode {
		return mode{name: name, on: on, legal: legal, before: do}
	}
	after := func(name string, on proving.Op, legal legal, do func(C, R, K)) mode {
		return mode{name: name, on: on, legal: legal, after: do}
	}
	fails := func(err error) func(C, R, K) { return func(_ C, _ R, c K) { c.Err = err } }
	hangs := func(ctx C, r R, c K) { c.Err = r.hang(ctx) }
	// done bends the reply of what has been done.
	done := func(do func(C, R, K)) func(C, R, K) {
		return func(ctx C, r R, c K) {
			if c.Err == nil {
				do(ctx, r, c)
			}
		}
	}
	hangsUp := func(_ C, r R, _ K) { r.cancel() }
	sticky := func(m mode) mode {
		m.name, m.sticky = m.name+", from then on", true
		return m
	}
	as := func(m mode, err error) mode {
		m.isError = err
		return m
	}
	// edited returns the record after a change that no store should make.
	edited := func(name string, edit func(r R, rec *store.Record)) mode {
		return as(after("Load returns "+name, proving.Load, legalNothing, done(func(_ C, r R, c K) { edit(r, &c.Record) })), enrollment.ErrCorrupt)
	}

	loadError := as(before("Load fails", proving.Load, legalNothing, fails(errFault)), errFault)
	loadConflict := before("Load says conflict", proving.Load, legalNothing, fails(store.ErrConflict))
	saveError := as(before("Save fails", proving.Save, legalNothing, fails(errFault)), errFault)
	saveConflict := before("Save says conflict", proving.Save, legalSame, fails(store.ErrConflict))
	saveLost := after("Save's reply is lost", proving.Save, legalSame, done(fails(errFault)))
	saveTwice := after("Save was tried twice by the driver", proving.Save, legalSame, done(fails(store.ErrConflict)))
	down := func(err error) func(C, R, K) {
		return func(_ C, r R, c K) {
			r.mode = &mode{on: proving.Load, sticky: true, before: loadError.before}
			c.Err = err
		}
	}

	return []mode{
		loadError, sticky(loadError), loadConflict, sticky(loadConflict),
		before("Load hangs", proving.Load, legalNothing, hangs),
		before("somebody writes before Load", proving.Load, legalSame, func(_ C, r R, _ K) { r.somebodyElse() }),
		after("somebody writes after Load", proving.Load, legalSame, func(_ C, r R, _ K) { r.somebodyElse() }),
		before("Load returns an old record", proving.Load, legalDenied, func(_ C, r R, c K) {
			if r.Older.Version != 0 {
				c.Answered, c.Record = true, r.Older
			}
		}),
		edited("the record of another user", func(r R, rec *store.Record) { *rec = r.Foreign }),
		edited("the data of another user", func(r R, rec *store.Record) { rec.Data = r.Foreign.Data }),
		edited("truncated data", func(_ R, rec *store.Record) { rec.Data = rec.Data[:len(rec.Data)-1] }),
		edited("no data", func(_ R, rec *store.Record) { rec.Data = nil }),
		edited("data with a flipped bit", func(_ R, rec *store.Record) {
			rec.Data = bytes.Clone(rec.Data)
			rec.Data[len(rec.Data)/2] ^= 0x10
		}),
		edited("another state", func(_ R, rec *store.Record) { rec.State = rec.State%store.Disabled + 1 }),
		edited("an invalid state", func(_ R, rec *store.Record) { rec.State = 0 }),
		edited("another version", func(_ R, rec *store.Record) { rec.Version++ }),
		edited("version 0", func(_ R, rec *store.Record) { rec.Version = 0 }),

		saveError, sticky(saveError), saveConflict, as(func() mode {
			m := sticky(saveConflict)
			m.legal = legalNothing
			return m
		}(), enrollment.ErrBusy),
		as(before("Save hangs", proving.Save, legalNothing, hangs), context.DeadlineExceeded),
		saveLost, sticky(saveLost), saveTwice, sticky(saveTwice),
		after("Save hangs after it has stored", proving.Save, legalSame, done(hangs)),
		after("the store goes down after Save", proving.Save, legalUnknown, down(errFault)),
		after("the store goes down after Save's conflict", proving.Save, legalUnknown, down(store.ErrConflict)),
		after("Save's reply is lost and somebody writes at once", proving.Save, legalOvertaken, done(func(_ C, r R, c K) {
			r.somebodyElse()
			c.Err = errFault
		})),
		before("somebody writes before Save", proving.Save, legalSame, func(_ C, r R, _ K) { r.somebodyElse() }),
		before("somebody does the same before Load", proving.Load, legalRival, func(_ C, r R, _ K) { r.theSame() }),
		before("somebody does the same before Save", proving.Save, legalRival, func(_ C, r R, _ K) { r.theSame() }),

		// The caller hangs up.
		before("the caller hangs up at Load", proving.Load, legalNothing, hangsUp),
		after(hangsUpAfterLoad, proving.Load, legalNothing, hangsUp),
		before("the caller hangs up at Save", proving.Save, legalSame, hangsUp),
		before("the caller hangs up at Save, which says conflict", proving.Save, legalSame, func(_ C, r R, c K) {
			r.cancel()
			c.Err = store.ErrConflict
		}),
		{name: "the caller hangs up at Save, whose reply is lost", on: proving.Save, legal: legalSame, before: hangsUp, after: done(fails(errFault))},
	}
}
