package bench_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
)

// A turn calls the operation with each number once, by all callers together.
func TestLoad(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []int
	here, most, prepared := 0, 0, 0
	meet := make(chan struct{})
	all := sync.OnceFunc(func() { close(meet) }) // the callers are here at the same time
	l := &bench.Load{
		Name:    "ten",
		Most:    10,
		Prepare: func(context.Context) error { prepared++; return nil },
		Op: func(ctx context.Context, i int) error {
			mu.Lock()
			seen = append(seen, i)
			if here++; here == 3 {
				all()
			}
			most = max(most, here)
			mu.Unlock()
			<-meet
			mu.Lock()
			here--
			mu.Unlock()
			if ctx.Done() == nil {
				return errors.New("the context can't be cancelled")
			}
			return nil
		},
	}
	turn, err := l.Run(context.Background(), 3, 99)
	slices.Sort(seen)
	if err != nil || turn.Ops != 10 || turn.Callers != 3 || prepared != 1 || most != 3 ||
		!slices.Equal(seen, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Errorf("%+v, %v; prepared %d times, %d at once, called with %v", turn, err, prepared, most, seen)
	}
}

// One operation in a hundred is slow. The clock is a fake.
func TestQuantiles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &bench.Load{Op: func(_ context.Context, i int) error {
			d := time.Millisecond
			if i == 30 {
				d = time.Second
			}
			time.Sleep(d)
			return nil
		}}
		turn, err := l.Run(t.Context(), 1, 100)
		if err != nil || turn.Quantile(0.5) != time.Millisecond || turn.Quantile(0.98) != time.Millisecond ||
			turn.Quantile(0.99) != time.Second || turn.Quantile(1) != time.Second {
			t.Errorf("%v, %v, %v, %v; %v", turn.Quantile(0.5), turn.Quantile(0.98), turn.Quantile(0.99), turn.Quantile(1), err)
		}
		// In turns the median of the ratios counts (1, 10 and 1000), and else the ratio
		// of the medians.
		of := func(ds ...time.Duration) (timing bench.LoadTiming) {
			for _, d := range ds {
				turn, err := (&bench.Load{Op: func(context.Context, int) error { time.Sleep(d); return nil }}).Run(t.Context(), 1, 1)
				if err != nil {
					t.Fatal(err)
				}
				timing.Turns = append(timing.Turns, turn)
			}
			return timing
		}
		a := of(time.Second, 10*time.Second, time.Second)
		if got := bench.QuantileRatio(a, of(time.Second, time.Second, time.Millisecond), 0.5); got != 10 {
			t.Errorf("the ratio of turns is %v", got)
		}
		if got := bench.LoadRatio(a, of(100*time.Millisecond, 100*time.Millisecond), bench.Wall); got != 10 {
			t.Errorf("the ratio of medians is %v", got)
		}
	})
}

func TestPress(t *testing.T) {
	t.Parallel()
	var order []string
	load := func(name string) *bench.Load {
		return &bench.Load{
			Name:    name,
			Most:    1,
			Prepare: func(context.Context) error { order = append(order, name); return nil },
			Op:      func(context.Context, int) error { return nil },
		}
	}
	timings, err := bench.Press(t.Context(), bench.Effort{Rounds: 3, Turn: time.Nanosecond}, 2, load("a"), load("b"))
	if err != nil || len(timings) != 2 || timings[0].Name != "a" || len(timings[1].Turns) != 3 || timings[0].Rate() <= 0 {
		t.Fatalf("%+v, %v", timings, err)
	}
	// One turn each to warm up, and then in orders that are drawn.
	if got := strings.Join(order, ""); got != "abbaabba" {
		t.Errorf("the order was %s", got)
	}

	broken := &bench.Load{Name: "broken", Op: func(context.Context, int) error { return errors.New("fault") }}
	if _, err := bench.Press(t.Context(), bench.Effort{Rounds: 1}, 2, load("a"), broken); err == nil || !strings.Contains(err.Error(), "broken: fault") {
		t.Errorf("the error of an operation came out as %v", err)
	}
}

// Each operation of the loads returns an error if it does not come out as it should.
func TestLoadsOfSignIns(t *testing.T) {
	t.Parallel()
	d := openPostgres(t)
	ctx := t.Context()
	const members, callers = 30, 8
	c := must(d.NewCrew(ctx, "crew", bench.CrewOptions{Size: 100}))(t)
	ids := c.Members(3 * members)
	if slices.Sort(ids); len(slices.Compact(slices.Clone(ids))) != 3*members {
		t.Fatalf("the members are %q", ids)
	}
	bare := must(c.Bare(ctx, "bare", ids))(t)
	kept := must(c.KeptSignIns(ids[:members]))(t)
	for _, l := range []*bench.Load{c.SignIns(ids[:members]), kept, bare.SignIns(), c.Store(ids[members : 2*members]), c.Floor(ids[2*members:])} {
		for range 3 {
			if turn, err := l.Run(ctx, callers, members); err != nil || turn.Ops != members {
				t.Errorf("%d operations: %v", turn.Ops, err)
			}
		}
	}
	// What the floor has saved are accounts.
	if turn, err := c.SignIns(ids[2*members:]).Run(ctx, callers, members); err != nil || turn.Ops != members {
		t.Errorf("%d sign-ins on what the floor has saved: %v", turn.Ops, err)
	}
}
