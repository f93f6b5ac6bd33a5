package enrollment

import (
	"context"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// A Replacement comes instead of a [Success] if the code was right, but the secret has
// fewer than 128 bits and Config.ShortSecretsUntil is over. It is part of a [Denied],
// so that an application that does not know of it starts no session. Keep its token in a
// cookie, see [EnrollToken], and lead the user to a setup:
//
//	setup, err := guard.Begin(ctx, r.UserID, enrollment.BeginOptions{
//		Replace: r.Authenticator,
//		Proof:   enrollment.ByEnrollToken(r.EnrollToken, browser), // as in SignInOptions.Browser
//	})
//
// The Success of Confirm has the same Purpose if the answer is at most [EnrollConfirmTTL]
// ago, and stands for both steps: go on with what it is for, such as starting the session.
// Before that, the user is not signed in.
type Replacement struct {
	// UserID is the user who answered.
	UserID string `json:"user_id"`

	// Purpose is what the challenge was for.
	Purpose Purpose `json:"purpose"`

	// Authenticator is the ID of the authenticator to replace.
	Authenticator string `json:"authenticator"`

	// EnrollToken is a proof for replacing an authenticator with a short secret, and for
	// nothing else.
	EnrollToken EnrollToken `json:"enroll_token"`
}

// An answer is a Success or, if that is nil, what there is instead.
type answer struct {
	success Success
	replace *Replacement
}

// outcome returns what Answer returns.
func (x answer) outcome(err error) (Success, error) {
	if err == nil && x.replace != nil {
		return Success{}, &Denied{Reason: ReasonMustReplace, Replace: x.replace}
	}
	return x.success, err
}

// answered returns what comes of a right code that answers the challenge, and has yet to
// be sealed.
func (g *Guard) answered(c challenge, a *account.Account, p Purpose, match account.Match, m account.Moment) (sealing[answer], error) {
	if match.Replace.IsZero() {
		seal, err := g.success(c, a, p, match, m)
		return func(ctx context.Context) (x answer, err error) {
			x.success, err = seal(ctx)
			return x, err
		}, err
	}
	r := Replacement{UserID: c.user, Purpose: p, Authenticator: formatAuthenticatorID(match.Replace)}
	t := enrollToken{Enroll: a.NewReplace(m.Now), user: c.user, purpose: p, browser: c.browser}
	return func(ctx context.Context) (_ answer, err error) {
		r := r
		r.EnrollToken, err = g.sealEnroll(ctx, t)
		return answer{replace: &r}, err
	}, nil
}
