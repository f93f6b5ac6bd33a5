package enrollment_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// overKeys returns a Guard over the store with these keys.
func overKeys(t *testing.T, s store.Store, keys enrollment.Sealer, namespace string) *enrollment.Guard {
	t.Helper()
	g, err := enrollment.New(s, keys, enrollment.Config{
		Issuer: "Acme", Namespace: namespace, RecoveryScheme: recovery.Fast, AllowSHA1: fips.Enforced(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// freshKeys returns a ring of one new key of that id.
func freshKeys(t *testing.T, id string) *keyring.Ring {
	t.Helper()
	r, err := keyring.Generate(id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// beginAll begins a setup for each user, which stores an account.
func beginAll(t *testing.T, g *enrollment.Guard, users ...string) {
	t.Helper()
	for _, user := range users {
		if _, err := g.Begin(t.Context(), user, enrollment.BeginOptions{Account: user, Proof: enrollment.ByReauth("password")}); err != nil {
			t.Fatal(err)
		}
	}
}

// An account that can't be opened says why, to an operator who has deployed the
// wrong keys or the wrong configuration.
func TestUnreadableSaysWhy(t *testing.T) {
	t.Parallel()
	s, keys := memory.New(), freshKeys(t, "a")
	beginAll(t, overKeys(t, s, keys, "prod"), "alice", "bob")
	hers, err := s.Load(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	his, err := s.Load(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	moved := memory.New()
	hers.Data, hers.Version = his.Data, his.Version
	if err := moved.Save(t.Context(), hers, 0); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		store     store.Store
		keys      *keyring.Ring
		namespace string
		says      string
		is        error
	}{
		{"an unknown key", s, freshKeys(t, "b"), "prod", "not in the ring", keyring.ErrUnknownKey},
		{"another key of the id", s, freshKeys(t, "a"), "prod", "another key", keyring.ErrWrongKey},
		{"another namespace", s, keys, "staging", "Namespace", enrollment.ErrCorrupt},
		{"no namespace", s, keys, "", "Namespace", enrollment.ErrCorrupt},
		{"another user's data", moved, keys, "prod", "damaged or misplaced", keyring.ErrDamaged},
	} {
		_, err := overKeys(t, c.store, c.keys, c.namespace).Status(t.Context(), "alice")
		if !errors.Is(err, enrollment.ErrCorrupt) || !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to say %q", c.name, err, c.says)
		}
	}
}

// No byte of a record can be changed, cut off or added, not even one outside
// the seal.
func TestEveryByteOfARecordCounts(t *testing.T) {
	t.Parallel()
	s, keys := memory.New(), freshKeys(t, "a")
	beginAll(t, overKeys(t, s, keys, "prod"), "alice")
	whole, err := s.Load(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	check := func(data []byte) {
		t.Helper()
		rec, s := whole, memory.New()
		rec.Data = data
		if err := s.Save(t.Context(), rec, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := overKeys(t, s, keys, "prod").Status(t.Context(), "alice"); !errors.Is(err, enrollment.ErrCorrupt) {
			t.Errorf("%d of %d bytes: %v, want ErrCorrupt", len(data), len(whole.Data), err)
		}
	}
	for i := range whole.Data {
		flipped := bytes.Clone(whole.Data)
		flipped[i] ^= 1
		check(flipped)
		check(whole.Data[:i])
		check(whole.Data[i+1:])
	}
	check(append(bytes.Clone(whole.Data), 0))
	check(append(bytes.Clone(whole.Data), whole.Data[len(whole.Data)-4:]...))
}

// A refusal writes nothing if there is nothing to repair, whatever the clock
// says.
func TestNothingToClamp(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Pass(time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC).Sub(k.Now()))
	k.Begin("bob", enrollment.BeginOptions{})
	k.Unchanged("bob", func() {
		_, err := k.Guard.Verify(t.Context(), "bob", "x", "123456")
		proving.Want(t, err, enrollment.ReasonNotEnrolled)
	})
}

// A slow node, which has loaded an account that is erased meanwhile, does not
// overwrite the new one, whatever the clock shows: here always the same.
func TestSlowNodeUnderAFrozenClock(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Begin("alice", enrollment.BeginOptions{})
	entered, release := k.Store.Stall(proving.Save)
	slow := make(chan error, 1)
	go func() {
		_, err := k.Guard.Begin(context.Background(), "alice", enrollment.BeginOptions{Account: "slow", Proof: enrollment.ByReauth("password")})
		slow <- err
	}()
	<-entered
	k.Must(k.Guard.Admin("root", "gone").Erase(t.Context(), "alice"))
	k.Begin("alice", enrollment.BeginOptions{})
	fresh := k.Record("alice")
	kept := false
	k.Store.Nth(proving.Load, 1, func(context.Context, *proving.Call) { // after the conflict
		now := k.Record("alice")
		kept = now.Version == fresh.Version && bytes.Equal(now.Data, fresh.Data)
	})
	release()
	if err := <-slow; err != nil || !kept {
		t.Errorf("the new account was overwritten: %t; the slow node: %v", !kept, err)
	}
}

// Versions say nothing about how often an account was written, nor when.
func TestVersionsAreRandom(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	var ones, zeros int64
	seen := make(map[int64]bool)
	for range 128 {
		alice.Trust("laptop")
		v := k.Record("alice").Version
		if v < 1 || v > store.MaxVersion || seen[v] {
			t.Fatalf("version %d, seen before: %t", v, seen[v])
		}
		seen[v] = true
		ones |= v
		zeros |= ^v & store.MaxVersion
	}
	if ones != store.MaxVersion || zeros != store.MaxVersion {
		t.Errorf("of their bits %b are ever set, and %b ever clear", ones, zeros)
	}
}

// unbound is a Sealer that ignores what is sealed besides.
type unbound struct{ *keyring.Ring }

func (s unbound) Seal(ctx context.Context, scope, _, plaintext []byte) ([]byte, error) {
	return s.Ring.Seal(ctx, scope, nil, plaintext)
}

func (s unbound) Open(ctx context.Context, scope, _, sealed []byte) ([]byte, error) {
	return s.Ring.Open(ctx, scope, nil, sealed)
}

// The state in the account counts, even where the seal does not cover the other.
func TestStateIsCompared(t *testing.T) {
	t.Parallel()
	s := memory.New()
	g := overKeys(t, s, unbound{freshKeys(t, "a")}, "")
	beginAll(t, g, "alice")
	edit(t, s, "alice", func(r *store.Record) { r.State = store.Disabled })
	if _, err := g.Status(t.Context(), "alice"); !errors.Is(err, enrollment.ErrCorrupt) || !strings.Contains(err.Error(), "state") {
		t.Errorf("%v", err)
	}
}
