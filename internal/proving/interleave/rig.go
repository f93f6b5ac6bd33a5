package interleave

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A rig plays schedules of some operations, each from the same start.
type rig struct {
	*states.State

	t         *testing.T
	scene     scene
	ops       []operation
	processes []*process
	start     []store.Record // what the store holds at first
	judge     *judge
	alone     map[string]outcome // by the order in which operations ran

	told map[string]enrollment.EventKind // events of this schedule, by id
}

// newRig returns a rig over a store from open. Between, if it is not nil, returns the store
// of a Guard, which calls that of its process: a client of the store that is broken.
func newRig(t *testing.T, open proving.Open, between func(proving.Full) proving.Full, from *states.State, s scene, ops []operation, known *notes) *rig {
	t.Helper()
	r := &rig{State: from.On(t, open), t: t, scene: s, ops: ops, alone: map[string]outcome{}}
	for _, user := range []string{states.User, states.Other} {
		rec, err := r.Store.Straight.Load(t.Context(), user)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		r.Must(err)
		r.start = append(r.start, rec)
	}
	for range ops {
		p := &process{behind: r.Store.Straight, keys: &proving.Keys{Ring: r.Keys.Ring}}
		var of proving.Full = p
		if between != nil {
			of = between(p)
		}
		p.guard = r.NodeOver(of, p.keys, func(c *enrollment.Config) {
			c.Notify = func(_ context.Context, e enrollment.Event) error {
				if p.dead {
					return errDead
				}
				return r.tell(e)
			}
		})
		r.processes = append(r.processes, p)
	}
	r.judge = newJudge(r, known)
	return r
}

func (r *rig) tell(e enrollment.Event) error {
	r.told[e.ID] = e.Kind
	return nil
}

// walk plays every schedule until the outcome of one is impossible. It returns how
// many it has played.
func (r *rig) walk(o Options) (schedules int, err error) {
	r.t.Helper()
	if o.Play != "" {
		p, err := parsePath(o.Play)
		r.Must(err)
		err = r.play(p, o.Faults)
		return 1, errors.Join(p.fits(), err)
	}
	for p := new(path); ; {
		schedules++
		if err := r.play(p, o.Faults); err != nil || !p.next() {
			return schedules, err
		}
	}
}

// play plays a schedule. It returns an error if its outcome is impossible one
// operation after the other.
func (r *rig) play(p *path, faults bool) error {
	r.t.Helper()
	var steps []string
	got := r.run(r.all(), func(waiting map[int]proving.Op) step {
		var choices []step
		for _, i := range slices.Sorted(maps.Keys(waiting)) {
			choices = append(choices, step{i, fine})
			if faults {
				for _, f := range faultsAt(waiting[i]) {
					choices = append(choices, step{i, f})
				}
			}
		}
		s := choices[p.choose(len(choices))]
		steps = append(steps, fmt.Sprintf("%s: %s %s", r.ops[s.process].name, waiting[s.process], s.fault))
		faults = faults && s.fault == fine
		return s
	})
	if err := r.possible(got); err != nil {
		return fmt.Errorf("schedule %s: %w\n%s", p, err, strings.Join(steps, "\n"))
	}
	return nil
}

func (r *rig) all() (all []int) {
	for i := range r.ops {
		all = append(all, i)
	}
	return all
}

// run starts these operations, and lets their processes make their calls in the
// order in which next chooses them.
func (r *rig) run(ops []int, next func(waiting map[int]proving.Op) step) outcome {
	r.t.Helper()
	r.restart()
	results := make([]result, len(r.ops))
	waiting := make(map[int]proving.Op)
	arrive := func(i int) {
		if op, ok := <-r.processes[i].waits; ok {
			waiting[i] = op
		} else {
			delete(waiting, i)
		}
	}
	for _, i := range ops {
		r.processes[i].start(func(n node) { results[i] = r.carryOut(i, n) })
		arrive(i)
	}
	for len(waiting) > 0 {
		s := next(waiting)
		r.processes[s.process].goOn <- s.fault
		arrive(s.process)
	}
	for i, p := range r.processes {
		if p.dead {
			results[i] = result{reason: proving.Fault}
		}
	}
	return outcome{results, r.judge.state()}
}

func (r *rig) carryOut(i int, n node) result {
	ctx, cancel := context.WithTimeout(new(states.Box).Context(context.Background()), time.Hour)
	defer cancel()
	detail, err := r.ops[i].run(ctx, r.State, n)
	res := result{proving.ReasonOf(err), detail}
	if err != nil {
		res.detail = ""
	}
	return res
}

// restart makes the store what it was at first.
func (r *rig) restart() {
	r.t.Helper()
	r.told = make(map[string]enrollment.EventKind)
	fill(r.t, r.Store.Straight, r.start...)
	for i, p := range r.processes {
		p.dead, p.keys.Random = false, rand.NewChaCha8([32]byte{byte(i)})
	}
}

// fill makes these records all that the store has of the users of a state.
func fill(t *testing.T, s proving.Full, records ...store.Record) {
	t.Helper()
	for _, user := range []string{states.User, states.Other} {
		if err := s.Erase(t.Context(), user); err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
	}
	for _, rec := range records {
		if err := s.Save(t.Context(), rec, 0); err != nil {
			t.Fatal(err)
		}
	}
}
