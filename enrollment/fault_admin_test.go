package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// What administrators do, and resets that users ask for, run while something
// fails.

func faultAdminOps() []faultOp {
	type (
		S = *faultState
		G = *enrollment.Guard
		C = context.Context
	)
	admin := func(g G) enrollment.Admin { return g.Admin("root", "asked by telephone") }
	reset := func(ticket bool) faultRun {
		return func(ctx C, s S, g G) (faultOut, error) {
			code, err := admin(g).Reset(ctx, faultUser, enrollment.ResetOptions{Ticket: ticket})
			if (err == nil && ticket) != (code.Reveal() != "") {
				err = errors.New("an error that comes with a result")
			}
			return faultOut{token: code.Reveal()}, err
		}
	}
	approve := func(ticket bool) faultRun {
		return func(ctx C, s S, g G) (faultOut, error) {
			code, err := admin(g).ApproveReset(ctx, faultUser, enrollment.ResetOptions{Ticket: ticket})
			if (err == nil && ticket) != (code.Reveal() != "") {
				err = errors.New("an error that comes with a result")
			}
			return faultOut{token: code.Reveal()}, err
		}
	}
	run := func(do func(ctx C, s S, x enrollment.Admin) error) faultRun {
		return func(ctx C, s S, g G) (faultOut, error) { return faultOut{}, do(ctx, s, admin(g)) }
	}
	refuse := run(func(ctx C, _ S, x enrollment.Admin) error { return x.RefuseReset(ctx, faultUser) })
	unlock := run(func(ctx C, _ S, x enrollment.Admin) error { return x.Unlock(ctx, faultUser) })
	bypass := func(d time.Duration) faultRun {
		return run(func(ctx C, s S, x enrollment.Admin) error { return x.Bypass(ctx, faultUser, s.now.Add(d)) })
	}
	take := func(codes []string, slowly, again bool) faultRun {
		return run(func(ctx C, s S, x enrollment.Admin) error {
			to := *s
			to.system = codes
			im := to.imported(slowly)
			im.Again = again
			return x.Import(ctx, faultUser, im)
		})
	}
	request := func(challenge func(s S) string) faultRun {
		return func(ctx C, s S, g G) (faultOut, error) {
			asked, err := faultResets(g).Open(ctx, challenge(s))
			if (err == nil) != !asked.Matures.IsZero() {
				err = errors.New("an error that comes with a result")
			}
			return faultOut{}, err
		}
	}
	cancel := func(ctx C, _ S, g G) (faultOut, error) { return faultOut{}, faultResets(g).Cancel(ctx, faultUser) }
	challenge := func(s S) string { return s.challenge }
	spent := func(s S) string { return s.spent }

	// ticketed: a setup needs the ticket that was returned.
	ticketed := func(ctx C, s S, g G, out *faultOut) error {
		begin := faultBegin(func(S) string { return "" })
		if _, err := begin(ctx, s, g); modelReason(err) != enrollment.ReasonTicketRequired {
			return fmt.Errorf("Begin without the ticket: %w", err)
		}
		if out == nil {
			return nil
		}
		setup, err := faultBegin(func(S) string { return strings.ToLower(out.token) })(ctx, s, g)
		if err != nil {
			return fmt.Errorf("Begin with the ticket: %w", err)
		}
		return faultSetup(ctx, s, g, &setup)
	}
	open := func(want bool) faultHeld {
		return faultIs(func(s S, status enrollment.Status) bool { return (status.Reset != nil) == want })
	}
	off := faultLeadsTo(store.Disabled, 0)
	bypassed := func(ctx C, s S, g G, _ *faultOut) error {
		d, err := g.SignIn(ctx, faultUser, enrollment.SignInOptions{Require: true})
		if err != nil || d.Next != enrollment.Proceed || d.Waived != enrollment.FactorBypass {
			return fmt.Errorf("SignIn says %v: %w", d.Next, err)
		}
		return nil
	}
	right := func(code func(s S) string) faultHeld {
		return func(ctx C, s S, g G, _ *faultOut) error {
			_, err := g.Verify(ctx, faultUser, "x", code(s))
			return err
		}
	}
	system := []string{"aaaa-bbbb", "cccc-dddd"}

	return []faultOp{
		{name: "Reset", state: "confirmed", run: reset(false), writes: true, once: true, held: off},
		{name: "Reset with ticket", state: "confirmed", run: reset(true), writes: true, held: faultAll(off, ticketed)},
		{name: "Reset with ticket for nobody", state: "none", run: reset(true), writes: true, held: ticketed},
		{name: "Reset with another ticket", state: "ticketed", run: reset(true), writes: true, held: faultAll(ticketed, func(ctx C, s S, g G, out *faultOut) error {
			if out != nil {
				return nil // it is set up by now
			}
			_, err := faultBegin(func(s S) string { return s.ticket })(ctx, s, g)
			return faultExpect(err, enrollment.ReasonTicketInvalid)
		})},
		{name: "Reset of nothing", state: "disabled", run: reset(false), want: enrollment.ReasonNotEnrolled},
		{name: "Request reset", state: "asking", notify: true, run: request(challenge), writes: true, told: true, held: open(true)},
		{name: "Request reset again", state: "asked", notify: true, run: request(challenge), held: open(true)},
		{name: "Request reset for spent challenge", state: "asking", notify: true, run: request(spent), want: enrollment.ReasonChallengeSpent},
		{name: "Cancel reset", state: "asked", notify: true, run: cancel, writes: true, once: true, held: open(false)},
		{name: "Cancel reset of nobody", state: "asking", notify: true, run: cancel, want: enrollment.ReasonNoReset},
		{name: "Verify while reset is open", state: "asked", run: faultVerify(S.code), writes: true, once: true, held: open(false)},
		{name: "ApproveReset", state: "matured", run: approve(false), writes: true, once: true, held: faultAll(off, open(false))},
		{name: "ApproveReset with ticket", state: "matured", run: approve(true), writes: true, once: true, quiet: true, held: faultAll(off, ticketed)},
		{name: "ApproveReset too early", state: "asked", run: approve(true), want: enrollment.ReasonResetWaiting},
		{name: "ApproveReset of nothing", state: "confirmed", run: approve(false), want: enrollment.ReasonNoReset},
		{name: "RefuseReset", state: "matured", run: refuse, writes: true, once: true, held: faultAll(open(false), faultLeadsTo(store.Confirmed, 2))},
		{name: "Unlock", state: "locked out", run: unlock, writes: true, told: true, held: right(S.code)},
		{name: "Bypass", state: "confirmed", run: bypass(time.Hour), writes: true, told: true, held: bypassed},
		{name: "Bypass for nobody", state: "none", run: bypass(time.Hour), writes: true, held: bypassed},
		{name: "Bypass too long", state: "confirmed", run: bypass(25 * time.Hour), want: enrollment.ReasonInvalidBypass},
		{name: "Import", state: "none", run: take(system, false, false), writes: true, once: true, held: faultAll(
			faultLeadsTo(store.Confirmed, 1), faultUsed(S.code, enrollment.ReasonReplayed), right(S.next), right(func(S) string { return system[0] }))},
		{name: "Import slow codes", state: "disabled", run: take(system, true, true), writes: true, once: true, held: faultLeadsTo(store.Confirmed, 1)},
		{name: "Import over", state: "confirmed", run: take(system, false, true), want: enrollment.ReasonAlreadyEnrolled},
		{name: "Import once more", state: "disabled", run: take(system, false, false), want: enrollment.ReasonWasEnrolled},
		{name: "Import instead of the ticket", state: "ticketed", run: take(system, false, false), want: enrollment.ReasonWasEnrolled},
		{name: "Export", state: "confirmed", writes: true, told: true, run: func(ctx C, s S, g G) (faultOut, error) {
			x, err := admin(g).Export(ctx, faultUser)
			list := x.Reveal()
			if (err == nil) != (len(list) == 2) {
				err = fmt.Errorf("%d authenticators with %w", len(list), err)
			}
			return faultOut{}, err
		}, held: faultIs(func(_ S, status enrollment.Status) bool { return status.History[0].Kind == enrollment.EventExported })},
		{name: "Export nothing", state: "pending", want: enrollment.ReasonNotEnrolled, run: func(ctx C, _ S, g G) (faultOut, error) {
			_, err := admin(g).Export(ctx, faultUser)
			return faultOut{}, err
		}},
	}
}

