package faults

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// What administrators do, and resets that users ask for, run while something
// fails.

func adminOperations() []operation {
	type (
		S = *states.State
		G = *enrollment.Guard
		C = context.Context
	)
	admin := func(g G) enrollment.Admin { return g.Admin("root", "asked by telephone") }
	reset := func(ticket bool) doing {
		return func(ctx C, s S, g G) (result, error) {
			code, err := admin(g).Reset(ctx, states.User, enrollment.ResetOptions{Ticket: ticket})
			if (err == nil && ticket) != (code.Reveal() != "") {
				err = errors.New("an error that comes with a result")
			}
			return result{token: code.Reveal()}, err
		}
	}
	approve := func(ticket bool) doing {
		return func(ctx C, s S, g G) (result, error) {
			code, err := admin(g).ApproveReset(ctx, states.User, enrollment.ResetOptions{Ticket: ticket})
			if (err == nil && ticket) != (code.Reveal() != "") {
				err = errors.New("an error that comes with a result")
			}
			return result{token: code.Reveal()}, err
		}
	}
	run := func(do func(ctx C, s S, x enrollment.Admin) error) doing {
		return func(ctx C, s S, g G) (result, error) { return result{}, do(ctx, s, admin(g)) }
	}
	refuse := run(func(ctx C, _ S, x enrollment.Admin) error { return x.RefuseReset(ctx, states.User) })
	unlock := run(func(ctx C, _ S, x enrollment.Admin) error { return x.Unlock(ctx, states.User) })
	bypass := func(d time.Duration) doing {
		return run(func(ctx C, s S, x enrollment.Admin) error { return x.Bypass(ctx, states.User, s.Now().Add(d)) })
	}
	take := func(codes []string, slowly, again bool) doing {
		return run(func(ctx C, s S, x enrollment.Admin) error {
			to := *s
			to.System = codes
			im := to.Imported(slowly)
			im.Again = again
			return x.Import(ctx, states.User, im)
		})
	}
	request := func(challenge func(s S) enrollment.Challenge) doing {
		return func(ctx C, s S, g G) (result, error) {
			asked, err := g.ResetRequests().Open(ctx, challenge(s))
			if (err == nil) != !asked.Matures.IsZero() {
				err = errors.New("an error that comes with a result")
			}
			return result{}, err
		}
	}
	cancel := func(ctx C, _ S, g G) (result, error) { return result{}, g.ResetRequests().Cancel(ctx, states.User) }
	challenge := func(s S) enrollment.Challenge { return s.Challenge }
	spent := func(s S) enrollment.Challenge { return s.Spent }

	// ticketed: a setup needs the ticket that was returned.
	ticketed := func(ctx C, s S, g G, out *result) error {
		if _, err := begin(func(S) enrollment.Ticket { return enrollment.Ticket{} })(ctx, s, g); proving.ReasonOf(err) != enrollment.ReasonTicketRequired {
			return fmt.Errorf("beginning without the ticket: %w", err)
		}
		if out == nil {
			return nil
		}
		setup, err := begin(func(S) enrollment.Ticket { return enrollment.TicketOf(strings.ToLower(out.token)) })(ctx, s, g)
		if err != nil {
			return fmt.Errorf("beginning with the ticket: %w", err)
		}
		return confirms(ctx, s, g, &setup)
	}
	open := func(want bool) holds {
		return is(func(s S, status enrollment.Status) bool { return (status.Reset != nil) == want })
	}
	off := leadsTo(store.Disabled, 0)
	bypassed := func(ctx C, s S, g G, _ *result) error {
		d, err := g.SignIn(ctx, states.User, enrollment.SignInOptions{Require: true})
		if err != nil || d.Next != enrollment.Proceed || d.Waived != enrollment.FactorBypass {
			return fmt.Errorf("SignIn says %v: %w", d.Next, err)
		}
		return nil
	}
	right := func(code func(s S) string) holds {
		return func(ctx C, s S, g G, _ *result) error {
			_, err := g.Verify(ctx, states.User, "x", code(s))
			return err
		}
	}
	system := []string{"aaaa-bbbb", "cccc-dddd"}

	return []operation{
		{name: "Reset", state: "confirmed", run: reset(false), writes: true, once: true, held: off},
		{name: "Reset with ticket", state: "confirmed", run: reset(true), writes: true, held: all(off, ticketed)},
		{name: "Reset with ticket for nobody", state: "none", run: reset(true), writes: true, held: ticketed},
		{name: "Reset with another ticket", state: "ticketed", run: reset(true), writes: true, held: all(ticketed, func(ctx C, s S, g G, out *result) error {
			if out != nil {
				return nil // it is set up by now
			}
			_, err := begin(func(s S) enrollment.Ticket { return s.Ticket })(ctx, s, g)
			return expect(err, enrollment.ReasonTicketInvalid)
		})},
		{name: "Reset of nothing", state: "disabled", run: reset(false), want: enrollment.ReasonNotEnrolled},
		{name: "Request reset", state: "asking", notify: true, run: request(challenge), writes: true, told: true, held: open(true)},
		{name: "Request reset again", state: "asked", notify: true, run: request(challenge), held: open(true)},
		{name: "Request reset for spent challenge", state: "asking", notify: true, run: request(spent), want: enrollment.ReasonChallengeSpent},
		{name: "Cancel reset", state: "asked", notify: true, run: cancel, writes: true, once: true, held: open(false)},
		{name: "Cancel reset of nobody", state: "asking", notify: true, run: cancel, want: enrollment.ReasonNoReset},
		{name: "Verify while reset is open", state: "asked", run: verify(S.Right), writes: true, once: true, held: open(false)},
		{name: "ApproveReset", state: "matured", run: approve(false), writes: true, once: true, held: all(off, open(false))},
		{name: "ApproveReset with ticket", state: "matured", run: approve(true), writes: true, once: true, quiet: true, held: all(off, ticketed)},
		{name: "ApproveReset too early", state: "asked", run: approve(true), want: enrollment.ReasonResetWaiting},
		{name: "ApproveReset of nothing", state: "confirmed", run: approve(false), want: enrollment.ReasonNoReset},
		{name: "RefuseReset", state: "matured", run: refuse, writes: true, once: true, held: all(open(false), leadsTo(store.Confirmed, 2))},
		{name: "Unlock", state: "locked out", run: unlock, writes: true, told: true, held: right(S.Right)},
		{name: "Bypass", state: "confirmed", run: bypass(time.Hour), writes: true, told: true, held: bypassed},
		{name: "Bypass for nobody", state: "none", run: bypass(time.Hour), writes: true, held: bypassed},
		{name: "Bypass too long", state: "confirmed", run: bypass(25 * time.Hour), want: enrollment.ReasonInvalidBypass},
		{name: "Import", state: "none", run: take(system, false, false), writes: true, once: true, held: all(
			leadsTo(store.Confirmed, 1), used(S.Right, enrollment.ReasonReplayed), used(S.Next, enrollment.ReasonReplayed), right(func(S) string { return system[0] }))},
		{name: "Import slow codes", state: "disabled", run: take(system, true, true), writes: true, once: true, held: leadsTo(store.Confirmed, 1)},
		{name: "Import over", state: "confirmed", run: take(system, false, true), want: enrollment.ReasonAlreadyEnrolled},
		{name: "Import once more", state: "disabled", run: take(system, false, false), want: enrollment.ReasonWasEnrolled},
		{name: "Import instead of the ticket", state: "ticketed", run: take(system, false, false), want: enrollment.ReasonWasEnrolled},
		{name: "Export", state: "confirmed", writes: true, told: true, run: func(ctx C, s S, g G) (result, error) {
			x, err := admin(g).Export(ctx, states.User)
			list := x.Reveal()
			if (err == nil) != (len(list) == 2) {
				err = fmt.Errorf("%d authenticators with %w", len(list), err)
			}
			return result{}, err
		}, held: is(func(_ S, status enrollment.Status) bool { return status.History[0].Kind == enrollment.EventExported })},
		{name: "Export nothing", state: "pending", want: enrollment.ReasonNotEnrolled, run: func(ctx C, _ S, g G) (result, error) {
			_, err := admin(g).Export(ctx, states.User)
			return result{}, err
		}},
	}
}

