package account

import (
	"time"

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

	unknown []field
}

// burned returns the end of the last step whose code was used, as seconds
// since 1970; 0 if none was.
func (a *Authenticator) burned() int64 {
	if a.Last == 0 {
		return 0
	}
	return a.Key.StepTime(a.Last+1).Unix() - 1
}

// rebase brings back a step that a broken clock has burned far ahead, to the
// last one that could have been used by now. Without it the owner's codes would
// be refused until then.
func (a *Authenticator) rebase(now time.Time) (changed bool) {
	if a.Last == 0 {
		return false
	}
	if _, broken := rebase(a.Key.StepTime(a.Last), now); broken {
		a.Last, changed = max(0, a.Key.Step(now)+totp.LookAround), true
	}
	if used, broken := rebase(a.Used, now); broken {
		a.Used, changed = used, true
	}
	return changed
}