// A faultEraser is a store that fails when it forgets.
type faultEraser struct {
	*faultStore
	erase func(ctx context.Context, f *faultStore) error
}

func (f *faultEraser) Erase(ctx context.Context, user string) error {
	if f.erase != nil {
		return f.erase(ctx, f.faultStore)
	}
	return f.Store.Erase(ctx, user)
}

// Erasing takes two writes. Between them, and whichever fails, the account is
// whole; after nil it is gone.
func TestFaultsOfErase(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the state is for SHA-1")
	}
	op := &faultOp{name: "Erase", run: func(ctx context.Context, _ *faultState, g *enrollment.Guard) (faultOut, error) {
		return faultOut{}, g.Admin("root", "the user is gone").Erase(ctx, faultUser)
	}}
	for _, name := range []string{"confirmed", "asked", "ticketed", "pending"} {
		s := newFaultState(t, name, recovery.Fast)
		erases := map[string]func(ctx context.Context, f *faultStore) error{
			"works": nil,
			"fails": func(context.Context, *faultStore) error { return errFault },
			"loses its reply": func(ctx context.Context, f *faultStore) error {
				_ = f.Store.Erase(ctx, faultUser)
				return errFault
			},
			"comes after somebody's write": func(ctx context.Context, f *faultStore) error {
				f.somebodyElse()
				return f.Store.Erase(ctx, faultUser)
			},
			"comes after somebody's Erase": func(ctx context.Context, f *faultStore) error {
				if _, err := op.run(ctx, f.state, f.rival); err != nil {
					return err
				}
				return f.Store.Erase(ctx, faultUser)
			},
			"has a deadline": func(ctx context.Context, f *faultStore) error {
				if _, ok := ctx.Deadline(); !ok {
					f.t.Error("Erase without a deadline could hang for ever")
				}
				return f.Store.Erase(ctx, faultUser)
			},
			"comes when the caller has hung up": func(ctx context.Context, f *faultStore) error {
				f.cancel()
				if err := ctx.Err(); err != nil {
					return err
				}
				return f.Store.Erase(ctx, faultUser)
			},
		}
		modes := append(faultModes(), faultMode{name: "nothing"})
		for how, erase := range erases {
			t.Run(name+", Erase "+how, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					for i := range modes {
						m := &modes[i]
						if erase != nil && m.on != "" && m.on != "save" {
							continue // the two are apart
						}
						for at := 1; at <= 4; at++ {
							faultErase(t, newFaultRig(t, s, op, m, at), how, erase)
						}
					}
				})
			})
		}
	}
}

