package faults

import (
	"context"
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// A message that the gateway has refused for certain is taken back by a write of its
// own. Whatever fails there, the caller hears of the refusal, and the message is
// either counted or taken back, once.
func TestFaultsOfRefusals(t *testing.T, open proving.Open) {
	for name, c := range map[string]struct {
		fault func(k *proving.Kit, cancel context.CancelFunc)
		sent  int   // how many messages the day has left, of two
		with  error // what the error matches as well
	}{
		"nothing fails": {sent: 2},
		"the write fails": {sent: 1, with: errFault, fault: func(k *proving.Kit, _ context.CancelFunc) {
			k.Store.Nth(proving.Save, 2, proving.Fails(errFault))
		}},
		"the reply is lost": {sent: 2, fault: func(k *proving.Kit, _ context.CancelFunc) {
			k.Store.NthAfter(proving.Save, 2, func(_ context.Context, c *proving.Call) { c.Err = errors.Join(c.Err, errFault) })
		}},
		"the account can't be loaded": {sent: 1, with: errFault, fault: func(k *proving.Kit, _ context.CancelFunc) {
			k.Store.Nth(proving.Load, 2, proving.Fails(errFault))
		}},
		"somebody else writes": {sent: 2, fault: func(k *proving.Kit, _ context.CancelFunc) {
			k.Store.Nth(proving.Save, 2, func(ctx context.Context, c *proving.Call) {
				before := k.Record("alice").Version
				_, err := k.NodeOver(k.Store.Straight, k.Keys).Admin("root", "meanwhile").Export(ctx, "alice")
				k.Must(err)
				if k.Record("alice").Version == before {
					t.Error("nobody has written")
				}
			})
		}},
		"the caller hangs up": {sent: 2, fault: func(k *proving.Kit, cancel context.CancelFunc) {
			k.Store.Before(proving.Save, func(context.Context, *proving.Call) { cancel() })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := proving.Over(t, open(t), func(c *enrollment.Config) { c.MaxMessages = 2 })
			u := k.Enroll("alice")
			p := k.Post()
			p.Bound("alice", enrollment.ByCode(u.Code()))
			challenge := u.Challenge()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			p.Inbox.Fail = func(context.Context) error { return enrollment.ErrMessageRefused }
			if c.fault != nil {
				c.fault(k, cancel)
			}
			_, err := p.Send(ctx, enrollment.PurposeSignIn, challenge)
			if !errors.Is(err, enrollment.ErrNotSent) || !errors.Is(err, enrollment.ErrMessageRefused) || proving.ReasonOf(err) != proving.Fault {
				t.Errorf("the refusal is %v", err)
			}
			if errors.Is(err, errFault) != (c.with != nil) {
				t.Errorf("the fault in %v", err)
			}
			k.Store.Straighten()
			p.Inbox.Fail = nil
			sent := 0
			for range 4 {
				k.Pass(enrollment.MessagePause)
				d, err := p.Send(t.Context(), enrollment.PurposeSignIn, u.Challenge())
				if err != nil || d.Earlier {
					continue
				}
				sent++
				if _, err := k.Answer(d.Challenge, p.Inbox.Code()); err != nil {
					t.Errorf("the code that was sent: %v", err)
				}
			}
			if sent != c.sent {
				t.Errorf("%d more messages were sent, want %d", sent, c.sent)
			}
		})
	}
}
