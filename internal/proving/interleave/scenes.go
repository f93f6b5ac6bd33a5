package interleave

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

// scenes are what is walked: from each state, its operations with each other and with what
// can come at any time, each beside a move of the account, and each beside a change of the
// key. Those of different states meet in the busy one.
func scenes() []scene {
	own := fromStates()
	for i := range own {
		own[i] = own[i].anyTime()
	}
	all := append(slices.Clip(own), busyScene().anyTime())
	for _, s := range own {
		all = append(all, movingScene(s), resealingScene(s))
	}
	for writes := range moveWrites {
		all = append(all, interruptedScene(writes+1))
	}
	return append(all, newIDScene(), movesScene())
}

// fromStates are the scenes of the operations of users and of those who help them.
func fromStates() []scene {
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
			alerts: true,
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
			state:  "matured",
			core:   []operation{ask, answerApp, approveReset},
			others: []operation{verifyWrong, verifyRecovery, cancelReset, refuseReset, beginByCode, signIn, export, sweep},
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
	return operation{name: name, run: func(ctx ctx, s st, g gd) (string, error) {
		ok, err := g.Verify(ctx, g.user, "x", code(s))
		return told(ok), err
	}}
}

func answer(name string, challenge func(s st) enrollment.Challenge, code func(s st) string) operation {
	return operation{name: name, run: func(ctx ctx, s st, g gd) (string, error) {
		ok, err := g.Answer(ctx, enrollment.PurposeSignIn, challenge(s), code(s))
		return told(ok), err
	}}
}

// change is an operation that returns an error alone.
func change(name string, run func(ctx ctx, s st, g gd) error) operation {
	return operation{name: name, run: func(ctx ctx, s st, g gd) (string, error) { return "", run(ctx, s, g) }}
}

func support(name string, run func(ctx ctx, s st, a admin) error) operation {
	return change(name, func(ctx ctx, s st, g gd) error { return run(ctx, s, admin{g.Admin("root", "a test"), g.user}) })
}

func challenge(s st) enrollment.Challenge { return s.Challenge }
func message(s st) enrollment.Challenge   { return s.Sent }
func recoveryCode(s st) string            { return s.Codes[1] }
func byReceipt(s st) enrollment.Proof     { return enrollment.ByReceipt(s.Receipt) }

