package states_test

import (
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Whatever the clock shows while an operation runs, and while those run that lead up to
// it, the accounts can be read afterwards. A clock that shows nothing, or what no store
// can hold, changes nothing.
func TestOddClocks(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the states are for SHA-1 and Argon2id")
	}
	type clock struct {
		name string
		now  time.Time
		kept bool // whether an account can keep it
	}
	clocks := []clock{
		{"the zero time", time.Time{}, false},
		{"the first instant of 1970", time.Unix(0, 0), false},
		{"less than a microsecond more", time.Unix(0, 999), false},
		{"the year 0", time.Date(0, 6, 1, 0, 0, 0, 0, time.UTC), false},
		{"the end of the year 1", time.Date(2, 1, 1, 0, 0, 0, -1000, time.UTC), false},
		{"the year 9999", time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), false},
		{"the end of time", time.Unix(1<<62, 0), false},
		{"the beginning of time", time.Unix(-1<<62, 0), false},
		{"the year 2", time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC), true},
		{"before 1970", time.Unix(0, -1000), true},
		{"after the first instant of 1970", time.Unix(0, 1000), true},
		{"the end of the year 9998", time.Date(9999, 1, 1, 0, 0, 0, -1000, time.UTC), true},
	}
	for _, x := range tableOfCalls() {
		if x.slow {
			continue // the same with other codes
		}
		t.Run(x.operation, func(t *testing.T) {
			t.Parallel()
			var s *states.State
			for _, c := range clocks {
				if s == nil || c.kept || x.lists > 0 { // what could change something, or rotates the keys
					s = states.New(t, x.state, recovery.Fast)
					if x.prepare != nil {
						x.prepare(s)
					}
					s.Pass(x.wait)
				}
				g := s.Node(func(config *enrollment.Config) {
					config.Notify, config.AlertUnanswered = states.Taken, true
					config.Now = func() time.Time { return c.now }
				})
				s.Store.Reset()
				err := x.call(t.Context(), s, g)
				changes := s.Store.Calls(proving.Save) + s.Store.Calls(proving.Erase)
				if !c.kept && (changes > 0 || err == nil && x.operation != "Admin.Erase of nobody") {
					t.Errorf("%s: %v, %d changes", c.name, err, changes)
				}
				readable(t, s, c.name)
			}
		})
	}
	for _, c := range clocks {
		t.Run("a first day at "+c.name, func(t *testing.T) {
			t.Parallel()
			s := states.New(t, "confirmed", recovery.Fast)
			s.Configure(func(config *enrollment.Config) {
				config.Notify, config.AlertUnanswered = states.Taken, true
				config.Now = func() time.Time { return c.now }
			})
			g, ctx := s.Guard, t.Context()
			for _, origin := range []string{"", "198.51.100.7"} {
				ctx := enrollment.WithOrigin(ctx, origin)
				d, err := g.SignIn(ctx, states.User, enrollment.SignInOptions{})
				readable(t, s, c.name)
				if c.kept != (err == nil) {
					t.Fatal(err)
				}
				_, _ = g.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, "000000")
				readable(t, s, c.name)
				_, _ = g.ResetRequests().Open(ctx, d.Challenge)
				readable(t, s, c.name)
				_, _ = g.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, s.Codes[1])
				readable(t, s, c.name)
			}
		})
	}
}

// readable checks that both accounts can be read, by a clock that is right.
func readable(t *testing.T, s *states.State, when string) {
	t.Helper()
	g := s.Node(func(config *enrollment.Config) { config.Now = s.Clock.Now })
	for _, id := range []string{states.User, states.Other} {
		if _, err := g.Status(t.Context(), id); errors.Is(err, enrollment.ErrCorrupt) {
			t.Errorf("%s: %s: %v", when, id, err)
		}
	}
}
