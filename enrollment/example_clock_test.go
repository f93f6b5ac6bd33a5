package enrollment_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"log"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

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

// The counts beside other metrics, and the alarm that follows from them. (A
// monitoring system has both numbers, and compares them with those of an hour ago.)
func ExampleGuard_ClockHints() {
	kit := enrollmenttest.New(new(testing.T))
	clock := expvar.Func(func() any { return kit.Guard.ClockHints() }) // expvar.Publish("twofactor_clock", clock)

	// The clock of the server is four minutes slow, and everybody's codes are wrong.
	for n := range 10 {
		user := kit.Enroll(fmt.Sprint("user-", n))
		code := user.App.Code(kit.Clock.Now().Add(4 * time.Minute))
		if _, err := kit.Guard.Verify(context.Background(), user.ID, "delete-project", code); err == nil {
			log.Fatal("a code of another time was right")
		}
	}
	fmt.Println(clock) // nothing is told at once

	kit.Clock.Advance(15 * time.Minute)
	fmt.Println(clock)
	if hints := kit.Guard.ClockHints(); hints.WrongCodes >= 10 && hints.RightAtOtherTime > hints.WrongCodes/2 {
		fmt.Println("ALARM: the clock of this server is wrong")
	}
	// Output:
	// {"wrong_codes":0,"right_at_other_time":0}
	// {"wrong_codes":10,"right_at_other_time":10}
	// ALARM: the clock of this server is wrong
}
