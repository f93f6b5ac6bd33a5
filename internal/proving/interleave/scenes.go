package interleave

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

// A scene is a state to start from, the operations that are run from there, and
// what is tried afterwards.
type scene struct {
	state  string
	core   []operation // what spends or counts something, and what takes it away
	others []operation
	short  []operation // with one write at most, for three at once
	probes []probe
}

// An operation is one call of a Guard. It returns what the caller was told besides
// the error, as far as that is not drawn at random.
type operation struct {
	name string
	run  func(ctx context.Context, s *states.State, n node) (string, error)
}

// A probe tries something on a copy of the account, and returns what came of it.
type probe func(ctx context.Context, s *states.State, n node) string

// scenes are what is walked.
func scenes() []scene {
	return []scene{
		{
			state: "staged",
			core:  []operation{answerApp, verifyApp, verifyWrong, verifyRecovery, confirm, disable, renew},
			others: []operation{
				answerRecovery, verifyWrongRecovery, remove, begin, beginByCode, cancel, trust, rename, bind,
				signIn, unlock, reset, bypass, export, erase, sweep,
			},
			short:  []operation{answerApp, verifyApp, verifyWrong, cancel},
			probes: []probe{tryApp, tryRecovery, tryChallenge, tryReceipt, trySetup},
		},
		{
			state:  "locked",
			core:   []operation{answerApp, verifyWrong, verifyRecovery, verifyWrongRecovery},
			others: []operation{disable, unlock, renew, signIn, sweep},
			short:  []operation{answerApp, verifyWrong},
			probes: []probe{tryApp, tryRecovery, tryChallenge, tryReceipt},
		},
		{
			state:  "none",
			core:   []operation{beginFirst, beginDemanded, takeOver, signInImport},
			others: []operation{signIn, bypass, erase},
			short:  []operation{beginFirst, beginDemanded, takeOver, signIn},
			probes: []probe{tryApp},
		},
		{
			state:  "pending",
			core:   []operation{confirm, confirmWrong, beginFirst, beginDemanded},
			others: []operation{cancel, takeOver, signInImport, signIn, erase, sweep},
			short:  []operation{confirmWrong, beginFirst, cancel},
			probes: []probe{trySetup, tryApp, guessesBy(confirmWrong)},
		},
		{
			state:  "sent",
			core:   []operation{answerMessage, answerWrongMessage, answerApp, send},
			others: []operation{unbind, disable, verifyRecovery, bind, sweep},
			short:  []operation{answerMessage, answerWrongMessage, answerApp},
			probes: []probe{tryMessage, tryApp, tryChallenge, tryReceipt, guessesBy(answerWrongMessage)},
		},
		{
			state:  "trusted",
			core:   []operation{signInByDevice, trust, revoke},
			others: []operation{revokeAll, verifyRecovery, disable, renameDevice},
			short:  []operation{signInByDevice},
			probes: []probe{tryDevice, tryReceipt},
		},
		{
			state:  "asked",
			core:   []operation{ask, answerApp, approveReset},
			others: []operation{verifyWrong, cancelReset, refuseReset, sweep},
			probes: []probe{tryApp, tryChallenge},
		},
		tokenScene(),
		shownScene(),
		replacingScene(),
		bindingScene(),
		watchedScene(),
		mendingScene(),
		{
			state:  "replenished",
			core:   []operation{verifyRecovery, verifySecondRecovery, renew},
			others: []operation{verifyWrongRecovery, showCodes},
			probes: []probe{tryRecovery, tryReceipt},
		},
	}
}

type (
	ctx = context.Context
	st  = *states.State
	gd  = node
)

// told is what a Success says.
func told(ok enrollment.Success) string {
	return fmt.Sprintf("by %s, %d codes left", ok.Factor, ok.CodesLeft)
}

func verify(name string, code func(s st) string) operation {
	return operation{name, func(ctx ctx, s st, g gd) (string, error) {
		ok, err := g.Verify(ctx, states.User, "x", code(s))
		return told(ok), err
	}}
}

func answer(name string, challenge func(s st) enrollment.Challenge, code func(s st) string) operation {
	return operation{name, func(ctx ctx, s st, g gd) (string, error) {
		ok, err := g.Answer(ctx, enrollment.PurposeSignIn, challenge(s), code(s))
		return told(ok), err
	}}
}

