package cases

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Cases 1 to 9: codes that worked twice.

// TestCase01_TypedDifferently: a space before the code defeated the cache of
// used codes (CVE-2025-6014).
func TestCase01_TypedDifferently(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	c := u.Code()
	proving.Want(t, signIn(u, c), "")
	k.Unchanged("alice", func() {
		fullwidth := make([]rune, 0, len(c))
		for _, d := range c {
			fullwidth = append(fullwidth, d-'0'+'０')
		}
		for _, typed := range []string{
			c, " " + c, c + "\n", c[:3] + " " + c[3:], c[:3] + "-" + c[3:], c[:3] + "\u00a0" + c[3:], string(fullwidth),
		} {
			proving.Want(t, signIn(u, typed), enrollment.ReasonReplayed)
		}
		proving.Want(t, signIn(u, c+"x"), enrollment.ReasonMalformedCode)
	})
}

// TestCase02_PaddedWrongCodes: wrong codes with padding bypassed the limit
// (CVE-2025-6015).
func TestCase02_PaddedWrongCodes(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	c := u.Wrong()
	for _, typed := range []string{c, " " + c, c + " ", "\t" + c[:3] + " " + c[3:], c[:2] + "-" + c[2:]} {
		proving.Want(t, signIn(u, typed), enrollment.ReasonWrongCode)
	}
	proving.Want(t, signIn(u, u.Code()), enrollment.ReasonLocked)
}

// TestCase03_CodeTwice: used codes were not tracked (CVE-2026-33473).
func TestCase03_CodeTwice(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	c := u.Code()
	proving.Want(t, signIn(u, c), "")
	proving.Want(t, signIn(u, c), enrollment.ReasonReplayed)
	_, err := k.Guard.Verify(t.Context(), "alice", "step-up", c)
	proving.Want(t, err, enrollment.ReasonReplayed)
	proving.Want(t, signIn(u, u.Code(-1)), enrollment.ReasonReplayed)
	proving.Want(t, signIn(u, u.Code(+1)), "")
	proving.Want(t, signIn(u, c), enrollment.ReasonReplayed)
}

// TestCase05_SetupCodeAtFirstLogin: the code that confirmed the setup was good
// for the first login as well (hanko#2723).
func TestCase05_SetupCodeAtFirstLogin(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u, token := begin(k, "alice", enrollment.Proof{}, "")
	c := u.Code()
	if _, err := k.Guard.Confirm(t.Context(), "alice", token, c); err != nil {
		t.Fatal(err)
	}
	proving.Want(t, signIn(u, c), enrollment.ReasonReplayed)
	proving.Want(t, signIn(u, u.Code(+1)), "")
}

// TestCase06_ReplayRace: the replay check raced (better-auth#11259).
func TestCase06_ReplayRace(t *testing.T, open proving.Open) {
	const n = 64
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	c := u.Code()
	challenges := make([]enrollment.Challenge, n)
	for i := range challenges {
		challenges[i] = u.Challenge()
	}
	k.Store.Gather(n)
	got := proving.Together(n, func(i int) error {
		_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenges[i], c)
		return err
	})
	if got[""] != 1 || got[enrollment.ReasonReplayed] != n-1 {
		t.Errorf("outcomes %v, want 1 accepted and %d replayed", got, n-1)
	}
}

// TestCase07_ReplayAfterRestart: used codes were forgotten at a restart
// (ovumcy-web#61).
func TestCase07_ReplayAfterRestart(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	c := u.Code()
	proving.Want(t, signIn(u, c), "")
	for _, after := range []time.Duration{0, 29 * time.Second, 30 * time.Second} {
		k.Pass(after)
		if got := proving.ReasonOf(signInOn(k.Node(), u, c)); got != enrollment.ReasonReplayed && got != enrollment.ReasonWrongCode {
			t.Errorf("%v later: %q", after, got)
		}
	}
}

// TestCase44_SameCodeOfTwoUsers: the cache of used codes was not keyed by the
// user (Fortify).
func TestCase44_SameCodeOfTwoUsers(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	var users []*proving.Person
	for i := range 40 {
		users = append(users, k.Enroll("user"+string(rune('A'+i))))
	}
	k.Pass(time.Hour)
	for range 100_000 {
		seen := make(map[string]*proving.Person)
		for _, u := range users {
			c := u.Code()
			if other := seen[c]; other != nil {
				proving.Want(t, signIn(other, c), "")
				proving.Want(t, signIn(u, c), "")
				proving.Want(t, signIn(other, c), enrollment.ReasonReplayed)
				return
			}
			seen[c] = u
		}
		k.Pass(30 * time.Second)
	}
	t.Fatal("no two users ever had the same code")
}

