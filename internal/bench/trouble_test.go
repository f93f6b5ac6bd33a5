package bench_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
)

// moment is so little effort that nothing is repeated for long.
var moment = bench.Effort{Rounds: 2, Turn: time.Millisecond}

// All accounts are under the new key in the end, and those that have signed in
// meanwhile are no exception: Rotate looks at the keys of all.
func TestRotationOfCrew(t *testing.T) {
	overEach(t, bench.CrewOptions{Size: 350, Due: 10}, func(t *testing.T, _ *bench.Database, c *bench.Crew) {
		r, err := c.Rotate(t.Context(), moment, 4, c.Members(40), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		moved := r.BesideMoved + r.AloneMoved
		if !r.Done || moved < c.Size-40 || moved > c.Size || r.Resumed == 0 || len(r.Quiet.Turns) != len(r.Beside.Turns) {
			t.Errorf("%+v", r)
		}
	})
}

// An attacked crew and a first day have derivations, so they are few here.
func TestTroubles(t *testing.T) {
	t.Parallel()
	ctx, d := t.Context(), openPostgres(t)
	c := must(d.NewCrew(ctx, "crew", bench.CrewOptions{Size: 100, Slow: true}))(t)
	ids := c.Members(60)

	s, err := c.Besiege(ctx, moment, 2, 3, ids[:20], ids[20:40])
	if err != nil || s.Checks < 3 || s.Peak < bench.DerivationSize || len(s.Beside.Turns) != 2 {
		t.Errorf("%d recovery codes were derived, the heap had %d bytes; %v", s.Checks, s.Peak, err)
	}
	f, err := c.FirstDay(ctx, moment, 3, 2, ids[:20])
	if err != nil || f.Done != 3 || f.Busy != 0 || f.Peak < bench.DerivationSize || len(f.Beside.Turns) == 0 || f.Quantile(0.5) > f.Took {
		t.Errorf("%+v, %v", f, err)
	}
	u, err := c.Keep(ctx, 4, ids[40:])
	if err != nil || u.SignIns != 40 || u.WAL < 200 || u.FirstWAL < u.WAL || u.Hot <= 0 || u.Hot > 1 {
		t.Errorf("%+v, %v", u, err)
	}
}

// Of many callers for one account five are evaluated, in whatever order they come, and
// the others find it locked. With an account for each, all are evaluated.
func TestRush(t *testing.T) {
	overEach(t, bench.CrewOptions{Size: 40}, func(t *testing.T, _ *bench.Database, c *bench.Crew) {
		ctx := t.Context()
		const callers, turns = 16, 3
		p := must(c.Users(ctx, callers))(t)
		one, each := p.NewRush(), p.NewRush()
		for range turns {
			for _, l := range []*bench.Load{one.AtOne(callers), each.AtEach(callers)} {
				if _, err := l.Run(ctx, callers, callers); err != nil {
					t.Fatal(err)
				}
			}
		}
		if e, l, b := one.Evaluated.Load(), one.Locked.Load(), one.Busy.Load(); e != 5*turns || e+l+b != callers*turns || b != 0 {
			t.Errorf("of %d codes for one account %d were evaluated, %d met a lock and %d were told busy", callers*turns, e, l, b)
		}
		if e := each.Evaluated.Load(); e != callers*turns {
			t.Errorf("of %d codes for an account each %d were evaluated", callers*turns, e)
		}
	})
}
