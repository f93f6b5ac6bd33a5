package enrollment_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
)

func TestTrustedDevice(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	alice := o.enroll("alice")
	receipt := alice.verify("anything").Receipt
	o.take()
	now := o.clock.Now()
	trusted, err := o.guard.Devices().Trust(t.Context(), "alice", receipt, "Firefox on Linux")
	if err != nil {
		t.Fatal(err)
	}
	o.wantTold(enrollment.Event{Kind: enrollment.EventDeviceTrusted, Factor: enrollment.FactorTOTP, Name: "Firefox on Linux"})
	d := trusted.Device
	if d.Name != "Firefox on Linux" || !d.Added.Equal(now) || !d.Expires.Equal(now.Add(enrollment.DeviceTTL)) || !d.Used.IsZero() {
		t.Errorf("%+v", d)
	}
	if len(trusted.Token) != 43 || strings.Contains(trusted.Token, d.ID) {
		t.Errorf("a token of %d bytes", len(trusted.Token))
	}
	o.pass(time.Hour)
	got := o.signIn("alice", enrollment.SignInOptions{Device: trusted.Token, Enrolled: true, Require: true})
	if got.Next != enrollment.Proceed || got.Waived != enrollment.FactorTrustedDevice || got.Challenge != "" || !got.EnrollBy.IsZero() {
		t.Errorf("%+v", got)
	}
	list, err := o.guard.Devices().List(t.Context(), "alice")
	d.Used = o.clock.Now()
	if err != nil || len(list) != 1 || list[0] != d {
		t.Errorf("%+v, %v, want %+v", list, err, d)
	}
	if s := o.status("alice"); s.Devices != 1 || s.LastFactor != enrollment.FactorTrustedDevice || !s.LastSignIn.Equal(o.clock.Now()) {
		t.Errorf("%+v", s)
	}
	o.wantTold() // using it is no change
	granted(t, o.guard.Devices().Revoke(t.Context(), "alice", d.ID))
	o.wantTold(enrollment.Event{Kind: enrollment.EventDeviceRevoked, Name: "Firefox on Linux"})
	if got := o.signIn("alice", enrollment.SignInOptions{Device: trusted.Token}); got.Next != enrollment.AskCode {
		t.Errorf("revoked: %v", got.Next)
	}
}

// A device skips the code at a sign-in, and nothing else.
func TestTrustedDeviceIsForSignIn(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	alice := o.enroll("alice")
	token := alice.trust("").Token
	o.unchanged("alice", func() {
		for _, p := range []enrollment.Purpose{"password-reset", "delete-project", "sign-in "} {
			d := o.signIn("alice", enrollment.SignInOptions{Purpose: p, Device: token})
			if d.Next != enrollment.AskCode || d.Waived != "" {
				t.Errorf("%q: %v", p, d.Next)
			}
		}
		wantReason(t, o.guard.Disable(t.Context(), "alice", enrollment.ByReceipt(token)), enrollment.ReasonProofInvalid)
		_, err := o.guard.RecentlyVerified(t.Context(), "alice", enrollment.PurposeSignIn, token, time.Hour)
		wantReason(t, err, enrollment.ReasonProofInvalid)
		_, err = o.guard.Devices().Trust(t.Context(), "alice", token, "")
		wantReason(t, err, enrollment.ReasonProofInvalid)
		_, err = o.guard.Answer(t.Context(), enrollment.PurposeSignIn, token, "123456")
		wantReason(t, err, enrollment.ReasonChallengeInvalid)
	})
	if list, err := o.guard.Devices().List(t.Context(), "alice"); err != nil || len(list) != 1 || list[0].Name != "Device" {
		t.Errorf("%+v, %v", list, err)
	}
}

// What is no token of the user's has no effect, whatever it is.
func TestOtherTextsAreNoDevice(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	alice, bob := o.enroll("alice"), o.enroll("bob")
	ofAlice := alice.trust("a").Token
	bobs := bob.trust("b")
	last := ofAlice[len(ofAlice)-1:]
	for name, token := range map[string]string{
		"another user's":    bobs.Token,
		"another user's id": bobs.Device.ID,
		"cut":               ofAlice[:42],
		"longer":            ofAlice + last,
		"line break":        ofAlice[:42] + "\n" + last,
		"other case":        strings.ToUpper(ofAlice),
		"zeros":             strings.Repeat("A", 43),
		"1 MiB":             strings.Repeat("A", 1<<20),
		"a receipt":         alice.first.Receipt,
	} {
		o.unchanged("alice", func() {
			if d := o.signIn("alice", enrollment.SignInOptions{Device: token}); d.Next != enrollment.AskCode || d.Waived != "" {
				t.Errorf("%s: %v", name, d.Next)
			}
		})
	}
	// Nor is it one for somebody who is not enrolled.
	if d := o.signIn("carol", enrollment.SignInOptions{Device: ofAlice, Require: true}); d.Next != enrollment.MustEnroll {
		t.Errorf("not enrolled: %v", d.Next)
	}
	if _, err := o.guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Device: ofAlice, Purpose: enrollment.PurposeSetup}); err == nil {
		t.Error("the purpose of a setup is taken")
	}
}

