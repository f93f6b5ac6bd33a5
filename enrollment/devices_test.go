package enrollment_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

func TestTrustedDevice(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	receipt := alice.Verify("anything").Receipt
	k.Told()
	now := k.Now()
	trusted, err := k.Guard.Devices().Trust(t.Context(), "alice", receipt, "Firefox on Linux")
	if err != nil {
		t.Fatal(err)
	}
	k.WantTold(enrollment.Event{Kind: enrollment.EventDeviceTrusted, Factor: enrollment.FactorTOTP, Name: "Firefox on Linux"})
	d := trusted.Device
	if d.Name != "Firefox on Linux" || !d.Added.Equal(now) || !d.Expires.Equal(now.Add(enrollment.DefaultDeviceTTL)) || !d.Used.IsZero() {
		t.Errorf("%+v", d)
	}
	if text := trusted.Token.Reveal(); len(text) != 43 || strings.Contains(text, d.ID) {
		t.Errorf("a token of %d bytes", len(text))
	}
	k.Pass(time.Hour)
	got := k.SignIn("alice", enrollment.SignInOptions{Device: trusted.Token, Enrolled: true, Require: true})
	if got.Next != enrollment.Proceed || got.Waived != enrollment.FactorTrustedDevice || !got.Challenge.IsZero() || !got.EnrollBy.IsZero() {
		t.Errorf("%+v", got)
	}
	list, err := k.Guard.Devices().List(t.Context(), "alice")
	d.Used = k.Now()
	if err != nil || len(list) != 1 || list[0] != d {
		t.Errorf("%+v, %v, want %+v", list, err, d)
	}
	if s := k.Status("alice"); s.Devices != 1 || s.LastFactor != enrollment.FactorTrustedDevice || !s.LastSignIn.Equal(k.Now()) {
		t.Errorf("%+v", s)
	}
	k.WantTold() // using it is no change
	k.Must(k.Guard.Devices().Revoke(t.Context(), "alice", d.ID))
	k.WantTold(enrollment.Event{Kind: enrollment.EventDeviceRevoked, Name: "Firefox on Linux"})
	if got := k.SignIn("alice", enrollment.SignInOptions{Device: trusted.Token}); got.Next != enrollment.AskCode {
		t.Errorf("revoked: %v", got.Next)
	}
}

// A device skips the code at a sign-in, and nothing else.
func TestTrustedDeviceIsForSignIn(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	token := alice.Trust("").Token
	text := token.Reveal()
	k.Unchanged("alice", func() {
		for _, p := range []enrollment.Purpose{"password-reset", "delete-project", "sign_in "} {
			d := k.SignIn("alice", enrollment.SignInOptions{Purpose: p, Device: token})
			if d.Next != enrollment.AskCode || d.Waived != "" {
				t.Errorf("%q: %v", p, d.Next)
			}
		}
		proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(enrollment.ReceiptOf(text))), enrollment.ReasonProofInvalid)
		_, err := k.Guard.RecentlyVerified(t.Context(), "alice", enrollment.PurposeSignIn, enrollment.ReceiptOf(text), time.Hour)
		proving.Want(t, err, enrollment.ReasonProofInvalid)
		_, err = k.Guard.Devices().Trust(t.Context(), "alice", enrollment.ReceiptOf(text), "")
		proving.Want(t, err, enrollment.ReasonProofInvalid)
		_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, enrollment.ChallengeOf(text), "123456")
		proving.Want(t, err, enrollment.ReasonChallengeInvalid)
	})
	if list, err := k.Guard.Devices().List(t.Context(), "alice"); err != nil || len(list) != 1 || list[0].Name != "Device" {
		t.Errorf("%+v, %v", list, err)
	}
}

// What is no token of the user's has no effect, whatever it is.
func TestOtherTextsAreNoDevice(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice, bob := k.Enroll("alice"), k.Enroll("bob")
	ofAlice := alice.Trust("a").Token
	bobs := bob.Trust("b")
	text := ofAlice.Reveal()
	last := text[len(text)-1:]
	for name, token := range map[string]string{
		"another user's":    bobs.Token.Reveal(),
		"another user's id": bobs.Device.ID,
		"cut":               text[:42],
		"longer":            text + last,
		"line break":        text[:42] + "\n" + last,
		"other case":        strings.ToUpper(text),
		"zeros":             strings.Repeat("A", 43),
		"1 MiB":             strings.Repeat("A", 1<<20),
		"a receipt":         alice.First.Receipt.Reveal(),
	} {
		k.Unchanged("alice", func() {
			if d := k.SignIn("alice", enrollment.SignInOptions{Device: enrollment.DeviceTokenOf(token)}); d.Next != enrollment.AskCode || d.Waived != "" {
				t.Errorf("%s: %v", name, d.Next)
			}
		})
	}
	// Nor is it one for somebody who is not enrolled.
	if d := k.SignIn("carol", enrollment.SignInOptions{Device: ofAlice, Require: true}); d.Next != enrollment.MustEnroll {
		t.Errorf("not enrolled: %v", d.Next)
	}
	if _, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Device: ofAlice, Purpose: enrollment.PurposeSetup}); err == nil {
		t.Error("the purpose of a setup is taken")
	}
}

