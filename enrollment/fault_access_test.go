package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// The operations around signing in without a code, and around what is right
// besides an app's code, run while something fails.

type (
	faultRun  func(ctx context.Context, s *faultState, g *enrollment.Guard) (faultOut, error)
	faultHeld func(ctx context.Context, s *faultState, g *enrollment.Guard, out *faultOut) error
)

// faultAll holds if all of them do.
func faultAll(held ...faultHeld) faultHeld {
	return func(ctx context.Context, s *faultState, g *enrollment.Guard, out *faultOut) error {
		for _, h := range held {
			if err := h(ctx, s, g, out); err != nil {
				return err
			}
		}
		return nil
	}
}

// faultIs holds if Status says so.
func faultIs(ok func(s *faultState, status enrollment.Status) bool) faultHeld {
	return func(ctx context.Context, s *faultState, g *enrollment.Guard, _ *faultOut) error {
		status, text := faultStatus(ctx, g)
		if !ok(s, status) {
			return errors.New(text)
		}
		return nil
	}
}

// faultUsed holds if the code is refused for that reason.
func faultUsed(code func(s *faultState) string, reason enrollment.Reason) faultHeld {
	return func(ctx context.Context, s *faultState, g *enrollment.Guard, _ *faultOut) error {
		_, err := g.Verify(ctx, faultUser, "x", code(s))
		return faultExpect(err, reason)
	}
}

// faultWaived runs a sign-in for which no code is asked.
func faultWaived(l func(s *faultState) enrollment.SignInOptions, by enrollment.Factor) faultRun {
	return func(ctx context.Context, s *faultState, g *enrollment.Guard) (faultOut, error) {
		d, err := g.SignIn(ctx, faultUser, l(s))
		want := enrollment.Proceed
		if err != nil {
			want = enrollment.Refuse
		} else if d.Waived != by {
			err = fmt.Errorf("%q took the place of the code", d.Waived)
		}
		if d.Next != want || d.Challenge != "" {
			err = fmt.Errorf("SignIn says %v with %w", d.Next, err)
		}
		return faultOut{}, err
	}
}

// faultSignsIn holds if the last sign-in was that one.
func faultSignsIn(by enrollment.Factor) faultHeld {
	return faultIs(func(s *faultState, status enrollment.Status) bool {
		return status.LastFactor == by && status.LastSignIn.Equal(s.now)
	})
}

// faultVerify runs Verify, and what comes of a code that is replaced at once.
func faultVerify(code func(s *faultState) string) faultRun {
	return func(ctx context.Context, s *faultState, g *enrollment.Guard) (faultOut, error) {
		ok, err := g.Verify(ctx, faultUser, "x", code(s))
		return faultSuccess(ok, err)
	}
}

func faultAnswer(challenge, code func(s *faultState) string) faultRun {
	return func(ctx context.Context, s *faultState, g *enrollment.Guard) (faultOut, error) {
		ok, err := g.Answer(ctx, enrollment.PurposeSignIn, challenge(s), code(s))
		return faultSuccess(ok, err)
	}
}

func faultSuccess(ok enrollment.Success, err error) (faultOut, error) {
	if err != nil {
		if !reflect.DeepEqual(ok, enrollment.Success{}) {
			err = errors.New("an error that comes with a result")
		}
		return faultOut{}, err
	}
	out := faultOut{receipt: ok.Receipt}
	if !ok.NewCode.IsZero() {
		out.codes = []string{ok.NewCode.Reveal()}
	}
	return out, nil
}

// faultReplaced holds if the code is void, and the one that came for it is
// right.
func faultReplaced(ctx context.Context, s *faultState, g *enrollment.Guard, out *faultOut) error {
	status, text := faultStatus(ctx, g)
	if status.CodesLeft != recovery.MinCount {
		return errors.New(text)
	}
	_, err := g.Verify(ctx, faultUser, "x", s.codes[1])
	if err := faultExpect(err, enrollment.ReasonWrongCode); err != nil || out == nil {
		return err
	}
	if len(out.codes) != 1 {
		return fmt.Errorf("%d new codes", len(out.codes))
	}
	ok, err := g.Verify(ctx, faultUser, "x", out.codes[0])
	if err != nil || ok.NewCode.IsZero() {
		return fmt.Errorf("the new code: %w", err)
	}
	codes, err := g.RecoveryCodes(ctx, faultUser, enrollment.ByCode(s.code()))
	if err != nil || !slices.Contains(codes.Reveal(), ok.NewCode.Reveal()) {
		return fmt.Errorf("the codes that are kept: %w", err)
	}
	return nil
}

