package cases

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// TestCase64_SignInAgain: who began the sign-in again within the minute of a message
// could not use the code in hand (wp-calypso#16228).
func TestCase64_SignInAgain(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	inbox := bind(t, u)
	m := messages(k, inbox)
	before := inbox.Len()
	deliver := func(challenge enrollment.Challenge) enrollment.Delivery {
		t.Helper()
		d, err := m.Send(t.Context(), enrollment.PurposeSignIn, challenge)
		proving.Want(t, err, "")
		return d
	}
	answer := func(d enrollment.Delivery, code string) error {
		_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, code)
		return err
	}
	first := deliver(u.Challenge())
	sent := k.Now()
	k.Pass(enrollment.MessagePause - time.Second)
	var second, third enrollment.Delivery
	k.Unchanged("alice", func() { second, third = deliver(u.Challenge()), deliver(u.Challenge()) })
	if n := inbox.Len() - before; n != 1 {
		t.Errorf("%d messages were sent", n)
	}
	if first.Earlier || !second.Earlier || !third.Earlier || !first.Sent.Equal(sent) || !second.Sent.Equal(sent) ||
		!second.Expires.Equal(first.Expires) || second.Address != first.Address {
		t.Errorf("Send returned %+v, and then %+v", first, second)
	}
	// The tries are those of the message, whichever challenge is answered.
	right := inbox.Code()
	for i, d := range []enrollment.Delivery{first, second, third, second} {
		if err := answer(d, otherThan(right)); proving.ReasonOf(err) != enrollment.ReasonWrongCode {
			t.Errorf("try %d: %v", i, err)
		}
	}
	proving.Want(t, answer(second, right), "")
	// It has worked once, and nothing is left of it.
	proving.Want(t, answer(second, right), enrollment.ReasonChallengeSpent)
	proving.Want(t, answer(first, right), enrollment.ReasonChallengeVoid)
	_, err := m.Send(t.Context(), enrollment.PurposeSignIn, u.Challenge())
	proving.Want(t, err, enrollment.ReasonTooSoon)

	// Nor does another challenge bring fresh tries.
	k.Pass(enrollment.MessagePause)
	first = deliver(u.Challenge())
	for range 4 {
		proving.Want(t, answer(first, otherThan(inbox.Code())), enrollment.ReasonWrongCode)
	}
	proving.Want(t, answer(deliver(u.Challenge()), otherThan(inbox.Code())), enrollment.ReasonWrongCode)
	k.Pass(time.Minute)
	proving.Want(t, answer(first, inbox.Code()), enrollment.ReasonChallengeVoid)

	// A message that may be sent is sent, and the code before it is void.
	first = deliver(u.Challenge())
	k.Pass(enrollment.MessagePause)
	old := inbox.Code()
	second = deliver(u.Challenge())
	if second.Earlier || inbox.Code() == old && inbox.Len()-before != 4 {
		t.Errorf("no message after the pause: %+v", second)
	}
	proving.Want(t, answer(first, inbox.Code()), enrollment.ReasonChallengeVoid)
	proving.Want(t, answer(second, inbox.Code()), "")
}

// TestCase64_OnlyWhatItWasSentFor: the code in hand answers no challenge of another
// purpose or user, of a first factor over its own channel, of an address that is
// pending, or from before a change of factor.
func TestCase64_OnlyWhatItWasSentFor(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u, other := k.Enroll("alice"), k.Enroll("bob")
	inbox := bind(t, u)
	bind(t, other)
	m := messages(k, inbox)
	challenge := func(user string, o enrollment.SignInOptions) enrollment.Challenge {
		return k.SignIn(user, o, enrollment.AskCode).Challenge
	}
	refused := func(c enrollment.Challenge, p enrollment.Purpose, want enrollment.Reason) {
		t.Helper()
		before := inbox.Len()
		_, err := m.Send(t.Context(), p, c)
		proving.Want(t, err, want)
		if inbox.Len() != before {
			t.Error("a message was sent")
		}
	}
	sent := send(t, m, u)
	refused(challenge("alice", enrollment.SignInOptions{Purpose: "password-reset"}), "password-reset", enrollment.ReasonTooSoon)
	refused(challenge("alice", enrollment.SignInOptions{Purpose: "password-reset"}), enrollment.PurposeSignIn, enrollment.ReasonChallengeInvalid)
	refused(challenge("alice", enrollment.SignInOptions{Channel: "SMS"}), enrollment.PurposeSignIn, enrollment.ReasonSameChannel)
	refused(sent, enrollment.PurposeSignIn, enrollment.ReasonTooSoon) // it asks for another one
	d, err := m.Send(t.Context(), enrollment.PurposeSignIn, challenge("bob", enrollment.SignInOptions{}))
	proving.Want(t, err, "")
	if d.Earlier {
		t.Error("bob has the code of alice")
	}
	// For the other purpose, the code is there again where it was sent for it.
	k.Pass(enrollment.MessagePause)
	_, err = m.Send(t.Context(), "password-reset", challenge("alice", enrollment.SignInOptions{Purpose: "password-reset"}))
	proving.Want(t, err, "")
	refused(challenge("alice", enrollment.SignInOptions{}), enrollment.PurposeSignIn, enrollment.ReasonTooSoon)
	d, err = m.Send(t.Context(), "password-reset", challenge("alice", enrollment.SignInOptions{Purpose: "password-reset"}))
	proving.Want(t, err, "")
	if !d.Earlier {
		t.Error("another message was sent")
	}
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, inbox.Code())
	proving.Want(t, err, enrollment.ReasonChallengeInvalid)
	ok, err := k.Guard.Answer(t.Context(), "password-reset", d.Challenge, inbox.Code())
	proving.Want(t, err, "")
	if ok.Purpose != "password-reset" {
		t.Errorf("it was for %q", ok.Purpose)
	}
	// The code that proves an address is none.
	k.Pass(enrollment.MessagePause)
	_, err = m.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "email", To: "a@example.com", Proof: enrollment.ByCode(u.Code())})
	proving.Want(t, err, "")
	refused(u.Challenge(), enrollment.PurposeSignIn, enrollment.ReasonTooSoon)
	// A change of factor ends it.
	k.Pass(enrollment.MessagePause)
	sent = send(t, m, u)
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, u.Challenge(), u.Codes[0])
	proving.Want(t, err, "")
	refused(u.Challenge(), enrollment.PurposeSignIn, enrollment.ReasonTooSoon)
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, sent, inbox.Code())
	proving.Want(t, err, enrollment.ReasonChallengeVoid)
}

