package proving

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// Start is when the clock of a Kit begins: in the middle of a time step.
var Start = time.Date(2026, 3, 1, 12, 0, 10, 0, time.UTC)

// A Kit is a Guard over a store that bends, with a clock that stands still, and
// with whatever the Guard tells. Its methods fail the test if what they set up
// is refused.
type Kit struct {
	Guard  *enrollment.Guard
	Store  *Store
	Clock  *enrollmenttest.Clock
	Keys   *Keys
	Config enrollment.Config // of Guard
	Inbox  *Inbox            // where messages arrive

	t testing.TB

	mu     sync.Mutex
	notify error // what Notify returns
	events []enrollment.Event
	told   int // how many of them Told has returned
	seen   []enrollment.Observation
	log    bytes.Buffer
}

// New returns a Kit over a fresh memory store. The functions adjust the
// configuration.
func New(t testing.TB, adjust ...func(*enrollment.Config)) *Kit {
	t.Helper()
	return Over(t, memory.New(), adjust...)
}

// Over returns a Kit over a fresh store.
func Over(t testing.TB, s store.Store, adjust ...func(*enrollment.Config)) *Kit {
	t.Helper()
	ring, err := keyring.Generate("first")
	if err != nil {
		t.Fatal(err)
	}
	k := &Kit{t: t, Inbox: new(Inbox), Clock: enrollmenttest.NewClock(Start), Keys: &Keys{Ring: ring, Random: newDraws(t)}}
	k.Config = enrollment.Config{
		Issuer:         "Acme",
		RecoveryScheme: recovery.Fast,
		AllowSHA1:      fips.Enforced(),
		Now:            k.Clock.Now,
		Logger:         slog.New(slog.NewTextHandler(logged{k}, nil)),
		Notify:         k.take,
		Sender:         k.Inbox,
		Observe:        k.observe,
	}
	for _, f := range adjust {
		f(&k.Config)
	}
	k.MoveTo(s)
	return k
}

// MoveTo goes on over another store, which has to be empty, with the same keys
// and at the same time.
func (k *Kit) MoveTo(s store.Store) {
	k.t.Helper()
	k.Store = NewStore(full(k.t, s))
	k.Configure()
}

// Configure makes Guard one of another node, which is configured differently
// from now on.
func (k *Kit) Configure(adjust ...func(*enrollment.Config)) {
	k.t.Helper()
	for _, f := range adjust {
		f(&k.Config)
	}
	k.Guard = k.Node()
}

// Node returns a Guard of another node: with the same store, keys and clock.
// The functions adjust the configuration of this one.
func (k *Kit) Node(adjust ...func(*enrollment.Config)) *enrollment.Guard {
	k.t.Helper()
	return k.NodeOver(k.Store, k.Keys, adjust...)
}

// NodeOver is Node with another store and other keys.
func (k *Kit) NodeOver(s store.Store, keys enrollment.Sealer, adjust ...func(*enrollment.Config)) *enrollment.Guard {
	k.t.Helper()
	config := k.Config
	for _, f := range adjust {
		f(&config)
	}
	if config.RecoveryScheme == recovery.Argon2id && fips.Enforced() {
		k.t.Skip("Argon2id is refused, FIPS 140-3 is enforced")
	}
	g, err := enrollment.New(s, keys, config)
	k.Must(err)
	return g
}

// Directory returns a Directory of Guard, over Store.
func (k *Kit) Directory() *enrollment.Directory { k.t.Helper(); return k.DirectoryOf(k.Guard, k.Store) }

// DirectoryOf returns a Directory of another Guard.
func (k *Kit) DirectoryOf(g *enrollment.Guard, l store.Lister) *enrollment.Directory {
	k.t.Helper()
	d, err := enrollment.NewDirectory(g, l)
	k.Must(err)
	return d
}

// Another is NodeOver with a Directory of the Guard.
func (k *Kit) Another(s *Store, keys enrollment.Sealer, adjust ...func(*enrollment.Config)) (*enrollment.Guard, *enrollment.Directory) {
	k.t.Helper()
	g := k.NodeOver(s, keys, adjust...)
	return g, k.DirectoryOf(g, s)
}

// Must ends the test if there is an error.
func (k *Kit) Must(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

// Value returns what comes of a call that has to succeed.
func Value[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Sweep does what is due. Nothing may fail.
func (k *Kit) Sweep() enrollment.Swept {
	k.t.Helper()
	swept, err := k.Directory().Sweep(k.t.Context())
	if err != nil || swept.Failed.Total != 0 {
		k.t.Fatalf("%v, failed %+v", err, swept.Failed)
	}
	return swept
}

// Now is what the clock shows.
func (k *Kit) Now() time.Time { return k.Clock.Now() }

// Pass lets time go by.
func (k *Kit) Pass(d time.Duration) { k.Clock.Advance(d) }
