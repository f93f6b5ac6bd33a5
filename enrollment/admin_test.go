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
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// administer calls everything that an Admin can do with somebody's account.
func administer(ctx context.Context, k *proving.Kit, x enrollment.Admin, user string) map[string]error {
	_, reset := x.Reset(ctx, user, enrollment.ResetOptions{Ticket: true})
	_, approve := x.ApproveReset(ctx, user, enrollment.ResetOptions{Ticket: true})
	return map[string]error{
		"Reset": reset, "ApproveReset": approve, "RefuseReset": x.RefuseReset(ctx, user), "Unlock": x.Unlock(ctx, user),
		"Bypass": x.Bypass(ctx, user, k.Now().Add(time.Hour)), "Erase": x.Erase(ctx, user),
	}
}

// The actor and the reason are within bounds, or nothing is done.
func TestActorAndReason(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	k.Told()
	k.Unchanged("alice", func() {
		for name, x := range map[string]enrollment.Admin{
			"zero":           {},
			"no actor":       k.Guard.Admin("", "x"),
			"no reason":      k.Guard.Admin("root", ""),
			"long actor":     k.Guard.Admin(strings.Repeat("a", enrollment.MaxActor+1), "x"),
			"long reason":    k.Guard.Admin("root", strings.Repeat("r", enrollment.MaxAdminReason+1)),
			"line in actor":  k.Guard.Admin("ro\not", "x"),
			"line in reason": k.Guard.Admin("root", "x\r\ny"),
			"not UTF-8":      k.Guard.Admin("root", "\xff"),
		} {
			for op, err := range administer(t.Context(), k, x, "alice") {
				if proving.ReasonOf(err) != proving.Fault {
					t.Errorf("%s, %s: %v", name, op, err)
				}
			}
		}
		for op, err := range administer(t.Context(), k, k.Guard.Admin("alice", "I may"), "alice") {
			if !errors.Is(err, enrollment.ReasonOwnAccount) {
				t.Errorf("%s: %v", op, err)
			}
		}
	})
	for op, err := range administer(t.Context(), k, k.Guard.Admin("root", "x"), strings.Repeat("u", store.MaxUserID+1)) {
		if !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s of a user id out of bounds: %v", op, err)
		}
	}
	k.WantTold()

	// Users are compared byte by byte, and the bounds themselves are taken.
	for _, actor := range []string{"Alice", "alice ", strings.Repeat("a", enrollment.MaxActor)} {
		reason := strings.Repeat("ü", enrollment.MaxAdminReason/2)
		k.Must(k.Guard.Admin(actor, reason).Bypass(t.Context(), "alice", k.Now().Add(time.Hour)))
		k.WantTold(enrollment.Event{Kind: enrollment.EventBypassGranted, Actor: actor, Note: reason})
	}
}

func TestAdminReset(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	device := alice.Trust("d").Token
	k.Told()
	admin := k.Guard.Admin("root", "phone lost")
	_, err := admin.Reset(t.Context(), "nobody", enrollment.ResetOptions{})
	proving.Want(t, err, enrollment.ReasonNotEnrolled)
	if _, err := k.Store.Load(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Error("a refusal has made a record")
	}
	ticket, err := admin.Reset(t.Context(), "alice", enrollment.ResetOptions{})
	if err != nil || !ticket.IsZero() {
		t.Fatal(err)
	}
	k.WantTold(
		enrollment.Event{Kind: enrollment.EventReset, Actor: "root", Note: "phone lost"},
		enrollment.Event{Kind: enrollment.EventDevicesForgotten},
	)
	s := k.Status("alice")
	if s.State != store.Disabled || s.CodesTotal != 0 || s.Devices != 0 || len(s.Authenticators) != 0 ||
		s.History[1].Actor != "root" || s.History[1].Note != "phone lost" {
		t.Errorf("%+v", s)
	}
	again := k.Enroll("alice")
	if d := k.SignIn("alice", enrollment.SignInOptions{Device: device}); d.Next != enrollment.AskCode {
		t.Errorf("the device of before: %v", d.Next)
	}
	for _, old := range []string{alice.Code(), alice.Codes[0]} {
		_, err := k.Guard.Verify(t.Context(), "alice", "x", old)
		proving.Want(t, err, enrollment.ReasonWrongCode)
	}
	again.Verify("x")
}

