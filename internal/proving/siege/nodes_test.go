package siege

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// TestSiegeChangesNodes has nodes that know something that others do not: what they have
// begun, or done where the answer was lost. Then nothing of it is ever acknowledged. If all
// know it, a siege finds nothing.
func TestSiegeChangesNodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		began, next Deed // a node does the second only if it has done the first
		loses       bool // the first answer of each setup and renewal
		missed      Deed
	}{
		{"", "", true, ""},
		{begin, confirm, false, confirm}, {prepare, renew, false, renew},
		{confirm, setupCodes, true, confirm}, {renew, renewalCodes, true, renew},
	} {
		t.Run(string(c.began+" "+c.next), func(t *testing.T) {
			var mu sync.Mutex
			did := make(map[string]map[int]bool) // by the deed and the token, which nodes
			start := func(t *testing.T, e Ears) Nodes {
				nodes := same(proving.Memory(t).(proving.Full)).Start(t, e)
				for i, node := range nodes {
					nodes[i] = func(ctx context.Context, r Request) (Reply, error) {
						mu.Lock()
						knows := c.next != r.Do || did[string(c.began)+r.Token][i]
						mu.Unlock()
						if !knows {
							return Reply{Reason: enrollment.ReasonSetupInvalid}, nil
						}
						a, err := node(ctx, r)
						mu.Lock()
						defer mu.Unlock()
						token := r.Token + a.Token
						if did[string(r.Do)+token] == nil {
							did[string(r.Do)+token] = make(map[int]bool)
						}
						did[string(r.Do)+token][i] = a.Reason == ""
						if lost := string(r.Do) + token + " was lost"; c.loses && (r.Do == confirm || r.Do == renew) && did[lost] == nil {
							did[lost] = make(map[int]bool)
							return Reply{}, errors.New("the answer is lost")
						}
						return a, err
					}
				}
				return nodes
			}
			s := newSiege(t, start, nil)
			figures := s.besiege(t, Length{Rounds: 7})
			if s.acked[c.missed] > 0 || (figures.Of(Failed) > 0) != (c.missed != "") || c.missed == "" && len(figures.Wrong)+len(figures.Broken) > 0 {
				t.Errorf("%q is for those that did %q: %d times, %v %v\n%s", c.next, c.began, s.acked[c.missed], figures, figures.Broken, figures.Findings())
			}
		})
	}
}

// TestSiegeSignsInAgain voids the first sign-in with each code. That is no finding.
func TestSiegeSignsInAgain(t *testing.T) {
	t.Parallel()
	var voided sync.Map
	Run(t, func(t *testing.T, e Ears) Nodes {
		nodes := same(proving.Memory(t).(proving.Full)).Start(t, e)
		for i, node := range nodes {
			nodes[i] = func(ctx context.Context, r Request) (Reply, error) {
				if _, again := voided.LoadOrStore(r.Code, true); r.Do == signIn && !again {
					return Reply{Reason: enrollment.ReasonChallengeVoid}, nil
				}
				return node(ctx, r)
			}
		}
		return nodes
	}, nil, Length{Rounds: 4})
}

// TestSiegeAsksAllNodes has a node that does not answer any more after a strike. The others
// do, but that is not enough.
func TestSiegeAsksAllNodes(t *testing.T) {
	t.Parallel()
	var db *proving.Store
	s := newSiege(t, func(t *testing.T, e Ears) Nodes {
		behind := proving.Memory(t).(proving.Full)
		db = proving.NewStore(behind)
		return Stores{behind, db, behind}.Start(t, e)
	}, func() { away(db) })
	s.patience = time.Second // for two of three nodes, also on a busy machine
	figures := s.besiege(t, Length{Rounds: 2})
	if len(figures.Broken) == 0 || figures.Broken[0] != "alice: Status had no answer for 1s" || len(figures.Wrong) > 0 {
		t.Errorf("missed: %v\n%s", figures.Broken, figures.Findings())
	}
}

// A blind store replaces whatever is there.
type blind struct{ proving.Full }

func (b blind) Load(ctx context.Context, user string) (store.Record, error) {
	r, err := b.Full.Load(ctx, user)
	time.Sleep(time.Millisecond) // others load it as well
	return r, err
}

func (b blind) Save(ctx context.Context, r store.Record, prev int64) error {
	err := b.Full.Save(ctx, r, prev)
	for errors.Is(err, store.ErrConflict) {
		var now store.Record
		if now, err = b.Full.Load(ctx, r.UserID); err == nil || errors.Is(err, store.ErrNotFound) {
			err = b.Full.Save(ctx, r, now.Version)
		}
	}
	return err
}

// TestSiegeGuessesAtOnce has a store where guesses at once count as one.
func TestSiegeGuessesAtOnce(t *testing.T) {
	t.Parallel()
	figures := newSiege(t, same(blind{proving.Memory(t).(proving.Full)}).Start, nil).besiege(t, Length{Rounds: 5})
	for _, kind := range []Kind{Twice, Guesses} {
		if figures.Of(kind) == 0 {
			t.Errorf("none of these: %s\n%s", kind, figures.Findings())
		}
	}
}
