package states_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A storeCalls is an operation, and what it asks the store for when nobody
// interferes and nobody has to wait. Notify is set and takes what it is told,
// which is acknowledged by a Save.
type storeCalls struct {
	operation string // the row of the table of states, and words that tell it from others
	state     string
	loads     int
	saves     int
	lists     int
	erases    int
	call      func(ctx context.Context, s *states.State, g *enrollment.Guard) error
	want      enrollment.Reason
	slow      bool // with recovery codes that are derived slowly
	prepare   func(s *states.State)
	wait      time.Duration // before the call
}

func tableOfCalls() []storeCalls {
	type (
		C = context.Context
		S = *states.State
		G = *enrollment.Guard
	)
	const user = states.User
	begin := func(o func(s S) enrollment.BeginOptions) func(C, S, G) error {
		return func(ctx C, s S, g G) error {
			opts := o(s)
			opts.Account = "a"
			_, err := g.Begin(ctx, user, opts)
			return err
		}
	}
	confirm := func(ctx C, s S, g G) error {
		_, err := g.Confirm(ctx, user, s.Token, s.Code(s.Waits))
		return err
	}
	signIn := func(ctx C, s S, g G) error {
		_, err := g.SignIn(ctx, user, enrollment.SignInOptions{Device: s.Device.Token})
		return err
	}
	fromElsewhere := func(ctx C, s S, g G) error { return signIn(enrollment.WithOrigin(ctx, states.Elsewhere), s, g) }
	moveIn := func(ctx C, s S, g G) error {
		im := s.Imported(false)
		_, err := g.SignIn(ctx, user, enrollment.SignInOptions{Import: &im})
		return err
	}
	answer := func(code func(s S) string) func(C, S, G) error {
		return func(ctx C, s S, g G) error {
			challenge := s.Challenge
			if !s.Sent.IsZero() {
				challenge = s.Sent
			}
			_, err := g.Answer(ctx, enrollment.PurposeSignIn, challenge, code(s))
			return err
		}
	}
	three := func(codes func(totp.Key, time.Time) []string) func(C, S, G) error {
		return func(ctx C, s S, g G) error {
			_, err := g.ThreeCodes().Answer(ctx, enrollment.PurposeSignIn, s.Challenge, codes(s.App, s.Now()))
			return err
		}
	}
	proven := func(f func(C, S, G, enrollment.Proof) error, p func(s S) enrollment.Proof) func(C, S, G) error {
		return func(ctx C, s S, g G) error { return f(ctx, s, g, p(s)) }
	}
	renew := func(ctx C, _ S, g G, p enrollment.Proof) error { _, err := g.RenewCodes(ctx, user, p); return err }
	renewOnce := func(ctx C, s S, g G, p enrollment.Proof) error {
		_, err := g.RenewCodesOnce(ctx, user, s.Renewal, p)
		return err
	}
	renewalCodes := func(ctx C, s S, g G) error { _, err := g.RenewalCodes(ctx, user, s.Renewal); return err }
	newCode := func(ctx C, s S, g G) error {
		_, _, err := g.NewCode(ctx, "step-up", s.Replaced, s.ReplacedCode)
		return err
	}
	setupCodes := func(ctx C, s S, g G) error { _, err := g.SetupCodes(ctx, user, s.Shown); return err }
	show := func(ctx C, _ S, g G, p enrollment.Proof) error { _, err := g.RecoveryCodes(ctx, user, p); return err }
	remove := func(ctx C, s S, g G, p enrollment.Proof) error { return g.Remove(ctx, user, s.SecondID, p) }
	disable := func(ctx C, _ S, g G, p enrollment.Proof) error { return g.Disable(ctx, user, p) }
	bind := func(ctx C, s S, g G, p enrollment.Proof) error {
		_, err := g.Messages().Bind(ctx, user, enrollment.BindOptions{Channel: "email", To: "a@example.com", Proof: p})
		return err
	}
	unbind := func(ctx C, s S, g G, p enrollment.Proof) error { return g.Messages().Unbind(ctx, user, p) }
	confirmAddress := func(ctx C, s S, g G) error {
		_, err := g.Messages().Confirm(ctx, user, s.Binding, s.Message)
		return err
	}
	admin := func(f func(ctx C, x enrollment.Admin, s S) error) func(C, S, G) error {
		return func(ctx C, s S, g G) error { return f(ctx, g.Admin("root", "a test"), s) }
	}
	byCode := func(s S) enrollment.Proof { return enrollment.ByCode(s.Right()) }
	byReauth := func(S) enrollment.Proof { return enrollment.ByReauth("password") }
	byReceipt := func(s S) enrollment.Proof { return enrollment.ByReceipt(s.Receipt) }
	byRecovery := func(s S) enrollment.Proof { return enrollment.ByCode(s.Codes[1]) }
	recoveryCode := func(s S) string { return s.Codes[1] }

	return []storeCalls{
		{operation: "Begin", state: "none", loads: 1, saves: 1, call: begin(func(s S) enrollment.BeginOptions { return enrollment.BeginOptions{Proof: byReauth(s)} })},
		{operation: "Begin by a code", state: "confirmed", loads: 1, saves: 1, call: begin(func(s S) enrollment.BeginOptions { return enrollment.BeginOptions{Proof: byCode(s)} })},
		{operation: "Begin by a slow recovery code", state: "confirmed", slow: true, loads: 1, saves: 2, call: begin(func(s S) enrollment.BeginOptions { return enrollment.BeginOptions{Proof: byRecovery(s)} })},
		{operation: "Begin+Replace", state: "confirmed", loads: 1, saves: 1, call: begin(func(s S) enrollment.BeginOptions {
			return enrollment.BeginOptions{Replace: s.SecondID, Proof: byReceipt(s)}
		})},
		{operation: "Begin+HardwareToken", state: "none", loads: 1, saves: 1, call: begin(func(s S) enrollment.BeginOptions {
			return enrollment.BeginOptions{HardwareToken: s.Hardware(), Proof: byReauth(s)}
		})},
		{operation: "Resume", state: "pending", loads: 1, call: func(ctx C, s S, g G) error { _, err := g.Resume(ctx, user, s.Token); return err }},
		{operation: "Confirm", state: "pending", loads: 1, saves: 2, call: confirm},
		{operation: "Confirm that makes codes slowly", state: "pending", slow: true, loads: 1, saves: 3, call: confirm},
		{operation: "Confirm another", state: "staged", slow: true, loads: 1, saves: 2, call: confirm},
		{operation: "Confirm with a wrong code", state: "pending", slow: true, loads: 1, saves: 1, want: enrollment.ReasonWrongCode, call: func(ctx C, s S, g G) error {
			_, err := g.Confirm(ctx, user, s.Token, s.Wrong())
			return err
		}},
		{operation: "Cancel", state: "pending", loads: 1, saves: 1, call: func(ctx C, _ S, g G) error { return g.Cancel(ctx, user) }},
		{operation: "SignIn", state: "confirmed", loads: 1, call: signIn},
		{operation: "SignIn without anything", state: "none", loads: 1, call: signIn},
		{operation: "SignIn without a factor", state: "disabled", loads: 1, saves: 1, call: signIn},
		{operation: "SignIn by a device", state: "trusted", loads: 1, saves: 1, call: signIn},
		{operation: "SignIn by a bypass", state: "bypassed", loads: 1, saves: 1, call: signIn},
		{operation: "SignIn+Import", state: "none", loads: 1, saves: 2, call: moveIn},
		{operation: "SignIn+Import of nothing more", state: "confirmed", loads: 1, call: moveIn},
		{operation: "SignIn that is remembered", state: "watched", loads: 1, saves: 1, call: signIn},
		{operation: "SignIn from elsewhere, and again", state: "watched", loads: 2, saves: 1, call: func(ctx C, s S, g G) error {
			return errors.Join(fromElsewhere(ctx, s, g), fromElsewhere(ctx, s, g))
		}},
		{operation: "SignIn from elsewhere that is due", state: "unheard", loads: 1, call: fromElsewhere},
		{operation: "Answer that takes a sign-in back", state: "watched", loads: 2, saves: 2, call: func(ctx C, s S, g G) error {
			ctx = enrollment.WithOrigin(ctx, states.Elsewhere)
			return errors.Join(signIn(ctx, s, g), answer(S.Right)(ctx, s, g))
		}},
		{operation: "Answer that tells of a sign-in", state: "unheard", loads: 1, saves: 2, call: answer(S.Right)},
		{operation: "Answer", state: "confirmed", loads: 1, saves: 1, call: answer(S.Right)},
		{operation: "Answer after SignIn: nothing is kept in between", state: "confirmed", loads: 2, saves: 1, call: func(ctx C, s S, g G) error {
			if err := signIn(ctx, s, g); err != nil {
				return err
			}
			return answer(S.Right)(ctx, s, g)
		}},
		{operation: "Answer with a wrong code", state: "confirmed", loads: 1, saves: 1, want: enrollment.ReasonWrongCode, call: answer(S.Wrong)},
		{operation: "Answer with another wrong code", state: "guessed", loads: 1, saves: 1, want: enrollment.ReasonWrongCode, call: answer(S.Wrong)},
		{operation: "Answer with a typing error and without", state: "confirmed", loads: 2, saves: 2, call: func(ctx C, s S, g G) error {
			if err := answer(S.Wrong)(ctx, s, g); !errors.Is(err, enrollment.ReasonWrongCode) {
				return err
			}
			return answer(S.Right)(ctx, s, g)
		}},
		{operation: "Answer that tells of wrong codes", state: "guessed", loads: 1, saves: 2, call: answer(S.Right)},
		{operation: "Answer with a used code", state: "confirmed", loads: 1, want: enrollment.ReasonReplayed, call: answer(S.Used)},
		{operation: "Answer while locked", state: "locked", loads: 1, want: enrollment.ReasonLocked, call: answer(S.Right)},
		{operation: "Answer with a recovery code", state: "confirmed", loads: 1, saves: 2, call: answer(recoveryCode)},
		{operation: "Answer with a slow recovery code", state: "confirmed", slow: true, loads: 1, saves: 2, call: answer(recoveryCode)},
		{operation: "Answer with a slow wrong code", state: "confirmed", slow: true, loads: 1, saves: 1, want: enrollment.ReasonWrongCode, call: answer(S.Unknown)},
		{operation: "Answer with a slow code that is replaced", state: "replenished", slow: true, loads: 1, saves: 2, call: answer(recoveryCode)},
		{operation: "Answer with a delivered code", state: "sent", loads: 1, saves: 1, call: answer(func(s S) string { return s.Message })},
		{operation: "Answer with an imported code", state: "imported", loads: 1, saves: 2, call: answer(func(s S) string { return s.System[1] })},
		// That it is slow comes to light once the account is loaded.
		{operation: "Answer with a slow imported code", state: "imported slowly", slow: true, loads: 2, saves: 2, call: answer(func(s S) string { return s.System[2] })},
		{operation: "Answer that must replace", state: "outdated", loads: 1, saves: 1, want: enrollment.ReasonMustReplace, call: answer(S.Right)},
		{operation: "Begin+Replace by the token of the answer", state: "mending", loads: 1, saves: 1, call: begin(S.Replacing)},
		{operation: "Confirm the replacement", state: "mending", loads: 1, saves: 2, call: confirm},
		{operation: "Verify", state: "confirmed", loads: 1, saves: 1, call: func(ctx C, s S, g G) error { _, err := g.Verify(ctx, user, "x", s.Right()); return err }},
		{operation: "RecentlyVerified", state: "confirmed", loads: 1, call: func(ctx C, s S, g G) error {
			_, err := g.RecentlyVerified(ctx, user, enrollment.PurposeSignIn, s.Receipt, time.Minute)
			return err
		}},
		{operation: "RenewCodes", state: "confirmed", loads: 1, saves: 2, call: proven(renew, byCode)},
		{operation: "RenewCodes slowly", state: "confirmed", slow: true, loads: 1, saves: 3, call: proven(renew, byCode)},
		{operation: "RenewCodes slowly by a recovery code", state: "confirmed", slow: true, loads: 1, saves: 3, call: proven(renew, byRecovery)},
		{operation: "PrepareRenewal", state: "confirmed", loads: 1, call: func(ctx C, _ S, g G) error { _, err := g.PrepareRenewal(ctx, user); return err }},
		{operation: "RenewCodesOnce", state: "shown", loads: 1, saves: 2, call: proven(renewOnce, byReceipt)},
		{operation: "RenewCodesOnce slowly", state: "shown", slow: true, loads: 1, saves: 3, call: proven(renewOnce, byCode)},
		{operation: "RenewCodesOnce again", state: "renewed", slow: true, loads: 1, want: enrollment.ReasonAlreadyRenewed, call: proven(renewOnce, byCode)},
		{operation: "RenewalCodes", state: "renewed", loads: 1, call: renewalCodes},
		{operation: "RenewalCodes slowly", state: "renewed", slow: true, loads: 1, call: renewalCodes},
		{operation: "NewCode", state: "replenished", loads: 1, prepare: states.ReplaceCode, call: newCode},
		{operation: "NewCode slowly", state: "replenished", slow: true, loads: 1, prepare: states.ReplaceCode, call: newCode},
		{operation: "NewCode of a challenge that nobody has answered", state: "replenished", slow: true, loads: 1, want: enrollment.ReasonCodesNotKept, call: func(ctx C, s S, g G) error {
			_, _, err := g.NewCode(ctx, enrollment.PurposeSignIn, s.Challenge, s.Codes[1])
			return err
		}},
		{operation: "SetupCodes", state: "shown", loads: 1, call: setupCodes},
		{operation: "SetupCodes slowly", state: "shown", slow: true, loads: 1, call: setupCodes},
		{operation: "Confirm again", state: "shown", slow: true, loads: 1, want: enrollment.ReasonAlreadyConfirmed, call: func(ctx C, s S, g G) error {
			_, err := g.Confirm(ctx, user, s.Shown, s.Right())
			return err
		}},
		{operation: "RecoveryCodes", state: "kept", loads: 1, saves: 2, call: proven(show, byCode)},
		{operation: "Remove", state: "confirmed", loads: 1, saves: 2, call: proven(remove, byCode)},
		{operation: "Disable", state: "confirmed", loads: 1, saves: 2, call: proven(disable, byCode)},
		{operation: "Disable by a slow recovery code", state: "confirmed", slow: true, loads: 1, saves: 2, call: proven(disable, byRecovery)},
		{operation: "Status", state: "confirmed", loads: 1, call: func(ctx C, _ S, g G) error { _, err := g.Status(ctx, user); return err }},
		{operation: "ThreeCodes.Answer", state: "confirmed", loads: 1, saves: 1, wait: 2 * time.Minute, call: three(proving.Three)},
		{operation: "ThreeCodes.Answer while locked", state: "locked", loads: 1, saves: 1, wait: 2 * time.Minute, call: three(proving.Three)},
		{operation: "ThreeCodes.Answer with wrong codes", state: "locked", loads: 1, want: enrollment.ReasonWrongCode, call: three(func(k totp.Key, at time.Time) []string {
			return proving.NearMiss(proving.NearMiss(proving.Three(k, at), 0), 1)
		})},
		{operation: "ThreeCodes.Answer with a near miss", state: "locked", loads: 1, saves: 2, wait: 2 * time.Minute, want: enrollment.ReasonWrongCode, call: three(func(k totp.Key, at time.Time) []string {
			return proving.NearMiss(proving.Three(k, at), 1)
		})},
		{operation: "ThreeCodes.Answer with used codes", state: "confirmed", loads: 1, want: enrollment.ReasonReplayed, call: three(proving.Three)},
		{operation: "ThreeCodes.Resynchronize", state: "confirmed", loads: 1, saves: 2, prepare: states.AddToken, wait: 10 * time.Second, call: func(ctx C, s S, g G) error {
			return g.ThreeCodes().Resynchronize(ctx, user, s.SecondID, proving.Three(s.Hardware(), s.Now().Add(4*time.Minute)), byReceipt(s))
		}},
		{operation: "ThreeCodes.Verify", state: "confirmed", loads: 1, saves: 1, wait: 2 * time.Minute, call: func(ctx C, s S, g G) error {
			_, err := g.ThreeCodes().Verify(ctx, user, "x", proving.Three(s.App, s.Now()))
			return err
		}},
		{operation: "Devices.Trust", state: "confirmed", loads: 1, saves: 2, call: func(ctx C, s S, g G) error { _, err := g.Devices().Trust(ctx, user, s.Receipt, ""); return err }},
		{operation: "Devices.List", state: "trusted", loads: 1, call: func(ctx C, _ S, g G) error { _, err := g.Devices().List(ctx, user); return err }},
		{operation: "Devices.Revoke", state: "trusted", loads: 1, saves: 2, call: func(ctx C, s S, g G) error { return g.Devices().Revoke(ctx, user, s.Device.Device.ID) }},
		{operation: "Devices.Rename", state: "trusted", loads: 1, saves: 2, call: func(ctx C, s S, g G) error { return g.Devices().Rename(ctx, user, s.Device.Device.ID, "home") }},
		{operation: "Rename", state: "confirmed", loads: 1, saves: 2, call: func(ctx C, s S, g G) error { return g.Rename(ctx, user, s.SecondID, "work phone") }},
		{operation: "Rename to the same", state: "confirmed", loads: 1, call: func(ctx C, s S, g G) error { return g.Rename(ctx, user, s.SecondID, "Authenticator") }},
		{operation: "Devices.RevokeAll", state: "trusted", loads: 1, saves: 2, call: func(ctx C, _ S, g G) error { return g.Devices().RevokeAll(ctx, user) }},
		{operation: "Devices.RevokeAll of none", state: "confirmed", loads: 1, call: func(ctx C, _ S, g G) error { return g.Devices().RevokeAll(ctx, user) }},
		{operation: "Messages.Bind", state: "confirmed", loads: 1, saves: 1, call: proven(bind, byCode)},
		{operation: "Messages.Confirm", state: "binding", loads: 1, saves: 2, call: confirmAddress},
		{operation: "Messages.Confirm that makes codes slowly", state: "alone", slow: true, loads: 1, saves: 3, call: confirmAddress},
		{operation: "Messages.Send", state: "addressed", loads: 1, saves: 1, call: func(ctx C, s S, g G) error {
			_, err := g.Messages().Send(ctx, enrollment.PurposeSignIn, s.Challenge)
			return err
		}},
		{operation: "Messages.Unbind", state: "addressed", loads: 1, saves: 2, call: proven(unbind, byCode)},
		{operation: "ResetRequests.Open", state: "asking", loads: 1, saves: 2, call: func(ctx C, s S, g G) error { _, err := g.ResetRequests().Open(ctx, s.Challenge); return err }},
		{operation: "ResetRequests.Cancel", state: "asked", loads: 1, saves: 2, call: func(ctx C, _ S, g G) error { return g.ResetRequests().Cancel(ctx, user) }},
		{operation: "Admin.Reset", state: "confirmed", loads: 1, saves: 2, call: admin(func(ctx C, x enrollment.Admin, _ S) error {
			_, err := x.Reset(ctx, user, enrollment.ResetOptions{})
			return err
		})},
		{operation: "Admin.ApproveReset", state: "matured", loads: 1, saves: 2, call: admin(func(ctx C, x enrollment.Admin, _ S) error {
			_, err := x.ApproveReset(ctx, user, enrollment.ResetOptions{})
			return err
		})},
		{operation: "Admin.RefuseReset", state: "asked", loads: 1, saves: 2, call: admin(func(ctx C, x enrollment.Admin, _ S) error { return x.RefuseReset(ctx, user) })},
		{operation: "Admin.Unlock", state: "locked", loads: 1, saves: 2, call: admin(func(ctx C, x enrollment.Admin, _ S) error { return x.Unlock(ctx, user) })},
		{operation: "Admin.Bypass", state: "confirmed", loads: 1, saves: 2, call: admin(func(ctx C, x enrollment.Admin, s S) error { return x.Bypass(ctx, user, s.Now().Add(time.Hour)) })},
		{operation: "Admin.Import", state: "none", loads: 1, saves: 2, call: admin(func(ctx C, x enrollment.Admin, s S) error { return x.Import(ctx, user, s.Imported(false)) })},
		{operation: "Admin.Export", state: "confirmed", loads: 1, saves: 2, call: admin(func(ctx C, x enrollment.Admin, _ S) error { _, err := x.Export(ctx, user); return err })},
		{operation: "Admin.Move", state: "confirmed", loads: 6, saves: 5, call: admin(func(ctx C, x enrollment.Admin, _ S) error { return x.Move(ctx, user, "alicia") })},
		{operation: "Admin.Move once more", state: "confirmed", loads: 8, saves: 5, call: admin(func(ctx C, x enrollment.Admin, _ S) error {
			if err := x.Move(ctx, user, "alicia"); err != nil {
				return err
			}
			return x.Move(ctx, user, "alicia")
		})},
		{operation: "Admin.Erase", state: "confirmed", loads: 1, saves: 2, erases: 1, call: admin(func(ctx C, x enrollment.Admin, _ S) error { return x.Erase(ctx, user) })},
		{operation: "Admin.Erase of nobody", state: "none", loads: 1, call: admin(func(ctx C, x enrollment.Admin, _ S) error { return x.Erase(ctx, user) })},

		// Both users have something that is due: a reminder, and a setup that has
		// expired. The first Sweep of a Directory also walks over all accounts.
		{operation: "Directory.Sweep", state: "asked", wait: 25 * time.Hour, lists: 2, loads: 2, saves: 3, call: func(ctx C, s S, g G) error { _, err := s.DirectoryOf(g, s.Store).Sweep(ctx); return err }},
		{operation: "Directory.Sweep that tells of a sign-in", state: "unheard", lists: 2, loads: 1, saves: 2, call: func(ctx C, s S, g G) error {
			_, err := s.DirectoryOf(g, s.Store).Sweep(ctx)
			return err
		}},
		{operation: "Directory.Reseal", state: "confirmed", lists: 1, loads: 2, saves: 2, call: func(ctx C, s S, g G) error {
			ring, err := s.Keys.Rotate("later")
			s.Must(err)
			s.Keys.Ring = ring
			_, err = s.DirectoryOf(g, s.Store).Reseal(ctx, enrollment.ResealOptions{})
			return err
		}},
		{operation: "Directory.Reseal of nothing", state: "confirmed", lists: 1, call: func(ctx C, s S, g G) error {
			_, err := s.DirectoryOf(g, s.Store).Reseal(ctx, enrollment.ResealOptions{})
			return err
		}},
		{operation: "Directory.Statuses", state: "confirmed", lists: 1, call: func(ctx C, s S, g G) error {
			_, err := s.DirectoryOf(g, s.Store).Statuses(ctx, []string{user, states.Other})
			return err
		}},
	}
}