// TestCase64_AfterTheLastOfTheDay: the last message of the day is still good for who
// begins again.
func TestCase64_AfterTheLastOfTheDay(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.MaxMessages = 1 })
	u := k.Enroll("alice")
	inbox := bind(t, u)
	m := k.Node(func(c *enrollment.Config) { c.Sender = inbox }).Messages()
	send(t, m, u)
	before := inbox.Len()
	k.Pass(enrollment.DeliveryTTL - time.Second)
	d, err := m.Send(t.Context(), enrollment.PurposeSignIn, u.Challenge())
	proving.Want(t, err, "")
	if !d.Earlier || inbox.Len() != before {
		t.Errorf("Send returned %+v", d)
	}
	_, err = m.Send(t.Context(), enrollment.PurposeSignIn, d.Challenge)
	proving.Want(t, err, enrollment.ReasonTooManyMessages)
	k.Pass(time.Second)
	_, err = m.Send(t.Context(), enrollment.PurposeSignIn, u.Challenge())
	proving.Want(t, err, enrollment.ReasonTooManyMessages)
}

// TestCase68_RefusalsOfTheGateway: a few failures of the gateway ended the day
// (authgear#2784, casdoor#1046).
func TestCase68_RefusalsOfTheGateway(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	inbox := bind(t, u)
	calls, refusing := 0, true
	m := messages(k, senderFunc(func(ctx context.Context, msg enrollment.Message) error {
		calls++
		if refusing {
			return fmt.Errorf("status 400: %w", enrollment.ErrMessageRefused)
		}
		return inbox.Send(ctx, msg)
	}))
	// It was refused, and may be tried again after the pause.
	for i := range 4 {
		_, err := m.Send(t.Context(), enrollment.PurposeSignIn, u.Challenge())
		fault(t, err)
		_, err = m.Send(t.Context(), enrollment.PurposeSignIn, u.Challenge()) // there is no code in hand
		proving.Want(t, err, enrollment.ReasonTooSoon)
		if calls != i+1 {
			t.Fatalf("%d calls of the gateway", calls)
		}
		k.Pass(enrollment.MessagePause)
	}
	_, err := m.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: "+1", Proof: enrollment.ByCode(u.Code())})
	fault(t, err)
	// All of the day's are left.
	refusing = false
	for range 5 {
		k.Pass(enrollment.MessagePause)
		d, err := m.Send(t.Context(), enrollment.PurposeSignIn, u.Challenge())
		proving.Want(t, err, "")
		_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, inbox.Code())
		proving.Want(t, err, "")
	}
	k.Pass(enrollment.MessagePause)
	_, err = m.Send(t.Context(), enrollment.PurposeSignIn, u.Challenge())
	proving.Want(t, err, enrollment.ReasonTooManyMessages)

	// One that always refuses is asked twice as often as messages may be sent.
	refusing, calls = true, 0
	k.Pass(24 * time.Hour)
	for range 24 * 60 {
		_, err := m.Send(t.Context(), enrollment.PurposeSignIn, u.Challenge())
		if proving.ReasonOf(err) != enrollment.ReasonTooManyMessages {
			fault(t, err)
		}
		k.Pass(enrollment.MessagePause)
	}
	if calls != 10 {
		t.Errorf("the gateway was asked %d times in a day", calls)
	}
}

// fault ends the test unless the gateway has refused a message.
func fault(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, enrollment.ErrNotSent) || !errors.Is(err, enrollment.ErrMessageRefused) || proving.ReasonOf(err) != proving.Fault {
		t.Fatalf("a refusal of the gateway is %v", err)
	}
}
