package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A damaged is an account that can't be opened, as JSON.
type damaged struct {
	UserID  string    `json:"user_id"`
	State   string    `json:"state"` // as the database says, which may be wrong
	Key     string    `json:"key,omitempty"`
	Updated time.Time `json:"updated,omitzero"`
	Error   string    `json:"error"`
	Erased  bool      `json:"erased,omitempty"`
}

// A damage is how many there are, as JSON.
type damage struct {
	Command    string         `json:"command"`
	DryRun     bool           `json:"dry_run,omitempty"`
	Readable   int            `json:"readable"`
	Unreadable int            `json:"unreadable"`
	States     map[string]int `json:"states"` // of those, as the database says
	Newer      int            `json:"newer"`  // which a later version of the library reads
	Moving     int            `json:"moving"` // parts of unfinished moves
	Erased     int            `json:"erased"`
}

func damagedOf(x enrollment.Inspection) damaged {
	return damaged{x.UserID, x.State.String(), x.Key, x.Updated, x.Err.Error(), false}
}

// states are those of -state; empty are all.
type states []store.State

func (l states) has(state store.State) bool { return len(l) == 0 || slices.Contains(l, state) }

// MarshalText returns the names, separated by commas.
func (l states) MarshalText() ([]byte, error) {
	var names []string
	for _, state := range l {
		names = append(names, state.String())
	}
	return []byte(strings.Join(names, ",")), nil
}

// UnmarshalText reads what MarshalText returns.
func (l *states) UnmarshalText(text []byte) error {
	*l = nil
	for name := range strings.SplitSeq(string(text), ",") {
		state, err := store.ParseState(name)
		if err != nil {
			return fmt.Errorf("%q is not a state", name)
		}
		*l = append(*l, state)
	}
	return nil
}

// unreadable lists the accounts that can't be opened, or erases them.
func unreadable(ctx context.Context, s *session, _ []string) int {
	found := damage{Command: "unreadable", DryRun: s.dry, States: map[string]int{}}
	if code := s.survey(ctx, &found, !s.erase); code != ExitOK {
		return code
	}
	if !s.erase {
		s.object(found)
		if !s.json {
			s.printf("accounts that can't be opened: %d; that can: %d\n", found.Unreadable, found.Readable)
			s.counts("state", found.States)
		}
		if found.Unreadable+found.Newer+found.Moving == 0 {
			return ExitOK
		}
		if found.Unreadable > 0 {
			s.tell("Look for the key first: \"%s check\" names it. If it is lost for good, erase the accounts with:\n  %s unreadable -erase -yes %d%s -reason \"…\"\nTheir users then have no second factor.",
				s.Name, s.Name, found.Unreadable, s.stateFlag())
		}
		return ExitSome
	}
	switch {
	case found.Unreadable != s.confirm:
		s.tell("%s: denied: %d accounts can't be opened, and -yes says %d. Nothing was erased.", s.Name, found.Unreadable, s.confirm)
		return ExitDenied
	case found.Readable+found.Newer == 0 && found.Unreadable > 0 && !s.lost:
		s.tell("%s: denied: not a single account can be opened, so probably this program has the wrong keys. If all keys are lost for good, add -keys-lost. Nothing was erased.", s.Name)
		return ExitDenied
	}
	return s.eraseUnreadable(ctx, found)
}

// stateFlag is -state as it was given.
func (s *session) stateFlag() string {
	if len(s.states) == 0 {
		return ""
	}
	names, _ := s.states.MarshalText()
	return " -state " + string(names)
}

// survey counts the accounts, and prints those that can't be opened, or not here or now. It
// returns an exit code other than ExitOK if it can't decide which these are.
func (s *session) survey(ctx context.Context, found *damage, show bool) int {
	for x, err := range s.directory.Inspect(ctx) {
		if err != nil {
			return s.complain(err)
		}
		switch {
		case x.Err == nil:
			found.Readable++
			continue
		case errors.Is(x.Err, enrollment.ErrMoved):
			found.Moving++
		case errors.Is(x.Err, enrollment.ErrNewer):
			found.Newer++
		case errors.Is(x.Err, enrollment.ErrCorrupt):
			if !s.states.has(x.State) {
				continue
			}
			found.Unreadable++
			found.States[x.State.String()]++
		default: // such as a key service that is down
			return s.complain(fmt.Errorf("it is not known whether %s can be opened: %w", quoted(x.UserID), x.Err))
		}
		if !show {
			continue
		}
		d := damagedOf(x)
		s.object(d)
		if !s.json {
			s.printf("%s: %s, sealed by key %s, last saved %s: %s\n", quoted(d.UserID), d.State, quoted(d.Key), instant(d.Updated), printable(d.Error))
		}
	}
	return ExitOK
}

// eraseUnreadable erases at most as many accounts as were confirmed.
func (s *session) eraseUnreadable(ctx context.Context, found damage) int {
	var failed enrollment.Failures
	admin, code := s.Guard.Admin(s.actor, s.reason), ExitOK
	for x, err := range s.directory.Inspect(ctx) {
		if err != nil {
			code = s.complain(err)
			s.tell("%d were erased. List the rest, and erase those.", found.Erased)
			break
		}
		if !errors.Is(x.Err, enrollment.ErrCorrupt) || !s.states.has(x.State) || found.Erased == s.confirm {
			continue
		}
		erased, err := admin.EraseUnreadable(ctx, x.UserID)
		if err != nil {
			failed.Total++
			if len(failed.First) < 100 {
				failed.First = append(failed.First, enrollment.Failure{UserID: x.UserID, Err: err})
			}
		}
		if !erased {
			continue
		}
		found.Erased++
		d := damagedOf(x)
		d.Erased = !s.dry
		s.object(d)
		if !s.json {
			s.printf("%serased %s, which was %s\n", s.would(), quoted(d.UserID), d.State)
		}
	}
	s.object(found)
	if !s.json {
		s.printf("%s%d of %d erased\n", s.would(), found.Erased, found.Unreadable)
	}
	if some := s.failures(failed); code == ExitOK {
		code = some
	}
	return code
}