// TestCase45_WindowStaysNarrow: a drift that was learned from the user widened
// the window without a bound (django-otp).
func TestCase45_WindowStaysNarrow(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	for range 30 { // always a step ahead
		k.Pass(30 * time.Second)
		proving.Want(t, signIn(u, u.Code(+1)), "")
	}
	k.Pass(10 * time.Minute)
	for _, n := range []int{-20, -3, -2, 2, 3, 20} {
		proving.Want(t, signIn(u, u.Code(n)), enrollment.ReasonWrongCode)
		k.Pass(48 * time.Hour)
	}
	proving.Want(t, signIn(u, u.Code(-1)), "")
	proving.Want(t, signIn(u, u.Code(+1)), "")
}

// A plain sealer seals nothing, and the same bytes always in the same way.
type plain struct{}

func (plain) Seal(_ context.Context, _, _, b []byte) ([]byte, error) { return bytes.Clone(b), nil }
func (plain) Open(_ context.Context, _, _, b []byte) ([]byte, error) { return bytes.Clone(b), nil }

// TestCase06_ReplayRaceUnderPlainSealer: the same where two nodes that decide
// alike would write the same bytes, and each would take them for its own.
func TestCase06_ReplayRaceUnderPlainSealer(t *testing.T, open proving.Open) {
	const n = 16
	k := proving.Over(t, open(t))
	k.Guard = k.NodeOver(k.Store, plain{})
	u := k.Enroll("alice")
	k.Store.Gather(n)
	c := u.Code()
	got := proving.Together(n, func(int) error {
		_, err := k.Guard.Verify(t.Context(), "alice", "x", c)
		return err
	})
	if got[""] != 1 || got[enrollment.ReasonReplayed] != n-1 {
		t.Errorf("outcomes %v, want 1 accepted and %d replayed", got, n-1)
	}
}

// TestCase63_NextCode: nobody said how long it takes until a used code is followed
// by the next one (flatnotes#341).
func TestCase63_NextCode(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	phone := k.Enroll("alice")
	again := func(code string, in time.Duration) {
		t.Helper()
		denied := proving.Want(t, signIn(phone, code), enrollment.ReasonReplayed)
		rounded := (in + time.Second - 1).Truncate(time.Second)
		if !denied.RetryAt.Equal(k.Now().Add(in)) || denied.Wait != rounded {
			t.Errorf("again at %v, in %v, want in %v", denied.RetryAt, denied.Wait, in)
		}
	}
	// Ten seconds into a step.
	proving.Want(t, signIn(phone, phone.Code()), "")
	again(phone.Code(), 20*time.Second)
	k.Pass(20*time.Second - time.Millisecond)
	again(phone.Code(), time.Millisecond)
	k.Pass(time.Millisecond)

	// The phone is fast, and shows the code of a step that has not begun.
	proving.Want(t, signIn(phone, phone.Code(+1)), "")
	again(phone.Code(+1), time.Minute)
	again(phone.Code(), time.Minute)
	k.Pass(time.Minute)
	proving.Want(t, signIn(phone, phone.Code()), "")

	// It is slow, and shows a used code in a step whose code is not used.
	k.Pass(35 * time.Second)
	slow := func() string { return proving.Shown(phone.Key, k.Now().Add(-20*time.Second)) }
	again(slow(), 25*time.Second)
	k.Pass(25 * time.Second)
	proving.Want(t, signIn(phone, slow()), "")

	// Of two apps, that counts which shows the code.
	tablet, token := begin(k, "alice", enrollment.ByCode(phone.Code()), "")
	_, err := k.Guard.Confirm(t.Context(), "alice", token, tablet.Code())
	k.Must(err)
	proving.Want(t, signIn(tablet, tablet.Code(+1)), "")
	again(phone.Code(), 30*time.Second)
	again(tablet.Code(), time.Minute)

	// The clock goes back: until it is where it was, all codes are used.
	k.Pass(-time.Hour)
	again(phone.Code(), time.Hour+30*time.Second)
}
