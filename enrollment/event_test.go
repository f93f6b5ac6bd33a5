package enrollment_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Every change that the owner should hear of is told once, with what it was
// authorised by.
func TestEvents(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) { c.ReauthDisables = true })
	ctx := t.Context()
	alice := k.Enroll("alice")
	next := func() { k.Pass(time.Minute) }

	setup, app := k.Begin("alice", enrollment.BeginOptions{Name: "tablet", Proof: enrollment.ByCode(alice.Code())})
	done, err := k.Guard.Confirm(ctx, "alice", setup.Token, k.Code(app))
	if err != nil {
		t.Fatal(err)
	}
	setup, app = k.Begin("alice", enrollment.BeginOptions{Replace: done.Success.Authenticator, Proof: enrollment.ByReceipt(done.Success.Receipt)})
	if done, err = k.Guard.Confirm(ctx, "alice", setup.Token, k.Code(app)); err != nil {
		t.Fatal(err)
	}
	if err := k.Guard.Remove(ctx, "alice", done.Success.Authenticator, enrollment.ByReauth("password")); err != nil {
		t.Fatal(err)
	}
	next()
	if _, err := k.Guard.Verify(ctx, "alice", "x", alice.Codes[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Guard.RenewCodes(ctx, "alice", enrollment.ByCode(alice.Code())); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		_, _ = k.Guard.Verify(ctx, "alice", "x", alice.Wrong())
	}
	next()
	if err := k.Guard.Disable(ctx, "alice", enrollment.ByCode(alice.Code())); err != nil {
		t.Fatal(err)
	}

	want := []enrollment.Event{
		{Kind: enrollment.EventEnabled, Factor: enrollment.FactorTOTP, Name: "Authenticator"},
		{Kind: enrollment.EventAuthenticatorAdded, Factor: enrollment.FactorTOTP, Name: "tablet"},
		{Kind: enrollment.EventAuthenticatorReplaced, Factor: enrollment.FactorTOTP, Name: "tablet"},
		{Kind: enrollment.EventAuthenticatorRemoved, Name: "tablet", Method: "password"},
		{Kind: enrollment.EventRecoveryUsed, Factor: enrollment.FactorRecovery},
		{Kind: enrollment.EventCodesRenewed, Factor: enrollment.FactorTOTP},
		{Kind: enrollment.EventLocked, Factor: enrollment.FactorTOTP},
		{Kind: enrollment.EventDisabled, Factor: enrollment.FactorTOTP},
	}
	got := k.Events()
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d: %+v", len(got), len(want), got)
	}
	status, err := k.Guard.Status(ctx, "alice")
	if err != nil || len(status.History) != len(want) {
		t.Fatalf("%d events in the history, %v", len(status.History), err)
	}
	seen := make(map[string]bool)
	for i, e := range got {
		if e.UserID != "alice" || e.At.IsZero() || e.ID == "" || seen[e.ID] {
			t.Errorf("event %d: %+v", i, e)
		}
		seen[e.ID] = true
		if h := status.History[len(want)-1-i]; h != e {
			t.Errorf("the history has %+v, told was %+v", h, e)
		}
		e.ID, e.UserID, e.At = "", "", time.Time{}
		want[i].Count = 1
		if e != want[i] {
			t.Errorf("event %d is %+v, want %+v", i, e, want[i])
		}
	}
	rec, err := k.Store.Load(ctx, "alice")
	if err != nil || !rec.Due.IsZero() {
		t.Errorf("something waits until %v although all was taken, %v", rec.Due, err)
	}
}

