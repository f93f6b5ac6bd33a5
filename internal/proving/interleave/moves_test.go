package interleave

import (
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// A client of the store that hides failed writes is caught beside a move and a change of
// the key as well: an id is not closed, a record has the old key.
func TestHastyMovesAreCaught(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the states are for SHA-1")
	}
	between := func(behind proving.Full) proving.Full { return cheat{behind, hasty} }
	for title, pair := range map[string][]operation{
		"staged moving": {move, signIn}, "new id": {move, at(newID, signIn)}, "moves": {move, moveOther},
		"interrupted after 1": {move, signIn}, "interrupted after 2": {move, signIn}, "interrupted after 3": {move, signIn},
		"interrupted after 4": {move, signIn}, "staged resealing": {reseal, signIn},
	} {
		s := sceneOf(t, title)
		from := states.New(t, s.state, recovery.Fast)
		for _, faults := range []bool{false, true} {
			n, err := newRig(t, proving.Memory, between, from, s, pair, newNotes()).walk(Options{Faults: faults})
			if caught := err != nil; caught != faults {
				t.Errorf("%s/%s, with faults %v: %d schedules, %v", title, nameOf(pair), faults, n, err)
			}
		}
	}
}

// Beside a move there is something to seal anew.
func TestMovesAreResealed(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the states are for SHA-1")
	}
	for title, users := range map[string][]string{
		"interrupted after 1": {states.User, newID}, "interrupted after 2": {states.User, newID},
		"interrupted after 3": {states.User, newID}, "interrupted after 4": {states.User, newID}, "moves": {states.User, states.Other},
	} {
		s, found := sceneOf(t, title), false
		for _, c := range s.combinations(Options{Processes: 2}) {
			if c[1].name != reseal.name {
				continue
			}
			r := newRig(t, proving.Memory, nil, states.New(t, s.state, recovery.Fast), s, c, newNotes())
			keys := func(want string) {
				for _, user := range users {
					if got := r.judge.key(load(t, r.behind.Full, user)); got != want {
						t.Errorf("%s: %s is %q, want %q", title, user, got, want)
					}
				}
			}
			keys("sealed under the key first")
			r.inOrder([]turn{{1, 1}}, nil)
			keys("sealed under the key second")
			found = true
		}
		if !found {
			t.Errorf("%s has no %s", title, reseal.name)
		}
	}
}

// A move by hand is an export, an import under the new id and an erasure of the old one. It
// loses what happens meanwhile.
func TestMoveByHandIsCaught(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the states are for SHA-1")
	}
	byHand := support("move by hand", func(ctx ctx, s st, a admin) error {
		exported, err := a.Export(ctx, a.user)
		if err != nil {
			return err
		}
		var im enrollment.Import
		for _, x := range exported.Reveal() {
			im.Authenticators = append(im.Authenticators, enrollment.ImportedAuthenticator{Key: x.Key, Name: x.Name, Added: x.Added})
		}
		if err := a.Import(ctx, newID, im); err != nil {
			return err
		}
		return a.Erase(ctx, a.user)
	})
	s := sceneOf(t, "staged moving")
	from := states.New(t, s.state, recovery.Fast)
	for _, op := range []operation{disable, remove, confirm} {
		if n, err := newRig(t, proving.Memory, nil, from, s, []operation{byHand, op}, newNotes()).walk(Options{}); err == nil {
			t.Errorf("%s came out well in all of %d schedules", op.name, n)
		}
	}
}

// A code that works under two ids is found even where an order explains that.
func TestCodeUnderTwoIDsIsCaught(t *testing.T) {
	t.Parallel()
	const code = "the app code"
	for _, c := range []struct {
		used   []enrollment.Reason
		open   int
		caught bool
	}{
		{[]enrollment.Reason{"", enrollment.ReasonReplayed}, 0, false},
		{[]enrollment.Reason{enrollment.ReasonReplayed, proving.Fault}, 1, false},
		{[]enrollment.Reason{"", ""}, 0, true},
		{[]enrollment.Reason{underOther, ""}, 1, true},
		{[]enrollment.Reason{proving.Fault, underOther}, 2, true},
	} {
		r := &rig{ops: []operation{verifyApp, at(newID, verifyApp)}}
		got := outcome{description: description{open: map[string]int{code: c.open}}}
		for _, reason := range c.used {
			got.results = append(got.results, result{reason: reason})
		}
		if err := r.once(got); (err != nil) != c.caught || err != nil && !strings.Contains(err.Error(), code) {
			t.Errorf("%q, and it works %d times yet: %v", c.used, c.open, err)
		}
	}
}
