package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

// A gateway sends text messages. A service calls its provider here; this one
// keeps the last code for the example to read.
type gateway struct {
	code string
}

func (g *gateway) Send(_ context.Context, m enrollment.Message) error {
	what := "for " + string(m.Purpose)
	if m.Purpose == enrollment.PurposeSetup {
		what = "to confirm this number"
	}
	// The code goes into the text, and nowhere else: a log line gets m.
	fmt.Printf("%s to %s: Acme: your code %s is …\n", m.Channel, m.To, what)
	g.code = m.Code()
	return nil
}

// A user who has an app adds a phone number, and later signs in with a code that
// is sent there, since the app is on the phone that was left at home.
func ExampleMessages() {
	ctx := context.Background()
	phone := new(gateway)
	kit := enrollmenttest.New(new(testing.T), func(c *enrollment.Config) { c.Sender = phone })
	messages := kit.Guard.Messages()
	alice := kit.Enroll("user-1")

	// The settings page: the number, and a code of the app that proves who asks.
	binding, err := messages.Bind(ctx, "user-1", enrollment.BindOptions{
		Channel: "sms",
		To:      "+41441234567",
		Proof:   enrollment.ByCode(alice.Code()),
	})
	if err != nil {
		log.Fatal(err)
	}
	done, err := messages.Confirm(ctx, "user-1", binding.Token, phone.code)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(done.Event)

	// The sign-in: the password was right, and the user presses "send a code".
	kit.Clock.Advance(time.Hour)
	d, err := kit.Guard.SignIn(ctx, "user-1", enrollment.SignInOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Factors)
	sent, err := messages.Send(ctx, enrollment.PurposeSignIn, d.Challenge)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("sent to", sent.Address.Hint)

	// The code is answered to the challenge that came with it.
	ok, err := kit.Guard.Answer(ctx, enrollment.PurposeSignIn, sent.Challenge, phone.code)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ok.UserID, ok.Factor)

	// Another one has to wait.
	d, err = kit.Guard.SignIn(ctx, "user-1", enrollment.SignInOptions{})
	if err != nil {
		log.Fatal(err)
	}
	_, err = messages.Send(ctx, enrollment.PurposeSignIn, d.Challenge)
	var denied *enrollment.Denied
	if errors.As(err, &denied) {
		fmt.Println(denied.Reason, denied.RetryAt.Sub(kit.Clock.Now()))
	}
	// Output:
	// sms to +41441234567: Acme: your code to confirm this number is …
	// address_bound
	// [totp delivered recovery]
	// sms to +41441234567: Acme: your code for sign_in is …
	// sent to …67
	// user-1 delivered
	// too_soon 1m0s
}
