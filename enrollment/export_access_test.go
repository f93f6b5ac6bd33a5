package enrollment

import (
	"context"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// SweepOne does what is due for one account.
func (g *Guard) SweepOne(ctx context.Context, userID string) error {
	e := edit{guard: g, op: "sweep", user: userID}
	e.decide = func(_ context.Context, a *account.Account, m account.Moment) error {
		a.Touch()
		return a.Sweep(m)
	}
	return e.run(ctx)
}
