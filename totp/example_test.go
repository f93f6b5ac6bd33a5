package totp_test

import (
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Enrolling an authenticator, and checking a code twice.
func Example() {
	// An application calls totp.Generate(nil, totp.SHA1). This secret is for the example.
	secret, err := totp.NewSecret([]byte("12345678901234567890"))
	if err != nil {
		panic(err)
	}
	key, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		panic(err)
	}

	// What the user scans, or types.
	uri, err := key.URI(totp.Label{Issuer: "Acme", Account: "alice@example.com"})
	if err != nil {
		panic(err)
	}
	fmt.Println(uri)
	fmt.Println(secret.Grouped())

	// The app shows a code, and the user types it.
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	code, err := key.Code(now)
	if err != nil {
		panic(err)
	}
	typed := code[:3] + " " + code[3:]

	var last int64 // kept with the account
	step, err := key.Check(typed, now, last)
	fmt.Println(step > last, err)
	last = step // saved before the user is let in

	_, err = key.Check(typed, now, last)
	fmt.Println(errors.Is(err, totp.ErrReplayed), err)

	// Printing a key or a secret shows nothing.
	fmt.Println(key, secret)
	// Output:
	// otpauth://totp/Acme:alice@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme
	// GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ
	// true <nil>
	// true totp: code already used
	// [redacted] [redacted]
}

// Taking over a key from another system.
func ExampleParseURI() {
	key, label, err := totp.ParseURI("otpauth://totp/Acme%20Inc:bob?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme%20Inc&digits=8")
	if err != nil {
		panic(err)
	}
	fmt.Println(label.Issuer)
	fmt.Println(label.Account)
	fmt.Println(key.Params().Algorithm, key.Params().Digits, key.Params().Period)

	_, _, err = totp.ParseURI("otpauth://totp/Acme:bob?secret=GEZDGNBVGY3TQOJQ&issuer=Acme")
	fmt.Println(errors.Is(err, totp.ErrURI), errors.Is(err, totp.ErrSecret))
	fmt.Println(err)
	// Output:
	// Acme Inc
	// bob
	// SHA1 8 30s
	// true true
	// totp: invalid otpauth URI: totp: invalid secret: shorter than 16 bytes
}

// A login name can have a colon, which no label can have.
func ExampleLabel_Fit() {
	label := totp.Label{Issuer: "Acme", Account: "@alice:example.org"}
	fmt.Println(label.Validate())
	fmt.Println(label.Fit().Account, label.Fit().Validate())
	// Output:
	// totp: invalid label: Account has a colon
	// @alice∶example.org <nil>
}

// Telling a user at enrolment that the phone's clock is wrong.
func ExampleKey_ClockOffset() {
	secret, err := totp.NewSecret([]byte("12345678901234567890"))
	if err != nil {
		panic(err)
	}
	key, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		panic(err)
	}

	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	typed, err := key.Code(now.Add(-4 * time.Minute)) // what a slow phone shows
	if err != nil {
		panic(err)
	}
	if _, err := key.Check(typed, now, 0); errors.Is(err, totp.ErrWrong) {
		if offset, err := key.ClockOffset(typed, now); err == nil && offset < 0 {
			fmt.Println("your phone's clock is slow by", -offset)
		}
	}
	// Output: your phone's clock is slow by 4m0s
}

func ExampleNormalize() {
	for _, input := range []string{"123 456", "１２３４５６", "१२३-४५६", "12E456"} {
		code, err := totp.Normalize(input)
		fmt.Printf("%q %v\n", code, err)
	}
	// Output:
	// "123456" <nil>
	// "123456" <nil>
	// "123456" <nil>
	// "" totp: malformed code: a character that is not a digit
}

// A verifier whose clock is ahead of no phone's accepts one step less.
func ExampleKey_CheckWithin() {
	secret, err := totp.NewSecret([]byte("12345678901234567890"))
	if err != nil {
		log.Fatal(err)
	}
	key, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		log.Fatal(err)
	}
	now := time.Unix(1_234_567_890, 0)
	next, err := key.Code(now.Add(30 * time.Second)) // the phone is ahead
	if err != nil {
		log.Fatal(err)
	}
	_, err = key.CheckWithin(totp.LookBothWays, next, now, 0)
	fmt.Println(totp.LookBothWays.Steps(), err)
	_, err = key.CheckWithin(totp.LookBehind, next, now, 0)
	fmt.Println(totp.LookBehind.Steps(), err)
	// Output:
	// 3 <nil>
	// 2 totp: wrong code
}

// A phone is four minutes slow. Three codes that it shows one after the other let
// its owner in, and tell the offset.
func ExampleKey_CheckConsecutive() {
	secret, err := totp.NewSecret([]byte("12345678901234567890"))
	if err != nil {
		log.Fatal(err)
	}
	key, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		log.Fatal(err)
	}
	now := time.Unix(1_234_567_890, 0)
	phone := now.Add(-4 * time.Minute)
	var codes [totp.Consecutive]string
	for i := range codes {
		if codes[i], err = key.Code(phone.Add(time.Duration(i-2) * 30 * time.Second)); err != nil {
			log.Fatal(err)
		}
	}
	step, err := key.CheckConsecutive(codes, now, 0)
	fmt.Println(time.Duration(step-key.Step(now))*30*time.Second, err)
	_, err = key.CheckConsecutive(codes, now, step)
	fmt.Println(err)
	// Output:
	// -4m0s <nil>
	// totp: code already used
}
