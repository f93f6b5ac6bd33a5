package enrollment_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// Stores that can do more than a plain one. They note what is called.
type (
	migrates struct {
		*proving.Store
		called *[]string
		err    error
	}
	checks struct {
		*proving.Store
		called *[]string
		err    error
	}
	migratesAndChecks struct {
		migrates
		checker checks
	}
)

func (s migrates) Migrate(context.Context) error {
	*s.called = append(*s.called, "Migrate")
	return s.err
}

func (s checks) Check(context.Context) error {
	*s.called = append(*s.called, "Check")
	return s.err
}

func (s migratesAndChecks) Check(ctx context.Context) error { return s.checker.Check(ctx) }

// Open prepares the store, then checks the keys, and names the step that fails.
func TestOpen(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	other, err := keyring.Generate("other")
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.New("the database is away")
	var called []string
	k.Store.Before(proving.List, func(context.Context, *proving.Call) {
		if !slices.Contains(called, "List") {
			called = append(called, "List")
		}
	})
	migrating, checking := migrates{k.Store, &called, nil}, checks{k.Store, &called, nil}
	type accounts interface {
		proving.Full // what Open takes, and more
	}
	for name, c := range map[string]struct {
		accounts accounts
		keys     enrollment.Sealer
		issuer   string
		calls    []string
		is       error
		says     string
	}{
		"a store that needs nothing":       {k.Store, k.Keys, "Acme", []string{"List"}, nil, ""},
		"one that migrates":                {migrating, k.Keys, "Acme", []string{"Migrate", "List"}, nil, ""},
		"one that checks":                  {checking, k.Keys, "Acme", []string{"Check", "List"}, nil, ""},
		"one whose Migrate checks as well": {migratesAndChecks{migrating, checking}, k.Keys, "Acme", []string{"Migrate", "List"}, nil, ""},
		"a migration that fails":           {migrates{k.Store, &called, failed}, k.Keys, "Acme", []string{"Migrate"}, failed, "enrollment: migrating the store: the database is away"},
		"a check that fails":               {checks{k.Store, &called, failed}, k.Keys, "Acme", []string{"Check"}, failed, "enrollment: checking the store: the database is away"},
		"keys that do not fit":             {migrating, other, "Acme", []string{"Migrate", "List"}, keyring.ErrUnknownKey, "enrollment: checking the keys: "},
		"a bad Config touches no database": {migrating, k.Keys, "", nil, nil, "Config.Issuer"},
		"no Sealer":                        {migrating, nil, "Acme", nil, nil, "the sealer is nil"},
		"no store":                         {nil, k.Keys, "Acme", nil, nil, "the store is nil"},
	} {
		called = nil
		config := k.Config
		config.Issuer = c.issuer
		guard, directory, err := enrollment.Open(t.Context(), c.accounts, c.keys, config)
		if !slices.Equal(called, c.calls) {
			t.Errorf("%s: it called %q, want %q", name, called, c.calls)
		}
		if c.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if status, err := guard.Status(t.Context(), "alice"); err != nil || !status.Enabled() {
				t.Errorf("%s: %+v, %v", name, status, err)
			}
			if swept, err := directory.Sweep(t.Context()); err != nil || swept.Walked != 1 {
				t.Errorf("%s: %+v, %v", name, swept, err)
			}
			continue
		}
		if guard != nil || directory != nil || err == nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v, %v, %v, want %s", name, guard, directory, err, c.says)
		}
	}

	k.Store.Fail(proving.List, failed)
	if _, _, err := enrollment.Open(t.Context(), k.Store, k.Keys, k.Config); !errors.Is(err, failed) || !strings.Contains(err.Error(), "checking the keys") {
		t.Errorf("a listing that fails: %v", err)
	}
}

// Open starts no goroutine: a bubble ends only when all of its goroutines have, and this
// context never does.
func TestOpenStartsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		keys, err := keyring.Generate("test")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := enrollment.Open(context.Background(), memory.New(), keys, proving.New(t).Config); err != nil {
			t.Error(err)
		}
	})
}
