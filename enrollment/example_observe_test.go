package enrollment_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"log"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

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
