package account_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// beginBy begins a setup by what a sign-in has handed out.
func (w *world) beginBy(e account.Enroll) account.Reason {
	p := account.Proof{Kind: account.EnrollProof, Enroll: e}
	return reason(w.a.Begin(w.moment(), w.setup(byte(w.drawn), account.AuthenticatorID{}), account.TicketHash{}, p))
}

// The first setup stores the epoch of the token that began it. All others are void.
func TestFirstEnrollStoresItsEpoch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.a.NewEnroll(w.now)
	w.a = account.New(w.moment()) // nothing is stored in between
	second := w.a.NewEnroll(w.now)
	if !first.Unstored || first.Epoch == second.Epoch {
		t.Fatalf("%+v and %+v", first, second)
	}
	if got := w.beginBy(first); got != "" || w.a.Epoch() != first.Epoch {
		t.Errorf("%q, with the epoch %v", got, w.a.Epoch())
	}
	w.reload()
	for _, e := range []account.Enroll{second, {Epoch: second.Epoch, At: w.now}} {
		if got := w.beginBy(e); got != account.EnrollTokenInvalid || w.a.Changed() || w.a.Epoch() != first.Epoch {
			t.Errorf("%+v: %q", e, got)
		}
	}
	for _, e := range []account.Enroll{first, w.a.NewEnroll(w.now)} {
		if got := w.beginBy(e); got != "" {
			t.Errorf("%+v: %q", e, got)
		}
		w.reload()
	}
	if w.a.NewEnroll(w.now).Unstored {
		t.Error("it counts as not stored")
	}
}

// A token of a stored account is void where there is no account any more, and for an
// account that has a second factor.
func TestEnrollIsVoid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stored := account.Enroll{Epoch: w.a.Epoch(), At: w.now}
	stored.Epoch[0]++
	if got := w.beginBy(stored); got != account.EnrollTokenInvalid || w.a.Changed() {
		t.Errorf("without an account: %q", got)
	}
	if got := w.beginBy(w.a.NewReplace(w.now)); got != account.EnrollTokenInvalid || w.a.Changed() {
		t.Errorf("with nothing to replace: %q", got)
	}
	w.enroll(1)
	w.reload()
	if got := w.beginBy(w.a.NewEnroll(w.now)); got != account.EnrollTokenInvalid || w.a.Changed() {
		t.Errorf("with a second factor: %q", got)
	}
}

// Both ends of its time, and of what it completes, to the microsecond.
func TestEnrollTimes(t *testing.T) {
	t.Parallel()
	const ahead = time.Minute // another node's clock
	for age, want := range map[time.Duration]account.Reason{
		-ahead - time.Microsecond:             account.EnrollTokenInvalid,
		-ahead:                                "",
		account.EnrollTTL:                     "",
		account.EnrollTTL + time.Microsecond:  account.EnrollTokenInvalid,
		account.MandateTTL:                    account.EnrollTokenInvalid,
		account.MandateTTL + time.Microsecond: account.EnrollTokenInvalid,
	} {
		w := newWorld(t)
		e := w.a.NewEnroll(w.now.Add(-age))
		if got := w.beginBy(e); got != want {
			t.Errorf("%v old: %q, want %q", age, got, want)
		}
		completes := age >= -ahead && age <= account.MandateTTL
		if got := (account.Mandate{At: e.At, Purpose: "sign_in"}).Holds(w.moment()); got != completes {
			t.Errorf("%v old: completes %t", age, got)
		}
	}
	w := newWorld(t)
	if (account.Mandate{At: w.now}).Holds(w.moment()) {
		t.Error("nothing completes something")
	}
	late := w.moment() // who came in time, and had to wait
	late.Typed, late.Now = w.now.Add(account.MandateTTL), w.now.Add(account.MandateTTL+time.Minute)
	if !(account.Mandate{At: w.now, Purpose: "sign_in"}).Holds(late) {
		t.Error("who had to wait is too late")
	}
}
