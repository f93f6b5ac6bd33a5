package enrollment_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

// N1: the setup screen tells a user whose phone clock is wrong by how much.
func TestFeatureN1_PhoneClockIsWrong(t *testing.T) {
	s := tell(t)
	setup, app := s.begin("alice", enrollment.BeginOptions{})
	for _, off := range []time.Duration{-4 * time.Minute, 4 * time.Minute, -10 * time.Minute, 10 * time.Minute} {
		shown := app.Code(s.Clock.Now().Add(off))
		_, err := s.Guard.Confirm(t.Context(), "alice", setup.Token, shown)
		denied := s.denied(err, enrollment.ReasonClockSkew)
		if d := (denied.Skew - off).Abs(); d > 30*time.Second {
			t.Errorf("told %v, the clock is off by %v", denied.Skew, off)
		}
		if !errors.Is(err, enrollment.ErrWrongCode) {
			t.Error("that is no wrong code")
		}
	}
	if s.status("alice").Enabled() {
		t.Error("enabled by a phone that will not sign in")
	}
	s.confirm("alice", setup, app) // the clock is set right
}

// N2: a store contract of two methods with a conformance suite, and every
// guarantee derived from it.
func TestFeatureN2_TwoMethods(t *testing.T) {
	t.Parallel()
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, func(*testing.T) store.Store { return newMapStore() })
	})
	t.Run("guarantees", func(t *testing.T) {
		s := tell(t)
		keys, err := keyring.Generate("k")
		s.must(err)
		two := struct{ store.Store }{newMapStore()} // and not a method more
		node := func() *enrollment.Guard {
			g, err := enrollment.New(two, keys, enrollment.Config{
				Issuer: "Acme", Now: s.Clock.Now, RecoveryScheme: recovery.Fast, AllowSHA1: fips.Enforced(),
			})
			s.must(err)
			return g
		}
		s.Guard = node()
		alice := s.Enroll("alice")
		for _, code := range []string{alice.Code(), alice.RecoveryCodes[0]} {
			var in atomic.Int32
			var all sync.WaitGroup
			for range 8 { // nodes that are asked at the same time
				g, challenge := node(), s.asked("alice")
				all.Go(func() {
					if _, err := g.Answer(t.Context(), enrollment.PurposeSignIn, challenge, code); err == nil {
						in.Add(1)
					}
				})
			}
			all.Wait()
			if in.Load() != 1 {
				t.Errorf("a code worked %d times", in.Load())
			}
			s.pass(time.Hour)
		}
		challenge := s.asked("alice")
		for range 5 {
			_, err := node().Answer(t.Context(), enrollment.PurposeSignIn, challenge, alice.WrongCode())
			s.denied(err, enrollment.ReasonWrongCode)
		}
		_, err = node().Answer(t.Context(), enrollment.PurposeSignIn, challenge, alice.Code())
		s.denied(err, enrollment.ReasonLocked)
	})
}

// N3: a long-run guessing budget that the victim's own logins don't reset.
func TestFeatureN3_BudgetThatLoginsDoNotReset(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	guesses := 0
	for day := range 60 { // the thief stays below the lock, and alice signs in
		for range 4 {
			s.nextCode()
			_, err := s.answer(s.asked("alice"), alice.WrongCode())
			var denied *enrollment.Denied
			if !errors.As(err, &denied) {
				t.Fatal(err)
			}
			if denied.Reason == enrollment.ReasonWrongCode {
				guesses++
			}
		}
		s.pass(23 * time.Hour)
		s.nextCode()
		if _, err := s.answer(s.asked("alice"), alice.Code()); err != nil && day < 9 {
			t.Fatalf("day %d: alice: %v", day, err)
		}
		s.pass(time.Hour)
	}
	// 30 to begin with, one back a day, of 240 that were tried.
	if guesses < 85 || guesses > 92 {
		t.Errorf("the thief had %d guesses in 60 days", guesses)
	}
	// Alice is not helpless: a recovery code is never held back for long.
	s.in(s.asked("alice"), alice.RecoveryCodes[0])
	s.nextCode()
	s.in(s.asked("alice"), alice.Code())
}

