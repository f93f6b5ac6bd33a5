package enrollment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// An Operation is a stable word for the method that was called, in the log and in an
// [Observation]: the name of the method in snake case, for example renew_codes. If
// several types have a method of that name, a word is added, as in trust_device and
// confirm_address. RenewCodesOnce is renew_codes too, and EraseUnreadable is erase.
// [Operations] returns all of them.
//
// A method without such a word is not counted. SignIn is counted only if something
// replaced the code, or if it imported. So most of its faults are not counted: count the
// errors that it returns. Sweep is counted once for each account that was due.
//
// The operation repair_due is not a method. It is counted once for each account whose
// Due in the database was wrong when the account was saved. Only the library should
// write there, so find out who else did.
type Operation string

const (
	// Of Guard.
	opBegin         Operation = "begin"
	opConfirm       Operation = "confirm"
	opCancel        Operation = "cancel"
	opSignIn        Operation = "sign_in"
	opAnswer        Operation = "answer"
	opVerify        Operation = "verify"
	opRenewCodes    Operation = "renew_codes"
	opRecoveryCodes Operation = "recovery_codes"
	opSetupCodes    Operation = "setup_codes"
	opRenewalCodes  Operation = "renewal_codes"
	opNewCode       Operation = "new_code"
	opRemove        Operation = "remove"
	opDisable       Operation = "disable"
	opRename        Operation = "rename"

	// Of ThreeCodes.
	opAnswerThree   Operation = "answer_three_codes"
	opVerifyThree   Operation = "verify_three_codes"
	opResynchronize Operation = "resynchronize"

	// Of Devices.
	opTrustDevice   Operation = "trust_device"
	opRevokeDevice  Operation = "revoke_device"
	opRevokeDevices Operation = "revoke_devices"
	opRenameDevice  Operation = "rename_device"

	// Of Messages.
	opBind           Operation = "bind"
	opConfirmAddress Operation = "confirm_address"
	opSend           Operation = "send"
	opUnbind         Operation = "unbind"

	// Of ResetRequests.
	opRequestReset Operation = "request_reset"
	opCancelReset  Operation = "cancel_reset"

	// Of Admin.
	opReset        Operation = "reset"
	opApproveReset Operation = "approve_reset"
	opRefuseReset  Operation = "refuse_reset"
	opUnlock       Operation = "unlock"
	opBypass       Operation = "bypass"
	opImport       Operation = "import"
	opExport       Operation = "export"
	opErase        Operation = "erase"
	opMove         Operation = "move"

	// Of Directory.
	opSweep Operation = "sweep"

	// Of any of them.
	opRepairDue Operation = "repair_due"
)

var operations = []Operation{
	opBegin, opConfirm, opCancel, opSignIn, opAnswer, opVerify, opRenewCodes, opRecoveryCodes, opSetupCodes, opRenewalCodes, opNewCode, opRemove, opDisable,
	opRename, opRenameDevice,
	opAnswerThree, opVerifyThree, opResynchronize,
	opTrustDevice, opRevokeDevice, opRevokeDevices,
	opBind, opConfirmAddress, opSend, opUnbind,
	opRequestReset, opCancelReset,
	opReset, opApproveReset, opRefuseReset, opUnlock, opBypass, opImport, opExport, opErase, opMove,
	opSweep, opRepairDue,
}

// Operations returns every operation in alphabetical order, to count each from zero.
// The list grows with later versions.
func Operations() []Operation { return slices.Sorted(slices.Values(operations)) }

// An Observation is one thing to count: the end of an operation, or an event. It
// names no user, so it can be a label of a metric with few values. The sum of the
// outcomes [ReasonWrongCode], [ReasonLocked] and [ReasonFactorDisabled] over all
// accounts shows an attack that stays below the throttle of each account.
type Observation struct {
	// Operation is the method that was called; "" for an event.
	Operation Operation

	// Outcome is how the operation ended, as the caller is told: "ok", the [Reason] of
	// a [Denied], "busy" for [ErrBusy], or "error" for any other error. It is "" for
	// an event.
	Outcome string

	// Factor is the factor of the code, or what replaced a code. It is "" if the
	// operation had none, and for the outcomes "busy" and "error".
	Factor Factor

	// Event is the kind of the event; "" for an operation.
	Event EventKind
}

// conclude counts the operation. It also logs the outcome if the operation loaded
// the account and was answered. It is deferred, so *result is what the caller gets.
func (e *edit) conclude(ctx context.Context, result *error) {
	if e.op == "" || e.guard.check() != nil {
		return
	}
	g, err := e.guard, *result
	o := Observation{Operation: e.op, Outcome: "ok"}
	denied := deniedIn(err)
	switch {
	case err == nil && e.returned, denied != nil:
		if o.Factor = factorOf(e.via); e.guess != nil {
			o.Factor = factorOf(cmp.Or(e.matched, e.guess.Factor))
		}
		if denied != nil {
			o.Outcome = string(denied.Reason)
			if denied.Factor != "" {
				o.Factor = denied.Factor
			}
		}
		if e.looked && g.config.Logger.Enabled(ctx, slog.LevelInfo) {
			g.config.Logger.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "twofactor "+string(e.op),
				slog.String("user", e.user), slog.String("factor", string(o.Factor)), slog.String("outcome", o.Outcome),
				slog.String("origin", originOf(ctx)))
		}
	case errors.Is(err, ErrBusy):
		o.Outcome = "busy"
	default:
		o.Outcome = "error"
	}
	g.observe(ctx, o)
}

// repaired counts an account whose stored Due was wrong and was corrected by a
// save.
func (g *Guard) repaired(ctx context.Context, userID string) {
	g.config.Logger.LogAttrs(ctx, slog.LevelWarn, "twofactor "+string(opRepairDue), slog.String("user", userID),
		slog.String("note", "the database had another Due than the account"))
	g.observe(ctx, Observation{Operation: opRepairDue, Outcome: "ok"})
}

// observe calls Config.Observe. A panic there must not keep a stored answer from
// the caller.
func (g *Guard) observe(ctx context.Context, o Observation) {
	defer func() {
		if v := recover(); v != nil {
			g.config.Logger.LogAttrs(context.WithoutCancel(ctx), slog.LevelError, "twofactor observation not counted",
				slog.String("error", fmt.Sprintf("Config.Observe panicked: %v", v)))
		}
	}()
	g.config.Observe(o)
}
