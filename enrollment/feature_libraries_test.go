package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// X1: several named authenticators per account.
func TestFeatureX1_NamedAuthenticators(t *testing.T) {
	s := tell(t)
	setup, phone := s.begin("alice", enrollment.BeginOptions{Name: "phone"})
	receipt := s.confirm("alice", setup, phone).Success.Receipt
	setup, tablet := s.begin("alice", enrollment.BeginOptions{Name: "tablet", Proof: enrollment.ByReceipt(receipt)})
	receipt = s.confirm("alice", setup, tablet).Success.Receipt
	setup, desk := s.begin("alice", enrollment.BeginOptions{Name: "desk", Proof: enrollment.ByReceipt(receipt)})
	receipt = s.confirm("alice", setup, desk).Success.Receipt
	_, err := s.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReceipt(receipt)})
	s.denied(err, enrollment.ReasonTooManyAuthenticators)

	for _, app := range []*enrollmenttest.App{phone, tablet, desk} {
		s.nextCode()
		s.in(s.asked("alice"), app.Code(s.Clock.Now()))
	}
	list := s.status("alice").Authenticators
	for i, name := range []string{"phone", "tablet", "desk"} {
		if list[i].Name != name || i > 0 && !list[i].Used.After(list[i-1].Used) {
			t.Errorf("number %d is %+v, want %q with its last use", i, list[i], name)
		}
	}

	s.denied(s.Guard.Remove(t.Context(), "alice", list[1].ID, enrollment.Proof{}), enrollment.ReasonProofRequired)
	s.nextCode()
	s.must(s.Guard.Remove(t.Context(), "alice", list[1].ID, enrollment.ByCode(phone.Code(s.Clock.Now()))))
	challenge := s.asked("alice")
	s.out(challenge, tablet.Code(s.Clock.Now()), enrollment.ReasonWrongCode)
	s.in(challenge, desk.Code(s.Clock.Now()))
	if told := s.told("alice", enrollment.EventAuthenticatorRemoved); len(told) != 1 || told[0].Name != "tablet" {
		t.Errorf("alice was told %+v", told)
	}
}

// X2: replacing an authenticator only after the new one is proven.
func TestFeatureX2_ReplacedOnceProven(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	id := s.status("alice").Authenticators[0].ID
	_, err := s.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Replace: id})
	s.denied(err, enrollment.ReasonProofRequired)

	setup, _ := s.begin("alice", enrollment.BeginOptions{Replace: id, Proof: enrollment.ByReceipt(s.receipt(alice))})
	s.pass(setup.Expires.Sub(s.Clock.Now())) // nobody proves it
	s.in(s.asked("alice"), alice.Code())
	if list := s.status("alice").Authenticators; len(list) != 1 || list[0].ID != id {
		t.Errorf("the account has %+v", list)
	}

	setup, phone := s.begin("alice", enrollment.BeginOptions{Replace: id, Proof: enrollment.ByReceipt(s.receipt(alice))})
	s.confirm("alice", setup, phone)
	if list := s.status("alice").Authenticators; len(list) != 1 || list[0].ID == id {
		t.Errorf("the account has %+v", list)
	}
}

