package account

import (
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/totp"
	"golang.org/x/crypto/cryptobyte"
)

const MaxName = 64 // bytes of an authenticator's name

// An AuthenticatorID names an authenticator within its account.
type AuthenticatorID [8]byte

// IsZero reports whether id names nothing.
func (id AuthenticatorID) IsZero() bool { return id == AuthenticatorID{} }

// An Authenticator is one app, or one hardware token, that holds a secret.
type Authenticator struct {
	ID    AuthenticatorID
	Key   totp.Key
	Name  string
	Added time.Time
	Used  time.Time // when it last answered; zero if never
	Last  int64     // the highest step whose code was used; 0 if none

	// Number is what its label in the app has behind it, from 2 on; 0 if nothing.
	Number uint8

	// Hardware says that it is a hardware token, with a secret that can't be changed.
	// Offset is by how many steps its clock is ahead, as Resynchronize has found: so
	// far from the current step is the window of its codes. It moves no step, so Last
	// says the same whatever it is.
	Hardware bool
	Offset   int64

	near nearMisses

	unknown []field
}

// withDefaults returns what an app makes of the secret that ignores the
// parameters, as many do. It is the zero Authenticator, which takes no code, if the
// parameters are the default ones.
func (a *Authenticator) withDefaults() *Authenticator {
	plain, err := totp.NewKey(a.Key.Secret(), totp.Params{})
	if err != nil || plain.Params() == a.Key.Params() {
		return new(Authenticator)
	}
	return &Authenticator{Key: plain}
}

// check is [totp.Key.CheckWithin] with what the application allows.
func (a *Authenticator) check(m Moment, digits string) (step int64, err error) {
	m.exempt(a.Key, func() { step, err = a.Key.CheckWithin(m.Limits.Window, digits, a.clock(m.typed()), a.Last) })
	return step, err
}

// approved returns an error if the Go runtime refuses to compute codes of the key. It is
// asked before the account has the authenticator: no code of any app would be evaluated.
func (a *Authenticator) approved(m Moment) (err error) {
	m.exempt(a.Key, func() { _, err = a.Key.Code(longAgo) })
	return err
}

// clockOffset is [totp.Key.ClockOffset] with what the application allows.
func (a *Authenticator) clockOffset(m Moment, digits string) (ahead time.Duration, err error) {
	m.exempt(a.Key, func() { ahead, err = a.Key.ClockOffset(digits, a.clock(m.typed())) })
	return ahead, err
}

// clock returns what the clock of the authenticator shows at a time, as far as the
// account knows.
func (a *Authenticator) clock(now time.Time) time.Time {
	return now.Add(time.Duration(a.Offset) * a.Key.Params().Period)
}

