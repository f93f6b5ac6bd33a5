package totp_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pquerna/otp"
	pquerna "github.com/pquerna/otp/totp"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

var algorithms = map[totp.Algorithm]otp.Algorithm{
	totp.SHA1:   otp.AlgorithmSHA1,
	totp.SHA256: otp.AlgorithmSHA256,
	totp.SHA512: otp.AlgorithmSHA512,
}

// Codes made by one side are accepted by the other, and codes around the window
// get the same answer from both.
func TestAgreesWithPquerna(t *testing.T) {
	t.Parallel()
	for algorithm, theirs := range algorithms {
		for digits := totp.MinDigits; digits <= totp.MaxDigits; digits++ {
			t.Run(fmt.Sprintf("%v/%d", algorithm, digits), func(t *testing.T) {
				t.Parallel()
				skipRefused(t, algorithm)
				r := rand.New(rand.NewPCG(uint64(algorithm), uint64(digits)))
				for range 150 {
					raw := make([]byte, totp.MinSecretSize+r.IntN(totp.MaxSecretSize-totp.MinSecretSize+1))
					for i := range raw {
						raw[i] = byte(r.Uint32())
					}
					period := time.Duration(15+r.IntN(106)) * time.Second
					key := mustKey(t, raw, totp.Params{Algorithm: algorithm, Digits: digits, Period: period})
					at := time.Unix(1000+r.Int64N(1<<33), r.Int64N(1e9)) // beyond 2106
					secret := key.Secret().Base32()
					opts := pquerna.ValidateOpts{
						Period: uint(period / time.Second), Skew: totp.LookAround,
						Digits: otp.Digits(digits), Algorithm: theirs,
					}

					want, err := pquerna.GenerateCodeCustom(secret, at, opts)
					if err != nil {
						t.Fatal(err)
					}
					if got := mustCode(t, key, at); got != want {
						t.Fatalf("Code = %s, pquerna has %s", got, want)
					}
					for shift := -3; shift <= 3; shift++ {
						code := mustCode(t, key, at.Add(time.Duration(shift)*period))
						ok, err := pquerna.ValidateCustom(code, secret, at, opts)
						if err != nil {
							t.Fatal(err)
						}
						if _, err := key.Check(code, at, 0); (err == nil) != ok || (err != nil && !errors.Is(err, totp.ErrWrong)) {
							t.Fatalf("%d steps off: Check says %v, pquerna %v", shift, err, ok)
						}
					}
					random := fmt.Sprintf("%0*d", digits, r.IntN(1e6))
					ok, _ := pquerna.ValidateCustom(random, secret, at, opts)
					if _, err := key.Check(random, at, 0); (err == nil) != ok {
						t.Fatalf("random code: Check says %v, pquerna %v", err, ok)
					}
				}
			})
		}
	}
}
