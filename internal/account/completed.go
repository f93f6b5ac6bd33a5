package account

import (
	"crypto/subtle"
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
	"golang.org/x/crypto/cryptobyte"
)

// RepeatTTL is for how long after its token has expired the account knows that
// something was completed with it.
const RepeatTTL = 10 * time.Minute

// A completed is a setup or a renewal that was carried out. The account knows the
// last one of each kind, to tell the same request that comes again from one whose
// setup was cancelled.
type completed struct {
	id    SetupID // known only to who began it; zero if there is none
	until time.Time

	// codes says that the recovery codes of the account are those that it made,
	// and that none of them was used.
	codes bool
}

// completedAs returns what a setup or a renewal is remembered as, whose token
// expires then.
func completedAs(id SetupID, expires time.Time, codes bool) completed {
	return completed{id: id, until: expires.Add(RepeatTTL), codes: codes}
}

// is reports whether it is this one.
func (c completed) is(id SetupID) bool {
	return c.id != SetupID{} && subtle.ConstantTimeCompare(c.id[:], id[:]) == 1
}

func (c *completed) tidy(now time.Time) {
	if !now.Before(c.until) {
		*c = completed{}
	}
}

// clampFuture forgets what was completed under a broken clock.
func (c *completed) clampFuture(now time.Time) (changed bool) {
	if c.until.Sub(now) > MaxSetupTTL+RepeatTTL+clockTolerance {
		*c, changed = completed{}, true
	}
	return changed
}

// codesTouched notes that the recovery codes are not those any more that were
// shown last: one was used, or there are others.
func (a *Account) codesTouched() { a.setUp.codes, a.renewed.codes = false, false }

// A Draw makes recovery codes: each time the same ones, for the same number and
// scheme.
type Draw func(n int, s recovery.Scheme) (recovery.Codes, error)

// SetupCodes returns the recovery codes that were made when the setup was
// confirmed, as long as they are those of the account and none was used. It asks
// for NeedDigest. Address says that the setup is one of an address.
func (a *Account) SetupCodes(m Moment, id SetupID, address bool, draw Draw) (recovery.Codes, error) {
	if !a.enrolled() {
		return recovery.Codes{}, refuse(NotEnrolled)
	}
	if !a.setUp.is(id) {
		_, err := a.FindSetup(id)
		if address {
			err = a.findBinding(id)
		}
		if err != nil {
			return recovery.Codes{}, err
		}
		return recovery.Codes{}, refuse(CodesNotKept) // it is still to be confirmed
	}
	return a.redraw(m, a.setUp, draw)
}

// findBinding is FindSetup for an address.
func (a *Account) findBinding(id SetupID) error {
	w := a.delivery.waiting
	switch {
	case w == nil || !w.binds():
		return refuse(NoSetup)
	case SetupID(w.ID) != id:
		return refuse(SetupSuperseded)
	}
	return nil
}

// RenewalCodes is SetupCodes for the renewal.
func (a *Account) RenewalCodes(m Moment, id SetupID, draw Draw) (recovery.Codes, error) {
	switch {
	case !a.enrolled():
		return recovery.Codes{}, refuse(NotEnrolled)
	case !a.renewed.is(id):
		return recovery.Codes{}, refuse(RenewalInvalid)
	}
	return a.redraw(m, a.renewed, draw)
}

// redraw draws the codes once more, and holds the first of them against the
// account's: an earlier version of the library does not note that they are others.
func (a *Account) redraw(m Moment, c completed, draw Draw) (recovery.Codes, error) {
	set, err := a.codes.get(recovery.DecodeSet)
	if err != nil {
		return recovery.Codes{}, err
	}
	if !c.codes || set.Len() == 0 || set.Remaining() < set.Len() {
		return recovery.Codes{}, refuse(CodesNotKept)
	}
	codes, err := draw(set.Len(), set.Derivation().Scheme())
	if err != nil {
		return recovery.Codes{}, err
	}
	need := Need{Kind: NeedDigest, From: set.Derivation()}
	for code := range codes.All() {
		need.Code = code
		break
	}
	got := m.Prepared.Digest
	if got == nil || got.From != need.From {
		return recovery.Codes{}, a.ask(need)
	}
	unspent := *set // a copy, which nothing is done with
	if place, err := unspent.Spend(got.Digest, m.Now); err != nil || place != 0 {
		return recovery.Codes{}, refuse(CodesNotKept)
	}
	return codes, nil
}

func putCompleted(w *fieldWriter, tag uint8, c completed) {
	if c.id == (SetupID{}) {
		return
	}
	w.put(tag, func(b []byte) ([]byte, error) {
		b = appendInt(append(b, c.id[:]...), micros(c.until))
		if c.codes {
			return append(b, 1), nil
		}
		return append(b, 0), nil
	})
}

func readCompleted(in cryptobyte.String) (c completed, err error) {
	var until int64
	var codes uint8
	if !in.CopyBytes(c.id[:]) || !readInt(&in, &until) || !in.ReadUint8(&codes) || !in.Empty() ||
		c.id == (SetupID{}) || until == 0 || codes > 1 {
		return completed{}, ErrDamaged
	}
	c.until, c.codes = fromMicros(until), codes == 1
	return c, nil
}
