package proving

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
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
	k := &Kit{t: t, Inbox: new(Inbox), Clock: enrollmenttest.NewClock(Start), Keys: &Keys{Ring: ring}}
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
	full, ok := s.(Full)
	if !ok {
		k.t.Fatalf("a %T can't list and erase", s)
	}
	k.Store = NewStore(full)
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

// FailNotify lets Notify fail from now on, and with nil succeed again. What it
// fails to take it has not been told.
func (k *Kit) FailNotify(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.notify = err
}

func (k *Kit) take(_ context.Context, e enrollment.Event) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.notify == nil {
		k.events = append(k.events, e)
	}
	return k.notify
}

func (k *Kit) observe(o enrollment.Observation) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen = append(k.seen, o)
}

// A logged writes lines of the log into a Kit.
type logged struct{ k *Kit }

func (l logged) Write(b []byte) (int, error) {
	l.k.mu.Lock()
	defer l.k.mu.Unlock()
	return l.k.log.Write(b)
}

// Events returns everything that was told so far.
func (k *Kit) Events() []enrollment.Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]enrollment.Event(nil), k.events...)
}

// EventsOf returns the events of that kind that the user was told of so far.
func (k *Kit) EventsOf(user string, kind enrollment.EventKind) (events []enrollment.Event) {
	for _, e := range k.Events() {
		if e.UserID == user && e.Kind == kind {
			events = append(events, e)
		}
	}
	return events
}

// Told returns what was told since it was called last.
func (k *Kit) Told() []enrollment.Event {
	events := k.Events()
	k.mu.Lock()
	defer k.mu.Unlock()
	events, k.told = events[k.told:], len(events)
	return events
}

// Kinds returns what kinds of events those are.
func Kinds(events []enrollment.Event) (kinds []enrollment.EventKind) {
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// WantTold fails the test unless these events were told since Told or WantTold
// was called last, of anybody, once each.
func (k *Kit) WantTold(want ...enrollment.Event) {
	k.t.Helper()
	got := k.Told()
	if len(got) != len(want) {
		k.t.Fatalf("told of %+v, want %+v", got, want)
	}
	for i, w := range want {
		got[i].ID, got[i].UserID, got[i].At = "", "", time.Time{}
		if w.Count = 1; got[i] != w {
			k.t.Errorf("told of %+v, want %+v", got[i], w)
		}
	}
}

// Observed returns the operations that were observed since it was called last.
func (k *Kit) Observed() (operations []enrollment.Observation) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, o := range k.seen {
		if o.Operation == "" {
			continue
		}
		if operations = append(operations, o); !slices.Contains(enrollment.Operations(), o.Operation) {
			k.t.Errorf("%q is not listed", o.Operation)
		}
	}
	k.seen = nil
	return operations
}

// Log returns the lines of the log since it was called last.
func (k *Kit) Log() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	text := k.log.String()
	k.log.Reset()
	return text
}

// Record returns what the store holds of the user. There has to be something.
func (k *Kit) Record(user string) store.Record {
	k.t.Helper()
	rec, err := k.Store.Straight.Load(k.t.Context(), user)
	k.Must(err)
	return rec
}

// Unchanged fails the test if f writes the user's record.
func (k *Kit) Unchanged(user string, f func()) {
	k.t.Helper()
	before, errBefore := k.Store.Straight.Load(k.t.Context(), user)
	f()
	after, errAfter := k.Store.Straight.Load(k.t.Context(), user)
	if errors.Is(errBefore, store.ErrNotFound) != errors.Is(errAfter, store.ErrNotFound) ||
		before.Version != after.Version || !bytes.Equal(before.Data, after.Data) {
		k.t.Errorf("the record of %s has changed", user)
	}
}

// Untouched is Unchanged of all of them.
func (k *Kit) Untouched(f func(), users ...string) {
	k.t.Helper()
	for _, user := range users {
		inner := f
		f = func() { k.t.Helper(); k.Unchanged(user, inner) }
	}
	f()
}

// Damage flips a bit of what is stored for the users.
func (k *Kit) Damage(users ...string) {
	k.t.Helper()
	for _, user := range users {
		rec := k.Record(user)
		rec.Data[len(rec.Data)/2] ^= 1
		prev := rec.Version
		rec.Version++
		if err := k.Store.Straight.Save(k.t.Context(), rec, prev); err != nil {
			k.t.Fatal(err)
		}
	}
}
