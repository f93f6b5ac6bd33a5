package keyring

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
)

// Errors of [Ring.Open]. All of them match [ErrOpen]. Which one it is helps an
// operator; somebody who can change the stored bytes can choose it.
var (
	// ErrOpen says that bytes can't be opened with the keys of the ring, and
	// that trying again will not help. A Sealer that asks a key management
	// service returns other errors for faults that may pass.
	ErrOpen = errors.New("keyring: cannot open")

	// ErrUnknownKey says that the bytes were sealed under a key whose id is not
	// in the ring.
	ErrUnknownKey error = openError("keyring: cannot open: sealed under a key that is not in the ring")

	// ErrWrongKey says that the ring has a key of the right id, but it is not
	// the key that sealed the bytes.
	ErrWrongKey error = openError("keyring: cannot open: sealed under another key with the same id")

	// ErrDamaged says that the bytes were changed after they were sealed, or
	// that they were sealed for another scope or binding.
	ErrDamaged error = openError("keyring: cannot open: damaged or misplaced")
)

type openError string

func (e openError) Error() string        { return string(e) }
func (e openError) Is(target error) bool { return target == ErrOpen }

// format is the first byte of everything sealed here.
const format = 1

const (
	checkSize = 4
	nonceSize = 12
	tagSize   = 16

	// room is left behind what was sealed, for a few bytes of the caller's.
	room = 8
)

// Seal returns plaintext encrypted and authenticated under the primary key.
// Open returns it for the same scope and binding only. The scope says what the
// bytes are for and whose they are; it selects the derived key. The binding is
// additional data. The result is
//
//	format, length of the key's id, id, check value of the key, nonce, ciphertext, tag
//
// where the first two are one byte each. It names the key in clear. Seal does
// not keep its arguments and ignores ctx. It returns [ErrKeys] if the ring has
// no key, and fails for no other reason.
func (r *Ring) Seal(_ context.Context, scope, binding, plaintext []byte) ([]byte, error) {
	roots := r.roots()
	if len(roots) == 0 {
		return nil, ErrKeys
	}
	root := roots[0]
	d := root.deriver()
	defer root.derivers.Put(d)
	aead, err := d.cipher(scope)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, 2+len(root.id)+checkSize+nonceSize+len(plaintext)+tagSize+room)
	out = append(out, format, byte(len(root.id)))
	out = append(out, root.id...)
	out = append(out, root.check[:]...)
	return aead.Seal(out, nil, plaintext, d.additional(out, binding)), nil
}

// Open returns what Seal was given for the same scope and binding. The id in
// the sealed bytes selects the key, and no other key is tried. Open returns
// [ErrUnknownKey], [ErrWrongKey] or [ErrDamaged], and never part of a
// plaintext. It does not change its arguments and ignores ctx.
func (r *Ring) Open(_ context.Context, scope, binding, sealed []byte) ([]byte, error) {
	id, rest, ok := split(sealed)
	if !ok {
		return nil, ErrDamaged
	}
	root := r.find(id)
	switch {
	case root == nil && !validID(string(id)):
		return nil, ErrDamaged // no key has that id
	case root == nil:
		return nil, ErrUnknownKey
	case len(rest) < checkSize:
		return nil, ErrDamaged
	case [checkSize]byte(rest) != root.check:
		return nil, ErrWrongKey
	}
	d := root.deriver()
	defer root.derivers.Put(d)
	aead, err := d.cipher(scope)
	if err != nil {
		return nil, err
	}
	header, body := sealed[:len(sealed)-len(rest)+checkSize], rest[checkSize:]
	plaintext, err := aead.Open(nil, nil, body, d.additional(header, binding))
	if err != nil {
		return nil, ErrDamaged
	}
	return plaintext, nil
}

// KeyID returns the id of the key that the bytes name, whether the ring has
// that key or not. It opens nothing: somebody who can write the bytes can also
// write the id, and only Open proves it. KeyID returns [ErrDamaged] if the
// bytes name no key.
func (r *Ring) KeyID(sealed []byte) (string, error) {
	id, _, ok := split(sealed)
	if !ok || !validID(string(id)) {
		return "", ErrDamaged
	}
	return string(id), nil
}

// PrimaryID returns the id of the key that Seal uses, or "" for the zero Ring.
func (r *Ring) PrimaryID() string {
	roots := r.roots()
	if len(roots) == 0 {
		return ""
	}
	return roots[0].id
}

// split returns the key id in sealed bytes, and what follows it.
func split(sealed []byte) (id, rest []byte, ok bool) {
	if len(sealed) < 2 || sealed[0] != format {
		return nil, nil, false
	}
	end := 2 + int(sealed[1])
	if len(sealed) < end {
		return nil, nil, false
	}
	return sealed[2:end], sealed[end:], true
}

// What a root key makes starts with one of these bytes, so that a check value
// is never part of a derived key, whatever the scope.
const (
	useScope byte = iota + 1 // a key for a scope
	useCheck                 // the check value
)

// A deriver derives ciphers from a root key, one caller after another. Setting
// one up costs as much as using it, so derivers are kept.
type deriver struct {
	mac hash.Hash
	use [1]byte
	sum [sha256.Size]byte

	// aead is the cipher of scope. What was opened last is often sealed next.
	scope []byte
	aead  cipher.AEAD

	data []byte // holds additional data
}

// newDeriver returns a deriver for the root key.
func (k *rootKey) newDeriver() *deriver {
	return &deriver{mac: hmac.New(sha256.New, k.secret[:])}
}

// deriver returns one that nobody uses. The caller puts it back.
func (k *rootKey) deriver() *deriver {
	if d, ok := k.derivers.Get().(*deriver); ok {
		return d
	}
	return k.newDeriver()
}

// hmac returns the HMAC-SHA-256 of the use and the data. The result is valid
// until the next call.
func (d *deriver) hmac(use byte, data []byte) []byte {
	d.mac.Reset()
	d.use[0] = use
	d.mac.Write(d.use[:])
	d.mac.Write(data)
	return d.mac.Sum(d.sum[:0])
}

// cipher returns the cipher of a scope. Where FIPS 140-3 is enforced, GCM is
// allowed only if it draws the nonce itself.
func (d *deriver) cipher(scope []byte) (cipher.AEAD, error) {
	if d.aead != nil && bytes.Equal(d.scope, scope) {
		return d.aead, nil
	}
	block, err := aes.NewCipher(d.hmac(useScope, scope))
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	d.scope, d.aead = append(d.scope[:0], scope...), aead
	return aead, nil
}

// additional returns the additional data, valid until the next call. The header
// says how long it is, and the binding follows its own length, so that no two
// pairs encode alike.
func (d *deriver) additional(header, binding []byte) []byte {
	d.data = append(d.data[:0], header...)
	d.data = binary.BigEndian.AppendUint32(d.data, uint32(len(binding)))
	d.data = append(d.data, binding...)
	return d.data
}
