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
	"github.com/seed-1b6a03a1/twofactor/totp"
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

// The password was right, and the user must set up a second factor before anything else.
// The token is all that the three requests share: there is no session yet.
func ExampleGuard_EnrollingUser() {
	ctx := context.Background()
	kit := enrollmenttest.New(new(testing.T))
	guard := kit.Guard
	browser := "hash of a cookie that was set before the sign-in"

	// The login handler keeps the token in a cookie.
	d, err := guard.SignIn(ctx, "user-1", enrollment.SignInOptions{Require: true, Browser: browser})
	if err != nil {
		panic(err)
	}
	cookie := d.EnrollToken.Reveal()

	// The page with the QR code.
	token := enrollment.EnrollTokenOf(cookie)
	userID, err := guard.EnrollingUser(ctx, token, browser)
	if err != nil {
		panic(err) // a Denied: ask for the password again
	}
	setup, err := guard.Begin(ctx, userID, enrollment.BeginOptions{
		Account: "alice@example.com", Proof: enrollment.ByEnrollToken(token, browser),
	})
	if err != nil {
		panic(err)
	}
	app, err := enrollmenttest.Scan(setup.URI())
	if err != nil {
		panic(err)
	}

	// The form with the first code.
	if userID, err = guard.EnrollingUser(ctx, token, browser); err != nil {
		panic(err)
	}
	done, err := guard.Confirm(ctx, userID, setup.Token, app.Code(kit.Clock.Now()))
	if err != nil {
		panic(err)
	}
	if done.Success.Purpose == enrollment.PurposeSignIn {
		fmt.Println("start a session for", done.Success.UserID)
	}
	// Output: start a session for user-1
}

// A company gives its people hardware tokens. The vendor has sent their keys. Users
// type in the serial number and a code.
func ExampleBeginOptions_hardwareToken() {
	kit := enrollmenttest.New(new(testing.T))
	ctx := context.Background()
	const uri = "otpauth://totp/Vendor:26-0417?issuer=Vendor&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	key, _, err := totp.ParseURI(uri) // a line of the seed file
	if err != nil {
		log.Fatal(err)
	}
	given := map[string]map[string]totp.Key{"alice": {"26-0417": key}}

	token, ok := given["alice"]["26-0417"]
	if !ok {
		fmt.Println("this is not your token")
		return
	}
	setup, err := kit.Guard.Begin(ctx, "alice", enrollment.BeginOptions{
		Name:          "token 26-0417",
		HardwareToken: token,
		Proof:         enrollment.ByReauth("password"),
	})
	if err != nil {
		log.Fatal(err)
	}
	if setup.HardwareToken { // and no QR code
		fmt.Printf("type in the %d digits that your token shows\n", setup.Params().Digits)
	}
	shown, err := enrollmenttest.Scan(uri) // the token
	if err != nil {
		log.Fatal(err)
	}
	done, err := kit.Guard.Confirm(ctx, "alice", setup.Token, shown.Code(kit.Clock.Now()))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(done.Event, "with", done.Codes.Len(), "recovery codes")
	// Output:
	// type in the 6 digits that your token shows
	// enabled with 10 recovery codes
}

// An application that asks for SHA-256 meets an app that makes codes with SHA-1,
// whatever the QR code says. Confirm tells it apart from a wrong code.
func ExampleConfig_params() {
	kit := enrollmenttest.New(new(testing.T), func(c *enrollment.Config) {
		c.Params = totp.Params{Algorithm: totp.SHA256}
	})
	ctx := context.Background()
	setup, err := kit.Guard.Begin(ctx, "alice", enrollment.BeginOptions{Account: "alice@example.com", Proof: enrollment.ByReauth("password")})
	if err != nil {
		log.Fatal(err)
	}
	app, err := totp.NewKey(setup.Secret(), totp.Params{}) // it knows nothing else
	if err != nil {
		log.Fatal(err)
	}
	code, err := app.Code(kit.Clock.Now())
	if err != nil {
		log.Fatal(err)
	}
	_, err = kit.Guard.Confirm(ctx, "alice", setup.Token, code)
	if errors.Is(err, enrollment.ReasonParamsIgnored) {
		fmt.Println("This app can't make our codes. Take another one.")
	}
	// Output:
	// This app can't make our codes. Take another one.
}

// Somebody who knows the password has locked app codes. The owner is offered three
// fields, and gets in.
func ExampleGuard_ThreeCodes() {
	kit := enrollmenttest.New(new(testing.T))
	alice := kit.Enroll("alice")
	ctx := context.Background()
	var err error
	for range 6 {
		_, err = kit.Guard.Verify(ctx, "alice", "guessing", alice.App.WrongCode(kit.Clock.Now()))
	}
	fmt.Println("a single code:", err)

	d, err := kit.Guard.SignIn(ctx, "alice", enrollment.SignInOptions{})
	if err != nil {
		log.Fatal(err)
	}
	var codes []string
	if d.ThreeCodes { // show three fields
		for range 3 {
			kit.Clock.Advance(alice.App.Period())
			codes = append(codes, alice.App.Code(kit.Clock.Now()))
		}
	}
	ok, err := kit.Guard.ThreeCodes().Answer(ctx, enrollment.PurposeSignIn, d.Challenge, codes)
	var denied *enrollment.Denied
	switch {
	case errors.As(err, &denied):
		fmt.Println("ask again:", denied.Reason)
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Println("three codes:", ok.UserID, "is in")
	}
	// Output:
	// a single code: enrollment: denied: locked
	// three codes: alice is in
}

// A phone whose clock is half a minute ahead still signs in, and the page can say
// so before it no longer does.
func ExampleSuccess_drift() {
	kit := enrollmenttest.New(new(testing.T))
	alice := kit.Enroll("alice")
	code := alice.App.Code(kit.Clock.Now().Add(30 * time.Second))
	ok, err := kit.Guard.Verify(context.Background(), "alice", "delete-project", code)
	if err != nil {
		log.Fatal(err)
	}
	if ok.Drift > 0 {
		fmt.Println("The clock of your phone is about", ok.Drift, "fast. Set it automatically.")
	}
	// Output:
	// The clock of your phone is about 30s fast. Set it automatically.
}
