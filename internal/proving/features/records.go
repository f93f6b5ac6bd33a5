package features

import (
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

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
