package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Load is an operation that many callers do at the same time, to be measured
// beside another.
type Load struct {
	// Name tells the load in tables.
	Name string

	// Op does the work once, and returns an error if it did not come out as the
	// comparison needs it. It gets a context that can be cancelled, as that of a
	// request. The argument counts from 0 in each turn.
	Op func(ctx context.Context, i int) error

	// Prepare puts things back before each turn. It is not timed. Nil means that
	// there is nothing to put back.
	Prepare func(ctx context.Context) error

	// Most is how often Op can be called in a turn; 0 means without end.
	Most int
}

// A Turn is what came of a Load in one turn.
type Turn struct {
	Callers, Ops int
	Cost         Cost
	each         []time.Duration // by Op, sorted
}

// Rate returns the operations per second.
func (t Turn) Rate() float64 { return float64(t.Ops) / t.Cost.Wall.Seconds() }

// Quantile returns the time that this part of the operations took at the most,
// for example 0.99 of them. It includes what a caller waited for a connection.
func (t Turn) Quantile(part float64) time.Duration {
	return t.each[min(len(t.each)-1, int(part*float64(len(t.each))))]
}

// Run has that many callers do the operation n times together, at most Most.
func (l *Load) Run(ctx context.Context, callers, n int) (Turn, error) {
	if l.Most > 0 {
		n = min(n, l.Most)
	}
	if l.Prepare != nil {
		if err := l.Prepare(ctx); err != nil {
			return Turn{}, fmt.Errorf("preparing %s: %w", l.Name, err)
		}
	}
	t := Turn{Callers: callers, Ops: n, each: make([]time.Duration, n)}
	errs := make([]error, callers)
	var taken atomic.Int64
	var wg sync.WaitGroup
	start := now()
	for c := range callers {
		wg.Go(func() {
			for i := int(taken.Add(1)) - 1; i < n; i = int(taken.Add(1)) - 1 {
				began := time.Now()
				if errs[c] = l.once(ctx, i); errs[c] != nil {
					taken.Store(int64(n))
					return
				}
				t.each[i] = time.Since(began)
			}
		})
	}
	wg.Wait()
	t.Cost = now().less(start)
	if err := errors.Join(errs...); err != nil {
		return t, fmt.Errorf("%s: %w", l.Name, err)
	}
	slices.Sort(t.each)
	return t, nil
}

// once does the operation for one request.
func (l *Load) once(ctx context.Context, i int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return l.Op(ctx, i)
}

// A LoadTiming is what came of a Load in all its turns.
type LoadTiming struct {
	Name  string
	Turns []Turn
}

// Press measures the loads with that many callers in turns, in the order of orders.
func Press(ctx context.Context, e Effort, callers int, loads ...*Load) ([]LoadTiming, error) {
	timings := make([]LoadTiming, len(loads))
	counts := make([]int, len(loads))
	for i, l := range loads {
		timings[i].Name = l.Name
		n, err := l.calibrate(ctx, callers, e.Turn)
		if err != nil {
			return nil, err
		}
		counts[i] = n
	}
	for order := range orders(len(loads), e.Rounds) {
		for _, i := range order {
			t, err := loads[i].Run(ctx, callers, counts[i])
			if err != nil {
				return nil, err
			}
			timings[i].Turns = append(timings[i].Turns, t)
		}
	}
	return timings, nil
}

// calibrate warms the load up and returns how often it runs in a turn.
func (l *Load) calibrate(ctx context.Context, callers int, turn time.Duration) (int, error) {
	for n := callers; ; n *= 2 {
		t, err := l.Run(ctx, callers, n)
		if err != nil {
			return 0, err
		}
		if t.Cost.Wall >= turn/2 || t.Ops < n {
			return max(callers, int(float64(turn)/float64(t.Cost.Wall)*float64(t.Ops))), nil
		}
	}
}

// Op returns the median over the turns of what one operation took of the time of
// all callers together: the inverse of the throughput.
func (t LoadTiming) Op(by Measure) time.Duration {
	return t.median(func(t Turn) time.Duration { return by(t.Cost.per(t.Ops)) })
}

// Rate returns the operations per second, the median over the turns.
func (t LoadTiming) Rate() float64 {
	return float64(time.Second) / float64(max(1, t.Op(Wall)))
}

// Quantile returns the median over the turns of Turn.Quantile.
func (t LoadTiming) Quantile(part float64) time.Duration {
	return t.median(func(t Turn) time.Duration { return t.Quantile(part) })
}

func (t LoadTiming) median(of func(Turn) time.Duration) time.Duration {
	all := make([]time.Duration, len(t.Turns))
	for i, turn := range t.Turns {
		all[i] = of(turn)
	}
	return Median(all)
}

// LoadRatio returns the median over the rounds of how many times as much as b a
// took, by what one operation took. If the two did not take turns, it is the ratio of
// their medians.
func LoadRatio(a, b LoadTiming, by Measure) float64 {
	return ratioOf(a, b, func(t Turn) time.Duration { return by(t.Cost.per(t.Ops)) })
}

// QuantileRatio is LoadRatio by a quantile.
func QuantileRatio(a, b LoadTiming, part float64) float64 {
	return ratioOf(a, b, func(t Turn) time.Duration { return t.Quantile(part) })
}

func ratioOf(a, b LoadTiming, of func(Turn) time.Duration) float64 {
	if len(a.Turns) != len(b.Turns) {
		return float64(a.median(of)) / float64(max(1, b.median(of)))
	}
	ratios := make([]float64, len(a.Turns))
	for i := range ratios {
		ratios[i] = float64(of(a.Turns[i])) / float64(max(1, of(b.Turns[i])))
	}
	return Median(ratios)
}