// What Notify does not take stays in the account, due for a sweep, and the
// answer is the same.
func TestNotifyFails(t *testing.T) {
	t.Parallel()
	for name, notify := range map[string]func(context.Context, enrollment.Event) error{
		"error": func(context.Context, enrollment.Event) error { return errors.New("the queue is full") },
		"panic": func(context.Context, enrollment.Event) error { panic("oops") },
	} {
		k := proving.New(t, func(c *enrollment.Config) { c.Notify = notify })
		alice := k.Enroll("alice")
		rec, err := k.Store.Load(t.Context(), "alice")
		if err != nil || rec.Due.IsZero() || rec.Due.Sub(k.Now()) > time.Minute {
			t.Errorf("%s: due %v, %v", name, rec.Due, err)
		}
		if _, err := k.Guard.Verify(t.Context(), "alice", "x", alice.Code()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What Notify did not take comes again with a later change, with the same id,
// and only until it is taken.
func TestUndeliveredComesAgain(t *testing.T) {
	t.Parallel()
	var got []enrollment.Event
	var fail error = errors.New("the queue is full")
	k := proving.New(t, func(c *enrollment.Config) {
		c.Notify = func(_ context.Context, e enrollment.Event) error {
			got = append(got, e)
			return fail
		}
	})
	alice := k.Enroll("alice") // moves the clock by half a minute
	verify := func() {
		t.Helper()
		if _, err := k.Guard.Verify(t.Context(), "alice", "x", alice.Code()); err != nil {
			t.Fatal(err)
		}
	}
	verify()
	if len(got) != 1 {
		t.Fatalf("told %d times while the lease runs", len(got))
	}
	k.Pass(time.Minute)
	verify()
	fail = nil
	k.Pass(time.Minute)
	verify()
	k.Pass(time.Minute)
	verify()
	if len(got) != 3 {
		t.Fatalf("told %d times, want 3", len(got))
	}
	for _, e := range got {
		if e.ID != got[0].ID || e.Kind != enrollment.EventEnabled || e.Count != 1 {
			t.Errorf("told of %+v", e)
		}
	}
}

// An event that could not be told is folded into a later one, which is being told meanwhile.
// It is told nevertheless.
func TestFoldedEventIsTold(t *testing.T) {
	t.Parallel()
	var k *proving.Kit
	var exports []enrollment.Event
	var meanwhile func()
	var fail error
	k = proving.New(t, func(c *enrollment.Config) {
		c.Notify = func(_ context.Context, e enrollment.Event) error {
			if fail == nil && e.Kind == enrollment.EventExported {
				exports = append(exports, e)
				meanwhile()
			}
			return fail
		}
	})
	k.Enroll("alice")
	export := func() {
		_, err := k.Guard.Admin("root", "x").Export(t.Context(), "alice")
		k.Must(err)
	}
	bypass := func() { k.Must(k.Guard.Admin("root", "x").Bypass(t.Context(), "alice", k.Now().Add(time.Hour))) }
	fail = errors.New("the queue is full")
	export()
	for range 14 {
		bypass()
	}
	fail, meanwhile = nil, bypass
	export()
	meanwhile = func() {}
	for range 3 {
		k.Pass(time.Minute)
		k.Sweep()
	}
	if len(exports) != 2 || exports[0].Count != 1 || exports[1].Count != 2 || exports[0].ID == exports[1].ID {
		t.Errorf("told of the exports %+v, want one, and then both under another id", exports)
	}
}

// If one call delivers an event and folds another one into it, both are told once.
func TestFoldedEventIsToldOnce(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	k.Told()
	export := func() {
		_, err := k.Guard.Admin("root", "x").Export(t.Context(), "alice")
		k.Must(err)
	}
	bypass := func() { k.Must(k.Guard.Admin("root", "x").Bypass(t.Context(), "alice", k.Now().Add(time.Hour))) }
	k.FailNotify(errors.New("the queue is full"))
	export()
	for range 15 {
		bypass()
	}
	k.FailNotify(nil)
	k.Pass(time.Minute)
	export()
	told := k.Told()
	k.Pass(time.Minute)
	k.Sweep()
	count := 0
	for _, e := range told {
		count += e.Count
	}
	if again := k.Told(); len(told) != 16 || count != 17 || len(again) != 0 {
		t.Fatalf("told of %d in %d events, and again %+v, want 17 in 16", count, len(told), again)
	}
	if latest := k.Status("alice").History[0]; told[15].ID != latest.ID {
		t.Errorf("the last one was told as %s, and is %s in the history", told[15].ID, latest.ID)
	}
}

// The caller who hangs up does not take the notification with them, and what
// Notify gets to see is stored already.
func TestNotifyComesAfterTheWrite(t *testing.T) {
	t.Parallel()
	var k *proving.Kit
	told := 0
	k = proving.New(t, func(c *enrollment.Config) {
		c.Notify = func(ctx context.Context, e enrollment.Event) error {
			told++
			if err := ctx.Err(); err != nil {
				t.Errorf("the context has ended: %v", err)
			}
			if _, ok := ctx.Deadline(); !ok {
				t.Error("the context has no deadline")
			}
			if status, err := k.Guard.Status(ctx, e.UserID); err != nil || !status.Enabled() {
				t.Errorf("told of what is not stored: %v, %v", status.State, err)
			}
			return nil
		}
	})
	k.Enroll("alice")
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

// Without Notify nothing piles up.
func TestNoNotify(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) { c.Notify = nil })
	k.Enroll("alice")
	rec, err := k.Store.Load(t.Context(), "alice")
	if err != nil || !rec.Due.IsZero() || rec.State != store.Confirmed {
		t.Errorf("due %v, state %v, %v", rec.Due, rec.State, err)
	}
}

// The answer waits for the acknowledgement of its events, so that it must have
// a deadline: a store that hangs there holds up an answer that is stored
// already, for ever.
func TestAcknowledgementHangs(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	endless := 0
	k.Store.Before(proving.Load, func(ctx context.Context, _ *proving.Call) {
		if ctx.Done() == nil {
			endless++
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := k.Guard.Verify(ctx, "alice", "x", alice.Codes[0]); err != nil {
		t.Fatal(err)
	}
	if endless > 0 {
		t.Errorf("%d calls of the store without a deadline, although the caller has one", endless)
	}
}
