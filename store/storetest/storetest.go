// Package storetest tests implementations of [store.Store]. An application with a store
// of its own writes one test:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store {
//			return newMyStore(t) // fresh and empty, on the real database
//		})
//	}
//
// The guarantees of the library depend on the store. A code works once because
// exactly one of two concurrent Saves succeeds. Users are not mixed up because
// ids are compared byte by byte. With a store that fails here, codes can work
// twice or two users can become one: do not use it. Run the suite against the
// same kind of server as in production, with the same settings, and under the
// race detector.
//
// Each case tests one clause of the contract, and prints the clause when it
// fails. [store.Lister] and [store.Eraser] are optional, and are tested if the
// store implements them. Open of package enrollment needs the first, and Admin.Erase there
// the second.
//
// A suite can't prove that a store has no defect, and it can miss four kinds in particular:
//
//   - Run has one store at a time, so it does not notice a cache or a lock in the process in
//     front of a database that other processes write, nor a commit that comes after Save has
//     returned. [RunNodes] does, but for a lock or a cache that all stores of a process share,
//     such as a package variable: have none.
//   - If a Save takes only a microsecond, as in a map, and the processors are busy, it can miss
//     a store that compares under one lock and writes under another: hold one lock for both.
//   - It sees what the database shows, not whether that is on the disk and on the replicas
//     when Save returns. Read what your database promises, and with which settings.
//   - It cuts no connection, so it does not notice a driver that sends a Save once more when
//     the reply is lost. Switch such retries off.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// caseTimeout limits one case, so that a store with a deadlock fails with the
// name of the case and does not hang the test binary. A call may take graceTime more to
// notice that its context has ended.
const (
	caseTimeout = 2 * time.Minute
	graceTime   = 10 * time.Second
)

// Run tests the stores that open returns, with one subtest for each case, all in
// parallel. It calls open once for each case, in the goroutine of that case. Open
// must return a fresh and empty store each time, for example with a new table,
// schema or file. It may use t to fail, to skip and to clean up.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			if s == nil {
				t.Fatal("open returned no store")
			}
			if missing := c.missing(s); missing != "" {
				t.Skipf("the store is not a %s, which is optional", missing)
			}
			ctx, cancel := context.WithTimeout(t.Context(), caseTimeout)
			defer cancel()
			if err := c.run(ctx, s, graceTime); err != nil {
				t.Fatalf("%v\nThe clause of the contract: %s", err, c.clause)
			}
		})
	}
}

// A testCase tests one clause of the contract. Its check returns an error and
// does not use a testing.T, so that the suite's own tests can see it fail.
type testCase struct {
	name   string
	clause string
	needs  ability
	check  func(ctx context.Context, s store.Store) error
}

// run is check, with an error if it has not ended so long after the context.
func (c testCase) run(ctx context.Context, s store.Store, grace time.Duration) error {
	checked := make(chan error, 1)
	go func() { checked <- c.check(ctx, s) }()
	select {
	case err := <-checked:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-checked:
		return err
	case <-time.After(grace):
		return fmt.Errorf("a call of the store has not returned %v after its context ended", grace)
	}
}

// An ability is what a case needs of a store besides Load and Save.
type ability uint8

const (
	lists ability = 1 << iota
	erases
)

// missing returns the name of the interface that the case needs and the store
// does not implement, or "".
func (c testCase) missing(s store.Store) string {
	if _, ok := s.(store.Lister); c.needs&lists != 0 && !ok {
		return "store.Lister"
	}
	if _, ok := s.(store.Eraser); c.needs&erases != 0 && !ok {
		return "store.Eraser"
	}
	return ""
}

// cases returns all cases.
func cases() []testCase {
	var all []testCase
	all = append(all, saveCases...)
	all = append(all, fieldCases...)
	all = append(all, idCases...)
	all = append(all, contextCases...)
	all = append(all, raceCases...)
	all = append(all, listCases...)
	all = append(all, eraseCases...)
	return all
}
