package integration_test

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/galera"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/suite"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// A prover runs the proofs of enrollment.Guard over some of the places.
type prover struct{ test, inRun, inProve string }

// The provers. What they do follows from the cells that README.md has of them.
var (
	guarded   = prover{"TestGuard", "most", "all"}
	clustered = prover{"TestGuardOfCluster", "none", "all"}  // takes minutes
	paired    = prover{"TestGuardOfPair", "none", "all"}     // takes many minutes, and waits most of the time
	copied    = prover{"TestGuardOfRecipe", "none", "all"}   // stores to be copied
	elsewhere = prover{"TestGuardElsewhere", "none", "most"} // the same databases, by other ways
)

// A place is a database, a cluster, another driver, or a store to be copied. The Open may
// belong to the test.
type place struct {
	name string
	by   prover
	open func(t *testing.T) proving.Open
}

func places() (all []place) {
	for _, b := range testenv.Stores() {
		all = append(all, place{b.Name, guarded, func(*testing.T) proving.Open {
			return func(t *testing.T) store.Store { return b.Open(t) }
		}})
	}
	all = append(all,
		place{"Redis cluster", clustered, func(*testing.T) proving.Open {
			return func(t *testing.T) store.Store { return testenv.RedisInCluster(t)() }
		}},
		place{"Galera", clustered, func(t *testing.T) proving.Open { // each call of the store goes to another node
			c := testenv.Galera(t)
			return func(t *testing.T) store.Store {
				return &balanced{nodes: fulls(testenv.GaleraStores(t, c, galera.Waiting))}
			}
		}})
	for name, start := range replicated {
		all = append(all, place{name, paired, func(t *testing.T) proving.Open {
			database := start(t)
			return func(t *testing.T) store.Store { return database(t)() }
		}})
	}
	for _, c := range connections {
		all = append(all, place{c.name, elsewhere, func(*testing.T) proving.Open {
			return func(t *testing.T) store.Store { return migrated(t, sqlstore.New(c.open(t), c.dialect)) }
		}})
	}
	for name, open := range recipes {
		all = append(all, place{"the recipe for " + name, copied, func(*testing.T) proving.Open {
			return func(t *testing.T) store.Store { return open(t, testenv.PostgresDSN(t)) }
		}})
	}
	return all
}

// prove runs the proofs over the places of the prover.
func (by prover) prove(t *testing.T) {
	if t.Name() != by.test {
		t.Fatalf("%s does what %s is to do", t.Name(), by.test)
	}
	run := suite.RunShort
	switch by.inRun + ", " + by.inProve {
	case "most, all":
		run = suite.Run
	case "none, all":
		proving.OnlyWithAll(t)
		run = suite.Run
	case "none, most":
		proving.OnlyWithAll(t)
	default:
		t.Fatalf("nothing runs %s and %s", by.inRun, by.inProve)
	}
	for _, p := range places() {
		if p.by == by {
			t.Run(p.name, func(t *testing.T) { run(t, p.open(t)) })
		}
	}
}

// TestGuard runs the proofs of enrollment.Guard on every database.
func TestGuard(t *testing.T) { guarded.prove(t) }

// TestGuardOfCluster runs them on clusters.
func TestGuardOfCluster(t *testing.T) { clustered.prove(t) }

// TestGuardOfPair runs them on databases with a synchronous replica.
func TestGuardOfPair(t *testing.T) { paired.prove(t) }

// TestGuardOfRecipe runs them on the stores to be copied.
func TestGuardOfRecipe(t *testing.T) { copied.prove(t) }

// TestGuardElsewhere runs most of them with the other drivers.
func TestGuardElsewhere(t *testing.T) { elsewhere.prove(t) }

// modules are where the stores are tested that have a module or a package of their own, from
// the root of the repository.
var modules = map[string]string{
	"Redis": "store/redisstore", "bbolt": "store/boltstore", "mattn": "internal/integration/mattn",
	"etcd, one node": "internal/integration/recipes/etcdstore", "etcd": "internal/integration/recipes/etcdstore",
}

// tests are the tests in those modules that are not called TestGuard.
var tests = map[string]string{"etcd": "TestGuardOfThree"}

// cells reads what a test in that folder runs.
func cells(t *testing.T, folder, test string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, body, found := strings.Cut(string(text), "\nfunc "+test+"(t *testing.T) {\n")
		if !found {
			continue
		}
		body, _, _ = strings.Cut(body, "\n}")
		switch body {
		case "\tsuite.Run(t, fresh)":
			return "most | all"
		case "\tproving.OnlyWithAll(t)\n\tsuite.Run(t, lone)", "\tproving.OnlyWithAll(t)\n\tsuite.Run(t, fresh)":
			return "none | all"
		case "\tproving.OnlyWithAll(t)\n\tsuite.RunShort(t, fresh)":
			return "none | most"
		}
		t.Fatalf("%s: nobody knows what this runs:\n%s", file, body)
	}
	t.Fatalf("%s has no %s", folder, test)
	return ""
}

// TestProofsAreListed compares the table in README.md, "Which proof runs where", with what
// the tests run.
func TestProofsAreListed(t *testing.T) {
	t.Parallel()
	want := map[string]string{"memory": "nearly all | all | `internal/proving`"} // in the packages themselves
	for name, folder := range modules {
		want[name] = cells(t, folder, cmp.Or(tests[name], "TestGuard")) + " | `" + strings.TrimPrefix(folder, "internal/integration/") + "`"
	}
	for _, p := range places() {
		want[p.name] = p.by.inRun + " | " + p.by.inProve + " | `" + p.by.test + "`"
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
		name, cells, _ := strings.Cut(strings.Trim(strings.TrimSpace(row), "| "), " | ")
		if cells != want[name] {
			t.Errorf("the row %q does not say %q", row, want[name])
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("there is no row of %s", name)
	}
}
