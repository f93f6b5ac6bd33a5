package enrollment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// An Observation is one thing to count: how an operation ended, or an event. It
// names no user, so that it makes a label of a metric with few values. The sum
// of the outcomes [ReasonWrongCode], [ReasonLocked] and [ReasonFactorDisabled] over all accounts
// shows an attack that stays below the throttle of each.
type Observation struct {
	// Operation is what was called, in the words of the log; "" for an event.
	// Of the Guard: "begin", "confirm", "cancel", "sign_in" (only where
	// something took the place of a code), "answer", "verify", "new_codes",
	// "codes", "remove", "disable". Of Devices: "trust_device",
	// "revoke_device", "revoke_devices". Of Messages: "bind", "confirm_address",
	// "send", "unbind". Of Resets: "request_reset", "cancel_reset". Of Admin:
	// "reset", "approve_reset", "refuse_reset", "unlock", "bypass", "erase",
	// "import", "export". Of Directory: "sweep", once for each account that was
	// due.
	Operation string

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
	if e.op == "" || e.guard == nil { // of the zero Admin
		return
	}
	ctx = context.WithoutCancel(ctx)
	g, err := e.guard, *result
	o := Observation{Operation: e.op, Outcome: "ok"}
	denied, no := err.(*Denied)
	switch {
	case err == nil && e.returned, no:
		if o.Factor = factorOf(e.via); e.guess != nil {
			o.Factor = factorOf(cmp.Or(e.guess.matched, e.guess.Factor))
		}
		if no {
			o.Outcome = string(denied.Reason)
			if denied.Factor != "" {
				o.Factor = denied.Factor
			}
		}
		if e.looked {
			g.config.Logger.LogAttrs(ctx, slog.LevelInfo, "twofactor "+e.op,
				slog.String("user", e.user), slog.String("factor", string(o.Factor)), slog.String("outcome", o.Outcome))
		}
	case errors.Is(err, ErrBusy):
		o.Outcome = "busy"
	default:
		o.Outcome = "error"
	}
	g.observe(ctx, o)
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