var (
	verifyApp            = spending("the app code", verify("verify", st.Right))
	verifyWrong          = verify("verify wrong", st.Wrong)
	verifyRecovery       = spending("the recovery code", verify("verify recovery", recoveryCode))
	verifySecondRecovery = verify("verify second recovery", func(s st) string { return s.Codes[2] })
	verifyWrongRecovery  = verify("verify wrong recovery", st.Unknown)
	answerApp            = spending("the app code", answer("answer", challenge, st.Right))
	answerRecovery       = spending("the recovery code", answer("answer recovery", challenge, recoveryCode))
	answerMessage        = answer("answer message", message, func(s st) string { return s.Message })
	answerWrongMessage   = answer("answer wrong message", message, st.WrongMessage)

	signIn = operation{name: "sign in", run: func(ctx ctx, s st, g gd) (string, error) {
		d, err := g.SignIn(ctx, g.user, enrollment.SignInOptions{})
		return d.Next.String(), err
	}}
	signInByDevice = operation{name: "sign in by device", run: func(ctx ctx, s st, g gd) (string, error) {
		d, err := g.SignIn(ctx, g.user, enrollment.SignInOptions{Device: s.Device.Token})
		return d.Next.String(), err
	}}

	beginFirst = change("begin", func(ctx ctx, s st, g gd) error {
		_, err := g.Begin(ctx, g.user, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")})
		return err
	})
	beginDemanded = change("begin by token", func(ctx ctx, s st, g gd) error {
		_, err := g.Begin(ctx, g.user, enrollment.BeginOptions{Account: "a", Proof: s.Demand})
		return err
	})
	begin = change("begin", func(ctx ctx, s st, g gd) error {
		_, err := g.Begin(ctx, g.user, enrollment.BeginOptions{Account: "a", Proof: byReceipt(s)})
		return err
	})
	beginByCode = spending("the app code", change("begin by code", func(ctx ctx, s st, g gd) error {
		_, err := g.Begin(ctx, g.user, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByCode(s.Right())})
		return err
	}))
	confirm      = confirmWith("confirm", func(s st) string { return s.Code(s.Waits) })
	confirmWrong = confirmWith("confirm wrong", st.Wrong)
	cancel       = change("cancel", func(ctx ctx, s st, g gd) error { return g.Cancel(ctx, g.user) })
	disable      = change("disable", func(ctx ctx, s st, g gd) error { return g.Disable(ctx, g.user, byReceipt(s)) })
	remove       = change("remove", func(ctx ctx, s st, g gd) error { return g.Remove(ctx, g.user, s.SecondID, byReceipt(s)) })
	rename       = change("rename", func(ctx ctx, s st, g gd) error { return g.Rename(ctx, g.user, s.SecondID, "tablet") })
	renew        = change("renew", func(ctx ctx, s st, g gd) error {
		_, err := g.RenewCodes(ctx, g.user, byReceipt(s))
		return err
	})
	showCodes = change("show codes", func(ctx ctx, s st, g gd) error {
		_, err := g.RecoveryCodes(ctx, g.user, byReceipt(s))
		return err
	})

	trust = change("trust", func(ctx ctx, s st, g gd) error {
		_, err := g.Devices().Trust(ctx, g.user, s.Receipt, "browser")
		return err
	})
	revoke       = change("revoke", func(ctx ctx, s st, g gd) error { return g.Devices().Revoke(ctx, g.user, s.Device.Device.ID) })
	revokeAll    = change("revoke all", func(ctx ctx, s st, g gd) error { return g.Devices().RevokeAll(ctx, g.user) })
	renameDevice = change("rename device", func(ctx ctx, s st, g gd) error {
		return g.Devices().Rename(ctx, g.user, s.Device.Device.ID, "laptop")
	})

	bind = change("bind", func(ctx ctx, s st, g gd) error {
		_, err := g.Messages().Bind(ctx, g.user, enrollment.BindOptions{Channel: "sms", To: "+43 1 000 43", Proof: byReceipt(s)})
		return err
	})
	unbind = change("unbind", func(ctx ctx, s st, g gd) error { return g.Messages().Unbind(ctx, g.user, byReceipt(s)) })
	send   = change("send", func(ctx ctx, s st, g gd) error {
		_, err := g.Messages().Send(ctx, enrollment.PurposeSignIn, s.Challenge)
		return err
	})

	ask = change("ask for a reset", func(ctx ctx, s st, g gd) error {
		_, err := g.ResetRequests().Open(ctx, s.Challenge)
		return err
	})
	cancelReset  = change("cancel the reset", func(ctx ctx, s st, g gd) error { return g.ResetRequests().Cancel(ctx, g.user) })
	approveReset = support("approve the reset", func(ctx ctx, s st, a admin) error {
		_, err := a.ApproveReset(ctx, a.user, enrollment.ResetOptions{})
		return err
	})
	refuseReset = support("refuse the reset", func(ctx ctx, s st, a admin) error { return a.RefuseReset(ctx, a.user) })

	unlock = support("unlock", func(ctx ctx, s st, a admin) error { return a.Unlock(ctx, a.user) })
	reset  = support("reset", func(ctx ctx, s st, a admin) error {
		_, err := a.Reset(ctx, a.user, enrollment.ResetOptions{})
		return err
	})
	bypass = support("bypass", func(ctx ctx, s st, a admin) error {
		return a.Bypass(ctx, a.user, s.Now().Add(time.Hour))
	})
	export = support("export", func(ctx ctx, s st, a admin) error {
		_, err := a.Export(ctx, a.user)
		return err
	})
	erase    = parted(2, support("erase", func(ctx ctx, s st, a admin) error { return a.Erase(ctx, a.user) }))
	takeOver = support("import", func(ctx ctx, s st, a admin) error { return a.Import(ctx, a.user, s.Imported(false)) })

	sweep = operation{name: "sweep", skips: true, run: func(ctx ctx, s st, g gd) (string, error) {
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
	return operation{name: name, run: func(ctx ctx, s st, g gd) (string, error) {
		done, err := g.Confirm(ctx, g.user, s.Token, code(s))
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
