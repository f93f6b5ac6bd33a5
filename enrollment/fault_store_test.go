package enrollment_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// The ways in which a store fails.

// A faultMode is a way for one call of the store to fail.
type faultMode struct {
	name string
	on   string // load or save
	// call takes the place of the call. f.inner does what was asked for.
	load func(ctx context.Context, f *faultStore, user string) (store.Record, error)
	save func(ctx context.Context, f *faultStore, r store.Record, prev int64) error

	sticky  bool // every later call of the kind fails alike
	legal   faultLegal
	isError error // what the error has to match
}

// faultLegal is what the outcome may be if the fault came before the decision
// was stored. Once it is stored, nothing may change the answer.
type faultLegal int

const (
	faultSame      faultLegal = iota // the same as without the fault
	faultNothing                     // an error, and nothing has happened
	faultUnknown                     // an error, and all or nothing has happened
	faultDenied                      // nothing, or the same, or a denial
	faultRival                       // somebody else may have had it
	faultOvertaken                   // unknown if somebody else has written, the same if not
)

// A faultStore fails at one call.
type faultStore struct {
	*memory.Store
	t     *testing.T
	state *faultState
	op    *faultOp
	mode  *faultMode
	at    int // which call fails
	rival *enrollment.Guard

	calls   int
	landed  int          // saves of ours that were stored
	late    bool         // the fault came when the decision was stored already
	hit     bool         // the fault came at all
	base    store.Record // what stood there before anything of ours
	foreign int          // writes of somebody else
	rivalOK bool
	cancel  context.CancelFunc
}

func (f *faultStore) Load(ctx context.Context, user string) (store.Record, error) {
	f.calls++
	if user == faultUser && f.due("load") {
		return f.mode.load(ctx, f, user)
	}
	return f.Store.Load(ctx, user)
}

func (f *faultStore) Save(ctx context.Context, r store.Record, prev int64) error {
	f.calls++
	if r.UserID == faultUser && f.due("save") {
		return f.mode.save(ctx, f, r, prev)
	}
	return f.commit(ctx, r, prev)
}

func (f *faultStore) due(kind string) bool {
	if f.mode == nil || f.mode.on != kind || f.calls < f.at || f.calls > f.at && !f.mode.sticky {
		return false
	}
	if !f.hit {
		f.hit, f.late = true, f.landed > 0
	}
	return true
}

// commit saves, and keeps account of it.
func (f *faultStore) commit(ctx context.Context, r store.Record, prev int64) error {
	err := f.Store.Save(ctx, r, prev)
	if err == nil && r.UserID == faultUser {
		f.landed++
	}
	return err
}

// hang waits until the context ends, which it has to.
func (f *faultStore) hang(ctx context.Context) error {
	if ctx.Done() == nil {
		f.t.Errorf("%s in state %s, %s, call %d: the call has no deadline and would hang for ever", f.op.name, f.state.name, f.mode.name, f.at)
		return errFault
	}
	<-ctx.Done()
	return ctx.Err()
}

func (f *faultStore) record() store.Record {
	rec, err := f.Store.Load(context.Background(), faultUser)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		f.t.Fatal(err)
	}
	return rec
}

// somebodyElse changes the account in a way that leaves the outcome as it is.
func (f *faultStore) somebodyElse() {
	before := f.record().Version
	ctx := context.Background()
	var err error
	switch {
	case f.state.enrolled():
		_, err = f.rival.Verify(ctx, faultUser, "else", f.state.wrong())
	case f.state.token != "":
		_, err = f.rival.Confirm(ctx, faultUser, f.state.token, f.state.wrong())
	default:
		_, err = f.rival.Begin(ctx, faultUser, enrollment.BeginOptions{Account: "else", Ticket: f.state.ticket})
	}
	if modelReason(err) == "fault" {
		f.t.Fatal(err)
	}
	if f.record().Version != before {
		f.foreign++
		f.base = f.record()
	}
}

// theSame lets somebody else do the same first.
func (f *faultStore) theSame() {
	_, err := f.op.run(context.Background(), f.state, f.rival)
	if modelReason(err) == "fault" {
		f.t.Fatalf("the rival: %v", err)
	}
	f.rivalOK = err == nil
}

const faultAfterLoad = "the caller hangs up after Load"

