package bench

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A Rush is many callers who give one wrong code each, all at the same moment.
type Rush struct {
	// Evaluated, Locked and Busy count how the codes were answered.
	Evaluated, Locked, Busy atomic.Int64

	p *Population
}

// NewRush returns a Rush at the users of the Population.
func (p *Population) NewRush() *Rush { return &Rush{p: p} }

// AtOne is a Rush at one account. A fifth wrong code locks it, so five of them are
// evaluated, whatever the order in which the callers come.
func (r *Rush) AtOne(callers int) *Load {
	return r.load("one account", callers, func(int) User { return r.p.Users[0] })
}

// AtEach is a Rush at an account for each caller.
func (r *Rush) AtEach(callers int) *Load {
	return r.load("an account for each", min(callers, len(r.p.Users)), func(i int) User { return r.p.Users[i] })
}

func (r *Rush) load(name string, callers int, of func(i int) User) *Load {
	return &Load{
		Name: name,
		Most: callers,
		Prepare: func(ctx context.Context) error {
			r.p.set(base)
			return r.p.Restore(ctx)
		},
		Op: func(ctx context.Context, i int) error {
			u := of(i)
			_, err := r.p.Guard.Answer(ctx, enrollment.PurposeSignIn, u.Challenge, u.Wrong)
			switch {
			case errors.Is(err, enrollment.ErrBusy):
				r.Busy.Add(1)
			case errors.Is(err, enrollment.ReasonLocked):
				r.Locked.Add(1)
			case errors.Is(err, enrollment.ReasonWrongCode):
				r.Evaluated.Add(1)
			default:
				return fmt.Errorf("the wrong code was answered with %w", err)
			}
			return nil
		},
	}
}
