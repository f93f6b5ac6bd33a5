package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// accessOperations are those around signing in without a code, and around codes
// other than an app's, which run while something fails.
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
		{name: "Answer with code that is replaced", state: "replenished", run: answer(challenge, recoveryCode), writes: true, once: true, held: all(newCodeShown, replaced)},
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
