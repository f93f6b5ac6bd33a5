package siege

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// TestSiegeCatchesBurntCodes has Guards that use codes of one kind up and let nobody in. All
// that are used later or once more are refused as used.
func TestSiegeCatchesBurntCodes(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		burns func(r Request) bool
		want  int // in two rounds
	}{
		"app codes":                {func(r Request) bool { return len(r.Code) == 6 }, 1 + 2*3}, // also before the first round
		"app codes of one owner":   {func(r Request) bool { return len(r.Code) == 6 && r.User == "dave" }, 1},
		"recovery codes":           {func(r Request) bool { return len(r.Code) > 6 }, 2 * 3},
		"recovery codes of a user": {func(r Request) bool { return len(r.Code) > 6 && r.User == "carol" }, 2},
	} {
		t.Run(what, func(t *testing.T) {
			start := func(t *testing.T, e Ears) Nodes {
				nodes := same(proving.Memory(t).(proving.Full)).Start(t, e)
				for i, node := range nodes {
					nodes[i] = func(ctx context.Context, r Request) (Reply, error) {
						a, err := node(ctx, r)
						if (r.Do == verify || r.Do == signIn) && a.Reason == "" && c.burns(r) {
							a.Reason = enrollment.ReasonReplayed
						}
						return a, err
					}
				}
				return nodes
			}
			figures := newSiege(t, start, nil).besiege(t, Length{Rounds: 2})
			if n := figures.Of(Burnt); n != c.want || len(figures.Wrong) != n {
				t.Errorf("%d of %d findings, want %d:\n%s", n, len(figures.Wrong), c.want, figures.Findings())
			}
		})
	}
}

// A repeating store is behind a client that writes once more when a reply is lost, as it is
// with every 17th write. Meanwhile others may write.
type repeating struct {
	proving.Full
	writes *atomic.Int64
}

func (s repeating) Save(ctx context.Context, r store.Record, prev int64) error {
	err := s.Full.Save(ctx, r, prev)
	if err == nil && s.writes.Add(1)%17 == 0 {
		time.Sleep(time.Millisecond)
		err = s.Full.Save(ctx, r, prev)
	}
	return err
}

// TestSiegeBearsLostReplies has writes that take effect without the Guard's knowledge. A code
// that such a write has used is no finding.
func TestSiegeBearsLostReplies(t *testing.T) {
	t.Parallel()
	s := repeating{proving.Memory(t).(proving.Full), new(atomic.Int64)}
	Run(t, same(s).Start, nil, Length{Rounds: 60})
}

// TestCodesDiffer sees that no round is where an app shows the same code twice.
func TestCodesDiffer(t *testing.T) {
	t.Parallel()
	secret, err := totp.NewSecret([]byte("a secret of twenty b"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		t.Fatal(err)
	}
	s := newSiege(t, same(proving.Memory(t).(proving.Full)).Start, nil)
	defer s.giveUp()
	s.know("alice").key = key
	const twice = 1_717_842 // steps from the start, and the one before: 362517
	s.clock.Advance(proving.Start.Truncate(30 * time.Second).Add(twice * 30 * time.Second).Sub(s.clock.Now()))
	if s.shown("alice", -1).text != s.shown("alice", 0).text {
		t.Fatal("the app shows two codes")
	}
	began := s.clock.Now()
	for range 2 {
		s.part()
		if passed := s.clock.Now().Sub(began); passed != time.Hour {
			t.Errorf("%v have passed, want an hour", passed)
		}
	}
}
