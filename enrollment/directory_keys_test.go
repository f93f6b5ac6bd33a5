package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// checkKeys returns what CheckKeys says of a store with these keys.
func checkKeys(t *testing.T, ctx context.Context, s listedStore, keys enrollment.Sealer, namespace string) error {
	t.Helper()
	d, err := enrollment.NewDirectory(overKeys(t, s, keys, namespace), s)
	if err != nil {
		t.Fatal(err)
	}
	return d.CheckKeys(ctx)
}

type listedStore interface {
	store.Store
	store.Lister
}

// edit changes a stored record.
func edit(t *testing.T, s *memory.Store, user string, change func(*store.Record)) {
	t.Helper()
	rec, err := s.Load(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	prev := rec.Version
	rec.Version++
	change(&rec)
	if err := s.Save(t.Context(), rec, prev); err != nil {
		t.Fatal(err)
	}
}

// damage changes a byte inside the seal of an account.
func damage(r *store.Record) { r.Data[len(r.Data)/2] ^= 1 }

// Case 70: a start with keys that can't open the stored accounts is refused,
// before a user meets it.
func TestCase70_KeysAreCheckedAtStart(t *testing.T) {
	t.Parallel()
	right := freshKeys(t, "a")
	rotated, err := right.Rotate("b")
	if err != nil {
		t.Fatal(err)
	}
	dropped, err := rotated.Drop("a")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		fill      func(t *testing.T, s *memory.Store)
		keys      *keyring.Ring
		namespace string
		is        []error
		says      []string
	}{
		{name: "no accounts", keys: freshKeys(t, "x")},
		{
			name: "the right keys",
			fill: func(t *testing.T, s *memory.Store) { beginAll(t, overKeys(t, s, right, ""), "alice") },
			keys: right,
		},
		{
			name: "in the middle of a rotation",
			fill: func(t *testing.T, s *memory.Store) {
				beginAll(t, overKeys(t, s, right, ""), "alice")
				beginAll(t, overKeys(t, s, rotated, ""), "bob")
			},
			keys: rotated,
		},
		{
			name: "another key with the same id",
			fill: func(t *testing.T, s *memory.Store) { beginAll(t, overKeys(t, s, right, ""), "alice", "bob") },
			keys: freshKeys(t, "a"),
			is:   []error{enrollment.ErrCorrupt, keyring.ErrWrongKey},
			says: []string{"2 of the 2", "alice", `"a"`, "another key"},
		},
		{
			name: "an unknown key",
			fill: func(t *testing.T, s *memory.Store) { beginAll(t, overKeys(t, s, right, ""), "alice") },
			keys: freshKeys(t, "x"),
			is:   []error{enrollment.ErrCorrupt, keyring.ErrUnknownKey},
			says: []string{"1 of the 1", `"a"`, "not in the ring"},
		},
		{
			name:      "another namespace",
			fill:      func(t *testing.T, s *memory.Store) { beginAll(t, overKeys(t, s, right, "prod"), "alice") },
			keys:      right,
			namespace: "staging",
			is:        []error{enrollment.ErrCorrupt},
			says:      []string{"1 of the 1", "Config.Namespace"},
		},
		{
			name: "a key dropped too early",
			fill: func(t *testing.T, s *memory.Store) {
				beginAll(t, overKeys(t, s, right, ""), "alice", "carol")
				beginAll(t, overKeys(t, s, rotated, ""), "bob", "dave", "erin")
			},
			keys: dropped,
			is:   []error{enrollment.ErrCorrupt, keyring.ErrUnknownKey},
			says: []string{"2 of the 5", "alice"},
		},
		{
			name: "several reasons",
			fill: func(t *testing.T, s *memory.Store) {
				beginAll(t, overKeys(t, s, freshKeys(t, "x"), ""), "alice")
				beginAll(t, overKeys(t, s, freshKeys(t, "a"), ""), "bob")
				beginAll(t, overKeys(t, s, right, "staging"), "carol")
				beginAll(t, overKeys(t, s, right, ""), "dave")
			},
			keys: right,
			is:   []error{enrollment.ErrCorrupt, keyring.ErrUnknownKey, keyring.ErrWrongKey},
			says: []string{"3 of the 4", "alice", "bob", "carol", "Config.Namespace"},
		},
		{
			// It would let one bad row stop the service.
			name: "one damaged account",
			fill: func(t *testing.T, s *memory.Store) {
				beginAll(t, overKeys(t, s, right, ""), "alice", "bob")
				edit(t, s, "alice", damage)
			},
			keys: right,
		},
		{
			name: "one account damaged at its end",
			fill: func(t *testing.T, s *memory.Store) {
				beginAll(t, overKeys(t, s, right, ""), "alice", "bob")
				edit(t, s, "alice", func(r *store.Record) { r.Data = r.Data[:len(r.Data)-1] })
			},
			keys: right,
		},
		{
			name: "accounts damaged at their beginning",
			fill: func(t *testing.T, s *memory.Store) {
				beginAll(t, overKeys(t, s, right, ""), "alice", "bob", "carol", "dave")
				edit(t, s, "alice", func(r *store.Record) { r.Data[0] ^= 1 })
				edit(t, s, "bob", func(r *store.Record) { r.Data[1] = 0 })
				edit(t, s, "carol", func(r *store.Record) { r.Data[2] -= 'a' - 'A' })
			},
			keys: right,
		},
		{
			name: "one account damaged where it tells its key",
			fill: func(t *testing.T, s *memory.Store) {
				beginAll(t, overKeys(t, s, right, ""), "alice", "bob")
				edit(t, s, "alice", func(r *store.Record) { r.Data[3] ^= 1 })
			},
			keys: right,
		},
		{
			name: "accounts of two namespaces",
			fill: func(t *testing.T, s *memory.Store) {
				beginAll(t, overKeys(t, s, right, ""), "alice")
				beginAll(t, overKeys(t, s, right, "staging"), "bob", "carol")
			},
			keys: right,
			is:   []error{enrollment.ErrCorrupt},
			says: []string{"2 of the 3", "bob", "Config.Namespace"},
		},
		{
			name: "accounts that were emptied",
			fill: func(t *testing.T, s *memory.Store) {
				beginAll(t, overKeys(t, s, right, ""), "alice", "bob", "carol", "dave")
				edit(t, s, "alice", func(r *store.Record) { r.Data = nil })
				edit(t, s, "bob", func(r *store.Record) { r.Data = r.Data[:3] })
				edit(t, s, "carol", func(r *store.Record) { r.Data = r.Data[len(r.Data)-4:] })
			},
			keys: right,
		},
		{
			name: "only damaged accounts",
			fill: func(t *testing.T, s *memory.Store) {
				beginAll(t, overKeys(t, s, right, ""), "alice", "bob")
				edit(t, s, "alice", damage)
				edit(t, s, "bob", damage)
			},
			keys: right,
			is:   []error{enrollment.ErrCorrupt, keyring.ErrDamaged},
			says: []string{"2 of the 2", "damaged"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := memory.New()
			if c.fill != nil {
				c.fill(t, s)
			}
			err := checkKeys(t, t.Context(), s, c.keys, c.namespace)
			if (err != nil) != (c.is != nil) {
				t.Fatalf("CheckKeys = %v", err)
			}
			if c.is != nil && !errors.Is(err, enrollment.ErrWrongKeys) {
				t.Errorf("CheckKeys = %v, want ErrWrongKeys", err)
			}
			for _, is := range c.is {
				if !errors.Is(err, is) {
					t.Errorf("CheckKeys = %v, want it to match %v", err, is)
				}
			}
			for _, says := range c.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("CheckKeys = %v, want it to say %s", err, says)
				}
			}
		})
	}
}

