package accounts_test

import (
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

// A link is good once, for half an hour, and not after the password was changed in another
// way. One that is made for nobody never is.
func TestLinks(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	now := func() time.Time { return time.Unix(1_800_000_000+ahead.Load(), 0) }
	s, err := accounts.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "app.db"), bcrypt.MinCost, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.SQL.Close() })
	u, err := s.Create(t.Context(), "alice@example.com", "correct horse battery", "en")
	if err != nil {
		t.Fatal(err)
	}
	add := func(id string) string {
		t.Helper()
		token, err := s.AddLink(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return accounts.HashLink(token)
	}
	owner := func(hash string) string {
		t.Helper()
		u, err := s.ByLink(t.Context(), hash)
		if err != nil && !errors.Is(err, accounts.ErrNoUser) {
			t.Fatal(err)
		}
		return u.ID
	}
	first, second, nobody := add(u.ID), add(u.ID), add("")
	if owner(first) != u.ID || owner(second) != u.ID || owner(nobody) != "" || owner("") != "" {
		t.Fatal("links are not their owner's")
	}

	// Of many requests at the same time, one spends it.
	var spent atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := s.SpendLink(t.Context(), first)
			if err == nil {
				spent.Add(1)
			} else if !errors.Is(err, accounts.ErrNoUser) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if spent.Load() != 1 || owner(first) != "" {
		t.Errorf("the link was spent %d times", spent.Load())
	}

	ahead.Store(int64(accounts.LinkTTL/time.Second) - 1)
	if owner(second) != u.ID {
		t.Error("the link has ended too early")
	}
	ahead.Add(1)
	if owner(second) != "" {
		t.Error("the link has not ended")
	}
	third := add(u.ID)
	if err := s.RemoveLinks(t.Context(), u.ID); err != nil || owner(third) != "" {
		t.Errorf("the link is still there: %v", err)
	}
}

// A sweep deletes what has expired, and nothing before: links by the clock of the service,
// which a demonstration moves on, and sessions by that of the machine, as scs does.
func TestSweep(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	now := func() time.Time { return time.Unix(1_700_000_000+ahead.Load(), 0) }
	s, err := accounts.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "app.db"), bcrypt.MinCost, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.SQL.Close() })
	if _, err := s.AddLink(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	for token, lasts := range map[string]time.Duration{"over": -time.Minute, "open": time.Hour} {
		if err := s.Sessions().CommitCtx(t.Context(), token, []byte("data"), time.Now().Add(lasts)); err != nil {
			t.Fatal(err)
		}
	}
	left := func(table string) (n int) {
		t.Helper()
		if err := s.SQL.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, want := range []struct {
		after time.Duration
		links int
	}{{0, 1}, {accounts.LinkTTL - time.Second, 1}, {accounts.LinkTTL, 0}} {
		ahead.Store(int64(want.after / time.Second))
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if links, open := left("links"), left("sessions"); links != want.links || open != 1 {
			t.Errorf("after %v %d links and %d sessions are left", want.after, links, open)
		}
	}
}
