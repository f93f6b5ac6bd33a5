package bench

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	pquerna "github.com/pquerna/otp/totp"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// TOTP holds the checks of one key beside each other.
type TOTP struct {
	key    totp.Key
	secret string
	wrong  string
}

// NewTOTP returns the checks of the key that RFC 6238 has its vectors for.
func NewTOTP() (*TOTP, error) {
	secret, err := totp.NewSecret([]byte("12345678901234567890"))
	if err != nil {
		return nil, err
	}
	key, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		return nil, err
	}
	wrong, err := wrongCode(key, base)
	return &TOTP{key: key, secret: secret.Base32(), wrong: wrong}, err
}

// Check is Key.Check of a wrong code.
func (t *TOTP) Check() *Side {
	return t.check("wrong code", t.wrong, 0, totp.ErrWrong)
}

// Pquerna is the same with github.com/pquerna/otp, one step either way.
func (t *TOTP) Pquerna() *Side {
	return t.pquerna("pquerna ValidateCustom", t.wrong, false)
}

func (t *TOTP) pquerna(name, code string, want bool) *Side {
	opts := pquerna.ValidateOpts{Period: 30, Skew: 1, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}
	return &Side{Name: name, Op: func(int) error {
		ok, err := pquerna.ValidateCustom(code, t.secret, base, opts)
		if err == nil && ok != want {
			err = fmt.Errorf("the answer was %v", ok)
		}
		return err
	}}
}

// BareHMAC is what no check can do without: three HMAC-SHA-1 of a counter,
// keyed once.
func (t *TOTP) BareHMAC() *Side {
	secret := t.key.Secret().Reveal()
	step := uint64(t.key.Step(base))
	return &Side{Name: "3 HMAC-SHA-1", Op: func(int) error {
		mac := hmac.New(sha1.New, secret)
		var buf [sha1.Size]byte
		for i := range uint64(3) {
			mac.Reset()
			binary.BigEndian.PutUint64(buf[:8], step-1+i)
			mac.Write(buf[:8])
			mac.Sum(buf[:0])
		}
		return nil
	}}
}

// Outcomes are checks of one key that end differently.
func (t *TOTP) Outcomes() ([]*Side, error) {
	sides := []*Side{t.Check()}
	for i, name := range []string{"right, one step late", "right", "right, one step early"} {
		code, err := t.key.Code(base.Add(time.Duration(i-1) * 30 * time.Second))
		if err != nil {
			return nil, err
		}
		sides = append(sides, t.check(name, code, 0, nil))
	}
	code, err := t.key.Code(base)
	return append(sides, t.check("replayed", code, t.key.Step(base), totp.ErrReplayed)), err
}

// PquernaOutcomes are the same with github.com/pquerna/otp, which does not know
// replays.
func (t *TOTP) PquernaOutcomes() ([]*Side, error) {
	sides := []*Side{t.pquerna("wrong code", t.wrong, false)}
	for i, name := range []string{"right, one step late", "right", "right, one step early"} {
		code, err := t.key.Code(base.Add(time.Duration(i-1) * 30 * time.Second))
		if err != nil {
			return nil, err
		}
		sides = append(sides, t.pquerna(name, code, true))
	}
	return sides, nil
}

func (t *TOTP) check(name, code string, last int64, want error) *Side {
	return &Side{Name: name, Op: func(int) error {
		if _, err := t.key.Check(code, base, last); !errors.Is(err, want) {
			return fmt.Errorf("the answer was %v", err)
		}
		return nil
	}}
}
