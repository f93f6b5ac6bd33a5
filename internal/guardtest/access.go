package guardtest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Cases about what takes the place of a code, and about administrators.

// told collects what the host is told.
type told struct {
	mu     sync.Mutex
	events []enrollment.Event
}

func (x *told) notify(_ context.Context, e enrollment.Event) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.events = append(x.events, e)
	return nil
}

// take returns what was told since the last call.
func (x *told) take() []enrollment.Event {
	x.mu.Lock()
	defer x.mu.Unlock()
	list := x.events
	x.events = nil
	return list
}

// TestCase29_ResetUnrecorded: a reset went around the second factor, and nobody
// could tell who had done it, or that it was done.
func TestCase29_ResetUnrecorded(t *testing.T, open Open) {
	var heard told
	w := newWorld(t, open(t), func(c *enrollment.Config) { c.Notify = heard.notify })
	u := w.enroll("alice")
	heard.take()
	challenge := u.challenge()
	w.unchanged("alice", func() {
		for name, x := range map[string]struct {
			actor, reason string
			want          enrollment.Reason
		}{
			"nobody":              {"", "phone lost", "error"},
			"without a reason":    {"bob", "", "error"},
			"an endless name":     {strings.Repeat("b", enrollment.MaxActor+1), "phone lost", "error"},
			"an endless reason":   {"bob", strings.Repeat("r", enrollment.MaxAdminReason+1), "error"},
			"a forged log line":   {"bob", "phone lost\nlevel=INFO", "error"},
			"a broken name":       {"bob\xff", "phone lost", "error"},
			"the user themselves": {"alice", "phone lost", enrollment.ReasonOwnAccount},
		} {
			admin := w.guard.Admin(x.actor, x.reason)
			for _, o := range []enrollment.ResetOptions{{}, {Ticket: true}} {
				ticket, err := admin.Reset(t.Context(), "alice", o)
				if reason(err) != x.want || !ticket.IsZero() {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		want(t, second(w.guard.Admin("bob", "phone lost").ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})), enrollment.ReasonNoReset)
	})
	if list := heard.take(); len(list) != 0 {
		t.Fatalf("told of what did not happen: %+v", list)
	}

	ticket, err := w.guard.Admin("bob", "phone lost").Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	want(t, err, "")
	list := heard.take()
	if len(list) != 1 || list[0].Kind != enrollment.EventReset || list[0].UserID != "alice" || list[0].Actor != "bob" || list[0].Note != "phone lost" {
		t.Fatalf("told of %+v", list)
	}
	if s := w.status("alice"); s.Enabled() || len(s.History) == 0 || s.History[0] != list[0] {
		t.Errorf("the history begins with %+v", s.History[0])
	}
	// What was handed out before is void.
	_, err = w.guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, u.code())
	want(t, err, enrollment.ReasonChallengeVoid)
	_, err = w.guard.Verify(t.Context(), "alice", "x", u.codes[0])
	want(t, err, enrollment.ReasonNotEnrolled)
	// Whoever has only the password does not set it up again.
	w.unchanged("alice", func() {
		for guess, why := range map[string]enrollment.Reason{
			"": enrollment.ReasonTicketRequired, "hello": enrollment.ReasonTicketInvalid, u.codes[0]: enrollment.ReasonTicketInvalid,
			strings.Repeat("0", 16): enrollment.ReasonTicketInvalid, strings.Repeat("A", 1<<20): enrollment.ReasonTicketInvalid,
		} {
			_, err := w.guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Ticket: guess})
			want(t, err, why)
		}
	})
	_, err = w.guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Ticket: ticket.Reveal()})
	want(t, err, "")
}

// second drops what comes before an error.
func second[T any](_ T, err error) error { return err }

// TestCase30_TrustSurvives: a trusted device stayed one after the second factor
// was set up anew (scheb/2fa#126).
func TestCase30_TrustSurvives(t *testing.T, open Open) {
	renew := func(u *user) error {
		_, err := u.w.guard.RenewCodes(t.Context(), u.id, enrollment.ByCode(u.code()))
		return err
	}
	confirm := func(u *user, replace string) error {
		k, token := u.w.begin(u.id, enrollment.ByCode(u.code()), replace)
		next := &user{w: u.w, id: u.id, app: k}
		_, err := u.w.guard.Confirm(t.Context(), u.id, token, next.code())
		return err
	}
	s := open(t)
	for name, change := range map[string]func(u *user) error{
		"disable":    func(u *user) error { return u.w.guard.Disable(t.Context(), u.id, enrollment.ByCode(u.code())) },
		"regenerate": renew,
		"reset": func(u *user) error {
			return second(u.w.guard.Admin("bob", "phone lost").Reset(t.Context(), u.id, enrollment.ResetOptions{}))
		},
		"replace":          func(u *user) error { return confirm(u, u.done.Authenticator) },
		"another":          func(u *user) error { return confirm(u, "") },
		"recovery sign-in": func(u *user) error { return u.answer(u.codes[0]) },
		"recovery step-up": func(u *user) error {
			return second(u.w.guard.Verify(t.Context(), u.id, "x", u.codes[0]))
		},
		"revoke all": func(u *user) error { return u.w.guard.Devices().RevokeAll(t.Context(), u.id) },
		"its time":   func(u *user) error { u.w.advance(enrollment.DeviceTTL); return nil },
	} {
		w := newWorld(t, s)
		u := w.enroll("user of " + name)
		device := u.trust()
		if got := u.signIn(device); got.Next != enrollment.Proceed || got.Waived != enrollment.FactorTrustedDevice {
			t.Fatalf("%s: %v before it", name, got.Next)
		}
		want(t, change(u), "")
		if w.status(u.id).Enabled() {
			if got := u.signIn(device); got.Next != enrollment.AskCode || got.Waived != "" {
				t.Errorf("%s: %v", name, got.Next)
			}
			continue
		}
		again := w.enroll(u.id)
		if got := again.signIn(device); got.Next != enrollment.AskCode || got.Waived != "" {
			t.Errorf("%s and enrolled again: %v", name, got.Next)
		}
	}
}

