package account_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// Binding an address while nothing is set up proves no second factor.
// That must not be worth anything once something is.
func TestBindBeganBeforeEnrolling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.a.Bind(w.moment(), w.message(3, "123456"), phone, true, account.TicketHash{}, w.by(account.TOTP)))
	w.enroll(1)
	mustReason(t, w.confirmAddress(3, "123456", true, nil), account.NoSetup)
	w.now = w.now.Add(account.MessagePause)
	mustReason(t, w.a.Bind(w.moment(), w.message(4, "123456"), phone, true, account.TicketHash{}, account.Proof{}), account.ProofRequired)
}

// And an address that is confirmed drops the app that was begun before.
func TestAddressDropsSetup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.begin(1, account.AuthenticatorID{})
	w.bind()
	_, err := w.a.Confirm(w.moment(), id, code(t, key(t, 1), w.now))
	mustReason(t, err, account.NoSetup)
}

func TestConfirmAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, set := codes(t, 1)
	mustReason(t, w.confirmAddress(1, "123456", true, set), account.NoSetup)
	mustReason(t, w.a.Bind(w.moment(), w.message(1, "012345"), phone, false, account.TicketHash{}, account.Proof{}), account.NoAuthenticator)
	must(t, w.a.Bind(w.moment(), w.message(1, "012345"), phone, true, account.TicketHash{}, w.by(account.TOTP)))
	if s := w.a.State(); s != account.None {
		t.Errorf("state %v", s)
	}
	w.now = w.now.Add(account.MessagePause)
	must(t, w.a.Bind(w.moment(), w.message(2, "123456"), phone, true, account.TicketHash{}, w.by(account.TOTP)))
	mustReason(t, w.confirmAddress(1, "012345", true, set), account.SetupSuperseded)
	mustReason(t, w.confirmAddress(2, "012345", true, set), account.WrongCode)
	mustReason(t, w.confirmAddress(2, "123456", false, set), account.NoAuthenticator)
	_, err := w.a.ConfirmAddress(w.moment(), account.Guess{
		Factor: account.Delivered, Digits: "123456", Delivery: account.DeliveryID{2},
	}, true)
	w.needs(err, account.NeedSet)
	w = newWorld(t)
	must(t, w.a.Bind(w.moment(), w.message(2, "123456"), phone, true, account.TicketHash{}, w.by(account.TOTP)))
	w.now = w.now.Add(account.DeliveryTTL - time.Microsecond)
	mustReason(t, w.confirmAddress(2, "123456", true, set), "")
	if x := w.a.Address(); w.a.State() != account.Confirmed || x.To != phone.To || !x.Added.Equal(w.now) || !x.Used.Equal(w.now) {
		t.Errorf("state %v, address %+v", w.a.State(), x)
	}
	mustReason(t, w.confirmAddress(2, "123456", true, set), account.AlreadyConfirmed)
	// A code that proves an address does not sign in, nor the other way round.
	w.now = w.now.Add(account.MessagePause)
	must(t, w.a.Bind(w.moment(), w.message(3, "123456"), phone, true, account.TicketHash{}, w.by(account.TOTP)))
	mustReason(t, w.delivered(3, "123456"), account.ChallengeVoid)
	w.now = w.now.Add(account.MessagePause)
	mustReason(t, w.send(4, "123456"), "")
	mustReason(t, w.confirmAddress(4, "123456", true, nil), account.NoSetup)
	mustReason(t, w.delivered(4, "123456"), "")
}

// A lock on delivered codes holds back binding an address. It is seen, and an
// administrator ends it, also where there is nothing yet.
func TestLockedBeforeTheFirstAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.a.Bind(w.moment(), w.message(1, "123456"), phone, true, account.TicketHash{}, w.by(account.TOTP)))
	w.reload()
	for range 5 {
		mustReason(t, w.confirmAddress(1, "000000", true, nil), account.WrongCode)
	}
	if w.a.State() != account.None {
		t.Fatalf("state %v", w.a.State())
	}
	if until, locked := w.a.LockedUntil(account.Delivered, w.now); !locked || !until.Equal(w.now.Add(time.Minute)) {
		t.Errorf("locked %v until %v", locked, until)
	}
	for _, f := range []account.Factor{account.TOTP, account.Recovery} {
		if _, locked := w.a.LockedUntil(f, w.now); locked {
			t.Errorf("factor %v is locked", f)
		}
	}
	mustReason(t, w.a.Unlock(w.moment(), root), "")
	if list := kinds(w.a); len(list) != 1 || list[0] != account.EventUnlocked {
		t.Errorf("recorded %v", list)
	}
	w.reload()
	if _, locked := w.a.LockedUntil(account.Delivered, w.now); locked {
		t.Error("still locked")
	}
	mustReason(t, w.a.Unlock(w.moment(), root), account.NotEnrolled)
	if w.a.Changed() {
		t.Error("a refusal has changed something")
	}
}
