// Package storetest proves implementations of [store.Store]. A host that keeps
// its records in a database of its own writes one test:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store {
//			return newMyStore(t) // fresh and empty, on the real database
//		})
//	}
//
// The library's guarantees rest on the store: a code works once because, of two
// concurrent Saves exactly one succeeds, and nobody is taken for somebody else
// because ids are compared byte by byte. A store that fails here would let codes
// work twice or merge users, and must not be used. Run the suite against the same
// kind and configuration of server as in production, and under the race detector.
//
// A suite shows defects, not their absence, and two it can hardly show. Open
// returns one store at a time, so that a copy kept in the process, in front of a
// database that other processes write, is not noticed: keep none. And where a Save
// takes a microsecond, as in a map, one that compares under one lock and writes
// under another seldom meets a rival: hold one lock for both.
//
// Every case holds one clause of the contract and prints it when it fails. The
// optional abilities, [store.Lister] and [store.Eraser], are tested if the
// store has them.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// caseTimeout bounds one case, so that a store that waits for itself fails
// with a name instead of hanging the test binary.
const caseTimeout = 2 * time.Minute

// Run holds the stores that open returns against the contract, one subtest per
// case, all in parallel. Open is called once per case, from that case's
// goroutine, and must return a fresh and empty store each time: a new table or
// schema, or a new file. It may use t to fail, to skip and to clean up.
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
			if err := c.check(ctx, s); err != nil {
				t.Fatalf("%v\nThe clause of the contract: %s", err, c.clause)
			}
		})
	}
}

// A testCase holds one clause of the contract. Its check returns an error
// rather than calling a testing.T, so that the suite's own tests can see it
// fail.
type testCase struct {
	name   string
	clause string
	needs  ability
	check  func(ctx context.Context, s store.Store) error
}

// ability is what a case needs of a store beside Load and Save.
type ability uint8

const (
	lists ability = 1 << iota
	erases
)

// missing names the interface that the case needs and the store lacks, if any.
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
