package account

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
	"golang.org/x/crypto/cryptobyte"
)

// MaxSetupTTL is how long a setup waits for its code at the most.
const MaxSetupTTL = 24 * time.Hour

// A SetupID names a setup. It is known only to who began it.
type SetupID [16]byte

// A Setup is an authenticator that is not confirmed yet. Until its code is given,
// it decides nothing.
type Setup struct {
	ID       SetupID
	Expires  time.Time
	Replaces AuthenticatorID // the authenticator it replaces; zero if it is an additional one
	Label    totp.Label

	Authenticator Authenticator
	Throttle      Throttle

	// Codes are recovery codes that were shown before the code that proves the
	// authenticator. They become valid with it.
	Codes recovery.Codes

	unknown []field
}

func (s *Setup) clampFuture(now time.Time) (changed bool) {
	// What expires even later was begun under a broken clock.
	if s.Expires.Sub(now) > MaxSetupTTL+clockTolerance {
		s.Expires, changed = now, true
	}
	return s.Throttle.clampFuture(now) || changed
}

// labelFor returns the label of a new authenticator, and the number in it. Some
// apps keep one entry for each label and replace what had the same before, so
// the labels of an account's authenticators differ: each but the first has a
// number, the lowest that is free. A hardware token shows no label.
func (a *Account) labelFor(l totp.Label) (_ totp.Label, number uint8) {
	n := uint8(1)
	for slices.ContainsFunc(a.authenticators, func(x Authenticator) bool { return !x.Hardware && max(x.Number, 1) == n }) {
		n++
	}
	if n == 1 {
		return l, 0
	}
	suffix := fmt.Sprintf(" (%d)", n)
	if room := totp.MaxAccount - len(suffix); len(l.Account) > room {
		for !utf8.RuneStart(l.Account[room]) {
			room--
		}
		l.Account = l.Account[:room]
	}
	l.Account += suffix
	return l, n
}

// defaultName is what an authenticator is called that nobody has named.
const defaultName = "Authenticator"

// nameFor returns the name of a new authenticator that nobody has named.
func (a *Account) nameFor(replaces AuthenticatorID) string {
	if i := a.find(replaces); i >= 0 {
		return a.authenticators[i].Name
	}
	return defaultName
}

// showsCodes reports whether a setup can show recovery codes that become valid
// with it: the account has none left, and has not made too many sets today.
func (a *Account) showsCodes(now time.Time) (bool, error) {
	left, _, err := a.CodesLeft()
	return err == nil && left == 0 && a.sets.blocked(now) == nil, err
}

// Begin stages a fresh authenticator, in the place of an earlier one that is
// still waiting. It takes a proof, and where two-factor authentication is off also
// the ticket of the account, if there is one.
//
// An authenticator without a name gets one, a label that others have gets a
// number, and the codes stay only if confirming the setup would make some.
func (a *Account) Begin(m Moment, s Setup, ticket TicketHash, p Proof) error {
	switch {
	case !s.Replaces.IsZero() && !a.enrolled():
		return refuse(NotEnrolled)
	case !s.Replaces.IsZero() && a.find(s.Replaces) < 0:
		return refuse(UnknownAuthenticator)
	case s.Replaces.IsZero() && len(a.authenticators) >= m.Limits.Authenticators:
		return refuse(TooManyAuthenticators)
	}
	if err := a.checkTicket(ticket); err != nil {
		return err
	}
	if err := a.stageable(m, &s.Authenticator); err != nil {
		return err
	}
	if err := a.proveAdding(m, p, a.toStage(s.Replaces)); err != nil {
		return err
	}
	if s.Authenticator.Name == "" {
		s.Authenticator.Name = a.nameFor(s.Replaces)
	}
	if !s.Authenticator.Hardware {
		s.Label, s.Authenticator.Number = a.labelFor(s.Label)
	}
	shows, err := a.showsCodes(m.Now)
	if err != nil {
		return err
	}
	if !shows {
		s.Codes = recovery.Codes{}
	}
	a.setup = &s
	a.changed = true
	return nil
}

// FindSetup returns the waiting setup if it has that id.
func (a *Account) FindSetup(id SetupID) (*Setup, error) {
	if a.setUp.is(id) {
		return nil, refuse(AlreadyConfirmed)
	}
	if a.setup == nil {
		return nil, refuse(NoSetup)
	}
	if subtle.ConstantTimeCompare(a.setup.ID[:], id[:]) != 1 {
		return nil, refuse(SetupSuperseded)
	}
	return a.setup, nil
}

// Cancel drops the waiting authenticator.
func (a *Account) Cancel() error {
	if a.setup == nil {
		return refuse(NoSetup)
	}
	a.setup = nil
	a.changed = true
	return nil
}

// Fields of a setup.
const (
	tagSetupID       = 1
	tagExpires       = 2
	tagReplaces      = 3
	tagIssuer        = 4
	tagAccountName   = 5
	tagImage         = 6
	tagAuthenticator = 7
	tagSetupThrottle = 8
	tagSetupCodes    = 9

	// A node that does not know it would show the secret of a hardware token.
	tagHidden = mustUnderstand + 10
)

func (s *Setup) append(b []byte) ([]byte, error) {
	w := fieldWriter{b: b, unknown: s.unknown}
	w.putBytes(tagSetupID, s.ID[:])
	w.putTime(tagExpires, s.Expires)
	if !s.Replaces.IsZero() {
		w.putBytes(tagReplaces, s.Replaces[:])
	}
	w.putBytes(tagIssuer, []byte(s.Label.Issuer))
	w.putBytes(tagAccountName, []byte(s.Label.Account))
	if s.Label.Image != "" {
		w.putBytes(tagImage, []byte(s.Label.Image))
	}
	w.put(tagAuthenticator, func(b []byte) ([]byte, error) { return appendAuthenticator(b, &s.Authenticator) })
	putThrottle(&w, tagSetupThrottle, s.Throttle)
	if s.Codes.Len() > 0 {
		w.put(tagSetupCodes, s.Codes.AppendRevealed)
	}
	if s.Authenticator.Hardware {
		w.putBytes(tagHidden, nil)
	}
	return w.finish()
}

func readSetup(in cryptobyte.String) (*Setup, error) {
	s := new(Setup)
	hidden := false
	var err error
	s.unknown, err = readFields(in, func(tag uint8, v cryptobyte.String) (bool, error) {
		var err error
		switch tag {
		case tagSetupID:
			err = readArray(v, s.ID[:])
		case tagExpires:
			err = readTime(v, &s.Expires)
		case tagReplaces:
			err = readArray(v, s.Replaces[:])
		case tagIssuer:
			s.Label.Issuer = string(v)
		case tagAccountName:
			s.Label.Account = string(v)
		case tagImage:
			s.Label.Image = string(v)
		case tagAuthenticator:
			s.Authenticator, err = readAuthenticator(v)
		case tagSetupThrottle:
			s.Throttle, err = readThrottle(v)
		case tagSetupCodes:
			s.Codes, err = recovery.DecodeCodes(v)
		case tagHidden:
			hidden, err = true, readFlag(v)
		default:
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return nil, err
	}
	if s.ID == (SetupID{}) || s.Authenticator.Key.IsZero() || hidden != s.Authenticator.Hardware {
		return nil, ErrDamaged
	}
	return s, nil
}
