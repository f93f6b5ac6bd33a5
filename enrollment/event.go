package enrollment

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// An EventKind is a stable word for what happened: the name of the constant in
// snake case, for example "codes_renewed".
type EventKind string

// The kinds of events.
const (
	// EventEnabled means that two-factor authentication was switched on.
	EventEnabled EventKind = "enabled"

	// EventAuthenticatorAdded means that another authenticator was confirmed.
	EventAuthenticatorAdded EventKind = "authenticator_added"

	// EventAuthenticatorReplaced means that an authenticator was confirmed and
	// another one removed with it.
	EventAuthenticatorReplaced EventKind = "authenticator_replaced"

	// EventAuthenticatorRemoved means that one of several authenticators was
	// removed.
	EventAuthenticatorRemoved EventKind = "authenticator_removed"

	// EventDisabled means that two-factor authentication was switched off.
	EventDisabled EventKind = "disabled"

	// EventCodesRenewed means that new recovery codes were made. The earlier ones
	// no longer work.
	EventCodesRenewed EventKind = "codes_renewed"

	// EventRecoveryUsed means that a recovery code was used.
	EventRecoveryUsed EventKind = "recovery_used"

	// EventLocked means that the fifth wrong code in a row started the first wait, or
	// that a wrong code spent the last of the long-run budget. Either somebody who has
	// the first factor is guessing, or the owner is using the wrong phone. The longer
	// waits that follow in the same run cause no event.
	EventLocked EventKind = "locked"

	// EventFactorDisabled means that codes of the factor are no longer evaluated,
	// after 100 wrong ones in a row, or 60 units of guessing at several authenticators.
	EventFactorDisabled EventKind = "factor_disabled"

	// EventCodesShown means that the recovery codes were shown again.
	EventCodesShown EventKind = "codes_shown"

	// EventDeviceTrusted means that a device can sign in without a code from now on.
	EventDeviceTrusted EventKind = "device_trusted"

	// EventDeviceRevoked means that a device is no longer trusted. An empty
	// Event.Name means that trust in all devices was revoked.
	EventDeviceRevoked EventKind = "device_revoked"

	// EventAddressBound means that codes can be delivered to an address, which may
	// have replaced another one. The event names the channel, but no address. Use
	// another way than the new address to tell the owner.
	EventAddressBound EventKind = "address_bound"

	// EventAddressRemoved means that codes are no longer delivered.
	EventAddressRemoved EventKind = "address_removed"

	// EventReset means that an administrator, or a request for a reset that has
	// matured, switched two-factor authentication off.
	EventReset EventKind = "reset"

	// EventUnlocked means that an administrator ended the waits.
	EventUnlocked EventKind = "unlocked"

	// EventBypassGranted means that an administrator lets the user sign in without
	// a second factor for a while.
	EventBypassGranted EventKind = "bypass_granted"

	// EventResetRequested means that somebody who has the first factor asks to have
	// the second one removed. Ask the owner to cancel the request if somebody else
	// made it.
	EventResetRequested EventKind = "reset_requested"

	// EventResetReminder means that the request is still open. It is sent once a day.
	EventResetReminder EventKind = "reset_reminder"

	// EventResetMatured means that the request can be approved now.
	EventResetMatured EventKind = "reset_matured"

	// EventResetCancelled means that the owner cancelled the request or gave a right
	// code.
	EventResetCancelled EventKind = "reset_cancelled"

	// EventResetRefused means that an administrator refused the request.
	EventResetRefused EventKind = "reset_refused"

	// EventImported means that the account was set up with the second factor of
	// another system, by [Admin.Import] or at a sign-in.
	EventImported EventKind = "imported"

	// EventExported means that an administrator read the secrets of the
	// authenticators.
	EventExported EventKind = "exported"

	// EventErased means that the account is about to be deleted, or that one that can't
	// be opened was deleted.
	EventErased EventKind = "erased"

	// EventMoved means that the account was moved to this user id from another one;
	// see [Admin.Move].
	EventMoved EventKind = "moved"

	// EventDevicesForgotten means that devices were trusted and no longer are, because of
	// the change or the recovery code of the event before it, in the same write. There is
	// no such event for trust that expires, that makes room for another device, or that
	// ends with a repair of the clock, a move or an erasure.
	EventDevicesForgotten EventKind = "devices_forgotten"

	// EventAuthenticatorRenamed means that an authenticator has another name. Event.Name
	// is the name before.
	EventAuthenticatorRenamed EventKind = "authenticator_renamed"

	// EventDeviceRenamed means that a trusted device has another name. Event.Name is the
	// name before.
	EventDeviceRenamed EventKind = "device_renamed"

	// EventNearMiss means that somebody gave three consecutive codes of which exactly
	// two were right. Either the owner has mistyped one, or somebody has looked at the
	// app and is guessing the third; see [ThreeCodes]. Event.Name is the name of
	// the authenticator. The fifth in a row, each less than twenty minutes after the one
	// before, and each one after it, uses the codes up.
	EventNearMiss EventKind = "near_miss"

	// EventWrongCodes means that somebody had the first factor and no right code:
	// [Guard.Answer] was given wrong ones, and within ten minutes of the first of them
	// no right one followed from the same origin. Somebody may know the password. The
	// event is delivered by [Directory.Sweep], at once if two-factor authentication is
	// switched off or the account erased, and at most once in 24 hours: an alert that is
	// due earlier waits until then.
	//
	// One or two wrong codes tell nobody if the right one follows within these ten
	// minutes from the same origin (see [WithOrigin]) and nobody else was wrong
	// meanwhile. Without an origin, it has to follow for the same challenge.
	//
	// Event.WrongCodes is how many were wrong, and Event.Origin is where the first of
	// them came from. With Config.AlertUnanswered, the event also comes if there was no
	// answer to a challenge, and WrongCodes can be 0.
	EventWrongCodes EventKind = "wrong_codes"

	// EventRightAfterWrong means that Answer was given a right code after wrong ones
	// that are not forgiven: more than two, from another origin, or more than ten minutes
	// before. It replaces the EventWrongCodes that was due, and comes at once, but at most
	// once in 24 hours.
	// Event.Origin is where the right code came from.
	EventRightAfterWrong EventKind = "right_after_wrong"

	// EventResynchronized means that three consecutive codes have shown how wrong the
	// clock of a hardware token is, and that its codes are now accepted by that clock;
	// see [ThreeCodes.Resynchronize].
	// Event.Name is the name of the token.
	EventResynchronized EventKind = "resynchronized"
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
	account.EventMoved:                 EventMoved,
	account.EventDevicesForgotten:      EventDevicesForgotten,
	account.EventAuthenticatorRenamed:  EventAuthenticatorRenamed,
	account.EventDeviceRenamed:         EventDeviceRenamed,
	account.EventNearMiss:              EventNearMiss,
	account.EventWrongCodes:            EventWrongCodes,
	account.EventRightAfterWrong:       EventRightAfterWrong,
	account.EventResynchronized:        EventResynchronized,
}

