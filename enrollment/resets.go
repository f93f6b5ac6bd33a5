package enrollment

import (
	"context"
	"errors"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// ResetRequests lets users who have lost their phone and their recovery codes ask
// for the second factor to be taken away, after the first one was right. The owner
// is told at once and every day (by Directory.Sweep), and has Config.ResetWait for
// cancelling the request. Then an administrator approves it. An administrator can
// refuse it at any time. With Config.AutoReset, nobody has to approve it.
//
// If Config.Notify takes the news of a request more than an hour late, the wait
// begins again at that time, and nothing is carried out or approved before it is
// over: an owner who has not heard of a request had no time for cancelling it.
//
// ResetRequests are made by [Guard.ResetRequests], and safe for concurrent use.
type ResetRequests struct {
	guard *Guard
}

// ResetRequests returns the ResetRequests of the Guard.
func (g *Guard) ResetRequests() ResetRequests { return ResetRequests{g} }

// A ResetRequest is a request to take the second factor away.
type ResetRequest struct {
	// Asked is when it was made.
	Asked time.Time `json:"asked"`

	// Matures is from when on it can be carried out.
	Matures time.Time `json:"matures"`
}

func resetOf(r account.ResetRequest) *ResetRequest {
	return &ResetRequest{Asked: r.Asked, Matures: r.Matures}
}

// Open asks for a reset in the name of the user of the challenge. The challenge is
// one of SignIn for [PurposeSignIn], at most [ChallengeTTL] old, or the one that
// Messages.Send returned for it. It is not spent. If a request is open already,
// Open returns that one, and its wait does not begin again.
//
// A request is cancelled by Cancel, by every right code of the user, and by an
// administrator. It lapses 30 days after it has matured, without an event.
//
// It returns a [Denied] of reason ReasonChallengeInvalid, ReasonChallengeExpired,
// ReasonChallengeSpent or ReasonChallengeVoid; or ReasonTooManyResets if the last
// request was made less than a day ago. Without Config.Notify it returns an
// error: a reset that nobody hears of is a way around the second factor.
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

// Cancel closes the request of a user whom the host has signed in: in an earlier
// session, by a trusted device, or by a bypass. Signing in with a code cancels it
// as well. It returns a [Denied] of reason ReasonNoReset.
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
