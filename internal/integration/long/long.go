// Package long asks the environment how long the tests of real databases take, and prints
// what the long ones have found.
package long

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
)

const (
	// SiegeFor is the environment variable with how long a siege takes, for long ones. In
	// every other round something is killed.
	SiegeFor = "TWOFACTOR_SIEGE_FOR"

	// HistoryRounds is the environment variable with how many histories of each store are
	// looked at, for long runs.
	HistoryRounds = "TWOFACTOR_HISTORIES"
)

// Siege returns how long a siege takes: the time in [SiegeFor], or without it some rounds.
func Siege(t testing.TB, rounds int) siege.Length {
	t.Helper()
	l := siege.Length{Rounds: rounds}
	if text := os.Getenv(SiegeFor); text != "" {
		var err error
		if l.Time, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", SiegeFor, err)
		}
	}
	return l
}

// Sure reports whether a siege is so long that a database which may lose something does.
func Sure(t testing.TB) bool {
	t.Helper()
	return Siege(t, 0).Time >= 10*time.Minute
}

// OnlyInSieges skips a test that measures what is lost, unless [SiegeFor] is set.
func OnlyInSieges(t testing.TB) {
	t.Helper()
	if os.Getenv(SiegeFor) == "" {
		t.Skipf("what it loses is measured with %s", SiegeFor)
	}
}

// Histories returns how many histories are looked at: the number in [HistoryRounds], or
// without it short.
func Histories(t testing.TB, short int) int {
	t.Helper()
	text := os.Getenv(HistoryRounds)
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", HistoryRounds, err)
	}
	return n
}

// Report prints a line of a table in the README of the integration tests.
func Report(t testing.TB, what string, figures any) {
	t.Helper()
	fmt.Fprintf(t.Output(), "| %s | %v |\n", what, figures)
}
