package account

import "time"

// EnrollTTL is how long a user may begin the setup that a sign-in demands.
const EnrollTTL = 10 * time.Minute

// MandateTTL is how old a sign-in may be that a confirmation completes.
const MandateTTL = 30 * time.Minute

// An Enroll says that the first factor of a user was right, who must set up a second
// one. The account keeps none of them: each is good until the epoch changes.
type Enroll struct {
	Epoch Epoch
	At    time.Time

	// Unstored says that there was no account yet, and that the epoch was drawn for
	// this one. The first setup stores it, which voids all others.
	Unstored bool

	// Replace says that the user has a second factor, whose code was right, and must
	// replace its short secret. It is good for that alone.
	Replace bool
}

// NewEnroll returns the Enroll of the account as it is now.
func (a *Account) NewEnroll(now time.Time) Enroll {
	return Enroll{Epoch: a.epoch, At: now, Unstored: a.unstored}
}

// NewReplace returns the Enroll of a user who must replace a short secret.
func (a *Account) NewReplace(now time.Time) Enroll {
	return Enroll{Epoch: a.epoch, At: now, Replace: true}
}

// checkEnroll reports whether a setup may begin with it, which replaces a short secret or
// is the first one of an account without a factor.
func (a *Account) checkEnroll(m Moment, e Enroll, replaces bool) error {
	epoch := a.epoch
	if a.unstored && e.Unstored {
		epoch = e.Epoch
	}
	if e.Replace != replaces || e.Epoch != epoch || !fresh(e.At, m.typed(), EnrollTTL) {
		return refuse(EnrollTokenInvalid)
	}
	a.epoch = epoch
	return nil
}

// A Mandate is a sign-in that a setup completes: the first factor was right, and the
// code that confirms the setup is the second one. The zero Mandate completes nothing.
type Mandate struct {
	At      time.Time
	Purpose string // what the first factor was checked for
}

// Holds reports whether the sign-in is still as recent as it has to be.
func (x Mandate) Holds(m Moment) bool {
	return x.Purpose != "" && fresh(x.At, m.typed(), MandateTTL)
}

// Complete notes the sign-in that a confirmation has completed.
func (a *Account) Complete(m Moment, by Factor) {
	a.lastSignIn = SignIn{At: m.Now, Factor: by}
	a.changed = true
}
