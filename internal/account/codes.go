package account

import (
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// maxSets is how many sets of recovery codes an account makes in a day: each
// costs many slow derivations.
const (
	maxSets    = 5
	setsWindow = 24 * time.Hour
)

// setCount counts the sets made since an instant.
type setCount struct {
	made  int
	since time.Time
}

func (s setCount) blocked(now time.Time) error {
	if s.made >= maxSets && now.Before(s.since.Add(setsWindow)) {
		return &Refusal{Reason: TooManySets, RetryAt: s.since.Add(setsWindow)}
	}
	return nil
}

func (s *setCount) add(now time.Time) {
	if s.made == 0 || !now.Before(s.since.Add(setsWindow)) {
		*s = setCount{since: later(s.since, now)}
	}
	s.made++
}

func (s *setCount) rebase(now time.Time) (changed bool) {
	s.since, changed = rebase(s.since, now)
	return changed
}

// CodesDerivation returns how digests of the account's recovery codes are
// made. It reports false if the account has no codes.
func (a *Account) CodesDerivation() (recovery.Derivation, bool, error) {
	set, err := a.codes.get(recovery.DecodeSet)
	if err != nil || set.IsZero() {
		return recovery.Derivation{}, false, err
	}
	return set.Derivation(), true, nil
}

// CodesLeft returns how many recovery codes are unspent, and how many the set
// had.
func (a *Account) CodesLeft() (left, of int, err error) {
	set, err := a.codes.get(recovery.DecodeSet)
	if err != nil {
		return 0, 0, err
	}
	return set.Remaining(), set.Len(), nil
}

// MayRenew reports whether a new set of recovery codes may be made now.
func (a *Account) MayRenew(now time.Time) error {
	if len(a.authenticators) == 0 {
		return refuse(NotEnrolled)
	}
	return a.sets.blocked(now)
}

// Renew replaces the recovery codes. It returns ErrNeedCodes if set is nil.
func (a *Account) Renew(m Moment, set *recovery.Set, by Factor) error {
	if err := a.MayRenew(m.Now); err != nil {
		return err
	}
	if set == nil {
		return ErrNeedCodes
	}
	a.setCodes(m, set)
	a.recovery = Throttle{}
	a.turn(m)
	return a.record(m, Event{Kind: EventCodesRenewed, Factor: by})
}

func (a *Account) setCodes(m Moment, set *recovery.Set) {
	a.codes.set(*set)
	a.sets.add(m.Now)
}
