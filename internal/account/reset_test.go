package account_test

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

const day = 24 * time.Hour

// ask asks for a reset, and tells the owner.
func (w *world) ask(wait time.Duration, auto bool) account.ResetRequest {
	w.t.Helper()
	r, err := w.a.AskReset(w.moment(), wait, auto)
	if err != nil {
		w.t.Fatal(err)
	}
	w.deliver()
	return r
}

// deliver stores the account, and acknowledges all of its events.
func (w *world) deliver() {
	w.t.Helper()
	leased, err := w.a.Lease(w.moment())
	if err != nil {
		w.t.Fatal(err)
	}
	w.reload()
	var ids []account.EventID
	for _, u := range leased {
		ids = append(ids, u.Event.ID)
	}
	if err := w.a.Acknowledge(w.moment(), ids); err != nil {
		w.t.Fatal(err)
	}
	w.reload()
}

// sweep does what is due now, and returns what it recorded.
func (w *world) sweep() []account.EventKind {
	w.t.Helper()
	w.reload()
	if _, err := w.a.Sweep(w.moment(), w.now, true); err != nil {
		w.t.Fatal(err)
	}
	list := kinds(w.a)
	w.deliver()
	return list
}

func (w *world) due() time.Time {
	w.t.Helper()
	due, err := w.a.Due()
	if err != nil {
		w.t.Fatal(err)
	}
	return due
}

// wait lets the time pass until something is due.
func (w *world) wait() {
	w.t.Helper()
	due := w.due()
	if !due.After(w.now) {
		w.t.Fatalf("due %v at %v", due, w.now)
	}
	w.now = due
}

func TestAskReset(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.a.AskReset(w.moment(), 3*day, false)
	mustReason(t, err, account.NotEnrolled)
	w.enroll(1)
	asked := w.now
	r := w.ask(3*day, false)
	if !r.Open || !r.Asked.Equal(asked) || !r.Matures.Equal(asked.Add(3*day)) || w.a.ResetRequest() != r {
		t.Errorf("%+v", r)
	}
	// It does not begin anew, and nobody is told twice.
	w.now = asked.Add(day)
	again, err := w.a.AskReset(w.moment(), 30*day, true)
	if again != r || err != nil || w.a.Changed() {
		t.Errorf("%+v, %v, changed: %v", again, err, w.a.Changed())
	}
}

func TestOneResetADay(t *testing.T) {
	t.Parallel()
	for name, close := range map[string]func(w *world) error{
		"cancelled": func(w *world) error { return w.a.CancelReset(w.moment(), account.NoFactor) },
		"refused":   func(w *world) error { return w.a.RefuseReset(w.moment(), root) },
		"succeeded": func(w *world) error { return w.check(code(w.t, key(w.t, 1), w.now)) },
	} {
		w := newWorld(t)
		w.enroll(1)
		asked := w.now
		w.ask(3*day, false)
		w.now = asked.Add(time.Hour)
		if err := close(w); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		w.reload()
		if w.a.ResetRequest() != (account.ResetRequest{}) || !w.due().IsZero() {
			t.Errorf("%s: it is open still", name)
		}
		w.now = asked.Add(day - time.Microsecond)
		_, err := w.a.AskReset(w.moment(), 3*day, false)
		mustReason(t, err, account.TooManyResets)
		if !retryAt(err).Equal(asked.Add(day)) || w.a.Changed() {
			t.Errorf("%s: try again at %v", name, retryAt(err))
		}
		w.now = asked.Add(day)
		w.ask(3*day, false)
	}
}

