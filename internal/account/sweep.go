package account

import "time"

// Due returns when a background sweep should look at the account: the zero
// time if there is nothing to wait for. It follows from what is encoded, and is
// the same before encoding and after it.
func (a *Account) Due() (time.Time, error) {
	var due time.Time
	if a.move.Stage != Settled {
		return due, nil // what is due is due where the account is going
	}
	if a.setup != nil {
		due = a.setup.Expires
	}
	if a.reset.Open {
		due = earlier(due, a.reset.Next)
	}
	if at := a.alertDue(); !at.IsZero() {
		due = earlier(due, at)
	}
	outbox, err := a.outbox.get(decodeOutbox)
	if err != nil {
		return time.Time{}, err
	}
	for _, u := range *outbox {
		due = earlier(due, u.Lease)
	}
	return fromMicros(micros(due)), nil
}

// Swept is what a sweep has done with an account.
type Swept struct {
	Due       bool // something was due
	Expired   bool // a setup was not confirmed in time
	Reminded  bool // the owner of a request for a reset is told of it again
	Matured   bool // and that it can be approved
	Completed bool // it was carried out without an approval
	Lapsed    bool // nobody has approved it in time
	Waiting   bool // what is due waits for somebody who tells
}

// Sweep does what is due of an account that has been tidied. Due is when it was,
// before that. Without somebody who tells the owner, it only deletes what has
// expired. It changes nothing that would come again with every sweep.
func (a *Account) Sweep(m Moment, due time.Time, tells bool) (Swept, error) {
	if due.IsZero() || due.After(m.Now) {
		return Swept{}, nil
	}
	if tells {
		if err := a.remind(m); err != nil {
			return Swept{}, err
		}
		if err := a.tellAlert(m); err != nil {
			return Swept{}, err
		}
	}
	done := Swept{Due: true, Expired: a.expired, Lapsed: a.lapsed}
	for _, x := range a.fresh {
		switch x.Kind {
		case EventResetReminder:
			done.Reminded = true
		case EventResetMatured:
			done.Matured = true
		case EventReset:
			done.Completed = true
		}
	}
	left, err := a.Due()
	if err != nil {
		return Swept{}, err
	}
	// What is due still are events, or a request that nobody tells of.
	overdue := !left.IsZero() && !left.After(m.Now)
	done.Waiting = overdue && !tells
	a.changed = a.changed || a.expired || a.lapsed || !done.Waiting
	return done, nil
}

// remind does what is due for a request for a reset. It reminds the owner, and
// carries out a request that has matured and needs no approval. When the wait is
// over and the news of the request was not delivered, the wait begins anew: an
// owner who was not told had no time to cancel it.
func (a *Account) remind(m Moment) error {
	r := &a.reset
	if !r.Open || m.Now.Before(r.Next) {
		return nil
	}
	if r.matured(m.Now) && !r.Told {
		untold, err := a.undelivered(EventResetRequested)
		switch {
		case err != nil:
			return err
		case untold:
			r.restart(m.Now)
		case r.Auto:
			if err := a.clear(m); err != nil {
				return err
			}
			return a.record(m, Event{Kind: EventReset, Method: "self-service"})
		default:
			r.Told = true
			r.Next = m.Now.Add(resetReminder)
			return a.record(m, Event{Kind: EventResetMatured})
		}
	}
	r.Next = m.Now.Add(resetReminder)
	if !r.matured(m.Now) {
		r.Next = earlier(r.Next, r.Matures)
	}
	return a.record(m, Event{Kind: EventResetReminder})
}
