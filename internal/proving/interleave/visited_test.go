package interleave

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// A moment is walked on from again if a step is awake that slept each time before.
func TestVisited(t *testing.T) {
	t.Parallel()
	a, b := step{0, call{proving.Load, "a"}, fine}, step{1, call{proving.Load, "a"}, fine}
	v := visited{}
	for i, c := range []struct {
		moment moment
		asleep []step
		before bool
	}{
		{moment{1}, []step{a, b}, false},
		{moment{1}, []step{b, a}, true},
		{moment{2}, []step{a, b}, false},
		{moment{1}, []step{a}, false},
		{moment{1}, []step{a, b}, true},
		{moment{1}, []step{b}, false},
		{moment{1}, nil, false},
		{moment{1}, []step{b}, true},
	} {
		if got := v.before(c.moment, c.asleep); got != c.before {
			t.Errorf("%d: it was come to before: %t", i, got)
		}
	}
}

// Nothing that matters later is left out of a moment, and the seals, which are different
// each time, are.
func TestMoment(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the states are for SHA-1")
	}
	s := sceneOf(t, "staged")
	r := newRig(t, proving.Memory, nil, states.New(t, s.state, recovery.Fast), s, []operation{verifyWrong, disable}, newNotes())
	// after is the moment after so many calls.
	after := func(calls int) (m moment) {
		r.run(r.all(), func(waiting map[int]call) (step, bool) {
			if calls == 0 {
				m = r.moment(true)
				return step{}, false
			}
			calls--
			return choices(waiting, false, nil)[0], true
		})
		return m
	}
	seen := make(map[moment]int)
	for calls := range 4 {
		m := after(calls)
		if other, ok := seen[m]; ok {
			t.Errorf("after %d calls it is the moment after %d", calls, other)
		}
		seen[m] = calls
		if after(calls) != m {
			t.Errorf("after the same %d calls it is another moment", calls)
		}
	}

	r.restart()
	start := r.moment(true)
	carryOut := func(op operation) {
		_, _ = op.run(t.Context(), r.State, node{r.healthy, r.behind, states.User})
	}
	for name, change := range map[string]func(){
		"told":    func() { r.told["1"] = enrollment.EventDisabled },
		"knows":   func() { r.processes[1].knows = []byte("something") },
		"counted": func() { carryOut(verifyWrong) },
		"begun":   func() { carryOut(at(newID, beginFirst)) },
		"erased":  func() { r.Must(r.behind.Erase(t.Context(), states.User)) },
	} {
		r.restart()
		if change(); r.moment(true) == start {
			t.Errorf("%s: it is the same moment", name)
		}
	}
	r.restart()
	if r.moment(true) != start || r.moment(false) == start {
		t.Error("it does not depend on the faults that are left alone")
	}
}
