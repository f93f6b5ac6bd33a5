package account_test

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 15 {
		w.enroll(1)
		if err := w.a.Disable(w.moment(), w.by(account.TOTP)); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(24 * time.Hour)
		w.reload()
	}
	history, err := w.a.History()
	if err != nil {
		t.Fatal(err)
	}
	if len(history) != account.MaxHistory || history[19].Kind != account.EventDisabled {
		t.Errorf("%d events, the last %v", len(history), history[len(history)-1].Kind)
	}
	for i := 1; i < len(history); i++ {
		if history[i].At.Before(history[i-1].At) || history[i].ID == history[i-1].ID {
			t.Errorf("event %d is out of order or has the id of another", i)
		}
	}
}

func TestOutboxIsBoundedAndCoalesced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.begin(1, account.AuthenticatorID{})
	_, first := codes(t, 1)
	if _, err := w.a.Confirm(w.with(first), id, code(t, key(t, 1), w.now)); err != nil {
		t.Fatal(err)
	}
	if leased, err := w.a.Lease(w.moment()); err != nil || len(leased) != 1 {
		t.Fatal(leased, err)
	}
	w.now = w.now.Add(24 * time.Hour)
	w.reload()
	total := 1
	for range 40 {
		_, set := codes(t, 50)
		if _, err := w.a.Renew(w.with(set), account.Renewal{}, w.by(account.TOTP)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.a.Lease(w.moment()); err != nil {
			t.Fatal(err)
		}
		total++
		w.now = w.now.Add(24 * time.Hour)
		w.reload()
	}
	outbox, err := w.a.Outbox()
	if err != nil {
		t.Fatal(err)
	}
	if len(outbox) != account.MaxUndelivered || outbox[0].Event.Kind != account.EventEnabled || outbox[0].Count != 1 {
		t.Errorf("%d undelivered events, the first %v", len(outbox), outbox[0].Event.Kind)
	}
	count := 0
	var ids []account.EventID
	for _, u := range outbox {
		count += u.Count
		ids = append(ids, u.Event.ID)
	}
	if count != total {
		t.Errorf("they stand for %d events, want %d", count, total)
	}
	due, err := w.a.Due()
	if err != nil || !due.Equal(outbox[0].Lease) {
		t.Errorf("due %v, %v; want the first lease %v", due, err, outbox[0].Lease)
	}
	if err := w.a.Acknowledge(w.moment(), slices.Concat(ids[:15], []account.EventID{{1}})); err != nil {
		t.Fatal(err)
	}
	w.reload()
	if outbox, _ = w.a.Outbox(); len(outbox) != 1 || outbox[0].Event.ID != ids[15] {
		t.Errorf("%d events are left after acknowledging 15", len(outbox))
	}
}

// What was leased to somebody who has not acknowledged it is leased again at
// once after Recall, and the event that is recorded then comes last.
func TestRecall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	if err := w.a.Note(w.moment(), account.EventExported, root); err != nil {
		t.Fatal(err)
	}
	first, err := w.a.Lease(w.moment())
	if err != nil || len(first) != 1 {
		t.Fatal(first, err)
	}
	w.now = w.now.Add(time.Second)
	w.reload()
	if again, err := w.a.Lease(w.moment()); err != nil || len(again) != 0 {
		t.Fatalf("without Recall: %v, %v", again, err)
	}
	if err := w.a.Recall(w.moment()); err != nil {
		t.Fatal(err)
	}
	if err := w.a.Note(w.moment(), account.EventErased, root); err != nil {
		t.Fatal(err)
	}
	again, err := w.a.Lease(w.moment())
	if err != nil || len(again) != 2 || again[0].Event.ID != first[0].Event.ID || again[1].Event.Kind != account.EventErased {
		t.Fatalf("%+v, %v", again, err)
	}
	w.reload() // and it is stored that they are leased
	if more, err := w.a.Lease(w.moment()); err != nil || len(more) != 0 {
		t.Errorf("leased twice: %+v, %v", more, err)
	}
}

// origin is an account with an event whose origin is known, and one without.
func origin(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.enroll(1)
	m := w.moment()
	m.Origin = "Firefox on Linux, 192.0.2.7"
	if err := w.a.Note(m, account.EventExported, account.Admin{Actor: "root", Reason: "moving"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.a.Lease(w.moment()); err != nil {
		t.Fatal(err)
	}
	w.a.Stamp(w.moment())
	return w
}

// What hosts have stored must stay readable: the file never changes.
func TestGoldenOrigin(t *testing.T) { golden(t, "v1-origin", origin(t).a) }

// The origin is stored with the event, in the history and for its delivery.
func TestOriginIsStored(t *testing.T) {
	t.Parallel()
	w := origin(t)
	w.reload()
	history, err := w.a.History()
	if err != nil {
		t.Fatal(err)
	}
	outbox, err := w.a.Outbox()
	if err != nil {
		t.Fatal(err)
	}
	const want = "Firefox on Linux, 192.0.2.7"
	if len(history) != 2 || history[0].Origin != "" || history[1].Origin != want {
		t.Errorf("the history is %+v", history)
	}
	if len(outbox) != 1 || outbox[0].Event.Origin != want {
		t.Errorf("the outbox is %+v", outbox)
	}
}
