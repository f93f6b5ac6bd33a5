package account

import (
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// A Login is what a sign-in is decided on besides the account, once the first
// factor was right.
type Login struct {
	SignIn   bool       // whether it is one, and not for another purpose
	Require  bool       // whether a second factor is demanded
	Grace    time.Time  // until when that can be put off
	Enrolled bool       // whether the host has the user as enrolled
	Device   DeviceHash // what this browser or installation has shown
	Channel  string     // of the first factor; "" if that is not known
	Delivers bool       // whether the host sends messages

	Challenge ChallengeID // of the challenge, should a code be asked for
}

// Next is what follows after the first factor was right.
type Next uint8

// What can follow. Refuse is for a user who should be enrolled and is not.
const (
	Refuse Next = iota
	Proceed
	AskCode
	MustEnroll
)

// A Decision is what a sign-in has come to.
type Decision struct {
	Next      Next
	Waived    Factor    // what replaced the code; NoFactor if nothing had to
	EnrollBy  time.Time // with Proceed: until when enrolment can be put off
	Challenge Challenge // with AskCode
	Enroll    Enroll    // with MustEnroll
	Factors   []Factor  // with AskCode: what can answer it
	Digits    int       // with AskCode: how many digits each app code has; 0 if they differ
	NextCode  time.Time // with AskCode: when the first app code comes that can, after an import

	Consecutive bool // with AskCode: whether a single code of an app is not evaluated now
}

// SignIn decides what follows after the first factor was right. It changes the account
// at a sign-in that signs the user in, which is noted, and where the owner is to hear of
// challenges without an answer. No account is stored for a user who has none.
func (a *Account) SignIn(m Moment, l Login) (Decision, error) {
	by, device := NoFactor, (*Device)(nil)
	if _, must := a.MustReplace(m); must || m.Limits.Devices == 0 {
		l.Device = DeviceHash{} // whatever was trusted before, or where the limit is another
	}
	if l.SignIn {
		var err error
		if by, device, err = a.waived(m.Now, l.Device); err != nil {
			return Decision{}, err
		}
	}
	switch {
	case !a.enrolled() && l.Enrolled:
		return Decision{Next: Refuse}, nil
	case by != NoFactor:
		return a.waive(m, by, device), nil
	case a.enrolled():
		factors, err := a.factors(l)
		challenge := a.NewChallenge(l.Challenge, m.Now)
		a.minted(m, challenge)
		return Decision{
			Next: AskCode, Challenge: challenge, Factors: factors, Digits: a.digits(),
			NextCode: a.nextCode(m.Now), Consecutive: a.OffersConsecutive(m.Now),
		}, err
	case l.SignIn && a.MustEnroll(m.Now):
		return a.demand(m), nil
	case l.Require && m.Now.Before(l.Grace):
		return a.proceed(m, l, Decision{Next: Proceed, EnrollBy: l.Grace}), nil
	case l.Require:
		return a.demand(m), nil
	}
	return a.proceed(m, l, Decision{Next: Proceed}), nil
}

// demand has the user set up a second factor before anything else.
func (a *Account) demand(m Moment) Decision {
	return Decision{Next: MustEnroll, Enroll: a.NewEnroll(m.Now)}
}

// proceed notes a sign-in that needs no second factor.
func (a *Account) proceed(m Moment, l Login, d Decision) Decision {
	if l.SignIn && !a.unstored {
		a.lastSignIn = SignIn{At: m.Now}
		a.changed = true
	}
	return d
}

// waive notes a sign-in without a code.
func (a *Account) waive(m Moment, by Factor, device *Device) Decision {
	if device != nil {
		device.Used = m.Now
		a.devices.touch()
	}
	a.lastSignIn = SignIn{At: m.Now, Factor: by}
	a.changed = true
	d := Decision{Next: Proceed, Waived: by}
	if !a.enrolled() {
		d.EnrollBy = a.bypass.Until
	}
	return d
}

// factors returns what a challenge can be answered with.
func (a *Account) factors(l Login) (factors []Factor, err error) {
	if len(a.authenticators) > 0 {
		factors = append(factors, TOTP)
	}
	if l.Delivers && a.delivers(l.Channel) {
		factors = append(factors, Delivered)
	}
	left, _, err := a.CodesLeft()
	if left > 0 {
		factors = append(factors, Recovery)
	}
	return factors, err
}

// digits returns how many digits a code of the account's apps has, or 0 if they differ.
func (a *Account) digits() (n int) {
	for i, x := range a.authenticators {
		switch digits := x.Key.Params().Digits; {
		case i == 0:
			n = digits
		case digits != n:
			return 0
		}
	}
	return n
}

// A Bypass lets a user sign in without a second factor for a while. Once it has
// ended, an account without a factor keeps it: sign-in demands enrolment then.
type Bypass struct {
	From, Until time.Time
}

// active reports whether the bypass holds now. A clock that has jumped back
// behind its beginning does not make it longer.
func (b Bypass) active(now time.Time) bool {
	return !now.Before(b.From) && now.Before(b.Until)
}

// Bypass returns the bypass that holds now, or the zero Bypass.
func (a *Account) Bypass(now time.Time) Bypass {
	if a.bypass.active(now) {
		return a.bypass
	}
	return Bypass{}
}

// endBypass ends the bypass before its time. Where there is no factor, it leaves
// behind what its end would have: sign-in demands enrolment.
func (a *Account) endBypass() {
	if a.enrolled() || a.bypass == (Bypass{}) {
		a.bypass = Bypass{}
		return
	}
	a.bypass = Bypass{From: longAgo, Until: longAgo}
}

// longAgo is an end that no clock goes back behind.
var longAgo = time.UnixMicro(1).UTC()

// MustEnroll reports whether a bypass has ended and nothing was set up since. A
// clock that is behind its beginning, be it that of another node, has not seen
// its end.
func (a *Account) MustEnroll(now time.Time) bool {
	return !a.enrolled() && !a.bypass.Until.IsZero() && !now.Before(a.bypass.Until)
}

// Grant lets the user sign in without a second factor until then, in the place
// of what was granted before.
func (a *Account) Grant(m Moment, until time.Time, by Admin) error {
	a.bypass = Bypass{From: m.Now, Until: until}
	return a.record(m, by.event(EventBypassGranted))
}

// waived returns what replaces the code at a sign-in now: TrustedDevice,
// ByBypass, or NoFactor if nothing does. The device is the one that it is.
func (a *Account) waived(now time.Time, hash DeviceHash) (by Factor, device *Device, err error) {
	if a.enrolled() && hash != (DeviceHash{}) {
		if device, err = a.findDevice(hash, now); err != nil {
			return NoFactor, nil, err
		}
		if device != nil {
			return TrustedDevice, device, nil
		}
	}
	if a.bypass.active(now) {
		return ByBypass, nil, nil
	}
	return NoFactor, nil, nil
}

// SignIn is when the user last signed in, and by what second step: NoFactor if none
// was needed.
type SignIn struct {
	At     time.Time
	Factor Factor
}

// LastSignIn returns when the user last signed in.
func (a *Account) LastSignIn() SignIn { return a.lastSignIn }

func readSignIn(in cryptobyte.String) (SignIn, error) {
	var at int64
	var factor uint8
	if !readInt(&in, &at) || !in.ReadUint8(&factor) || !in.Empty() {
		return SignIn{}, ErrDamaged
	}
	return SignIn{At: fromMicros(at), Factor: Factor(factor)}, nil
}

func appendBypass(b []byte, x Bypass) ([]byte, error) {
	return appendInt(appendInt(b, micros(x.From)), micros(x.Until)), nil
}

func readBypass(in cryptobyte.String) (Bypass, error) {
	var from, until int64
	if !readInt(&in, &from) || !readInt(&in, &until) || !in.Empty() {
		return Bypass{}, ErrDamaged
	}
	return Bypass{From: fromMicros(from), Until: fromMicros(until)}, nil
}
