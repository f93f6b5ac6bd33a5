package integration_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/long"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/tally"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// tallied fails over some times, or, for long runs, for a quarter of the time of a siege.
func tallied(t *testing.T, what string, s proving.Full, failOver func(ctx context.Context) error, short int) tally.Tally {
	t.Helper()
	l := long.Siege(t, short)
	var y tally.Tally
	for began := time.Now(); y.Failovers < l.Rounds || time.Since(began) < l.Time/4; {
		if err := y.Fail(t.Context(), s, failOver); err != nil {
			t.Fatal(err)
		}
	}
	if y.Failovers > 0 {
		long.Report(t, what+", eight writers", y)
	}
	return y
}

// beaten besieges stores and lets their database fail over in every other round. It
// returns what came out that must not be.
func beaten(t *testing.T, what string, open func() proving.Full, failOver func(ctx context.Context) error) []string {
	t.Helper()
	figures := siege.Find(t, siege.Open(open), func() {
		if err := failOver(t.Context()); err != nil {
			t.Error(err)
		}
	}, long.Siege(t, 2))
	long.Report(t, what, figures)
	t.Log(strings.Join(figures.Wrong, "\n"))
	return figures.Wrong
}

// TestFailover kills the primary of PostgreSQL and promotes its standby, in the middle of
// sign-ins, setups and guesses. A synchronous standby has all that was acknowledged; what
// an asynchronous one lacks is measured.
func TestFailover(t *testing.T) {
	t.Parallel()
	for name, synchronous := range map[string]bool{"synchronous": true, "asynchronous": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !synchronous {
				long.OnlyInSieges(t)
			}
			what := "PostgreSQL, " + name + " standby"
			pair := testenv.PostgresPair(t, synchronous)
			open := opener(t, sqlstore.PostgreSQL, pair.DSN())
			wrong := beaten(t, what, open, pair.FailOver)
			y := tallied(t, what, open(), pair.FailOver, 0)
			if synchronous && (len(wrong) > 0 || y.Lost > 0) {
				t.Error("a synchronous standby has lost what was acknowledged")
			}
		})
	}
}
