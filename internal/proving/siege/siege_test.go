package siege

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A forgetful store goes back, when it dies, to what it was some writes ago.
type forgetful struct {
	proving.Full
	mu  sync.Mutex
	log []store.Record // what each write has replaced
}

func (f *forgetful) Save(ctx context.Context, r store.Record, prev int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	old, err := f.Full.Load(ctx, r.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := f.Full.Save(ctx, r, prev); err != nil {
		return err
	}
	old.UserID = r.UserID
	f.log = append(f.log, old)
	return nil
}

// flush sees that no write so far is lost.
func (f *forgetful) flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = nil
}

// die takes the latest writes back.
func (f *forgetful) die() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range min(20, len(f.log)) {
		f.back(len(f.log) - 1)
	}
}

// lose takes the n latest writes of one user back.
func (f *forgetful) lose(user string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.log) - 1; i >= 0 && n > 0; i-- {
		if f.log[i].UserID == user {
			f.back(i)
			n--
		}
	}
}

// holds reports whether a write of the user can be lost.
func (f *forgetful) holds(user string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.log, func(r store.Record) bool { return r.UserID == user })
}

// back takes one write back.
func (f *forgetful) back(i int) {
	ctx, old := context.Background(), f.log[i]
	f.log = slices.Delete(f.log, i, i+1)
	now, err := f.Full.Load(ctx, old.UserID)
	if err == nil && old.Version != 0 {
		err = f.Full.Save(ctx, old, now.Version)
	} else if err == nil {
		err = f.Full.Erase(ctx, old.UserID)
	}
	if err != nil {
		panic(err)
	}
}

// TestSiegeCatchesForgetfulStore holds the siege against a store that loses writes
// which it has acknowledged, and against one that loses nothing. Each kind of loss is found.
func TestSiegeCatchesForgetfulStore(t *testing.T) {
	t.Parallel()
	t.Run("whole", func(t *testing.T) {
		Run(t, same(proving.Memory(t).(proving.Full)).Start, nil, Length{Rounds: 60})
	})
	f := &forgetful{Full: proving.Memory(t).(proving.Full)}
	figures := Find(t, same(f).Start, f.die, Length{Rounds: 40})
	for _, kind := range []Kind{Twice, Refused, Undone, Events} {
		if figures.Of(kind) == 0 {
			t.Errorf("none of these: %s", kind)
		}
	}
	t.Logf("%v, caught by:\n%s", figures, figures.Findings())
}

// TestSiegeLooksAtLocksAgain has a store that loses a lock once everybody has seen that it is
// closed.
func TestSiegeLooksAtLocksAgain(t *testing.T) {
	t.Parallel()
	f := &forgetful{Full: proving.Memory(t).(proving.Full)}
	var seen atomic.Int64
	start := func(t *testing.T, e Ears) Nodes {
		nodes := same(f).Start(t, e)
		for i, node := range nodes {
			nodes[i] = func(ctx context.Context, r Request) (Reply, error) {
				a, err := node(ctx, r)
				if a.Reason == enrollment.ReasonLocked && seen.Add(1) == int64(len(nodes))+1 {
					f.lose(r.User, 3) // the event, the lock, a guess
				}
				return a, err
			}
		}
		return nodes
	}
	if figures := Find(t, start, nil, Length{Rounds: 2}); figures.Of(Opened) == 0 {
		t.Errorf("none of these: %s\n%s", Opened, figures.Findings())
	}
}

// TestSiegeTriesSpentCodes has a store that loses, of one racer, everything since the round before
// the last one, when that is over. Only the recovery codes that were used show it.
func TestSiegeTriesSpentCodes(t *testing.T) {
	t.Parallel()
	f := &forgetful{Full: proving.Memory(t).(proving.Full)}
	s := newSiege(t, same(f).Start, nil)
	s.round(0, false) // alice has new codes
	f.flush()
	s.round(1, false)
	for f.holds("alice") {
		f.lose("alice", 1)
	}
	s.round(2, false)
	found := Figures{Wrong: s.end()}
	if n := found.Of(Twice); n != 1 || n != len(found.Wrong) {
		t.Errorf("%d codes are found to work twice, want one and nothing else:\n%s", n, found.Findings())
	}
}

// TestFigures prints findings as the cells of a table.
func TestFigures(t *testing.T) {
	t.Parallel()
	f := Figures{Strikes: 4, Answered: 300, Calls: 802, Accepted: 55}
	if got := f.String(); got != "4 | 300 | 802 | 55 | nothing" {
		t.Error(got)
	}
	f.Wrong = []Finding{{Undone, "alice"}, {Twice, "a code"}, {Twice, "another"}}
	if got := f.String(); got != "4 | 300 | 802 | 55 | codes worked twice: 2, accounts were not as their owner was told: 1" {
		t.Error(got)
	}
	f.Broken = []string{"it was given up"}
	if got := f.String(); !strings.HasSuffix(got, ", and the siege is void") {
		t.Error(got)
	}
}

// same has all nodes use one store.
func same(s proving.Full) Stores { return Stores{s, s, s} }

