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
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// A host lists who has two-factor authentication, and keeps the accounts in order.
func ExampleDirectory() {
	ctx := context.Background()
	accounts := memory.New() // a database in production
	keys, err := keyring.Generate("2026a")
	if err != nil {
		log.Fatal(err)
	}
	_, dir, err := enrollment.Open(ctx, accounts, keys, enrollment.Config{Issuer: "Acme"})
	if err != nil {
		log.Fatal(err)
	}

	for member, err := range dir.All(ctx, enrollment.Filter{States: []store.State{store.Confirmed}}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(member.UserID, "has two-factor authentication")
	}

	swept, err := dir.Sweep(ctx) // SweepEvery does this every few minutes
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(swept.Seen, "were due")

	// Output:
	// 0 were due
}

// A program opens the accounts once, before it serves. It does not start with keys that do
// not fit them.
func ExampleOpen() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	accounts := memory.New()

	// start is what a program does when it starts.
	start := func(keys *keyring.Ring) (*enrollment.Guard, error) {
		guard, directory, err := enrollment.Open(ctx, accounts, keys, enrollment.Config{Issuer: "Acme"})
		if err != nil {
			return nil, err
		}
		go directory.SweepEvery(ctx, 5*time.Minute)
		return guard, nil
	}

	keys, err := keyring.Generate("first")
	if err != nil {
		log.Fatal(err)
	}
	guard, err := start(keys)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := guard.Begin(ctx, "alice", enrollment.BeginOptions{Account: "alice@example.com", Proof: enrollment.ByReauth("password")}); err != nil {
		log.Fatal(err)
	}

	// The next start finds another key in its configuration, with the same id.
	other, err := keyring.Generate("first")
	if err != nil {
		log.Fatal(err)
	}
	_, err = start(other)
	fmt.Println(errors.Is(err, keyring.ErrWrongKey))
	// Output: true
}

// Counting with expvar. Somebody who tries a code or two on each of many
// accounts never meets a lock; the sum over all accounts shows it. A counter of
// OpenTelemetry takes the same labels. (The accounts are those of a test.)
func ExampleConfig_observe() {
	operations := new(expvar.Map) // expvar.NewMap("twofactor") publishes it, too
	failures := new(expvar.Int)   // watch its rate

	observe := func(o enrollment.Observation) {
		if o.Event != "" {
			operations.Add("event "+string(o.Event), 1)
			return
		}
		operations.Add(string(o.Operation)+" "+o.Outcome, 1)
		switch enrollment.Reason(o.Outcome) {
		case enrollment.ReasonWrongCode, enrollment.ReasonLocked, enrollment.ReasonFactorDisabled:
			failures.Add(1)
		}
	}
	kit := enrollmenttest.New(new(testing.T), func(c *enrollment.Config) { c.Observe = observe })

	// Somebody has the passwords of all, and guesses once at each.
	for _, name := range []string{"alice", "bob", "carol"} {
		user := kit.Enroll(name)
		login, err := kit.Guard.SignIn(context.Background(), name, enrollment.SignInOptions{})
		if err != nil {
			log.Fatal(err)
		}
		_, err = kit.Guard.Answer(context.Background(), enrollment.PurposeSignIn, login.Challenge, user.WrongCode())
		if !errors.Is(err, enrollment.ErrWrongCode) {
			log.Fatal(err)
		}
	}
	fmt.Println(operations)
	fmt.Println("failures:", failures)
	// Output:
	// {"answer wrong_code": 3, "begin ok": 3, "confirm ok": 3, "event enabled": 3}
	// failures: 3
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