// EventKinds returns every kind in alphabetical order, for a test that each has words.
// The list grows with later versions.
func EventKinds() []EventKind { return slices.Sorted(maps.Values(eventKinds)) }

// An Event is a change that the owner of an account should hear of. It holds
// no secret and no code.
type Event struct {
	// ID is unique over all events of all users. It stays the same when the event is
	// delivered again, unless others were combined with it meanwhile; see Count.
	ID string `json:"id"`

	// UserID is the owner of the account.
	UserID string `json:"user_id"`

	// Kind is what happened. A kind that a later version of the library has stored,
	// and this version does not know, reads "event(n)".
	Kind EventKind `json:"kind"`

	// At is when it happened, in UTC.
	At time.Time `json:"at"`

	// Factor is what authorised the change. For EventLocked, EventFactorDisabled and
	// EventNearMiss it is the factor whose codes were guessed. It is empty if neither applies.
	Factor Factor `json:"factor,omitempty"`

	// Name is the name of the authenticator or the device, or the channel of the
	// address.
	Name string `json:"name,omitempty"`

	// Method is how the application had checked the first factor again, if that authorised
	// the change; see [ByReauth]. It is "self-service" for an EventReset without an
	// approval.
	Method string `json:"method,omitempty"`

	// Actor is the administrator who made the change; see [Guard.Admin].
	Actor string `json:"actor,omitempty"`

	// Note is the reason that the administrator gave.
	Note string `json:"note,omitempty"`

	// Origin is where the call came from that made the change; see [WithOrigin]. An
	// attacker can have written it: escape it, and make sure that it is no link.
	Origin string `json:"origin,omitempty"`

	// WrongCodes is how many codes were wrong, for EventWrongCodes and
	// EventRightAfterWrong.
	WrongCodes int `json:"wrong_codes,omitempty"`

	// Count is how many events this one stands for, usually 1. If an account has too
	// many undelivered events, those of one kind are combined into the latest.
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
		Origin: e.Origin,
		Count:  1,

		WrongCodes: e.Wrong,
	}
}
