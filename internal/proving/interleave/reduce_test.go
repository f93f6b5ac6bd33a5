package interleave

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// sceneOf returns a scene by its title.
func sceneOf(t *testing.T, title string) scene {
	t.Helper()
	for _, s := range scenes() {
		if s.title() == title {
			return s
		}
	}
	t.Fatalf("there is no scene %q", title)
	return scene{}
}

// Triples with a fault that are chosen are of a scene that there is.
func TestTriplesAreOfScenes(t *testing.T) {
	t.Parallel()
	for title := range threeIn {
		sceneOf(t, title)
	}
}

// Orders that differ only in steps that commute are walked once, and so is what several come
// to. All that can come of the others comes of those that are left.
func TestNothingIsMissedByLeavingOrdersOut(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the states are for SHA-1")
	}
	for _, c := range []struct {
		scene  string
		ops    []operation
		faults bool
	}{
		{"staged", []operation{verifyApp, answerApp}, true},
		{"staged", []operation{verifyWrong, signIn}, true},
		{"none", []operation{beginFirst, erase}, true},
		{"staged", []operation{sweep, verifyRecovery}, false},
		{"staged", []operation{signIn, verifyApp, verifyWrong}, false},
		{"staged resealing", []operation{reseal, verifyApp}, false},
		{"new id", []operation{move, at(newID, beginFirst)}, false},
		{"interrupted after 3", []operation{move, verifyApp}, true},
		{"staged resealing", []operation{reseal, verifyWrong}, true},
		{"staged", []operation{signIn, verifyApp, verifyWrong}, true},
		{"none", []operation{beginFirst, erase, signIn}, true},
	} {
		s := sceneOf(t, c.scene)
		from := states.New(t, s.state, recovery.Fast)
		var walked [2]int
		var came [2]map[string]bool
		for i := range came {
			came[i] = make(map[string]bool)
			r := newRig(t, proving.Memory, nil, from, s, c.ops, newNotes())
			r.unreduced = i == 0
			r.came = func(got outcome) { came[i][fmt.Sprint(got)] = true }
			n, err := r.walk(Options{Faults: c.faults})
			if err != nil {
				t.Error(err)
			}
			walked[i] = n
		}
		t.Logf("%s/%s: %d outcomes of %d schedules, of %d without those left out", c.scene, nameOf(c.ops), len(came[0]), walked[0], walked[1])
		if !maps.Equal(came[0], came[1]) || walked[1] >= walked[0] {
			t.Errorf("%s/%s: %d schedules have %d outcomes, and %d of them have %d", c.scene, nameOf(c.ops), walked[0], len(came[0]), walked[1], len(came[1]))
		}
	}
}

// Steps commute only if each can be taken after the other, and nothing but their order
// changes.
func TestStepsThatCommute(t *testing.T) {
	t.Parallel()
	load, save, erase, list := call{proving.Load, "a"}, call{proving.Save, "a"}, call{proving.Erase, "a"}, call{proving.List, ""}
	other := call{proving.Save, "b"}
	all := []step{
		{0, load, fine}, {0, save, fine}, {0, erase, fine}, {0, list, fine}, {0, other, fine}, {0, save, fails}, {0, save, losesReply}, {0, save, refused}, {0, save, late},
	}
	want := map[int][]int{ // of the first process with the second, by their places
		0: {0, 3, 4, 5, 7, 8}, 1: {4, 5, 7, 8}, 2: {4, 5, 7, 8}, 3: {0, 3, 5, 7, 8}, 4: {0, 1, 2, 5, 6, 7, 8}, 5: {0, 1, 2, 3, 4}, 6: {4}, 7: {0, 1, 2, 3, 4},
		8: {0, 1, 2, 3, 4},
	}
	for i, a := range all {
		for k, b := range all {
			if a.commutes(b) {
				t.Errorf("two steps of one process commute: %v, %v", a, b)
			}
			b.process = 1
			if got := a.commutes(b); got != slices.Contains(want[i], k) || got != b.commutes(a) {
				t.Errorf("%v and %v: they commute: %t", a, b, got)
			}
		}
	}
}
