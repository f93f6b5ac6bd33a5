package testenv_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// ending records how a test was ended.
type ending struct {
	testing.TB
	how string
}

func (e *ending) Helper()          {}
func (e *ending) Skip(args ...any) { e.how = "skipped: " + fmt.Sprint(args...) }
func (e *ending) Fatalf(f string, args ...any) {
	e.how = "failed: " + fmt.Sprintf(f, args...)
	panic(e)
}

func TestMissing(t *testing.T) {
	for value, want := range map[string]string{
		"":  "skipped: no oathtool",
		"0": "skipped: no oathtool",
		"1": "failed: no oathtool, and TWOFACTOR_REQUIRE=1",
	} {
		t.Setenv(testenv.Require, value)
		e := &ending{TB: t}
		func() {
			defer func() { _ = recover() }()
			testenv.Missing(e, "no oathtool")
		}()
		if e.how != want {
			t.Errorf("with %q: %s, want %s", value, e.how, want)
		}
	}
}

// TestStoresAreFresh opens each kind twice, and sees that neither knows of the
// other.
func TestStoresAreFresh(t *testing.T) {
	t.Parallel()
	for _, b := range testenv.Stores() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				s := b.Open(t)
				if err := s.Save(t.Context(), store.Record{UserID: "alice", Version: 1, State: store.None}, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestSQLiteFile is a path of nothing yet, in a folder that exists.
func TestSQLiteFile(t *testing.T) {
	t.Parallel()
	path := testenv.SQLiteFile(t)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("Stat of the file = %v, want that it is not there", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		t.Error(err)
	}
}
