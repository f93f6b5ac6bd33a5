package enrollment_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// The fault tests hold every operation against what was observed of it; these
// are about what they don't see.

// A tally counts observations.
type tally struct {
	mu   sync.Mutex
	seen []enrollment.Observation
}

func (x *tally) observe(o enrollment.Observation) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.seen = append(x.seen, o)
}

// take returns what was observed since the last time, in words.
func (x *tally) take() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var words []string
	for _, o := range x.seen {
		if o.Event != "" {
			words = append(words, fmt.Sprintf("event %s %s", o.Event, o.Factor))
		} else {
			words = append(words, fmt.Sprintf("%s %s %s", o.Operation, o.Outcome, o.Factor))
		}
	}
	x.seen = nil
	return strings.Join(words, ", ")
}

// What is observed says the factor that a code was taken for, what took its
// place, and which events there were.
func TestObserve(t *testing.T) {
	t.Parallel()
	var seen tally
	k := proving.New(t, func(c *enrollment.Config) { c.Observe = seen.observe })
	ctx, g := t.Context(), k.Guard
	alice := k.Enroll("alice")
	next := func() { k.Pass(30 * time.Second) }
	admin := g.Admin("root", "x")
	var challenge enrollment.Challenge
	var receipt enrollment.Receipt
	var device enrollment.DeviceToken
	for _, c := range []struct {
		name string
		do   func() error
		want string
	}{
		{"nothing yet", func() error { return nil }, "begin ok , event enabled totp, confirm ok totp"},
		{"a sign-in with a code", func() error {
			d, err := g.SignIn(ctx, "alice", enrollment.SignInOptions{})
			challenge = d.Challenge
			return err
		}, ""},
		{"its answer", func() error {
			ok, err := g.Answer(ctx, enrollment.PurposeSignIn, challenge, alice.Code())
			receipt = ok.Receipt
			return err
		}, "answer ok totp"},
		{"a wrong code", func() error {
			_, err := g.Verify(ctx, "alice", "x", alice.Wrong())
			return err
		}, "verify wrong_code totp"},
		{"what is no code", func() error {
			_, err := g.Verify(ctx, "alice", "x", "?")
			return err
		}, "verify malformed_code "},
		{"what is no challenge", func() error {
			_, err := g.Answer(ctx, enrollment.PurposeSignIn, enrollment.ChallengeOf("?"), "123456")
			return err
		}, "answer challenge_invalid "},
		{"an argument", func() error {
			_, err := g.Verify(ctx, "alice", "", "123456")
			return err
		}, "verify error "},
		{"a user who can't be", func() error {
			_, err := g.Verify(ctx, "", "x", "123456")
			return err
		}, "verify error "},
		{"a device", func() error {
			d, err := g.Devices().Trust(ctx, "alice", receipt, "")
			device = d.Token
			return err
		}, "event device_trusted totp, trust_device ok "},
		{"a sign-in by device", func() error {
			_, err := g.SignIn(ctx, "alice", enrollment.SignInOptions{Device: device})
			return err
		}, "sign_in ok trusted_device"},
		{"a sign-in by nothing", func() error {
			_, err := g.SignIn(ctx, "alice", enrollment.SignInOptions{Device: enrollment.DeviceTokenOf(device.Reveal() + "x")})
			return err
		}, ""},
		{"a bypass", func() error { return admin.Bypass(ctx, "alice", k.Now().Add(time.Hour)) }, "event bypass_granted , bypass ok "},
		{"a sign-in by bypass", func() error {
			_, err := g.SignIn(ctx, "alice", enrollment.SignInOptions{})
			return err
		}, "sign_in ok bypass"},
		{"an administrator's own account", func() error { return g.Admin("alice", "x").Unlock(ctx, "alice") }, "unlock own_account "},
		{"an administrator without a name", func() error { return g.Admin("", "x").Unlock(ctx, "alice") }, "unlock error "},
		{"a recovery code", func() error {
			_, err := g.Verify(ctx, "alice", "x", alice.Codes[0])
			return err
		}, "event recovery_used recovery, event devices_forgotten , verify ok recovery"},
		{"a proof", func() error {
			next()
			return g.Disable(ctx, "alice", enrollment.ByCode(alice.Code()))
		}, "event disabled totp, disable ok totp"},
		{"nothing to erase", func() error { return admin.Erase(ctx, "nobody") }, "erase ok "},
		{"something to erase", func() error { return admin.Erase(ctx, "alice") }, "event erased , erase ok "},
	} {
		err := c.do()
		if got := seen.take(); got != c.want {
			t.Errorf("%s: observed %q, want %q (%v)", c.name, got, c.want, err)
		}
	}
}