// Trust takes a receipt of the same user that is fresh and of this epoch.
func TestTrustNeedsAReceipt(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	alice, bob := o.enroll("alice"), o.enroll("bob")
	devices := o.guard.Devices()
	trust := func(user, receipt, name string) error {
		d, err := devices.Trust(t.Context(), user, receipt, name)
		if err != nil && d.Token != "" {
			t.Error("a token comes with an error")
		}
		return err
	}
	challenge := o.signIn("alice", enrollment.SignInOptions{}).Challenge
	fresh := alice.verify("x").Receipt
	o.unchanged("alice", func() {
		wantReason(t, trust("alice", bob.verify("x").Receipt, ""), enrollment.ReasonProofInvalid)
		wantReason(t, trust("alice", "", ""), enrollment.ReasonProofInvalid)
		wantReason(t, trust("alice", challenge, ""), enrollment.ReasonProofInvalid)
		wantReason(t, trust("alice", fresh, strings.Repeat("n", enrollment.MaxName+1)), enrollment.ReasonInvalidName)
		wantReason(t, trust("alice", fresh, "a\nb"), enrollment.ReasonInvalidName)
		wantReason(t, trust("carol", fresh, ""), enrollment.ReasonProofInvalid)
	})
	o.pass(enrollment.ReceiptTTL)
	wantReason(t, trust("alice", fresh, ""), enrollment.ReasonProofStale)
	stale := alice.verify("x").Receipt
	if _, err := o.guard.RenewCodes(t.Context(), "alice", enrollment.ByReceipt(stale)); err != nil {
		t.Fatal(err)
	}
	wantReason(t, trust("alice", stale, ""), enrollment.ReasonProofInvalid)
	last := alice.verify("x").Receipt
	granted(t, o.guard.Disable(t.Context(), "alice", enrollment.ByReceipt(last)))
	wantReason(t, trust("alice", last, ""), enrollment.ReasonNotEnrolled)
	if err := trust(strings.Repeat("x", store.MaxUserID+1), last, ""); err == nil {
		t.Error("a user id out of bounds is taken")
	}
}

// A receipt of a recovery code trusts a device anew, after the others are gone.
func TestTrustAfterRecovery(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	alice := o.enroll("alice")
	before := alice.trust("before").Token
	ok, err := o.guard.Answer(t.Context(), enrollment.PurposeSignIn, o.signIn("alice", enrollment.SignInOptions{}).Challenge, alice.codes[0])
	granted(t, err)
	after, err := o.guard.Devices().Trust(t.Context(), "alice", ok.Receipt, "after")
	granted(t, err)
	if d := o.signIn("alice", enrollment.SignInOptions{Device: before}); d.Next != enrollment.AskCode {
		t.Errorf("before: %v", d.Next)
	}
	if d := o.signIn("alice", enrollment.SignInOptions{Device: after.Token}); d.Waived != enrollment.FactorTrustedDevice {
		t.Errorf("after: %v", d.Next)
	}
}

func TestFiveDevices(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	alice := o.enroll("alice")
	var tokens []string
	for range enrollment.MaxDevices + 1 {
		tokens = append(tokens, alice.trust("d").Token)
	}
	for i, token := range tokens {
		want := enrollment.Proceed
		if i == 0 {
			want = enrollment.AskCode
		}
		if d := o.signIn("alice", enrollment.SignInOptions{Device: token}); d.Next != want {
			t.Errorf("device %d: %v", i, d.Next)
		}
	}
	o.take()
	granted(t, o.guard.Devices().RevokeAll(t.Context(), "alice"))
	o.wantTold(enrollment.Event{Kind: enrollment.EventDeviceRevoked})
	o.unchanged("alice", func() {
		granted(t, o.guard.Devices().RevokeAll(t.Context(), "alice"))
		for _, id := range []string{"", "hello", strings.Repeat("0", 16), strings.Repeat("0", 1<<20)} {
			wantReason(t, o.guard.Devices().Revoke(t.Context(), "alice", id), enrollment.ReasonUnknownDevice)
		}
	})
	if list, err := o.guard.Devices().List(t.Context(), "alice"); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	o.unchanged("nobody", func() {
		granted(t, o.guard.Devices().RevokeAll(t.Context(), "nobody"))
		wantReason(t, o.guard.Devices().Revoke(t.Context(), "nobody", strings.Repeat("0", 16)), enrollment.ReasonUnknownDevice)
	})
}