// The check takes the same time however many accounts there are, and looks at
// every state: those who matter most may come after many others.
func TestCheckKeysIsBounded(t *testing.T) {
	t.Parallel()
	s, keys := memory.New(), freshKeys(t, "a")
	g := overKeys(t, s, keys, "")
	for i := range 200 {
		beginAll(t, g, fmt.Sprintf("user-%03d", i))
	}
	twenty := &listedAs{Store: s, list: func(q store.Query) (store.Page, error) {
		if q.Limit != 25 {
			t.Errorf("asked for pages of %d", q.Limit)
		}
		q.Limit = 20
		return s.List(t.Context(), q)
	}}
	for name, lister := range map[string]listedStore{"whole pages": s, "short pages": twenty} {
		counted := &countedSealer{Ring: keys}
		if err := checkKeys(t, t.Context(), lister, counted, ""); err != nil || counted.opened != 25 {
			t.Errorf("%s: CheckKeys = %v after opening %d accounts, want 25", name, err, counted.opened)
		}
	}
	// The one of another state, sealed under another key, comes last.
	beginAll(t, overKeys(t, s, freshKeys(t, "x"), ""), "zoe")
	edit(t, s, "zoe", func(r *store.Record) { r.State = store.Confirmed })
	if err := checkKeys(t, t.Context(), s, keys, ""); !errors.Is(err, keyring.ErrUnknownKey) {
		t.Errorf("CheckKeys = %v, want ErrUnknownKey", err)
	}
}

