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

// TestReplaced has a data source name that is not as expected. A store that then went past
// the proxy would meet no trouble.
func TestReplaced(t *testing.T) {
	t.Parallel()
	if dsn := testenv.Replaced(t, "a=b host=/tmp c=d", "host=/tmp", "host=127.0.0.1"); dsn != "a=b host=127.0.0.1 c=d" {
		t.Errorf("Replaced = %q", dsn)
	}
	e := &ending{TB: t}
	func() {
		defer func() { _ = recover() }()
		testenv.Replaced(e, "a=b host=/var/tmp", "host=/tmp", "host=127.0.0.1")
	}()
	if e.how == "" {
		t.Error("a data source name without the part was returned as it is")
	}
}
