//go:build linux

package integration_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/long"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
)

const (
	// downFor is how long a link is down that nobody is to miss. The kernels send again until
	// it is up.
	downFor = 700 * time.Millisecond

	// answerWithin is how long a request waits while a link goes down.
	answerWithin = 2 * time.Second

	// missedWithin bounds how long a link is down until a request has no answer. A Guard waits
	// for a write, and then for the look afterwards.
	missedWithin = time.Minute
)

// TestLinkGoesDown takes the link between the nodes and their server down in every other
// round: for a moment, or until a request has come back without an answer. Nothing that was
// acknowledged is lost, and no code works twice.
func TestLinkGoesDown(t *testing.T) {
	t.Parallel()
	for _, backend := range testenv.Remotes {
		t.Run(backend.Name, func(t *testing.T) {
			t.Parallel()
			l, open := backend.Linked(t)
			up := func() {
				if err := l.Up(); err != nil {
					t.Error(err)
				}
			}
			var missing atomic.Pointer[time.Timer] // while the link is down until it is missed
			missed := func() bool {
				timer := missing.Swap(nil)
				if timer == nil || !timer.Stop() {
					return false
				}
				up()
				return true
			}
			start := func(t *testing.T, e siege.Ears) siege.Nodes {
				nodes := siege.Open(open).Start(t, e)
				for i, do := range nodes {
					nodes[i] = func(ctx context.Context, r siege.Request) (siege.Reply, error) {
						ctx, cancel := context.WithTimeout(ctx, answerWithin)
						defer cancel()
						a, err := do(ctx, r)
						if a.Reason == proving.Fault {
							missed()
						}
						return a, err
					}
				}
				return nodes
			}
			downs, untilMissed := 0, 0
			var ups sync.WaitGroup
			figures := siege.Run(t, start, func() {
				if err := l.Down(); err != nil {
					t.Error(err)
				}
				if downs++; downs%2 == 0 {
					ups.Add(1)
					time.AfterFunc(downFor, func() { defer ups.Done(); up() })
					return
				}
				untilMissed++
				missing.Store(time.AfterFunc(missedWithin, func() {
					t.Errorf("the link is down for %v, and each request has an answer", missedWithin)
					up()
				}))
			}, long.Siege(t, 4))
			long.Report(t, backend.Name+", the link goes down", figures)
			ups.Wait()
			if missed() {
				t.Error("the link is down, and each request had an answer")
			}
			t.Logf("the link was down %d times, %d of them until it was missed; %d requests had no answer", downs, untilMissed, figures.Faults)
			if untilMissed == 0 || figures.Faults < untilMissed {
				t.Error("no request was without an answer")
			}
		})
	}
}

// TestSaveHangs takes the link down while a right code is being stored, for longer than the
// Guard waits. The caller is told of a fault and not kept waiting. The write may arrive later,
// when its sender has given up. The code works once in either case.
func TestSaveHangs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it waits for the Guard's deadline")
	}
	const settle, slack = 10 * time.Second, 20 * time.Second // the deadline is for the write, and for the look afterwards
	for _, backend := range testenv.Remotes {
		t.Run(backend.Name, func(t *testing.T) {
			t.Parallel()
			l, open := backend.Linked(t)
			s := &watched{Full: open()}
			kit := proving.Over(t, s)
			alice := kit.Enroll("alice")
			kit.Pass(time.Hour)
			code := kit.Code(alice.Key)
			verify := func(ctx context.Context) error {
				_, err := kit.Guard.Verify(ctx, "alice", "test", code)
				return err
			}

			s.before = func() {
				if err := l.Down(); err != nil {
					t.Error(err)
				}
			}
			began := time.Now()
			err := verify(t.Context())
			if reason := proving.ReasonOf(err); reason != proving.Fault {
				t.Errorf("Verify without a link = %v, want a fault", err)
			}
			if took := time.Since(began); took > 2*settle+slack {
				t.Errorf("Verify has taken %v, want %v for the write and as long for the look", took, settle)
			}
			// A caller who gives up is not kept, as long as nothing was decided.
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			began = time.Now()
			if err := verify(ctx); proving.ReasonOf(err) != proving.Fault {
				t.Errorf("Verify of a caller who gives up = %v, want a fault", err)
			}
			if took := time.Since(began); took > settle {
				t.Errorf("a caller who gives up was kept for %v", took)
			}

			if err := l.Up(); err != nil {
				t.Fatal(err)
			}
			accepted := 0
			for range 2 {
				var last error
				err := server.Until(t.Context(), func() error {
					ctx, cancel := context.WithTimeout(t.Context(), settle)
					defer cancel()
					if last = verify(ctx); proving.ReasonOf(last) == proving.Fault {
						return last // the link may take a moment
					}
					return nil
				})
				switch {
				case err != nil:
					t.Fatal(err)
				case last == nil:
					accepted++
				case proving.ReasonOf(last) != enrollment.ReasonReplayed:
					t.Fatalf("Verify = %v", last)
				}
			}
			if accepted > 1 {
				t.Errorf("the code was accepted %d times", accepted)
			}
			t.Logf("accepted after the link was up: %d", accepted)
		})
	}
}
