package enrollment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// An Operation is a stable word for what was called, in the log and in an
// [Observation]: the name of the method in snake case, for example renew_codes,
// with a word more where several types have a method of that name.
//
// It is a Begin, Confirm, Cancel, Answer, Verify, RenewCodes, RecoveryCodes,
// Remove or Disable of the [Guard], or a SignIn in which something took the place
// of a code; a Trust, Revoke or RevokeAll of [Devices] (trust_device,
// revoke_device, revoke_devices); a Bind, Confirm, Send or Unbind of [Messages]
// (confirm_address); an Open or Cancel of [ResetRequests] (request_reset,
// cancel_reset); any method of [Admin]; or, once for each account that was due,
// the Sweep of a [Directory].
//
// One more, repair_due, is counted once for each account that was saved with its
// own Due because the database had another one, whatever saved it. Nobody but the
// library has reason to write there.
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
	opRemove        Operation = "remove"
	opDisable       Operation = "disable"

	// Of Devices.
	opTrustDevice   Operation = "trust_device"
	opRevokeDevice  Operation = "revoke_device"
	opRevokeDevices Operation = "revoke_devices"

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

	// Of Directory.
	opSweep Operation = "sweep"

	// Of any of them.
	opRepairDue Operation = "repair_due"
)

var operations = []Operation{
	opBegin, opConfirm, opCancel, opSignIn, opAnswer, opVerify, opRenewCodes, opRecoveryCodes, opRemove, opDisable,
	opTrustDevice, opRevokeDevice, opRevokeDevices,
	opBind, opConfirmAddress, opSend, opUnbind,
	opRequestReset, opCancelReset,
	opReset, opApproveReset, opRefuseReset, opUnlock, opBypass, opImport, opExport, opErase,
	opSweep, opRepairDue,
}

// Operations returns every operation there is, in alphabetical order, for hosts
// that count each from zero. The list grows with later versions.
func Operations() []Operation { return slices.Sorted(slices.Values(operations)) }

// An Observation is one thing to count: how an operation ended, or an event. It
// names no user, so it makes a label of a metric with few values. The sum of the
// outcomes [ReasonWrongCode], [ReasonLocked] and [ReasonFactorDisabled] over all
// accounts shows an attack that stays below the throttle of each.
type Observation struct {
	// Operation is what was called; "" for an event.
	Operation Operation

	// Outcome is how it ended, as the caller is told: "ok", the [Reason] of a
	// Denied, "busy" for [ErrBusy], or "error" for all else that is no answer.
	Outcome string

	// Factor is what a code was taken for, or what took its place; "" where the
	// operation had none, and with the outcomes "busy" and "error".
	Factor Factor

	// Event is the kind of the event; "" for an operation.
	Event EventKind
}

// conclude has the operation counted, and writes the line that says how it ended
// if it ended with an answer that took looking at the account. It is deferred,
// so that *result is what the caller gets, whatever that is.
func (e *edit) conclude(ctx context.Context, result *error) {
	if e.op == "" || e.guard.check() != nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
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
		if e.looked {
			g.config.Logger.LogAttrs(ctx, slog.LevelInfo, "twofactor "+string(e.op),
				slog.String("user", e.user), slog.String("factor", string(o.Factor)), slog.String("outcome", o.Outcome))
		}
	case errors.Is(err, ErrBusy):
		o.Outcome = "busy"
	default:
		o.Outcome = "error"
	}
	g.observe(ctx, o)
}

// repaired counts an account whose Due was put right by being saved.
func (g *Guard) repaired(ctx context.Context, userID string) {
	g.config.Logger.LogAttrs(ctx, slog.LevelWarn, "twofactor "+string(opRepairDue), slog.String("user", userID),
		slog.String("note", "the database had another Due than the account"))
	g.observe(ctx, Observation{Operation: opRepairDue, Outcome: "ok"})
}

// observe calls the host. What goes wrong there must not keep the caller from
// an answer that is stored.
func (g *Guard) observe(ctx context.Context, o Observation) {
	defer func() {
		if v := recover(); v != nil {
			g.config.Logger.LogAttrs(ctx, slog.LevelError, "twofactor observation not counted",
				slog.String("error", fmt.Sprintf("Config.Observe panicked: %v", v)))
		}
	}()
	g.config.Observe(o)
}
