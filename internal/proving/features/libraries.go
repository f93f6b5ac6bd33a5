package features

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
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
	for i := range enrollment.MaxDevices { // one too many
		trust(fmt.Sprint("number ", i))
	}
	if list, err := devices.List(t.Context(), "alice"); err != nil || len(list) != enrollment.MaxDevices || trusted(laptop) {
		t.Errorf("%d devices, %v, the oldest of them trusted: %v", len(list), err, trusted(laptop))
	}
	k.Must(devices.RevokeAll(t.Context(), "alice"))
	last := trust("last")
	k.Pass(enrollment.DeviceTTL)
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

// X4: a pending-login challenge that works after any first factor, expires, and
// is spent once.
func TestFeatureX4_Challenge(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	for _, first := range []string{"", "email", "oauth:github", "passkey"} {
		d := k.SignIn("alice", enrollment.SignInOptions{Channel: first}, enrollment.AskCode)
		k.In(d.Challenge, alice.Code())
		k.Pass(30 * time.Second)
		k.Out(d.Challenge, alice.Code(), enrollment.ReasonChallengeSpent)
	}

	k.Enroll("mallory")
	if ok := k.In(k.Challenge("alice"), alice.Code()); ok.UserID != "alice" { // never whom somebody else names
		t.Errorf("signed in as %q", ok.UserID)
	}
	k.Out(enrollment.Challenge{}, alice.Code(), enrollment.ReasonChallengeInvalid)
	k.Out(enrollment.ChallengeOf("made up"), alice.Code(), enrollment.ReasonChallengeInvalid)

	k.Pass(30 * time.Second)
	d := k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)
	if !d.Expires.Equal(k.Now().Add(enrollment.ChallengeTTL)) {
		t.Errorf("expires at %v", d.Expires)
	}
	k.Pass(enrollment.ChallengeTTL)
	k.Out(d.Challenge, alice.Code(), enrollment.ReasonChallengeExpired)
}

// X5: step-up for sensitive actions with freshness.
func TestFeatureX5_StepUpWithFreshness(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	const pay enrollment.Purpose = "pay-out"
	session := k.In(k.Challenge("alice"), alice.Code()).Receipt
	_, err := k.Guard.RecentlyVerified(t.Context(), "alice", pay, session, 15*time.Minute)
	proving.Want(t, err, enrollment.ReasonProofInvalid) // a sign-in is no step-up
	k.Pass(30 * time.Second)
	ok, err := k.Guard.Verify(t.Context(), "alice", pay, alice.Code())
	k.Must(err)

	k.Pass(15 * time.Minute)
	again, err := k.Guard.RecentlyVerified(t.Context(), "alice", pay, ok.Receipt, 15*time.Minute)
	k.Must(err)
	if again.UserID != "alice" || again.Purpose != pay || !again.At.Equal(ok.At) {
		t.Errorf("%+v, want what %+v says", again, ok)
	}
	k.Pass(time.Second)
	_, err = k.Guard.RecentlyVerified(t.Context(), "alice", pay, ok.Receipt, 15*time.Minute)
	proving.Want(t, err, enrollment.ReasonProofStale)
	_, err = k.Guard.RecentlyVerified(t.Context(), "mallory", pay, ok.Receipt, time.Hour)
	proving.Want(t, err, enrollment.ReasonProofInvalid)
	k.In(k.Challenge("alice"), alice.Codes[0]) // a change of factor
	_, err = k.Guard.RecentlyVerified(t.Context(), "alice", pay, ok.Receipt, time.Hour)
	proving.Want(t, err, enrollment.ReasonProofInvalid)
}

