package enrollment_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A dry run answers as the real one would, sees what it has decided, and changes
// nothing: not in the store, and nobody is told.
func TestDryRun(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	u := k.Enroll("alice")
	k.Told()
	k.Observed()
	saves := k.Store.Calls(proving.Save)
	dry := k.Guard.DryRun()
	admin := dry.Admin("root", "x")
	k.Untouched(func() {
		k.Must(admin.Bypass(t.Context(), "alice", k.Now().Add(time.Hour)))
		if s, err := dry.Status(t.Context(), "alice"); err != nil || s.BypassUntil.IsZero() || s.History[0].Actor != "root" {
			t.Errorf("it does not see what it has decided: %+v, %v", s, err)
		}
		if s := k.Status("alice"); !s.BypassUntil.IsZero() {
			t.Error("it was granted")
		}
		k.Must(admin.Move(t.Context(), "alice", "alicia"))
		if _, err := dry.Status(t.Context(), "alice"); !errors.Is(err, enrollment.ErrMoved) {
			t.Errorf("%v", err)
		}
		_, err := dry.Verify(t.Context(), "alicia", "x", k.Code(u.Key))
		proving.Want(t, err, "")
		_, err = dry.Verify(t.Context(), "alicia", "x", k.Code(u.Key))
		proving.Want(t, err, enrollment.ReasonReplayed)
		k.Must(admin.Erase(t.Context(), "alicia"))
		if s, err := dry.Status(t.Context(), "alicia"); err != nil || s.Enabled() {
			t.Errorf("%+v, %v", s, err)
		}
		_, err = admin.Reset(t.Context(), "nobody", enrollment.ResetOptions{})
		proving.Want(t, err, enrollment.ReasonNotEnrolled)
	}, "alice", "alicia")
	if n := k.Store.Calls(proving.Save) - saves + k.Store.Calls(proving.Erase); n != 0 {
		t.Errorf("the store was written %d times", n)
	}
	if told := k.Told(); len(told) != 0 {
		t.Errorf("told %+v", told)
	}
	if n := len(k.Observed()); n != 0 {
		t.Errorf("observed %d times", n)
	}
	// The code is unused.
	if _, err := u.Answer(k.Code(u.Key)); err != nil {
		t.Error(err)
	}
}

// A dry run takes the tokens of the Guard and its own. The Guard takes none of a dry run:
// the code behind them is unused, and signs in. Nor does another dry run.
func TestDryRunTokensAreVoid(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) { c.KeepCodes = true })
	u := k.Enroll("alice")
	k.Pass(time.Minute)
	dry := k.Guard.DryRun()
	real, err := u.Answer(k.Code(u.Key))
	k.Must(err)
	k.Pass(time.Minute)
	d, err := dry.SignIn(t.Context(), "alice", enrollment.SignInOptions{})
	k.Must(err)
	ours, err := dry.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, k.Code(u.Key))
	k.Must(err)
	recent := func(g *enrollment.Guard, r enrollment.Receipt) error {
		_, err := g.RecentlyVerified(t.Context(), "alice", enrollment.PurposeSignIn, r, time.Hour)
		return err
	}
	proving.Want(t, recent(dry, real.Receipt), "")
	proving.Want(t, recent(dry, ours.Receipt), "")
	proving.Want(t, recent(k.Guard, ours.Receipt), enrollment.ReasonProofInvalid)
	proving.Want(t, recent(k.Guard.DryRun(), ours.Receipt), enrollment.ReasonProofInvalid)
	proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(ours.Receipt)), enrollment.ReasonProofInvalid)
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, k.Code(u.Key))
	proving.Want(t, err, enrollment.ReasonChallengeInvalid)

	// Its recovery codes are not those that the same token makes later.
	setup, key := k.Begin("bob", enrollment.BeginOptions{})
	code := k.Code(key)
	void, err := dry.Confirm(t.Context(), "bob", setup.Token, code)
	k.Must(err)
	done, err := k.Guard.Confirm(t.Context(), "bob", setup.Token, code)
	k.Must(err)
	shown := void.Codes.Reveal()
	if len(shown) != 10 || slices.ContainsFunc(done.Codes.Reveal(), func(c string) bool { return slices.Contains(shown, c) }) {
		t.Errorf("a dry run has shown the recovery codes, or shows only %d", len(shown))
	}

	// What is there already would be real.
	_, exported := dry.Admin("root", "x").Export(t.Context(), "alice")
	_, listed := dry.RecoveryCodes(t.Context(), "alice", enrollment.ByReceipt(real.Receipt))
	for _, err := range []error{exported, listed} {
		if err == nil || !strings.Contains(err.Error(), "a dry run reveals") {
			t.Errorf("%v", err)
		}
	}
}

