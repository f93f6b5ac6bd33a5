package integration_test

import (
	"os"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/galera"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/suite"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// TestGuard runs the proofs of enrollment.Guard on every database.
func TestGuard(t *testing.T) {
	for _, b := range testenv.Stores() {
		t.Run(b.Name, func(t *testing.T) {
			suite.Run(t, func(t *testing.T) store.Store { return b.Open(t) })
		})
	}
}

// elsewhere are clusters, other drivers, and the stores to be copied. The Open may belong to
// the test.
func elsewhere() map[string]func(t *testing.T) proving.Open {
	all := map[string]func(t *testing.T) proving.Open{
		"Redis cluster": func(*testing.T) proving.Open {
			return func(t *testing.T) store.Store { return testenv.RedisInCluster(t)() }
		},
		"Galera": func(t *testing.T) proving.Open { // each call of the store goes to another node
			c := testenv.Galera(t)
			return func(t *testing.T) store.Store {
				return &balanced{nodes: fulls(testenv.GaleraStores(t, c, galera.Waiting))}
			}
		},
	}
	for _, c := range connections {
		all[c.name] = func(*testing.T) proving.Open {
			return func(t *testing.T) store.Store { return migrated(t, sqlstore.New(c.open(t), c.dialect)) }
		}
	}
	for name, open := range recipes {
		all["the recipe for "+name] = func(*testing.T) proving.Open {
			return func(t *testing.T) store.Store { return open(t, testenv.PostgresDSN(t)) }
		}
	}
	return all
}

// TestGuardElsewhere runs most of the proofs on those. That takes so long that it is left to
// the proofs of everything.
func TestGuardElsewhere(t *testing.T) {
	proving.OnlyWithAll(t)
	for name, open := range elsewhere() {
		t.Run(name, func(t *testing.T) { suite.RunShort(t, open(t)) })
	}
}

// TestProofsAreListed compares the table in README.md, "Which proof runs where", with what
// the tests here run.
func TestProofsAreListed(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"memory": "all, all",                                                                    // in the packages themselves
		"Redis":  "most, all", "bbolt": "most, all", "etcd": "none, all", "mattn": "none, most", // in modules of their own
	}
	for _, b := range testenv.Stores() {
		want[b.Name] = "most, all"
	}
	for name := range elsewhere() {
		want[name] = "none, most"
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n| store | proofs in `.ci/run` | proofs in `.ci/prove` | where |\n|---|---|---|---|\n")
	if table, _, _ = strings.Cut(table, "\n\n"); !found {
		t.Fatal("README.md has no table of proofs")
	}
	for row := range strings.Lines(table) {
		cells := strings.Split(row, " | ")
		name := strings.TrimPrefix(cells[0], "| ")
		if len(cells) != 4 || cells[1]+", "+cells[2] != want[name] {
			t.Errorf("the row %q does not say %q", row, want[name])
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("there is no row of %s", name)
	}
}