// Erasing takes two writes. Between them, and whichever fails, the account is
// whole; after nil it is gone.
func TestFaultsOfErase(t *testing.T, open proving.Open) { faultsOfErase(t, open, proving.Every) }

func faultsOfErase(t *testing.T, open proving.Open, some proving.Share) {
	if fips.Enforced() {
		t.Skip("the state is for SHA-1")
	}
	open = proving.Emptied(t, open)
	op := &operation{name: "Erase", run: func(ctx context.Context, _ *states.State, g *enrollment.Guard) (result, error) {
		return result{}, g.Admin("root", "the user is gone").Erase(ctx, states.User)
	}}
	before := func(do func(ctx context.Context, r *rig, c *proving.Call)) func(r *rig) {
		return func(r *rig) {
			r.Store.Before(proving.Erase, func(ctx context.Context, c *proving.Call) { do(ctx, r, c) })
		}
	}
	for _, name := range []string{"confirmed", "asked", "ticketed", "pending"} {
		s := states.New(t, name, recovery.Fast)
		erases := map[string]func(r *rig){
			"works":           func(*rig) {},
			"fails":           func(r *rig) { r.Store.Fail(proving.Erase, errFault) },
			"loses its reply": func(r *rig) { r.Store.After(proving.Erase, proving.Fails(errFault)) },
			"comes after somebody's write": before(func(_ context.Context, r *rig, _ *proving.Call) {
				r.somebodyElse()
			}),
			"comes after somebody's Erase": before(func(ctx context.Context, r *rig, c *proving.Call) {
				_, c.Err = op.run(ctx, r.State, r.healthy)
			}),
			"has a deadline": before(func(ctx context.Context, r *rig, _ *proving.Call) {
				if _, ok := ctx.Deadline(); !ok {
					r.t.Error("Erase without a deadline could hang for ever")
				}
			}),
			"comes when the caller has hung up": before(func(ctx context.Context, r *rig, c *proving.Call) {
				r.cancel()
				c.Err = ctx.Err()
			}),
		}
		every := append(modes(), mode{name: "nothing"})
		for how, erase := range erases {
			t.Run(name+", Erase "+how, func(t *testing.T) {
				t.Parallel()
				proving.InBubble(t, open, func(t *testing.T, open proving.Open) {
					for i := range every {
						m := &every[i]
						if !some.Has(t.Name(), m.name) {
							continue
						}
						if how != "works" && m.on != "" && m.on != proving.Save {
							continue // the two are apart
						}
						for at := 1; at <= 4; at++ {
							eraseOnce(t, newRig(t, open, s, op, m, at), how, erase)
						}
					}
				})
			})
		}
	}
}

