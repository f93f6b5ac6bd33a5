package account

import "time"

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

// Waived reports what takes the place of the code at a sign-in now: TrustedDevice,
// ByBypass, or NoFactor if nothing does. It changes nothing.
func (a *Account) Waived(now time.Time, device DeviceHash) (Factor, error) {
	if a.enrolled() && device != (DeviceHash{}) {
		d, err := a.findDevice(device, now)
		if err != nil {
			return NoFactor, err
		}
		if d != nil {
			return TrustedDevice, nil
		}
	}
	if a.bypass.active(now) {
		return ByBypass, nil
	}
	return NoFactor, nil
}

// Waive notes a sign-in without a code, and returns what took its place.
func (a *Account) Waive(m Moment, device DeviceHash) (Factor, error) {
	by, err := a.Waived(m.Now, device)
	if err != nil || by == NoFactor {
		return NoFactor, err
	}
	if by == TrustedDevice {
		d, err := a.findDevice(device, m.Now)
		if err != nil {
			return NoFactor, err
		}
		d.Used = m.Now
		a.devices.touch()
	}
	a.lastSignIn = SignIn{At: m.Now, Factor: by}
	a.changed = true
	return by, nil
}