// Trust takes a receipt of the same user that is fresh and of this epoch.
func TestTrustNeedsAReceipt(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice, bob := k.Enroll("alice"), k.Enroll("bob")
	devices := k.Guard.Devices()
	trust := func(user string, receipt enrollment.Receipt, name string) error {
		d, err := devices.Trust(t.Context(), user, receipt, name)
		if err != nil && !d.Token.IsZero() {
			t.Error("a token comes with an error")
		}
		return err
	}
	challenge := k.Challenge("alice")
	fresh := alice.Verify("x").Receipt
	k.Unchanged("alice", func() {
		proving.Want(t, trust("alice", bob.Verify("x").Receipt, ""), enrollment.ReasonProofInvalid)
		proving.Want(t, trust("alice", enrollment.Receipt{}, ""), enrollment.ReasonProofInvalid)
		proving.Want(t, trust("alice", enrollment.ReceiptOf(challenge.Reveal()), ""), enrollment.ReasonProofInvalid)
		proving.Want(t, trust("alice", fresh, strings.Repeat("n", enrollment.MaxName+1)), enrollment.ReasonInvalidName)
		proving.Want(t, trust("alice", fresh, "a\nb"), enrollment.ReasonInvalidName)
		proving.Want(t, trust("carol", fresh, ""), enrollment.ReasonProofInvalid)
	})
	k.Pass(enrollment.ReceiptTTL)
	proving.Want(t, trust("alice", fresh, ""), enrollment.ReasonProofStale)
	stale := alice.Verify("x").Receipt
	if _, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByReceipt(stale)); err != nil {
		t.Fatal(err)
	}
	proving.Want(t, trust("alice", stale, ""), enrollment.ReasonProofInvalid)
	last := alice.Verify("x").Receipt
	k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(last)))
	proving.Want(t, trust("alice", last, ""), enrollment.ReasonNotEnrolled)
	if err := trust(strings.Repeat("x", store.MaxUserID+1), last, ""); err == nil {
		t.Error("a user id out of bounds is taken")
	}
}

// A receipt of a recovery code trusts a device anew, after the others are gone.
func TestTrustAfterRecovery(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	before := alice.Trust("before").Token
	ok, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, k.Challenge("alice"), alice.Codes[0])
	k.Must(err)
	after, err := k.Guard.Devices().Trust(t.Context(), "alice", ok.Receipt, "after")
	k.Must(err)
	if d := k.SignIn("alice", enrollment.SignInOptions{Device: before}); d.Next != enrollment.AskCode {
		t.Errorf("before: %v", d.Next)
	}
	if d := k.SignIn("alice", enrollment.SignInOptions{Device: after.Token}); d.Waived != enrollment.FactorTrustedDevice {
		t.Errorf("after: %v", d.Next)
	}
}

func TestFiveDevices(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	var tokens []enrollment.DeviceToken
	for range enrollment.DefaultMaxDevices + 1 {
		tokens = append(tokens, alice.Trust("d").Token)
	}
	for i, token := range tokens {
		want := enrollment.Proceed
		if i == 0 {
			want = enrollment.AskCode
		}
		if d := k.SignIn("alice", enrollment.SignInOptions{Device: token}); d.Next != want {
			t.Errorf("device %d: %v", i, d.Next)
		}
	}
	k.Told()
	k.Must(k.Guard.Devices().RevokeAll(t.Context(), "alice"))
	k.WantTold(enrollment.Event{Kind: enrollment.EventDeviceRevoked})
	k.Unchanged("alice", func() {
		k.Must(k.Guard.Devices().RevokeAll(t.Context(), "alice"))
		for _, id := range []string{"", "hello", strings.Repeat("0", 16), strings.Repeat("0", 1<<20)} {
			proving.Want(t, k.Guard.Devices().Revoke(t.Context(), "alice", id), enrollment.ReasonUnknownDevice)
		}
	})
	if list, err := k.Guard.Devices().List(t.Context(), "alice"); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	k.Unchanged("nobody", func() {
		k.Must(k.Guard.Devices().RevokeAll(t.Context(), "nobody"))
		proving.Want(t, k.Guard.Devices().Revoke(t.Context(), "nobody", strings.Repeat("0", 16)), enrollment.ReasonUnknownDevice)
	})
}

