package account_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

func TestReset(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mustReason(t, w.a.Reset(w.moment(), root, account.TicketHash{}), account.NotEnrolled)
	if w.a.Changed() {
		t.Error("a refusal has changed the account")
	}
	w.enroll(1)
	w.begin(60, account.AuthenticatorID{})
	w.trust(1)
	w.grant(time.Hour)
	if _, err := w.a.AskReset(w.moment(), 24*time.Hour, true); err != nil {
		t.Fatal(err)
	}
	w.reload()
	epoch := w.a.Epoch()
	mustReason(t, w.a.Reset(w.moment(), root, account.TicketHash{}), "")
	if e := w.a.Recorded(); len(e) != 2 || e[1].Kind != account.EventDevicesForgotten || e[0].Kind != account.EventReset || e[0].Actor != root.Actor || e[0].Reason != root.Reason {
		t.Errorf("%+v", e)
	}
	w.reload()
	left, total, err := w.a.CodesLeft()
	if err != nil {
		t.Fatal(err)
	}
	due, err := w.a.Due()
	if w.a.State() != account.Disabled || len(w.a.Authenticators()) != 0 || w.a.Setup() != nil || left+total != 0 || len(w.devices()) != 0 ||
		w.a.Bypass(w.now) != (account.Bypass{}) || w.a.ResetRequest().Open || w.a.Epoch() == epoch || !due.IsZero() || err != nil {
		t.Error("something is left")
	}
	if raw := encode(t, w.a); bytes.Contains(raw, key(t, 1).Secret().Reveal()) || bytes.Contains(raw, key(t, 60).Secret().Reveal()) {
		t.Error("a secret is left")
	}
	mustReason(t, w.a.Reset(w.moment(), root, account.TicketHash{}), account.NotEnrolled)
}

func TestTicket(t *testing.T) {
	t.Parallel()
	mayBegin := func(w *world, ticket account.TicketHash) error {
		return w.copied().Begin(w.at(), w.setup(9, account.AuthenticatorID{}), ticket, w.by(account.TOTP))
	}
	mayBind := func(w *world, ticket account.TicketHash) error {
		return w.copied().Bind(w.at(), w.message(9, "123456"), phone, true, ticket, w.by(account.TOTP))
	}
	first, second := account.TicketHash{1}, account.TicketHash{2}
	for name, may := range map[string]func(*world, account.TicketHash) error{"begin": mayBegin, "bind": mayBind} {
		w := newWorld(t)
		mustReason(t, may(w, account.TicketHash{}), "")
		mustReason(t, may(w, first), "") // not asked for, not looked at
		mustReason(t, w.a.Reset(w.moment(), root, first), "")
		w.reload()
		if w.a.State() != account.None {
			t.Errorf("%s: state %v", name, w.a.State())
		}
		mustReason(t, may(w, account.TicketHash{}), account.TicketRequired)
		mustReason(t, may(w, second), account.TicketInvalid)
		mustReason(t, may(w, first), "")
		if w.a.Changed() {
			t.Errorf("%s: asking has changed the account", name)
		}
		// It is not used up before a setup is confirmed.
		w.ticket = first
		w.begin(60, account.AuthenticatorID{})
		w.reload()
		mustReason(t, may(w, account.TicketHash{}), account.TicketRequired)
		w.now = w.now.Add(time.Hour) // the setup expires
		w.reload()
		mustReason(t, may(w, account.TicketHash{}), account.TicketRequired)
		// Another one takes its place, and what was begun with it is void.
		id := w.begin(61, account.AuthenticatorID{})
		mustReason(t, w.a.Reset(w.moment(), root, second), "")
		w.reload()
		_, err := w.a.Confirm(w.moment(), id, code(t, key(t, 61), w.now))
		mustReason(t, err, account.NoSetup)
		mustReason(t, may(w, first), account.TicketInvalid)
		mustReason(t, may(w, second), "")
		// It can be taken back.
		mustReason(t, w.a.Reset(w.moment(), root, account.TicketHash{}), "")
		w.reload()
		mustReason(t, may(w, account.TicketHash{}), "")
		mustReason(t, w.a.Reset(w.moment(), root, account.TicketHash{}), account.NotEnrolled)
		// It ends with the first confirmation.
		mustReason(t, w.a.Reset(w.moment(), root, first), "")
		w.enroll(1)
		mustReason(t, may(w, account.TicketHash{}), "")
		if bytes.Contains(encode(t, w.a), first[:]) {
			t.Errorf("%s: the ticket is left", name)
		}
		mustReason(t, w.a.Disable(w.moment(), w.by(account.TOTP)), "")
		w.reload()
		mustReason(t, may(w, account.TicketHash{}), "")
		// So does an import.
		mustReason(t, w.a.Reset(w.moment(), root, first), "")
		x := account.Authenticator{ID: account.AuthenticatorID{9}, Key: key(t, 90), Name: "phone"}
		if err := w.a.Import(w.moment(), []account.Authenticator{x}, nil, true, root); err != nil {
			t.Fatal(err)
		}
		w.reload()
		if w.a.State() != account.Confirmed || bytes.Contains(encode(t, w.a), first[:]) {
			t.Errorf("%s: the ticket is left", name)
		}
	}
}

func TestUnlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mustReason(t, w.a.Unlock(w.moment(), root), account.NotEnrolled)
	k := w.enroll(1)
	mustReason(t, w.a.Unlock(w.moment(), root), "")
	if w.a.Changed() {
		t.Error("nothing was locked")
	}
	for range 5 {
		mustReason(t, w.check(w.wrong()), account.WrongCode)
		w.recoverWrong()
	}
	mustReason(t, w.check(code(t, k, w.now)), account.Locked)
	mustReason(t, w.recover(1, 0), account.Locked)
	w.reload()
	mustReason(t, w.a.Unlock(w.moment(), root), "")
	if e := w.a.Recorded(); len(e) != 1 || e[0].Kind != account.EventUnlocked || e[0].Actor != root.Actor || e[0].Reason != root.Reason {
		t.Errorf("%+v", e)
	}
	w.reload()
	mustReason(t, w.check(code(t, k, w.now)), "")
	mustReason(t, w.recover(1, 0), "")
}

// Unlocking gives five guesses back, and no more than that.
func TestUnlockLeavesTheBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	guesses := func() (n int) {
		for reason(w.check(w.wrong())) == account.WrongCode {
			n++
			w.now = w.now.Add(time.Minute)
			_ = w.check(code(t, k, w.now)) // of the owner, who ends the run
			w.now = w.now.Add(time.Minute)
			w.reload()
		}
		return n
	}
	if n := guesses(); n != 30 {
		t.Fatalf("%d guesses in the budget", n)
	}
	for range 3 {
		mustReason(t, w.a.Unlock(w.moment(), root), "")
		w.reload()
		if n := guesses(); n != 5 {
			t.Errorf("%d guesses after unlocking", n)
		}
	}
}

// An unlock changes nothing as long as five guesses are left, whatever one of them
// costs: a unit for each app that it is held against, and one for a message.
func TestUnlockWithFiveGuessesLeft(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, x := range []struct {
		factor account.Factor
		apps   int
		left   time.Duration // the debt that leaves five guesses
	}{
		{account.TOTP, 1, 25 * day},
		{account.TOTP, 2, 21 * day},
		{account.TOTP, 3, 17 * day},
		{account.Delivered, 2, 25 * day},
	} {
		w := newWorld(t)
		for i := range x.apps {
			w.enroll(byte(1 + 20*i))
		}
		throttle := account.Throttles(w.a)[x.factor]
		*throttle = account.Throttle{Mark: w.now, Debt: x.left}
		mustReason(t, w.a.Unlock(w.moment(), root), "")
		if w.a.Changed() {
			t.Errorf("%v: %v of debt were unlocked", x, throttle.Debt)
		}
		throttle.Debt += time.Microsecond
		mustReason(t, w.a.Unlock(w.moment(), root), "")
		if throttle.Debt != x.left {
			t.Errorf("%v: unlocking leaves a debt of %v", x, throttle.Debt)
		}
	}
}

// An unlocked factor that was disabled after 100 wrong codes works again.
func TestUnlockDisabledFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	for range 400 {
		_ = w.check(w.wrong())
		w.now = w.now.Add(25 * time.Hour)
	}
	w.reload()
	mustReason(t, w.check(code(t, k, w.now)), account.FactorDisabled)
	mustReason(t, w.a.Unlock(w.moment(), root), "")
	w.reload()
	mustReason(t, w.check(code(t, k, w.now)), "")
}

func TestNote(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	mustReason(t, w.a.Note(w.moment(), account.EventErased, root), "")
	if e := w.a.Recorded(); !w.a.Changed() || len(e) != 1 || e[0].Kind != account.EventErased || e[0].Actor != root.Actor {
		t.Errorf("%+v", e)
	}
}

// However much administrators write, the account fits into a record, and no
// event is lost to those who have to be told.
func TestAdministrationIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := account.Admin{Actor: string(bytes.Repeat([]byte("a"), account.MaxActor)), Reason: string(bytes.Repeat([]byte("r"), account.MaxReason))}
	for seed := range byte(account.MaxAuthenticators) {
		w.enroll(60 * (seed + 1))
	}
	for seed := range byte(account.DefaultDevices) {
		d := account.Device{ID: account.DeviceID{seed + 1}, Hash: account.DeviceHash{seed + 1}, Name: string(bytes.Repeat([]byte("d"), account.MaxName))}
		if _, err := w.a.Trust(w.moment(), d, w.by(account.TOTP).Receipt); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.a.AskReset(w.moment(), 24*time.Hour, true); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		if err := w.a.Grant(w.moment(), w.now.Add(time.Hour), long); err != nil {
			t.Fatal(err)
		}
		if _, err := w.a.Lease(w.moment()); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Second)
		w.reload()
	}
	b := encode(t, w.a)
	if len(b) > account.MaxEncoded {
		t.Fatalf("%d bytes", len(b))
	}
	outbox, err := w.a.Outbox()
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[account.EventKind]int)
	for _, u := range outbox {
		count[u.Event.Kind] += u.Count
	}
	if count[account.EventBypassGranted] != 40 || count[account.EventResetRequested] != 1 || count[account.EventDeviceTrusted] != account.DefaultDevices {
		t.Errorf("undelivered: %v", count)
	}
	if len(w.devices()) != account.DefaultDevices || w.waived(account.DeviceHash{1}) != account.TrustedDevice || !w.a.ResetRequest().Open {
		t.Error("something but texts made room")
	}
	t.Logf("%d bytes, %d events to deliver", len(b), len(outbox))
}
