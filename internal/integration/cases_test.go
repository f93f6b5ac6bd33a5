package integration_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// TestCase47_IdsAreBytes keeps five names that collations take for fewer, and
// two forms of one, as accounts of their own.
func TestCase47_IdsAreBytes(t *testing.T) {
	t.Parallel()
	ids := []string{"alice", "ALICE", "alice ", "\u00c1lice", "A\u0301lice"}
	for _, b := range testenv.Stores() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			fiveAccounts(t, b.Open(t), ids)
		})
	}
	// The language of the database must not matter.
	t.Run("PostgreSQL in a language", func(t *testing.T) {
		t.Parallel()
		dsn := testenv.PostgresDSN(t)
		_, schema, _ := strings.Cut(dsn, "search_path=")
		if _, err := testenv.OpenPostgres(t, dsn).ExecContext(t.Context(),
			"CREATE DATABASE in_a_language_"+schema+" TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"); err != nil {
			testenv.Missing(t, "this PostgreSQL makes no database with an ICU locale: "+err.Error())
		}
		dsn, _, _ = strings.Cut(dsn, " search_path=")
		db := testenv.OpenPostgres(t, testenv.Replaced(t, dsn, "dbname=postgres", "dbname=in_a_language_"+schema))
		fiveAccounts(t, migrated(t, sqlstore.New(db, sqlstore.PostgreSQL)), ids)
	})
}

func fiveAccounts(t *testing.T, s store.Store, ids []string) {
	t.Helper()
	for i, id := range ids {
		if _, err := s.Load(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Load(%q) before it was saved = %v, want ErrNotFound", id, err)
		}
		if err := s.Save(t.Context(), record(id, int64(i)+1), 0); err != nil {
			t.Errorf("Save(%q) = %v, want nil", id, err)
		}
	}
	for i, id := range ids {
		if r, err := s.Load(t.Context(), id); err != nil || r.UserID != id || r.Version != int64(i)+1 {
			t.Errorf("Load(%q) = %q, version %d, %v, want its own record", id, r.UserID, r.Version, err)
		}
	}
	page, err := s.(store.Lister).List(t.Context(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range page.Records {
		got = append(got, r.UserID)
	}
	if want := []string{"ALICE", "A\u0301lice", "alice", "alice ", "\u00c1lice"}; fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("List = %q, want %q", got, want)
	}
}

// TestCase54_SlowNodeAfterErase lets a node that loaded a record before it was
// erased and created again save what it made of it.
func TestCase54_SlowNodeAfterErase(t *testing.T) {
	t.Parallel()
	for _, b := range testenv.Stores() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			s := b.Open(t)
			ctx := t.Context()
			if err := s.Save(ctx, record("alice", 1_700_000_000_000_000), 0); err != nil {
				t.Fatal(err)
			}
			slow, err := s.Load(ctx, "alice")
			if err != nil {
				t.Fatal(err)
			}
			if err := s.(store.Eraser).Erase(ctx, "alice"); err != nil {
				t.Fatal(err)
			}
			prev := slow.Version
			slow.Version++
			if err := s.Save(ctx, slow, prev); !errors.Is(err, store.ErrConflict) {
				t.Errorf("Save of what was erased = %v, want ErrConflict", err)
			}
			again := record("alice", 1_700_000_000_000_009)
			again.State = store.Pending
			if err := s.Save(ctx, again, 0); err != nil {
				t.Fatal(err)
			}
			if err := s.Save(ctx, slow, prev); !errors.Is(err, store.ErrConflict) {
				t.Errorf("Save over what was created again = %v, want ErrConflict", err)
			}
			if r, err := s.Load(ctx, "alice"); err != nil || r.Version != again.Version || r.State != store.Pending {
				t.Errorf("Load = version %d, %v, %v, want the new record", r.Version, r.State, err)
			}
		})
	}
}