// N4: notifications that survive a crash between the change and the mail.
func TestFeatureN4_NotificationsSurviveACrash(t *testing.T) {
	crashed := true
	var told []enrollment.Event
	s := tell(t, func(c *enrollment.Config) {
		c.Notify = func(_ context.Context, e enrollment.Event) error {
			if crashed {
				panic("out of memory")
			}
			told = append(told, e)
			return nil
		}
	})
	alice := s.Enroll("alice") // the change is stored, and answered
	enabled := s.status("alice").History[0]

	crashed = false
	s.pass(2 * time.Minute) // restarted
	s.in(s.asked("alice"), alice.Code())
	if len(told) != 1 || told[0].Kind != enrollment.EventEnabled || told[0].ID != enabled.ID || told[0].Count != 1 {
		t.Fatalf("told %+v, want %+v", told, enabled)
	}
	s.pass(time.Hour)
	s.in(s.asked("alice"), alice.Code())
	if len(told) != 1 {
		t.Errorf("told again: %+v", told)
	}
}

// N5: digits as people type them.
func TestFeatureN5_DigitsAsTyped(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	from := func(zero rune) func(string) string {
		return func(code string) string {
			return strings.Map(func(r rune) rune { return r - '0' + zero }, code)
		}
	}
	for name, typed := range map[string]func(string) string{
		"with a space":  func(c string) string { return c[:3] + " " + c[3:] },
		"with a hyphen": func(c string) string { return c[:3] + "-" + c[3:] },
		"pasted":        func(c string) string { return "  " + c + "\r\n" },
		"full-width":    from('０'),
		"Arabic-Indic":  from('٠'),
		"Persian":       from('۰'),
		"Devanagari":    from('०'),
	} {
		if ok, err := s.answer(s.asked("alice"), typed(alice.Code())); err != nil || ok.Factor != enrollment.FactorTOTP {
			t.Errorf("%s: %v", name, err)
		}
		s.out(s.asked("alice"), alice.Code(), enrollment.ReasonReplayed) // it is the same code
		s.nextCode()
	}
}

// N6: the account's own security history, on the security page, without another
// table.
func TestFeatureN6_SecurityHistory(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	s.in(s.asked("alice"), alice.RecoveryCodes[0])
	receipt := s.receipt(alice)
	_, err := s.Guard.Devices().Trust(t.Context(), "alice", receipt, "laptop")
	s.must(err)
	s.must(s.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(receipt)))

	var kinds []string
	for _, e := range s.status("alice").History { // the newest first, also after disabling
		if e.At.IsZero() || e.At.After(s.Clock.Now()) || e.UserID != "alice" {
			t.Errorf("%+v", e)
		}
		kinds = append(kinds, string(e.Kind))
	}
	if got, want := strings.Join(kinds, " "), "disabled device_trusted recovery_used enabled"; got != want {
		t.Errorf("the page shows %q, want %q", got, want)
	}
	for range 30 {
		alice = s.Enroll("alice")
		s.must(s.Guard.Disable(t.Context(), "alice", enrollment.ByCode(alice.Code())))
		s.pass(24 * time.Hour)
	}
	if n := len(s.status("alice").History); n != 20 {
		t.Errorf("%d entries, want the latest 20", n)
	}
}

// N7: a self-service reset with a waiting period, announced to the owner, who
// can cancel it.
func TestFeatureN7_AnnouncedReset(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	resets, err := enrollment.NewResets(s.Guard, enrollment.ResetsConfig{})
	s.must(err)
	thief := s.asked("alice") // who has the password
	_, err = resets.Open(t.Context(), thief)
	s.must(err)
	if told := s.told("alice", enrollment.EventResetRequested); len(told) != 1 {
		t.Fatalf("alice was told %d times", len(told))
	}
	s.must(resets.Cancel(t.Context(), "alice")) // from the session that she has
	s.denied(resets.Cancel(t.Context(), "alice"), enrollment.ReasonNoReset)
	if s.status("alice").Reset != nil {
		t.Error("the request is still open")
	}
	_, err = resets.Open(t.Context(), thief)
	s.denied(err, enrollment.ReasonTooManyResets)

	// Whoever can still answer with a code has not lost it.
	s.pass(24 * time.Hour)
	_, err = resets.Open(t.Context(), s.asked("alice"))
	s.must(err)
	s.in(s.asked("alice"), alice.Code())
	if s.status("alice").Reset != nil || len(s.told("alice", enrollment.EventResetCancelled)) != 2 {
		t.Error("the request is still open after a right code")
	}
	s.pass(enrollment.DefaultResetWait)
	_, err = s.Guard.Admin("root", "looks fine").ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
	s.denied(err, enrollment.ReasonNoReset)
}

