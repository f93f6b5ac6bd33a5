package interleave

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
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
	behind    *noting                 // the store that processes call
	start     map[string]store.Record // what the store holds at first, by user
	judge     *judge
	alone     map[string]outcome // by the order in which operations ran
	explained map[string]bool    // outcomes that an order explains
	healthy   *enrollment.Guard  // calls again what was interrupted

	visited   map[moment]bool
	plain     map[string][32]byte // hashes of what the records hold, by their Data, in this schedule
	unreduced bool                // for tests: what comes to nothing new is walked as well
	came      func(outcome)       // for tests: called with the outcome of each schedule

	told map[string]enrollment.EventKind // events of this schedule, by id
}

// newRig returns a rig over a store from open. Between, if it is not nil, returns the store
// of a Guard, which calls that of its process: a client of the store that is broken.
func newRig(t *testing.T, open proving.Open, between func(proving.Full) proving.Full, from *states.State, s scene, ops []operation, known *notes) *rig {
	t.Helper()
	r := &rig{
		State: from.On(t, open), t: t, scene: s, ops: ops,
		alone: map[string]outcome{}, explained: map[string]bool{}, visited: map[moment]bool{}, plain: map[string][32]byte{},
	}
	r.behind = &noting{Full: r.Store.Straight, written: make(map[string]bool)}
	if s.begun > 0 {
		r.begin(s.begun)
	}
	r.start = make(map[string]store.Record)
	for _, user := range slices.Concat(s.judged(), []string{states.Other}) {
		rec, err := r.behind.Load(t.Context(), user)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		r.Must(err)
		r.start[user] = rec
	}
	before := r.Keys.Ring
	if s.rollout {
		before, r.Keys.Ring = r.roll()
	}
	r.healthy = r.NodeOver(r.behind, r.Keys, func(c *enrollment.Config) {
		c.Notify = func(_ context.Context, e enrollment.Event) error { return r.tell(e) }
	})
	for _, op := range ops {
		p := &process{behind: r.behind, shows: r.shows, keys: &proving.Keys{Ring: before}}
		if op.newKey {
			p.keys.Ring = r.Keys.Ring
		}
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

// begin moves the account, until so many writes are made.
func (r *rig) begin(writes int) {
	r.t.Helper()
	g := r.NodeOver(r.Store, r.Keys, func(c *enrollment.Config) { c.Notify = states.Taken })
	r.Store.Nth(proving.Save, writes+1, func(_ context.Context, c *proving.Call) {
		r.Store.Fail(proving.Load, errDead)
		c.Err = errDead
	})
	if err := g.Admin("root", "married").Move(r.t.Context(), states.User, newID); !errors.Is(err, errDead) {
		r.t.Fatalf("the move was not interrupted: %v", err)
	}
	r.Store.Straighten()
}

// roll returns the rings of a rollout: with the new key behind the old one, and in front.
func (r *rig) roll() (before, after *keyring.Ring) {
	after = r.Rotate("second")
	parts := strings.Split(after.Reveal(), ",")
	slices.Reverse(parts)
	before, err := keyring.Parse(strings.Join(parts, ","))
	r.Must(err)
	return before, after
}

func (r *rig) tell(e enrollment.Event) error {
	r.told[e.ID] = e.Kind
	return nil
}

// walk plays schedules until the outcome of one is impossible, or all that can come has
// come. It returns how many came to their end. It can be called once.
func (r *rig) walk(o Options) (schedules int, err error) {
	r.t.Helper()
	if o.Play != "" {
		p, err := parsePath(o.Play)
		r.Must(err)
		whole, err := r.play(p, o.Faults)
		if err = errors.Join(p.fits(), err); err == nil && !whole {
			err = fmt.Errorf("interleave: the schedule %s is not part of this walk", p)
		}
		return 1, err
	}
	for p := new(path); ; {
		whole, err := r.play(p, o.Faults)
		if whole {
			schedules++
		}
		if err != nil || !p.next() {
			return schedules, err
		}
	}
}

// play plays a schedule, and reports whether it came to its end: not if all that is left of
// it was walked before. It returns an error if its outcome is impossible one operation after
// the other.
func (r *rig) play(p *path, faults bool) (whole bool, err error) {
	r.t.Helper()
	var steps []string
	var asleep []step
	results, whole := r.run(r.all(), func(waiting map[int]call) (step, bool) {
		from := choices(waiting, faults, asleep)
		if len(from) == 0 {
			return step{}, false
		}
		if p.ahead() && !r.unreduced {
			now := r.moment(faults)
			if r.visited[now] {
				return step{}, false
			}
			r.visited[now] = true
		}
		n := p.choose(len(from))
		s := from[n]
		if !r.unreduced {
			asleep = fallAsleep(asleep, from[:n], s)
		}
		steps = append(steps, fmt.Sprintf("%s: %s %s %s", r.ops[s.process].name, s.call.op, s.call.user, s.fault))
		faults = faults && s.fault == fine
		return s, true
	})
	if !whole {
		return false, nil
	}
	got := r.finish(results, nil)
	if r.came != nil {
		r.came(got)
	}
	if err := r.possible(got); err != nil {
		return true, fmt.Errorf("schedule %s: %w\n%s", p, err, strings.Join(steps, "\n"))
	}
	return true, nil
}

func (r *rig) all() (all []int) {
	for i := range r.ops {
		all = append(all, i)
	}
	return all
}

// run starts these operations, and lets their processes make their calls in the
// order in which next chooses them. Once it chooses none, those that are left die, and
// whole is false.
func (r *rig) run(ops []int, next func(waiting map[int]call) (step, bool)) (results []result, whole bool) {
	r.t.Helper()
	r.restart()
	results = make([]result, len(r.ops))
	waiting := make(map[int]call)
	arrive := func(i int) {
		if c, ok := <-r.processes[i].waits; ok {
			waiting[i] = c
		} else {
			delete(waiting, i)
		}
	}
	for _, i := range ops {
		p := r.processes[i]
		p.start(func(n node) {
			results[i] = r.carryOut(i, n)
			if p.dead {
				results[i] = result{reason: proving.Fault}
			}
			p.knows = []byte(results[i].String())
		})
		arrive(i)
	}
	for whole = true; len(waiting) > 0; {
		var s step
		if whole {
			s, whole = next(waiting)
		}
		if !whole {
			for i := range waiting {
				s = step{process: i, fault: diesBefore}
			}
		}
		r.processes[s.process].goOn <- s.fault
		arrive(s.process)
	}
	return results, whole
}

// finish describes what has come of a run, calls what was interrupted again, and describes
// that as well. Again are the operations that are called once more; if it is nil, that is
// each Move that has not come to an answer.
func (r *rig) finish(results []result, again []int) outcome {
	r.t.Helper()
	got := outcome{results: results, again: again}
	if again == nil {
		for i, op := range r.ops {
			if op.moves && got.results[i].unknown() {
				got.again = append(got.again, i)
			}
		}
	}
	if len(got.again) == 0 {
		got.description = r.judge.describe(true)
		return got
	}
	before := r.judge.describe(false)
	for _, i := range got.again {
		before.text += fmt.Sprintf("\n%s again: %s", r.ops[i].name, r.carryOut(i, node{r.healthy, r.behind, states.User}))
	}
	got.description = r.judge.describe(true).after(before)
	return got
}

func (r *rig) carryOut(i int, n node) result {
	ctx, cancel := context.WithTimeout(new(states.Box).Context(context.Background()), time.Hour)
	defer cancel()
	detail, err := r.ops[i].run(ctx, r.State, n)
	res := result{proving.ReasonOf(err), detail}
	if errors.Is(err, enrollment.ErrMoved) && !r.ops[i].moves {
		res.reason = underOther
	}
	if err != nil {
		res.detail = ""
	}
	return res
}

// restart makes the store what it was at first.
func (r *rig) restart() {
	r.t.Helper()
	r.told = make(map[string]enrollment.EventKind)
	for user := range r.behind.written {
		put(r.t, r.behind.Full, user, r.start[user])
	}
	clear(r.behind.written)
	clear(r.plain)
	for i, p := range r.processes {
		p.dead, p.knows, p.keys.Random = false, nil, rand.NewChaCha8([32]byte{byte(i)})
	}
	r.Keys.Random = rand.NewChaCha8([32]byte{byte(len(r.processes))})
}
