package enrollment_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A program that moves users can be run twice. What was revoked in between stays
// revoked: the stolen phone, and the recovery code that was used.
func TestImportBringsNothingBack(t *testing.T) {
	t.Parallel()
	off := map[string]func(k *proving.Kit, key totp.Key) error{
		"disabled": func(k *proving.Kit, key totp.Key) error {
			return k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(k.Code(key)))
		},
		"reset": func(k *proving.Kit, _ totp.Key) error {
			_, err := k.Guard.Admin("support", "phone stolen").Reset(t.Context(), "alice", enrollment.ResetOptions{})
			return err
		},
		"reset with a ticket": func(k *proving.Kit, _ totp.Key) error {
			_, err := k.Guard.Admin("support", "phone stolen").Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
			return err
		},
	}
	for name, revoke := range off {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := proving.New(t)
			key := k.TakeOver("alice", proving.Summed("abcde-12345")...).Key
			if _, err := k.Guard.Verify(t.Context(), "alice", "x", "abcde-12345"); err != nil {
				t.Fatal(err)
			}
			if err := revoke(k, key); err != nil {
				t.Fatal(err)
			}
			k.Pass(time.Minute)
			im := enrollment.Import{
				Authenticators: []enrollment.ImportedAuthenticator{{Key: key}},
				RecoveryHashes: proving.Hashes(proving.Summed("abcde-12345")...),
			}
			before := k.Record("alice")
			k.Told()
			err := k.Guard.Admin("carol", "moving").Import(t.Context(), "alice", im)
			proving.Want(t, err, enrollment.ReasonWasEnrolled)
			if k.Record("alice").Version != before.Version || len(k.Told()) != 0 || k.Status("alice").State != store.Disabled {
				t.Errorf("the refusal has left %+v", k.Status("alice"))
			}
			// A caller who knows better says so.
			im.Again = true
			if err := k.Guard.Admin("carol", "moving").Import(t.Context(), "alice", im); err != nil {
				t.Fatal(err)
			}
			if s := k.Status("alice"); s.State != store.Confirmed || s.CodesLeft != 1 || s.History[0].Kind != enrollment.EventImported {
				t.Errorf("%+v", s)
			}
			proving.Want(t, k.Guard.Admin("carol", "moving").Import(t.Context(), "alice", im), enrollment.ReasonAlreadyEnrolled)
		})
	}
}

// A ticket that was handed out before anything was on is not passed over either.
func TestImportInsteadOfTheTicket(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	ticket, err := k.Guard.Admin("support", "new here").Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	if err != nil {
		t.Fatal(err)
	}
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: proving.TheirKey(t, "alice", totp.Params{})}}}
	proving.Want(t, k.Guard.Admin("carol", "moving").Import(t.Context(), "alice", im), enrollment.ReasonWasEnrolled)
	if _, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Ticket: ticket, Proof: enrollment.ByReauth("password")}); err != nil {
		t.Errorf("the ticket is good no more: %v", err)
	}
}

// Codes of another system may be as short as eight digits. However long somebody
// who has the password goes on, few are evaluated, and the app is not locked.
func TestImportedCodesHaveABudget(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	key := k.TakeOver("alice", proving.Summed("70000001", "70000002")...).Key
	guess := func(i int) enrollment.Reason {
		_, err := k.Guard.Verify(t.Context(), "alice", "x", fmt.Sprintf("%08d", i))
		return proving.ReasonOf(err)
	}
	const days = 5
	evaluated := 0
	for i := range days * 24 * 4 { // every quarter of an hour, after every wait
		if guess(i) == enrollment.ReasonWrongCode {
			evaluated++
		}
		k.Pass(15 * time.Minute)
	}
	if evaluated < 30 || evaluated > 30+days {
		t.Errorf("%d guesses were evaluated in %d days", evaluated, days)
	}
	for guess(0) == enrollment.ReasonWrongCode { // what has just come back
	}
	locks := k.Status("alice").Locks
	if len(locks) != 1 || locks[0].Factor != enrollment.FactorRecovery ||
		!locks[0].Until.After(k.Now()) || locks[0].Until.After(k.Now().Add(24*time.Hour)) {
		t.Errorf("locks %+v at %v", locks, k.Now())
	}
	_, err := k.Answer(k.Challenge("alice"), "70000001")
	var denied *enrollment.Denied
	if proving.Want(t, err, enrollment.ReasonLocked); !errors.As(err, &denied) || denied.Factor != enrollment.FactorRecovery || !denied.RetryAt.Equal(locks[0].Until) {
		t.Errorf("%+v", denied)
	}
	if _, err := k.Answer(k.Challenge("alice"), k.Code(key)); err != nil {
		t.Errorf("the app: %v", err)
	}
	if len(k.Status("alice").Locks) != 1 {
		t.Error("a code of the app has refilled the budget")
	}
	// New codes are of this library, and none of that is about them.
	k.Pass(time.Minute)
	renewed, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(k.Code(key)))
	if err != nil {
		t.Fatal(err)
	}
	if locks := k.Status("alice").Locks; len(locks) != 0 {
		t.Errorf("after new codes: %+v", locks)
	}
	if _, err := k.Answer(k.Challenge("alice"), renewed.Codes.Reveal()[0]); err != nil {
		t.Errorf("a new code: %v", err)
	}
}

// The time comes when the owner's own code is evaluated again, or an
// administrator says so.
func TestImportedBudgetComesBack(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"a day", "an administrator"} {
		k := proving.New(t)
		k.TakeOver("alice", proving.Summed("70000001")...)
		for i := range 30 {
			if _, err := k.Guard.Verify(t.Context(), "alice", "x", fmt.Sprintf("%08d", i)); proving.ReasonOf(err) != enrollment.ReasonWrongCode {
				t.Fatalf("guess %d: %v", i, err)
			}
			k.Pass(time.Minute)
		}
		_, err := k.Answer(k.Challenge("alice"), "70000001")
		proving.Want(t, err, enrollment.ReasonLocked)
		if how == "a day" {
			k.Pass(24 * time.Hour)
		} else if err := k.Guard.Admin("support", "asked").Unlock(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Answer(k.Challenge("alice"), "70000001"); err != nil {
			t.Errorf("after %s: %v", how, err)
		}
	}
}

// An administrator who unlocks, again and again, gives back some of it and not
// all.
func TestUnlockSparesTheImportedBudget(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.TakeOver("alice", proving.Summed("70000001")...)
	guesses := func() (n int) {
		for i := range 40 {
			if _, err := k.Guard.Verify(t.Context(), "alice", "x", fmt.Sprintf("%08d", i)); proving.ReasonOf(err) == enrollment.ReasonWrongCode {
				n++
			}
			k.Pass(time.Minute)
		}
		return n
	}
	for i, want := range []int{30, 5, 5} {
		if got := guesses(); got != want {
			t.Errorf("%d guesses were evaluated after %d times unlocked, want %d", got, i, want)
		}
		if err := k.Guard.Admin("support", "asked").Unlock(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
	}
}