// A sign-in that can't be noted is refused: of what was not stored nobody knows
// whether the device is trusted still.
func TestWaivedSignInIsStored(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	alice := o.enroll("alice")
	token := alice.trust("d").Token
	if err := o.guard.Admin("root", "x").Bypass(t.Context(), "alice", o.clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	down := errors.New("the database is down")
	o.store.save = func(store.Record, int64) error { return down }
	for name, l := range map[string]enrollment.SignInOptions{"device": {Device: token}, "bypass": {}} {
		d, err := o.guard.SignIn(t.Context(), "alice", l)
		if !errors.Is(err, down) || d.Next != enrollment.Refuse || d.Waived != "" {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	o.store.save = func(store.Record, int64) error { return store.ErrConflict }
	for name, l := range map[string]enrollment.SignInOptions{"device": {Device: token}, "bypass": {}} {
		d, err := o.guard.SignIn(t.Context(), "alice", l)
		if !errors.Is(err, enrollment.ErrBusy) || d.Next != enrollment.Refuse || d.Waived != "" {
			t.Errorf("%s, conflicts without an end: %+v, %v", name, d, err)
		}
	}
	// A single conflict is nothing.
	o.store.save = func(store.Record, int64) error { o.store.save = nil; return store.ErrConflict }
	if d := o.signIn("alice", enrollment.SignInOptions{Device: token}); d.Waived != enrollment.FactorTrustedDevice {
		t.Errorf("after a conflict: %+v", d)
	}
}

// What happens between the look and the write is seen.
func TestWaivedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		login     enrollment.SignInOptions
		meanwhile func(o *office, alice *client)
		want      enrollment.Next
		err       error
	}{
		"reset": {enrollment.SignInOptions{}, func(o *office, _ *client) {
			_, err := o.guard.Admin("root", "x").Reset(t.Context(), "alice", enrollment.ResetOptions{})
			granted(t, err)
		}, enrollment.Proceed, nil},
		"reset where it is required": {enrollment.SignInOptions{Require: true}, func(o *office, _ *client) {
			_, err := o.guard.Admin("root", "x").Reset(t.Context(), "alice", enrollment.ResetOptions{})
			granted(t, err)
		}, enrollment.MustEnroll, nil},
		"reset and bypass, although enrolled by the host's records": {enrollment.SignInOptions{Enrolled: true}, func(o *office, _ *client) {
			_, err := o.guard.Admin("root", "x").Reset(t.Context(), "alice", enrollment.ResetOptions{})
			granted(t, err)
			granted(t, o.guard.Admin("root", "x").Bypass(t.Context(), "alice", o.clock.Now().Add(time.Hour)))
		}, enrollment.Refuse, enrollment.ErrMissing},
		"erased": {enrollment.SignInOptions{Enrolled: true}, func(o *office, _ *client) {
			granted(t, o.guard.Admin("root", "x").Erase(t.Context(), "alice"))
		}, enrollment.Refuse, enrollment.ErrMissing},
		"a code": {enrollment.SignInOptions{}, func(_ *office, alice *client) { alice.verify("x") }, enrollment.AskCode, nil},
	} {
		for _, by := range []string{"device", "bypass"} {
			if by == "device" && name == "a code" {
				continue // it does not end trust
			}
			o := newOffice(t)
			alice := o.enroll("alice")
			l := x.login
			if by == "device" {
				l.Device = alice.trust("d").Token
			} else {
				granted(t, o.guard.Admin("root", "x").Bypass(t.Context(), "alice", o.clock.Now().Add(time.Hour)))
			}
			o.store.save = func(rec store.Record, prev int64) error {
				o.store.save = nil
				x.meanwhile(o, alice)
				return o.store.Save(t.Context(), rec, prev)
			}
			d, err := o.guard.SignIn(t.Context(), "alice", l)
			if d.Next != x.want || !errors.Is(err, x.err) || d.Waived != "" {
				t.Errorf("%s, by %s: %+v, %v", name, by, d, err)
			}
			if last := o.status("alice").LastFactor; last != "" {
				t.Errorf("%s, by %s: it counts as a sign-in by %q", name, by, last)
			}
		}
	}
}