// X6: enforcement with a per-user grace deadline.
func TestFeatureX6_GracePerUser(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	deadline := map[string]time.Time{
		"alice": k.Now().Add(14 * 24 * time.Hour),
		"bob":   k.Now().Add(24 * time.Hour),
	}
	login := func(user string) enrollment.SignInOptions {
		return enrollment.SignInOptions{Require: true, Grace: deadline[user]}
	}
	for user, end := range deadline {
		if d := k.SignIn(user, login(user), enrollment.Proceed); !d.EnrollBy.Equal(end) {
			t.Errorf("%s is shown %v, want %v", user, d.EnrollBy, end)
		}
	}
	k.SignIn("carol", login("carol"), enrollment.MustEnroll)
	k.Pass(24 * time.Hour)
	k.SignIn("bob", login("bob"), enrollment.MustEnroll)
	k.SignIn("alice", login("alice"), enrollment.Proceed)
	k.Enroll("alice")
	k.SignIn("alice", login("alice"), enrollment.AskCode) // also before the deadline
}

// X7: key rotation, old ciphertext readable.
func TestFeatureX7_KeyRotation(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	on := func(keys *keyring.Ring) *enrollment.Guard { return k.NodeOver(k.Store, keys) }
	before, err := keyring.Generate("2025")
	k.Must(err)
	k.Guard = on(before)
	alice, bob := k.Enroll("alice"), k.Enroll("bob")

	after, err := before.Rotate("2026")
	k.Must(err)
	k.Guard = on(after)
	k.In(k.Challenge("alice"), alice.Code()) // read under the old key, written under the new one
	k.Guard = on(before)
	if _, err := k.Guard.Status(t.Context(), "alice"); !errors.Is(err, enrollment.ErrCorrupt) {
		t.Errorf("still sealed under the old key: %v", err)
	}
	k.In(k.Challenge("bob"), bob.Code())
}

// X8: row-scoped associated data.
func TestFeatureX8_RowScoped(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	k.Enroll("mallory")
	hers, err := k.Store.Load(t.Context(), "alice")
	k.Must(err)
	his, err := k.Store.Load(t.Context(), "mallory")
	k.Must(err)

	// Mallory writes to the database.
	k.In(k.Challenge("alice"), alice.Code())
	for name, forge := range map[string]func(r *store.Record){
		"another user's row": func(r *store.Record) { r.Data = his.Data },
		"another state":      func(r *store.Record) { r.State = store.Disabled },
		"an earlier time":    func(r *store.Record) { r.Data = hers.Data },
		"another version":    func(*store.Record) {},
	} {
		now, err := k.Store.Load(t.Context(), "alice")
		k.Must(err)
		forged := now
		forged.Version++
		forge(&forged)
		k.Must(k.Store.Save(t.Context(), forged, now.Version))
		d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{})
		if !errors.Is(err, enrollment.ErrCorrupt) || d.Next != enrollment.Refuse {
			t.Errorf("%s: %v, %v, want it refused as corrupt", name, d.Next, err)
		}
		k.Must(k.Store.Save(t.Context(), now, forged.Version)) // put back
		k.Challenge("alice")
	}
}

// X9: import of existing secrets (base32, hex, otpauth URI, *otp.Key), export,
// so that nobody is locked in.
func TestFeatureX9_ImportAndExport(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	keys := map[string]func() (totp.Key, error){
		"base32": func() (totp.Key, error) {
			secret, err := totp.ParseSecret("JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP")
			if err != nil {
				return totp.Key{}, err
			}
			return totp.NewKey(secret, totp.Params{})
		},
		"hex": func() (totp.Key, error) {
			secret, err := totp.ParseHexSecret("3132333435363738393031323334353637383930")
			if err != nil {
				return totp.Key{}, err
			}
			return totp.NewKey(secret, totp.Params{})
		},
		"uri": func() (totp.Key, error) {
			key, _, err := totp.ParseURI("otpauth://totp/Old:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR&issuer=Old")
			return key, err
		},
		"otp": func() (totp.Key, error) {
			key, _, err := totp.ParseURI("otpauth://totp/Old:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJS&issuer=Old")
			if err != nil {
				return totp.Key{}, err
			}
			old, err := key.OTP(totp.Label{Issuer: "Old", Account: "alice"}) // what the host has
			if err != nil {
				return totp.Key{}, err
			}
			key, _, err = totp.FromOTP(old)
			return key, err
		},
	}
	migration := k.Guard.Admin("migration", "moving from the old system")
	for user, read := range keys {
		key, err := read()
		k.Must(err)
		im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key, Name: "phone"}}}
		k.Must(migration.Import(t.Context(), user, im))
		proving.Want(t, migration.Import(t.Context(), user, im), enrollment.ReasonAlreadyEnrolled) // create-only

		used := k.Code(key) // perhaps in the other system
		k.Out(k.Challenge(user), used, enrollment.ReasonReplayed)
		k.Pass(30 * time.Second)
		k.Out(k.Challenge(user), k.Code(key), enrollment.ReasonReplayed) // by a phone that is ahead
		k.Pass(30 * time.Second)
		k.In(k.Challenge(user), k.Code(key)) // without the user having done anything

		out, err := k.Guard.Admin("root", "leaving").Export(t.Context(), user)
		k.Must(err)
		list := out.Reveal()
		if len(list) != 1 || list[0].Name != "phone" || !list[0].Key.Secret().Equal(key.Secret()) {
			t.Errorf("%s: exported are %d authenticators, or another one", user, len(list))
		}
		if told := k.EventsOf(user, enrollment.EventExported); len(told) != 1 {
			t.Errorf("%s was told %d times", user, len(told))
		}
	}
}

