package account

import (
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
	"golang.org/x/crypto/cryptobyte"
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

func (s *setCount) clampFuture(now time.Time) (changed bool) {
	s.since, changed = clampFuture(s.since, now)
	return changed
}

// CodesLeft returns how many recovery codes are unspent, and how many there
// were. Those of another system count until the next set takes their place.
func (a *Account) CodesLeft() (left, of int, err error) {
	set, err := a.codes.get(recovery.DecodeSet)
	if err != nil {
		return 0, 0, err
	}
	imported, err := a.imported.get(decodeImported)
	if err != nil {
		return 0, 0, err
	}
	unused, err := a.importedLeft()
	return set.Remaining() + unused, set.Len() + len(*imported), err
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

// mayMake reports whether the set that was prepared, or else one that is yet to
// be made, can be stored now.
func (a *Account) mayMake(m Moment) error {
	if set := m.Prepared.Set; set != nil && set.Counted {
		return nil
	}
	return a.sets.blocked(m.Now)
}

// A Renewal was prepared before the codes are asked for, so that the same request
// is known if it comes again. It is good for the epoch that it was prepared in.
type Renewal struct {
	ID      SetupID
	Expires time.Time
	Epoch   Epoch
}

// NewRenewal prepares a renewal that expires then.
func (a *Account) NewRenewal(id SetupID, expires time.Time) (Renewal, error) {
	if !a.enrolled() {
		return Renewal{}, refuse(NotEnrolled)
	}
	return Renewal{ID: id, Expires: expires, Epoch: a.epoch}, nil
}

// Renew replaces the recovery codes. It asks for NeedSet. The receipt takes the
// place of the proof, which is void with it like all that was handed out: it is
// as old. The zero Renewal is one that nothing was prepared for.
func (a *Account) Renew(m Moment, r Renewal, p Proof) (Receipt, error) {
	if !a.enrolled() {
		return Receipt{}, refuse(NotEnrolled)
	}
	if r != (Renewal{}) {
		switch {
		case a.renewed.is(r.ID):
			return Receipt{}, refuse(AlreadyRenewed)
		case r.Epoch != a.epoch || !m.typed().Before(r.Expires):
			return Receipt{}, refuse(RenewalInvalid)
		}
	}
	if err := a.mayMake(m); err != nil {
		return Receipt{}, err
	}
	by, err := a.prove(m, p, toAdd)
	if err != nil {
		return Receipt{}, err
	}
	if m.Prepared.Set == nil {
		return Receipt{}, a.ask(Need{Kind: NeedSet})
	}
	a.setCodes(m)
	if r != (Renewal{}) {
		a.renewed = completedAs(r.ID, r.Expires, true)
	}
	a.rotateEpoch(m)
	return Receipt{Epoch: a.epoch, At: by.at, Factor: by.factor}, a.record(m, Event{Kind: EventCodesRenewed, Factor: by.factor})
}

// setCodes stores the set that was prepared. Nobody has guessed at it yet.
func (a *Account) setCodes(m Moment) {
	set := m.Prepared.Set
	a.recovery = Throttle{}
	a.codes.set(set.Set)
	a.codesTouched()
	a.kept.set(recovery.Codes{})
	if set.Keep {
		a.kept.set(set.Codes)
	}
	a.imported.set(nil)
	if !set.Counted {
		a.sets.add(m.Now)
	}
}

// replenish puts a fresh code into the place of a used one.
func (a *Account) replenish(set *recovery.Set, place int, fresh FreshCode) error {
	if err := set.Replace(place, fresh.Digest); err != nil {
		return err
	}
	kept, err := a.kept.get(recovery.DecodeCodes)
	if err != nil || kept.Len() == 0 {
		return err
	}
	codes := slices.Collect(kept.All())
	codes[place] = fresh.Code
	joined, err := recovery.JoinCodes(codes...)
	if err != nil {
		return err
	}
	a.kept.set(joined)
	return nil
}

// NewCode returns the code that has replaced the one that the challenge was answered
// with, as long as it is one of the account's and unused. It asks for NeedDigest. Draw
// makes the code once more.
func (a *Account) NewCode(m Moment, id ChallengeID, draw func(recovery.Scheme) (recovery.Code, error)) (recovery.Code, error) {
	if !a.enrolled() {
		return recovery.Code{}, refuse(NotEnrolled)
	}
	set, err := a.codes.get(recovery.DecodeSet)
	if err != nil {
		return recovery.Code{}, err
	}
	answered := slices.ContainsFunc(a.challenges.list, func(s spentChallenge) bool { return s.id == id })
	if !answered || set.Len() == 0 {
		return recovery.Code{}, refuse(CodesNotKept) // before anything slow is done
	}
	code, err := draw(set.Derivation().Scheme())
	if err != nil {
		return recovery.Code{}, err
	}
	need := Need{Kind: NeedDigest, From: set.Derivation(), Code: code}
	got := m.Prepared.Digest
	if got == nil || got.From != need.From {
		return recovery.Code{}, a.ask(need)
	}
	unspent := *set // a copy, which nothing is done with
	if _, err := unspent.Spend(got.Digest, m.Now); err != nil {
		return recovery.Code{}, refuse(CodesNotKept)
	}
	return code, nil
}

// DropKept drops the recovery codes in clear, for an application that does not keep
// them any more. Like Tidy it does not count as a change: they are gone with the next
// write, and are not shown until then.
func (a *Account) DropKept() {
	if len(a.kept.raw) > 0 || a.kept.known {
		a.kept.set(recovery.Codes{})
	}
}

// Show returns the recovery codes that are unspent, in clear, if the account holds
// them. That it does is the application's choice.
func (a *Account) Show(m Moment, p Proof) (recovery.Codes, error) {
	codes, err := a.unspent()
	if err != nil {
		return recovery.Codes{}, err
	}
	by, err := a.prove(m, p, toShow)
	if err != nil {
		return recovery.Codes{}, err
	}
	return codes, a.record(m, Event{Kind: EventCodesShown, Factor: by.factor})
}

func (a *Account) unspent() (recovery.Codes, error) {
	if !a.enrolled() {
		return recovery.Codes{}, refuse(NotEnrolled)
	}
	set, err := a.codes.get(recovery.DecodeSet)
	if err != nil {
		return recovery.Codes{}, err
	}
	kept, err := a.kept.get(recovery.DecodeCodes)
	if err != nil {
		return recovery.Codes{}, err
	}
	if kept.Len() != set.Len() || set.Remaining() == 0 {
		return recovery.Codes{}, refuse(CodesNotKept)
	}
	all := slices.Collect(kept.All())
	var unspent []recovery.Code
	for i, c := range all {
		if set.SpentAt(i).IsZero() {
			unspent = append(unspent, c)
		}
	}
	return recovery.JoinCodes(unspent...)
}

func readSets(in cryptobyte.String) (setCount, error) {
	var since int64
	var made uint8
	if !readInt(&in, &since) || !in.ReadUint8(&made) || !in.Empty() {
		return setCount{}, ErrDamaged
	}
	return setCount{since: fromMicros(since), made: int(made)}, nil
}
