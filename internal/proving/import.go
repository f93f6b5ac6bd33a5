package proving

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/totp"
	"golang.org/x/crypto/bcrypt"
)

// TheirKey is a key that another system had of the user.
func TheirKey(t testing.TB, user string, p totp.Params) totp.Key {
	t.Helper()
	sum := sha256.Sum256([]byte(user))
	secret, err := totp.NewSecret(sum[:20])
	if err != nil {
		t.Fatal(err)
	}
	key, err := totp.NewKey(secret, p)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// ShortKey is a key of 80 bits, as many systems have made them.
func ShortKey(t testing.TB, seed string) totp.Key {
	t.Helper()
	secret, err := totp.ShortSecrets{}.NewSecret([]byte(seed + "0123456789")[:10])
	if err != nil {
		t.Fatal(err)
	}
	key, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Summed returns recovery codes as another system has hashed them with SHA-256.
func Summed(codes ...string) (hashes [][]byte) {
	for _, c := range codes {
		sum := sha256.Sum256([]byte(c))
		hashes = append(hashes, sum[:])
	}
	return hashes
}

// Bcrypted returns them hashed with bcrypt. It skips the test where no Guard
// evaluates those.
func Bcrypted(t testing.TB, cost int, codes ...string) (hashes [][]byte) {
	t.Helper()
	if fips.Enforced() {
		t.Skip("bcrypt is refused, FIPS 140-3 is enforced")
	}
	for _, c := range codes {
		hash, err := bcrypt.GenerateFromPassword([]byte(c), cost)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, hash)
	}
	return hashes
}

// Hashes returns hashes as an Import takes them.
func Hashes(raw ...[]byte) (hashes []enrollment.RecoveryHash) {
	for _, hash := range raw {
		hashes = append(hashes, enrollment.RecoveryHashOf(hash))
	}
	return hashes
}

// TakeOver imports a user of another system with one app and these hashes, and
// lets a minute pass.
func (k *Kit) TakeOver(user string, hashes ...[]byte) *Person {
	k.t.Helper()
	p := &Person{ID: user, Key: TheirKey(k.t, user, totp.Params{}), Kit: k}
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: p.Key}}, RecoveryHashes: Hashes(hashes...)}
	if err := k.Guard.Admin("carol", "moving").Import(k.t.Context(), user, im); err != nil {
		k.t.Fatal(err)
	}
	k.Pass(time.Minute)
	k.Told()
	return p
}