// X3: trusted devices: listable, revocable, dead after any change of factor.
func TestFeatureX3_TrustedDevices(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	devices := s.Guard.Devices()
	trust := func(name string) enrollment.TrustedDevice {
		t.Helper()
		d, err := devices.Trust(t.Context(), "alice", s.receipt(alice), name)
		s.must(err)
		return d
	}
	trusted := func(d enrollment.TrustedDevice) bool {
		t.Helper()
		got, err := s.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Device: d.Token})
		s.must(err)
		return got.Next == enrollment.Proceed && got.Waived == enrollment.FactorTrustedDevice
	}

	laptop := trust("laptop")
	kiosk := trust("kiosk")
	if !trusted(laptop) || !trusted(kiosk) {
		t.Fatal("not trusted")
	}
	s.signIn("alice", enrollment.SignInOptions{Device: laptop.Token, Purpose: "password-reset"}, enrollment.AskCode)
	s.signIn("alice", enrollment.SignInOptions{Device: "stolen"}, enrollment.AskCode)
	list, err := devices.List(t.Context(), "alice")
	s.must(err)
	if len(list) != 2 || list[0].Name != "laptop" || list[1].Name != "kiosk" || list[1].Used.IsZero() {
		t.Errorf("the list is %+v", list)
	}
	s.must(devices.Revoke(t.Context(), "alice", kiosk.Device.ID))
	if trusted(kiosk) || !trusted(laptop) {
		t.Error("revoked is the wrong one")
	}
	for i := range enrollment.MaxDevices { // one too many
		trust(fmt.Sprint("number ", i))
	}
	if list, err := devices.List(t.Context(), "alice"); err != nil || len(list) != enrollment.MaxDevices || trusted(laptop) {
		t.Errorf("%d devices, %v, the oldest of them trusted: %v", len(list), err, trusted(laptop))
	}
	s.must(devices.RevokeAll(t.Context(), "alice"))
	last := trust("last")
	s.pass(enrollment.DeviceTTL)
	if trusted(last) {
		t.Error("trusted for ever")
	}

	for _, change := range []struct {
		name string
		do   func() error
	}{
		{"a recovery code", func() error {
			_, err := s.answer(s.asked("alice"), alice.RecoveryCodes[0])
			return err
		}},
		{"new_codes", func() error {
			_, err := s.Guard.RenewCodes(t.Context(), "alice", enrollment.ByReceipt(s.receipt(alice)))
			return err
		}},
		{"another authenticator", func() error {
			setup, app := s.begin("alice", enrollment.BeginOptions{Proof: enrollment.ByReceipt(s.receipt(alice))})
			s.confirm("alice", setup, app)
			return nil
		}},
		{"the removal of one", func() error {
			list := s.status("alice").Authenticators
			return s.Guard.Remove(t.Context(), "alice", list[1].ID, enrollment.ByReceipt(s.receipt(alice)))
		}},
	} {
		d := trust("laptop")
		s.must(change.do())
		if trusted(d) {
			t.Errorf("trusted after %s", change.name)
		}
		if n := s.status("alice").Devices; n != 0 {
			t.Errorf("%d devices after %s", n, change.name)
		}
	}
	for name, end := range map[string]func(receipt string) error{
		"disabling": func(receipt string) error {
			return s.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(receipt))
		},
		"a reset": func(string) error {
			_, err := s.Guard.Admin("root", "lost").Reset(t.Context(), "alice", enrollment.ResetOptions{})
			return err
		},
	} {
		d := trust("laptop")
		s.must(end(s.receipt(alice)))
		alice = s.Enroll("alice") // again
		if trusted(d) {
			t.Errorf("trusted after %s", name)
		}
	}
}

// X4: a pending-login challenge that works after any first factor, expires, and
// is spent once.
func TestFeatureX4_Challenge(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	for _, first := range []string{"", "email", "oauth:github", "passkey"} {
		d := s.signIn("alice", enrollment.SignInOptions{Channel: first}, enrollment.AskCode)
		s.in(d.Challenge, alice.Code())
		s.nextCode()
		s.out(d.Challenge, alice.Code(), enrollment.ReasonChallengeSpent)
	}

	s.Enroll("mallory")
	if ok := s.in(s.asked("alice"), alice.Code()); ok.UserID != "alice" { // never whom somebody else names
		t.Errorf("signed in as %q", ok.UserID)
	}
	s.out("", alice.Code(), enrollment.ReasonChallengeInvalid)
	s.out("made up", alice.Code(), enrollment.ReasonChallengeInvalid)

	s.nextCode()
	d := s.signIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)
	if !d.Expires.Equal(s.Clock.Now().Add(enrollment.ChallengeTTL)) {
		t.Errorf("expires at %v", d.Expires)
	}
	s.pass(enrollment.ChallengeTTL)
	s.out(d.Challenge, alice.Code(), enrollment.ReasonChallengeExpired)
}

