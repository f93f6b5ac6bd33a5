package account

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
	"golang.org/x/crypto/cryptobyte"
)

// formatVersion is the first byte of an encoded account. It changes only if
// the field lists themselves do.
const formatVersion = 1

// MaxEncoded is the length of the longest encoding, in bytes. Sealing adds at
// most 128 bytes to reach what a store must hold.
const MaxEncoded = 8<<10 - 128

// maxFailures and maxCount are what the encoding holds of counters that only
// ever grow.
const (
	maxFailures = 1<<16 - 1
	maxCount    = 1<<16 - 1
)

// maxDebt bounds what is believed of a stored throttle.
const maxDebt = 366 * refill

// Fields of an account. What every check needs comes first.
const (
	tagEpoch          = 1
	tagWasConfirmed   = 2
	tagTOTP           = 3
	tagRecovery       = 4
	tagAuthenticators = 5
	tagChallenges     = 6
	tagLastSignIn     = 7
	tagSetup          = 8
	tagBurned         = 9
	tagSets           = 10
	tagCodes          = 11
	tagHistory        = 12
	tagOutbox         = 13
	tagWrite          = 14
)

// Decode reads an encoded account. It keeps b.
func Decode(b []byte) (*Account, error) {
	in := cryptobyte.String(b)
	var version uint8
	if !in.ReadUint8(&version) {
		return nil, ErrDamaged
	}
	if version != formatVersion {
		return nil, ErrNewer
	}
	a := new(Account)
	seen := false
	unknown, err := readFields(in, func(tag uint8, v cryptobyte.String) (bool, error) {
		var err error
		switch tag {
		case tagEpoch:
			seen, err = true, readArray(v, a.epoch[:])
		case tagWasConfirmed:
			a.wasConfirmed = true
			if !v.Empty() {
				err = ErrDamaged
			}
		case tagTOTP:
			a.totp, err = readThrottle(v)
		case tagRecovery:
			a.recovery, err = readThrottle(v)
		case tagAuthenticators:
			a.authenticators, err = readList(v, MaxAuthenticators, readAuthenticator)
		case tagChallenges:
			a.challenges, err = readChallenges(v)
		case tagLastSignIn:
			a.lastSignIn, err = readSignIn(v)
		case tagSetup:
			a.setup, err = readSetup(v)
		case tagBurned:
			err = readWhole(v, &a.burned)
		case tagSets:
			a.sets, err = readSets(v)
		case tagCodes:
			a.codes.raw = v
		case tagHistory:
			a.history.raw = v
		case tagOutbox:
			a.outbox.raw = v
		case tagWrite:
			err = readArray(v, a.write[:])
		default:
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return nil, err
	}
	if !seen {
		return nil, ErrDamaged
	}
	a.unknown = unknown
	return a, nil
}

// Encode returns the account's encoding. Should it be too long, the oldest
// history makes room: no decision is ever lost for lack of it.
func (a *Account) Encode() ([]byte, error) {
	for {
		b, err := a.encode(make([]byte, 0, 1024))
		if err != nil || len(b) <= MaxEncoded {
			return b, err
		}
		history, err := a.history.get(decodeHistory)
		if err != nil {
			return nil, err
		}
		if len(*history) == 0 {
			return nil, ErrTooLarge
		}
		*history = slices.Delete(*history, 0, 1)
		a.history.touch()
	}
}

func (a *Account) encode(b []byte) ([]byte, error) {
	w := fieldWriter{b: append(b, formatVersion), unknown: a.unknown}
	w.putBytes(tagEpoch, a.epoch[:])
	if a.wasConfirmed {
		w.putBytes(tagWasConfirmed, nil)
	}
	putThrottle(&w, tagTOTP, a.totp)
	putThrottle(&w, tagRecovery, a.recovery)
	if len(a.authenticators) > 0 {
		w.put(tagAuthenticators, func(b []byte) ([]byte, error) {
			return appendList(b, a.authenticators, appendAuthenticator)
		})
	}
	if len(a.challenges.list) > 0 || !a.challenges.floor.IsZero() {
		w.put(tagChallenges, a.challenges.append)
	}
	if !a.lastSignIn.At.IsZero() {
		w.put(tagLastSignIn, func(b []byte) ([]byte, error) {
			return append(appendInt(b, micros(a.lastSignIn.At)), byte(a.lastSignIn.Factor)), nil
		})
	}
	if a.setup != nil {
		w.put(tagSetup, a.setup.append)
	}
	if a.burned != 0 {
		w.putInt(tagBurned, a.burned)
	}
	if a.sets.made > 0 {
		w.put(tagSets, func(b []byte) ([]byte, error) {
			return append(appendInt(b, micros(a.sets.since)), byte(a.sets.made)), nil
		})
	}
	putLazy(&w, tagCodes, &a.codes, func(b []byte, set recovery.Set) ([]byte, error) {
		if set.IsZero() {
			return b, nil
		}
		return set.AppendBinary(b)
	})
	putLazy(&w, tagHistory, &a.history, func(b []byte, events []Event) ([]byte, error) {
		return appendList(b, events, appendEvent)
	})
	putLazy(&w, tagOutbox, &a.outbox, func(b []byte, outbox []Undelivered) ([]byte, error) {
		return appendList(b, outbox, appendUndelivered)
	})
	if a.write != (WriteID{}) {
		w.putBytes(tagWrite, a.write[:])
	}
	return w.finish()
}

// putLazy writes a part that may still be encoded. An empty one is left out.
func putLazy[T any](w *fieldWriter, tag uint8, l *lazy[T], appendValue func(b []byte, v T) ([]byte, error)) {
	raw := l.raw
	if l.dirty {
		var err error
		if raw, err = appendValue(nil, *l.value); err != nil && w.err == nil {
			w.err = err
		}
	}
	if len(raw) > 0 {
		w.putBytes(tag, raw)
	}
}

func putThrottle(w *fieldWriter, tag uint8, t Throttle) {
	if t == (Throttle{}) {
		return
	}
	w.put(tag, func(b []byte) ([]byte, error) {
		b = binary.BigEndian.AppendUint16(b, uint16(t.Failures))
		b = appendInt(b, micros(t.Mark))
		return appendInt(b, int64(t.Debt/time.Microsecond)), nil
	})
}

func readThrottle(in cryptobyte.String) (Throttle, error) {
	var failures uint16
	var mark, debt int64
	if !in.ReadUint16(&failures) || !readInt(&in, &mark) || !readInt(&in, &debt) || !in.Empty() ||
		debt < 0 || debt > int64(maxDebt/time.Microsecond) {
		return Throttle{}, ErrDamaged
	}
	return Throttle{Failures: int(failures), Mark: fromMicros(mark), Debt: time.Duration(debt) * time.Microsecond}, nil
}

// Fields of an authenticator.
const (
	tagAuthenticatorID = 1
	tagKey             = 2
	tagName            = 3
	tagAdded           = 4
	tagUsed            = 5
	tagLast            = 6
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
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && (x.ID.IsZero() || x.Key.IsZero()) {
		err = ErrDamaged
	}
	return x, err
}

func readKey(in cryptobyte.String) (totp.Key, error) {
	var algorithm, digits, period uint8
	if !in.ReadUint8(&algorithm) || !in.ReadUint8(&digits) || !in.ReadUint8(&period) || digits == 0 || period == 0 {
		return totp.Key{}, ErrDamaged
	}
	secret, err := totp.NewSecret(in)
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
	return w.finish()
}

func readSetup(in cryptobyte.String) (*Setup, error) {
	s := new(Setup)
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
		default:
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return nil, err
	}
	if s.ID == (SetupID{}) || s.Authenticator.Key.IsZero() {
		return nil, ErrDamaged
	}
	return s, nil
}

func (s *spentChallenges) append(b []byte) ([]byte, error) {
	b = appendInt(b, micros(s.floor))
	for _, c := range s.list {
		b = append(b, c.id[:]...)
		b = appendInt(b, micros(c.issued))
		b = appendInt(b, micros(c.expires))
	}
	return b, nil
}

func readChallenges(in cryptobyte.String) (s spentChallenges, err error) {
	var floor int64
	if !readInt(&in, &floor) {
		return s, ErrDamaged
	}
	s.floor = fromMicros(floor)
	for !in.Empty() {
		var c spentChallenge
		var issued, expires int64
		if len(s.list) == maxSpent || !in.CopyBytes(c.id[:]) || !readInt(&in, &issued) || !readInt(&in, &expires) {
			return s, ErrDamaged
		}
		c.issued, c.expires = fromMicros(issued), fromMicros(expires)
		s.list = append(s.list, c)
	}
	return s, nil
}

func readSignIn(in cryptobyte.String) (SignIn, error) {
	var at int64
	var factor uint8
	if !readInt(&in, &at) || !in.ReadUint8(&factor) || !in.Empty() {
		return SignIn{}, ErrDamaged
	}
	return SignIn{At: fromMicros(at), Factor: Factor(factor)}, nil
}

func readSets(in cryptobyte.String) (setCount, error) {
	var since int64
	var made uint8
	if !readInt(&in, &since) || !in.ReadUint8(&made) || !in.Empty() {
		return setCount{}, ErrDamaged
	}
	return setCount{since: fromMicros(since), made: int(made)}, nil
}

// Fields of an event, and of one that waits for its delivery.
const (
	tagEventID     = 1
	tagEventKind   = 2
	tagEventAt     = 3
	tagEventFactor = 4
	tagEventName   = 5
	tagEventMethod = 6

	tagEvent = 1
	tagLease = 2
	tagCount = 3
)

func appendEvent(b []byte, e *Event) ([]byte, error) {
	w := fieldWriter{b: b, unknown: e.unknown}
	w.putBytes(tagEventID, e.ID[:])
	w.putBytes(tagEventKind, []byte{byte(e.Kind)})
	w.putTime(tagEventAt, e.At)
	if e.Factor != NoFactor {
		w.putBytes(tagEventFactor, []byte{byte(e.Factor)})
	}
	if e.Name != "" {
		w.putBytes(tagEventName, []byte(e.Name))
	}
	if e.Method != "" {
		w.putBytes(tagEventMethod, []byte(e.Method))
	}
	return w.finish()
}

func readEvent(in cryptobyte.String) (e Event, err error) {
	e.unknown, err = readFields(in, func(tag uint8, v cryptobyte.String) (bool, error) {
		var err error
		switch tag {
		case tagEventID:
			err = readArray(v, e.ID[:])
		case tagEventKind:
			err = readByte(v, (*uint8)(&e.Kind))
		case tagEventAt:
			err = readTime(v, &e.At)
		case tagEventFactor:
			err = readByte(v, (*uint8)(&e.Factor))
		case tagEventName:
			e.Name = string(v)
		case tagEventMethod:
			e.Method = string(v)
		default:
			return false, nil
		}
		return true, err
	})
	return e, err
}

func decodeHistory(b []byte) ([]Event, error) { return readList(b, MaxHistory, readEvent) }

func appendUndelivered(b []byte, u *Undelivered) ([]byte, error) {
	w := fieldWriter{b: b, unknown: u.unknown}
	w.put(tagEvent, func(b []byte) ([]byte, error) { return appendEvent(b, &u.Event) })
	w.putTime(tagLease, u.Lease)
	if u.Count > 1 {
		w.putInt(tagCount, int64(u.Count))
	}
	return w.finish()
}

func decodeOutbox(b []byte) ([]Undelivered, error) {
	return readList(b, MaxUndelivered, func(in cryptobyte.String) (u Undelivered, err error) {
		count := int64(1)
		u.unknown, err = readFields(in, func(tag uint8, v cryptobyte.String) (bool, error) {
			var err error
			switch tag {
			case tagEvent:
				u.Event, err = readEvent(v)
			case tagLease:
				err = readTime(v, &u.Lease)
			case tagCount:
				err = readWhole(v, &count)
			default:
				return false, nil
			}
			return true, err
		})
		u.Count = int(count)
		return u, err
	})
}
