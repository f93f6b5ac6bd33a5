package states

import (
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// While an account moves, and where it has gone from, every operation but two is a
// fault that changes nothing.
func TestMovedRefusesEverything(t *testing.T, open proving.Open) {
	const elsewhere = "alice.smith"
	for stage, at := range map[string]struct {
		save     int // which write of the move fails
		from, to string
	}{
		"claimed": {save: 2, from: elsewhere, to: User},
		"leaving": {save: 3, from: User, to: elsewhere},
		"gone":    {save: 0, from: User, to: elsewhere},
	} {
		for name, o := range operations {
			if name == "Admin.Move" {
				continue
			}
			t.Run(stage+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := tabled(t, open, "confirmed", o.needs)
				if at.to == User { // everything at hand is of this account
					s.Must(s.admin().Move(t.Context(), User, elsewhere))
					s.Must(s.admin().Erase(t.Context(), User))
				}
				if at.save > 0 {
					s.Store.Nth(proving.Save, at.save, proving.Fails(proving.ErrLost))
				}
				if err := s.admin().Move(t.Context(), at.from, at.to); (err == nil) != (at.save == 0) {
					t.Fatal(err)
				}
				s.Pass(o.wait)
				before := s.record()
				err := o.call(s, enrollment.ByReceipt(s.Receipt))
				if name == "Admin.Erase" {
					s.Must(err)
					if _, err := s.Store.Straight.Load(t.Context(), User); !errors.Is(err, store.ErrNotFound) {
						t.Errorf("%v after it was erased", err)
					}
					return
				}
				if !errors.Is(err, enrollment.ErrMoved) {
					t.Errorf("%v, want ErrMoved", err)
				}
				if s.record() != before {
					t.Error("it has changed the record")
				}
			})
		}
	}
}
