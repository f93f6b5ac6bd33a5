package cases

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// three signs in with three consecutive codes of a phone whose clock is off.
func three(t *testing.T, u *proving.Person, off time.Duration) (enrollment.Success, error) {
	t.Helper()
	return u.Kit.Guard.ThreeCodes().Answer(t.Context(), enrollment.PurposeSignIn, u.Challenge(), proving.Three(u.Key, u.Kit.Now().Add(off)))
}

// TestCase39_OwnerWithTheApp: an attacker with the password who never stops guessing
// kept app codes and recovery codes locked, and so the owner out. An owner with the
// app gets in at any time, and the attacker gets no guess for it.
func TestCase39_OwnerWithTheApp(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	guesses, unknown := 0, strings.Repeat("7", len(strings.ReplaceAll(u.Codes[0], "-", "")))
	for range 50 { // days
		k.Pass(24 * time.Hour)
		for _, code := range []string{u.Wrong(), unknown} {
			var denied *enrollment.Denied
			challenge := k.Challenge("alice")
			for range 20 {
				_, err := k.Answer(challenge, code)
				if !errors.As(err, &denied) {
					t.Fatal(err)
				}
				if denied.Factor == enrollment.FactorTOTP && denied.Reason == enrollment.ReasonWrongCode {
					guesses++
				}
			}
			if !errors.Is(denied, enrollment.ErrLocked) {
				t.Fatalf("%s codes: %v", denied.Factor, denied)
			}
		}
		if _, err := three(t, u, 0); err != nil {
			t.Fatalf("the owner does not get in: %v", err)
		}
	}
	if guesses > 30+50 {
		t.Errorf("%d guesses in 50 days, want 80 at most", guesses)
	}
}

// TestCase45_ThreeCodesWidenNothing: three codes of a wrong clock let the owner in
// and say by how much it is wrong, and are remembered for nothing.
func TestCase45_ThreeCodesWidenNothing(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	for range 5 { // always five minutes slow
		k.Pass(time.Hour)
		ok, err := three(t, u, -5*time.Minute)
		k.Must(err)
		if ok.Drift != -5*time.Minute {
			t.Errorf("told a drift of %v", ok.Drift)
		}
	}
	k.Pass(10 * time.Minute)
	for _, n := range []int{-11, -10, -9, -2, 2, 10} {
		proving.Want(t, signIn(u, u.Code(n)), enrollment.ReasonWrongCode)
		k.Pass(48 * time.Hour)
	}
	proving.Want(t, signIn(u, u.Code()), "")
	if _, err := three(t, u, 21*30*time.Second); proving.ReasonOf(err) != enrollment.ReasonWrongCode {
		t.Errorf("a clock that is off by more than ten minutes: %v", err)
	}
}

// TestCase67_WayIn: a user whose phone, or whose server, has a wrong clock was
// locked out for good (openproject#11978, komari#546).
func TestCase67_WayIn(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	k.Pass(time.Hour)
	const slow = -4 * time.Minute
	var denied *enrollment.Denied
	for range 5 {
		denied = k.Out(k.Challenge("alice"), proving.Shown(u.Key, k.Now().Add(slow)), enrollment.ReasonWrongCode)
	}
	if !denied.ThreeCodes {
		t.Error("three codes are not offered")
	}
	ok, err := three(t, u, slow)
	k.Must(err)
	if ok.Drift != slow {
		t.Errorf("told a drift of %v, want %v", ok.Drift, slow)
	}
}
