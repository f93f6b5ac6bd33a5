// Package siege uses accounts from several nodes while their database dies and comes
// back. The nodes are Guards in one process, and each has a store of its own. It keeps a
// log of what each of them was told, and finds in it what must not be: a code that was
// accepted twice, a change that was acknowledged and is gone, a wrong code too many, an
// event that nobody was told.
package siege

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
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
	store proving.Full // of the first node
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
	acked    map[operation]int
	known    map[string]*account
}

// An account is as its owner was told last. It belongs to one goroutine at a
// time.
type account struct {
	key   totp.Key
	codes []string // recovery codes that were not tried yet
	state store.State
}

// Several racers share the codes of each of the first users. Each owner switches the
// second factor off in one round and on in the next. One has it on when the other has not,
// so that each round has both.
var (
	racers = []string{"alice", "bob", "carol"}
	owners = []string{"dave", "erin"}
)

// offsets are how far the clocks of the nodes are off. Two of them differ by 40 seconds.
// Rounds begin with a time step, so that all nodes know the codes that are used.
var offsets = [len(Nodes{})]time.Duration{-20 * time.Second, 0, 20 * time.Second}

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

// newSiege makes a siege over stores without records, and enrols its users.
func newSiege(t *testing.T, stores Nodes, strike func()) *siege {
	t.Helper()
	if fips.Enforced() {
		t.Skip("the apps are for SHA-1")
	}
	s := &siege{
		store: stores[0], clock: enrollmenttest.NewClock(proving.Start.Truncate(30 * time.Second)), strike: strike, seed: rand.New(rand.NewPCG(1, 2)),
		accepted: map[string]int{}, owed: map[string]int{}, told: map[string]int{}, seen: map[string]bool{}, tries: map[string]int{},
		acked: map[operation]int{}, known: map[string]*account{},
	}
	ring, err := keyring.Generate("first")
	if err != nil {
		t.Fatal(err)
	}
	for i, off := range offsets {
		g, err := enrollment.New(countedStore{stores[i], s}, ring, enrollment.Config{
			Issuer: "Acme", Now: func() time.Time { return s.clock.Now().Add(off) }, RecoveryScheme: recovery.Fast, AllowReauth: true,
			Notify: s.take, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		s.nodes = append(s.nodes, g)
	}
	for _, user := range slices.Concat(racers, owners) {
		s.enrol(user)
	}
	s.change(owners[1])
	clear(s.acked) // that was no siege yet
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

// round lets time pass, and then everybody do something at once. One racer's codes are
// replaced, and the others use one. If it strikes, the database dies in the middle. In the
// end, with the database up again, everybody tries once more what they had.
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
	renews := racers[n%len(racers)]
	for _, user := range racers {
		for node := range s.nodes { // the same code at once, and the one before again
			all.Go(func() { s.appCode(s.try, node, user, 0) })
			all.Go(func() { s.appCode(s.try, node+1, user, -1) })
		}
		if user == renews {
			all.Go(func() { s.renew(user) })
			continue
		}
		code := s.spend(user)
		spent[user] = code
		for node := range 2 {
			all.Go(func() { s.recoveryCode(s.try, node, user, code) })
		}
	}
	all.Go(func() { s.guess(victim) })
	for _, user := range owners {
		all.Go(func() { s.change(user) })
	}
	all.Wait()
	spent[renews] = s.spend(renews)
	for _, user := range racers {
		s.used(user, s.appCode(s.until, n, user, 0))
		s.used(user, s.appCode(s.until, n+1, user, -1))
		s.used(user, s.recoveryCode(s.until, n, user, spent[user]))
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
	for _, user := range slices.Concat(racers, owners) {
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
	t.Logf("%d rounds, outcomes %v, acknowledged %v", n, s.tries, s.acked)
	for _, op := range mix {
		if s.acked[op] == 0 {
			wrong = append(wrong, fmt.Sprintf("%s was never acknowledged", op))
		}
	}
	if s.tries[string(enrollment.ReasonReplayed)] == 0 {
		wrong = append(wrong, "nothing was tried twice")
	}
	strikes := int(s.strikes.Load())
	if s.strike != nil && strikes != n/2 {
		wrong = append(wrong, fmt.Sprintf("%d strikes in %d rounds", strikes, n))
	}
	return Figures{Took: time.Since(began), Strikes: strikes, Calls: s.calls.Load(), Accepted: len(s.accepted), Wrong: wrong}
}