// A dry run offers what the Guard offers, and sends nothing.
func TestDryRunSendsNothing(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	u := k.Enroll("alice")
	k.Pass(time.Minute)
	_, err := k.Guard.DryRun().Messages().Bind(t.Context(), "alice", enrollment.BindOptions{
		Channel: "sms", To: proving.Phone, Proof: enrollment.ByCode(k.Code(u.Key)),
	})
	k.Must(err)
	if n := k.Inbox.Len(); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
}

// A database that fails while a dry run would write is no success.
func TestFaultOfDryRun(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	dry := k.Guard.DryRun()
	k.Store.Reset()
	k.Store.Nth(proving.Load, 2, proving.Fails(proving.ErrLost))
	if err := dry.Admin("root", "x").Bypass(t.Context(), "alice", k.Now().Add(time.Hour)); !errors.Is(err, proving.ErrLost) {
		t.Errorf("%v", err)
	}
	if s, err := dry.Status(t.Context(), "alice"); err != nil || !s.BypassUntil.IsZero() {
		t.Errorf("%+v, %v", s, err)
	}
}

// It keeps the last accounts only, and each account that it keeps is whole.
func TestDryRunIsBounded(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	users := proving.Users(100)
	k.EnrollAll(users...)
	dry := k.Guard.DryRun()
	for _, id := range users {
		k.Must(dry.Admin("root", "x").Bypass(t.Context(), id, k.Now().Add(time.Hour)))
	}
	kept := 0
	for _, id := range users {
		s, err := dry.Status(t.Context(), id)
		k.Must(err)
		if !s.BypassUntil.IsZero() {
			kept++
		}
	}
	if kept != 64 {
		t.Errorf("%d accounts are kept", kept)
	}
	// The first of them changes once more, and is the last one to be forgotten.
	again := users[len(users)-64]
	k.Must(dry.Admin("root", "x").Bypass(t.Context(), again, k.Now().Add(time.Hour)))
	for _, id := range users[:63] {
		k.Must(dry.Admin("root", "x").Bypass(t.Context(), id, k.Now().Add(time.Hour)))
	}
	if s, err := dry.Status(t.Context(), again); err != nil || s.BypassUntil.IsZero() {
		t.Errorf("the account that changed 64 changes ago is forgotten, %v", err)
	}
	if err := new(enrollment.Guard).DryRun().Admin("a", "b").Unlock(t.Context(), "alice"); err == nil {
		t.Error("the dry run of a zero Guard works")
	}
}

// A dry run can erase if the store can.
func TestDryRunWithoutEraser(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	type plain struct{ store.Store }
	g := k.NodeOver(plain{k.Store}, k.Keys).DryRun()
	if err := g.Admin("root", "x").Erase(t.Context(), "alice"); !errors.Is(err, enrollment.ErrNoEraser) {
		t.Errorf("%v, want ErrNoEraser", err)
	}
}

// What a dry run decides in the middle of another decision is not overwritten: of two
// callers with the same code, one is right.
func TestDryRunRace(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	u := k.Enroll("alice")
	dry := k.Guard.DryRun()
	verify := func() error {
		_, err := dry.Verify(t.Context(), "alice", "x", k.Code(u.Key))
		return err
	}
	k.Store.Nth(proving.Load, 2, func(context.Context, *proving.Call) { proving.Want(t, verify(), "") })
	proving.Want(t, verify(), enrollment.ReasonReplayed)
}

// The codes of a dry run are no hint about the clock.
func TestDryRunCountsNoHints(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	u := k.Enroll("alice")
	_, err := k.Guard.DryRun().Verify(t.Context(), "alice", "x", u.Wrong())
	proving.Want(t, err, enrollment.ReasonWrongCode)
	k.Pass(time.Hour)
	if hints := k.Guard.ClockHints(); hints != (enrollment.ClockHints{}) {
		t.Errorf("%+v", hints)
	}
}
