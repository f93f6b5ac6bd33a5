package enrollment_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

// The password was right, and the user must set up a second factor before anything else.
// The token is all that the three requests share: there is no session yet.
func ExampleGuard_Enrolling() {
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
	userID, err := guard.Enrolling(ctx, token, browser)
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
	if userID, err = guard.Enrolling(ctx, token, browser); err != nil {
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
