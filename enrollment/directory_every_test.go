package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

const interval = 5 * time.Minute

// inTime runs a test in which the clock of the Kit's Guard goes on while all wait.
func inTime(t *testing.T, test func(t *testing.T, k *proving.Kit)) {
	t.Helper()
	if fips.Enforced() {
		t.Skip("in FIPS 140-3 mode crypto/rand can't be seeded by the clock of a bubble")
	}
	synctest.Test(t, func(t *testing.T) {
		test(t, proving.New(t, func(c *enrollment.Config) {
			began, start := time.Now(), c.Now
			c.Now = func() time.Time { return start().Add(time.Since(began)) }
		}))
	})
}

// sweeping sweeps in the background until stop is called, which waits for the end.
func sweeping(t *testing.T, d *enrollment.Directory) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.SweepEvery(ctx, interval)
	}()
	synctest.Wait()
	return func() { cancel(); <-ended }
}

// pass lets time go by, until everybody waits again.
func pass(d time.Duration) {
	time.Sleep(d) // of the bubble: it takes no time
	synctest.Wait()
}

// sweepsAt notes when the Sweeps begin.
func sweepsAt(k *proving.Kit) *[]time.Duration {
	began, at := time.Now(), new([]time.Duration)
	k.Store.Before(proving.List, func(_ context.Context, c *proving.Call) {
		if !c.Query.DueBy.IsZero() {
			*at = append(*at, time.Since(began))
		}
	})
	return at
}

// It sweeps at once and after each interval, says nothing if all is well, and returns when
// the context ends, which is while it waits.
func TestSweepEvery(t *testing.T) {
	t.Parallel()
	inTime(t, func(t *testing.T, k *proving.Kit) {
		k.Begin("alice", enrollment.BeginOptions{})
		at := sweepsAt(k)
		k.Log()
		stop := sweeping(t, k.Directory())
		pass(3 * interval)
		if k.Record("alice").State != store.None {
			t.Error("the expired setup is not deleted")
		}
		stop()
		if log := k.Log(); strings.Contains(log, "ERROR") {
			t.Errorf("the log has %s", log)
		}
		pass(3 * interval)
		if want := []time.Duration{0, interval, 2 * interval, 3 * interval}; !slices.Equal(*at, want) {
			t.Errorf("swept at %v, want %v", *at, want)
		}
	})
}

// Whatever fails is in the log, and the next round tries again.
func TestSweepEveryTriesAgain(t *testing.T) {
	t.Parallel()
	failed := errors.New("the database is away")
	for name, c := range map[string]struct {
		fail, mend func(k *proving.Kit)
		says       []string
	}{
		"the listing": {
			func(k *proving.Kit) { k.Store.Fail(proving.List, failed) }, func(k *proving.Kit) { k.Store.Straighten() },
			[]string{`level=ERROR msg="twofactor sweep ended early" error="enrollment: listing accounts: the database is away"`},
		},
		"an account": {
			func(k *proving.Kit) { k.Store.Fail(proving.Save, failed) }, func(k *proving.Kit) { k.Store.Straighten() },
			[]string{`level=ERROR msg="twofactor account not swept" user=alice`, "the database is away"},
		},
		"Notify": {
			func(k *proving.Kit) { k.FailNotify(failed) }, func(k *proving.Kit) { k.FailNotify(nil) },
			[]string{`level=ERROR msg="twofactor event not delivered" user=alice`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inTime(t, func(t *testing.T, k *proving.Kit) {
				k.FailNotify(failed)
				k.Enroll("alice")
				pass(time.Hour)
				k.FailNotify(nil)
				c.fail(k)
				k.Log()
				defer sweeping(t, k.Directory())()
				pass(interval)
				log := k.Log()
				for _, want := range c.says {
					if strings.Count(log, want) < 2 { // once in each round
						t.Errorf("the log has\n%swant in each round %s", log, want)
					}
				}
				if told := k.Told(); len(told) != 0 {
					t.Fatalf("told of %+v", told)
				}
				c.mend(k)
				pass(interval)
				if told := proving.Kinds(k.Told()); !slices.Equal(told, []enrollment.EventKind{enrollment.EventEnabled}) {
					t.Errorf("told of %q", told)
				}
				if log := k.Log(); strings.Contains(log, "ERROR") {
					t.Errorf("then the log has %s", log)
				}
			})
		})
	}
}