// A private store remembers what it has read and written, and compares with that.
type private struct {
	proving.Full
	mu    sync.Mutex
	known map[string]store.Record
}

func (p *private) load(ctx context.Context, user string) (r store.Record, err error) {
	r, ok := p.known[user]
	if !ok {
		if r, err = p.Full.Load(ctx, user); err == nil {
			p.known[user] = r
		}
	}
	return r, err
}

func (p *private) Load(ctx context.Context, user string) (store.Record, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.load(ctx, user)
}

func (p *private) Save(ctx context.Context, r store.Record, prev int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, err := p.load(ctx, r.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if now.Version != prev {
		return store.ErrConflict
	}
	for err = store.ErrConflict; errors.Is(err, store.ErrConflict); {
		if now, err = p.Full.Load(ctx, r.UserID); err == nil || errors.Is(err, store.ErrNotFound) {
			err = p.Full.Save(ctx, r, now.Version)
		}
	}
	if err == nil {
		p.known[r.UserID] = r
	}
	return err
}

// TestSiegeCatchesPrivateStore holds the siege against a store that is right for one process
// and wrong for several. It is caught because each node has a store of its own.
func TestSiegeCatchesPrivateStore(t *testing.T) {
	t.Parallel()
	behind := proving.Memory(t).(proving.Full)
	open := func() proving.Full { return &private{Full: behind, known: map[string]store.Record{}} }
	// It never closes a lock, which would be missed by Find.
	figures := newSiege(t, Open(open).Start, nil).besiege(t, Length{Rounds: 2})
	if figures.Of(Twice) == 0 {
		t.Errorf("no code was accepted twice:\n%s", figures.Findings())
	}
	behind = proving.Memory(t).(proving.Full)
	Run(t, same(open()).Start, nil, Length{Rounds: 2})
}

// TestSiegeTriesAll sees that a siege fails in which an operation was never
// acknowledged.
func TestSiegeTriesAll(t *testing.T) {
	t.Parallel()
	s := newSiege(t, same(proving.Memory(t).(proving.Full)).Start, nil)
	figures := s.besiege(t, Length{})
	for _, d := range mix {
		if !slices.Contains(figures.Broken, string(d)+" was never acknowledged") {
			t.Errorf("%s is not missed: %v", d, figures.Broken)
		}
	}
	if len(figures.Wrong) > 0 {
		t.Errorf("the store has lost %v", figures.Wrong)
	}
}

// TestSiegeTakesItsTime sees that a siege has its rounds and its time, whichever is more.
func TestSiegeTakesItsTime(t *testing.T) {
	t.Parallel()
	began := time.Now()
	for _, c := range []struct {
		length Length
		rounds int
		since  time.Duration
		over   bool
	}{
		{Length{}, 0, 0, true},
		{Length{Rounds: 2}, 1, time.Hour, false},
		{Length{Rounds: 2}, 2, 0, true},
		{Length{Rounds: 2, Time: time.Hour}, 2, time.Minute, false},
		{Length{Rounds: 2, Time: time.Hour}, 1, 2 * time.Hour, false},
		{Length{Rounds: 2, Time: time.Hour}, 3, 2 * time.Hour, true},
	} {
		if over := c.length.over(c.rounds, began.Add(-c.since)); over != c.over {
			t.Errorf("%+v after %d rounds and %v is over: %v", c.length, c.rounds, c.since, over)
		}
	}
}

// TestSiegeMissesEvents sees that a siege fails in which one event was never told, was told
// as two, or was told to somebody else.
func TestSiegeMissesEvents(t *testing.T) {
	t.Parallel()
	for what, tell := range map[string]func(x, again enrollment.Event) []enrollment.Event{
		"never": func(_, _ enrollment.Event) []enrollment.Event { return nil },
		"as two": func(x, again enrollment.Event) []enrollment.Event {
			again.ID += " again"
			return []enrollment.Event{x, again}
		},
		"to somebody else": func(x, _ enrollment.Event) []enrollment.Event { x.UserID = "mallory"; return []enrollment.Event{x} },
	} {
		for _, kind := range counted {
			t.Run(string(kind)+" "+what, func(t *testing.T) {
				var mu sync.Mutex
				first := "" // the id of an event, which two nodes may tell at once
				start := func(t *testing.T, e Ears) Nodes {
					told := e.Told
					e.Told = func(x enrollment.Event) {
						mu.Lock()
						if x.Kind == kind && first == "" {
							first = x.ID
						}
						all := []enrollment.Event{x}
						if x.ID == first {
							all = tell(x, x)
						}
						mu.Unlock()
						for _, x := range all {
							told(x)
						}
					}
					return same(proving.Memory(t).(proving.Full)).Start(t, e)
				}
				wrong := Find(t, start, nil, Length{Rounds: 2}).Wrong
				if len(wrong) == 0 || !strings.Contains(wrong[0].What, ": "+string(kind)+" happened ") {
					t.Errorf("the findings: %v", wrong)
				}
			})
		}
	}
}
