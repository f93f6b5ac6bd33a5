package interleave

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

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
	behind    *noting // the store that processes call
	first     part    // where every schedule begins
	judge     *judge
	alone     map[string]outcome // by the order in which operations ran
	explained map[string]bool    // outcomes that an order explains
	healthy   *enrollment.Guard  // calls again what was interrupted

	visited   map[moment]bool
	opened    map[string][32]byte // hashes of what records hold, by user and Data
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
		alone: map[string]outcome{}, explained: map[string]bool{}, visited: map[moment]bool{}, opened: map[string][32]byte{},
	}
	r.behind = &noting{Full: r.Store.Straight, part: part{stored: map[string]store.Record{}}, stale: map[string]bool{}}
	if s.begun > 0 {
		r.begin(s.begun)
	}
	for _, user := range slices.Concat(s.judged(), []string{states.Other}) {
		r.behind.writes(user)
	}
	r.first = r.behind.now(t)
	if !r.Enrolled() {
		r.Demand = r.Demanded()
	}
	before := r.Keys.Ring
	if s.rollout {
		before, r.Keys.Ring = r.roll()
	}
	r.healthy = r.NodeOver(r.behind, r.Keys, func(c *enrollment.Config) {
		c.Notify = func(_ context.Context, e enrollment.Event) error { return r.tell(e) }
	})
	for _, op := range ops {
		p := &process{behind: r.behind, shows: r.shows, keys: &proving.Keys{Ring: before, Sealed: r.behind.seal}}
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

// restart begins a schedule that is like an earlier one up to that part.
func (r *rig) restart(from part) {
	r.t.Helper()
	r.told = make(map[string]enrollment.EventKind)
	r.behind.restore(r.t, from)
	if len(r.opened) > 1000 {
		clear(r.opened)
	}
	for i, p := range r.processes {
		p.dead, p.late, p.knows, p.keys.Random = false, nil, nil, rand.NewChaCha8([32]byte{byte(i)})
	}
	r.Keys.Random = rand.NewChaCha8([32]byte{byte(len(r.processes))})
}
