package enrollment

import (
	"context"
	"encoding/binary"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
)

// A Sealer encrypts and authenticates what leaves the Guard: the accounts in the store,
// and the challenges, receipts and setup tokens that clients keep. The library comes
// with [keyring.Ring]. An application with a key management service implements a Sealer
// that calls it.
//
// Implementations must be safe for concurrent use. They keep neither their
// arguments nor their results. They do not change their arguments, except that Open
// may overwrite sealed to decrypt in place. The caller may change the results. A
// result may share memory with sealed, but with no other argument.
type Sealer interface {
	// Seal returns the plaintext encrypted and authenticated. Open must return it only
	// for the same scope and binding. Scope says what the bytes are for and which user
	// they belong to; a Sealer derives a key from it, or authenticates it like
	// binding. The result is at most 128 bytes longer than the plaintext.
	Seal(ctx context.Context, scope, binding, plaintext []byte) (sealed []byte, err error)

	// Open reverses Seal. Sealed can be any bytes, or empty, because tokens come from
	// clients. If the bytes were not sealed for this scope and binding with a key that
	// the Sealer has, Open returns an error that matches [keyring.ErrOpen]: a stored
	// account is then [ErrCorrupt], and a token is refused. The Guard treats any other
	// error as a temporary fault.
	Open(ctx context.Context, scope, binding, sealed []byte) (plaintext []byte, err error)
}

// A KeyNamer is a [Sealer] that can name the key under which something was sealed.
// If the Sealer is one, [Directory.Reseal] skips accounts that are already under
// the primary key.
type KeyNamer interface {
	// KeyID returns the id of the key that the sealed bytes name. It does not open
	// them. It returns an error if they name none.
	KeyID(sealed []byte) (string, error)

	// PrimaryID returns the id of the key that Seal uses now.
	PrimaryID() string
}

var (
	_ Sealer   = (*keyring.Ring)(nil)
	_ KeyNamer = (*keyring.Ring)(nil)
)

// Labels keep apart what is sealed for different uses.
const (
	labelRecord    = "twofactor record v1"
	labelChallenge = "twofactor challenge v1"
	labelReceipt   = "twofactor receipt v1"
	labelSetup     = "twofactor setup v1"
	labelAddress   = "twofactor address v1"
	labelRenewal   = "twofactor renewal v1"
	labelEnroll    = "twofactor enroll v1"

	// What is hashed and not sealed.
	labelDevice    = "twofactor device v1"
	labelTicket    = "twofactor ticket v1"
	labelNamespace = "twofactor namespace v1"
	labelStamp     = "twofactor stamp v1"

	// What codes are derived for.
	labelCodes = "twofactor codes v1"
)

// parts concatenates byte strings, each behind its length, so that no two
// lists of parts give the same bytes.
func parts(list ...string) []byte {
	b := make([]byte, 0, partsLen(list...))
	for _, p := range list {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}

// partsLen returns how long that is.
func partsLen(list ...string) int {
	size := 0
	for _, p := range list {
		size += 4 + len(p)
	}
	return size
}
