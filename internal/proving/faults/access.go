package faults

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// The operations around signing in without a code, and around what is right
// besides an app's code, run while something fails.

type (
	doing func(ctx context.Context, s *states.State, g *enrollment.Guard) (result, error)
	holds func(ctx context.Context, s *states.State, g *enrollment.Guard, out *result) error
)

// all holds if all of them do.
func all(held ...holds) holds {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard, out *result) error {
		for _, h := range held {
			if err := h(ctx, s, g, out); err != nil {
				return err
			}
		}
		return nil
	}
}

// is holds if Status says so.
func is(ok func(s *states.State, status enrollment.Status) bool) holds {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard, _ *result) error {
		status, text := statusOf(ctx, g)
		if !ok(s, status) {
			return errors.New(text)
		}
		return nil
	}
}

// used holds if the code is refused for that reason.
func used(code func(s *states.State) string, reason enrollment.Reason) holds {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard, _ *result) error {
		_, err := g.Verify(ctx, states.User, "x", code(s))
		return expect(err, reason)
	}
}

// waived runs a sign-in for which no code is asked.
func waived(l func(s *states.State) enrollment.SignInOptions, by enrollment.Factor) doing {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard) (result, error) {
		d, err := g.SignIn(ctx, states.User, l(s))
		if err == nil && by == "" && d.Next == enrollment.AskCode {
			// By an old record the account has a factor. That grants nothing.
			return result{}, &enrollment.Denied{Reason: enrollment.ReasonProofRequired}
		}
		want := enrollment.Proceed
		if err != nil {
			want = enrollment.Refuse
		} else if d.Waived != by {
			err = fmt.Errorf("%q replaced the code", d.Waived)
		}
		if d.Next != want || !d.Challenge.IsZero() {
			err = fmt.Errorf("SignIn says %v with %w", d.Next, err)
		}
		return result{}, err
	}
}

// signsIn holds if the last sign-in was that one.
func signsIn(by enrollment.Factor) holds {
	return is(func(s *states.State, status enrollment.Status) bool {
		return status.LastFactor == by && status.LastSignIn.Equal(s.Now())
	})
}

// verify runs Verify, and what comes of a code that is replaced at once.
func verify(code func(s *states.State) string) doing {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard) (result, error) {
		ok, err := g.Verify(ctx, states.User, "x", code(s))
		return success(ok, err)
	}
}

func answer(challenge func(s *states.State) enrollment.Challenge, code func(s *states.State) string) doing {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard) (result, error) {
		ok, err := g.Answer(ctx, enrollment.PurposeSignIn, challenge(s), code(s))
		return success(ok, err)
	}
}

func success(ok enrollment.Success, err error) (result, error) {
	if err != nil {
		if !reflect.DeepEqual(ok, enrollment.Success{}) {
			err = errors.New("an error that comes with a result")
		}
		return result{}, err
	}
	out := result{receipt: ok.Receipt}
	if !ok.NewCode.IsZero() {
		out.codes = []string{ok.NewCode.Reveal()}
	}
	return out, nil
}

// replaced holds if the code is void, and the one that came for it is
// right.
func replaced(ctx context.Context, s *states.State, g *enrollment.Guard, out *result) error {
	status, text := statusOf(ctx, g)
	if status.CodesLeft != recovery.MinCount {
		return errors.New(text)
	}
	_, err := g.Verify(ctx, states.User, "x", s.Codes[1])
	if err := expect(err, enrollment.ReasonWrongCode); err != nil || out == nil {
		return err
	}
	if len(out.codes) != 1 {
		return fmt.Errorf("%d new codes", len(out.codes))
	}
	ok, err := g.Verify(ctx, states.User, "x", out.codes[0])
	if err != nil || ok.NewCode.IsZero() {
		return fmt.Errorf("the new code: %w", err)
	}
	codes, err := g.RecoveryCodes(ctx, states.User, enrollment.ByCode(s.Right()))
	if err != nil || !slices.Contains(codes.Reveal(), ok.NewCode.Reveal()) {
		return fmt.Errorf("the codes that are kept: %w", err)
	}
	return nil
}

// shown holds if the codes that were shown are the unspent ones.
func shown(ctx context.Context, s *states.State, g *enrollment.Guard, out *result) error {
	status, text := statusOf(ctx, g)
	if status.History[0].Kind != enrollment.EventCodesShown {
		return errors.New(text)
	}
	if out != nil && !slices.Equal(out.codes, s.Codes[1:]) {
		return fmt.Errorf("%d codes were shown", len(out.codes))
	}
	return nil
}

