package enrollmenttest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

// In a host's test, t is the testing.T of the test.
func ExampleNew() {
	t := new(testing.T)
	ctx := context.Background()

	kit := enrollmenttest.New(t)
	alice := kit.Enroll("alice")

	login, _ := kit.Guard.SignIn(ctx, "alice", enrollment.SignInOptions{})
	ok, err := kit.Guard.Answer(ctx, enrollment.PurposeSignIn, login.Challenge, alice.Code())
	fmt.Println(ok.UserID, err)

	login, _ = kit.Guard.SignIn(ctx, "alice", enrollment.SignInOptions{})
	_, err = kit.Guard.Answer(ctx, enrollment.PurposeSignIn, login.Challenge, alice.Code())
	fmt.Println(errors.Is(err, enrollment.ReasonReplayed))

	kit.Clock.Advance(alice.App.Period())
	_, err = kit.Guard.Answer(ctx, enrollment.PurposeSignIn, login.Challenge, alice.Code())
	fmt.Println(err)
	// Output:
	// alice <nil>
	// true
	// <nil>
}