func faultModes() []faultMode {
	type (
		F = *faultStore
		R = store.Record
		C = context.Context
	)
	load := func(name string, legal faultLegal, do func(C, F, string) (R, error)) faultMode {
		return faultMode{name: name, on: "load", legal: legal, load: do}
	}
	save := func(name string, legal faultLegal, do func(C, F, R, int64) error) faultMode {
		return faultMode{name: name, on: "save", legal: legal, save: do}
	}
	sticky := func(m faultMode) faultMode {
		m.name, m.sticky = m.name+", from then on", true
		return m
	}
	as := func(m faultMode, err error) faultMode {
		m.isError = err
		return m
	}
	// edited returns the record after a change that no store should make.
	edited := func(name string, edit func(f F, r *R)) faultMode {
		m := load("Load returns "+name, faultNothing, func(ctx C, f F, user string) (R, error) {
			r, err := f.Store.Load(ctx, user)
			if err == nil {
				edit(f, &r)
			}
			return r, err
		})
		m.isError = enrollment.ErrCorrupt
		return m
	}

	loadError := as(load("Load fails", faultNothing, func(C, F, string) (R, error) { return R{}, errFault }), errFault)
	loadConflict := load("Load says conflict", faultNothing, func(C, F, string) (R, error) { return R{}, store.ErrConflict })
	loadBlocks := load("Load hangs", faultNothing, func(ctx C, f F, _ string) (R, error) { return R{}, f.hang(ctx) })
	saveError := as(save("Save fails", faultNothing, func(C, F, R, int64) error { return errFault }), errFault)
	saveConflict := save("Save says conflict", faultSame, func(C, F, R, int64) error { return store.ErrConflict })
	saveBlocks := as(save("Save hangs", faultNothing, func(ctx C, f F, _ R, _ int64) error { return f.hang(ctx) }), context.DeadlineExceeded)
	saveLost := save("Save's reply is lost", faultSame, func(ctx C, f F, r R, prev int64) error {
		if err := f.commit(ctx, r, prev); err != nil {
			return err
		}
		return errFault
	})
	saveTwice := save("Save was tried twice by the driver", faultSame, func(ctx C, f F, r R, prev int64) error {
		if err := f.commit(ctx, r, prev); err != nil {
			return err
		}
		return store.ErrConflict
	})
	down := save("the store goes down after Save", faultUnknown, func(ctx C, f F, r R, prev int64) error {
		_ = f.commit(ctx, r, prev)
		f.mode = &faultMode{on: "load", sticky: true, load: loadError.load}
		return errFault
	})
	downConflict := save("the store goes down after Save's conflict", faultUnknown, func(ctx C, f F, r R, prev int64) error {
		_ = f.commit(ctx, r, prev)
		f.mode = &faultMode{on: "load", sticky: true, load: loadError.load}
		return store.ErrConflict
	})

	return []faultMode{
		loadError, sticky(loadError), loadConflict, sticky(loadConflict), loadBlocks,
		load("somebody writes before Load", faultSame, func(ctx C, f F, user string) (R, error) {
			f.somebodyElse()
			return f.Store.Load(ctx, user)
		}),
		load("somebody writes after Load", faultSame, func(ctx C, f F, user string) (R, error) {
			r, err := f.Store.Load(ctx, user)
			f.somebodyElse()
			return r, err
		}),
		load("Load returns an old record", faultDenied, func(ctx C, f F, user string) (R, error) {
			if f.state.older.Version == 0 {
				return f.Store.Load(ctx, user)
			}
			return f.state.older, nil
		}),
		edited("the record of another user", func(f F, r *R) { *r = f.state.foreign }),
		edited("the data of another user", func(f F, r *R) { r.Data = f.state.foreign.Data }),
		edited("truncated data", func(_ F, r *R) { r.Data = r.Data[:len(r.Data)-1] }),
		edited("no data", func(_ F, r *R) { r.Data = nil }),
		edited("data with a flipped bit", func(f F, r *R) { r.Data = bytes.Clone(r.Data); r.Data[len(r.Data)/2] ^= 0x10 }),
		edited("another state", func(_ F, r *R) { r.State = r.State%store.Disabled + 1 }),
		edited("an invalid state", func(_ F, r *R) { r.State = 0 }),
		edited("another version", func(_ F, r *R) { r.Version++ }),
		edited("version 0", func(_ F, r *R) { r.Version = 0 }),

		saveError, sticky(saveError), saveConflict, as(func() faultMode {
			m := sticky(saveConflict)
			m.legal = faultNothing
			return m
		}(), enrollment.ErrBusy), saveBlocks, saveLost, sticky(saveLost), saveTwice, sticky(saveTwice),
		save("Save hangs after it has stored", faultSame, func(ctx C, f F, r R, prev int64) error {
			if err := f.commit(ctx, r, prev); err != nil {
				return err
			}
			return f.hang(ctx)
		}),
		down, downConflict,
		save("Save's reply is lost and somebody writes at once", faultOvertaken, func(ctx C, f F, r R, prev int64) error {
			if err := f.commit(ctx, r, prev); err != nil {
				return err
			}
			f.somebodyElse()
			return errFault
		}),
		save("somebody writes before Save", faultSame, func(ctx C, f F, r R, prev int64) error {
			f.somebodyElse()
			return f.commit(ctx, r, prev)
		}),
		load("somebody does the same before Load", faultRival, func(ctx C, f F, user string) (R, error) {
			f.theSame()
			return f.Store.Load(ctx, user)
		}),
		save("somebody does the same before Save", faultRival, func(ctx C, f F, r R, prev int64) error {
			f.theSame()
			return f.commit(ctx, r, prev)
		}),

		// The caller hangs up.
		load("the caller hangs up at Load", faultNothing, func(ctx C, f F, user string) (R, error) {
			f.cancel()
			return f.Store.Load(ctx, user)
		}),
		load(faultAfterLoad, faultNothing, func(ctx C, f F, user string) (R, error) {
			r, err := f.Store.Load(ctx, user)
			f.cancel()
			return r, err
		}),
		save("the caller hangs up at Save", faultSame, func(ctx C, f F, r R, prev int64) error {
			f.cancel()
			return f.commit(ctx, r, prev)
		}),
		save("the caller hangs up at Save, which says conflict", faultSame, func(_ C, f F, _ R, _ int64) error {
			f.cancel()
			return store.ErrConflict
		}),
		save("the caller hangs up at Save, whose reply is lost", faultSame, func(ctx C, f F, r R, prev int64) error {
			f.cancel()
			if err := f.commit(ctx, r, prev); err != nil {
				return err
			}
			return errFault
		}),
	}
}