// confirms holds if the setup can be resumed and confirmed, and the codes that
// it has shown become valid with it.
func confirms(ctx context.Context, s *states.State, g *enrollment.Guard, out *result) error {
	if out == nil {
		return nil
	}
	setup, err := g.Resume(ctx, states.User, enrollment.SetupTokenOf(out.token))
	if err != nil || setup.URI() != out.uri || !slices.Equal(setup.Codes().Reveal(), out.codes) {
		return fmt.Errorf("resuming: %w", err)
	}
	key, _, err := totp.ParseURI(out.uri)
	if err != nil {
		return err
	}
	done, err := g.Confirm(ctx, states.User, enrollment.SetupTokenOf(out.token), s.Code(key))
	if err != nil || len(out.codes) > 0 && !slices.Equal(done.Codes.Reveal(), out.codes) {
		return fmt.Errorf("confirming: %w", err)
	}
	return codesWork(ctx, g, &result{codes: done.Codes.Reveal()})
}

func begin(ticket func(s *states.State) enrollment.Ticket) doing {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard) (result, error) {
		setup, err := g.Begin(ctx, states.User, enrollment.BeginOptions{Account: "a", Ticket: ticket(s), Proof: enrollment.ByReauth("password")})
		if err != nil && (!setup.Token.IsZero() || setup.URI() != "" || setup.Codes().Len() > 0) {
			err = errors.New("an error that comes with a result")
		}
		return result{token: setup.Token.Reveal(), uri: setup.URI(), codes: setup.Codes().Reveal()}, err
	}
}

// trusts holds if there are that many trusted devices, of which the one that
// was returned signs in.
func trusts(ctx context.Context, _ *states.State, g *enrollment.Guard, out *result) error {
	list, err := g.Devices().List(ctx, states.User)
	if err != nil || len(list) == 0 {
		return fmt.Errorf("%d devices: %w", len(list), err)
	}
	if out == nil {
		return nil
	}
	d, err := g.SignIn(ctx, states.User, enrollment.SignInOptions{Device: enrollment.DeviceTokenOf(out.token)})
	if err != nil || d.Waived != enrollment.FactorTrustedDevice {
		return fmt.Errorf("SignIn says %v: %w", d.Next, err)
	}
	return nil
}

// revoked holds if the device has to give a code, and that many are left.
func revoked(left int) holds {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard, _ *result) error {
		list, err := g.Devices().List(ctx, states.User)
		if err != nil || len(list) != left {
			return fmt.Errorf("%d devices: %w", len(list), err)
		}
		d, err := g.SignIn(ctx, states.User, enrollment.SignInOptions{Device: s.Device.Token})
		if err != nil || d.Next != enrollment.AskCode {
			return fmt.Errorf("SignIn says %v: %w", d.Next, err)
		}
		return nil
	}
}

