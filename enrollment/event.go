package enrollment

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// NotifyTimeout is how long Config.Notify may take for the events of one call
// before its context ends.
const NotifyTimeout = 10 * time.Second

// An EventKind is a stable word for what happened.
type EventKind string

// The kinds of events.
const (
	// Enabled: two-factor authentication was switched on.
	EventEnabled EventKind = "enabled"

	// EventAuthenticatorAdded: another authenticator was confirmed.
	EventAuthenticatorAdded EventKind = "authenticator_added"

	// EventAuthenticatorReplaced: an authenticator was confirmed in the place of
	// another.
	EventAuthenticatorReplaced EventKind = "authenticator_replaced"

	// EventAuthenticatorRemoved: one of several authenticators was removed.
	EventAuthenticatorRemoved EventKind = "authenticator_removed"

	// Disabled: two-factor authentication was switched off.
	EventDisabled EventKind = "disabled"

	// EventCodesRenewed: new recovery codes were made, the earlier ones are void.
	EventCodesRenewed EventKind = "codes_renewed"

	// EventRecoveryUsed: a recovery code was used.
	EventRecoveryUsed EventKind = "recovery_used"

	// EventLocked: the fifth wrong code in a row began the first wait, or a wrong
	// code left less than one unit of the long-run budget. Somebody who has the
	// first factor is guessing, or has the wrong phone at hand. The longer waits
	// that follow in the same run are not told again.
	EventLocked EventKind = "locked"

	// EventFactorDisabled: codes of the factor are not evaluated any more after 100
	// wrong ones in a row, or 60 units of guessing at several authenticators.
	EventFactorDisabled EventKind = "factor_disabled"

	// EventCodesShown: the recovery codes were shown again.
	EventCodesShown EventKind = "codes_shown"

	// EventDeviceTrusted: a device signs in without a code from now on.
	EventDeviceTrusted EventKind = "device_trusted"

	// EventDeviceRevoked: a device is not trusted any more, or none is where
	// Event.Name is empty.
	EventDeviceRevoked EventKind = "device_revoked"

	// EventAddressBound: codes can be delivered to an address, perhaps in the place
	// of an earlier one. The event names the channel and neither address: tell
	// the owner some other way than over the new one.
	EventAddressBound EventKind = "address_bound"

	// EventAddressRemoved: codes are not delivered any more.
	EventAddressRemoved EventKind = "address_removed"

	// Reset: two-factor authentication was taken away by an administrator, or
	// after a request that has matured.
	EventReset EventKind = "reset"

	// Unlocked: an administrator has ended the waits.
	EventUnlocked EventKind = "unlocked"

	// EventBypassGranted: an administrator lets the user sign in without a second
	// factor for a while.
	EventBypassGranted EventKind = "bypass_granted"

	// EventResetRequested: somebody who has the first factor has asked for the second
	// to be taken away. Cancel it if it was not you.
	EventResetRequested EventKind = "reset_requested"

	// EventResetReminder: the request is still open, a day later.
	EventResetReminder EventKind = "reset_reminder"

	// EventResetMatured: the request can be approved now.
	EventResetMatured EventKind = "reset_matured"

	// EventResetCancelled: the owner has cancelled the request, or a code was right.
	EventResetCancelled EventKind = "reset_cancelled"

	// EventResetRefused: an administrator has refused the request.
	EventResetRefused EventKind = "reset_refused"

	// Imported: the account was set up with what another system knew.
	EventImported EventKind = "imported"

	// Exported: an administrator has read the secrets of the authenticators.
	EventExported EventKind = "exported"

	// Erased: the account is about to be deleted.
	EventErased EventKind = "erased"
)

var eventKinds = map[account.EventKind]EventKind{
	account.EventEnabled:               EventEnabled,
	account.EventAuthenticatorAdded:    EventAuthenticatorAdded,
	account.EventAuthenticatorReplaced: EventAuthenticatorReplaced,
	account.EventAuthenticatorRemoved:  EventAuthenticatorRemoved,
	account.EventDisabled:              EventDisabled,
	account.EventCodesRenewed:          EventCodesRenewed,
	account.EventRecoveryUsed:          EventRecoveryUsed,
	account.EventLocked:                EventLocked,
	account.EventFactorDisabled:        EventFactorDisabled,
	account.EventCodesShown:            EventCodesShown,
	account.EventDeviceTrusted:         EventDeviceTrusted,
	account.EventDeviceRevoked:         EventDeviceRevoked,
	account.EventAddressBound:          EventAddressBound,
	account.EventAddressRemoved:        EventAddressRemoved,
	account.EventReset:                 EventReset,
	account.EventUnlocked:              EventUnlocked,
	account.EventBypassGranted:         EventBypassGranted,
	account.EventResetRequested:        EventResetRequested,
	account.EventResetReminder:         EventResetReminder,
	account.EventResetMatured:          EventResetMatured,
	account.EventResetCancelled:        EventResetCancelled,
	account.EventResetRefused:          EventResetRefused,
	account.EventImported:              EventImported,
	account.EventExported:              EventExported,
	account.EventErased:                EventErased,
}

