package account

import (
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// Limits of what an account remembers.
const (
	MaxHistory     = 20
	MaxUndelivered = 16
	MaxActor       = 255 // bytes of an administrator's name
	MaxReason      = 256 // bytes of an administrator's reason
	MaxOrigin      = 128 // bytes of where a call came from
)

// EventKind is what happened.
type EventKind uint8

// The kinds. Their numbers are stored.
const (
	EventEnabled EventKind = iota + 1
	EventAuthenticatorAdded
	EventAuthenticatorReplaced
	EventAuthenticatorRemoved
	EventDisabled
	EventCodesRenewed
	EventRecoveryUsed
	EventLocked
	EventFactorDisabled
	EventCodesShown
	EventDeviceTrusted
	EventDeviceRevoked
	EventAddressBound
	EventAddressRemoved
	EventReset
	EventUnlocked
	EventBypassGranted
	EventResetRequested
	EventResetReminder
	EventResetMatured
	EventResetCancelled
	EventResetRefused
	EventImported
	EventExported
	EventErased
	EventMoved
	EventDevicesForgotten
	EventAuthenticatorRenamed
	EventDeviceRenamed
	EventNearMiss
	EventWrongCodes
	EventRightAfterWrong
	EventResynchronized

	lastEventKind
)

// An EventID is unique over all accounts and stays the same when an event is
// delivered again, unless another one was folded into it.
type EventID [13]byte

// An Event is a change that the owner of the account should hear of.
type Event struct {
	ID     EventID
	Kind   EventKind
	At     time.Time
	Factor Factor // what authorised it, or what it is about; 0 if neither
	Name   string // of the authenticator, the device or the channel it is about
	Method string // how the first factor was checked again, if that authorised it
	Actor  string // the administrator who did it
	Reason string // why the administrator did
	Origin string // where the request came from; "" if that is not known
	Wrong  int    // how many codes were wrong, if it is about that

	unknown []field
}

// record puts an event into the history and the list of undelivered ones.
func (a *Account) record(m Moment, e Event) error {
	e.ID = m.eventID(len(a.fresh))
	e.At, e.Origin = m.Now, m.Origin
	a.changed = true

	history, err := a.history.get(decodeHistory)
	if err != nil {
		return err
	}
	if e.Kind != EventResetReminder { // a month of them would leave no room for anything else
		*history = append(*history, e)
	}
	if e.Kind.renames() {
		*history = limitRenamed(*history)
	}
	if extra := len(*history) - MaxHistory; extra > 0 {
		*history = slices.Delete(*history, 0, extra)
	}
	a.history.touch()
	a.fresh = append(a.fresh, e)
	if a.forgotten {
		a.forgotten = false
		return a.record(m, Event{Kind: EventDevicesForgotten})
	}
	return nil
}

// Recorded returns the events that were recorded since the account was
// decoded.
func (a *Account) Recorded() []Event { return a.fresh }

// History returns the latest events, oldest first.
func (a *Account) History() ([]Event, error) {
	history, err := a.history.get(decodeHistory)
	if err != nil {
		return nil, err
	}
	return slices.Clone(*history), nil
}

// Fields of an event.
const (
	tagEventID     = 1
	tagEventKind   = 2
	tagEventAt     = 3
	tagEventFactor = 4
	tagEventName   = 5
	tagEventMethod = 6
	tagEventActor  = 7
	tagEventReason = 8
	tagEventOrigin = 31
	tagEventWrong  = 32
)

func appendEvent(b []byte, e *Event) ([]byte, error) {
	w := fieldWriter{b: b, unknown: e.unknown}
	w.putBytes(tagEventID, e.ID[:])
	w.putBytes(tagEventKind, []byte{byte(e.Kind)})
	w.putTime(tagEventAt, e.At)
	if e.Factor != NoFactor {
		w.putBytes(tagEventFactor, []byte{byte(e.Factor)})
	}
	if e.Name != "" {
		w.putBytes(tagEventName, []byte(e.Name))
	}
	if e.Method != "" {
		w.putBytes(tagEventMethod, []byte(e.Method))
	}
	if e.Actor != "" {
		w.putBytes(tagEventActor, []byte(e.Actor))
	}
	if e.Reason != "" {
		w.putBytes(tagEventReason, []byte(e.Reason))
	}
	if e.Origin != "" {
		w.putBytes(tagEventOrigin, []byte(e.Origin))
	}
	if e.Wrong != 0 {
		w.putInt(tagEventWrong, int64(e.Wrong))
	}
	return w.finish()
}

func readEvent(in cryptobyte.String) (e Event, err error) {
	var wrong int64
	e.unknown, err = readFields(in, func(tag uint8, v cryptobyte.String) (bool, error) {
		var err error
		switch tag {
		case tagEventID:
			err = readArray(v, e.ID[:])
		case tagEventKind:
			err = readByte(v, (*uint8)(&e.Kind))
		case tagEventAt:
			err = readTime(v, &e.At)
		case tagEventFactor:
			err = readByte(v, (*uint8)(&e.Factor))
		case tagEventName:
			e.Name = string(v)
		case tagEventMethod:
			e.Method = string(v)
		case tagEventActor:
			e.Actor = string(v)
		case tagEventReason:
			e.Reason = string(v)
		case tagEventOrigin:
			e.Origin = string(v)
		case tagEventWrong:
			err = readWhole(v, &wrong)
		default:
			return false, nil
		}
		return true, err
	})
	e.Wrong = int(wrong)
	return e, err
}

func decodeHistory(b []byte) ([]Event, error) { return readList(b, MaxHistory, readEvent) }