// A store may answer with pages that hold fewer records than asked for, or none.
func TestCheckKeysFollowsShortPages(t *testing.T) {
	t.Parallel()
	mem := memory.New()
	beginAll(t, overKeys(t, mem, freshKeys(t, "a"), ""), "alice")
	for _, c := range []struct {
		name  string
		empty int // pages before the one with records
		calls int
		is    error
	}{
		{"two empty pages", 2, 3 * 4, keyring.ErrUnknownKey},
		{"endless empty pages", 1000, 4 * 4, nil},
	} {
		calls := 0
		s := &listedAs{Store: mem, list: func(q store.Query) (store.Page, error) {
			calls++
			if len(q.Cursor) < c.empty {
				return store.Page{Next: q.Cursor + "+"}, nil
			}
			q.Cursor = ""
			return mem.List(t.Context(), q)
		}}
		err := checkKeys(t, t.Context(), s, freshKeys(t, "b"), "")
		if !errors.Is(err, c.is) || calls != c.calls {
			t.Errorf("%s: CheckKeys = %v after %d calls of the store, want %v after %d", c.name, err, calls, c.is, c.calls)
		}
	}
}

// What keeps the check from being made is no verdict on the keys.
func TestCheckKeysFaults(t *testing.T) {
	t.Parallel()
	s, keys := memory.New(), freshKeys(t, "a")
	beginAll(t, overKeys(t, s, keys, ""), "alice")
	edit(t, s, "alice", func(r *store.Record) { r.State = store.Disabled }) // the last one to be looked at
	fault := errors.New("not now")
	lister := &listedAs{Store: s, list: func(store.Query) (store.Page, error) { return store.Page{}, fault }}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	ends, end := context.WithCancel(t.Context())
	for name, c := range map[string]struct {
		ctx   context.Context
		store listedStore
		keys  enrollment.Sealer
		want  error
	}{
		"the store fails":    {t.Context(), lister, keys, fault},
		"the sealer fails":   {t.Context(), s, &countedSealer{Ring: keys, err: fault}, fault},
		"the context ended":  {ended, s, keys, context.Canceled},
		"it ends on the way": {ends, s, &countedSealer{Ring: keys, err: keyring.ErrUnknownKey, before: end}, context.Canceled},
	} {
		if err := checkKeys(t, c.ctx, c.store, c.keys, ""); !errors.Is(err, c.want) || errors.Is(err, enrollment.ErrWrongKeys) || errors.Is(err, enrollment.ErrCorrupt) {
			t.Errorf("%s: CheckKeys = %v, want %v", name, err, c.want)
		}
	}
}

// countedSealer counts what is opened, or fails.
type countedSealer struct {
	*keyring.Ring
	opened int
	err    error
	before func()
}

func (c *countedSealer) Open(ctx context.Context, scope, binding, sealed []byte) ([]byte, error) {
	if c.before != nil {
		c.before()
	}
	if c.opened++; c.err != nil {
		return nil, c.err
	}
	return c.Ring.Open(ctx, scope, binding, sealed)
}

// blunt is a Sealer that does not say why it can't open something.
type blunt struct{ enrollment.Sealer }

func (s blunt) Open(ctx context.Context, scope, binding, sealed []byte) ([]byte, error) {
	plain, err := s.Sealer.Open(ctx, scope, binding, sealed)
	if errors.Is(err, keyring.ErrOpen) {
		err = keyring.ErrOpen
	}
	return plain, err
}

// A Sealer of the application can do with one error. Then a damaged account does not stop
// the start either, and the wrong keys do.
func TestCheckKeysOfBluntSealer(t *testing.T) {
	t.Parallel()
	s, keys := memory.New(), freshKeys(t, "a")
	beginAll(t, overKeys(t, s, keys, ""), "alice", "bob", "carol")
	edit(t, s, "alice", damage)
	if err := checkKeys(t, t.Context(), s, blunt{keys}, ""); err != nil {
		t.Errorf("one damaged account: CheckKeys = %v", err)
	}
	if err := checkKeys(t, t.Context(), s, blunt{freshKeys(t, "a")}, ""); !errors.Is(err, enrollment.ErrWrongKeys) {
		t.Errorf("other keys: CheckKeys = %v, want ErrWrongKeys", err)
	}
}

// listedAs is a store that lists in a way of its own.
type listedAs struct {
	*memory.Store
	list func(store.Query) (store.Page, error)
}

func (s *listedAs) List(_ context.Context, q store.Query) (store.Page, error) { return s.list(q) }

// Not every Sealer can say which key it is, and then none is named.
func TestCheckKeysNamesNoKey(t *testing.T) {
	t.Parallel()
	s := memory.New()
	beginAll(t, overKeys(t, s, freshKeys(t, "x"), ""), "alice")
	for named, keys := range map[bool]enrollment.Sealer{true: freshKeys(t, "a"), false: struct{ enrollment.Sealer }{freshKeys(t, "a")}} {
		err := checkKeys(t, t.Context(), s, keys, "")
		if !errors.Is(err, keyring.ErrUnknownKey) || strings.Contains(err.Error(), "names the key") != named {
			t.Errorf("CheckKeys = %v", err)
		}
	}
}
