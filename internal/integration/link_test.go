//go:build linux

package integration_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/long"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
)

// downFor is how long a link is down in a siege. The kernels send again until it is up.
const downFor = 700 * time.Millisecond

// TestLinkGoesDown takes the link between the nodes and their server down in every other
// round. Nothing that was acknowledged is lost, and no code works twice.
func TestLinkGoesDown(t *testing.T) {
	t.Parallel()
	for _, backend := range testenv.Remotes {
		t.Run(backend.Name, func(t *testing.T) {
			t.Parallel()
			l, open := backend.Linked(t)
			downs := 0
			var ups sync.WaitGroup
			long.Report(t, backend.Name+", the link goes down", siege.Run(t, siege.Open(open).Start, func() {
				downs++
				if err := l.Down(); err != nil {
					t.Error(err)
				}
				ups.Add(1)
				time.AfterFunc(downFor, func() {
					defer ups.Done()
					if err := l.Up(); err != nil {
						t.Error(err)
					}
				})
			}, long.Siege(t, 4)))
			ups.Wait()
			t.Logf("the link was down %d times", downs)
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
			verify := func() error {
				_, err := kit.Guard.Verify(t.Context(), "alice", "test", code)
				return err
			}

			s.before = func() {
				if err := l.Down(); err != nil {
					t.Error(err)
				}
			}
			began := time.Now()
			err := verify()
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
			if _, err := kit.Guard.Verify(ctx, "alice", "test", code); proving.ReasonOf(err) != proving.Fault {
				t.Errorf("Verify of a caller who gives up = %v, want a fault", err)
			}
			if took := time.Since(began); took > settle {
				t.Errorf("a caller who gives up was kept for %v", took)
			}

			if err := l.Up(); err != nil {
				t.Fatal(err)
			}
			accepted := 0
			for tries := 0; tries < 2; {
				switch err := verify(); proving.ReasonOf(err) {
				case "":
					accepted++
					tries++
				case enrollment.ReasonReplayed:
					tries++
				case proving.Fault: // the link may take a moment
				default:
					t.Fatalf("Verify = %v", err)
				}
			}
			if accepted > 1 {
				t.Errorf("the code was accepted %d times", accepted)
			}
			t.Logf("accepted after the link was up: %d", accepted)
		})
	}
}