// A Notify that panics ends neither the Sweep nor the program.
func TestSweepEverySurvivesNotify(t *testing.T) {
	t.Parallel()
	inTime(t, func(t *testing.T, k *proving.Kit) {
		var mended atomic.Bool
		var told atomic.Int32
		k.Configure(func(c *enrollment.Config) {
			c.Notify = func(context.Context, enrollment.Event) error {
				if !mended.Load() {
					panic("no queue")
				}
				told.Add(1)
				return nil
			}
		})
		k.EnrollAll("alice", "bob")
		pass(time.Hour)
		k.Log()
		defer sweeping(t, k.Directory())()
		if log := k.Log(); strings.Count(log, "Config.Notify panicked") != 2 {
			t.Errorf("the log has %s", log)
		}
		mended.Store(true)
		pass(interval)
		if n := told.Load(); n != 2 {
			t.Errorf("told of %d events, want 2", n)
		}
	})
}

// A Sweep that takes longer than the interval is not overtaken by the next one, and the
// database has a pause after it.
func TestSweepEverySlowly(t *testing.T) {
	t.Parallel()
	inTime(t, func(t *testing.T, k *proving.Kit) {
		at, slow := sweepsAt(k), true
		k.Store.After(proving.List, func(context.Context, *proving.Call) {
			if slow {
				slow = false
				time.Sleep(3 * interval)
			}
		})
		defer sweeping(t, k.Directory())()
		pass(5 * interval)
		if want := []time.Duration{0, 4 * interval, 5 * interval}; !slices.Equal(*at, want) {
			t.Errorf("swept at %v, want %v", *at, want)
		}
	})
}

// The end of the context during a Sweep is no error. The account under way is saved, and no
// other is begun.
func TestSweepEveryEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		op   proving.Op
		left int // setups that stay
	}{
		"while it lists": {proving.List, 3},
		"while it loads": {proving.Load, 3},
		"while it saves": {proving.Save, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inTime(t, func(t *testing.T, k *proving.Kit) {
				for _, user := range []string{"alice", "bob", "carol"} {
					k.Begin(user, enrollment.BeginOptions{})
				}
				pass(time.Hour)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				k.Store.Nth(c.op, 1, func(context.Context, *proving.Call) { cancel() })
				k.Log()
				k.Directory().SweepEvery(ctx, interval)
				left := 0
				for _, user := range []string{"alice", "bob", "carol"} {
					if k.Record(user).State == store.Pending {
						left++
					}
				}
				if left != c.left {
					t.Errorf("%d setups are left, want %d", left, c.left)
				}
				if log := k.Log(); strings.Contains(log, "ERROR") {
					t.Errorf("the log has %s", log)
				}
			})
		})
	}
}

// Processes that start at the same moment do each thing once.
func TestSweepEveryTogether(t *testing.T) {
	t.Parallel()
	inTime(t, func(t *testing.T, k *proving.Kit) {
		k.FailNotify(errors.New("no queue"))
		k.EnrollAll("alice", "bob", "carol")
		k.FailNotify(nil)
		pass(time.Hour)
		for range 4 {
			defer sweeping(t, k.DirectoryOf(k.Node(), k.Store))()
		}
		pass(10 * interval)
		if told := k.Told(); len(told) != 3 {
			t.Errorf("told of %+v", told)
		}
	})
}

// A mistake of the programmer shows when the program starts: 5 is five nanoseconds.
func TestSweepEveryPanics(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for interval, want := range map[time.Duration]bool{-time.Hour: true, 0: true, 5: true, time.Second - 1: true, time.Second: false, time.Hour: false} {
		text := panicOf(func() { k.Directory().SweepEvery(ended, interval) })
		if strings.Contains(text, "shorter than a second") != want {
			t.Errorf("%v: %q", interval, text)
		}
	}
	if k.Store.Calls() != 0 {
		t.Error("it has swept after the end of the context")
	}
}

// panicOf returns the text that f panics with.
func panicOf(f func()) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprint(v)
		}
	}()
	f()
	return ""
}