// EventKinds returns every kind there is, in alphabetical order, for hosts that
// check that they have words for each. The list grows with later versions.
func EventKinds() []EventKind { return slices.Sorted(maps.Values(eventKinds)) }

// An Event is a change that the owner of an account should hear of. It holds
// no secret and no code.
type Event struct {
	// ID is unique over all events of all users, and stays the same when an
	// event is delivered again.
	ID string `json:"id"`

	// UserID is whose account it is.
	UserID string `json:"user_id"`

	// Kind is what happened. A later version of the library can store kinds
	// that this one does not know; they read "event(n)".
	Kind EventKind `json:"kind"`

	// At is when it happened, in UTC.
	At time.Time `json:"at"`

	// Factor is what authorised the change, or for EventLocked and EventFactorDisabled what
	// was guessed at; empty where neither applies.
	Factor Factor `json:"factor,omitempty"`

	// Name is the name of the authenticator or the device that the event is
	// about, or the channel of the address.
	Name string `json:"name,omitempty"`

	// Method is how the host had checked the first factor again, where that
	// authorised the change; see ByReauth. It is "self-service" for a Reset that
	// nobody had to approve.
	Method string `json:"method,omitempty"`

	// Actor is the administrator who did it; see [Guard.Admin].
	Actor string `json:"actor,omitempty"`

	// Note is the reason that the administrator gave.
	Note string `json:"note,omitempty"`

	// Count is how many events it stands for: 1, or more where an account had
	// so many that were not delivered that events of one kind were folded into
	// the latest.
	Count int `json:"count"`
}

func eventOf(userID string, e account.Event) Event {
	kind, ok := eventKinds[e.Kind]
	if !ok {
		kind = EventKind(fmt.Sprintf("event(%d)", e.Kind))
	}
	return Event{
		ID:     hex.EncodeToString(e.ID[:]),
		UserID: userID,
		Kind:   kind,
		At:     e.At,
		Factor: factorOf(e.Factor),
		Name:   e.Name,
		Method: e.Method,
		Actor:  e.Actor,
		Note:   e.Reason,
		Count:  1,
	}
}

// logEvents writes a line for each event that was stored.
func (g *Guard) logEvents(ctx context.Context, userID string, events []account.Event) {
	for _, x := range events {
		e := eventOf(userID, x)
		level := slog.LevelInfo
		if e.Kind == EventLocked || e.Kind == EventFactorDisabled {
			level = slog.LevelWarn
		}
		g.config.Logger.LogAttrs(ctx, level, "twofactor event",
			slog.String("user", userID), slog.String("event", string(e.Kind)), slog.String("id", e.ID),
			slog.String("factor", string(e.Factor)), slog.String("name", e.Name),
			slog.String("method", e.Method), slog.String("actor", e.Actor), slog.String("note", e.Note))
		g.observe(ctx, Observation{Event: e.Kind, Factor: e.Factor})
	}
}

// deliver tells the host of events, and acknowledges what it has taken in b,
// where they are stored; nil if they are not. It returns how many that were.
// Nothing that goes wrong here reaches the caller: the account keeps what was
// not acknowledged.
func (g *Guard) deliver(ctx context.Context, userID string, b *base, events []account.Undelivered) int {
	if len(events) == 0 {
		return 0
	}
	notifyCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), NotifyTimeout)
	defer cancel()
	var taken []account.EventID
	for _, u := range events {
		event := eventOf(userID, u.Event)
		event.Count = u.Count
		if err := g.notify(notifyCtx, event); err != nil {
			g.config.Logger.LogAttrs(ctx, slog.LevelError, "twofactor event not delivered",
				slog.String("user", userID), slog.String("id", event.ID), slog.Any("error", err))
			continue
		}
		taken = append(taken, u.Event.ID)
	}
	if len(taken) == 0 || b == nil {
		return len(taken)
	}
	ack := edit{guard: g, user: userID, from: b}
	if err := ack.run(ctx, func(a *account.Account, m account.Moment) error { return a.Acknowledge(m, taken) }); err != nil {
		g.config.Logger.LogAttrs(ctx, slog.LevelError, "twofactor events not acknowledged",
			slog.String("user", userID), slog.Any("error", err))
	}
	return len(taken)
}

// notify calls the host. A panic there is an error here: the change is stored,
// and its answer must reach the caller.
func (g *Guard) notify(ctx context.Context, e Event) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("enrollment: Config.Notify panicked: %v", v)
		}
	}()
	if err := ctx.Err(); err != nil {
		return err // the time was used up by the events before
	}
	return g.config.Notify(ctx, e)
}