// trust makes the user's browser a trusted device.
func (u *user) trust() string {
	u.w.t.Helper()
	ok, err := u.w.guard.Verify(u.w.t.Context(), u.id, "trust", u.code())
	if err != nil {
		u.w.t.Fatal(err)
	}
	trusted, err := u.w.guard.Devices().Trust(u.w.t.Context(), u.id, ok.Receipt, "Firefox")
	if err != nil {
		u.w.t.Fatal(err)
	}
	u.w.advance(30 * time.Second)
	return trusted.Token
}

// signIn signs in with the first factor from a device.
func (u *user) signIn(device string) enrollment.Decision {
	u.w.t.Helper()
	d, err := u.w.guard.SignIn(u.w.t.Context(), u.id, enrollment.SignInOptions{Device: device})
	if err != nil {
		u.w.t.Fatal(err)
	}
	return d
}

// TestCase30_RevokedMeanwhile: trust ends while the device signs in. What is
// decided is decided on the account that is saved.
func TestCase30_RevokedMeanwhile(t *testing.T, open Open) {
	for name, meanwhile := range map[string]func(u *user) error{
		"revoked":  func(u *user) error { return u.w.guard.Devices().RevokeAll(t.Context(), u.id) },
		"recovery": func(u *user) error { return second(u.w.guard.Verify(t.Context(), u.id, "x", u.codes[0])) },
	} {
		s := &hooked{Store: open(t)}
		w := newWorld(t, s)
		u := w.enroll("alice")
		device := u.trust()
		s.save = func(ctx context.Context, rec store.Record, prev int64) error {
			s.save = nil
			want(t, meanwhile(u), "")
			return s.Store.Save(ctx, rec, prev)
		}
		if got := u.signIn(device); got.Next != enrollment.AskCode || got.Waived != "" || got.Challenge == "" {
			t.Errorf("%s: %+v", name, got)
		}
		if last := w.status("alice").LastFactor; last == enrollment.FactorTrustedDevice {
			t.Errorf("%s: it counts as a sign-in", name)
		}
	}
}

// An erasing is a store that can be watched, and that erases.
type erasing struct {
	*hooked
	store.Eraser
}

// TestCase54_SlowNodeAfterErasure: what a slow node had begun before a user was
// erased, and what was handed out before, does not reach the account that comes
// after.
func TestCase54_SlowNodeAfterErasure(t *testing.T, open Open) {
	inner := open(t)
	eraser, ok := inner.(store.Eraser)
	if !ok {
		t.Skip("the store does not erase")
	}
	s := &erasing{&hooked{Store: inner}, eraser}
	w := newWorld(t, s)
	u := w.enroll("alice")
	device := u.trust()
	receipt, err := w.guard.Verify(t.Context(), "alice", "x", u.code())
	want(t, err, "")
	erase := func() { want(t, w.guard.Admin("root", "left the company").Erase(t.Context(), "alice"), "") }
	var again *user
	s.save = func(ctx context.Context, rec store.Record, prev int64) error {
		s.save = nil // while the slow node saves:
		erase()
		again = w.enroll("alice")
		return s.Store.Save(ctx, rec, prev)
	}
	if got := u.signIn(device); got.Next != enrollment.AskCode || got.Waived != "" {
		t.Errorf("a device of before: %v", got.Next)
	}
	_, err = w.guard.RecentlyVerified(t.Context(), "alice", "x", receipt.Receipt, time.Hour)
	want(t, err, enrollment.ReasonProofInvalid)
	want(t, w.guard.Disable(t.Context(), "alice", enrollment.ByReceipt(receipt.Receipt)), enrollment.ReasonProofInvalid)
	want(t, again.answer(u.code()), enrollment.ReasonWrongCode)
	want(t, again.answer(again.code()), "")
	if n := len(w.status("alice").History); n != 1 {
		t.Errorf("%d events are remembered, want that of the new setup", n)
	}
	// Nothing comes back where the account was not made again either.
	w.advance(30 * time.Second)
	s.save = func(ctx context.Context, rec store.Record, prev int64) error {
		s.save = nil
		erase()
		return s.Store.Save(ctx, rec, prev)
	}
	challenge := again.challenge()
	_, err = w.guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, again.code())
	want(t, err, enrollment.ReasonChallengeVoid)
	if _, err := s.Load(t.Context(), "alice"); err == nil {
		t.Error("there is a record again")
	}
}