// X5: step-up for sensitive actions with freshness.
func TestFeatureX5_StepUpWithFreshness(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	const pay enrollment.Purpose = "pay-out"
	session := s.in(s.asked("alice"), alice.Code()).Receipt
	_, err := s.Guard.RecentlyVerified(t.Context(), "alice", pay, session, 15*time.Minute)
	s.denied(err, enrollment.ReasonProofInvalid) // a sign-in is no step-up
	s.nextCode()
	ok, err := s.Guard.Verify(t.Context(), "alice", pay, alice.Code())
	s.must(err)

	s.pass(15 * time.Minute)
	again, err := s.Guard.RecentlyVerified(t.Context(), "alice", pay, ok.Receipt, 15*time.Minute)
	s.must(err)
	if again.UserID != "alice" || again.Purpose != pay || !again.At.Equal(ok.At) {
		t.Errorf("%+v, want what %+v says", again, ok)
	}
	s.pass(time.Second)
	_, err = s.Guard.RecentlyVerified(t.Context(), "alice", pay, ok.Receipt, 15*time.Minute)
	s.denied(err, enrollment.ReasonProofStale)
	_, err = s.Guard.RecentlyVerified(t.Context(), "mallory", pay, ok.Receipt, time.Hour)
	s.denied(err, enrollment.ReasonProofInvalid)
	s.in(s.asked("alice"), alice.RecoveryCodes[0]) // a change of factor
	_, err = s.Guard.RecentlyVerified(t.Context(), "alice", pay, ok.Receipt, time.Hour)
	s.denied(err, enrollment.ReasonProofInvalid)
}

// X6: enforcement with a per-user grace deadline.
func TestFeatureX6_GracePerUser(t *testing.T) {
	s := tell(t)
	deadline := map[string]time.Time{
		"alice": s.Clock.Now().Add(14 * 24 * time.Hour),
		"bob":   s.Clock.Now().Add(24 * time.Hour),
	}
	login := func(user string) enrollment.SignInOptions {
		return enrollment.SignInOptions{Require: true, Grace: deadline[user]}
	}
	for user, end := range deadline {
		if d := s.signIn(user, login(user), enrollment.Proceed); !d.EnrollBy.Equal(end) {
			t.Errorf("%s is shown %v, want %v", user, d.EnrollBy, end)
		}
	}
	s.signIn("carol", login("carol"), enrollment.MustEnroll)
	s.pass(24 * time.Hour)
	s.signIn("bob", login("bob"), enrollment.MustEnroll)
	s.signIn("alice", login("alice"), enrollment.Proceed)
	s.Enroll("alice")
	s.signIn("alice", login("alice"), enrollment.AskCode) // also before the deadline
}

// X7: key rotation, old ciphertext readable.
func TestFeatureX7_KeyRotation(t *testing.T) {
	s := tell(t)
	open := func(keys *keyring.Ring) *enrollment.Guard {
		g, err := enrollment.New(s.Store, keys, enrollment.Config{
			Issuer: "Acme", Now: s.Clock.Now, RecoveryScheme: recovery.Fast, AllowSHA1: fips.Enforced(),
		})
		s.must(err)
		return g
	}
	before, err := keyring.Generate("2025")
	s.must(err)
	s.Guard = open(before)
	alice, bob := s.Enroll("alice"), s.Enroll("bob")

	after, err := before.Rotate("2026")
	s.must(err)
	s.Guard = open(after)
	s.in(s.asked("alice"), alice.Code()) // read under the old key, written under the new one
	s.Guard = open(before)
	if _, err := s.Guard.Status(t.Context(), "alice"); !errors.Is(err, enrollment.ErrCorrupt) {
		t.Errorf("still sealed under the old key: %v", err)
	}
	s.in(s.asked("bob"), bob.Code())
}

