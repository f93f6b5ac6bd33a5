package enrollment_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// administer calls everything that an Admin can do with somebody's account.
func administer(ctx context.Context, o *office, x enrollment.Admin, user string) map[string]error {
	_, reset := x.Reset(ctx, user, enrollment.ResetOptions{Ticket: true})
	_, approve := x.ApproveReset(ctx, user, enrollment.ResetOptions{Ticket: true})
	return map[string]error{
		"Reset": reset, "ApproveReset": approve, "RefuseReset": x.RefuseReset(ctx, user), "Unlock": x.Unlock(ctx, user),
		"Bypass": x.Bypass(ctx, user, o.clock.Now().Add(time.Hour)), "Erase": x.Erase(ctx, user),
	}
}

// Whoever acts, and why, is within bounds, or nothing is done.
func TestActorAndReason(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.enroll("alice")
	o.take()
	o.unchanged("alice", func() {
		for name, x := range map[string]enrollment.Admin{
			"zero":           {},
			"no actor":       o.guard.Admin("", "x"),
			"no reason":      o.guard.Admin("root", ""),
			"long actor":     o.guard.Admin(strings.Repeat("a", enrollment.MaxActor+1), "x"),
			"long reason":    o.guard.Admin("root", strings.Repeat("r", enrollment.MaxAdminReason+1)),
			"line in actor":  o.guard.Admin("ro\not", "x"),
			"line in reason": o.guard.Admin("root", "x\r\ny"),
			"not UTF-8":      o.guard.Admin("root", "\xff"),
		} {
			for op, err := range administer(t.Context(), o, x, "alice") {
				if modelReason(err) != "fault" {
					t.Errorf("%s, %s: %v", name, op, err)
				}
			}
		}
		for op, err := range administer(t.Context(), o, o.guard.Admin("alice", "I may"), "alice") {
			if !errors.Is(err, enrollment.ReasonOwnAccount) {
				t.Errorf("%s: %v", op, err)
			}
		}
	})
	for op, err := range administer(t.Context(), o, o.guard.Admin("root", "x"), strings.Repeat("u", store.MaxUserID+1)) {
		if !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s of a user id out of bounds: %v", op, err)
		}
	}
	o.wantTold()

	// Users are compared byte by byte, and the bounds themselves are taken.
	for _, actor := range []string{"Alice", "alice ", strings.Repeat("a", enrollment.MaxActor)} {
		reason := strings.Repeat("ü", enrollment.MaxAdminReason/2)
		granted(t, o.guard.Admin(actor, reason).Bypass(t.Context(), "alice", o.clock.Now().Add(time.Hour)))
		o.wantTold(enrollment.Event{Kind: enrollment.EventBypassGranted, Actor: actor, Note: reason})
	}
}

func TestAdminReset(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	alice := o.enroll("alice")
	device := alice.trust("d").Token
	o.take()
	admin := o.guard.Admin("root", "phone lost")
	_, err := admin.Reset(t.Context(), "nobody", enrollment.ResetOptions{})
	wantReason(t, err, enrollment.ReasonNotEnrolled)
	if _, err := o.store.Load(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Error("a refusal has made a record")
	}
	ticket, err := admin.Reset(t.Context(), "alice", enrollment.ResetOptions{})
	if err != nil || !ticket.IsZero() {
		t.Fatal(err)
	}
	o.wantTold(enrollment.Event{Kind: enrollment.EventReset, Actor: "root", Note: "phone lost"})
	s := o.status("alice")
	if s.State != store.Disabled || s.CodesTotal != 0 || s.Devices != 0 || len(s.Authenticators) != 0 ||
		s.History[0].Actor != "root" || s.History[0].Note != "phone lost" {
		t.Errorf("%+v", s)
	}
	again := o.enroll("alice")
	if d := o.signIn("alice", enrollment.SignInOptions{Device: device}); d.Next != enrollment.AskCode {
		t.Errorf("the device of before: %v", d.Next)
	}
	for _, old := range []string{alice.code(), alice.codes[0]} {
		_, err := o.guard.Verify(t.Context(), "alice", "x", old)
		wantReason(t, err, enrollment.ReasonWrongCode)
	}
	again.verify("x")
}