// eraseOnce erases once and judges what came of it.
func eraseOnce(t *testing.T, r *rig, how string, bend func(r *rig)) {
	t.Helper()
	r.where += ", Erase " + how
	told := 0
	var seen []enrollment.Observation
	r.healthy = r.NodeOver(r.Store.Straight, r.Keys, func(c *enrollment.Config) {
		c.Notify = states.Taken // the others have to hear of it, too
	})
	g := r.NodeOver(r.Store, r.keys, func(c *enrollment.Config) {
		c.Notify = func(_ context.Context, e enrollment.Event) error {
			if e.Kind == enrollment.EventErased {
				told++
			}
			return nil
		}
		c.Observe = func(o enrollment.Observation) {
			if o.Operation != "" {
				seen = append(seen, o)
			}
		}
	})
	bend(r)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	r.cancel = cancel
	_, err := r.op.run(ctx, r.State, g)
	left := r.record()
	switch {
	case err == nil && left.Version != 0:
		t.Errorf("%s: nil, and it is still there", r.where)
	case err != nil && left.Version == 0 && how != "loses its reply" && !r.rivalOK:
		t.Errorf("%s: %v, and it is gone", r.where, err)
	case err == nil && told == 0 && r.mode.isError != enrollment.ErrCorrupt && r.mode.legal != legalRival:
		t.Errorf("%s: nobody was told", r.where)
	case err != nil && r.mode.on == "" && how != "fails" && how != "loses its reply":
		t.Errorf("%s: %v", r.where, err)
	}
	want := "ok"
	if errors.Is(err, enrollment.ErrBusy) {
		want = "busy"
	} else if err != nil {
		want = "error"
	}
	if len(seen) != 1 || seen[0].Operation != "erase" || seen[0].Outcome != want {
		t.Errorf("%s: observed %+v with %v", r.where, seen, err)
	}
	if left.Version != 0 {
		if _, err := r.healthy.Status(t.Context(), states.User); err != nil {
			t.Errorf("%s: what is left: %v", r.where, err)
		}
	}
	if _, err := r.op.run(t.Context(), r.State, r.healthy); err != nil || r.record().Version != 0 {
		t.Errorf("%s: once more: %v", r.where, err)
	}
}