// X8: row-scoped associated data.
func TestFeatureX8_RowScoped(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	s.Enroll("mallory")
	hers, err := s.Store.Load(t.Context(), "alice")
	s.must(err)
	his, err := s.Store.Load(t.Context(), "mallory")
	s.must(err)

	// Mallory writes to the database.
	s.in(s.asked("alice"), alice.Code())
	for name, forge := range map[string]func(r *store.Record){
		"another user's row": func(r *store.Record) { r.Data = his.Data },
		"another state":      func(r *store.Record) { r.State = store.Disabled },
		"an earlier time":    func(r *store.Record) { r.Data = hers.Data },
		"another version":    func(*store.Record) {},
	} {
		now, err := s.Store.Load(t.Context(), "alice")
		s.must(err)
		forged := now
		forged.Version++
		forge(&forged)
		s.must(s.Store.Save(t.Context(), forged, now.Version))
		d, err := s.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{})
		if !errors.Is(err, enrollment.ErrCorrupt) || d.Next != enrollment.Refuse {
			t.Errorf("%s: %v, %v, want it refused as corrupt", name, d.Next, err)
		}
		s.must(s.Store.Save(t.Context(), now, forged.Version)) // put back
		s.asked("alice")
	}
}

// X9: import of existing secrets (base32, hex, otpauth URI, *otp.Key), export,
// so that nobody is locked in.
func TestFeatureX9_ImportAndExport(t *testing.T) {
	s := tell(t)
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
	migration := s.Guard.Admin("migration", "moving from the old system")
	for user, read := range keys {
		key, err := read()
		s.must(err)
		im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key, Name: "phone"}}}
		s.must(migration.Import(t.Context(), user, im))
		s.denied(migration.Import(t.Context(), user, im), enrollment.ReasonAlreadyEnrolled) // create-only

		used := modelShown(key, s.Clock.Now()) // perhaps in the other system
		s.out(s.asked(user), used, enrollment.ReasonReplayed)
		s.nextCode()
		s.out(s.asked(user), modelShown(key, s.Clock.Now()), enrollment.ReasonReplayed) // by a phone that is ahead
		s.nextCode()
		s.in(s.asked(user), modelShown(key, s.Clock.Now())) // without the user having done anything

		out, err := s.Guard.Admin("root", "leaving").Export(t.Context(), user)
		s.must(err)
		list := out.Reveal()
		if len(list) != 1 || list[0].Name != "phone" || !list[0].Key.Secret().Equal(key.Secret()) {
			t.Errorf("%s: exported are %d authenticators, or another one", user, len(list))
		}
		if told := s.told(user, enrollment.EventExported); len(told) != 1 {
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
func TestFeatureX11_SuiteForIntegrators(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Store { return newMapStore() })
}

// X12: typed events, stable error codes, retry-after.
func TestFeatureX12_EventsCodesRetryAfter(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	challenge := s.asked("alice")
	for range 4 {
		s.out(challenge, alice.WrongCode(), enrollment.ReasonWrongCode)
	}
	fifth := s.out(challenge, alice.WrongCode(), enrollment.ReasonWrongCode)
	locked := s.out(challenge, alice.Code(), enrollment.ReasonLocked)
	if want := s.Clock.Now().Add(time.Minute); !fifth.RetryAt.Equal(want) || !locked.RetryAt.Equal(want) {
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
	if told := s.told("alice", enrollment.EventLocked); len(told) != 1 || told[0].Kind != "locked" || told[0].Factor != enrollment.FactorTOTP {
		t.Errorf("alice was told %+v", told)
	}
	s.pass(locked.RetryAt.Sub(s.Clock.Now())) // that long, and no longer
	s.in(challenge, alice.Code())
}
