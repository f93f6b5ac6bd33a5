// Package siege uses accounts from several nodes while their database, or one of the nodes,
// dies and comes back. Each node is a Guard with a store of its own, in this process or in
// another one. The siege keeps a log of what each of them has answered, and finds in it what
// must not be: a code that was accepted twice, a change that was acknowledged and is gone, a
// wrong code too many, an event that nobody was told.
package siege

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
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
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A siege is one run.
type siege struct {
	clock *enrollmenttest.Clock
	nodes Nodes

	jumped [len(Nodes{})]time.Duration // how far the clock of one node has jumped alone

	seed *rand.Rand // the same for each test of a name

	// strike is called in the middle of a round, at one of the calls of a store.
	strike  func()
	aim     atomic.Pointer[aim] // nil for none
	after   bool                // whether the last aim was after a Save
	calls   atomic.Int64        // of the stores
	began   int64               // how many there were when the round began
	quiet   int64               // how many there are in a round
	strikes atomic.Int64        // so far
	late    int                 // those of them that came when the requests of a round had their answers

	// The siege is over when ctx is done. It is given up when failed says that the test has
	// failed, as a strike does, or when a request has no answer for the time of patience.
	ctx      context.Context
	giveUp   context.CancelFunc
	failed   func() bool
	patience time.Duration

	mu      sync.Mutex
	wrong   []Finding            // what must not be
	broken  []string             // what the siege itself has missed
	uses    map[string]use       // by the name of the code
	records map[string]*versions // by the user
	owed    map[event]int        // how many must be told
	told    map[event]int        // and how many were
	seen    map[string]bool      // the ids of these
	tries   map[string]int       // requests by their outcome
	acked   map[Deed]int
	known   map[string]*account
}

// An event stands for the events of one kind that one user is told of.
type event struct {
	user string
	kind enrollment.EventKind
}

// counted are the kinds of events that a siege causes on purpose.
var counted = []enrollment.EventKind{
	enrollment.EventEnabled, enrollment.EventDisabled, enrollment.EventCodesRenewed, enrollment.EventRecoveryUsed, enrollment.EventLocked,
}

