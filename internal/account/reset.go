package account

import (
	"time"

	"golang.org/x/crypto/cryptobyte"
)

const (
	// resetPause is how long after one request for a reset the next one is
	// taken.
	resetPause = 24 * time.Hour

	// resetReminder is how often the owner is told of a request.
	resetReminder = 24 * time.Hour

	// resetHeard is how late the owner may hear of a request without its wait
	// beginning anew.
	resetHeard = time.Hour

	// resetLapse is how long a matured request waits for its approval.
	resetLapse = 30 * 24 * time.Hour
)

// A ResetRequest says that somebody with the first factor has asked for the
// second to be taken away.
type ResetRequest struct {
	Asked   time.Time
	Matures time.Time
	Next    time.Time // when the owner is to be told of it again
	Auto    bool      // completed by itself once it has matured
	Open    bool      // neither cancelled nor refused nor completed
	Told    bool      // that it has matured
}

func (r ResetRequest) matured(now time.Time) bool { return !now.Before(r.Matures) }

// ResetRequest returns the open request, or the zero ResetRequest.
func (a *Account) ResetRequest() ResetRequest {
	if !a.reset.Open {
		return ResetRequest{}
	}
	return a.reset
}

// AskReset opens a request that matures after wait. One that is open already
// stays as it is.
func (a *Account) AskReset(m Moment, wait time.Duration, auto bool) (ResetRequest, error) {
	switch {
	case !a.enrolled():
		return ResetRequest{}, refuse(NotEnrolled)
	case a.reset.Open:
		return a.reset, nil
	case !a.reset.Asked.IsZero() && m.Now.Before(a.reset.Asked.Add(resetPause)):
		return ResetRequest{}, &Refusal{Reason: TooManyResets, RetryAt: a.reset.Asked.Add(resetPause)}
	}
	a.reset = ResetRequest{
		Asked:   m.Now,
		Matures: m.Now.Add(wait),
		Next:    earlier(m.Now.Add(resetReminder), m.Now.Add(wait)),
		Auto:    auto,
		Open:    true,
	}
	return a.reset, a.record(m, Event{Kind: EventResetRequested})
}

// CancelReset closes the request in the name of the owner.
func (a *Account) CancelReset(m Moment, by Factor) error {
	if !a.reset.Open {
		return refuse(NoReset)
	}
	a.closeReset()
	return a.record(m, Event{Kind: EventResetCancelled, Factor: by})
}

// RefuseReset closes the request in the name of an administrator.
func (a *Account) RefuseReset(m Moment, by Admin) error {
	if !a.reset.Open {
		return refuse(NoReset)
	}
	a.closeReset()
	return a.record(m, by.event(EventResetRefused))
}

// ApproveReset carries the request out. It has to have matured, and the owner
// must have been told of it.
func (a *Account) ApproveReset(m Moment, by Admin, ticket TicketHash) error {
	switch {
	case !a.reset.Open:
		return refuse(NoReset)
	case !a.reset.matured(m.Now):
		return &Refusal{Reason: ResetWaiting, RetryAt: a.reset.Matures}
	}
	if untold, err := a.undelivered(EventResetRequested); err != nil {
		return err
	} else if untold {
		return refuse(OwnerNotTold)
	}
	return a.Reset(m, by, ticket)
}

// closeReset keeps of the request only when it was asked for.
func (a *Account) closeReset() { a.reset = ResetRequest{Asked: a.reset.Asked} }

// heard begins the wait of the open request anew if the owner has heard of it
// only now: what cancelling it takes is time.
func (r *ResetRequest) heard(now time.Time) {
	if r.Open && now.Sub(r.Asked) > resetHeard {
		r.restart(now)
		r.Next = earlier(now.Add(resetReminder), r.Matures)
	}
}

// restart begins the wait anew.
func (r *ResetRequest) restart(now time.Time) {
	r.Asked, r.Matures = now, now.Add(r.Matures.Sub(r.Asked))
	r.Next, r.Told = now, false
}

// tidy drops a request that nobody has approved in time, and reports whether it
// did.
func (r *ResetRequest) tidy(now time.Time) (lapsed bool) {
	if !r.Open || now.Before(r.Matures.Add(resetLapse)) {
		return false
	}
	*r = ResetRequest{Asked: r.Asked}
	return true
}

// clampFuture starts the wait anew if a broken clock has put its beginning ahead, and
// brings back the next reminder.
func (r *ResetRequest) clampFuture(now time.Time) (changed bool) {
	asked, broken := clampFuture(r.Asked, now)
	switch {
	case broken && r.Open:
		r.restart(now)
	case broken:
		r.Asked = asked
	case r.Open && r.Next.Sub(now) > resetReminder+clockTolerance:
		// It was told of under a clock that ran ahead, as matured perhaps.
		r.Next, r.Told = now, r.Told && r.matured(now)
	default:
		return false
	}
	return true
}

// Flags of a request for a reset.
const (
	resetOpen = 1 << iota
	resetAuto
	resetTold
)

func appendReset(b []byte, r ResetRequest) ([]byte, error) {
	for _, t := range []time.Time{r.Asked, r.Matures, r.Next} {
		b = appendInt(b, micros(t))
	}
	var flags byte
	if r.Open {
		flags |= resetOpen
	}
	if r.Auto {
		flags |= resetAuto
	}
	if r.Told {
		flags |= resetTold
	}
	return append(b, flags), nil
}

func readReset(in cryptobyte.String) (ResetRequest, error) {
	var asked, matures, next int64
	var flags uint8
	if !readInt(&in, &asked) || !readInt(&in, &matures) || !readInt(&in, &next) || !in.ReadUint8(&flags) || !in.Empty() {
		return ResetRequest{}, ErrDamaged
	}
	r := ResetRequest{
		Asked:   fromMicros(asked),
		Matures: fromMicros(matures),
		Next:    fromMicros(next),
		Open:    flags&resetOpen != 0,
		Auto:    flags&resetAuto != 0,
		Told:    flags&resetTold != 0,
	}
	known := flags&^(resetOpen|resetAuto|resetTold) == 0
	if !known || r.Asked.IsZero() || r.Open && (r.Matures.IsZero() || r.Next.IsZero()) {
		return ResetRequest{}, ErrDamaged
	}
	return r, nil
}
