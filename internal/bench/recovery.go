package bench

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Recovery holds two ways to check a wrong recovery code against ten.
type Recovery struct {
	set    recovery.Set
	hashes [][]byte
	wrong  string
}

// NewRecovery makes the ten codes, and stores them in both ways, for bcrypt at
// that cost.
func NewRecovery(ctx context.Context, cost int) (*Recovery, error) {
	codes, err := recovery.Generate(nil, recovery.DefaultCount, recovery.Argon2id)
	if err != nil {
		return nil, err
	}
	derivation, err := recovery.NewDerivation(nil, recovery.Argon2id)
	if err != nil {
		return nil, err
	}
	r := new(Recovery)
	if r.set, err = derivation.DeriveAll(ctx, codes); err != nil {
		return nil, err
	}
	for _, text := range codes.Reveal() {
		hash, err := bcrypt.GenerateFromPassword([]byte(text), cost)
		if err != nil {
			return nil, err
		}
		r.hashes = append(r.hashes, hash)
	}
	r.wrong, err = wrongRecoveryCode()
	return r, err
}

// wrongRecoveryCode draws a code that is in no set.
func wrongRecoveryCode() (string, error) {
	codes, err := recovery.Generate(nil, recovery.MinCount, recovery.Argon2id)
	if err != nil {
		return "", err
	}
	return codes.Reveal()[0], nil
}

// Derive is one derivation, and a comparison with each entry.
func (r *Recovery) Derive() *Side {
	return &Side{Name: "one Argon2id, then Spend", Op: func(int) error {
		code, err := recovery.ParseCode(r.wrong)
		if err != nil {
			return err
		}
		digest, err := r.set.Derivation().Derive(code)
		if err != nil {
			return err
		}
		if _, err := r.set.Spend(digest, base); !errors.Is(err, recovery.ErrWrong) {
			return fmt.Errorf("the answer was %v", err)
		}
		return nil
	}}
}

// Bcrypt compares with one hash after another until one is right, as authboss
// does, at bcrypt's default cost.
func (r *Recovery) Bcrypt() *Side {
	return &Side{Name: "bcrypt, code by code", Op: func(int) error {
		for _, hash := range r.hashes {
			err := bcrypt.CompareHashAndPassword(hash, []byte(r.wrong))
			if err == nil {
				return errors.New("the code was right")
			}
			if !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
				return err
			}
		}
		return nil
	}}
}

// Bare is the derivation alone, without reading the code or comparing.
func (r *Recovery) Bare() (*Side, error) {
	code, err := recovery.ParseCode(r.wrong)
	return &Side{Name: "Derive alone", Op: func(int) error {
		_, err := r.set.Derivation().Derive(code)
		return err
	}}, err
}
