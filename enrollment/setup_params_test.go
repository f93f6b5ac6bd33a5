package enrollment_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

var unusualParams = map[string]totp.Params{
	"SHA-256":      {Algorithm: totp.SHA256},
	"SHA-512":      {Algorithm: totp.SHA512},
	"seven digits": {Digits: 7},
	"eight digits": {Digits: 8},
	"a minute":     {Period: time.Minute},
	"15 seconds":   {Period: 15 * time.Second},
	"all of it":    {Algorithm: totp.SHA512, Digits: 8, Period: time.Minute},
}

// ignoring returns what an app makes of a key that ignores its parameters.
func ignoring(t *testing.T, key totp.Key) totp.Key {
	t.Helper()
	plain, err := totp.NewKey(key.Secret(), totp.Params{})
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// An app that ignores what the setup asks for is told apart from a wrong code. It
// is never good enough, and never for free.
func TestConfirmTellsOfIgnoredParams(t *testing.T) {
	t.Parallel()
	for name, params := range unusualParams {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := proving.New(t, func(c *enrollment.Config) { c.Params = params })
			setup, asked := k.Begin("alice", enrollment.BeginOptions{})
			app := ignoring(t, asked)
			confirm := func(code string, want enrollment.Reason) *enrollment.Denied {
				t.Helper()
				_, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, code)
				return proving.Want(t, err, want)
			}
			for _, steps := range []int{-1, 0, +1} {
				denied := confirm(k.Code(app, steps), enrollment.ReasonParamsIgnored)
				if denied.Factor != enrollment.FactorTOTP || denied.Skew != 0 || denied.Wait != 0 {
					t.Errorf("%+v", denied)
				}
			}
			confirm(proving.WrongCode(k.Now(), app, asked), enrollment.ReasonWrongCode)
			if fifth := confirm(k.Code(app), enrollment.ReasonParamsIgnored); fifth.Wait != time.Minute {
				t.Errorf("the fifth is followed by a wait of %v", fifth.Wait)
			}
			confirm(k.Code(app), enrollment.ReasonLocked)
			confirm(k.Code(asked), enrollment.ReasonLocked)
			if k.Status("alice").Enabled() {
				t.Fatal("enabled by an app whose codes are wrong")
			}
			k.Pass(time.Minute)
			k.Confirm("alice", setup, asked)
		})
	}
}

// What such an app shows at another time is a wrong code, and where nothing can be
// told nothing is counted.
func TestConfirmGuessesNoFurther(t *testing.T) {
	t.Parallel()
	for name, params := range unusualParams {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := proving.New(t, func(c *enrollment.Config) { c.Params = params })
			setup, asked := k.Begin("alice", enrollment.BeginOptions{})
			confirm := func(code string, want enrollment.Reason) {
				t.Helper()
				_, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, code)
				proving.Want(t, err, want)
			}
			confirm(k.Code(ignoring(t, asked), -8), enrollment.ReasonWrongCode)
			confirm(k.Code(asked, 3), enrollment.ReasonClockSkew)
			k.Unchanged("alice", func() {
				for _, code := range []string{"1234567", "12345678"} {
					if len(code) != asked.Params().Digits {
						confirm(code, enrollment.ReasonMalformedCode)
					}
				}
			})
			k.Confirm("alice", setup, asked)
			// Once it is confirmed, such a code is a wrong one, or none at all.
			want := enrollment.ReasonWrongCode
			if asked.Params().Digits != 6 {
				want = enrollment.ReasonMalformedCode
			}
			k.Out(k.Challenge("alice"), k.Code(ignoring(t, asked)), want)
		})
	}
}
