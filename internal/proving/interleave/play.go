package interleave

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/store"
)

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
	calm := true // nothing has failed
	results, whole := r.run(r.all(), p.from(r.first), func(waiting map[int]call) (step, bool) {
		from := choices(waiting, faults, asleep)
		if len(from) == 0 {
			return step{}, false
		}
		if p.ahead() {
			now := r.moment(faults)
			if r.visited[now] && !r.unreduced {
				return step{}, false
			}
			r.visited[now] = true
			p.here = r.behind.now(r.t)
		}
		n := p.choose(len(from))
		s := from[n]
		if !r.unreduced {
			asleep = fallAsleep(asleep, from[:n], s)
		}
		steps = append(steps, fmt.Sprintf("%s: %s %s %s", r.nameOf(s.process), s.call.op, s.call.user, s.fault))
		faults, calm = faults && s.fault == fine, calm && s.fault == fine
		return s, true
	})
	if !whole {
		return false, nil
	}
	got := r.finish(results, nil)
	if r.came != nil {
		r.came(got)
	}
	err = r.possible(got)
	if calm && err == nil {
		err = r.answered(results)
	}
	if err != nil {
		return true, &failure{p.String(), steps, err}
	}
	return true, nil
}

// A failure is a schedule with an impossible outcome.
type failure struct {
	schedule string
	steps    []string
	err      error
}

func (f *failure) Error() string {
	return fmt.Sprintf("schedule %s: %v\n%s", f.schedule, f.err, strings.Join(f.steps, "\n"))
}

func (f *failure) Unwrap() error { return f.err }

// answered returns an error if an operation came to no answer although nothing has failed. A
// move may: it is begun again by its operator when the account changes.
func (r *rig) answered(results []result) error {
	for i, got := range results {
		if got.unknown() && !r.moving() {
			return fmt.Errorf("%s came to no answer, and nothing has failed", r.ops[i].name)
		}
	}
	return nil
}

func (r *rig) all() (all []int) {
	for i := range r.ops {
		all = append(all, i)
	}
	return all
}

// lateWrite stands, among the numbers of processes, for a write that comes late: a
// schedule has one at most.
func (r *rig) lateWrite() int { return len(r.ops) }

func (r *rig) nameOf(process int) string {
	if process == r.lateWrite() {
		return "late"
	}
	return r.ops[process].name
}

// run starts these operations, and lets their processes make their calls in the
// order in which next chooses them. Up to that part, they are chosen as they were before. A
// write that comes late waits beside them. Once next chooses none, those that are left die,
// and whole is false.
func (r *rig) run(ops []int, from part, next func(waiting map[int]call) (step, bool)) (results []result, whole bool) {
	r.t.Helper()
	r.restart(from)
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
		if s.process == r.lateWrite() {
			if whole {
				r.arrives()
			}
			delete(waiting, s.process)
			continue
		}
		r.processes[s.process].goOn <- s.fault
		if arrive(s.process); s.fault == late {
			waiting[r.lateWrite()] = s.call
		}
	}
	return results, whole
}

// arrives does the write that comes late.
func (r *rig) arrives() {
	for _, p := range r.processes {
		if p.late != nil {
			if err := p.late.do(); err != nil && !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrNotFound) {
				r.t.Errorf("a write that comes late: %v", err)
			}
			p.late = nil
		}
	}
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
