package enrollment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Errors that are not about what the user did: something is wrong, or nothing
// was decided.
var (
	// ErrBusy says that the call gave up and decided nothing: too many callers wanted
	// the same account or the processors, the context ended while the call waited for
	// them, or it took longer than five minutes. No code was counted or used up. Try
	// again.
	//
	// Calls that make a set of recovery codes, such as Confirm and RenewCodes, differ in
	// two ways. They begin the set only after a right code, so ErrBusy can tell that the
	// code was right. And a set that was begun may count as one of the day's five,
	// although ErrBusy came in the end. Once it counts, the call goes on even if the
	// context ends.
	ErrBusy = errors.New("enrollment: busy, nothing was decided")

	// ErrCorrupt says that a stored account can't be read: it is damaged or in another
	// row, or sealed under an unknown or a wrong key or in another namespace. The text
	// of the error says which. It never means "not enrolled": refuse the sign-in and look.
	ErrCorrupt = errors.New("enrollment: the stored account is corrupt")

	// ErrNewer says that a later version of the library wrote the account and marked
	// something in it that older ones must not ignore. It can happen during a rollout.
	// Nothing is wrong with the account. Refuse the sign-in, and finish the rollout.
	ErrNewer = errors.New("enrollment: a later version of the library wrote the account")

	// ErrWrongKeys says that the keys of the [Sealer], or Config.Namespace, do not fit
	// the stored accounts; see [Directory.CheckKeys]. Do not start, and do not make new
	// keys: trying again does not help.
	ErrWrongKeys = errors.New("enrollment: the keys do not fit the stored accounts")

	// ErrMissing says that SignInOptions.Enrolled was set for a user whose stored
	// account is not confirmed, or is gone. Refuse the sign-in and look.
	ErrMissing = errors.New("enrollment: the account should be enrolled and is not")

	// ErrNotApproved says that the Go runtime enforces FIPS 140-3 and refuses to evaluate
	// the code. The account has an app with SHA-1 or with a secret of fewer than 112 bits,
	// or recovery codes with Argon2id, all from before FIPS 140-3 was enforced, or imported
	// codes with bcrypt. No code was counted or used up. An import and the setup of a
	// hardware token return it for an app whose codes could not be evaluated. The text says
	// whether it is the app or the recovery codes. OPERATING.md says what to do.
	ErrNotApproved = errors.New("enrollment: the account needs what FIPS 140-3 does not approve, nothing was decided")
)

// A Denied is the answer "no" to something that the user did. It is the only error that
// is meant for the user; any other is an internal error. It matches its Reason, and the
// sentinel of the reason's group, with [errors.Is].
type Denied struct {
	// Reason says why.
	Reason Reason

	// Factor is the kind of code that the answer is about, if it is about a code. For
	// example, recovery codes still work while app codes are locked.
	Factor Factor

	// RetryAt is when trying again makes sense; the zero time if waiting
	// changes nothing. The Reason says what it is the time of.
	RetryAt time.Time

	// Wait is how long it was until RetryAt when the Guard answered, in whole
	// seconds, rounded up. It is at least a second where RetryAt is set, and zero
	// where it is not. A page can count it down, and HTTP can send it as
	// Retry-After, without a clock that agrees with the server's.
	Wait time.Duration

	// Skew is, for ReasonClockSkew, how far the clock of the authenticator is ahead of
	// ours, rounded to whole periods of its codes; negative if it is behind.
	Skew time.Duration

	// ThreeCodes says that app codes are locked or disabled, and that three
	// consecutive codes let the owner in: offer [ThreeCodes]. It follows from
	// the lock alone and tells nothing about the code.
	ThreeCodes bool

	// Replace is set for ReasonMustReplace. It is not part of the JSON.
	Replace *Replacement
}

// Error returns the reason, and nothing that the user typed.
func (d *Denied) Error() string { return "enrollment: denied: " + string(d.Reason) }

// Unwrap returns the Reason.
func (d *Denied) Unwrap() error { return d.Reason }

// MarshalJSON returns an object with reason, and with factor, retry_at,
// wait_seconds, skew_seconds and three_codes where they are set.
func (d Denied) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Reason     Reason    `json:"reason"`
		Factor     Factor    `json:"factor,omitempty"`
		RetryAt    time.Time `json:"retry_at,omitzero"`
		Wait       int64     `json:"wait_seconds,omitempty"`
		Skew       int64     `json:"skew_seconds,omitempty"`
		ThreeCodes bool      `json:"three_codes,omitempty"`
	}{d.Reason, d.Factor, d.RetryAt, int64(d.Wait / time.Second), int64(d.Skew / time.Second), d.ThreeCodes})
}

// waitUntil returns the Wait of a Denied whose RetryAt is at. It is never zero if
// waiting helps, however late the answer is.
func waitUntil(at, now time.Time) time.Duration {
	left := max(at.Sub(now), 1)
	if part := left % time.Second; part > 0 {
		left += time.Second - part
	}
	return left
}

func deny(r Reason) error { return &Denied{Reason: r} }

// find is [errors.As], and allocates nothing for an error that wraps none.
func find[T error](err error) (found T, ok bool) {
	if found, ok = err.(T); ok || err == nil {
		return found, ok
	}
	var wrapped T
	ok = errors.As(err, &wrapped)
	return wrapped, ok
}

// deniedIn returns the Denied in an error, or nil.
func deniedIn(err error) *Denied {
	denied, _ := find[*Denied](err)
	return denied
}

// unreadable returns the error of an account that could not be decoded.
func unreadable(err error) error {
	if errors.Is(err, account.ErrNewer) {
		return fmt.Errorf("%w: %w", ErrNewer, err)
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// outward turns the refusal of an account into a Denied, and an account that
// can't be read into ErrCorrupt or ErrNewer.
func outward(err error) error {
	if err == nil {
		return nil
	}
	refusal, refused := find[*account.Refusal](err)
	switch {
	case refused:
		return &Denied{
			Reason:  Reason(refusal.Reason),
			Factor:  factorOf(refusal.Factor),
			RetryAt: refusal.RetryAt,
			Skew:    refusal.Skew,

			ThreeCodes: refusal.Consecutive,
		}
	case errors.Is(err, account.ErrDamaged), errors.Is(err, account.ErrNewer):
		return unreadable(err)
	case errors.Is(err, totp.ErrNotApproved):
		return fmt.Errorf("%w: an app has SHA-1, and Config.AllowSHA1 is not set, or another hash and a secret of fewer than 112 bits: %w",
			ErrNotApproved, err)
	}
	return err
}

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