// change is an operation that returns an error alone.
func change(name string, run func(ctx ctx, s st, g gd) error) operation {
	return operation{name, func(ctx ctx, s st, g gd) (string, error) { return "", run(ctx, s, g) }}
}

func support(name string, run func(ctx ctx, s st, a enrollment.Admin) error) operation {
	return change(name, func(ctx ctx, s st, g gd) error { return run(ctx, s, g.Admin("root", "a test")) })
}

func challenge(s st) enrollment.Challenge { return s.Challenge }
func message(s st) enrollment.Challenge   { return s.Sent }
func recoveryCode(s st) string            { return s.Codes[1] }
func byReceipt(s st) enrollment.Proof     { return enrollment.ByReceipt(s.Receipt) }

var (
	verifyApp            = verify("verify", st.Right)
	verifyWrong          = verify("verify wrong", st.Wrong)
	verifyRecovery       = verify("verify recovery", recoveryCode)
	verifySecondRecovery = verify("verify second recovery", func(s st) string { return s.Codes[2] })
	verifyWrongRecovery  = verify("verify wrong recovery", st.Unknown)
	answerApp            = answer("answer", challenge, st.Right)
	answerRecovery       = answer("answer recovery", challenge, recoveryCode)
	answerMessage        = answer("answer message", message, func(s st) string { return s.Message })
	answerWrongMessage   = answer("answer wrong message", message, st.WrongMessage)

	signIn = operation{"sign in", func(ctx ctx, s st, g gd) (string, error) {
		d, err := g.SignIn(ctx, states.User, enrollment.SignInOptions{})
		return d.Next.String(), err
	}}
	signInByDevice = operation{"sign in by device", func(ctx ctx, s st, g gd) (string, error) {
		d, err := g.SignIn(ctx, states.User, enrollment.SignInOptions{Device: s.Device.Token})
		return d.Next.String(), err
	}}

	beginFirst = change("begin", func(ctx ctx, s st, g gd) error {
		_, err := g.Begin(ctx, states.User, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")})
		return err
	})
	beginDemanded = change("begin by token", func(ctx ctx, s st, g gd) error {
		_, err := g.Begin(ctx, states.User, enrollment.BeginOptions{Account: "a", Proof: s.Demanded()})
		return err
	})
	begin = change("begin", func(ctx ctx, s st, g gd) error {
		_, err := g.Begin(ctx, states.User, enrollment.BeginOptions{Account: "a", Proof: byReceipt(s)})
		return err
	})
	beginByCode = change("begin by code", func(ctx ctx, s st, g gd) error {
		_, err := g.Begin(ctx, states.User, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByCode(s.Right())})
		return err
	})
	confirm      = confirmWith("confirm", func(s st) string { return s.Code(s.Waits) })
	confirmWrong = confirmWith("confirm wrong", st.Wrong)
	cancel       = change("cancel", func(ctx ctx, s st, g gd) error { return g.Cancel(ctx, states.User) })
	disable      = change("disable", func(ctx ctx, s st, g gd) error { return g.Disable(ctx, states.User, byReceipt(s)) })
	remove       = change("remove", func(ctx ctx, s st, g gd) error { return g.Remove(ctx, states.User, s.SecondID, byReceipt(s)) })
	rename       = change("rename", func(ctx ctx, s st, g gd) error { return g.Rename(ctx, states.User, s.SecondID, "tablet") })
	renew        = change("renew", func(ctx ctx, s st, g gd) error {
		_, err := g.RenewCodes(ctx, states.User, byReceipt(s))
		return err
	})
	showCodes = change("show codes", func(ctx ctx, s st, g gd) error {
		_, err := g.RecoveryCodes(ctx, states.User, byReceipt(s))
		return err
	})

	trust = change("trust", func(ctx ctx, s st, g gd) error {
		_, err := g.Devices().Trust(ctx, states.User, s.Receipt, "browser")
		return err
	})
	revoke       = change("revoke", func(ctx ctx, s st, g gd) error { return g.Devices().Revoke(ctx, states.User, s.Device.Device.ID) })
	revokeAll    = change("revoke all", func(ctx ctx, s st, g gd) error { return g.Devices().RevokeAll(ctx, states.User) })
	renameDevice = change("rename device", func(ctx ctx, s st, g gd) error {
		return g.Devices().Rename(ctx, states.User, s.Device.Device.ID, "laptop")
	})

	bind = change("bind", func(ctx ctx, s st, g gd) error {
		_, err := g.Messages().Bind(ctx, states.User, enrollment.BindOptions{Channel: "sms", To: "+43 1 000 43", Proof: byReceipt(s)})
		return err
	})
	unbind = change("unbind", func(ctx ctx, s st, g gd) error { return g.Messages().Unbind(ctx, states.User, byReceipt(s)) })
	send   = change("send", func(ctx ctx, s st, g gd) error {
		_, err := g.Messages().Send(ctx, enrollment.PurposeSignIn, s.Challenge)
		return err
	})

	ask = change("ask for a reset", func(ctx ctx, s st, g gd) error {
		_, err := g.ResetRequests().Open(ctx, s.Challenge)
		return err
	})
	cancelReset  = change("cancel the reset", func(ctx ctx, s st, g gd) error { return g.ResetRequests().Cancel(ctx, states.User) })
	approveReset = support("approve the reset", func(ctx ctx, s st, a enrollment.Admin) error {
		_, err := a.ApproveReset(ctx, states.User, enrollment.ResetOptions{})
		return err
	})
	refuseReset = support("refuse the reset", func(ctx ctx, s st, a enrollment.Admin) error { return a.RefuseReset(ctx, states.User) })

	unlock = support("unlock", func(ctx ctx, s st, a enrollment.Admin) error { return a.Unlock(ctx, states.User) })
	reset  = support("reset", func(ctx ctx, s st, a enrollment.Admin) error {
		_, err := a.Reset(ctx, states.User, enrollment.ResetOptions{})
		return err
	})
	bypass = support("bypass", func(ctx ctx, s st, a enrollment.Admin) error {
		return a.Bypass(ctx, states.User, s.Now().Add(time.Hour))
	})
	export = support("export", func(ctx ctx, s st, a enrollment.Admin) error {
		_, err := a.Export(ctx, states.User)
		return err
	})
	erase    = support("erase", func(ctx ctx, s st, a enrollment.Admin) error { return a.Erase(ctx, states.User) })
	takeOver = support("import", func(ctx ctx, s st, a enrollment.Admin) error { return a.Import(ctx, states.User, s.Imported(false)) })

	sweep = operation{"sweep", func(ctx ctx, s st, g gd) (string, error) {
		d, err := enrollment.NewDirectory(g.Guard, g.store)
		if err != nil {
			return "", err
		}
		swept, err := d.Sweep(ctx)
		if err == nil && swept.Failed.Total > 0 {
			err = errFault
		}
		return "", err
	}}
)