func accessOperations() []operation {
	type (
		S = *states.State
		G = *enrollment.Guard
		C = context.Context
	)
	device := func(s S) enrollment.SignInOptions { return enrollment.SignInOptions{Device: s.Device.Token} }
	login := func(S) enrollment.SignInOptions { return enrollment.SignInOptions{} }
	require := func(S) enrollment.SignInOptions { return enrollment.SignInOptions{Require: true} }
	challenge := func(s S) enrollment.Challenge { return s.Challenge }
	sent := func(s S) enrollment.Challenge { return s.Sent }
	message := func(s S) string { return s.Message }
	recoveryCode := func(s S) string { return s.Codes[1] }
	system := func(i int) func(s S) string { return func(s S) string { return s.System[i] } }
	otherCase := func(s S) string { return strings.ToUpper(s.System[1]) }
	unknown := func(S) string { return "none-of-them" }
	none := func(S) enrollment.Ticket { return enrollment.Ticket{} }
	ticket := func(s S) enrollment.Ticket { return s.Ticket }
	invalid := func(S) enrollment.Ticket { return enrollment.TicketOf(states.UnknownTicket) }
	trust := func(receipt func(s S) enrollment.Receipt) doing {
		return func(ctx C, s S, g G) (result, error) {
			d, err := g.Devices().Trust(ctx, states.User, receipt(s), "browser")
			if (err == nil) != !d.Token.IsZero() {
				err = errors.New("an error that comes with a result")
			}
			return result{token: d.Token.Reveal()}, err
		}
	}
	codes := func(p func(s S) enrollment.Proof) doing {
		return func(ctx C, s S, g G) (result, error) {
			codes, err := g.RecoveryCodes(ctx, states.User, p(s))
			if (err == nil) != (codes.Len() > 0) {
				err = errors.New("an error that comes with a result")
			}
			return result{codes: codes.Reveal()}, err
		}
	}
	byCode := func(s S) enrollment.Proof { return enrollment.ByCode(s.Right()) }
	byReceipt := func(s S) enrollment.Proof { return enrollment.ByReceipt(s.Receipt) }
	byWrong := func(s S) enrollment.Proof { return enrollment.ByCode(s.Wrong()) }
	byRecovery := func(s S) enrollment.Proof { return enrollment.ByCode(s.Codes[1]) }

	return []operation{
		{name: "SignIn by device", state: "trusted", run: waived(device, enrollment.FactorTrustedDevice), writes: true, held: signsIn(enrollment.FactorTrustedDevice)},
		{name: "SignIn by bypass", state: "bypassed", run: waived(login, enrollment.FactorBypass), writes: true, held: signsIn(enrollment.FactorBypass)},
		{name: "SignIn by bypass without", state: "exempt", run: waived(require, enrollment.FactorBypass), writes: true, held: signsIn(enrollment.FactorBypass)},
		{name: "SignIn without a factor", state: "disabled", run: waived(login, ""), writes: true, unseen: true, held: signsIn("")},
		{name: "Trust", state: "confirmed", run: trust(func(s S) enrollment.Receipt { return s.Receipt }), writes: true, told: true, held: trusts},
		{name: "Trust by nothing", state: "confirmed", run: trust(func(S) enrollment.Receipt { return enrollment.Receipt{} }), want: enrollment.ReasonProofInvalid, form: true},
		{name: "Devices", state: "trusted", reads: true, run: func(ctx C, _ S, g G) (result, error) {
			list, err := g.Devices().List(ctx, states.User)
			if (err == nil) != (len(list) == 2) {
				err = fmt.Errorf("%d devices with %w", len(list), err)
			}
			return result{}, err
		}},
		{name: "Revoke", state: "trusted", writes: true, once: true, held: revoked(1), run: func(ctx C, s S, g G) (result, error) {
			return result{}, g.Devices().Revoke(ctx, states.User, s.Device.Device.ID)
		}},
		{name: "Rename", state: "confirmed", writes: true, told: true, held: is(func(s S, status enrollment.Status) bool {
			i := slices.IndexFunc(status.Authenticators, func(x enrollment.Authenticator) bool { return x.ID == s.SecondID })
			return status.Authenticators[i].Name == "work phone"
		}), run: func(ctx C, s S, g G) (result, error) {
			return result{}, g.Rename(ctx, states.User, s.SecondID, "work phone")
		}},
		{name: "Rename device", state: "trusted", writes: true, told: true, held: is(func(_ S, status enrollment.Status) bool {
			return status.Devices == 2
		}), run: func(ctx C, s S, g G) (result, error) {
			return result{}, g.Devices().Rename(ctx, states.User, s.Device.Device.ID, "home")
		}},
		{name: "Revoke unknown", state: "trusted", want: enrollment.ReasonUnknownDevice, run: func(ctx C, _ S, g G) (result, error) {
			return result{}, g.Devices().Revoke(ctx, states.User, "0000000000000001")
		}},
		{name: "RevokeAll", state: "trusted", writes: true, told: true, held: revoked(0), run: func(ctx C, _ S, g G) (result, error) {
			return result{}, g.Devices().RevokeAll(ctx, states.User)
		}},
		{name: "Recent", state: "confirmed", reads: true, run: func(ctx C, s S, g G) (result, error) {
			ok, err := g.RecentlyVerified(ctx, states.User, enrollment.PurposeSignIn, s.Receipt, time.Minute)
			if (err == nil) != (ok.UserID == states.User) {
				err = fmt.Errorf("a Success for %q with %w", ok.UserID, err)
			}
			return result{}, err
		}},

		{name: "Codes by code", state: "kept", run: codes(byCode), writes: true, once: true, held: all(shown, used(S.Right, enrollment.ReasonReplayed))},
		{name: "Codes by receipt", state: "kept", run: codes(byReceipt), writes: true, told: true, held: shown},
		{name: "Codes by wrong code", state: "kept", run: codes(byWrong), want: enrollment.ReasonWrongCode, writes: true, counts: "totp"},
		{name: "Codes by recovery code", state: "kept", run: codes(byRecovery), want: enrollment.ReasonProofNotAllowed},
		{name: "Codes that are not kept", state: "confirmed", run: codes(byCode), want: enrollment.ReasonCodesNotKept},
		{name: "Answer with code that is replaced", state: "replenished", run: answer(challenge, recoveryCode), writes: true, once: true, held: replaced},
		{name: "Verify with code that is replaced", state: "replenished", run: verify(recoveryCode), writes: true, once: true, held: replaced},
		{name: "Begin by code that is not replaced", state: "replenished", writes: true, once: true, run: func(ctx C, s S, g G) (result, error) {
			_, err := g.Begin(ctx, states.User, enrollment.BeginOptions{Account: "a", Proof: byRecovery(s)})
			return result{}, err
		}, held: all(used(recoveryCode, enrollment.ReasonReplayed), is(func(_ S, status enrollment.Status) bool {
			return status.CodesLeft == recovery.MinCount-1 // nobody was shown another
		}))},

		{name: "Verify with code of another system", state: "imported", run: verify(system(1)), writes: true, once: true, held: used(system(1), enrollment.ReasonReplayed)},
		{name: "Verify with code of another system in capitals", state: "imported", run: verify(otherCase), writes: true, once: true, held: used(system(1), enrollment.ReasonReplayed)},
		{name: "Answer with code of another system", state: "imported", run: answer(challenge, system(1)), writes: true, once: true, held: used(system(1), enrollment.ReasonReplayed)},
		{name: "Answer with slow code of another system", state: "imported slowly", run: answer(challenge, system(2)), writes: true, once: true, held: used(system(2), enrollment.ReasonReplayed)},
		{name: "Verify with unknown code of another system", state: "imported", run: verify(unknown), want: enrollment.ReasonWrongCode, writes: true, counts: "recovery"},
		{name: "Verify with spent code of another system", state: "imported", run: verify(system(0)), want: enrollment.ReasonReplayed, writes: true, counts: "recovery"},

		{name: "Answer with delivered code", state: "sent", run: answer(sent, message), writes: true, once: true, quiet: true, held: func(ctx C, s S, g G, _ *result) error {
			for _, c := range []enrollment.Challenge{s.Sent, s.Challenge} {
				_, err := g.Answer(ctx, enrollment.PurposeSignIn, c, s.Next())
				if err := expect(err, enrollment.ReasonChallengeSpent); err != nil {
					return err
				}
			}
			return nil
		}},
		{name: "Answer message with recovery code", state: "sent", run: answer(sent, recoveryCode), writes: true, once: true, held: used(recoveryCode, enrollment.ReasonReplayed)},
		{name: "Answer with code that was not delivered", state: "sent", run: answer(sent, S.WrongMessage), want: enrollment.ReasonWrongCode, writes: true, counts: "delivered"},

		{name: "Begin with codes", state: "none, codes at setup", run: begin(none), writes: true, held: confirms},
		{name: "Confirm codes that were shown", state: "pending, codes shown", writes: true, once: true, run: func(ctx C, s S, g G) (result, error) {
			done, err := g.Confirm(ctx, states.User, s.Token, s.Code(s.Waits))
			return result{codes: done.Codes.Reveal()}, err
		}, held: func(ctx C, s S, g G, out *result) error {
			if out != nil && !slices.Equal(out.codes, s.Codes) {
				return fmt.Errorf("%d other codes than those that were shown", len(out.codes))
			}
			return codesWork(ctx, g, &result{codes: s.Codes})
		}},
		{name: "Begin with ticket", state: "ticketed", run: begin(ticket), writes: true, held: confirms},
		{name: "Begin without ticket", state: "ticketed", run: begin(none), want: enrollment.ReasonTicketRequired},
		{name: "Begin with another ticket", state: "ticketed", run: begin(invalid), want: enrollment.ReasonTicketInvalid},
		{name: "SignIn with ticket", state: "ticketed", reads: true, run: func(ctx C, _ S, g G) (result, error) {
			d, err := g.SignIn(ctx, states.User, enrollment.SignInOptions{Require: true})
			if (err == nil) != (d.Next == enrollment.MustEnroll) {
				err = fmt.Errorf("SignIn says %v with %w", d.Next, err)
			}
			return result{}, err
		}},
	}
}

// leadsTo holds in that state, with so many apps and no setup.
func leadsTo(want store.State, apps int) holds {
	return is(func(_ *states.State, status enrollment.Status) bool {
		return status.State == want && len(status.Authenticators) == apps && status.SetupExpires.IsZero()
	})
}