// faultErase erases once and judges what came of it.
func faultErase(t *testing.T, r *faultRig, how string, erase func(ctx context.Context, f *faultStore) error) {
	t.Helper()
	r.where += ", Erase " + how
	told := 0
	var seen []enrollment.Observation
	config := r.state.config()
	config.Notify = faultTaken // the others have to hear of it, too
	r.healthy = faultMust[*enrollment.Guard](t)(enrollment.New(r.store.Store, r.state.ring, config))
	r.store.rival = r.healthy
	config.Notify = func(_ context.Context, e enrollment.Event) error {
		if e.Kind == enrollment.EventErased {
			told++
		}
		return nil
	}
	config.Observe = func(o enrollment.Observation) {
		if o.Operation != "" {
			seen = append(seen, o)
		}
	}
	g := faultMust[*enrollment.Guard](t)(enrollment.New(&faultEraser{r.store, erase}, r.state.ring, config))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	r.store.cancel = cancel
	_, err := r.op.run(ctx, r.state, g)
	left := r.store.record()
	switch {
	case err == nil && left.Version != 0:
		t.Errorf("%s: nil, and it is still there", r.where)
	case err != nil && left.Version == 0 && how != "loses its reply":
		t.Errorf("%s: %v, and it is gone", r.where, err)
	case err == nil && told == 0 && r.store.mode.isError != enrollment.ErrCorrupt && r.store.mode.legal != faultRival:
		t.Errorf("%s: nobody was told", r.where)
	case err != nil && r.store.mode.on == "" && how != "fails" && how != "loses its reply":
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
		if _, err := r.healthy.Status(t.Context(), faultUser); err != nil {
			t.Errorf("%s: what is left: %v", r.where, err)
		}
	}
	if _, err := r.op.run(t.Context(), r.state, r.healthy); err != nil || r.store.record().Version != 0 {
		t.Errorf("%s: once more: %v", r.where, err)
	}
}