func TestTicket(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	admin := k.Guard.Admin("root", "phone lost")
	ticket, err := admin.Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	k.Must(err)
	ofBob, err := admin.Reset(t.Context(), "bob", enrollment.ResetOptions{Ticket: true})
	k.Must(err)
	if text := ticket.Reveal(); len(strings.ReplaceAll(text, "-", "")) != 16 || text == ofBob.Reveal() {
		t.Errorf("a ticket of %d bytes", len(text))
	}
	begin := func(user string, ticket enrollment.Ticket) (enrollment.Setup, error) {
		return k.Guard.Begin(t.Context(), user, enrollment.BeginOptions{Account: "a", Ticket: ticket, Proof: enrollment.ByReauth("password")})
	}
	k.Unchanged("alice", func() {
		for text, want := range map[string]enrollment.Reason{
			"":                       enrollment.ReasonTicketRequired,
			"hello":                  enrollment.ReasonTicketInvalid,
			ofBob.Reveal():           enrollment.ReasonTicketInvalid,
			strings.Repeat("0", 26):  enrollment.ReasonTicketInvalid,
			strings.Repeat("A", 1e6): enrollment.ReasonTicketInvalid,
		} {
			for range 20 { // nothing is counted
				_, err := begin("alice", enrollment.TicketOf(text))
				proving.Want(t, err, want)
			}
		}
	})
	// As people type it.
	_, err = begin("alice", enrollment.TicketOf(" "+strings.ToLower(strings.ReplaceAll(ticket.Reveal(), "-", " "))+"\n"))
	k.Must(err)
	// It is good until a setup is confirmed.
	setup, err := begin("alice", ticket)
	k.Must(err)
	k.Must(k.Guard.Cancel(t.Context(), "alice"))
	_, err = begin("alice", enrollment.Ticket{})
	proving.Want(t, err, enrollment.ReasonTicketRequired)
	_, err = k.Guard.Confirm(t.Context(), "alice", setup.Token, "123456")
	proving.Want(t, err, enrollment.ReasonNoSetup)
	alice := k.EnrollWith("alice", enrollment.BeginOptions{Ticket: ticket})
	k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(alice.Code())))
	_, err = begin("alice", enrollment.Ticket{})
	k.Must(err)

	// It is taken back by a Reset without one.
	_, err = admin.Reset(t.Context(), "bob", enrollment.ResetOptions{})
	k.Must(err)
	_, err = begin("bob", enrollment.Ticket{})
	k.Must(err)
	_, err = admin.Reset(t.Context(), "bob", enrollment.ResetOptions{})
	proving.Want(t, err, enrollment.ReasonNotEnrolled)
	// A text that nobody asked for is not looked at.
	_, err = begin("carol", enrollment.TicketOf("hello"))
	k.Must(err)
}

func TestUnlock(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	admin := k.Guard.Admin("root", "asked by telephone")
	proving.Want(t, admin.Unlock(t.Context(), "nobody"), enrollment.ReasonNotEnrolled)
	alice := k.Enroll("alice")
	k.Told()
	k.Unchanged("alice", func() { k.Must(admin.Unlock(t.Context(), "alice")) })
	for range 5 {
		_, err := k.Guard.Verify(t.Context(), "alice", "x", alice.Wrong())
		proving.Want(t, err, enrollment.ReasonWrongCode)
	}
	_, err := k.Guard.Verify(t.Context(), "alice", "x", alice.Code())
	proving.Want(t, err, enrollment.ReasonLocked)
	k.Told()
	k.Must(admin.Unlock(t.Context(), "alice"))
	k.WantTold(enrollment.Event{Kind: enrollment.EventUnlocked, Actor: "root", Note: "asked by telephone"})
	if locks := k.Status("alice").Locks; len(locks) != 0 {
		t.Errorf("%+v", locks)
	}
	alice.Verify("x")
}

