package races

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

// Of several names that an authenticator gets at the same time one stays, and the owner
// hears of each name that went: the first one, and all of the new ones but that.
func TestRaceOfRenames(t *testing.T, open proving.Open) {
	s := begin(t, open, "confirmed")
	var mu sync.Mutex
	var gone []string
	node := s.Node(func(c *enrollment.Config) {
		c.Notify = func(_ context.Context, e enrollment.Event) error {
			mu.Lock()
			defer mu.Unlock()
			if e.Kind == enrollment.EventAuthenticatorRenamed {
				gone = append(gone, e.Name)
			}
			return nil
		}
	})
	names := []string{authenticator(t, s).Name}
	s.Store.Gather(racers) // all of them load before one saves
	for i, reason := range race(func(i int) error {
		return node.Rename(t.Context(), states.User, s.SecondID, fmt.Sprint("phone ", i))
	}) {
		names = append(names, fmt.Sprint("phone ", i))
		if reason != "" {
			t.Errorf("racer %d is denied as %q", i, reason)
		}
	}
	got := append(gone, authenticator(t, s).Name)
	slices.Sort(got)
	if slices.Sort(names); !slices.Equal(got, names) {
		t.Errorf("the names that went and the one that stays are\n%q, want\n%q", got, names)
	}
}

// A name that is given while a code is used, or while another authenticator is removed,
// undoes neither.
func TestRaceOfRenameAndCode(t *testing.T, open proving.Open) {
	s := begin(t, open, "confirmed")
	code := s.Right()
	var codes []enrollment.Reason
	var mu sync.Mutex
	s.Store.Gather(racers)
	race(func(i int) error {
		if i%2 == 0 {
			err := s.Guard.Rename(t.Context(), states.User, s.SecondID, fmt.Sprint("phone ", i))
			if err != nil {
				t.Errorf("Rename: %v", err)
			}
			return err
		}
		_, err := s.Guard.Verify(t.Context(), states.User, "x", code)
		mu.Lock()
		defer mu.Unlock()
		codes = append(codes, proving.ReasonOf(err))
		return err
	})
	one(t, codes, enrollment.ReasonReplayed)
	_, err := s.Guard.Verify(t.Context(), states.User, "x", code)
	proving.Want(t, err, enrollment.ReasonReplayed)
}

// An authenticator that was removed does not come back with a new name.
func TestRaceOfRenameAndRemoval(t *testing.T, open proving.Open) {
	s := begin(t, open, "confirmed")
	var removals []enrollment.Reason
	var mu sync.Mutex
	s.Store.Gather(racers)
	race(func(i int) error {
		if i%2 == 0 {
			err := s.Guard.Rename(t.Context(), states.User, s.SecondID, fmt.Sprint("phone ", i))
			if r := proving.ReasonOf(err); r != "" && r != enrollment.ReasonUnknownAuthenticator {
				t.Errorf("Rename: %v", err)
			}
			return err
		}
		err := s.Guard.Remove(t.Context(), states.User, s.SecondID, enrollment.ByReceipt(s.Receipt))
		mu.Lock()
		defer mu.Unlock()
		removals = append(removals, proving.ReasonOf(err))
		return err
	})
	one(t, removals, enrollment.ReasonUnknownAuthenticator, enrollment.ReasonProofInvalid, enrollment.ReasonLastAuthenticator)
	for _, x := range s.Status(states.User).Authenticators {
		if x.ID == s.SecondID {
			t.Errorf("what was removed is there, as %q", x.Name)
		}
	}
}

// authenticator returns the second authenticator of the state.
func authenticator(t *testing.T, s *states.State) enrollment.Authenticator {
	t.Helper()
	for _, x := range s.Status(states.User).Authenticators {
		if x.ID == s.SecondID {
			return x
		}
	}
	t.Fatal("there is no second authenticator")
	return enrollment.Authenticator{}
}