func TestResetIsCancelledBySuccess(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		by      account.Factor
		succeed func(w *world) error
	}{
		"app code":      {account.TOTP, func(w *world) error { return w.check(code(w.t, key(w.t, 1), w.now)) }},
		"recovery code": {account.Recovery, func(w *world) error { return w.recover(1, 0) }},
		"confirmation": {account.TOTP, func(w *world) error {
			id := w.begin(60, account.AuthenticatorID{})
			_, err := w.a.Confirm(w.moment(), id, code(w.t, key(w.t, 60), w.now))
			return err
		}},
	} {
		w := newWorld(t)
		w.enroll(1)
		hash := w.trust(1)
		w.ask(3*day, false)
		w.now = w.now.Add(time.Hour)
		mustReason(t, w.check(w.wrong()), account.WrongCode)
		if _, err := w.waive(hash); err != nil || !w.a.ResetRequest().Open {
			t.Fatal("it is no success")
		}
		w.reload()
		if err := x.succeed(w); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e := w.a.Recorded()
		if len(e) == 0 || e[len(e)-1].Kind != account.EventResetCancelled || e[len(e)-1].Factor != x.by || w.a.ResetRequest().Open {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestResetIsApprovedAfterTheWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mustReason(t, w.a.ApproveReset(w.moment(), root, account.TicketHash{}), account.NoReset)
	mustReason(t, w.a.RefuseReset(w.moment(), root), account.NoReset)
	mustReason(t, w.a.CancelReset(w.moment(), account.NoFactor), account.NoReset)
	w.enroll(1)
	mustReason(t, w.a.ApproveReset(w.moment(), root, account.TicketHash{}), account.NoReset)
	r := w.ask(3*day, false)
	w.now = r.Matures.Add(-time.Microsecond)
	err := w.a.ApproveReset(w.moment(), root, account.TicketHash{1})
	mustReason(t, err, account.ResetWaiting)
	if !retryAt(err).Equal(r.Matures) || w.a.Changed() {
		t.Errorf("try again at %v, changed: %v", retryAt(err), w.a.Changed())
	}
	w.now = r.Matures
	mustReason(t, w.a.ApproveReset(w.moment(), root, account.TicketHash{1}), "")
	if e := w.a.Recorded(); len(e) != 1 || e[0].Kind != account.EventReset || e[0].Actor != root.Actor || e[0].Reason != root.Reason {
		t.Errorf("%+v", e)
	}
	w.reload()
	err = account.CheckTicket(w.a, account.TicketHash{})
	mustReason(t, err, account.TicketRequired)
	if w.a.State() != account.Disabled || w.a.ResetRequest().Open {
		t.Error("something is left")
	}
	mustReason(t, w.a.ApproveReset(w.moment(), root, account.TicketHash{}), account.NoReset)
}

// The owner is told every day, once that it has matured, and until it lapses.
func TestSweepTellsTheOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	r := w.ask(3*day+time.Hour, false)
	var told []account.EventKind
	for !w.due().IsZero() {
		due := w.due()
		if len(told) > 100 || !due.After(w.now) {
			t.Fatalf("told %v, due %v at %v", told, due, w.now)
		}
		if w.now = due.Add(-time.Microsecond); len(w.sweep()) != 0 {
			t.Fatalf("told before %v", due)
		}
		w.now = due
		list := w.sweep()
		if len(list) != 1 && w.a.ResetRequest().Open {
			t.Fatalf("at %v: %v", due, list)
		}
		told = append(told, list...)
		if len(w.sweep()) != 0 {
			t.Fatal("told twice")
		}
	}
	want := slices.Repeat([]account.EventKind{account.EventResetReminder}, 3)
	want = append(want, account.EventResetMatured)
	want = append(want, slices.Repeat([]account.EventKind{account.EventResetReminder}, 29)...)
	if !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	if !w.now.Equal(r.Matures.Add(30*day)) || w.a.State() != account.Confirmed {
		t.Errorf("it lapsed at %v, state %v", w.now, w.a.State())
	}
	mustReason(t, w.a.ApproveReset(w.moment(), root, account.TicketHash{}), account.NoReset)
}

func TestAutomaticReset(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	r := w.ask(3*day, true)
	for w.now.Before(r.Matures) {
		if w.a.State() != account.Confirmed {
			t.Fatalf("carried out at %v", w.now)
		}
		w.wait()
		w.reload()
		if _, err := w.a.Sweep(w.moment(), w.now, true); err != nil {
			t.Fatal(err)
		}
		if w.now.Before(r.Matures) {
			w.deliver()
		}
	}
	if e := w.a.Recorded(); len(e) != 1 || e[0].Kind != account.EventReset || e[0].Method != "self-service" || e[0].Actor != "" {
		t.Errorf("%+v", e)
	}
	w.deliver()
	if w.a.State() != account.Disabled || w.a.ResetRequest().Open || !w.due().IsZero() {
		t.Error("something is left")
	}
}

// An owner who could not be told has had no time for cancelling: the wait of a
// reset that nobody approves begins anew.
func TestAutomaticResetThatNobodyHeardOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	r, err := w.a.AskReset(w.moment(), 3*day, true)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := w.a.Lease(w.moment()); err != nil { // and nobody takes it
			t.Fatal(err)
		}
		w.now = r.Matures
		w.reload()
		if _, err := w.a.Sweep(w.moment(), w.now, true); err != nil {
			t.Fatal(err)
		}
		if list := kinds(w.a); !slices.Equal(list, []account.EventKind{account.EventResetReminder}) || w.a.State() != account.Confirmed {
			t.Fatalf("%v, state %v", list, w.a.State())
		}
		r = w.a.ResetRequest()
		if !r.Matures.Equal(w.now.Add(3 * day)) {
			t.Fatalf("matures %v from now", r.Matures.Sub(w.now))
		}
		mustReason(t, w.a.ApproveReset(w.moment(), root, account.TicketHash{}), account.ResetWaiting)
	}
	w.deliver()
	for w.now.Before(r.Matures) {
		w.wait()
		w.sweep()
	}
	if w.a.State() != account.Disabled {
		t.Error("it was told of, and was not carried out")
	}
}