// An account is as its owner was told last. It belongs to one goroutine at a
// time.
type account struct {
	key   totp.Key
	codes []string // recovery codes that were not tried yet
	spent []code   // those of the same set that were
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

// newSiege starts nodes whose stores have no records, and enrols its users.
func newSiege(t *testing.T, start Starter, strike func()) *siege {
	t.Helper()
	if fips.Enforced() {
		t.Skip("the apps are for SHA-1")
	}
	ring, err := keyring.Generate("first")
	if err != nil {
		t.Fatal(err)
	}
	name := fnv.New64a()
	name.Write([]byte(t.Name()))
	s := &siege{
		clock: enrollmenttest.NewClock(proving.Start.Truncate(30 * time.Second)), strike: strike, seed: rand.New(rand.NewPCG(name.Sum64(), 0)),
		uses: map[string]use{}, records: map[string]*versions{}, owed: map[event]int{}, told: map[event]int{}, seen: map[string]bool{}, tries: map[string]int{},
		acked: map[Deed]int{}, known: map[string]*account{},
		failed: t.Failed, patience: patience,
	}
	s.after = s.seed.IntN(2) == 0
	s.ctx, s.giveUp = context.WithCancel(t.Context())
	s.nodes = start(t, Ears{Ring: ring.Reveal(), Called: s.count, Loaded: s.loaded, Saved: s.saved, Told: s.take})
	for node, user := range slices.Concat(racers, owners) {
		s.enrol(node, user)
	}
	s.clock.Advance(30 * time.Second) // their apps show another code
	s.change(0, owners[1])
	clear(s.acked) // that was no siege yet
	return s
}

// take takes an event, which may come more than once.
func (s *siege) take(e enrollment.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.seen[e.ID] && slices.Contains(counted, e.Kind) {
		s.seen[e.ID] = true
		s.told[event{e.UserID, e.Kind}] += e.Count
	}
}

// owe notes that something has happened, and that one event tells it.
func (s *siege) owe(id string, kind enrollment.EventKind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owed[event{id, kind}]++
}

// pause is the time between rounds. An account may make five sets of recovery codes in a
// day, and a round makes one at the most.
const pause = 6 * time.Hour

// round lets time pass, and then everybody do something at once. One racer's codes are
// replaced, and the others use one. If it strikes, the database dies in the middle. In the
// end, with the database up again, everybody tries once more what they had.
func (s *siege) round(n int, strikes bool) {
	s.clock.Advance(pause)
	s.part()
	s.forget()
	if s.began = s.calls.Load(); strikes {
		s.draw()
	}
	victim := fmt.Sprintf("victim-%d", n)
	s.enrol(n, victim)
	s.clock.Advance(30 * time.Second)
	spent := map[string]code{}
	var all sync.WaitGroup
	renews := racers[n%len(racers)]
	for _, user := range racers {
		for node := range s.nodes { // the same code at once, and the one before again
			all.Go(func() { s.use(s.try, node, s.shown(user, 0)) })
			all.Go(func() { s.use(s.try, node+1, s.shown(user, -1)) })
		}
		if user == renews {
			all.Go(func() { s.renew(n, user) })
			continue
		}
		code := s.spend(user)
		spent[user] = code
		for node := range 2 {
			all.Go(func() { s.use(s.try, node, code) })
		}
	}
	closed := false // the lock of the victim
	all.Go(func() { closed = s.guess(n, victim) })
	for i, user := range owners {
		all.Go(func() { s.change(n+i, user) })
	}
	all.Wait()
	if a := s.aim.Load(); a != nil { // there were fewer calls than usual
		s.late++
		s.hit(a)
	}
	if !strikes {
		s.quiet = s.calls.Load() - s.began
	}
	if s.over() {
		return
	}
	spent[renews] = s.spend(renews)
	for _, user := range racers {
		last, before, code := s.shown(user, 0), s.shown(user, -1), spent[user]
		s.right(last, s.use(s.until, n, last), user != renews) // who renews has used the next one
		s.right(before, s.use(s.until, n+1, before), false)
		s.right(code, s.use(s.until, n, code), true)
		s.owe(user, enrollment.EventRecoveryUsed)
	}
	if closed {
		s.locked(n, victim)
	}
	s.back()
}

// end delivers what is due, and looks for what must not be. If the siege is over before its
// time, it looks only for what was accepted twice: nobody knows what else was done.
func (s *siege) end() []Finding {
	s.clock.Advance(10 * time.Minute)
	if !s.over() {
		s.deliver()
	}
	if !s.over() {
		s.compare()
		s.again()
	}
	for name, u := range s.uses {
		if u.accepted > 1 {
			s.find(Twice, "%s was accepted %d times", name, u.accepted)
		}
	}
	return s.wrong
}

// compare looks whether each event was told once.
func (s *siege) compare() {
	all := maps.Clone(s.owed)
	for x := range s.told {
		all[x] += 0
	}
	for x, n := range all {
		if s.told[x] != n {
			s.find(Events, "%s: %s happened %d times and was told %d times", x.user, x.kind, n, s.told[x])
		}
	}
}

// again tries each recovery code once more that was used. It may lock the user out, so it
// comes last.
func (s *siege) again() {
	for node, user := range racers {
		for _, c := range s.know(user).spent {
			s.clock.Advance(2 * time.Minute) // the longest lock is one
			s.use(s.until, node, c)
		}
	}
}

// deliver has the events told that were not, and looks at the accounts.
func (s *siege) deliver() {
	if reason := s.until(0, Request{Do: sweep}).Reason; reason != "" {
		s.refused(Failed, "all", "Sweep", reason)
	}
	for node, user := range slices.Concat(racers, owners) {
		s.check(node, user)
	}
}
