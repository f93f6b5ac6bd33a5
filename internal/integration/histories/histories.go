// Package histories lets clients use one record of a store at once, notes what each of
// them was told and when, and looks for an order of their operations that explains it:
// the store is linearizable, as the contract of package store says.
//
// The search is by github.com/anishathalye/porcupine. It explodes with many operations
// at once and with many of unknown outcome, so a history is short, and there are many.
package histories

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Options say how long to look, and what to expect.
type Options struct {
	// Rounds is how many histories there are, each of a record of its own.
	Rounds int

	// Deadlock reports whether a server has refused an Erase to break a deadlock. It
	// has changed nothing then. With such a server, a Save at the same time as another
	// write can be a conflict although it has the right version, as the contract
	// allows. Nil stands for a server without deadlocks.
	Deadlock func(error) bool

	// Faulty says that any call can fail at any time, and its outcome is then unknown.
	Faulty bool
}

// Figures are what was done.
type Figures struct {
	Operations, Saved, Conflicts int

	// Unknown are writes of unknown outcome that nobody has cancelled, and Cancelled are those
	// that the package has. Loads that failed or were cancelled are no operations.
	Unknown, Cancelled int
}

// String is for the log of a test.
func (f Figures) String() string {
	return fmt.Sprintf("%d operations: %d saved, %d conflicts, %d cancelled, %d others of unknown outcome", f.Operations, f.Saved, f.Conflicts, f.Cancelled, f.Unknown)
}

const (
	clients = 4
	steps   = 6 // of each client

	// In every cancelEvery-th round, one operation of one client is cancelled while it
	// runs.
	cancelEvery = 3
)

// Check uses the nodes, which are stores on one database, and returns an error for the
// first history that the contract does not allow. The operations are always the same;
// how they meet is up to the machine.
func Check(ctx context.Context, nodes []proving.Full, o Options) (Figures, error) {
	var f Figures
	for n := range o.Rounds {
		r := &round{nodes: nodes, user: fmt.Sprintf("history-%d", n), options: o, versions: []int64{0}}
		all, err := r.run(ctx, uint64(n))
		if err == nil {
			err = judge(all, o.Deadlock != nil)
		}
		if err != nil {
			return f, fmt.Errorf("history %d: %w", n, err)
		}
		f.Operations += len(all)
		for _, o := range all {
			switch {
			case o.cancelled:
				f.Cancelled++
			case o.outcome == unknown:
				f.Unknown++
			case o.outcome == conflict:
				f.Conflicts++
			case o.kind == save:
				f.Saved++
			}
		}
	}
	return f, nil
}

// A round makes one history.
type round struct {
	nodes   []proving.Full
	user    string
	options Options
	began   time.Time

	mu       sync.Mutex
	all      []operation
	versions []int64 // that were ever saved or tried
	errs     []error
}

func (r *round) run(ctx context.Context, seed uint64) ([]operation, error) {
	r.began = time.Now()
	cancelled := -1
	if seed%cancelEvery == cancelEvery-1 {
		cancelled = int(seed/cancelEvery) % (clients * steps)
	}
	start := make(chan struct{})
	var group sync.WaitGroup
	for c := range clients {
		group.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(c)))
			<-start
			known := int64(0) // the version that the client knows of
			for i := range steps {
				ctx, cancel := context.WithCancel(ctx)
				stop := func() bool { return true }
				if c*steps+i == cancelled {
					stop = time.AfterFunc(time.Duration(random.IntN(1000))*time.Microsecond, cancel).Stop
				}
				known = r.step(ctx, c, random, known)
				stop()
				cancel()
			}
		})
	}
	close(start)
	group.Wait()
	r.look(ctx)
	return r.all, errors.Join(r.errs...)
}

// look loads the record once more, when all else is over: what was acknowledged is there. If
// that fails, another node is asked.
func (r *round) look(ctx context.Context) {
	before := len(r.all)
	for node := range 100 {
		if r.load(ctx, node); len(r.all) > before || len(r.errs) > 0 {
			return
		}
	}
	r.errs = append(r.errs, errors.New("the last load has no answer"))
}

// step does something, and returns the version that the client then knows of.
func (r *round) step(ctx context.Context, client int, random *rand.Rand, known int64) int64 {
	switch n := random.IntN(20); {
	case n < 6:
		return r.load(ctx, client)
	case n < 14:
		return r.save(ctx, client, random, known)
	case n < 17: // over a version that was there once, or is not there yet
		return r.save(ctx, client, random, r.any(random))
	case n < 19:
		return r.save(ctx, client, random, 0)
	}
	return r.erase(ctx, client, known)
}

func (r *round) any(random *rand.Rand) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.versions[random.IntN(len(r.versions))]
}

// note keeps an operation with its outcome. It returns whether the outcome is known.
func (r *round) note(ctx context.Context, o operation, err error) bool {
	o.answer = time.Since(r.began)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		o.outcome = done
	case o.kind == save && errors.Is(err, store.ErrConflict):
		o.outcome = conflict
	case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrInvalid):
		r.errs = append(r.errs, fmt.Errorf("%w: %s: an answer that is not allowed: %w", ErrWrong, o.kind, err))
		return false
	case o.kind == erase && r.options.Deadlock != nil && r.options.Deadlock(err):
		o.outcome = refused
	case ctx.Err() != nil && errors.Is(err, ctx.Err()), r.options.Faulty:
		o.outcome, o.cancelled = unknown, ctx.Err() != nil
	default:
		r.errs = append(r.errs, fmt.Errorf("%s: %w", o.kind, err))
		return false
	}
	if o.kind == load && o.outcome == unknown {
		return false
	}
	r.all = append(r.all, o)
	return o.outcome == done
}

func (r *round) load(ctx context.Context, client int) int64 {
	o := operation{client: client, kind: load, call: time.Since(r.began)}
	record, err := r.nodes[client%len(r.nodes)].Load(ctx, r.user)
	switch {
	case errors.Is(err, store.ErrNotFound):
		err = nil
	case err == nil && string(record.Data) != data(record.Version):
		err = fmt.Errorf("version %d with the data of another: %q: %w", record.Version, record.Data, store.ErrInvalid)
	}
	o.found = record.Version
	r.note(ctx, o, err)
	return record.Version
}

func (r *round) save(ctx context.Context, client int, random *rand.Rand, prev int64) int64 {
	next := 1 + random.Int64N(store.MaxVersion)
	r.mu.Lock()
	r.versions = append(r.versions, next)
	r.mu.Unlock()
	record := store.Record{UserID: r.user, Version: next, State: store.Confirmed, Data: []byte(data(next))}
	o := operation{client: client, kind: save, prev: prev, next: next, call: time.Since(r.began)}
	if r.note(ctx, o, r.nodes[client%len(r.nodes)].Save(ctx, record, prev)) {
		return next
	}
	return prev
}

func (r *round) erase(ctx context.Context, client int, known int64) int64 {
	o := operation{client: client, kind: erase, call: time.Since(r.began)}
	if r.note(ctx, o, r.nodes[client%len(r.nodes)].Erase(ctx, r.user)) {
		return 0
	}
	return known
}

// data is what a record of that version holds.
func data(version int64) string { return fmt.Sprint("version ", version) }