// A countingStore counts what is written.
type countingStore struct {
	store.Store
	saves int
}

func (c *countingStore) Save(ctx context.Context, r store.Record, prev int64) error {
	c.saves++
	return c.Store.Save(ctx, r, prev)
}

// N8: one write per change across all factors: no state between two tables to
// disagree.
func TestFeatureN8_OneWritePerChange(t *testing.T) {
	s := tell(t)
	counting := &countingStore{Store: newMapStore()}
	keys, err := keyring.Generate("k")
	s.must(err)
	s.Guard, err = enrollment.New(counting, keys, enrollment.Config{
		Issuer: "Acme", Now: s.Clock.Now, RecoveryScheme: recovery.Fast, AllowSHA1: fips.Enforced(), KeepCodes: true, ReplenishCodes: true,
	})
	s.must(err)
	alice := s.Enroll("alice")
	counting.saves = 0
	once := func(what string, err error) {
		t.Helper()
		s.must(err)
		if counting.saves != 1 {
			t.Errorf("%s: %d writes, want 1", what, counting.saves)
		}
		s.pass(time.Minute)
		counting.saves = 0
	}

	ok, err := s.answer(s.asked("alice"), alice.Code())
	once("a sign-in", err)
	device, err := s.Guard.Devices().Trust(t.Context(), "alice", ok.Receipt, "laptop")
	once("trusting a device", err)
	s.signIn("alice", enrollment.SignInOptions{Device: device.Token}, enrollment.Proceed)
	once("a sign-in of that device", nil)
	// This one changes the codes, what they replace, the devices, the waits and
	// the history.
	ok, err = s.answer(s.asked("alice"), alice.RecoveryCodes[0])
	once("a recovery code", err)

	var mail phone
	messages, err := enrollment.NewMessages(s.Guard, &mail, enrollment.MessagesConfig{})
	s.must(err)
	binding, err := messages.Bind(t.Context(), "alice", enrollment.BindOptions{
		Channel: "sms", To: "+15550100", Proof: enrollment.ByReceipt(ok.Receipt),
	})
	once("a message", err)
	_, err = messages.Confirm(t.Context(), "alice", binding.Token, mail.last())
	once("binding an address", err)
	_, err = s.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
	once("new_codes", err)
	_, err = s.Guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
	once("showing them", err)
	id := s.status("alice").Authenticators[0].ID
	setup, app := s.begin("alice", enrollment.BeginOptions{Replace: id, Proof: enrollment.ByCode(alice.Code())})
	once("staging another phone", nil)
	_, err = s.Guard.Confirm(t.Context(), "alice", setup.Token, app.Code(s.Clock.Now()))
	once("replacing the phone", err)
	once("switching it off", s.Guard.Disable(t.Context(), "alice", enrollment.ByCode(app.Code(s.Clock.Now()))))
	if status := s.status("alice"); status.Address != nil || status.CodesTotal != 0 || status.Devices != 0 {
		t.Errorf("something is left: %+v", status)
	}
}

// N9: a low-codes warning that the host needs no query for.
func TestFeatureN9_LowCodes(t *testing.T) {
	s := tell(t)
	setup, app := s.begin("alice", enrollment.BeginOptions{})
	done := s.confirm("alice", setup, app)
	if done.Success.CodesLeft != 10 {
		t.Errorf("%d codes after the setup", done.Success.CodesLeft)
	}
	for i, c := range done.Codes.Reveal()[:8] {
		if ok := s.in(s.asked("alice"), c); ok.CodesLeft != 9-i {
			t.Errorf("%d codes after using %d", ok.CodesLeft, i+1)
		}
	}
	ok := s.in(s.asked("alice"), app.Code(s.Clock.Now()))
	recent, err := s.Guard.RecentlyVerified(t.Context(), "alice", enrollment.PurposeSignIn, ok.Receipt, time.Hour)
	s.must(err)
	if status := s.status("alice"); ok.CodesLeft != 2 || recent.CodesLeft != 2 || status.CodesLeft != 2 || status.CodesTotal != 10 {
		t.Errorf("%d, %d, %d of %d codes left, want 2 of 10", ok.CodesLeft, recent.CodesLeft, status.CodesLeft, status.CodesTotal)
	}
}
