package operator

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A census is what stats counts. What can't be opened has no state, key or lock.
type census struct {
	Command    string         `json:"command"`
	Accounts   int            `json:"accounts"`
	States     map[string]int `json:"states"`
	Keys       map[string]int `json:"keys"`
	Locks      map[string]int `json:"locks"` // accounts with a locked factor, by factor
	Due        int            `json:"due"`
	Bypasses   int            `json:"bypasses"`
	MustEnroll int            `json:"must_enroll"`
	Resets     int            `json:"resets"` // open requests
	NoCodes    int            `json:"no_codes"`
	Short      int            `json:"short_secrets"` // accounts with a secret of fewer than 128 bits
	Moved      int            `json:"moved"`         // records that a finished move has left behind
	Moving     int            `json:"moving"`        // parts of unfinished moves
	Unreadable int            `json:"unreadable"`
}

// stats counts the accounts, in constant memory.
func stats(ctx context.Context, s *session, _ []string) int {
	c := census{Command: "stats", States: map[string]int{}, Keys: map[string]int{}, Locks: map[string]int{}}
	now := s.Now()
	for x, err := range s.directory.Inspect(ctx) {
		if err != nil {
			return s.complain(err)
		}
		if !x.Due.IsZero() && !x.Due.After(now) {
			c.Due++
		}
		switch {
		case x.MovedTo != "":
			c.Moved++
			continue
		case errors.Is(x.Err, enrollment.ErrMoved):
			c.Moving++
			continue
		case x.Err != nil:
			c.Unreadable++
			continue
		}
		c.add(x)
	}
	s.object(c)
	if !s.json {
		s.printf("accounts: %d\n", c.Accounts)
		s.counts("state", c.States)
		s.counts("sealed by key", c.Keys)
		s.counts("locked", c.Locks)
		for _, x := range []struct {
			what string
			n    int
		}{
			{"due", c.Due}, {"with a bypass", c.Bypasses}, {"must set up at the next sign-in", c.MustEnroll}, {"asked for a reset", c.Resets},
			{"without recovery codes", c.NoCodes}, {"with a short secret", c.Short}, {"moved away", c.Moved}, {"part of an unfinished move", c.Moving}, {"can't be opened", c.Unreadable},
		} {
			s.printf("  %s: %d\n", x.what, x.n)
		}
	}
	if c.Unreadable+c.Moving > 0 {
		s.tell("\"%s unreadable\" names those that can't be opened or are part of an unfinished move", s.Name)
		return ExitSome
	}
	return ExitOK
}

func (c *census) add(x enrollment.Inspection) {
	c.Accounts++
	c.States[x.Status.State.String()]++
	c.Keys[x.Key]++ // it has opened the account, so there are few
	for _, l := range x.Status.Locks {
		c.Locks[string(l.Factor)]++
	}
	if !x.Status.BypassUntil.IsZero() {
		c.Bypasses++
	}
	if x.Status.MustEnroll {
		c.MustEnroll++
	}
	if x.Status.Reset != nil {
		c.Resets++
	}
	if x.Status.Enabled() && x.Status.CodesLeft == 0 {
		c.NoCodes++
	}
	if slices.ContainsFunc(x.Status.Authenticators, func(a enrollment.Authenticator) bool { return a.Short }) {
		c.Short++
	}
}

func (s *session) counts(what string, of map[string]int) {
	for _, key := range slices.Sorted(maps.Keys(of)) {
		s.printf("  %s %s: %d\n", what, printable(key), of[key])
	}
}
