package account

import (
	"golang.org/x/crypto/cryptobyte"
)

// Fields of an event, and of one that waits for its delivery.
const (
	tagEventID     = 1
	tagEventKind   = 2
	tagEventAt     = 3
	tagEventFactor = 4
	tagEventName   = 5
	tagEventMethod = 6
	tagEventActor  = 7
	tagEventReason = 8

	tagEvent = 1
	tagLease = 2
	tagCount = 3
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
	return w.finish()
}

func readEvent(in cryptobyte.String) (e Event, err error) {
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
		default:
			return false, nil
		}
		return true, err
	})
	return e, err
}

func decodeHistory(b []byte) ([]Event, error) { return readList(b, MaxHistory, readEvent) }

func appendUndelivered(b []byte, u *Undelivered) ([]byte, error) {
	w := fieldWriter{b: b, unknown: u.unknown}
	w.put(tagEvent, func(b []byte) ([]byte, error) { return appendEvent(b, &u.Event) })
	w.putTime(tagLease, u.Lease)
	if u.Count > 1 {
		w.putInt(tagCount, int64(u.Count))
	}
	return w.finish()
}

func decodeOutbox(b []byte) ([]Undelivered, error) {
	// Where all are of different kinds there can be more than MaxUndelivered.
	return readList(b, maxKinds, func(in cryptobyte.String) (u Undelivered, err error) {
		count := int64(1)
		u.unknown, err = readFields(in, func(tag uint8, v cryptobyte.String) (bool, error) {
			var err error
			switch tag {
			case tagEvent:
				u.Event, err = readEvent(v)
			case tagLease:
				err = readTime(v, &u.Lease)
			case tagCount:
				err = readWhole(v, &count)
			default:
				return false, nil
			}
			return true, err
		})
		u.Count = int(count)
		return u, err
	})
}
