package account

import (
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// Undelivered is an event whose delivery nobody has acknowledged yet.
type Undelivered struct {
	Event Event
	Lease time.Time // until then, the call that recorded it is delivering it
	Count int       // how many events of the kind it stands for

	unknown []field
}

// maxKinds bounds the events that wait for delivery beyond MaxUndelivered, where
// none can be folded into another: of all kinds there will ever be.
const maxKinds = 64

var _ = [1]struct{}{}[lastEventKind/maxKinds]

// leaseTime is how long the writer of an event has for delivering it.
const leaseTime = time.Minute

// Lease returns the events that the caller has to deliver once the account is stored:
// those recorded since decoding, and those whose deliverer has let its lease run out.
// They are leased to the caller. An application that hears of no events never calls it,
// and none are kept.
func (a *Account) Lease(m Moment) ([]Undelivered, error) {
	outbox, err := a.outbox.get(decodeOutbox)
	if err != nil {
		return nil, err
	}
	var leased []Undelivered
	lease := m.Now.Add(leaseTime)
	for _, e := range a.fresh {
		*outbox = enqueue(*outbox, Undelivered{Event: e, Count: 1})
	}
	for i := range *outbox {
		if u := &(*outbox)[i]; !m.Now.Before(u.Lease) || u.Lease.After(lease) {
			u.Lease = lease
			leased = append(leased, *u)
		}
	}
	if len(leased) > 0 {
		a.outbox.touch()
	}
	return leased, nil
}

// enqueue appends u. When there is no room, the oldest event that has a later one
// of its kind is folded into that one, and Count says how many there were. The
// limit is exceeded only if every event has a different kind.
//
// The later one gets another id if it was leased before: somebody may be delivering it now,
// and the acknowledgement of that must not drop what was folded into it.
func enqueue(outbox []Undelivered, u Undelivered) []Undelivered {
	outbox = append(outbox, u)
	if len(outbox) <= MaxUndelivered {
		return outbox
	}
	for i, x := range outbox {
		same := func(y Undelivered) bool { return y.Event.Kind == x.Event.Kind }
		if j := slices.IndexFunc(outbox[i+1:], same); j >= 0 {
			later := &outbox[i+1+j]
			if !later.Lease.IsZero() {
				later.Event.ID = u.Event.ID
				later.Event.ID[12] |= 0x80 // no call records as many events
			}
			later.Count = min(later.Count+x.Count, maxCount)
			later.Event.Wrong = min(later.Event.Wrong+x.Event.Wrong, maxCount)
			return slices.Delete(outbox, i, i+1)
		}
	}
	return outbox
}

// Recall makes the next Lease have all that the owner has not heard: it takes the
// leases of all events back, and records the alert if one is open.
func (a *Account) Recall(m Moment) error {
	if err := a.raiseAlert(m); err != nil {
		return err
	}
	outbox, err := a.outbox.get(decodeOutbox)
	if err != nil {
		return err
	}
	for i := range *outbox {
		(*outbox)[i].Lease = m.Now
		a.outbox.touch()
	}
	return nil
}

// Acknowledge drops events that were delivered. Ids that are not there any
// more, delivered by another or folded into a later event, are passed over.
func (a *Account) Acknowledge(m Moment, ids []EventID) error {
	outbox, err := a.outbox.get(decodeOutbox)
	if err != nil {
		return err
	}
	before := len(*outbox)
	*outbox = slices.DeleteFunc(*outbox, func(u Undelivered) bool {
		taken := slices.Contains(ids, u.Event.ID)
		if taken && u.Event.Kind == EventResetRequested {
			a.reset.heard(m.Now)
		}
		return taken
	})
	if len(*outbox) != before {
		a.outbox.touch()
		a.changed = true
	}
	return nil
}

// Untold reports whether there is something that the owner has not heard: events wait
// for their delivery, or an alert is open, or challenges have no answer.
func (a *Account) Untold() (bool, error) {
	outbox, err := a.outbox.get(decodeOutbox)
	if err != nil {
		return false, err
	}
	return len(*outbox) > 0 || !a.alertDue().IsZero(), nil
}

// undelivered reports whether an event of the kind waits for its delivery.
func (a *Account) undelivered(kind EventKind) (bool, error) {
	outbox, err := a.outbox.get(decodeOutbox)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(*outbox, func(u Undelivered) bool { return u.Event.Kind == kind }), nil
}

// Fields of an event that waits for its delivery.
const (
	tagEvent = 1
	tagLease = 2
	tagCount = 3
)

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
