package enrollment_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// The whole of it: enable, sign in with a code, sign in with a recovery code,
// disable. A service has sqlstore in the place of memory, reads its keys with
// keyring.Parse, and leaves Now and RecoveryScheme alone.
func Example() {
	ctx := context.Background()
	clock := enrollmenttest.NewClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	keys, err := keyring.Generate("2026a")
	if err != nil {
		log.Fatal(err)
	}
	guard, err := enrollment.New(memory.New(), keys, enrollment.Config{
		Issuer:         "Acme",
		Now:            clock.Now,
		RecoveryScheme: recovery.Fast,
	})
	if err != nil {
		log.Fatal(err)
	}

	// The settings page: show setup.QR() and setup.Secret().
	setup, err := guard.Begin(ctx, "user-1", enrollment.BeginOptions{Account: "alice@example.com", Proof: enrollment.ByReauth("password")})
	if err != nil {
		log.Fatal(err)
	}
	app, err := enrollmenttest.Scan(setup.URI()) // the user's phone
	if err != nil {
		log.Fatal(err)
	}
	done, err := guard.Confirm(ctx, "user-1", setup.Token, app.Code(clock.Now()))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("recovery codes:", done.Codes.Len())

	// The sign-in handler, after the password was right.
	d, err := guard.SignIn(ctx, "user-1", enrollment.SignInOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("sign in:", d.Next)

	// The code form. The code that confirmed the setup is used up.
	_, err = guard.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, app.Code(clock.Now()))
	fmt.Println(err)
	clock.Advance(30 * time.Second)
	ok, err := guard.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, app.Code(clock.Now()))
	fmt.Println(ok.UserID, ok.Factor, err)

	// The same field takes a recovery code.
	d, err = guard.SignIn(ctx, "user-1", enrollment.SignInOptions{})
	if err != nil {
		log.Fatal(err)
	}
	ok, err = guard.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, done.Codes.Reveal()[0])
	fmt.Println(ok.UserID, ok.Factor, ok.CodesLeft, err)

	// The receipt of the last answer proves who asks.
	err = guard.Disable(ctx, "user-1", enrollment.ByReceipt(ok.Receipt))
	fmt.Println("disabled:", err == nil)
	// Output:
	// recovery codes: 10
	// sign in: ask_code
	// enrollment: denied: replayed
	// user-1 totp <nil>
	// user-1 recovery 9 <nil>
	// disabled: true
}

// What a person did is a Denied; everything else is an internal error.
func ExampleDenied() {
	kit := enrollmenttest.New(new(testing.T))
	alice := kit.Enroll("alice")
	for range 6 {
		_, err := kit.Guard.Verify(context.Background(), "alice", "delete-project", alice.WrongCode())
		var denied *enrollment.Denied
		switch {
		case errors.Is(err, enrollment.ErrLocked):
			errors.As(err, &denied)
			fmt.Println("locked for", denied.Wait)
		case errors.Is(err, enrollment.ErrWrongCode):
			fmt.Println("wrong")
		default:
			log.Fatal(err)
		}
	}
	// Output:
	// wrong
	// wrong
	// wrong
	// wrong
	// wrong
	// locked for 1m0s
}

// A code that was just used: the page says how long it takes until the app shows
// the next one. The browser's clock does not matter for that.
func ExampleDenied_wait() {
	kit := enrollmenttest.New(new(testing.T))
	alice := kit.Enroll("alice")
	code := alice.Code()
	for range 2 {
		_, err := kit.Guard.Verify(context.Background(), "alice", "delete-project", code)
		var denied *enrollment.Denied
		if errors.As(err, &denied) {
			fmt.Println(denied.Reason, denied.Wait)
			body, err := json.Marshal(denied)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(string(body))
		}
	}
	// Output:
	// replayed 25s
	// {"reason":"replayed","factor":"totp","retry_at":"2026-01-02T03:05:00Z","wait_seconds":25}
}
