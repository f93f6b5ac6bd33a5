package proving

import (
	"context"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// FailNotify lets Notify fail from now on, and with nil succeed again. What it
// fails to take it has not been told.
func (k *Kit) FailNotify(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.notify = err
}

func (k *Kit) take(_ context.Context, e enrollment.Event) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.notify == nil {
		k.events = append(k.events, e)
	}
	return k.notify
}

func (k *Kit) observe(o enrollment.Observation) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen = append(k.seen, o)
}

// A logged writes lines of the log into a Kit.
type logged struct{ k *Kit }

func (l logged) Write(b []byte) (int, error) {
	l.k.mu.Lock()
	defer l.k.mu.Unlock()
	return l.k.log.Write(b)
}

// Events returns everything that was told so far.
func (k *Kit) Events() []enrollment.Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]enrollment.Event(nil), k.events...)
}

// EventsOf returns the events of that kind that the user was told of so far.
func (k *Kit) EventsOf(user string, kind enrollment.EventKind) (events []enrollment.Event) {
	for _, e := range k.Events() {
		if e.UserID == user && e.Kind == kind {
			events = append(events, e)
		}
	}
	return events
}

// Told returns what was told since it was called last.
func (k *Kit) Told() []enrollment.Event {
	events := k.Events()
	k.mu.Lock()
	defer k.mu.Unlock()
	events, k.told = events[k.told:], len(events)
	return events
}

// Kinds returns what kinds of events those are.
func Kinds(events []enrollment.Event) (kinds []enrollment.EventKind) {
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// WantTold fails the test unless these events were told since Told or WantTold
// was called last, of anybody, once each.
func (k *Kit) WantTold(want ...enrollment.Event) {
	k.t.Helper()
	got := k.Told()
	if len(got) != len(want) {
		k.t.Fatalf("told of %+v, want %+v", got, want)
	}
	for i, w := range want {
		got[i].ID, got[i].UserID, got[i].At = "", "", time.Time{}
		if w.Count = 1; got[i] != w {
			k.t.Errorf("told of %+v, want %+v", got[i], w)
		}
	}
}

// Observed returns the operations that were observed since it was called last.
func (k *Kit) Observed() (operations []enrollment.Observation) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, o := range k.seen {
		if o.Operation == "" {
			continue
		}
		if operations = append(operations, o); !slices.Contains(enrollment.Operations(), o.Operation) {
			k.t.Errorf("%q is not listed", o.Operation)
		}
	}
	k.seen = nil
	return operations
}

// Log returns the lines of the log since it was called last.
func (k *Kit) Log() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	text := k.log.String()
	k.log.Reset()
	return text
}
