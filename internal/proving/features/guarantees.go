package features

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

// N2: a store contract of two methods with a conformance suite, and every
// guarantee derived from it.
func TestFeatureN2_TwoMethods(t *testing.T, open proving.Open) {
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, func(*testing.T) store.Store { return newMapStore() })
	})
	t.Run("guarantees", func(t *testing.T) {
		k := proving.Over(t, open(t))
		two := struct{ store.Store }{newMapStore()} // and not a method more
		node := func() *enrollment.Guard { return k.NodeOver(two, k.Keys) }
		k.Guard = node()
		alice := k.Enroll("alice")
		for _, code := range []string{alice.Code(), alice.Codes[0]} {
			var in atomic.Int32
			var all sync.WaitGroup
			for range 8 { // nodes that are asked at the same time
				g, challenge := node(), k.Challenge("alice")
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
			k.Pass(time.Hour)
		}
		challenge := k.Challenge("alice")
		for range 5 {
			_, err := node().Answer(t.Context(), enrollment.PurposeSignIn, challenge, alice.Wrong())
			proving.Want(t, err, enrollment.ReasonWrongCode)
		}
		_, err := node().Answer(t.Context(), enrollment.PurposeSignIn, challenge, alice.Code())
		proving.Want(t, err, enrollment.ReasonLocked)
	})
}

// N3: a long-run guessing budget that the victim's own logins don't reset.
func TestFeatureN3_BudgetThatLoginsDoNotReset(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	guesses := 0
	for day := range 60 { // the thief stays below the lock, and alice signs in
		for range 4 {
			k.Pass(30 * time.Second)
			_, err := k.Answer(k.Challenge("alice"), alice.Wrong())
			var denied *enrollment.Denied
			if !errors.As(err, &denied) {
				t.Fatal(err)
			}
			if denied.Reason == enrollment.ReasonWrongCode {
				guesses++
			}
		}
		k.Pass(23 * time.Hour)
		k.Pass(30 * time.Second)
		if _, err := k.Answer(k.Challenge("alice"), alice.Code()); err != nil && day < 9 {
			t.Fatalf("day %d: alice: %v", day, err)
		}
		k.Pass(time.Hour)
	}
	// 30 to begin with, one back a day, of 240 that were tried.
	if guesses < 85 || guesses > 92 {
		t.Errorf("the thief had %d guesses in 60 days", guesses)
	}
	// Alice is not helpless: a recovery code is never held back for long.
	k.In(k.Challenge("alice"), alice.Codes[0])
	k.Pass(30 * time.Second)
	k.In(k.Challenge("alice"), alice.Code())
}

// N4: notifications that survive a crash between the change and the mail.
func TestFeatureN4_NotificationsSurviveACrash(t *testing.T, open proving.Open) {
	crashed := true
	var told []enrollment.Event
	k := proving.Over(t, open(t), func(c *enrollment.Config) {
		c.Notify = func(_ context.Context, e enrollment.Event) error {
			if crashed {
				panic("out of memory")
			}
			told = append(told, e)
			return nil
		}
	})
	alice := k.Enroll("alice") // the change is stored, and answered
	enabled := k.Status("alice").History[0]

	crashed = false
	k.Pass(2 * time.Minute) // restarted
	k.In(k.Challenge("alice"), alice.Code())
	if len(told) != 1 || told[0].Kind != enrollment.EventEnabled || told[0].ID != enabled.ID || told[0].Count != 1 {
		t.Fatalf("told %+v, want %+v", told, enabled)
	}
	k.Pass(time.Hour)
	k.In(k.Challenge("alice"), alice.Code())
	if len(told) != 1 {
		t.Errorf("told again: %+v", told)
	}
}

// N5: digits as people type them.
func TestFeatureN5_DigitsAsTyped(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
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
		if ok, err := k.Answer(k.Challenge("alice"), typed(alice.Code())); err != nil || ok.Factor != enrollment.FactorTOTP {
			t.Errorf("%s: %v", name, err)
		}
		k.Out(k.Challenge("alice"), alice.Code(), enrollment.ReasonReplayed) // it is the same code
		k.Pass(30 * time.Second)
	}
}

// N6: the account's own security history, on the security page, without another
// table.
func TestFeatureN6_SecurityHistory(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	k.In(k.Challenge("alice"), alice.Codes[0])
	receipt := alice.Receipt()
	_, err := k.Guard.Devices().Trust(t.Context(), "alice", receipt, "laptop")
	k.Must(err)
	from := enrollment.WithOrigin(t.Context(), "Firefox on Linux, 192.0.2.7")
	k.Must(k.Guard.Disable(from, "alice", enrollment.ByReceipt(receipt)))
	if h := k.Status("alice").History; h[0].Origin != "Firefox on Linux, 192.0.2.7" || h[2].Origin != "" {
		t.Errorf("the page shows %+v", h)
	}

	var kinds []string
	for _, e := range k.Status("alice").History { // the newest first, also after disabling
		if e.At.IsZero() || e.At.After(k.Now()) || e.UserID != "alice" {
			t.Errorf("%+v", e)
		}
		kinds = append(kinds, string(e.Kind))
	}
	if got, want := strings.Join(kinds, " "), "devices_forgotten disabled device_trusted recovery_used enabled"; got != want {
		t.Errorf("the page shows %q, want %q", got, want)
	}
	for range 30 {
		alice = k.Enroll("alice")
		k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(alice.Code())))
		k.Pass(24 * time.Hour)
	}
	if n := len(k.Status("alice").History); n != 20 {
		t.Errorf("%d entries, want the latest 20", n)
	}
}

