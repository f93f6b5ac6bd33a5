package account

import (
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
	"golang.org/x/crypto/cryptobyte"
)

// Fields of an authenticator.
const (
	tagAuthenticatorID = 1
	tagKey             = 2
	tagName            = 3
	tagAdded           = 4
	tagUsed            = 5
	tagLast            = 6
	tagNumber          = 7
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
	tagSetupCodes    = 9
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
		w.put(tagSetupCodes, s.Codes.AppendBinary)
	}
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
		case tagSetupCodes:
			s.Codes, err = recovery.DecodeCodes(v)
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
