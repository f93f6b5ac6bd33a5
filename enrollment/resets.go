package enrollment

import (
	"context"
	"errors"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// ResetRequests lets users who have lost their phone and their recovery codes ask
// to have the second factor removed, after the first factor was right. The owner is
// told at once and every day (by Directory.Sweep), and has Config.ResetWait to
// cancel the request. After that, an administrator can approve it. An administrator
// can refuse it at any time. With Config.AutoReset, no approval is needed.
//
// If Config.Notify accepts the news of a request more than an hour late, the wait
// starts again at that time. Before it is over nothing is carried out or approved,
// so the owner always has time to cancel the request.
//
// ResetRequests is made by [Guard.ResetRequests], and safe for concurrent use.
type ResetRequests struct {
	guard *Guard
}

// ResetRequests returns the ResetRequests of the Guard.
func (g *Guard) ResetRequests() ResetRequests { return ResetRequests{g} }

// A ResetRequest is an open request to remove the second factor.
type ResetRequest struct {
	// Asked is when the request was made.
	Asked time.Time `json:"asked"`

	// Matures is the earliest time at which it can be carried out.
	Matures time.Time `json:"matures"`
}

func resetOf(r account.ResetRequest) *ResetRequest {
	return &ResetRequest{Asked: r.Asked, Matures: r.Matures}
}

// Open asks for a reset on behalf of the user of the challenge. The challenge comes
// from SignIn for [PurposeSignIn] and is at most [ChallengeTTL] old, or comes from
// Messages.Send for such a sign-in. Open does not use it up. If a request is
// already open, Open returns that one, and its wait does not start again.
//
// A request is cancelled by Cancel, by every right code of the user, and by an
// administrator. It lapses 30 days after it has matured, without an event.
//
// Open returns a [Denied] that matches [ErrChallenge], or one of reason
// ReasonTooManyResets. Without Config.Notify it returns an error: a reset that the
// owner does not hear of would be a way around the second factor.
func (r ResetRequests) Open(ctx context.Context, challenge Challenge) (_ ResetRequest, err error) {
	if err := r.guard.check(); err != nil {
		return ResetRequest{}, err
	}
	e := edit{guard: r.guard, op: opRequestReset}
	defer e.conclude(ctx, &err)
	g := r.guard
	if g.config.Notify == nil {
		return ResetRequest{}, errors.New("enrollment: Config.Notify is nil: the owner would not hear of a reset")
	}
	c, err := g.readChallenge(ctx, PurposeSignIn, challenge)
	if err != nil {
		return ResetRequest{}, err
	}
	e.user = c.user
	return run(ctx, &e, func(a *account.Account, m account.Moment) (ResetRequest, error) {
		if err := a.CheckFreshChallenge(c.Challenge, m.Now); err != nil {
			return ResetRequest{}, err
		}
		asked, err := a.AskReset(m, g.config.ResetWait, g.config.AutoReset)
		return *resetOf(asked), err
	})
}

// Cancel closes the request of a user whom the application has signed in: in an earlier
// session, by a trusted device, or by a bypass. Signing in with a code cancels it, too.
// Cancel returns a [Denied] of reason ReasonNoReset if there is none.
func (r ResetRequests) Cancel(ctx context.Context, userID string) (err error) {
	if err := r.guard.check(); err != nil {
		return err
	}
	e := edit{guard: r.guard, op: opCancelReset, user: userID}
	defer e.conclude(ctx, &err)
	return e.run(ctx, func(a *account.Account, m account.Moment) error {
		return a.CancelReset(m, account.NoFactor)
	})
}