// faultShown holds if the codes that were shown are the unspent ones.
func faultShown(ctx context.Context, s *faultState, g *enrollment.Guard, out *faultOut) error {
	status, text := faultStatus(ctx, g)
	if status.History[0].Kind != enrollment.EventCodesShown {
		return errors.New(text)
	}
	if out != nil && !slices.Equal(out.codes, s.codes[1:]) {
		return fmt.Errorf("%d codes were shown", len(out.codes))
	}
	return nil
}

// faultSetup holds if the setup can be resumed and confirmed, and the codes that
// it has shown become valid with it.
func faultSetup(ctx context.Context, s *faultState, g *enrollment.Guard, out *faultOut) error {
	if out == nil {
		return nil
	}
	setup, err := g.Resume(ctx, faultUser, out.token)
	if err != nil || setup.URI() != out.uri || !slices.Equal(setup.Codes().Reveal(), out.codes) {
		return fmt.Errorf("Resume: %w", err)
	}
	key, _, err := totp.ParseURI(out.uri)
	if err != nil {
		return err
	}
	done, err := g.Confirm(ctx, faultUser, out.token, modelShown(key, s.now))
	if err != nil || len(out.codes) > 0 && !slices.Equal(done.Codes.Reveal(), out.codes) {
		return fmt.Errorf("Confirm: %w", err)
	}
	return faultCodesWork(ctx, g, &faultOut{codes: done.Codes.Reveal()})
}

func faultBegin(ticket func(s *faultState) string) faultRun {
	return func(ctx context.Context, s *faultState, g *enrollment.Guard) (faultOut, error) {
		setup, err := g.Begin(ctx, faultUser, enrollment.BeginOptions{Account: "a", Ticket: ticket(s)})
		if err != nil && (setup.Token != "" || setup.URI() != "" || setup.Codes().Len() > 0) {
			err = errors.New("an error that comes with a result")
		}
		return faultOut{token: setup.Token, uri: setup.URI(), codes: setup.Codes().Reveal()}, err
	}
}

// faultTrusts holds if there are that many trusted devices, of which the one that
// was returned signs in.
func faultTrusts(ctx context.Context, _ *faultState, g *enrollment.Guard, out *faultOut) error {
	list, err := g.Devices().List(ctx, faultUser)
	if err != nil || len(list) == 0 {
		return fmt.Errorf("%d devices: %w", len(list), err)
	}
	if out == nil {
		return nil
	}
	d, err := g.SignIn(ctx, faultUser, enrollment.SignInOptions{Device: out.token})
	if err != nil || d.Waived != enrollment.FactorTrustedDevice {
		return fmt.Errorf("SignIn says %v: %w", d.Next, err)
	}
	return nil
}

// faultRevoked holds if the device has to give a code, and that many are left.
func faultRevoked(left int) faultHeld {
	return func(ctx context.Context, s *faultState, g *enrollment.Guard, _ *faultOut) error {
		list, err := g.Devices().List(ctx, faultUser)
		if err != nil || len(list) != left {
			return fmt.Errorf("%d devices: %w", len(list), err)
		}
		d, err := g.SignIn(ctx, faultUser, enrollment.SignInOptions{Device: s.device})
		if err != nil || d.Next != enrollment.AskCode {
			return fmt.Errorf("SignIn says %v: %w", d.Next, err)
		}
		return nil
	}
}

