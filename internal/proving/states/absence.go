package states

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// listings are the operations on many accounts. They return an error if they
// missed the account of the user.
var listings = map[string]func(ctx context.Context, d *enrollment.Directory) error{
	"Statuses": func(ctx context.Context, d *enrollment.Directory) error {
		found, err := d.Statuses(ctx, []string{User})
		return missed(err, found[User].State == store.Confirmed)
	},
	"All": func(ctx context.Context, d *enrollment.Directory) error {
		seen := false
		for m, err := range d.All(ctx, enrollment.Filter{}) {
			if err != nil {
				return err
			}
			seen = seen || m.UserID == User
		}
		return missed(nil, seen)
	},
	"Members": func(ctx context.Context, d *enrollment.Directory) error {
		for m, err := range d.Members(ctx, slices.Values([]string{User})) {
			if err != nil {
				return err
			}
			if err := missed(nil, m.Status.State == store.Confirmed); err != nil {
				return err
			}
		}
		return nil
	},
	"Sweep": func(ctx context.Context, d *enrollment.Directory) error {
		_, err := d.Sweep(ctx)
		return err
	},
	"Reseal": func(ctx context.Context, d *enrollment.Directory) error {
		done, err := d.Reseal(ctx, enrollment.ResealOptions{})
		return missed(err, done.Done && done.Seen > 0)
	},
	"CheckKeys": func(ctx context.Context, d *enrollment.Directory) error { return d.CheckKeys(ctx) },
}

func missed(err error, seen bool) error {
	if err == nil && !seen {
		return errors.New("the account was missed")
	}
	return err
}

// TestCase81_AbsenceAfterTheContext: a store takes the end of a context for
// absence. No operation believes it.
func TestCase81_AbsenceAfterTheContext(t *testing.T, open proving.Open) {
	try := func(name string, state string, r needs, op proving.Op, call func(s *State) error) {
		for n := 1; n <= 3; n++ {
			t.Run(fmt.Sprintf("%s, call %d", name, n), func(t *testing.T) {
				t.Parallel()
				s := tabled(t, open, state, r)
				s.Pass(operations[name].wait)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s.ctx = ctx
				lied := false
				s.Store.Nth(op, n, func(ctx context.Context, c *proving.Call) {
					cancel()
					if ctx.Err() != nil { // a write is not the caller's to cancel
						c.Answered, lied = true, true
						if op == proving.Load {
							c.Err = store.ErrNotFound
						}
					}
				})
				s.Unchanged(User, func() {
					err := call(s)
					switch {
					case lied && !errors.Is(err, context.Canceled):
						t.Errorf("absence was believed: %v", err)
					case !lied:
						t.Skip("the operation does not ask so often")
					}
				})
			})
		}
	}
	for name, o := range operations {
		state := "confirmed"
		switch name {
		case "Resume", "Confirm", "Cancel":
			state = "staged"
		}
		try(name, state, o.needs, proving.Load, func(s *State) error { return o.call(s, enrollment.ByReceipt(s.Receipt)) })
	}
	for name, list := range listings {
		try("Directory."+name, "confirmed", needs{}, proving.List, func(s *State) error { return list(s.ctx, s.Directory()) })
	}
}

// TestErasureAfterTheContext: a store that has no time left for erasing, and says
// that it is done, has erased nothing.
func TestErasureAfterTheContext(t *testing.T, open proving.Open) {
	if fips.Enforced() {
		t.Skip("in FIPS 140-3 mode crypto/rand can't be seeded by the clock of a bubble")
	}
	proving.InBubble(t, open, func(t *testing.T, open proving.Open) {
		s := tabled(t, open, "confirmed", needs{})
		s.Store.Before(proving.Erase, func(ctx context.Context, c *proving.Call) {
			<-ctx.Done()
			c.Answered = true
		})
		if err := s.admin().Erase(t.Context(), User); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("erasing: %v", err)
		}
		s.Store.Straighten()
		if _, err := s.Store.Load(t.Context(), User); err != nil {
			t.Error(err)
		}
	})
}
