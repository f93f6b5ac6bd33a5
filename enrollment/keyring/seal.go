package keyring

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
)

// Errors of [Ring.Open]. Both match [ErrOpen].
var (
	// ErrOpen says that bytes can't be opened with the keys at hand, and that
	// trying again will not help. A Sealer that asks a key management service
	// returns other errors for what may pass.
	ErrOpen = errors.New("keyring: cannot open")

	// ErrUnknownKey says that the bytes name a key that the ring does not
	// have.
	ErrUnknownKey error = openError("keyring: cannot open: sealed under a key that is not in the ring")

	// ErrDamaged says that the bytes are not what was sealed, or were sealed
	// for another scope or binding.
	ErrDamaged error = openError("keyring: cannot open: damaged or misplaced")
)

type openError string

func (e openError) Error() string        { return string(e) }
func (e openError) Is(target error) bool { return target == ErrOpen }

// format is the first byte of everything sealed here.
const format = 1

// Overhead is the most bytes that sealing adds.
const Overhead = 2 + MaxID + nonceSize + tagSize

const (
	nonceSize = 12
	tagSize   = 16
)

// Seal returns plaintext encrypted and authenticated under the primary key, so
// that only Open with the same scope and binding returns it. Scope selects the
// derived key: what the bytes are for and whose they are. Binding is further
// additional data. The result is
//
//	format uint8, id of the key with its length uint8, nonce, ciphertext and tag
//
// and names the key in clear. Seal does not keep its arguments. It fails only
// if the ring has no key; ctx is not used.
func (r *Ring) Seal(_ context.Context, scope, binding, plaintext []byte) ([]byte, error) {
	roots := r.roots()
	if len(roots) == 0 {
		return nil, ErrKeys
	}
	aead, err := roots[0].derive(scope)
	if err != nil {
		return nil, err
	}
	id := roots[0].id
	out := make([]byte, 0, 2+len(id)+nonceSize+len(plaintext)+tagSize)
	out = append(out, format, byte(len(id)))
	out = append(out, id...)
	return aead.Seal(out, nil, plaintext, additional(id, binding)), nil
}

// Open returns what Seal was given for the same scope and binding. The id in
// the sealed bytes selects the key; no other is tried. It returns
// [ErrUnknownKey] or [ErrDamaged], and never part of a plaintext.
func (r *Ring) Open(_ context.Context, scope, binding, sealed []byte) ([]byte, error) {
	id, rest, ok := split(sealed)
	if !ok {
		return nil, ErrDamaged
	}
	for _, root := range r.roots() {
		if root.id != id {
			continue
		}
		aead, err := root.derive(scope)
		if err != nil {
			return nil, err
		}
		plaintext, err := aead.Open(nil, nil, rest, additional(id, binding))
		if err != nil {
			return nil, ErrDamaged
		}
		return plaintext, nil
	}
	return nil, ErrUnknownKey
}

// KeyID returns the id of the key that the bytes say they were sealed under,
// whether the ring has it or not. Nothing is opened: whoever could write the
// bytes could write the id as well, and only Open tells that it is true. It
// returns [ErrDamaged] if the bytes name no key.
func (r *Ring) KeyID(sealed []byte) (string, error) {
	id, _, ok := split(sealed)
	if !ok || !validID(id) {
		return "", ErrDamaged
	}
	return id, nil
}

// PrimaryID returns the id of the key that Seal uses, "" for the zero Ring.
func (r *Ring) PrimaryID() string {
	roots := r.roots()
	if len(roots) == 0 {
		return ""
	}
	return roots[0].id
}

// split returns the id of the key in sealed bytes, and what follows it.
func split(sealed []byte) (id string, rest []byte, ok bool) {
	if len(sealed) < 2 || sealed[0] != format {
		return "", nil, false
	}
	end := 2 + int(sealed[1])
	if len(sealed) < end {
		return "", nil, false
	}
	return string(sealed[2:end]), sealed[end:], true
}

// A deriver computes derived keys. Setting one up costs as much as using it, so
// they are kept.
type deriver struct {
	mac hash.Hash // HMAC-SHA-256 under the root key
	key [sha256.Size]byte
}

// derive returns the cipher of a scope. The GCM with a random nonce is the one
// that FIPS 140-3 approves.
func (k *rootKey) derive(scope []byte) (cipher.AEAD, error) {
	d, ok := k.derivers.Get().(*deriver)
	if !ok {
		d = &deriver{mac: hmac.New(sha256.New, k.secret[:])}
	}
	defer k.derivers.Put(d)
	d.mac.Reset()
	d.mac.Write(scope)
	block, err := aes.NewCipher(d.mac.Sum(d.key[:0]))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// additional returns the additional data: every part behind its length, so
// that no two lists of parts encode alike.
func additional(id string, binding []byte) []byte {
	b := make([]byte, 0, 2+len(id)+4+len(binding))
	b = append(b, format, byte(len(id)))
	b = append(b, id...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(binding)))
	return append(b, binding...)
}
