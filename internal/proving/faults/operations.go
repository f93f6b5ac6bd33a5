package faults

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// The operations that are run while something fails.

// An operation is an operation in a state, with its outcome when nothing fails.
type operation struct {
	name, state string
	run         func(ctx context.Context, s *states.State, g *enrollment.Guard) (result, error)

	want    enrollment.Reason // "" for success
	writes  bool              // whether that outcome is written
	counts  string            // where a failure is counted: totp, recovery, setup, delivered, address, near
	once    bool              // a success that nobody may have twice
	reads   bool              // an operation that never writes
	counted bool              // one that is observed although it reads
	sends   bool              // a success sends a message
	told    bool              // a success is an event, although it is not once
	quiet   bool              // a success is none, although it is once
	form    bool              // it is denied by its form alone
	unseen  bool              // it is not counted for Config.Observe
	seen    string            // as what Config.Observe counts a success; "" for "ok"
	notify  bool              // it can't do without Config.Notify

	// held returns an error unless the operation has taken effect. It is given
	// what the operation returned, or nil if that is not known.
	held func(ctx context.Context, s *states.State, g *enrollment.Guard, out *result) error
}

func operations() []operation {
	type (
		S = *states.State
		G = *enrollment.Guard
	)
	begin := func(o func(s S) enrollment.BeginOptions) func(context.Context, S, G) (result, error) {
		return func(ctx context.Context, s S, g G) (result, error) {
			opts := o(s)
			opts.Account = "a"
			setup, err := g.Begin(ctx, states.User, opts)
			return result{token: setup.Token.Reveal()}, err
		}
	}
	proven := func(p func(s S) enrollment.Proof) func(s S) enrollment.BeginOptions {
		return func(s S) enrollment.BeginOptions { return enrollment.BeginOptions{Proof: p(s)} }
	}
	byCode := func(s S) enrollment.Proof { return enrollment.ByCode(s.Right()) }
	byWrong := func(s S) enrollment.Proof { return enrollment.ByCode(s.Wrong()) }
	byUsed := func(s S) enrollment.Proof { return enrollment.ByCode(s.Used()) }
	byReceipt := func(s S) enrollment.Proof { return enrollment.ByReceipt(s.Receipt) }
	byRecovery := func(s S) enrollment.Proof { return enrollment.ByCode(s.Codes[1]) }
	byReauth := func(S) enrollment.Proof { return enrollment.ByReauth("password") }
	byToken := func(s S) enrollment.Proof { return s.Demanded() }
	byOld := func(s S) enrollment.Proof {
		defer s.Pass(enrollment.EnrollTTL + time.Microsecond)
		return s.Demanded()
	}
	byNothing := func(S) enrollment.Proof { return enrollment.Proof{} }

	confirm := func(token func(s S) enrollment.SetupToken, code func(s S) string) func(context.Context, S, G) (result, error) {
		return func(ctx context.Context, s S, g G) (result, error) {
			done, err := g.Confirm(ctx, states.User, token(s), code(s))
			if err == nil && (done.Success.Receipt.IsZero() || done.Success.UserID != states.User) {
				err = errors.New("a Confirm without a Success")
			}
			if err != nil && (done.Codes.Len() > 0 || !reflect.DeepEqual(done.Success, enrollment.Success{})) {
				err = errors.New("an error that comes with a result")
			}
			return result{codes: done.Codes.Reveal()}, err
		}
	}
	token := func(s S) enrollment.SetupToken { return s.Token }
	oldToken := func(s S) enrollment.SetupToken { return s.OldToken }
	waiting := func(s S) string { return s.Code(s.Waits) }
	slow := func(s S) string { return s.Code(s.Waits, -8) }
	wrong := S.Wrong
	// confirmed: the code was used up, and the setup is gone.
	confirmed := func(ctx context.Context, s S, g G, _ *result) error {
		_, err := g.Verify(ctx, states.User, "x", waiting(s))
		if err := expect(err, enrollment.ReasonReplayed); err != nil {
			return err
		}
		_, err = g.Confirm(ctx, states.User, s.Token, waiting(s))
		return expect(err, enrollment.ReasonAlreadyConfirmed)
	}
	challenge := func(s S) enrollment.Challenge { return s.Challenge }
	spent := func(s S) enrollment.Challenge { return s.Spent }
	recoveryCode := func(s S) string { return s.Codes[1] }
	spentCode := func(s S) string { return s.Codes[0] }
	// replayed: the code is used up.
	replayed := func(code func(s S) string) holds { return used(code, enrollment.ReasonReplayed) }
	answered := func(code func(s S) string, reason enrollment.Reason) func(context.Context, S, G, *result) error {
		return func(ctx context.Context, s S, g G, out *result) error {
			if err := replayed(code)(ctx, s, g, out); err != nil {
				return err
			}
			_, err := g.Answer(ctx, enrollment.PurposeSignIn, s.Challenge, s.Next())
			return expect(err, reason)
		}
	}
	disable := func(p func(s S) enrollment.Proof) func(context.Context, S, G) (result, error) {
		return func(ctx context.Context, s S, g G) (result, error) {
			return result{}, g.Disable(ctx, states.User, p(s))
		}
	}
	remove := func(p func(s S) enrollment.Proof) func(context.Context, S, G) (result, error) {
		return func(ctx context.Context, s S, g G) (result, error) {
			return result{}, g.Remove(ctx, states.User, s.SecondID, p(s))
		}
	}
	newCodes := func(p func(s S) enrollment.Proof) func(context.Context, S, G) (result, error) {
		return func(ctx context.Context, s S, g G) (result, error) {
			done, err := g.RenewCodes(ctx, states.User, p(s))
			if err != nil && (done.Codes.Len() > 0 || !done.Receipt.IsZero()) {
				err = errors.New("an error that comes with a result")
			}
			return result{codes: done.Codes.Reveal(), receipt: done.Receipt}, err
		}
	}
	// renewed: the earlier codes are void, the new ones are right, and the
	// receipt that comes with them proves something.
	renewed := func(ctx context.Context, s S, g G, out *result) error {
		if out != nil {
			if _, err := g.Begin(ctx, states.User, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReceipt(out.receipt)}); err != nil {
				return fmt.Errorf("the returned receipt: %w", err)
			}
		}
		_, err := g.Verify(ctx, states.User, "x", s.Codes[2])
		if err := expect(err, enrollment.ReasonWrongCode); err != nil {
			return err
		}
		return codesWork(ctx, g, out)
	}
	ops := []operation{
		{name: "Begin", state: "none", run: begin(proven(byReauth)), writes: true, held: resumes},
		{name: "Begin again", state: "pending", run: begin(proven(byReauth)), writes: true, held: resumes},
		{name: "Begin after all", state: "disabled", run: begin(proven(byReauth)), writes: true, held: resumes},
		{name: "Begin by token", state: "pending", run: begin(proven(byToken)), writes: true, held: resumes},
		{name: "Begin after all by token", state: "disabled", run: begin(proven(byToken)), writes: true, held: resumes},
		{name: "Begin by old token", state: "none", run: begin(proven(byOld)), want: enrollment.ReasonEnrollTokenInvalid},
		{name: "Begin without a proof", state: "none", run: begin(proven(byNothing)), want: enrollment.ReasonProofRequired},
		{name: "Begin by code", state: "confirmed", run: begin(proven(byCode)), writes: true, once: true, quiet: true, held: all(resumes, replayed(S.Right))},
		{name: "Begin by recovery code", state: "confirmed", run: begin(proven(byRecovery)), writes: true, once: true, held: all(resumes, replayed(recoveryCode))},
		{name: "Begin by receipt", state: "confirmed", run: begin(proven(byReceipt)), writes: true, held: resumes},
		{name: "Begin by wrong code", state: "confirmed", run: begin(proven(byWrong)), want: enrollment.ReasonWrongCode, writes: true, counts: "totp"},
		{name: "Begin by used code", state: "confirmed", run: begin(proven(byUsed)), want: enrollment.ReasonReplayed},
		{name: "Begin without proof", state: "confirmed", run: begin(proven(byNothing)), want: enrollment.ReasonProofRequired},
		{name: "Begin to replace", state: "confirmed", writes: true, once: true, quiet: true, held: all(resumes, replayed(S.Right)), run: begin(func(s S) enrollment.BeginOptions {
			return enrollment.BeginOptions{Replace: s.SecondID, Proof: byCode(s)}
		})},
		{name: "Begin a hardware token", state: "none", writes: true, held: resumes, run: begin(func(s S) enrollment.BeginOptions {
			return enrollment.BeginOptions{HardwareToken: s.Hardware(), Proof: enrollment.ByReauth("password")}
		})},
		{name: "Begin the hardware token again", state: "token staged", writes: true, held: resumes, run: begin(func(s S) enrollment.BeginOptions {
			return enrollment.BeginOptions{HardwareToken: s.Hardware(), Proof: byReceipt(s)}
		})},
		{name: "Confirm a hardware token", state: "token staged", run: confirm(token, waiting), writes: true, once: true, held: all(confirmed, leadsTo(store.Confirmed, 3))},
		{name: "Confirm a hardware token with wrong code", state: "token staged", run: confirm(token, wrong), want: enrollment.ReasonWrongCode, writes: true, counts: "totp"},
		{name: "Confirm a hardware token with slow clock", state: "token staged", run: confirm(token, slow), want: enrollment.ReasonWrongCode, writes: true, counts: "totp"},
		{name: "Resume", state: "pending", reads: true, run: func(ctx context.Context, s S, g G) (result, error) {
			_, err := g.Resume(ctx, states.User, s.Token)
			return result{}, err
		}},
		{name: "Resume superseded", state: "staged", reads: true, want: enrollment.ReasonSetupSuperseded, run: func(ctx context.Context, s S, g G) (result, error) {
			_, err := g.Resume(ctx, states.User, s.OldToken)
			return result{}, err
		}},
		{name: "Confirm", state: "pending", run: confirm(token, waiting), writes: true, once: true, held: all(confirmed, leadsTo(store.Confirmed, 1), setupShownAgain, func(ctx context.Context, _ S, g G, out *result) error {
			return codesWork(ctx, g, out)
		})},
		{name: "Confirm with wrong code", state: "pending", run: confirm(token, wrong), want: enrollment.ReasonWrongCode, writes: true, counts: "setup"},
		{name: "Confirm with slow clock", state: "pending", run: confirm(token, slow), want: enrollment.ReasonClockSkew, writes: true, counts: "setup"},
		{name: "Confirm superseded", state: "pending", run: confirm(oldToken, waiting), want: enrollment.ReasonSetupSuperseded},
		{name: "Confirm another", state: "staged", run: confirm(token, waiting), writes: true, once: true, held: all(confirmed, leadsTo(store.Confirmed, 3))},
		{name: "Confirm replacement", state: "replacing", run: confirm(token, waiting), writes: true, once: true, held: all(confirmed, leadsTo(store.Confirmed, 2))},
		{name: "Cancel", state: "pending", writes: true, once: true, quiet: true, held: leadsTo(store.None, 0), run: func(ctx context.Context, _ S, g G) (result, error) {
			return result{}, g.Cancel(ctx, states.User)
		}},
		{name: "Cancel nothing", state: "confirmed", want: enrollment.ReasonNoSetup, run: func(ctx context.Context, _ S, g G) (result, error) {
			return result{}, g.Cancel(ctx, states.User)
		}},
		{name: "SignIn", state: "confirmed", reads: true, run: func(ctx context.Context, _ S, g G) (result, error) {
			d, err := g.SignIn(ctx, states.User, enrollment.SignInOptions{})
			if (err == nil) != (d.Next == enrollment.AskCode) || (err == nil) != !d.Challenge.IsZero() {
				err = fmt.Errorf("SignIn says %v with %w", d.Next, err)
			}
			return result{}, err
		}},
		{name: "SignIn without", state: "none", reads: true, run: func(ctx context.Context, _ S, g G) (result, error) {
			d, err := g.SignIn(ctx, states.User, enrollment.SignInOptions{})
			if (err == nil) != (d.Next == enrollment.Proceed) {
				err = fmt.Errorf("SignIn says %v with %w", d.Next, err)
			}
			return result{}, err
		}},
		{name: "SignIn moves in", state: "none", writes: true, told: true, held: all(leadsTo(store.Confirmed, 1), replayed(S.Right), replayed(S.Next), importedOnce), run: func(ctx context.Context, s S, g G) (result, error) {
			im := s.Imported(false)
			d, err := g.SignIn(ctx, states.User, enrollment.SignInOptions{Import: &im})
			if (err == nil) != (d.Next == enrollment.AskCode) || (err == nil) == d.NextCode.IsZero() {
				err = fmt.Errorf("SignIn says %v with %w", d.Next, err)
			}
			return result{}, err
		}},
		{name: "Answer", state: "confirmed", run: answer(challenge, S.Right), writes: true, once: true, quiet: true, held: answered(S.Right, enrollment.ReasonChallengeSpent)},
		{name: "Answer after somebody's wrong code", state: "guessed", run: answer(challenge, S.Right), writes: true, once: true, notify: true, held: answered(S.Right, enrollment.ReasonChallengeSpent)},
		{name: "Answer with wrong code after ten minutes", state: "alarmed", run: answer(challenge, wrong), want: enrollment.ReasonWrongCode, writes: true, counts: "totp", notify: true},
		{name: "Answer with wrong code", state: "confirmed", run: answer(challenge, wrong), want: enrollment.ReasonWrongCode, writes: true, counts: "totp"},
		{name: "Answer with used code", state: "confirmed", run: answer(challenge, S.Used), want: enrollment.ReasonReplayed},
		{name: "Answer while locked", state: "locked", run: answer(challenge, S.Right), want: enrollment.ReasonLocked},
		{name: "Answer spent", state: "confirmed", run: answer(spent, S.Right), want: enrollment.ReasonChallengeSpent},
		{name: "Answer with recovery code", state: "confirmed", run: answer(challenge, recoveryCode), writes: true, once: true, held: answered(recoveryCode, enrollment.ReasonChallengeSpent)},
		{name: "Answer with recovery code while locked", state: "locked", run: answer(challenge, recoveryCode), writes: true, once: true, held: answered(recoveryCode, enrollment.ReasonChallengeSpent)},
		{name: "Answer with unknown recovery code", state: "confirmed", run: answer(challenge, S.Unknown), want: enrollment.ReasonWrongCode, writes: true, counts: "recovery"},
		{name: "Answer with spent recovery code", state: "confirmed", run: answer(challenge, spentCode), want: enrollment.ReasonReplayed, writes: true, counts: "recovery"},
		{name: "Verify", state: "confirmed", run: verify(S.Right), writes: true, once: true, quiet: true, held: replayed(S.Right)},
		{name: "Verify with recovery code", state: "staged", run: verify(recoveryCode), writes: true, once: true, held: replayed(recoveryCode)},
		{name: "Verify with wrong code", state: "confirmed", run: verify(wrong), want: enrollment.ReasonWrongCode, writes: true, counts: "totp"},
		{name: "Verify without", state: "disabled", run: verify(wrong), want: enrollment.ReasonNotEnrolled},
		{name: "Disable by code", state: "confirmed", run: disable(byCode), writes: true, once: true, held: leadsTo(store.Disabled, 0)},
		{name: "Disable by receipt", state: "staged", run: disable(byReceipt), writes: true, once: true, held: leadsTo(store.Disabled, 0)},
		{name: "Disable after wrong codes", state: "guessed", run: disable(byReceipt), writes: true, once: true, notify: true, held: leadsTo(store.Disabled, 0)},
		{name: "Disable by wrong code", state: "confirmed", run: disable(byWrong), want: enrollment.ReasonWrongCode, writes: true, counts: "totp"},
		{name: "Disable by used code", state: "confirmed", run: disable(byUsed), want: enrollment.ReasonReplayed},
		{name: "Remove by code", state: "confirmed", run: remove(byCode), writes: true, once: true, held: all(leadsTo(store.Confirmed, 1), replayed(S.Right))},
		{name: "Remove by receipt", state: "confirmed", run: remove(byReceipt), writes: true, once: true, held: leadsTo(store.Confirmed, 1)},
		{name: "Remove by wrong code", state: "confirmed", run: remove(byWrong), want: enrollment.ReasonWrongCode, writes: true, counts: "totp"},
		{name: "RenewCodes by code", state: "confirmed", run: newCodes(byCode), writes: true, once: true, held: all(renewed, replayed(S.Right))},
		{name: "RenewCodes by receipt", state: "confirmed", run: newCodes(byReceipt), writes: true, once: true, held: renewed},
		{name: "RenewCodes by recovery code", state: "confirmed", run: newCodes(byRecovery), writes: true, once: true, held: renewed},
		{name: "RenewCodes by wrong code", state: "confirmed", run: newCodes(byWrong), want: enrollment.ReasonWrongCode, writes: true, counts: "totp"},
		{name: "RenewCodes without proof", state: "confirmed", run: newCodes(byNothing), want: enrollment.ReasonProofRequired},
		{name: "Status", state: "confirmed", reads: true, run: func(ctx context.Context, _ S, g G) (result, error) {
			_, err := g.Status(ctx, states.User)
			return result{}, err
		}},
	}
	return slices.Concat(ops, threeOperations(), againOperations(), accessOperations(), unansweredOperations(), outdatedOperations(), messageOperations(), adminOperations())
}
