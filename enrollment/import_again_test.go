package enrollment_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A program that moves users can be run twice. What was revoked in between stays
// revoked: the stolen phone, and the recovery code that was used.
func TestImportBringsNothingBack(t *testing.T) {
	t.Parallel()
	off := map[string]func(r *moveRig, key totp.Key) error{
		"disabled": func(r *moveRig, key totp.Key) error {
			return r.Disable(t.Context(), "alice", enrollment.ByCode(r.code(key)))
		},
		"reset": func(r *moveRig, _ totp.Key) error {
			_, err := r.Admin("support", "phone stolen").Reset(t.Context(), "alice", enrollment.ResetOptions{})
			return err
		},
		"reset with a ticket": func(r *moveRig, _ totp.Key) error {
			_, err := r.Admin("support", "phone stolen").Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
			return err
		},
	}
	for name, revoke := range off {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newMoveRig(t)
			key := r.move("alice", summed("abcde-12345")...)
			if _, err := r.Verify(t.Context(), "alice", "x", "abcde-12345"); err != nil {
				t.Fatal(err)
			}
			if err := revoke(r, key); err != nil {
				t.Fatal(err)
			}
			r.clock.Advance(time.Minute)
			im := enrollment.Import{
				Authenticators: []enrollment.ImportedAuthenticator{{Key: key}},
				RecoveryHashes: summed("abcde-12345"),
			}
			before := r.record("alice")
			r.told()
			err := r.Admin("carol", "moving").Import(t.Context(), "alice", im)
			r.denied(err, enrollment.ReasonWasEnrolled)
			if r.record("alice").Version != before.Version || len(r.told()) != 0 || r.status("alice").State != store.Disabled {
				t.Errorf("the refusal has left %+v", r.status("alice"))
			}
			// Whoever knows better says so.
			im.Again = true
			if err := r.Admin("carol", "moving").Import(t.Context(), "alice", im); err != nil {
				t.Fatal(err)
			}
			if s := r.status("alice"); s.State != store.Confirmed || s.CodesLeft != 1 || s.History[0].Kind != enrollment.EventImported {
				t.Errorf("%+v", s)
			}
			r.denied(r.Admin("carol", "moving").Import(t.Context(), "alice", im), enrollment.ReasonAlreadyEnrolled)
		})
	}
}

// A ticket that was handed out before anything was on is not passed over either.
func TestImportInsteadOfTheTicket(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	ticket, err := r.Admin("support", "new here").Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	if err != nil {
		t.Fatal(err)
	}
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: r.key("alice", totp.Params{})}}}
	r.denied(r.Admin("carol", "moving").Import(t.Context(), "alice", im), enrollment.ReasonWasEnrolled)
	if _, err := r.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Ticket: ticket.Reveal()}); err != nil {
		t.Errorf("the ticket is good no more: %v", err)
	}
}

// Codes of another system may be as short as eight digits. However long somebody
// who has the password goes on, few are evaluated, and the app is not locked.
func TestImportedCodesHaveABudget(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	key := r.move("alice", summed("70000001", "70000002")...)
	guess := func(i int) enrollment.Reason {
		_, err := r.Verify(t.Context(), "alice", "x", fmt.Sprintf("%08d", i))
		return modelReason(err)
	}
	const days = 5
	evaluated := 0
	for i := range days * 24 * 4 { // every quarter of an hour, after every wait
		if guess(i) == enrollment.ReasonWrongCode {
			evaluated++
		}
		r.clock.Advance(15 * time.Minute)
	}
	if evaluated < 30 || evaluated > 30+days {
		t.Errorf("%d guesses were evaluated in %d days", evaluated, days)
	}
	for guess(0) == enrollment.ReasonWrongCode { // what has just come back
	}
	locks := r.status("alice").Locks
	if len(locks) != 1 || locks[0].Factor != enrollment.FactorRecovery ||
		!locks[0].Until.After(r.clock.Now()) || locks[0].Until.After(r.clock.Now().Add(24*time.Hour)) {
		t.Errorf("locks %+v at %v", locks, r.clock.Now())
	}
	_, err := r.answer("alice", "70000001")
	var denied *enrollment.Denied
	if r.denied(err, enrollment.ReasonLocked); !errors.As(err, &denied) || denied.Factor != enrollment.FactorRecovery || !denied.RetryAt.Equal(locks[0].Until) {
		t.Errorf("%+v", denied)
	}
	if _, err := r.answer("alice", r.code(key)); err != nil {
		t.Errorf("the app: %v", err)
	}
	if len(r.status("alice").Locks) != 1 {
		t.Error("a code of the app has refilled the budget")
	}
	// New codes are of this library, and none of that is about them.
	r.clock.Advance(time.Minute)
	renewed, err := r.RenewCodes(t.Context(), "alice", enrollment.ByCode(r.code(key)))
	if err != nil {
		t.Fatal(err)
	}
	if locks := r.status("alice").Locks; len(locks) != 0 {
		t.Errorf("after new codes: %+v", locks)
	}
	if _, err := r.answer("alice", renewed.Codes.Reveal()[0]); err != nil {
		t.Errorf("a new code: %v", err)
	}
}

// The time comes when the owner's own code is evaluated again, or an
// administrator says so.
func TestImportedBudgetComesBack(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"a day", "an administrator"} {
		r := newMoveRig(t)
		r.move("alice", summed("70000001")...)
		for i := range 30 {
			if _, err := r.Verify(t.Context(), "alice", "x", fmt.Sprintf("%08d", i)); modelReason(err) != enrollment.ReasonWrongCode {
				t.Fatalf("guess %d: %v", i, err)
			}
			r.clock.Advance(time.Minute)
		}
		_, err := r.answer("alice", "70000001")
		r.denied(err, enrollment.ReasonLocked)
		if how == "a day" {
			r.clock.Advance(24 * time.Hour)
		} else if err := r.Admin("support", "asked").Unlock(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.answer("alice", "70000001"); err != nil {
			t.Errorf("after %s: %v", how, err)
		}
	}
}

// An administrator who unlocks, again and again, gives back some of it and not
// all.
func TestUnlockSparesTheImportedBudget(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	r.move("alice", summed("70000001")...)
	guesses := func() (n int) {
		for i := range 40 {
			if _, err := r.Verify(t.Context(), "alice", "x", fmt.Sprintf("%08d", i)); modelReason(err) == enrollment.ReasonWrongCode {
				n++
			}
			r.clock.Advance(time.Minute)
		}
		return n
	}
	for i, want := range []int{30, 5, 5} {
		if got := guesses(); got != want {
			t.Errorf("%d guesses were evaluated after %d times unlocked, want %d", got, i, want)
		}
		if err := r.Admin("support", "asked").Unlock(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
	}
}