func TestBypassBounds(t *testing.T) {
	t.Parallel()
	for _, longest := range []time.Duration{0, 7 * 24 * time.Hour, time.Hour} {
		k := proving.New(t, func(c *enrollment.Config) { c.MaxBypass = longest })
		if longest == 0 {
			longest = 24 * time.Hour
		}
		k.Enroll("alice")
		admin := k.Guard.Admin("root", "x")
		now := k.Now()
		k.Unchanged("alice", func() {
			for name, until := range map[string]time.Time{
				"zero": {}, "now": now, "past": now.Add(-time.Hour), "too long": now.Add(longest + time.Microsecond),
				"the end of time": time.Unix(1<<61, 0), "its beginning": time.Unix(-1<<61, 0),
			} {
				if err := admin.Bypass(t.Context(), "alice", until); !errors.Is(err, enrollment.ErrLimit) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
		k.Must(admin.Bypass(t.Context(), "alice", now.Add(longest).In(time.FixedZone("east", 3600))))
		k.Pass(longest - time.Microsecond)
		if d := k.SignIn("alice", enrollment.SignInOptions{}); d.Waived != enrollment.FactorBypass {
			t.Errorf("%v: %+v", longest, d)
		}
		k.Pass(time.Microsecond)
		if d := k.SignIn("alice", enrollment.SignInOptions{}); d.Next != enrollment.AskCode {
			t.Errorf("%v: %+v", longest, d)
		}
	}
	keys, err := keyring.Generate("k")
	proving.Want(t, err, "")
	for _, longest := range []time.Duration{-1, 7*24*time.Hour + 1} {
		if _, err := enrollment.New(memory.New(), keys, enrollment.Config{Issuer: "Acme", MaxBypass: longest}); err == nil || !strings.Contains(err.Error(), "Config.MaxBypass") {
			t.Errorf("%v: %v", longest, err)
		}
	}
}

// A bypass signs in, and proves nothing.
func TestBypassProvesNothing(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	k.Must(k.Guard.Admin("root", "x").Bypass(t.Context(), "alice", k.Now().Add(time.Hour)))
	k.SignIn("alice", enrollment.SignInOptions{})
	k.Unchanged("alice", func() {
		if d := k.SignIn("alice", enrollment.SignInOptions{Purpose: "password-reset"}); d.Next != enrollment.AskCode {
			t.Errorf("%+v", d)
		}
		_, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a"})
		proving.Want(t, err, enrollment.ReasonProofRequired)
		_, err = k.Guard.RenewCodes(t.Context(), "alice", enrollment.Proof{})
		proving.Want(t, err, enrollment.ReasonProofRequired)
		proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.Proof{}), enrollment.ReasonProofRequired)
	})
}

func TestErase(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	admin := k.Guard.Admin("root", "left the company")
	k.Must(admin.Erase(t.Context(), "nobody"))
	k.Enroll("alice")
	k.Told()
	var stored bool
	k.Store.Before(proving.Erase, func(ctx context.Context, c *proving.Call) {
		s, err := k.Guard.Status(ctx, c.User)
		stored = err == nil && s.History[0].Kind == enrollment.EventErased && len(k.EventsOf(c.User, enrollment.EventErased)) == 1
	})
	k.Must(admin.Erase(t.Context(), "alice"))
	if !stored {
		t.Error("erased before it was noted and told")
	}
	k.WantTold(enrollment.Event{Kind: enrollment.EventErased, Actor: "root", Note: "left the company"})
	if _, err := k.Store.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if s := k.Status("alice"); s.State != store.None || len(s.History) != 0 {
		t.Errorf("%+v", s)
	}
}

// A store that can't forget: nobody is told of what does not happen.
func TestEraseNeedsAnEraser(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	g, err := enrollment.New(struct{ store.Store }{k.Store.Straight}, k.Keys, enrollment.Config{
		Issuer: "Acme", RecoveryScheme: recovery.Fast, AllowSHA1: fips.Enforced(), Now: k.Now,
	})
	k.Must(err)
	k.Enroll("alice")
	k.Unchanged("alice", func() {
		if err := g.Admin("root", "x").Erase(t.Context(), "alice"); !errors.Is(err, enrollment.ErrNoEraser) {
			t.Errorf("%v", err)
		}
	})
}

// If somebody else erases the user meanwhile, what is there afterwards is new.
func TestEraseLeavesWhatIsNew(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	k.Told()
	k.Store.Nth(proving.Save, 1, func(ctx context.Context, _ *proving.Call) { k.Must(k.Store.Straight.Erase(ctx, "alice")) })
	k.Store.Before(proving.Erase, func(context.Context, *proving.Call) { t.Error("a record that was begun now would be deleted") })
	k.Must(k.Guard.Admin("root", "left").Erase(t.Context(), "alice"))
	k.WantTold()
}

// Faults on the way to an erasure.
func TestEraseFails(t *testing.T) {
	t.Parallel()
	down := errors.New("the database is down")
	for name, x := range map[string]struct {
		bend func(k *proving.Kit)
		want error // nil if it is erased all the same
		told int
	}{
		"Notify": {func(k *proving.Kit) { k.FailNotify(errors.New("the queue is full")) }, enrollment.ErrUndelivered, 0},
		"load":   {func(k *proving.Kit) { k.Store.Fail(proving.Load, down) }, down, 0},
		"save":   {func(k *proving.Kit) { k.Store.Fail(proving.Save, down) }, down, 0},
		"erase":  {func(k *proving.Kit) { k.Store.Fail(proving.Erase, down) }, down, 1},
		"conflict": {func(k *proving.Kit) {
			k.Store.Nth(proving.Save, 1, proving.Fails(store.ErrConflict))
		}, nil, 1},
		"conflicts without an end": {func(k *proving.Kit) { k.Store.Fail(proving.Save, store.ErrConflict) }, enrollment.ErrBusy, 0},
		"a damaged record":         {func(k *proving.Kit) { k.Damage("alice") }, nil, 1},
		"a record of another user": {func(k *proving.Kit) {
			k.Store.Before(proving.Load, func(_ context.Context, c *proving.Call) { c.User = "Alice" })
		}, enrollment.ErrCorrupt, 0},
		"a record of another user after a conflict": {func(k *proving.Kit) {
			k.Store.Nth(proving.Save, 1, proving.Fails(store.ErrConflict))
			k.Store.Nth(proving.Load, 2, func(_ context.Context, c *proving.Call) { c.User = "Alice" })
		}, enrollment.ErrCorrupt, 0},
	} {
		k := proving.New(t)
		k.Enroll("alice")
		k.Enroll("Alice")
		k.Told()
		x.bend(k)
		err := k.Guard.Admin("root", "left").Erase(t.Context(), "alice")
		if !errors.Is(err, x.want) || (err == nil) != (x.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
		_, err = k.Store.Straight.Load(t.Context(), "alice")
		if errors.Is(err, store.ErrNotFound) != (x.want == nil) {
			t.Errorf("%s: afterwards Load returns %v", name, err)
		}
		told := k.Told()
		if len(told) != x.told {
			t.Errorf("%s: told of %+v", name, told)
		}
		for _, e := range told {
			if e.Kind != enrollment.EventErased || e.Actor != "root" || e.Note != "left" {
				t.Errorf("%s: told of %+v", name, e)
			}
		}
		if _, err := k.Store.Straight.Load(t.Context(), "Alice"); err != nil {
			t.Errorf("%s: the other user: %v", name, err)
		}
	}
}

// Somebody is enrolled again while the erasure is on its way: either account is
// erased, and nothing of the first one is left in the second.
func TestEraseMeetsANewAccount(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	token := alice.Trust("d").Token
	var again *proving.Person
	k.Store.NthAfter(proving.Erase, 1, func(context.Context, *proving.Call) { again = k.Enroll("alice") })
	k.Must(k.Guard.Admin("root", "x").Erase(t.Context(), "alice"))
	if d := k.SignIn("alice", enrollment.SignInOptions{Device: token}); d.Next != enrollment.AskCode {
		t.Errorf("%+v", d)
	}
	if s := k.Status("alice"); len(s.History) != 1 || s.History[0].Kind != enrollment.EventEnabled {
		t.Errorf("%+v", s.History)
	}
	again.Verify("x")
}

// With the longest names and reasons, and a Notify that takes nothing, every
// decision is still stored.
func TestEndlessAdministration(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	for range enrollment.DefaultMaxDevices {
		alice.Trust(strings.Repeat("d", enrollment.MaxName))
	}
	k.FailNotify(errors.New("the queue is full"))
	admin := k.Guard.Admin(strings.Repeat("a", enrollment.MaxActor), strings.Repeat("r", enrollment.MaxAdminReason))
	for range 30 {
		k.Must(admin.Bypass(t.Context(), "alice", k.Now().Add(time.Hour)))
		rec, err := k.Store.Load(t.Context(), "alice")
		if err != nil || len(rec.Data) > store.MaxData {
			t.Fatalf("%d bytes, %v", len(rec.Data), err)
		}
	}
	k.FailNotify(nil)
	k.Told()
	k.Pass(2 * time.Minute)
	alice.Verify("x")
	count := 0
	for _, e := range k.Told() {
		if e.Kind == enrollment.EventBypassGranted {
			count += e.Count
		}
	}
	if count != 30 {
		t.Errorf("told of %d", count)
	}
}