// How often each operation asks the store is a promise: it is most of the time
// that an operation takes, and a second look has to have a reason.
func TestStoreCalls(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the states are for SHA-1 and Argon2id")
	}
	table := tableOfCalls()
	for _, x := range table {
		t.Run(x.operation, func(t *testing.T) {
			t.Parallel()
			scheme := recovery.Fast
			if x.slow {
				scheme = recovery.Argon2id
			}
			s := states.New(t, x.state, scheme)
			if x.prepare != nil {
				x.prepare(s)
			}
			s.Pass(x.wait)
			g := s.Node(func(c *enrollment.Config) { c.Notify = states.Taken })
			s.Store.Reset()
			proving.Want(t, x.call(t.Context(), s, g), x.want)
			for _, calls := range []struct {
				op   proving.Op
				want int
			}{{proving.Load, x.loads}, {proving.Save, x.saves}, {proving.List, x.lists}, {proving.Erase, x.erases}} {
				if got := s.Store.Calls(calls.op); got != calls.want {
					t.Errorf("%d calls of %s, want %d", got, calls.op, calls.want)
				}
			}
		})
	}
	for _, row := range rowsOfStates(t) {
		if !slices.ContainsFunc(table, func(x storeCalls) bool { return strings.Fields(x.operation)[0] == row }) {
			t.Errorf("the calls of %s are not counted", row)
		}
	}
}

// rowsOfStates returns the operations of the table of states in STATES.md.
func rowsOfStates(t *testing.T) (rows []string) {
	t.Helper()
	source, err := os.ReadFile(proving.Source(t, "enrollment", "STATES.md"))
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for line := range strings.Lines(string(source)) {
		words := strings.Fields(line)
		switch {
		case inside && strings.HasPrefix(line, "```"):
			return rows
		case inside:
			rows = append(rows, words[0])
		case len(words) > 3 && slices.Equal(words[:4], []string{"operation", "none", "pending", "confirmed"}):
			inside = true
		}
	}
	t.Fatal("STATES.md has no table of states")
	return nil
}
