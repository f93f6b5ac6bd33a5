package faults

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// The operations of Messages, run while something fails. A rig checks for each
// that a message is sent once if it was counted, and not at all if not.

func messageOperations() []operation {
	type (
		S = *states.State
		G = *enrollment.Guard
		C = context.Context
	)
	send := func(challenge func(s S) enrollment.Challenge) doing {
		return func(ctx C, s S, g G) (result, error) {
			box, ctx := states.BoxOf(ctx)
			d, err := g.Messages().Send(ctx, enrollment.PurposeSignIn, challenge(s))
			if (err == nil) != !d.Challenge.IsZero() {
				err = errors.New("an error that comes with a result")
			}
			return result{token: d.Challenge.Reveal(), code: box.Last(), earlier: d.Earlier}, err
		}
	}
	bind := func(p func(s S) enrollment.Proof) doing {
		return func(ctx C, s S, g G) (result, error) {
			box, ctx := states.BoxOf(ctx)
			b, err := g.Messages().Bind(ctx, states.User, enrollment.BindOptions{Channel: "email", To: "a@example.com", Ticket: s.Ticket, Proof: p(s)})
			if (err == nil) != !b.Token.IsZero() {
				err = errors.New("an error that comes with a result")
			}
			return result{token: b.Token.Reveal(), code: box.Last()}, err
		}
	}
	confirm := func(code func(s S) string) doing {
		return func(ctx C, s S, g G) (result, error) {
			done, err := g.Messages().Confirm(ctx, states.User, s.Binding, code(s))
			if err != nil && (done.Codes.Len() > 0 || !reflect.DeepEqual(done.Success, enrollment.Success{})) {
				err = errors.New("an error that comes with a result")
			}
			return result{codes: done.Codes.Reveal(), receipt: done.Success.Receipt}, err
		}
	}
	unbind := func(p func(s S) enrollment.Proof) doing {
		return func(ctx C, s S, g G) (result, error) {
			return result{}, g.Messages().Unbind(ctx, states.User, p(s))
		}
	}
	challenge := func(s S) enrollment.Challenge { return s.Challenge }
	spent := func(s S) enrollment.Challenge { return s.Spent }
	sent := func(s S) enrollment.Challenge { return s.Sent }
	message := func(s S) string { return s.Message }
	byReauth := func(S) enrollment.Proof { return enrollment.ByReauth("password") }
	byNothing := func(S) enrollment.Proof { return enrollment.Proof{} }
	byCode := func(s S) enrollment.Proof { return enrollment.ByCode(s.Right()) }
	byWrong := func(s S) enrollment.Proof { return enrollment.ByCode(s.Wrong()) }
	byReceipt := func(s S) enrollment.Proof { return enrollment.ByReceipt(s.Receipt) }
	address := func(channel string) holds {
		return is(func(s S, status enrollment.Status) bool {
			if channel == "" {
				return status.Address == nil
			}
			return status.Address != nil && status.Address.Channel == channel
		})
	}
	// counted: no other message is sent, and the code that was sent is right.
	counted := func(ctx C, s S, g G, out *result) error {
		again, err := send(challenge)(context.Background(), s, g)
		if err != nil || again.code != "" {
			return fmt.Errorf("another message was sent, or the one that was does not count: %w", err)
		}
		if out == nil {
			return nil
		}
		ok, err := g.Answer(ctx, enrollment.PurposeSignIn, enrollment.ChallengeOf(out.token), out.code)
		if err != nil || ok.Factor != enrollment.FactorDelivered {
			return fmt.Errorf("the code that was sent: %w", err)
		}
		return nil
	}
	// waits: the address becomes the account's with the code that was sent.
	waits := func(ctx C, s S, g G, out *result) error {
		if out == nil {
			return nil
		}
		done, err := g.Messages().Confirm(ctx, states.User, enrollment.SetupTokenOf(out.token), out.code)
		if err != nil || done.Success.Factor != enrollment.FactorDelivered {
			return fmt.Errorf("the code that was sent: %w", err)
		}
		return address("email")(ctx, s, g, out)
	}
	over := func(ctx C, s S, g G, _ *result) error {
		_, err := confirm(message)(ctx, s, g)
		return expect(err, enrollment.ReasonAlreadyConfirmed)
	}

	return []operation{
		{name: "Send", state: "addressed", run: send(challenge), writes: true, once: true, quiet: true, sends: true, held: counted},
		{name: "Send too soon", state: "sent", run: send(sent), want: enrollment.ReasonTooSoon},
		{name: "Send to nowhere", state: "confirmed", run: send(challenge), want: enrollment.ReasonNoAddress},
		{name: "Send for spent challenge", state: "addressed", run: send(spent), want: enrollment.ReasonChallengeSpent},
		{name: "Bind by code", state: "confirmed", run: bind(byCode), writes: true, once: true, quiet: true, sends: true, held: all(waits, used(func(s S) string { return s.Right() }, enrollment.ReasonReplayed))},
		{name: "Bind by receipt", state: "addressed", run: bind(byReceipt), writes: true, once: true, quiet: true, sends: true, held: waits},
		{name: "Bind alone", state: "none", run: bind(byReauth), writes: true, once: true, quiet: true, sends: true, held: waits},
		{name: "Bind with ticket", state: "ticketed", run: bind(byReauth), writes: true, once: true, quiet: true, sends: true, held: waits},
		{name: "Bind by wrong code", state: "confirmed", run: bind(byWrong), want: enrollment.ReasonWrongCode, writes: true, counts: "totp"},
		{name: "Bind without proof", state: "confirmed", run: bind(byNothing), want: enrollment.ReasonProofRequired},
		{name: "Bind too soon", state: "sent", run: bind(byReceipt), want: enrollment.ReasonTooSoon},
		{name: "Confirm address", state: "binding", run: confirm(message), writes: true, once: true, held: all(over, address("sms"))},
		{name: "Confirm address alone", state: "alone", run: confirm(message), writes: true, once: true, held: all(
			over, address("email"), leadsTo(store.Confirmed, 0), func(ctx C, _ S, g G, out *result) error {
				if out != nil && len(out.codes) != recovery.MinCount {
					return fmt.Errorf("%d codes", len(out.codes))
				}
				return codesWork(ctx, g, out)
			})},
		{name: "Confirm address with wrong code", state: "binding", run: confirm(S.WrongMessage), want: enrollment.ReasonWrongCode, writes: true, counts: "address"},
		{name: "Confirm address alone with wrong code", state: "alone", run: confirm(S.WrongMessage), want: enrollment.ReasonWrongCode, writes: true, counts: "address"},
		{name: "Unbind by code", state: "addressed", run: unbind(byCode), writes: true, once: true, held: all(address(""), used(S.Right, enrollment.ReasonReplayed))},
		{name: "Unbind by wrong code", state: "addressed", run: unbind(byWrong), want: enrollment.ReasonWrongCode, writes: true, counts: "totp"},
		{name: "Unbind nothing", state: "confirmed", run: unbind(byReceipt), want: enrollment.ReasonNoAddress},
	}
}

