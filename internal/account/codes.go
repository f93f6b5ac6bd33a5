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
		return &Refusal{Reason: TooManyCodeSets, RetryAt: s.since.Add(setsWindow)}
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

// CodesDerivation returns how digests of the account's recovery codes are made:
// the zero Derivation if it has none.
func (a *Account) CodesDerivation() (recovery.Derivation, error) {
	set, err := a.codes.get(recovery.DecodeSet)
	if err != nil {
		return recovery.Derivation{}, err
	}
	return set.Derivation(), nil
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

// MayRenew reports whether Renew would be allowed to store set, or if it is
// nil, to ask for one.
func (a *Account) MayRenew(set *FreshSet, now time.Time) error {
	if len(a.authenticators) == 0 {
		return refuse(NotEnrolled)
	}
	return a.mayMake(set, now)
}

// A FreshSet is a set of recovery codes that was just made.
type FreshSet struct {
	Set recovery.Set

	// Counted says that CountSet was called, and stored, before it was made.
	Counted bool
}

// CountSet counts a set that is about to be made, so that making it is not free
// for a caller who gives up meanwhile.
func (a *Account) CountSet(m Moment) error {
	if err := a.sets.blocked(m.Now); err != nil {
		return err
	}
	a.sets.add(m.Now)
	a.changed = true
	return nil
}

// mayMake reports whether set, which may be nil, can be stored or made now.
func (a *Account) mayMake(set *FreshSet, now time.Time) error {
	if set != nil && set.Counted {
		return nil
	}
	return a.sets.blocked(now)
}

// Renew replaces the recovery codes. It returns ErrNeedCodes if set is nil.
func (a *Account) Renew(m Moment, set *FreshSet, by Factor) error {
	if err := a.MayRenew(set, m.Now); err != nil {
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

func (a *Account) setCodes(m Moment, set *FreshSet) {
	a.codes.set(set.Set)
	if !set.Counted {
		a.sets.add(m.Now)
	}
}
