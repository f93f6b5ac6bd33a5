package bench

import (
	"cmp"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"time"
)

// A Side is one way of doing something, to be timed beside another. It is not
// safe for concurrent use.
type Side struct {
	// Name tells the side in tables and benchmarks.
	Name string

	// Op does the work once, and returns an error if it did not come out as
	// the comparison needs it. The argument counts from 0 after each Prepare.
	Op func(i int) error

	// Prepare puts things back so that Op can be called Batch times. It is not
	// timed. Nil means that Op can be called without end.
	Prepare func() error
	Batch   int

	next     int
	prepared bool
}

// Ready makes the side ready for n calls of Step, n at most Batch, and returns
// how many of the n calls it is ready for.
func (s *Side) Ready(n int) (int, error) {
	if s.Prepare == nil {
		return n, nil
	}
	if !s.prepared || s.next == s.Batch {
		if err := s.Prepare(); err != nil {
			return 0, fmt.Errorf("preparing %s: %w", s.Name, err)
		}
		s.next, s.prepared = 0, true
	}
	return min(n, s.Batch-s.next), nil
}

// Step does the work once.
func (s *Side) Step() error {
	i := s.next
	s.next++
	if err := s.Op(i); err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	return nil
}

// Time does the work n times and returns what that took, preparations left out.
func (s *Side) Time(n int) (Cost, error) {
	var sum Cost
	for n > 0 {
		k, err := s.Ready(n)
		if err != nil {
			return Cost{}, err
		}
		start := now()
		for range k {
			if err := s.Step(); err != nil {
				return Cost{}, err
			}
		}
		end := now()
		took := end.less(start)
		sum.Wall += took.Wall
		sum.CPU += took.CPU
		n -= k
	}
	return sum, nil
}

// A Cost is what some work took.
type Cost struct {
	Wall time.Duration // on the clock
	CPU  time.Duration // of all processors by this process, the garbage collector's included
}

func (c Cost) per(n int) Cost {
	return Cost{c.Wall / time.Duration(n), c.CPU / time.Duration(n)}
}

func (c Cost) less(d Cost) Cost { return Cost{c.Wall - d.Wall, c.CPU - d.CPU} }

var started = time.Now()

// now returns what the process has taken so far.
func now() Cost {
	return Cost{Wall: time.Since(started), CPU: processorTime()}
}

// Effort is how long to measure.
type Effort struct {
	Rounds int           // how often each side gets its turn
	Turn   time.Duration // how long a turn lasts, about
}

// A Timing is what came out for one side.
type Timing struct {
	Name string
	each []Cost // of one Op, by round
}

// A Measure picks the cost that is compared: Wall where the work waits for
// something, CPU where it does not. A busy machine takes processors away at
// any time, which CPU does not see.
type Measure func(Cost) time.Duration

// The measures.
var (
	Wall Measure = func(c Cost) time.Duration { return c.Wall }
	CPU  Measure = func(c Cost) time.Duration { return c.CPU }
)

// Op returns the median over the rounds of what one Op took.
func (t Timing) Op(by Measure) time.Duration {
	all := make([]time.Duration, len(t.each))
	for i, c := range t.each {
		all[i] = by(c)
	}
	return Median(all)
}

// Interleave times the sides in turns, so that a busy machine slows all of them alike; see
// orders.
func Interleave(e Effort, sides ...*Side) ([]Timing, error) {
	timings := make([]Timing, len(sides))
	counts := make([]int, len(sides))
	for i, s := range sides {
		timings[i].Name = s.Name
		n, err := calibrate(s, e.Turn)
		if err != nil {
			return nil, err
		}
		counts[i] = n
	}
	for order := range orders(len(sides), e.Rounds) {
		for _, i := range order {
			c, err := sides[i].Time(counts[i])
			if err != nil {
				return nil, err
			}
			timings[i].each = append(timings[i].each, c.per(counts[i]))
		}
	}
	return timings, nil
}

// orders returns the order of n sides in each round. Each order that is drawn is followed by its
// reverse, so that none of two sides comes first more often than the other. The orders are the
// same each time.
func orders(n, rounds int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		drawn, order := rand.New(rand.NewPCG(1, 2)), []int(nil)
		for round := range rounds {
			if round%2 == 0 {
				order = drawn.Perm(n)
			} else {
				slices.Reverse(order)
			}
			if !yield(order) {
				return
			}
		}
	}
}

// calibrate warms the side up and returns how often it runs in a turn.
func calibrate(s *Side, turn time.Duration) (int, error) {
	for n := 1; ; n *= 2 {
		c, err := s.Time(n)
		if err != nil {
			return 0, err
		}
		if c.Wall >= turn/2 {
			return max(1, int(float64(turn)/float64(c.Wall)*float64(n))), nil
		}
	}
}

// Ratio returns the median over the rounds of how many times as much as b a
// took. The two turns of a round are close to each other, so that their ratio varies
// less than either.
func Ratio(a, b Timing, by Measure) float64 {
	ratios := make([]float64, len(a.each))
	for i := range ratios {
		ratios[i] = float64(by(a.each[i])) / float64(by(b.each[i]))
	}
	return Median(ratios)
}

// Median returns the median, the upper one of two.
func Median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