func confirmWith(name string, code func(s st) string) operation {
	return operation{name, func(ctx ctx, s st, g gd) (string, error) {
		done, err := g.Confirm(ctx, states.User, s.Token, code(s))
		return fmt.Sprintf("%s, %d codes", told(done.Success), done.Codes.Len()), err
	}}
}

// tries returns a probe that returns the reasons of these calls.
func tries(name string, calls ...func(ctx ctx, s st, g gd) error) probe {
	return func(ctx ctx, s st, g gd) string {
		text := name
		for _, call := range calls {
			text += fmt.Sprintf(", %q", proving.ReasonOf(call(ctx, s, g)))
		}
		return text
	}
}

func errorOf(op operation) func(ctx ctx, s st, g gd) error {
	return func(ctx ctx, s st, g gd) error { _, err := op.run(ctx, s, g); return err }
}

var (
	tryApp = tries("app codes", errorOf(verifyApp),
		errorOf(verify("", func(s st) string { return s.Code(s.Second) })),
		errorOf(verify("", func(s st) string { return s.Code(s.Waits) })),
		errorOf(verify("", st.Next)))
	tryRecovery  = tries("recovery codes", errorOf(verifyRecovery), errorOf(verifySecondRecovery))
	tryChallenge = tries("challenge", errorOf(answer("", challenge, func(s st) string { return s.Code(s.Second, 1) })),
		errorOf(answer("", challenge, func(s st) string { return s.Codes[3] })))
	tryMessage = tries("message", errorOf(answerMessage))
	tryReceipt = tries("receipt", errorOf(trust), errorOf(disable))
	trySetup   = tries("setup", errorOf(confirm))
)

// tryDevice is what sign-in asks of the trusted device.
func tryDevice(ctx ctx, s st, g gd) string {
	next, err := signInByDevice.run(ctx, s, g)
	return fmt.Sprintf("device: %s, %v", next, err)
}