// A mapStore is what a host writes: two methods over what it has, here a map.
type mapStore struct {
	mu      sync.Mutex
	records map[string]store.Record
}

func newMapStore() *mapStore { return &mapStore{records: map[string]store.Record{}} }

func (m *mapStore) Load(ctx context.Context, userID string) (store.Record, error) {
	if err := ctx.Err(); err != nil {
		return store.Record{}, err
	}
	if err := store.ValidateUserID(userID); err != nil {
		return store.Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[userID]
	if !ok {
		return store.Record{}, store.ErrNotFound
	}
	r.Data = slices.Clone(r.Data)
	return r, nil
}

func (m *mapStore) Save(ctx context.Context, r store.Record, prev int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := store.ValidateSave(r, prev); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records[r.UserID].Version != prev { // 0 where there is none
		return store.ErrConflict
	}
	r.Data = slices.Clone(r.Data)
	r.Due, r.Updated = toMicroseconds(r.Due), toMicroseconds(r.Updated)
	m.records[r.UserID] = r
	return nil
}

func toMicroseconds(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// X11: a shared test suite for integrators. A host's own store of two methods
// passes it.
func TestFeatureX11_SuiteForIntegrators(t *testing.T, open proving.Open) {
	storetest.Run(t, func(*testing.T) store.Store { return newMapStore() })
}

// X12: typed events, stable error codes, retry-after.
func TestFeatureX12_EventsCodesRetryAfter(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	challenge := k.Challenge("alice")
	for range 4 {
		k.Out(challenge, alice.Wrong(), enrollment.ReasonWrongCode)
	}
	fifth := k.Out(challenge, alice.Wrong(), enrollment.ReasonWrongCode)
	locked := k.Out(challenge, alice.Code(), enrollment.ReasonLocked)
	if want := k.Now().Add(time.Minute); !fifth.RetryAt.Equal(want) || !locked.RetryAt.Equal(want) {
		t.Errorf("retry after %v and %v, want %v", fifth.RetryAt, locked.RetryAt, want)
	}
	if !errors.Is(locked, enrollment.ErrLocked) || errors.Is(locked, enrollment.ErrWrongCode) {
		t.Error("what is locked is not a wrong code")
	}
	if locked.Reason != "locked" || fifth.Reason != "wrong_code" || locked.Factor != enrollment.FactorTOTP {
		t.Errorf("%q, %q of %q", locked.Reason, fifth.Reason, locked.Factor)
	}
	if !slices.Contains(enrollment.Reasons(), locked.Reason) || !slices.Contains(enrollment.EventKinds(), enrollment.EventLocked) {
		t.Error("the lists for tables of messages are not complete")
	}
	if told := k.EventsOf("alice", enrollment.EventLocked); len(told) != 1 || told[0].Kind != "locked" || told[0].Factor != enrollment.FactorTOTP {
		t.Errorf("alice was told %+v", told)
	}
	k.Pass(locked.RetryAt.Sub(k.Now())) // that long, and no longer
	k.In(challenge, alice.Code())
}
