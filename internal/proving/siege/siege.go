// Package siege uses accounts from several nodes while their database dies and comes
// back. The nodes are Guards in one process. It keeps a log of what each of them was told,
// and finds in it what must not be: a code that was accepted twice, a change that was
// acknowledged and is gone, a wrong code too many, an event that nobody was told.
package siege

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A siege is one run.
type siege struct {
	store proving.Full
	clock *enrollmenttest.Clock
	nodes []*enrollment.Guard // each of another process
	seed  *rand.Rand

	// strike is called in the middle of a round, at one of its calls of the store.
	strike  func()
	calls   atomic.Int64 // of the store
	at      int64        // at which call to strike; 0 for never
	strikes atomic.Int64 // so far

	mu       sync.Mutex
	wrong    []string        // what must not be
	accepted map[string]int  // how often each code was accepted
	owed     map[string]int  // events that must be told, by user and kind
	told     map[string]int  // and those that were
	seen     map[string]bool // the ids of these
	tries    map[string]int  // operations by their outcome
	known    map[string]*account
}

// An account is as its owner was told last. It belongs to one goroutine at a
// time.
type account struct {
	key   totp.Key
	codes []string // recovery codes that were not tried yet
	state store.State
}

// users are the users of a siege: racers share the codes of each of the first,
// and the owner of the last switches the second factor off and on.
var users = []string{"alice", "bob", "carol", "dave"}

const owner = "dave"

// offsets are how far the clocks of the nodes are off. Two of them differ by 40 seconds.
// Rounds begin with a time step, so that all nodes know the codes that are used.
var offsets = [...]time.Duration{-20 * time.Second, 0, 20 * time.Second}

// A counted store calls strike once.
type countedStore struct {
	proving.Full
	s *siege
}

func (c countedStore) count() {
	if c.s.calls.Add(1) == c.s.at && c.s.strike != nil {
		c.s.strikes.Add(1)
		c.s.strike()
	}
}

func (c countedStore) Load(ctx context.Context, id string) (store.Record, error) {
	c.count()
	return c.Full.Load(ctx, id)
}

func (c countedStore) Save(ctx context.Context, r store.Record, prev int64) error {
	c.count()
	return c.Full.Save(ctx, r, prev)
}

// newSiege makes a siege over an empty store, and enrols its users.
func newSiege(t *testing.T, over proving.Full, strike func()) *siege {
	t.Helper()
	if fips.Enforced() {
		t.Skip("the apps are for SHA-1")
	}
	s := &siege{
		store: over, clock: enrollmenttest.NewClock(proving.Start.Truncate(30 * time.Second)), strike: strike, seed: rand.New(rand.NewPCG(1, 2)),
		accepted: map[string]int{}, owed: map[string]int{}, told: map[string]int{}, seen: map[string]bool{}, tries: map[string]int{},
		known: map[string]*account{},
	}
	ring, err := keyring.Generate("first")
	if err != nil {
		t.Fatal(err)
	}
	for _, off := range offsets {
		g, err := enrollment.New(countedStore{over, s}, ring, enrollment.Config{
			Issuer: "Acme", Now: func() time.Time { return s.clock.Now().Add(off) }, RecoveryScheme: recovery.Fast, AllowReauth: true,
			Notify: s.take, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		s.nodes = append(s.nodes, g)
	}
	for _, user := range users {
		s.enrol(user)
	}
	return s
}

func (s *siege) take(_ context.Context, e enrollment.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.seen[e.ID] {
		s.seen[e.ID] = true
		s.told[e.UserID+" "+string(e.Kind)] += e.Count
	}
	return nil
}

func (s *siege) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

func (s *siege) owe(id string, kind enrollment.EventKind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owed[id+" "+string(kind)]++
}

// pause is the time between rounds. An account may make five sets of recovery codes in a
// day, and a round makes one at the most.
const pause = 6 * time.Hour

// round lets time pass, and then everybody do something at once. If it strikes, the
// database dies in the middle. In the end, with the database up again, everybody tries
// once more what they had.
func (s *siege) round(n int, strikes bool) {
	s.clock.Advance(pause)
	s.at = 0
	if strikes {
		s.at = s.calls.Load() + 5 + s.seed.Int64N(60)
	}
	victim := fmt.Sprintf("victim-%d", n)
	s.enrol(victim)
	s.clock.Advance(30 * time.Second)
	spent := map[string]string{}
	var all sync.WaitGroup
	for _, user := range users[:len(users)-1] {
		for node := range s.nodes { // the same code at once, and the one before again
			all.Go(func() { s.appCode(s.try, node, user, 0) })
			all.Go(func() { s.appCode(s.try, node+1, user, -1) })
		}
		u := s.know(user)
		if len(u.codes) == 0 {
			all.Go(func() { s.renew(user) })
			continue
		}
		code := u.codes[0]
		u.codes = u.codes[1:]
		spent[user] = code
		for node := range 2 {
			all.Go(func() { s.recoveryCode(s.try, node, user, code) })
		}
	}
	all.Go(func() { s.guess(victim) })
	all.Go(func() { s.change(owner) })
	all.Wait()
	for _, user := range users[:len(users)-1] {
		s.appCode(s.until, n, user, 0)
		s.appCode(s.until, n+1, user, -1)
		if code, ok := spent[user]; ok {
			s.recoveryCode(s.until, n, user, code)
		}
	}
	s.locked(victim)
}

// end delivers what is due, and returns what must not be.
func (s *siege) end() []string {
	s.at = 0
	s.clock.Advance(10 * time.Minute)
	d, err := enrollment.NewDirectory(s.nodes[0], s.store)
	if err != nil {
		return []string{err.Error()}
	}
	if reason := s.until(func(ctx context.Context) error { _, err := d.Sweep(ctx); return err }); reason != "" {
		s.fault("Sweep: %q", reason)
	}
	for _, user := range users {
		s.check(user)
	}
	for code, n := range s.accepted {
		if n > 1 {
			s.fault("%s was accepted %d times", code, n)
		}
	}
	for event, n := range s.owed {
		if s.told[event] < n {
			s.fault("%s happened %d times and was told %d times", event, n, s.told[event])
		}
	}
	return s.wrong
}

// besiege runs rounds, and strikes in every other one.
func (s *siege) besiege(t *testing.T, l Length) Figures {
	t.Helper()
	began := time.Now()
	n := 0
	for ; !l.over(n, began); n++ {
		s.round(n, n%2 == 1)
	}
	wrong := s.end()
	t.Logf("%d rounds, outcomes %v", n, s.tries)
	if s.tries[""] == 0 || s.tries[string(enrollment.ReasonReplayed)] == 0 {
		wrong = append(wrong, "nothing was accepted, or nothing was tried twice")
	}
	strikes := int(s.strikes.Load())
	if s.strike != nil && strikes != n/2 {
		wrong = append(wrong, fmt.Sprintf("%d strikes in %d rounds", strikes, n))
	}
	return Figures{Took: time.Since(began), Strikes: strikes, Calls: s.calls.Load(), Accepted: len(s.accepted), Wrong: wrong}
}
