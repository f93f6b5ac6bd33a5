package account

import (
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Limits of what an account holds.
const (
	MaxAuthenticators = 3
	MaxName           = 64 // bytes of an authenticator's name
)

// An AuthenticatorID names an authenticator within its account.
type AuthenticatorID [8]byte

// IsZero reports whether id names nothing.
func (id AuthenticatorID) IsZero() bool { return id == AuthenticatorID{} }

// An Authenticator is one app that holds a secret.
type Authenticator struct {
	ID    AuthenticatorID
	Key   totp.Key
	Name  string
	Added time.Time
	Used  time.Time // when it last answered; zero if never
	Last  int64     // the highest step whose code was used; 0 if none

	// Number is what its label in the app has behind it, from 2 on; 0 if nothing.
	Number uint8

	unknown []field
}

// check is [totp.Key.Check] with what the host allows.
func (a *Authenticator) check(m Moment, digits string) (step int64, err error) {
	m.exempt(a.Key, func() { step, err = a.Key.Check(digits, m.typed(), a.Last) })
	return step, err
}

// clockOffset is [totp.Key.ClockOffset] with what the host allows.
func (a *Authenticator) clockOffset(m Moment, digits string) (ahead time.Duration, err error) {
	m.exempt(a.Key, func() { ahead, err = a.Key.ClockOffset(digits, m.typed()) })
	return ahead, err
}

// exempt runs f, which evaluates one code of the key and does nothing else: the
// exception that is made for SHA-1 would hold for whatever f does.
func (m Moment) exempt(k totp.Key, f func()) {
	if m.AllowSHA1 && k.Params().Algorithm == totp.SHA1 {
		fips.WithoutEnforcement(f)
		return
	}
	f()
}

// burned returns the end of the last step whose code was used, as seconds
// since 1970; 0 if none was.
func (a *Authenticator) lastUsed() int64 {
	if a.Last == 0 {
		return 0
	}
	return a.Key.StepTime(a.Last+1).Unix() - 1
}

// rebase brings back a step that a broken clock has burned far ahead, to the
// last one that could have been used by now. Without it the owner's codes would
// be refused until then.
func (a *Authenticator) clampFuture(now time.Time) (changed bool) {
	if a.Last == 0 {
		return false
	}
	if _, broken := clampFuture(a.Key.StepTime(a.Last), now); broken {
		a.Last, changed = max(0, a.Key.Step(now)+totp.LookAround), true
	}
	if used, broken := clampFuture(a.Used, now); broken {
		a.Used, changed = used, true
	}
	return changed
}
