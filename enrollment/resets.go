package enrollment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// Bounds and the default of ResetsConfig.Wait.
const (
	DefaultResetWait = 3 * 24 * time.Hour
	MinResetWait     = 24 * time.Hour
	MaxResetWait     = 30 * 24 * time.Hour
)

// ResetsConfig is how [ResetRequests] behave.
type ResetsConfig struct {
	// Wait is how long the owner has for cancelling a request, from
	// [MinResetWait] to [MaxResetWait]. Defaults to [DefaultResetWait].
	Wait time.Duration

	// Auto carries a request out once it has matured, by Directory.Sweep, and
	// asks no administrator. The password and patience are then enough to switch
	// the second factor off if the owner does not read what Config.Notify sends,
	// or if a clock jumps ahead, or that of one node is. What counts is what was set when the request
	// was made. Defaults to false.
	Auto bool
}

// Resets lets users who have lost their phone and their recovery codes ask for
// the second factor to be taken away, after the first one was right. The owner
// is told at once and every day (by Directory.Sweep), and has days for
// cancelling it. Then an administrator approves it, or refuses it before or
// after.
//
// Where Config.Notify takes the news of a request more than an hour late, the
// wait begins anew with that, and nothing is carried out or approved before: an
// owner who has not heard of a request has had no time for cancelling it.
type ResetRequests struct {
	guard  *Guard
	config ResetsConfig
}

// NewResets returns Resets over the Guard. It returns an error that names the
// field if the configuration can't be used, and one if the Guard has no
// Config.Notify: a reset that nobody hears of is a way around the second factor.
func NewResets(g *Guard, c ResetsConfig) (*ResetRequests, error) {
	if c.Wait == 0 {
		c.Wait = DefaultResetWait
	}
	switch {
	case g == nil:
		return nil, errors.New("enrollment: the guard is nil")
	case g.config.Notify == nil:
		return nil, errors.New("enrollment: Config.Notify is nil: the owner would not hear of a reset")
	case c.Wait < MinResetWait || c.Wait > MaxResetWait:
		return nil, fmt.Errorf("enrollment: ResetsConfig.Wait is outside %v..%v", MinResetWait, MaxResetWait)
	}
	return &ResetRequests{guard: g, config: c}, nil
}

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

// Request asks for a reset in the name of whom the challenge belongs to, one of
// SignIn for [PurposeSignIn] not longer than [ChallengeTTL] ago, or of
// Messages.Send for that one. The challenge is not spent. Where a request is
// open already, Request returns that one, and its wait does not begin anew.
//
// A request is cancelled by Cancel, by every code of the user that is right, and
// by an administrator. Thirty days after it has matured it lapses,
// of which no event tells.
//
// It returns a [Denied] of reason ReasonChallengeInvalid, ReasonChallengeExpired,
// ReasonChallengeSpent or ReasonChallengeVoid; or ReasonTooManyResets if the last request was made
// less than a day ago.
func (r *ResetRequests) Open(ctx context.Context, challenge string) (_ ResetRequest, err error) {
	e := edit{guard: r.guard, op: "request_reset"}
	defer e.conclude(ctx, &err)
	g := r.guard
	c, err := g.readChallenge(ctx, PurposeSignIn, challenge)
	if err != nil {
		return ResetRequest{}, err
	}
	e.user = c.user
	return run(ctx, &e, func(a *account.Account, m account.Moment) (ResetRequest, error) {
		if err := a.CheckChallenge(c.Challenge); err != nil {
			return ResetRequest{}, err
		}
		if !m.Now.Before(c.Issued.Add(ChallengeTTL)) { // that of a message lives longer
			return ResetRequest{}, deny(ReasonChallengeExpired)
		}
		asked, err := a.AskReset(m, r.config.Wait, r.config.Auto)
		return *resetOf(asked), err
	})
}

// Cancel closes the request of a user whom the host has signed in: in a session
// of before, by a trusted device, or by a bypass. Whoever signs in with a code
// has cancelled it by that. It returns a [Denied] of reason ReasonNoReset.
func (r *ResetRequests) Cancel(ctx context.Context, userID string) (err error) {
	e := edit{guard: r.guard, op: "cancel_reset", user: userID}
	defer e.conclude(ctx, &err)
	return e.run(ctx, func(a *account.Account, m account.Moment) error {
		return a.CancelReset(m, account.NoFactor)
	})
}
