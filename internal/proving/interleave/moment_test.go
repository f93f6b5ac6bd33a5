package interleave

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// A moment has all that matters later, and not how it was sealed, which is different each
// time.
func TestMoment(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the states are for SHA-1")
	}
	s := sceneOf(t, "staged")
	r := newRig(t, proving.Memory, nil, states.New(t, s.state, recovery.Fast), s, []operation{verifyWrong, disable}, newNotes())
	// after is the moment after so many calls.
	after := func(calls int) (m moment) {
		r.run(r.all(), r.first, func(waiting map[int]call) (step, bool) {
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

	r.restart(r.first)
	start := r.moment(true)
	carryOut := func(op operation) {
		_, _ = op.run(t.Context(), r.State, node{r.healthy, r.behind, states.User})
	}
	for name, change := range map[string]func(){
		"told":    func() { r.told["1"] = enrollment.EventDisabled },
		"knows":   func() { r.processes[1].knows = []byte("something") },
		"late":    func() { r.processes[1].late = new(lateWrite) },
		"counted": func() { carryOut(verifyWrong) },
		"begun":   func() { carryOut(at(newID, beginFirst)) },
		"erased":  func() { r.Must(r.behind.Erase(t.Context(), states.User)) },
	} {
		r.restart(r.first)
		if change(); r.moment(true) == start {
			t.Errorf("%s: it is the same moment", name)
		}
	}
	rec := r.first.stored[states.User]
	shown := r.shows(rec)
	rec.Version++
	if r.shows(rec) == shown {
		t.Error("another version does not show")
	}
	rec = r.first.stored[states.User]
	rec.Data = []byte("damaged")
	if r.shows(rec) == shown {
		t.Error("damage does not show")
	}
	r.restart(r.first)
	if r.moment(true) != start {
		t.Error("from the start, it is another moment")
	}
	if r.moment(false) == start {
		t.Error("it is the same moment when no call can fail any more")
	}
}
