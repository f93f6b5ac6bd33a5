package features

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// X1: several named authenticators per account.
func TestFeatureX1_NamedAuthenticators(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	setup, phone := k.Begin("alice", enrollment.BeginOptions{Name: "phone"})
	receipt := k.Confirm("alice", setup, phone).Success.Receipt
	setup, tablet := k.Begin("alice", enrollment.BeginOptions{Name: "tablet", Proof: enrollment.ByReceipt(receipt)})
	receipt = k.Confirm("alice", setup, tablet).Success.Receipt
	setup, desk := k.Begin("alice", enrollment.BeginOptions{Name: "desk", Proof: enrollment.ByReceipt(receipt)})
	receipt = k.Confirm("alice", setup, desk).Success.Receipt
	_, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReceipt(receipt)})
	proving.Want(t, err, enrollment.ReasonTooManyAuthenticators)

	for _, app := range []totp.Key{phone, tablet, desk} {
		k.Pass(30 * time.Second)
		k.In(k.Challenge("alice"), k.Code(app))
	}
	list := k.Status("alice").Authenticators
	for i, name := range []string{"phone", "tablet", "desk"} {
		if list[i].Name != name || i > 0 && !list[i].Used.After(list[i-1].Used) {
			t.Errorf("number %d is %+v, want %q with its last use", i, list[i], name)
		}
	}

	proving.Want(t, k.Guard.Remove(t.Context(), "alice", list[1].ID, enrollment.Proof{}), enrollment.ReasonProofRequired)
	k.Pass(30 * time.Second)
	k.Must(k.Guard.Remove(t.Context(), "alice", list[1].ID, enrollment.ByCode(k.Code(phone))))
	challenge := k.Challenge("alice")
	k.Out(challenge, k.Code(tablet), enrollment.ReasonWrongCode)
	k.In(challenge, k.Code(desk))
	if told := k.EventsOf("alice", enrollment.EventAuthenticatorRemoved); len(told) != 1 || told[0].Name != "tablet" {
		t.Errorf("alice was told %+v", told)
	}
}

// X2: replacing an authenticator only after the new one is proven.
func TestFeatureX2_ReplacedOnceProven(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	id := k.Status("alice").Authenticators[0].ID
	_, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Replace: id})
	proving.Want(t, err, enrollment.ReasonProofRequired)

	setup, _ := k.Begin("alice", enrollment.BeginOptions{Replace: id, Proof: enrollment.ByReceipt(alice.Receipt())})
	k.Pass(setup.Expires.Sub(k.Now())) // nobody proves it
	k.In(k.Challenge("alice"), alice.Code())
	k.NextCode(alice.Key)
	if list := k.Status("alice").Authenticators; len(list) != 1 || list[0].ID != id {
		t.Errorf("the account has %+v", list)
	}

	setup, phone := k.Begin("alice", enrollment.BeginOptions{Replace: id, Proof: enrollment.ByReceipt(alice.Receipt())})
	k.Confirm("alice", setup, phone)
	if list := k.Status("alice").Authenticators; len(list) != 1 || list[0].ID == id {
		t.Errorf("the account has %+v", list)
	}
}

// X3: trusted devices: listable, revocable, dead after any change of factor.
func TestFeatureX3_TrustedDevices(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	devices := k.Guard.Devices()
	trust := func(name string) enrollment.TrustedDevice {
		t.Helper()
		d, err := devices.Trust(t.Context(), "alice", alice.Receipt(), name)
		k.Must(err)
		return d
	}
	trusted := func(d enrollment.TrustedDevice) bool {
		t.Helper()
		got, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Device: d.Token})
		k.Must(err)
		return got.Next == enrollment.Proceed && got.Waived == enrollment.FactorTrustedDevice
	}

	laptop := trust("laptop")
	kiosk := trust("kiosk")
	if !trusted(laptop) || !trusted(kiosk) {
		t.Fatal("not trusted")
	}
	k.SignIn("alice", enrollment.SignInOptions{Device: laptop.Token, Purpose: "password-reset"}, enrollment.AskCode)
	k.SignIn("alice", enrollment.SignInOptions{Device: enrollment.DeviceTokenOf("stolen")}, enrollment.AskCode)
	list, err := devices.List(t.Context(), "alice")
	k.Must(err)
	if len(list) != 2 || list[0].Name != "laptop" || list[1].Name != "kiosk" || list[1].Used.IsZero() {
		t.Errorf("the list is %+v", list)
	}
	k.Must(devices.Revoke(t.Context(), "alice", kiosk.Device.ID))
	if trusted(kiosk) || !trusted(laptop) {
		t.Error("revoked is the wrong one")
	}
	for i := range enrollment.DefaultMaxDevices { // one too many
		trust(fmt.Sprint("number ", i))
	}
	if list, err := devices.List(t.Context(), "alice"); err != nil || len(list) != enrollment.DefaultMaxDevices || trusted(laptop) {
		t.Errorf("%d devices, %v, the oldest of them trusted: %v", len(list), err, trusted(laptop))
	}
	k.Must(devices.RevokeAll(t.Context(), "alice"))
	last := trust("last")
	k.Pass(enrollment.DefaultDeviceTTL)
	if trusted(last) {
		t.Error("trusted for ever")
	}

	for _, change := range []struct {
		name string
		do   func() error
	}{
		{"a recovery code", func() error {
			_, err := k.Answer(k.Challenge("alice"), alice.Codes[0])
			return err
		}},
		{"renew_codes", func() error {
			_, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByReceipt(alice.Receipt()))
			return err
		}},
		{"another authenticator", func() error {
			setup, app := k.Begin("alice", enrollment.BeginOptions{Proof: enrollment.ByReceipt(alice.Receipt())})
			k.Confirm("alice", setup, app)
			return nil
		}},
		{"the removal of one", func() error {
			list := k.Status("alice").Authenticators
			return k.Guard.Remove(t.Context(), "alice", list[1].ID, enrollment.ByReceipt(alice.Receipt()))
		}},
	} {
		d := trust("laptop")
		k.Must(change.do())
		if trusted(d) {
			t.Errorf("trusted after %s", change.name)
		}
		if n := k.Status("alice").Devices; n != 0 {
			t.Errorf("%d devices after %s", n, change.name)
		}
	}
	for name, end := range map[string]func(receipt enrollment.Receipt) error{
		"disabling": func(receipt enrollment.Receipt) error {
			return k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(receipt))
		},
		"a reset": func(enrollment.Receipt) error {
			_, err := k.Guard.Admin("root", "lost").Reset(t.Context(), "alice", enrollment.ResetOptions{})
			return err
		},
	} {
		d := trust("laptop")
		k.Must(end(alice.Receipt()))
		alice = k.Enroll("alice") // again
		if trusted(d) {
			t.Errorf("trusted after %s", name)
		}
	}
}