func TestTicket(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.enroll("alice")
	admin := o.guard.Admin("root", "phone lost")
	ticket, err := admin.Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	granted(t, err)
	ofBob, err := admin.Reset(t.Context(), "bob", enrollment.ResetOptions{Ticket: true})
	granted(t, err)
	if text := ticket.Reveal(); len(strings.ReplaceAll(text, "-", "")) != 16 || text == ofBob.Reveal() {
		t.Errorf("a ticket of %d bytes", len(text))
	}
	begin := func(user, ticket string) (enrollment.Setup, error) {
		return o.guard.Begin(t.Context(), user, enrollment.BeginOptions{Account: "a", Ticket: ticket})
	}
	o.unchanged("alice", func() {
		for text, want := range map[string]enrollment.Reason{
			"":                       enrollment.ReasonTicketRequired,
			"hello":                  enrollment.ReasonTicketInvalid,
			ofBob.Reveal():           enrollment.ReasonTicketInvalid,
			strings.Repeat("0", 26):  enrollment.ReasonTicketInvalid,
			strings.Repeat("A", 1e6): enrollment.ReasonTicketInvalid,
		} {
			for range 20 { // nothing is counted
				_, err := begin("alice", text)
				wantReason(t, err, want)
			}
		}
	})
	// As people type it.
	_, err = begin("alice", " "+strings.ToLower(strings.ReplaceAll(ticket.Reveal(), "-", " "))+"\n")
	granted(t, err)
	// It is good until a setup is confirmed.
	setup, err := begin("alice", ticket.Reveal())
	granted(t, err)
	granted(t, o.guard.Cancel(t.Context(), "alice"))
	_, err = begin("alice", "")
	wantReason(t, err, enrollment.ReasonTicketRequired)
	_, err = o.guard.Confirm(t.Context(), "alice", setup.Token, "123456")
	wantReason(t, err, enrollment.ReasonNoSetup)
	alice := o.enrollWith("alice", ticket.Reveal())
	granted(t, o.guard.Disable(t.Context(), "alice", enrollment.ByCode(alice.code())))
	_, err = begin("alice", "")
	granted(t, err)

	// It is taken back by a Reset without one.
	_, err = admin.Reset(t.Context(), "bob", enrollment.ResetOptions{})
	granted(t, err)
	_, err = begin("bob", "")
	granted(t, err)
	_, err = admin.Reset(t.Context(), "bob", enrollment.ResetOptions{})
	wantReason(t, err, enrollment.ReasonNotEnrolled)
	// A text that nobody asked for is not looked at.
	_, err = begin("carol", "hello")
	granted(t, err)
}

func TestUnlock(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	admin := o.guard.Admin("root", "asked by telephone")
	wantReason(t, admin.Unlock(t.Context(), "nobody"), enrollment.ReasonNotEnrolled)
	alice := o.enroll("alice")
	o.take()
	o.unchanged("alice", func() { granted(t, admin.Unlock(t.Context(), "alice")) })
	for range 5 {
		_, err := o.guard.Verify(t.Context(), "alice", "x", alice.wrong())
		wantReason(t, err, enrollment.ReasonWrongCode)
	}
	_, err := o.guard.Verify(t.Context(), "alice", "x", alice.code())
	wantReason(t, err, enrollment.ReasonLocked)
	o.take()
	granted(t, admin.Unlock(t.Context(), "alice"))
	o.wantTold(enrollment.Event{Kind: enrollment.EventUnlocked, Actor: "root", Note: "asked by telephone"})
	if locks := o.status("alice").Locks; len(locks) != 0 {
		t.Errorf("%+v", locks)
	}
	alice.verify("x")
}

