package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

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