// A sign-in that can't be noted is refused: of what was not stored nobody knows
// whether the device is trusted still.
func TestWaivedSignInIsStored(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	token := alice.Trust("d").Token
	if err := k.Guard.Admin("root", "x").Bypass(t.Context(), "alice", k.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	down := errors.New("the database is down")
	k.Store.Fail(proving.Save, down)
	for name, l := range map[string]enrollment.SignInOptions{"device": {Device: token}, "bypass": {}} {
		d, err := k.Guard.SignIn(t.Context(), "alice", l)
		if !errors.Is(err, down) || d.Next != enrollment.Refuse || d.Waived != "" {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	k.Store.Fail(proving.Save, store.ErrConflict)
	for name, l := range map[string]enrollment.SignInOptions{"device": {Device: token}, "bypass": {}} {
		d, err := k.Guard.SignIn(t.Context(), "alice", l)
		if !errors.Is(err, enrollment.ErrBusy) || d.Next != enrollment.Refuse || d.Waived != "" {
			t.Errorf("%s, conflicts without an end: %+v, %v", name, d, err)
		}
	}
	// A single conflict is nothing.
	k.Store.Straighten()
	k.Store.Nth(proving.Save, 1, proving.Fails(store.ErrConflict))
	if d := k.SignIn("alice", enrollment.SignInOptions{Device: token}); d.Waived != enrollment.FactorTrustedDevice {
		t.Errorf("after a conflict: %+v", d)
	}
}

// What happens between the look and the write is seen.
func TestWaivedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		login     enrollment.SignInOptions
		meanwhile func(k *proving.Kit, alice *proving.Person)
		want      enrollment.Next
		err       error
	}{
		"reset": {enrollment.SignInOptions{}, func(k *proving.Kit, _ *proving.Person) {
			_, err := k.Guard.Admin("root", "x").Reset(t.Context(), "alice", enrollment.ResetOptions{})
			k.Must(err)
		}, enrollment.Proceed, nil},
		"reset where it is required": {enrollment.SignInOptions{Require: true}, func(k *proving.Kit, _ *proving.Person) {
			_, err := k.Guard.Admin("root", "x").Reset(t.Context(), "alice", enrollment.ResetOptions{})
			k.Must(err)
		}, enrollment.MustEnroll, nil},
		"reset and bypass, although enrolled by the host's records": {enrollment.SignInOptions{Enrolled: true}, func(k *proving.Kit, _ *proving.Person) {
			_, err := k.Guard.Admin("root", "x").Reset(t.Context(), "alice", enrollment.ResetOptions{})
			k.Must(err)
			k.Must(k.Guard.Admin("root", "x").Bypass(t.Context(), "alice", k.Now().Add(time.Hour)))
		}, enrollment.Refuse, enrollment.ErrMissing},
		"erased": {enrollment.SignInOptions{Enrolled: true}, func(k *proving.Kit, _ *proving.Person) {
			k.Must(k.Guard.Admin("root", "x").Erase(t.Context(), "alice"))
		}, enrollment.Refuse, enrollment.ErrMissing},
		"a code": {enrollment.SignInOptions{}, func(_ *proving.Kit, alice *proving.Person) { alice.Verify("x") }, enrollment.AskCode, nil},
	} {
		for _, by := range []string{"device", "bypass"} {
			if by == "device" && name == "a code" {
				continue // it does not end trust
			}
			k := proving.New(t)
			alice := k.Enroll("alice")
			l := x.login
			if by == "device" {
				l.Device = alice.Trust("d").Token
			} else {
				k.Must(k.Guard.Admin("root", "x").Bypass(t.Context(), "alice", k.Now().Add(time.Hour)))
			}
			k.Store.Nth(proving.Save, 1, func(context.Context, *proving.Call) { x.meanwhile(k, alice) })
			d, err := k.Guard.SignIn(t.Context(), "alice", l)
			if d.Next != x.want || !errors.Is(err, x.err) || d.Waived != "" {
				t.Errorf("%s, by %s: %+v, %v", name, by, d, err)
			}
			if last := k.Status("alice").LastFactor; last != "" {
				t.Errorf("%s, by %s: it counts as a sign-in by %q", name, by, last)
			}
		}
	}
}