// drift returns how far a step that was right is ahead of the one that was expected,
// which is all that a code tells about the clock of the phone.
func (a *Authenticator) drift(m Moment, step int64) time.Duration {
	return time.Duration(step-a.Key.Step(a.clock(m.typed()))) * a.Key.Params().Period
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

// nextUnused returns when the next step begins that is neither begun nor used.
// The app shows a code then that is accepted: also if its clock is ahead, and the
// last code was of a step that had not begun, and also if its clock is behind, and
// it still shows a used code in a step that has begun.
func (a *Authenticator) nextUnused(now time.Time) time.Time {
	return a.Key.StepTime(max(a.Last, a.Key.Step(a.clock(now))) + 1 - a.Offset)
}

// lastUsed returns the end of the last step whose code was used, as seconds
// since 1970; 0 if none was.
func (a *Authenticator) lastUsed() int64 {
	if a.Last == 0 {
		return 0
	}
	return a.Key.StepTime(a.Last+1).Unix() - 1
}

// clampFuture brings back a step that a broken clock has used far ahead, to the
// last one that could have been used by now. Without it the owner's codes would
// be refused until then.
func (a *Authenticator) clampFuture(now time.Time) (changed bool) {
	changed = a.near.clampFuture(now)
	if a.Last == 0 {
		return changed
	}
	if _, broken := clampFuture(a.Key.StepTime(a.Last), now); broken {
		a.Last, changed = max(0, a.Key.Step(now)+max(0, a.Offset)+totp.LookAround), true
	}
	if used, broken := clampFuture(a.Used, now); broken {
		a.Used, changed = used, true
	}
	return changed
}

// Fields of an authenticator.
const (
	tagAuthenticatorID = 1
	tagKey             = 2
	tagName            = 3
	tagAdded           = 4
	tagUsed            = 5
	tagLast            = 6
	tagNumber          = 7
	tagNearMisses      = 8
	tagHardware        = 9
	tagOffset          = 10
)

func appendAuthenticator(b []byte, x *Authenticator) ([]byte, error) {
	w := fieldWriter{b: b, unknown: x.unknown}
	w.putBytes(tagAuthenticatorID, x.ID[:])
	w.put(tagKey, func(b []byte) ([]byte, error) {
		p := x.Key.Params()
		b = append(b, byte(p.Algorithm), byte(p.Digits), byte(p.Period/time.Second))
		return append(b, x.Key.Secret().Reveal()...), nil
	})
	w.putBytes(tagName, []byte(x.Name))
	if !x.Added.IsZero() {
		w.putTime(tagAdded, x.Added)
	}
	if !x.Used.IsZero() {
		w.putTime(tagUsed, x.Used)
	}
	if x.Last != 0 {
		w.putInt(tagLast, x.Last)
	}
	if x.Number != 0 {
		w.putBytes(tagNumber, []byte{x.Number})
	}
	if x.near != (nearMisses{}) {
		w.put(tagNearMisses, x.near.append)
	}
	if x.Hardware {
		w.putBytes(tagHardware, nil)
	}
	if x.Offset != 0 {
		w.putInt(tagOffset, x.Offset)
	}
	return w.finish()
}

func readAuthenticator(in cryptobyte.String) (x Authenticator, err error) {
	x.unknown, err = readFields(in, func(tag uint8, v cryptobyte.String) (bool, error) {
		var err error
		switch tag {
		case tagAuthenticatorID:
			err = readArray(v, x.ID[:])
		case tagKey:
			x.Key, err = readKey(v)
		case tagName:
			x.Name = string(v)
		case tagAdded:
			err = readTime(v, &x.Added)
		case tagUsed:
			err = readTime(v, &x.Used)
		case tagLast:
			err = readWhole(v, &x.Last)
		case tagNumber:
			err = readByte(v, &x.Number)
		case tagNearMisses:
			x.near, err = readNearMisses(v)
		case tagHardware:
			x.Hardware, err = true, readFlag(v)
		case tagOffset:
			err = readWhole(v, &x.Offset)
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && (x.ID.IsZero() || x.Key.IsZero() || !x.validOffset()) {
		err = ErrDamaged
	}
	return x, err
}

// validOffset reports whether Resynchronize can have found the offset.
func (a *Authenticator) validOffset() bool {
	most := int64(totp.MaxClockOffset / a.Key.Params().Period)
	return a.Offset == 0 || a.Hardware && -most <= a.Offset && a.Offset <= most
}

func readKey(in cryptobyte.String) (totp.Key, error) {
	var algorithm, digits, period uint8
	if !in.ReadUint8(&algorithm) || !in.ReadUint8(&digits) || !in.ReadUint8(&period) || digits == 0 || period == 0 {
		return totp.Key{}, ErrDamaged
	}
	secret, err := totp.ShortSecrets{}.NewSecret(in)
	if err != nil {
		return totp.Key{}, ErrDamaged
	}
	key, err := totp.NewKey(secret, totp.Params{
		Algorithm: totp.Algorithm(algorithm),
		Digits:    int(digits),
		Period:    time.Duration(period) * time.Second,
	})
	if err != nil {
		return totp.Key{}, ErrDamaged
	}
	return key, nil
}