// N7: a self-service reset with a waiting period, announced to the owner, who
// can cancel it.
func TestFeatureN7_AnnouncedReset(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	resets := k.Guard.ResetRequests()
	thief := k.Challenge("alice") // who has the password
	_, err := resets.Open(t.Context(), thief)
	k.Must(err)
	if told := k.EventsOf("alice", enrollment.EventResetRequested); len(told) != 1 {
		t.Fatalf("alice was told %d times", len(told))
	}
	k.Must(resets.Cancel(t.Context(), "alice")) // from the session that she has
	proving.Want(t, resets.Cancel(t.Context(), "alice"), enrollment.ReasonNoReset)
	if k.Status("alice").Reset != nil {
		t.Error("the request is still open")
	}
	_, err = resets.Open(t.Context(), thief)
	proving.Want(t, err, enrollment.ReasonTooManyResets)

	// A user who can still answer with a code has not lost the phone.
	k.Pass(24 * time.Hour)
	_, err = resets.Open(t.Context(), k.Challenge("alice"))
	k.Must(err)
	k.In(k.Challenge("alice"), alice.Code())
	if k.Status("alice").Reset != nil || len(k.EventsOf("alice", enrollment.EventResetCancelled)) != 2 {
		t.Error("the request is still open after a right code")
	}
	k.Pass(3 * 24 * time.Hour)
	_, err = k.Guard.Admin("root", "looks fine").ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
	proving.Want(t, err, enrollment.ReasonNoReset)
}

// N8: one write per change across all factors: no state between two tables to
// disagree.
func TestFeatureN8_OneWritePerChange(t *testing.T, open proving.Open) {
	mail := new(proving.Inbox)
	k := proving.Over(t, open(t), func(c *enrollment.Config) {
		c.KeepCodes, c.ReplenishCodes, c.Notify, c.Sender = true, true, nil, mail
	})
	alice := k.Enroll("alice")
	k.Store.Reset()
	once := func(what string, err error) {
		t.Helper()
		k.Must(err)
		if n := k.Store.Calls(proving.Save); n != 1 {
			t.Errorf("%s: %d writes, want 1", what, n)
		}
		k.Pass(time.Minute)
		k.Store.Reset()
	}

	ok, err := k.Answer(k.Challenge("alice"), alice.Code())
	once("a sign-in", err)
	device, err := k.Guard.Devices().Trust(t.Context(), "alice", ok.Receipt, "laptop")
	once("trusting a device", err)
	k.SignIn("alice", enrollment.SignInOptions{Device: device.Token}, enrollment.Proceed)
	once("a sign-in of that device", nil)
	// This one changes the codes, what they replace, the devices, the waits and
	// the history.
	ok, err = k.Answer(k.Challenge("alice"), alice.Codes[0])
	once("a recovery code", err)

	messages := k.Guard.Messages()
	binding, err := messages.Bind(t.Context(), "alice", enrollment.BindOptions{
		Channel: "sms", To: "+15550100", Proof: enrollment.ByReceipt(ok.Receipt),
	})
	once("a message", err)
	_, err = messages.Confirm(t.Context(), "alice", binding.Token, mail.Code())
	once("binding an address", err)
	_, err = k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
	once("renew_codes", err)
	_, err = k.Guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
	once("showing them", err)
	id := k.Status("alice").Authenticators[0].ID
	setup, app := k.Begin("alice", enrollment.BeginOptions{Replace: id, Proof: enrollment.ByCode(alice.Code())})
	once("staging another phone", nil)
	_, err = k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(app))
	once("replacing the phone", err)
	once("switching it off", k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(k.Code(app))))
	if status := k.Status("alice"); status.Address != nil || status.CodesTotal != 0 || status.Devices != 0 {
		t.Errorf("something is left: %+v", status)
	}
}

// N9: a low-codes warning that the host needs no query for.
func TestFeatureN9_LowCodes(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	setup, app := k.Begin("alice", enrollment.BeginOptions{})
	done := k.Confirm("alice", setup, app)
	if done.Success.CodesLeft != 10 {
		t.Errorf("%d codes after the setup", done.Success.CodesLeft)
	}
	for i, c := range done.Codes.Reveal()[:8] {
		if ok := k.In(k.Challenge("alice"), c); ok.CodesLeft != 9-i {
			t.Errorf("%d codes after using %d", ok.CodesLeft, i+1)
		}
	}
	ok := k.In(k.Challenge("alice"), k.Code(app))
	recent, err := k.Guard.RecentlyVerified(t.Context(), "alice", enrollment.PurposeSignIn, ok.Receipt, time.Hour)
	k.Must(err)
	if status := k.Status("alice"); ok.CodesLeft != 2 || recent.CodesLeft != 2 || status.CodesLeft != 2 || status.CodesTotal != 10 {
		t.Errorf("%d, %d, %d of %d codes left, want 2 of 10", ok.CodesLeft, recent.CodesLeft, status.CodesLeft, status.CodesTotal)
	}
}