func faultAccessOps() []faultOp {
	type (
		S = *faultState
		G = *enrollment.Guard
		C = context.Context
	)
	device := func(s S) enrollment.SignInOptions { return enrollment.SignInOptions{Device: s.device} }
	login := func(S) enrollment.SignInOptions { return enrollment.SignInOptions{} }
	require := func(S) enrollment.SignInOptions { return enrollment.SignInOptions{Require: true} }
	challenge := func(s S) string { return s.challenge }
	sent := func(s S) string { return s.sent }
	message := func(s S) string { return s.message }
	recoveryCode := func(s S) string { return s.codes[1] }
	system := func(i int) func(s S) string { return func(s S) string { return s.system[i] } }
	otherCase := func(s S) string { return strings.ToUpper(s.system[1]) }
	unknown := func(S) string { return "none-of-them" }
	none := func(S) string { return "" }
	ticket := func(s S) string { return s.ticket }
	invalid := func(S) string { return faultTicket }
	trust := func(receipt func(s S) string) faultRun {
		return func(ctx C, s S, g G) (faultOut, error) {
			d, err := g.Devices().Trust(ctx, faultUser, receipt(s), "browser")
			if (err == nil) != (d.Token != "") {
				err = errors.New("an error that comes with a result")
			}
			return faultOut{token: d.Token}, err
		}
	}
	codes := func(p func(s S) enrollment.Proof) faultRun {
		return func(ctx C, s S, g G) (faultOut, error) {
			codes, err := g.RecoveryCodes(ctx, faultUser, p(s))
			if (err == nil) != (codes.Len() > 0) {
				err = errors.New("an error that comes with a result")
			}
			return faultOut{codes: codes.Reveal()}, err
		}
	}
	byCode := func(s S) enrollment.Proof { return enrollment.ByCode(s.code()) }
	byReceipt := func(s S) enrollment.Proof { return enrollment.ByReceipt(s.receipt) }
	byWrong := func(s S) enrollment.Proof { return enrollment.ByCode(s.wrong()) }
	byRecovery := func(s S) enrollment.Proof { return enrollment.ByCode(s.codes[1]) }

	return []faultOp{
		{name: "SignIn by device", state: "trusted", run: faultWaived(device, enrollment.FactorTrustedDevice), writes: true, held: faultSignsIn(enrollment.FactorTrustedDevice)},
		{name: "SignIn by bypass", state: "bypassed", run: faultWaived(login, enrollment.FactorBypass), writes: true, held: faultSignsIn(enrollment.FactorBypass)},
		{name: "SignIn by bypass without", state: "exempt", run: faultWaived(require, enrollment.FactorBypass), writes: true, held: faultSignsIn(enrollment.FactorBypass)},
		{name: "Trust", state: "confirmed", run: trust(func(s S) string { return s.receipt }), writes: true, told: true, held: faultTrusts},
		{name: "Trust by nothing", state: "confirmed", run: trust(none), want: enrollment.ReasonProofInvalid, form: true},
		{name: "Devices", state: "trusted", reads: true, run: func(ctx C, _ S, g G) (faultOut, error) {
			list, err := g.Devices().List(ctx, faultUser)
			if (err == nil) != (len(list) == 2) {
				err = fmt.Errorf("%d devices with %w", len(list), err)
			}
			return faultOut{}, err
		}},
		{name: "Revoke", state: "trusted", writes: true, once: true, held: faultRevoked(1), run: func(ctx C, s S, g G) (faultOut, error) {
			return faultOut{}, g.Devices().Revoke(ctx, faultUser, s.deviceID)
		}},
		{name: "Revoke unknown", state: "trusted", want: enrollment.ReasonUnknownDevice, run: func(ctx C, _ S, g G) (faultOut, error) {
			return faultOut{}, g.Devices().Revoke(ctx, faultUser, "0000000000000001")
		}},
		{name: "RevokeAll", state: "trusted", writes: true, told: true, held: faultRevoked(0), run: func(ctx C, _ S, g G) (faultOut, error) {
			return faultOut{}, g.Devices().RevokeAll(ctx, faultUser)
		}},
		{name: "Recent", state: "confirmed", reads: true, run: func(ctx C, s S, g G) (faultOut, error) {
			ok, err := g.RecentlyVerified(ctx, faultUser, enrollment.PurposeSignIn, s.receipt, time.Minute)
			if (err == nil) != (ok.UserID == faultUser) {
				err = fmt.Errorf("a Success for %q with %w", ok.UserID, err)
			}
			return faultOut{}, err
		}},

		{name: "Codes by code", state: "kept", run: codes(byCode), writes: true, once: true, held: faultAll(faultShown, faultUsed(S.code, enrollment.ReasonReplayed))},
		{name: "Codes by receipt", state: "kept", run: codes(byReceipt), writes: true, told: true, held: faultShown},
		{name: "Codes by wrong code", state: "kept", run: codes(byWrong), want: enrollment.ReasonWrongCode, writes: true, counts: "totp"},
		{name: "Codes by recovery code", state: "kept", run: codes(byRecovery), want: enrollment.ReasonProofNotAllowed},
		{name: "Codes that are not kept", state: "confirmed", run: codes(byCode), want: enrollment.ReasonCodesNotKept},
		{name: "Answer with code that is replaced", state: "replenished", run: faultAnswer(challenge, recoveryCode), writes: true, once: true, held: faultReplaced},
		{name: "Verify with code that is replaced", state: "replenished", run: faultVerify(recoveryCode), writes: true, once: true, held: faultReplaced},
		{name: "Begin by code that is not replaced", state: "replenished", writes: true, once: true, run: func(ctx C, s S, g G) (faultOut, error) {
			_, err := g.Begin(ctx, faultUser, enrollment.BeginOptions{Account: "a", Proof: byRecovery(s)})
			return faultOut{}, err
		}, held: faultAll(faultUsed(recoveryCode, enrollment.ReasonReplayed), faultIs(func(_ S, status enrollment.Status) bool {
			return status.CodesLeft == recovery.MinCount-1 // nobody was shown another
		}))},

		{name: "Verify with code of another system", state: "imported", run: faultVerify(system(1)), writes: true, once: true, held: faultUsed(system(1), enrollment.ReasonReplayed)},
		{name: "Verify with code of another system in capitals", state: "imported", run: faultVerify(otherCase), writes: true, once: true, held: faultUsed(system(1), enrollment.ReasonReplayed)},
		{name: "Answer with code of another system", state: "imported", run: faultAnswer(challenge, system(1)), writes: true, once: true, held: faultUsed(system(1), enrollment.ReasonReplayed)},
		{name: "Answer with slow code of another system", state: "imported slowly", run: faultAnswer(challenge, system(2)), writes: true, once: true, held: faultUsed(system(2), enrollment.ReasonReplayed)},
		{name: "Verify with unknown code of another system", state: "imported", run: faultVerify(unknown), want: enrollment.ReasonWrongCode, writes: true, counts: "recovery"},
		{name: "Verify with spent code of another system", state: "imported", run: faultVerify(system(0)), want: enrollment.ReasonReplayed, writes: true, counts: "recovery"},

		{name: "Answer with delivered code", state: "sent", run: faultAnswer(sent, message), writes: true, once: true, quiet: true, held: func(ctx C, s S, g G, _ *faultOut) error {
			for _, c := range []string{s.sent, s.challenge} {
				_, err := g.Answer(ctx, enrollment.PurposeSignIn, c, s.next())
				if err := faultExpect(err, enrollment.ReasonChallengeSpent); err != nil {
					return err
				}
			}
			return nil
		}},
		{name: "Answer message with recovery code", state: "sent", run: faultAnswer(sent, recoveryCode), writes: true, once: true, held: faultUsed(recoveryCode, enrollment.ReasonReplayed)},
		{name: "Answer with code that was not delivered", state: "sent", run: faultAnswer(sent, S.wrongMessage), want: enrollment.ReasonWrongCode, writes: true, counts: "delivered"},

		{name: "Begin with codes", state: "none, codes at setup", run: faultBegin(none), writes: true, held: faultSetup},
		{name: "Confirm codes that were shown", state: "pending, codes shown", writes: true, once: true, run: func(ctx C, s S, g G) (faultOut, error) {
			done, err := g.Confirm(ctx, faultUser, s.token, modelShown(s.waiting, s.now))
			return faultOut{codes: done.Codes.Reveal()}, err
		}, held: func(ctx C, s S, g G, out *faultOut) error {
			if out != nil && !slices.Equal(out.codes, s.codes) {
				return fmt.Errorf("%d other codes than those that were shown", len(out.codes))
			}
			return faultCodesWork(ctx, g, &faultOut{codes: s.codes})
		}},
		{name: "Begin with ticket", state: "ticketed", run: faultBegin(ticket), writes: true, held: faultSetup},
		{name: "Begin without ticket", state: "ticketed", run: faultBegin(none), want: enrollment.ReasonTicketRequired},
		{name: "Begin with another ticket", state: "ticketed", run: faultBegin(invalid), want: enrollment.ReasonTicketInvalid},
		{name: "SignIn with ticket", state: "ticketed", reads: true, run: func(ctx C, _ S, g G) (faultOut, error) {
			d, err := g.SignIn(ctx, faultUser, enrollment.SignInOptions{Require: true})
			if (err == nil) != (d.Next == enrollment.MustEnroll) {
				err = fmt.Errorf("SignIn says %v with %w", d.Next, err)
			}
			return faultOut{}, err
		}},
	}
}

// faultLeadsTo holds in that state, with so many apps and no setup.
func faultLeadsTo(want store.State, apps int) faultHeld {
	return faultIs(func(_ *faultState, status enrollment.Status) bool {
		return status.State == want && len(status.Authenticators) == apps && status.SetupExpires.IsZero()
	})
}