func TestBypassBounds(t *testing.T) {
	t.Parallel()
	for _, longest := range []time.Duration{0, 7 * 24 * time.Hour, time.Hour} {
		o := newOffice(t, func(c *enrollment.Config) { c.MaxBypass = longest })
		if longest == 0 {
			longest = 24 * time.Hour
		}
		o.enroll("alice")
		admin := o.guard.Admin("root", "x")
		now := o.clock.Now()
		o.unchanged("alice", func() {
			for name, until := range map[string]time.Time{
				"zero": {}, "now": now, "past": now.Add(-time.Hour), "too long": now.Add(longest + time.Microsecond),
				"the end of time": time.Unix(1<<61, 0), "its beginning": time.Unix(-1<<61, 0),
			} {
				if err := admin.Bypass(t.Context(), "alice", until); !errors.Is(err, enrollment.ErrLimit) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
		granted(t, admin.Bypass(t.Context(), "alice", now.Add(longest).In(time.FixedZone("east", 3600))))
		o.pass(longest - time.Microsecond)
		if d := o.signIn("alice", enrollment.SignInOptions{}); d.Waived != enrollment.FactorBypass {
			t.Errorf("%v: %+v", longest, d)
		}
		o.pass(time.Microsecond)
		if d := o.signIn("alice", enrollment.SignInOptions{}); d.Next != enrollment.AskCode {
			t.Errorf("%v: %+v", longest, d)
		}
	}
	keys, err := keyring.Generate("k")
	granted(t, err)
	for _, longest := range []time.Duration{-1, 7*24*time.Hour + 1} {
		if _, err := enrollment.New(memory.New(), keys, enrollment.Config{Issuer: "Acme", MaxBypass: longest}); err == nil || !strings.Contains(err.Error(), "Config.MaxBypass") {
			t.Errorf("%v: %v", longest, err)
		}
	}
}

// A bypass signs in, and proves nothing.
func TestBypassProvesNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.enroll("alice")
	granted(t, o.guard.Admin("root", "x").Bypass(t.Context(), "alice", o.clock.Now().Add(time.Hour)))
	o.signIn("alice", enrollment.SignInOptions{})
	o.unchanged("alice", func() {
		if d := o.signIn("alice", enrollment.SignInOptions{Purpose: "password-reset"}); d.Next != enrollment.AskCode {
			t.Errorf("%+v", d)
		}
		_, err := o.guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a"})
		wantReason(t, err, enrollment.ReasonProofRequired)
		_, err = o.guard.RenewCodes(t.Context(), "alice", enrollment.Proof{})
		wantReason(t, err, enrollment.ReasonProofRequired)
		wantReason(t, o.guard.Disable(t.Context(), "alice", enrollment.Proof{}), enrollment.ReasonProofRequired)
	})
}

func TestErase(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	admin := o.guard.Admin("root", "left the company")
	granted(t, admin.Erase(t.Context(), "nobody"))
	o.enroll("alice")
	o.take()
	var stored bool
	o.store.erase = func(user string) error {
		s, err := o.guard.Status(t.Context(), user)
		stored = err == nil && s.History[0].Kind == enrollment.EventErased && len(o.told) == 1
		return o.store.Store.Erase(t.Context(), user)
	}
	granted(t, admin.Erase(t.Context(), "alice"))
	if !stored {
		t.Error("erased before it was noted and told")
	}
	o.wantTold(enrollment.Event{Kind: enrollment.EventErased, Actor: "root", Note: "left the company"})
	if _, err := o.store.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if s := o.status("alice"); s.State != store.None || len(s.History) != 0 {
		t.Errorf("%+v", s)
	}
}

// A store that can't forget: nobody is told of what does not happen.
func TestEraseNeedsAnEraser(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	g, err := enrollment.New(struct{ store.Store }{o.store.Store}, o.ring, enrollment.Config{
		Issuer: "Acme", RecoveryScheme: recovery.Fast, AllowSHA1: fips.Enforced(), Now: o.clock.Now,
	})
	granted(t, err)
	o.enroll("alice")
	o.unchanged("alice", func() {
		if err := g.Admin("root", "x").Erase(t.Context(), "alice"); !errors.Is(err, enrollment.ErrNoEraser) {
			t.Errorf("%v", err)
		}
	})
}

// Faults on the way to an erasure.
func TestEraseFails(t *testing.T) {
	t.Parallel()
	down := errors.New("the database is down")
	for name, x := range map[string]struct {
		bend func(o *office)
		want error // nil if it is erased all the same
		told int
	}{
		"Notify": {func(o *office) { o.notify = errors.New("the queue is full") }, enrollment.ErrUndelivered, 0},
		"load":   {func(o *office) { o.store.load = func(string) (store.Record, error) { return store.Record{}, down } }, down, 0},
		"save":   {func(o *office) { o.store.save = func(store.Record, int64) error { return down } }, down, 0},
		"erase":  {func(o *office) { o.store.erase = func(string) error { return down } }, down, 1},
		"conflict": {func(o *office) {
			o.store.save = func(store.Record, int64) error { o.store.save = nil; return store.ErrConflict }
		}, nil, 1},
		"conflicts without an end": {func(o *office) { o.store.save = func(store.Record, int64) error { return store.ErrConflict } }, enrollment.ErrBusy, 0},
		"a damaged record": {func(o *office) {
			rec, err := o.store.Store.Load(t.Context(), "alice")
			granted(t, err)
			prev := rec.Version
			rec.Version++
			rec.Data[len(rec.Data)-1] ^= 1
			granted(t, o.store.Store.Save(t.Context(), rec, prev))
		}, nil, 1},
		"a record of another user": {func(o *office) {
			o.store.load = func(string) (store.Record, error) { return o.store.Store.Load(t.Context(), "Alice") }
		}, enrollment.ErrCorrupt, 0},
	} {
		o := newOffice(t)
		o.enroll("alice")
		o.enroll("Alice")
		o.take()
		x.bend(o)
		err := o.guard.Admin("root", "left").Erase(t.Context(), "alice")
		if !errors.Is(err, x.want) || (err == nil) != (x.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
		_, err = o.store.Store.Load(t.Context(), "alice")
		if errors.Is(err, store.ErrNotFound) != (x.want == nil) {
			t.Errorf("%s: afterwards Load returns %v", name, err)
		}
		told := o.take()
		if len(told) != x.told {
			t.Errorf("%s: told of %+v", name, told)
		}
		for _, e := range told {
			if e.Kind != enrollment.EventErased || e.Actor != "root" || e.Note != "left" {
				t.Errorf("%s: told of %+v", name, e)
			}
		}
		if _, err := o.store.Store.Load(t.Context(), "Alice"); err != nil {
			t.Errorf("%s: the other user: %v", name, err)
		}
	}
}

// Somebody is enrolled again while the erasure is on its way: either account is
// erased, and nothing of the first one is left in the second.
func TestEraseMeetsANewAccount(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	alice := o.enroll("alice")
	token := alice.trust("d").Token
	var again *client
	o.store.erase = func(user string) error {
		o.store.erase = nil
		granted(t, o.store.Store.Erase(t.Context(), user))
		again = o.enroll(user)
		return nil
	}
	granted(t, o.guard.Admin("root", "x").Erase(t.Context(), "alice"))
	if d := o.signIn("alice", enrollment.SignInOptions{Device: token}); d.Next != enrollment.AskCode {
		t.Errorf("%+v", d)
	}
	if s := o.status("alice"); len(s.History) != 1 || s.History[0].Kind != enrollment.EventEnabled {
		t.Errorf("%+v", s.History)
	}
	again.verify("x")
}

// With the longest names and reasons, and a Notify that takes nothing, every
// decision is still stored.
func TestEndlessAdministration(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	alice := o.enroll("alice")
	for range enrollment.MaxDevices {
		alice.trust(strings.Repeat("d", enrollment.MaxName))
	}
	o.notify = errors.New("the queue is full")
	admin := o.guard.Admin(strings.Repeat("a", enrollment.MaxActor), strings.Repeat("r", enrollment.MaxAdminReason))
	for range 30 {
		granted(t, admin.Bypass(t.Context(), "alice", o.clock.Now().Add(time.Hour)))
		rec, err := o.store.Load(t.Context(), "alice")
		if err != nil || len(rec.Data) > store.MaxData {
			t.Fatalf("%d bytes, %v", len(rec.Data), err)
		}
	}
	o.notify = nil
	o.take()
	o.pass(2 * time.Minute)
	alice.verify("x")
	count := 0
	for _, e := range o.take() {
		if e.Kind == enrollment.EventBypassGranted {
			count += e.Count
		}
	}
	if count != 30 {
		t.Errorf("told of %d", count)
	}
}