// A code of another system is counted as the recovery code that it is, also
// where it looks like an app's.
func TestObserveCodeOfAnotherSystem(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the state is for SHA-1")
	}
	s := states.New(t, "none", recovery.Fast)
	s.System = []string{"1234567", "some-code"} // an app of this account shows six digits
	var seen tally
	g := s.Node(func(c *enrollment.Config) { c.Observe = seen.observe })
	if err := g.Admin("root", "x").Import(t.Context(), "alice", s.Imported(false)); err != nil {
		t.Fatal(err)
	}
	seen.take()
	for _, code := range s.System {
		if _, err := g.Verify(t.Context(), "alice", "x", code); err != nil {
			t.Fatal(err)
		}
		if got := seen.take(); got != "event recovery_used recovery, verify ok recovery" {
			t.Errorf("observed %q", got)
		}
	}
}

// A hookStore does something before the first Save.
type hookStore struct {
	*memory.Store
	saves int
	first func()
}

func (s *hookStore) Save(ctx context.Context, r store.Record, prev int64) error {
	if s.saves++; s.saves == 1 {
		s.first()
	}
	return s.Store.Save(ctx, r, prev)
}

// A device that is revoked in the middle of its sign-in does not sign in, and is
// not counted as if it had.
func TestRevokedWhileSigningIn(t *testing.T) {
	t.Parallel()
	var seen tally
	ctx, clock := t.Context(), enrollmenttest.NewClock(proving.Start)
	keys, err := keyring.Generate("k")
	if err != nil {
		t.Fatal(err)
	}
	mem := memory.New()
	config := enrollment.Config{
		Issuer: "Acme", RecoveryScheme: recovery.Fast, AllowSHA1: fips.Exempts, Now: clock.Now, Observe: seen.observe,
	}
	healthy := proving.Value[*enrollment.Guard](t)(enrollment.New(mem, keys, config))
	setup := proving.Value[enrollment.Setup](t)(healthy.Begin(ctx, "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")}))
	app := proving.Value[*enrollmenttest.App](t)(enrollmenttest.Scan(setup.URI()))
	done := proving.Value[enrollment.Confirmed](t)(healthy.Confirm(ctx, "alice", setup.Token, app.Code(clock.Now())))
	device := proving.Value[enrollment.TrustedDevice](t)(healthy.Devices().Trust(ctx, "alice", done.Success.Receipt, ""))
	hook := &hookStore{Store: mem, first: func() {
		if err := healthy.Devices().RevokeAll(ctx, "alice"); err != nil {
			t.Error(err)
		}
		seen.take()
	}}
	g := proving.Value[*enrollment.Guard](t)(enrollment.New(hook, keys, config))
	d, err := g.SignIn(ctx, "alice", enrollment.SignInOptions{Device: device.Token})
	if err != nil || d.Next != enrollment.AskCode || d.Waived != "" {
		t.Errorf("SignIn = %+v, %v", d, err)
	}
	if got := seen.take(); got != "" {
		t.Errorf("observed %q", got)
	}
}

// What is observed is stored already, and a panic there changes no answer.
func TestObservePanics(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var k *proving.Kit
	k = proving.New(t, func(c *enrollment.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c.Observe = func(o enrollment.Observation) {
			if o.Operation == "confirm" {
				if s, err := k.Guard.Status(t.Context(), "alice"); err != nil || !s.Enabled() {
					t.Errorf("observed before it was stored: %v, %v", s.State, err)
				}
			}
			panic("no such metric")
		}
	})
	alice := k.Enroll("alice") // fails the test if it is not answered
	if _, err := k.Guard.Verify(t.Context(), "alice", "x", alice.Wrong()); !errors.Is(err, enrollment.ErrWrongCode) {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "observation not counted"); n != 4 { // begin, enabled, confirm, verify
		t.Errorf("%d panics are in the log, want 4", n)
	}
	if len(k.Events()) != 1 {
		t.Errorf("events: %+v", k.Events())
	}
}

// A panicStore panics when it saves.
type panicStore struct{ *memory.Store }

func (panicStore) Save(context.Context, store.Record, int64) error { panic("the driver is broken") }

// A panic of the store is the host's to see, and is nothing that went well.
func TestObserveBrokenStore(t *testing.T) {
	t.Parallel()
	keys, err := keyring.Generate("k")
	if err != nil {
		t.Fatal(err)
	}
	var seen tally
	var log bytes.Buffer
	g := proving.Value[*enrollment.Guard](t)(enrollment.New(panicStore{memory.New()}, keys, enrollment.Config{
		Issuer: "Acme", RecoveryScheme: recovery.Fast, AllowSHA1: fips.Exempts, Observe: seen.observe, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone")
			}
		}()
		_, _ = g.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")})
	}()
	if got := seen.take(); got != "begin error " || log.Len() > 0 {
		t.Errorf("observed %q, logged %s", got, &log)
	}
}

// An operation is one word that goes into a log and a label as it is.
func TestOperations(t *testing.T) {
	t.Parallel()
	word := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	all := enrollment.Operations()
	for i, o := range all {
		if !word.MatchString(string(o)) || i > 0 && all[i-1] >= o {
			t.Errorf("%q is no word, or out of order", o)
		}
	}
	if all[0] = "x"; enrollment.Operations()[0] == "x" {
		t.Error("a caller changes the list")
	}
}
