package features

import (
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// N10: a thief of the password keeps app codes locked. The owner, who has the phone
// but no recovery code at hand, is offered three consecutive codes, and gets in.
func TestFeatureN10_OwnerGetsIn(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	for range 40 { // days
		k.Pass(24 * time.Hour)
		var denied *enrollment.Denied
		for denied == nil || denied.Reason == enrollment.ReasonWrongCode {
			if _, err := k.Answer(k.Challenge("alice"), alice.Wrong()); !errors.As(err, &denied) {
				t.Fatal(err)
			}
		}
		if !errors.Is(denied, enrollment.ErrLocked) || !denied.ThreeCodes {
			t.Fatalf("the thief is told %v, three codes: %t", denied, denied.ThreeCodes)
		}
		d := k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)
		if !d.ThreeCodes {
			t.Fatal("three codes are not offered")
		}
		k.Pass(time.Minute) // while the app shows them
		codes := proving.Three(alice.Key, k.Now())
		ok, err := k.Guard.ThreeCodes().Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, codes)
		k.Must(err)
		if ok.UserID != "alice" || ok.Factor != enrollment.FactorTOTP || ok.Drift != 0 {
			t.Errorf("%+v", ok)
		}
		_, err = k.Guard.Devices().Trust(t.Context(), "alice", ok.Receipt, "") // as good as one code of now
		k.Must(err)
		_, err = k.Guard.ThreeCodes().Answer(t.Context(), enrollment.PurposeSignIn, k.Challenge("alice"), codes)
		proving.Want(t, err, enrollment.ReasonReplayed)
	}
	k.Pass(24 * time.Hour)
	if k.SignIn("alice", enrollment.SignInOptions{}).ThreeCodes {
		t.Error("three codes are offered although nobody guesses")
	}
}

// N10: with a clock that is wrong by minutes no single code is right. Three are, and
// tell by how much. They step up as well, and change no settings.
func TestFeatureN10_WrongClock(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	k.Pass(time.Hour)
	for _, off := range []time.Duration{-7 * time.Minute, 7 * time.Minute} {
		k.Pass(time.Hour)
		codes := proving.Three(alice.Key, k.Now().Add(off))
		for range 5 {
			k.Out(k.Challenge("alice"), codes[2], enrollment.ReasonWrongCode)
		}
		d := k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)
		if !d.ThreeCodes {
			t.Fatal("three codes are not offered")
		}
		ok, err := k.Guard.ThreeCodes().Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, codes)
		k.Must(err)
		if ok.Drift != off {
			t.Errorf("told a drift of %v, want %v", ok.Drift, off)
		}
		_, err = k.Guard.RecentlyVerified(t.Context(), "alice", enrollment.PurposeSignIn, ok.Receipt, time.Minute)
		k.Must(err)
		proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(ok.Receipt)), enrollment.ReasonProofNotAllowed)
		_, err = k.Guard.Devices().Trust(t.Context(), "alice", ok.Receipt, "")
		proving.Want(t, err, enrollment.ReasonProofNotAllowed)
		k.Pass(2 * time.Minute)
		ok, err = k.Guard.ThreeCodes().Verify(t.Context(), "alice", "delete-project", proving.Three(alice.Key, k.Now().Add(off)))
		k.Must(err)
		if ok.Purpose != "delete-project" || ok.Drift != off {
			t.Errorf("%+v", ok)
		}
	}
}
