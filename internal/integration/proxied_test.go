package integration_test

import (
	"context"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/histories"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/long"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/proxy"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A watched store calls before before the next Save.
type watched struct {
	proving.Full
	before func()
}

func (s *watched) Save(ctx context.Context, r store.Record, prev int64) error {
	if f := s.before; f != nil {
		s.before = nil
		f()
	}
	return s.Full.Save(ctx, r, prev)
}

// TestLostReply cuts the connection around the write of a right code. A write whose
// reply is lost is recognised, and one that never arrived can be tried again. The code
// works once in either case.
func TestLostReply(t *testing.T) {
	t.Parallel()
	for _, backend := range testenv.Remotes {
		t.Run(backend.Name, func(t *testing.T) {
			t.Parallel()
			p, open := backend.Proxied(t)
			s := &watched{Full: open()}
			kit := proving.Over(t, s)
			alice := kit.Enroll("alice")
			for _, c := range []struct {
				name      string
				direction proxy.Direction
				keep      int
			}{
				{"nothing", proxy.Request, 1 << 20}, // to see that it is the cut
				{"the reply", proxy.Reply, 0},
				{"the end of the reply", proxy.Reply, 3},
				{"the end of the request", proxy.Request, 40},
				{"the request", proxy.Request, 0},
			} {
				kit.Pass(time.Hour)
				verify := func() error {
					_, err := kit.Guard.Verify(t.Context(), "alice", "test", kit.Code(alice.Key))
					return err
				}
				if c.name != "nothing" {
					s.before = func() { p.Cut(c.direction, c.keep) }
				}
				before := p.Figures()
				err := verify()
				if c.direction == proxy.Request && c.keep < 1<<20 && err != nil {
					// Nothing has arrived, and the driver has not tried again.
					if reason := proving.ReasonOf(err); reason != proving.Fault {
						t.Errorf("%s is cut: %q, want a fault", c.name, reason)
					}
					err = verify()
				}
				if err != nil {
					t.Errorf("%s is cut: %v", c.name, err)
				}
				if err := verify(); proving.ReasonOf(err) != enrollment.ReasonReplayed {
					t.Errorf("%s is cut: the code again: %v, want Replayed", c.name, err)
				}
				after := p.Figures()
				if cuts := after.CutRequests + after.CutReplies + after.LostReplies - before.CutRequests - before.CutReplies - before.LostReplies; (cuts == 1) != (c.name != "nothing") {
					t.Errorf("%s is cut: %d cuts", c.name, cuts)
				}
			}
		})
	}
}

// troubles are what happens to the passages of a siege, in thousandths.
var troubles = proxy.Trouble{CutRequest: 5, CutReply: 5, LoseReply: 10, Delay: 50}

// splitFor is how long a split takes.
const splitFor = 100 * time.Millisecond

// TestBrokenNetwork puts a network between the nodes and their server that delays, cuts
// and loses, and splits them in every other round. Nothing that was acknowledged is lost,
// and no code works twice.
func TestBrokenNetwork(t *testing.T) {
	t.Parallel()
	for _, backend := range testenv.Remotes {
		t.Run(backend.Name, func(t *testing.T) {
			t.Parallel()
			p, open := backend.Proxied(t)
			stores := siege.Open(open)
			p.Meet(troubles)
			splits := 0
			figures := siege.Run(t, stores.Start, func() {
				heal := p.Heal
				if splits++; splits%2 == 0 {
					heal = p.HealBroken
				}
				p.Cut(proxy.Request, 20)
				p.Cut(proxy.Reply, 3)
				p.Split()
				time.AfterFunc(splitFor, heal)
			}, long.Siege(t, 10))
			long.Report(t, backend.Name+", a broken network", figures)
			f := p.Figures()
			t.Log(f)
			if f.CutRequests == 0 || f.CutReplies == 0 || f.LostReplies == 0 || f.Delays == 0 || f.Splits == 0 {
				t.Error("something did not happen")
			}
		})
	}
}

// TestHistoriesOfBrokenNetwork looks for an order of operations that may be lost.
func TestHistoriesOfBrokenNetwork(t *testing.T) {
	t.Parallel()
	for _, backend := range testenv.Remotes {
		t.Run(backend.Name, func(t *testing.T) {
			t.Parallel()
			p, open := backend.Proxied(t)
			nodes := []proving.Full{open(), open()}
			p.Meet(troubles)
			// Each of these happens, also if chance leaves it out.
			p.Cut(proxy.Reply, 3)
			p.Cut(proxy.Reply, 0)
			p.Cut(proxy.Request, 20)
			o := histories.Options{Rounds: long.Histories(t, 60), Faulty: true}
			if backend.Name == "MariaDB" {
				o.Deadlock = deadlocked
			}
			f, err := histories.Check(t.Context(), nodes, o)
			met := p.Figures()
			t.Logf("%v\n%v", f, met)
			if err != nil {
				t.Fatal(err)
			}
			if f.Unknown == 0 || met.LostReplies == 0 || met.CutReplies == 0 || met.CutRequests == 0 {
				t.Error("no operation was lost, or something did not happen")
			}
		})
	}
}
