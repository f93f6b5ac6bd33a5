package enrollment_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Waiting until RetryAt is enough, and waiting for less is not. Each case begins
// with what is denied at first, and is tried again and again.
func TestRetryAtIsWhenWaitingHelps(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*proving.Kit, *proving.Person) (try func() error){
		"a used code": func(k *proving.Kit, alice *proving.Person) func() error {
			try := func() error { return verified(alice, alice.Code()) }
			k.Must(try())
			return try
		},
		"a wrong code that locks": func(_ *proving.Kit, alice *proving.Person) func() error {
			tries := 0
			try := func() error {
				if tries++; tries <= 5 {
					return verified(alice, alice.Wrong())
				}
				return verified(alice, alice.Code())
			}
			for range 4 {
				_ = try()
			}
			return try
		},
		"a locked app": func(_ *proving.Kit, alice *proving.Person) func() error {
			for range 8 {
				_ = verified(alice, alice.Wrong())
			}
			return func() error { return verified(alice, alice.Code()) }
		},
		"locked recovery codes": func(k *proving.Kit, alice *proving.Person) func() error {
			unknown := k.Enroll("bob").Codes[0]
			for range 5 {
				_ = verified(alice, unknown)
			}
			return func() error { return verified(alice, alice.Codes[0]) }
		},
		"a message a moment ago": func(k *proving.Kit, alice *proving.Person) func() error {
			b, err := k.Guard.Messages().Bind(t.Context(), "alice", enrollment.BindOptions{
				Channel: "sms", To: proving.Phone, Proof: enrollment.ByCode(alice.Code()),
			})
			k.Must(err)
			_, err = k.Guard.Messages().Confirm(t.Context(), "alice", b.Token, k.Inbox.Code())
			k.Must(err)
			k.Pass(time.Hour)
			d, err := k.Guard.Messages().Send(t.Context(), enrollment.PurposeSignIn, alice.Challenge())
			k.Must(err)
			return func() error { // for another one
				_, err := k.Guard.Messages().Send(t.Context(), enrollment.PurposeSignIn, d.Challenge)
				return err
			}
		},
		"many sets of codes": func(k *proving.Kit, alice *proving.Person) func() error {
			try := func() error {
				defer k.NextCode(alice.Key)
				_, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
				return err
			}
			for range 4 { // besides those of the setup
				k.Must(try())
			}
			return try
		},
		"another request for a reset": func(k *proving.Kit, alice *proving.Person) func() error {
			alice.AskReset()
			k.Must(verified(alice, alice.Code())) // cancels it
			return func() error {
				_, err := k.Guard.ResetRequests().Open(t.Context(), alice.Challenge())
				return err
			}
		},
		"an early approval": func(k *proving.Kit, alice *proving.Person) func() error {
			alice.AskReset()
			return func() error {
				_, err := k.Guard.Admin("root", "phone lost").ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := proving.New(t)
			try := begin(k, k.Enroll("alice"))
			at := k.Now()
			err := try()
			k.Pass(at.Sub(k.Now())) // whatever time it took
			var first, again *enrollment.Denied
			if !errors.As(err, &first) || first.RetryAt.IsZero() {
				t.Fatalf("%v, %+v", err, first)
			}
			proving.CheckWait(t, first)
			k.Pass(first.RetryAt.Sub(k.Now()) - time.Microsecond)
			if err := try(); !errors.As(err, &again) || !again.RetryAt.Equal(first.RetryAt) || again.Wait != time.Second {
				t.Errorf("a moment too early: %v, %+v, want again at %v", err, again, first.RetryAt)
			}
			k.Pass(first.RetryAt.Sub(k.Now()))
			k.Must(try())
		})
	}
}

// Wait is as of the answer: a store that takes its time has used up a part of it,
// or all of it, and then a second is left.
func TestWaitIsAsOfTheAnswer(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]time.Duration{
		0:                                   time.Minute,
		time.Millisecond:                    time.Minute,
		time.Second:                         59 * time.Second,
		30*time.Second + 1*time.Microsecond: 30 * time.Second,
		time.Minute:                         time.Second,
		time.Hour:                           time.Second,
	} {
		k := proving.New(t)
		alice := k.Enroll("alice")
		for range 4 {
			_ = verified(alice, alice.Wrong())
		}
		k.Store.NthAfter(proving.Save, 1, func(context.Context, *proving.Call) { k.Pass(took) })
		var fifth *enrollment.Denied
		if err := verified(alice, alice.Wrong()); !errors.As(err, &fifth) {
			t.Fatal(err)
		}
		if locked := proving.Start.Add(90 * time.Second); !fifth.RetryAt.Equal(locked) || fifth.Wait != want {
			t.Errorf("after %v: again at %v, in %v, want %v, %v", took, fifth.RetryAt, fifth.Wait, locked, want)
		}
	}
}

func verified(p *proving.Person, code string) error {
	_, err := p.Kit.Guard.Verify(context.Background(), p.ID, "x", code)
	return err
}
