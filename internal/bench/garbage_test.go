package bench_test

import (
	"math"
	"runtime"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
)

// TestGarbage bounds what the Guard allocates for an account of a month. Most of it is
// needed: a cipher takes 1,280 bytes, and the record is copied out of the store, opened,
// encoded, sealed, and copied into the store. A wrong code seals a token, too. If a change
// takes more on purpose, raise the bound and measure the ratios anew. The bounds are those of
// the race detector, with which some calls take two objects and 130 bytes more.
//
// Not parallel: it counts what other goroutines allocate, too.
func TestGarbage(t *testing.T) {
	ctx := t.Context()
	for _, test := range []struct {
		name           string
		side           func(*bench.Population) *bench.Side
		objects, bytes uint64 // at most
	}{
		{"wrong code", func(p *bench.Population) *bench.Side { return p.AnswerWrong(ctx, "") }, 53, 13_440},
		{"right code", func(p *bench.Population) *bench.Side { return p.AnswerRight(ctx, "") }, 65, 14_830},
		{"wrong code that locks", func(p *bench.Population) *bench.Side { return p.AnswerFifth(ctx, "") }, 104, 27_260},
		{"while locked", func(p *bench.Population) *bench.Side { return p.AnswerLocked(ctx, "") }, 27, 7_760},
		{"SignIn", func(p *bench.Population) *bench.Side { return p.SignIn(ctx, "") }, 37, 9_110},
	} {
		t.Run(test.name, func(t *testing.T) {
			objects, bytes := garbage(t, test.side(must(bench.NewPopulation(ctx, 64))(t)))
			t.Logf("%d objects, %d bytes", objects, bytes)
			if objects > test.objects || bytes > test.bytes {
				t.Errorf("%d objects of %d bytes, want at most %d of %d", objects, bytes, test.objects, test.bytes)
			}
		})
	}
}

// garbage returns the least that one of 500 steps of the side allocates. All others allocate
// more only because a collection or another goroutine came in between, or because the race
// detector has emptied a pool, as it does in most steps.
func garbage(t *testing.T, s *bench.Side) (objects, bytes uint64) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	objects, bytes = math.MaxUint64, math.MaxUint64
	var before, after runtime.MemStats
	for left := 500; left > 0; {
		ready := must(s.Ready(left))(t)
		left -= ready
		for range ready {
			runtime.ReadMemStats(&before)
			err := s.Step()
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			objects = min(objects, after.Mallocs-before.Mallocs)
			bytes = min(bytes, after.TotalAlloc-before.TotalAlloc)
		}
	}
	return objects, bytes
}
