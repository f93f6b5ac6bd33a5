package cases

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// TestCase40_MessageFlooding: text messages could be had without end
// (shesha#4773).
func TestCase40_MessageFlooding(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	p := bind(t, u)
	m := messages(k, p)
	bound := p.Len()
	challenge := u.Challenge()
	send := func(m enrollment.Messages) error {
		d, err := m.Send(t.Context(), enrollment.PurposeSignIn, challenge)
		if d.Earlier {
			return errNoMessage
		}
		return err
	}
	none := func(err error) {
		t.Helper()
		if !errors.Is(err, errNoMessage) {
			t.Errorf("instead of the code in hand: %v", err)
		}
	}
	got := proving.Together(20, func(int) error { return send(m) })
	if n := p.Len() - bound; n != 1 || got[""] != 1 || got[proving.Fault] != 19 {
		t.Errorf("%d were delivered, outcomes %v", n, got)
	}
	// Through every other door too, and from another process.
	other := messages(k, p)
	k.Unchanged("alice", func() {
		none(send(other))
		_, err := other.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: "+1", Proof: enrollment.ByCode(u.Code())})
		proving.Want(t, err, enrollment.ReasonTooSoon)
	})
	// Nothing is sent unless the count is stored.
	k.Pass(enrollment.MessagePause)
	broken := errors.New("the disk is full")
	k.Store.Fail(proving.Save, broken)
	before := p.Len()
	for range 3 {
		if err := send(m); !errors.Is(err, broken) {
			t.Errorf("without a store: %v", err)
		}
	}
	if n := p.Len() - before; n != 0 {
		t.Errorf("%d messages were sent that are not counted", n)
	}
	// When it is sent, the count is there to be seen.
	k.Store.Straighten()
	seen := false
	m = messages(k, senderFunc(func(context.Context, enrollment.Message) error {
		seen = true
		none(send(messages(k, p)))
		return broken
	}))
	if err := send(m); !errors.Is(err, enrollment.ErrNotSent) || !errors.Is(err, broken) || !seen {
		t.Errorf("a sender that fails: %v", err)
	}
	none(send(m)) // it counts all the same
	k.Pass(enrollment.MessagePause)
	// A reply that is lost loses neither the count nor the message.
	k.Store.After(proving.Save, func(_ context.Context, c *proving.Call) { c.Err = errors.Join(c.Err, broken) })
	before = p.Len()
	m = messages(k, p)
	challenge = u.Challenge()
	proving.Want(t, send(m), "")
	k.Store.Straighten()
	if n := p.Len() - before; n != 1 {
		t.Errorf("%d messages after a lost reply", n)
	}
	none(send(m))
}

// errNoMessage says that the code in hand is good, and nothing was sent.
var errNoMessage = errors.New("an earlier message")

type senderFunc func(ctx context.Context, m enrollment.Message) error

func (f senderFunc) Send(ctx context.Context, m enrollment.Message) error { return f(ctx, m) }

// TestCase40_FloodingForDays: five in a day, whatever is done in between.
func TestCase40_FloodingForDays(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	p := bind(t, u)
	m := messages(k, p)
	before := p.Len()
	sent := 0
	for range 3 * 24 * 6 { // every ten minutes for three days
		_, err := m.Send(t.Context(), enrollment.PurposeSignIn, u.Challenge())
		if proving.ReasonOf(err) == "" {
			sent++
		} else {
			proving.Want(t, err, enrollment.ReasonTooManyMessages)
		}
		k.Pass(10 * time.Minute)
	}
	if n := p.Len() - before; n != 15 || sent != 15 {
		t.Errorf("%d messages in three days, %d successes", n, sent)
	}
}
