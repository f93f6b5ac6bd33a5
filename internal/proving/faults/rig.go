package faults

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A rig is one run of an operation under a fault, and judges what came of it.
type rig struct {
	*states.State // over a store of its own

	t       *testing.T
	where   string
	op      *operation
	keys    *proving.Keys     // of the Guard that meets the fault
	healthy *enrollment.Guard // over the store itself, which also stands for somebody else
	ref     *reference

	mode    *mode
	at      int          // which call fails
	landed  int          // saves of ours that were stored
	late    bool         // the fault came when the decision was stored already
	hit     bool         // the fault came at all
	base    store.Record // what stood there before anything of ours
	foreign int          // writes of somebody else
	rivalOK bool
	cancel  context.CancelFunc
}

// A reference is the outcome when nothing fails.
type reference struct {
	status string
	calls  int
}

func newRig(t *testing.T, open proving.Open, s *states.State, op *operation, mode *mode, at int) *rig {
	t.Helper()
	r := &rig{State: s.On(t, open), t: t, op: op, mode: mode, at: at, where: fmt.Sprintf("%s in state %s", op.name, s.Name)}
	r.keys = &proving.Keys{Ring: r.Keys.Ring}
	r.healthy = r.NodeOver(r.Store.Straight, r.Keys)
	r.base = r.record()
	r.bend()
	if mode != nil {
		r.where += fmt.Sprintf(", %s, call %d", mode.name, at)
	}
	return r
}

type notify = func(context.Context, enrollment.Event) error

// run carries the operation out over the faulty store, and returns whatever a
// host may have changed in it.
func (r *rig) run(tell notify) (result, error) {
	r.t.Helper()
	var seen []enrollment.Observation
	g := r.NodeOver(r.Store, r.keys, func(c *enrollment.Config) {
		c.Notify = tell
		c.Observe = func(o enrollment.Observation) { seen = append(seen, o) }
	})
	box := new(states.Box)
	ctx, cancel := context.WithTimeout(box.Context(context.Background()), time.Second)
	defer cancel()
	r.cancel = cancel
	out, err := r.op.run(ctx, r.State, g)
	r.sent(box, &out, err)
	r.observed(seen, err)
	return out, err
}

// sent checks that a message was sent if the account has counted it, and only
// then. Where somebody else was faster, the one that they had sent will do.
func (r *rig) sent(box *states.Box, out *result, err error) {
	r.t.Helper()
	want := 0
	if r.op.sends && err == nil && !(out.earlier && r.rivalOK) {
		want = 1
	}
	if n := len(box.Sent); n != want {
		r.t.Errorf("%s: %d messages were sent, with %v", r.where, n, err)
	}
	if len(box.Sent) > 0 && r.landed == 0 {
		r.t.Errorf("%s: a message was sent that nobody has counted", r.where)
	}
}

// observed checks that the operation was counted once, as what it returned.
func (r *rig) observed(seen []enrollment.Observation, err error) {
	r.t.Helper()
	want := string(proving.ReasonOf(err))
	switch {
	case err == nil:
		want = cmp.Or(r.op.seen, "ok")
	case errors.Is(err, enrollment.ErrBusy):
		want = "busy"
	case want == string(proving.Fault):
		want = "error"
	}
	seen = slices.DeleteFunc(seen, func(o enrollment.Observation) bool { return o.Operation == "" })
	if r.op.reads && !r.op.counted || r.op.unseen || strings.HasPrefix(r.op.name, "SignIn") && len(seen) == 0 && (want == "error" || r.rivalOK) {
		if len(seen) > 0 {
			r.t.Errorf("%s: observed %+v", r.where, seen)
		}
		return
	}
	if len(seen) != 1 || seen[0].Outcome != want {
		r.t.Errorf("%s: observed %+v, returned %v", r.where, seen, err)
	}
}

// reference runs the operation without a fault, and holds it against what the
// table of operations says.
func (r *rig) reference(tell notify) *reference {
	r.t.Helper()
	out, err := r.run(tell)
	if got := proving.ReasonOf(err); got != r.op.want {
		r.t.Fatalf("%s: %v, want %q", r.where, err, r.op.want)
	}
	if wrote := r.landed > 0; wrote != r.op.writes {
		r.t.Fatalf("%s: written: %t, want %t", r.where, wrote, r.op.writes)
	}
	_, status := statusOf(context.Background(), r.healthy)
	ref := &reference{status: status, calls: r.Store.Calls()}
	r.effect(&out, err)
	return ref
}

// effect checks that what was answered is what the store holds.
func (r *rig) effect(out *result, err error) {
	r.t.Helper()
	if err == nil && r.op.held != nil {
		if err := r.op.held(context.Background(), r.State, r.healthy, out); err != nil {
			r.t.Errorf("%s: a success that does not hold: %v", r.where, err)
		}
	}
	if err != nil && r.op.counts != "" {
		r.counted(1)
	}
}

// each runs f for every operation, each in a bubble of its own.
func each(t *testing.T, open proving.Open, scheme recovery.Scheme, pick func(op *operation) bool, f func(t *testing.T, open proving.Open, s *states.State, op *operation)) {
	t.Helper()
	if fips.Enforced() {
		t.Skip("in FIPS 140-3 mode crypto/rand can't be seeded by the clock of a bubble")
	}
	open = proving.Emptied(t, open)
	prepared := map[string]*states.State{}
	ops := operations()
	for i := range ops {
		if pick != nil && !pick(&ops[i]) {
			continue
		}
		if prepared[ops[i].state] == nil {
			prepared[ops[i].state] = states.New(t, ops[i].state, scheme)
		}
	}
	for i := range ops {
		op := &ops[i]
		if pick != nil && !pick(op) {
			continue
		}
		s := prepared[op.state]
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			proving.InBubble(t, open, func(t *testing.T, open proving.Open) { f(t, open, s, op) })
		})
	}
}

// notifies are the ways in which an operation is run: without Notify, if it can
// be, and with it.
func notifies(op *operation) []notify {
	if op.notify {
		return []notify{states.Taken}
	}
	return []notify{nil, states.Taken}
}
