package model

import (
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// What an account remembers of what happened, and what its owner has yet to be
// told.

// A modelQueued is an event that Notify has not taken yet.
type modelQueued struct {
	event enrollment.Event // without its ID and the user
	lease time.Time        // until then, somebody is delivering it
	at    int              // its place among all events of the user
}

func (a *modelAccount) record(now time.Time, e enrollment.Event) {
	e.At, e.Count, e.Origin = now, 1, a.origin
	if e.Kind != enrollment.EventResetReminder { // of those there can be one a day
		a.history = append(a.history, e)
	}
	if modelRenames(e.Kind) {
		a.forgetRenamed()
	}
	if len(a.history) > 20 {
		a.history = a.history[1:]
	}
	a.events++
	a.fresh = append(a.fresh, modelQueued{event: e, at: a.events})
	a.dirty = true
	lost := slices.ContainsFunc(a.lost, func(d modelDevice) bool { return now.Before(d.expires) })
	if a.lost = nil; lost {
		a.record(now, enrollment.Event{Kind: enrollment.EventDevicesForgotten})
	}
}

// enqueue keeps 16 undelivered events. When there are more, the oldest that has
// a later one of its kind is folded into that; where all kinds differ, all stay.
func (a *modelAccount) enqueue(q modelQueued) {
	a.queue = append(a.queue, q)
	for i := 0; i < len(a.queue) && len(a.queue) > 16; i++ {
		for j := i + 1; j < len(a.queue); j++ {
			if a.queue[j].event.Kind == a.queue[i].event.Kind {
				a.queue[j].event.Count += a.queue[i].event.Count
				a.queue[j].event.WrongCodes += a.queue[i].event.WrongCodes
				a.queue = slices.Delete(a.queue, i, i+1)
				break
			}
		}
	}
}

// waits reports whether an event of the kind was not delivered yet.
func (a *modelAccount) waits(kind enrollment.EventKind) bool {
	return slices.ContainsFunc(a.queue, func(q modelQueued) bool { return q.event.Kind == kind })
}

// lease returns what the writer has to deliver: what happened with the write,
// and what somebody else has not delivered in time. A lease of more than a
// minute was given by a broken clock.
func (a *modelAccount) lease(now time.Time) []modelQueued {
	for _, q := range a.fresh {
		a.enqueue(q)
	}
	var leased []modelQueued
	until := now.Add(time.Minute)
	for i := range a.queue {
		if q := &a.queue[i]; !now.Before(q.lease) || q.lease.After(until) {
			q.lease = until
			leased = append(leased, *q)
		}
	}
	return leased
}