// A clock that jumps must neither mature a request, nor keep it from its owner.
func TestResetUnderBrokenClock(t *testing.T) {
	t.Parallel()
	// It was asked for while the clock ran ahead.
	w := newWorld(t)
	w.enroll(1)
	w.now = w.now.Add(10 * day)
	w.ask(3*day, true)
	w.now = w.now.Add(-10 * day)
	w.reload()
	r := w.a.ResetRequest()
	if !w.a.Changed() || !r.Asked.Equal(w.now) || !r.Matures.Equal(w.now.Add(3*day)) || !w.due().Equal(w.now) {
		t.Errorf("%+v, due %v", r, w.due())
	}
	if list := w.sweep(); !slices.Equal(list, []account.EventKind{account.EventResetReminder}) || w.a.ResetRequest().Matures != r.Matures {
		t.Errorf("told %v", list)
	}
	if w.reload(); w.a.Changed() {
		t.Error("it was repaired twice")
	}
	// It was closed under such a clock: nobody waits for more than a day.
	w.now = w.now.Add(10 * day)
	mustReason(t, w.a.RefuseReset(w.moment(), root), "")
	w.now = w.now.Add(20 * day)
	w.ask(3*day, false)
	mustReason(t, w.a.RefuseReset(w.moment(), root), "")
	w.now = w.now.Add(-20 * day)
	w.reload()
	_, err := w.a.AskReset(w.moment(), 3*day, false)
	mustReason(t, err, account.TooManyResets)
	if !retryAt(err).Equal(w.now.Add(day)) {
		t.Errorf("try again in %v", retryAt(err).Sub(w.now))
	}

	// It was told of while the clock ran ahead: the owner hears of it again, and
	// that it has matured when it has.
	w = newWorld(t)
	w.enroll(1)
	asked := w.now
	r = w.ask(3*day, false)
	w.now = asked.Add(10 * day)
	if list := w.sweep(); !slices.Equal(list, []account.EventKind{account.EventResetMatured}) {
		t.Errorf("told %v", list)
	}
	w.now = asked.Add(day)
	w.reload()
	if !w.a.Changed() || !w.due().Equal(w.now) {
		t.Errorf("due %v from now", w.due().Sub(w.now))
	}
	mustReason(t, w.a.ApproveReset(w.moment(), root, account.TicketHash{}), account.ResetWaiting)
	if list := w.sweep(); !slices.Equal(list, []account.EventKind{account.EventResetReminder}) {
		t.Errorf("told %v", list)
	}
	w.now = r.Matures
	if list := w.sweep(); !slices.Equal(list, []account.EventKind{account.EventResetMatured}) {
		t.Errorf("told %v", list)
	}
	// Nodes that are apart by less than a day repair nothing.
	w.now = w.now.Add(-23 * time.Hour)
	if w.reload(); w.a.Changed() {
		t.Error("repaired what is not broken")
	}
	// A clock that goes back does not shorten the wait.
	w.now = asked.Add(-300 * day)
	mustReason(t, w.a.ApproveReset(w.moment(), root, account.TicketHash{}), account.ResetWaiting)
}

// Nobody approves what the owner has not heard of, however long ago it was
// asked for.
func TestResetThatNobodyHeardOfIsNotApproved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	r, err := w.a.AskReset(w.moment(), 3*day, false)
	must(t, err)
	if _, err := w.a.Lease(w.moment()); err != nil {
		t.Fatal(err)
	}
	w.now = r.Matures.Add(day)
	w.reload()
	err = w.a.ApproveReset(w.moment(), root, account.TicketHash{})
	mustReason(t, err, account.OwnerNotTold)
	if !retryAt(err).IsZero() || w.a.Changed() || w.a.State() != account.Confirmed {
		t.Errorf("try again at %v, changed: %v", retryAt(err), w.a.Changed())
	}
	w.deliver()
	err = w.a.ApproveReset(w.moment(), root, account.TicketHash{})
	mustReason(t, err, account.ResetWaiting)
	if !retryAt(err).Equal(w.now.Add(3 * day)) {
		t.Errorf("try again in %v", retryAt(err).Sub(w.now))
	}
	w.now = w.now.Add(3 * day)
	mustReason(t, w.a.ApproveReset(w.moment(), root, account.TicketHash{}), "")
}

// Reminders are told and not kept: a month of them would push everything else
// out of the history.
func TestRemindersAreNotKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	r := w.ask(3*day, false)
	told := 0
	for w.now.Before(r.Matures.Add(20 * day)) {
		w.wait()
		for _, k := range w.sweep() {
			if k == account.EventResetReminder {
				told++
			}
		}
	}
	history, err := w.a.History()
	must(t, err)
	var list []account.EventKind
	for _, e := range history {
		list = append(list, e.Kind)
	}
	want := []account.EventKind{account.EventEnabled, account.EventResetRequested, account.EventResetMatured}
	if told < 20 || !slices.Equal(list, want) {
		t.Errorf("told %d times, the history is %v", told, list)
	}
}