// A brokenSender has its own idea of sending.
type brokenSender func(ctx context.Context, m enrollment.Message) error

func (f brokenSender) Send(ctx context.Context, m enrollment.Message) error { return f(ctx, m) }

// A message that could not be sent has been counted, and may have arrived.
func TestFaultsOfSender(t *testing.T, open proving.Open) {
	broken := map[string]brokenSender{
		"fails":  func(context.Context, enrollment.Message) error { return errFault },
		"panics": func(_ context.Context, m enrollment.Message) error { panic("no such number, code " + m.Code()) },
		"hangs":  func(ctx context.Context, _ enrollment.Message) error { <-ctx.Done(); return ctx.Err() },
	}
	pick := func(op *operation) bool { return op.sends }
	each(t, open, recovery.Fast, pick, func(t *testing.T, open proving.Open, s *states.State, op *operation) {
		for name, sender := range broken {
			var seen []enrollment.Observation
			r := newRig(t, open, s, op, nil, 0)
			tried := 0
			messages := r.NodeOver(r.Store, r.keys, func(c *enrollment.Config) {
				c.Observe = func(o enrollment.Observation) { seen = append(seen, o) }
				c.Sender = brokenSender(func(ctx context.Context, m enrollment.Message) error {
					tried++
					if r.landed != 1 {
						t.Errorf("%s, Sender %s: sent before it was counted", r.where, name)
					}
					return sender(ctx, m)
				})
			}).Messages()
			ctx, cancel := context.WithTimeout(t.Context(), 1)
			defer cancel()
			var err error
			if op.name == "Send" {
				var d enrollment.Delivery
				d, err = messages.Send(ctx, enrollment.PurposeSignIn, s.Challenge)
				if !reflect.DeepEqual(d, enrollment.Delivery{}) {
					t.Errorf("%s, Sender %s: %+v", r.where, name, d)
				}
			} else {
				p := enrollment.ByReauth("password")
				if s.Enrolled() {
					p = enrollment.ByReceipt(s.Receipt)
				}
				_, err = messages.Bind(ctx, states.User, enrollment.BindOptions{Channel: "email", To: "a@example.com", Ticket: s.Ticket, Proof: p})
			}
			if !errors.Is(err, enrollment.ErrNotSent) || proving.ReasonOf(err) != proving.Fault || tried != 1 || name == "fails" && !errors.Is(err, errFault) {
				t.Errorf("%s, Sender %s: %v after %d calls", r.where, name, err, tried)
			}
			if len(seen) != 1 || seen[0].Outcome != "error" {
				t.Errorf("%s, Sender %s: observed %+v", r.where, name, seen)
			}
			want := enrollment.ReasonTooSoon
			if op.name == "Send" { // the message may have arrived, and its code is good
				want = ""
			}
			_, err = op.run(t.Context(), s, r.healthy)
			if err := expect(err, want); err != nil {
				t.Errorf("%s, Sender %s: another: %v", r.where, name, err)
			}
		}
	})
}
