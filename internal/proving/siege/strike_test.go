package siege

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// TestSiegeStrikesAnywhere sees that strikes come early and late in a round, before a call
// and after a Save.
func TestSiegeStrikesAnywhere(t *testing.T) {
	t.Parallel()
	var s *siege
	var saving atomic.Int64 // how many are in Ears.Saved
	saved, quarters := 0, [4]int{}
	start := func(t *testing.T, e Ears) Nodes {
		said := e.Saved
		e.Saved = func(v Version) {
			saving.Add(1)
			said(v)
			saving.Add(-1)
		}
		return same(proving.Memory(t).(proving.Full)).Start(t, e)
	}
	s = newSiege(t, start, func() {
		if saving.Load() > 0 {
			saved++
		}
		quarters[min(3, 4*(s.calls.Load()-s.began)/s.quiet)]++
	})
	const rounds = 80
	if figures := s.besiege(t, Length{Rounds: rounds}); len(figures.Broken) > 0 || len(figures.Wrong) > 0 {
		t.Errorf("%v: %v\n%s", figures, figures.Broken, figures.Findings())
	}
	t.Logf("of %d strikes, %d come after a Save; in the quarters of a round, there are %v", rounds/2, saved, quarters)
	for _, n := range append(quarters[:], saved, rounds/2-saved) {
		if n == 0 {
			t.Error("not everywhere")
		}
	}
}

// TestSiegeMissesStrikes has a siege that hears of no call, so that every strike waits until the
// requests of its round are over.
func TestSiegeMissesStrikes(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T, e Ears) Nodes {
		e.Called, e.Saved = func() {}, func(Version) {}
		return same(proving.Memory(t).(proving.Full)).Start(t, e)
	}
	ready, strikes := 0, 0
	figures := newSiege(t, start, func() { strikes++ }).besiege(t, Length{Rounds: 2, Ready: func() { ready++ }})
	if !slices.Contains(figures.Broken, "no strike came in the middle of a round") || strikes != 1+more/2 || ready != strikes {
		t.Errorf("%d strikes, %d times ready, missed: %q", strikes, ready, figures.Broken)
	}
}

// TestSiegeCatchesHastyStore has a store that has nothing flushed when it acknowledges, but
// has when it is called again. It loses something if it dies in between.
func TestSiegeCatchesHastyStore(t *testing.T) {
	t.Parallel()
	f := &forgetful{Full: proving.Memory(t).(proving.Full)}
	start := func(t *testing.T, e Ears) Nodes {
		called := e.Called
		e.Called = func() {
			f.flush()
			called()
		}
		return same(f).Start(t, e)
	}
	if figures := Find(t, start, f.die, Length{Rounds: 80}); len(figures.Wrong) == 0 {
		t.Error("it was not caught")
	} else {
		t.Log(figures)
	}
}
