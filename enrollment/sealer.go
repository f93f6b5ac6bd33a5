package enrollment

import (
	"context"
	"encoding/binary"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
)

// A Sealer encrypts and authenticates what leaves the Guard: the accounts that
// go into the store, and the challenges, receipts and setup tokens that go to
// clients. [keyring.Ring] is the one that comes with the library. A host that
// keeps its keys in a key management service implements this interface over
// it.
//
// Its methods are safe for concurrent use, and keep neither their arguments
// nor what they return. They do not change their arguments, with one exception:
// Open may overwrite sealed, to decrypt in place. What they return may be
// changed by the caller, and may share memory with sealed alone.
type Sealer interface {
	// Seal returns the plaintext encrypted and authenticated, so that Open
	// returns it for the same scope and binding and for no others. Scope says
	// what the bytes are for and whose they are; a Sealer derives a key from
	// it, or binds it like binding. The result is at most 128 bytes longer
	// than the plaintext.
	Seal(ctx context.Context, scope, binding, plaintext []byte) (sealed []byte, err error)

	// Open reverses Seal. Sealed can be any bytes, or none: tokens come from
	// clients. It returns an error that matches [keyring.ErrOpen] if the bytes
	// were not sealed for this scope and binding with a key it has: a stored
	// account is then [ErrCorrupt], and a token is refused. Any other error is
	// taken for a fault that may pass.
	Open(ctx context.Context, scope, binding, sealed []byte) (plaintext []byte, err error)
}

// A KeyNamer is a [Sealer] that can tell under which key something was sealed.
// [Directory.Reseal] passes over what is under the primary key already if the
// Sealer is one.
type KeyNamer interface {
	// KeyID returns the id of the key that the bytes say they were sealed under.
	// It opens nothing. It returns an error if they name none.
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

	// What is hashed and not sealed.
	labelDevice    = "twofactor device v1"
	labelTicket    = "twofactor ticket v1"
	labelNamespace = "twofactor namespace v1"
)

// parts concatenates byte strings, each behind its length, so that no two
// lists of parts give the same bytes.
func parts(list ...string) []byte {
	size := 0
	for _, p := range list {
		size += 4 + len(p)
	}
	b := make([]byte, 0, size)
	for _, p := range list {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}
