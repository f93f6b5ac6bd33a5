package keyring

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

// Limits of a ring.
const (
	// KeySize is the length of a key in bytes.
	KeySize = 32

	// MaxKeys is the most keys in a ring.
	MaxKeys = 16

	// MaxID is the length of the longest key id in bytes.
	MaxID = 32

	// maxText bounds the text that Parse looks at.
	maxText = MaxKeys * (MaxID + 64)
)

// ErrKeys says that the input makes no key or no ring. The text of the error
// names the position of the key and the rule. It never quotes a key.
var ErrKeys = errors.New("keyring: invalid keys")

// A Key is a named root key. It redacts itself. The zero Key holds no key.
type Key struct {
	redacted
	root redact.Value[*rootKey]
}

// NewKey returns the key with that id and secret. The id has 1 to [MaxID] of
// the characters a-z, 0-9, '-' and '_'. It is stored in clear with everything
// that the key seals. The secret is [KeySize] bytes from a cryptographic random
// source; NewKey copies it. NewKey returns an error that matches [ErrKeys] if
// the id or the secret breaks these rules.
func NewKey(id string, secret []byte) (Key, error) {
	if !validID(id) {
		return Key{}, fmt.Errorf("%w: an id has 1 to %d of the characters a-z, 0-9, '-', '_'", ErrKeys, MaxID)
	}
	if len(secret) != KeySize {
		return Key{}, fmt.Errorf("%w: the secret is not %d bytes long", ErrKeys, KeySize)
	}
	if bytes.Count(secret, secret[:1]) == KeySize {
		return Key{}, fmt.Errorf("%w: the secret is one byte repeated", ErrKeys)
	}
	root := &rootKey{id: id, secret: [KeySize]byte(secret)}
	copy(root.check[:], root.newDeriver().hmac(useCheck, nil))
	return Key{root: redact.Of(root)}, nil
}

// ID returns the id of the key, or "" for the zero Key.
func (k Key) ID() string {
	if k.root.IsZero() {
		return ""
	}
	return (*k.root.Get()).id
}

// A Ring seals under its first key and opens what any of its keys sealed. A
// Ring never changes and is safe for concurrent use. The zero Ring has no key:
// it seals nothing and opens nothing.
type Ring struct {
	redacted
	keys redact.Value[[]*rootKey]
}

type rootKey struct {
	id       string
	secret   [KeySize]byte
	check    [checkSize]byte // in clear in what the key seals
	derivers sync.Pool
}

// New returns a ring of the keys. The first key is the primary. New returns an
// error that matches [ErrKeys] if there are no keys or more than [MaxKeys], if
// one is the zero Key, or if two have the same id or the same secret.
func New(keys ...Key) (*Ring, error) {
	if len(keys) == 0 || len(keys) > MaxKeys {
		return nil, fmt.Errorf("%w: a ring has 1 to %d keys, not %d", ErrKeys, MaxKeys, len(keys))
	}
	roots := make([]*rootKey, 0, len(keys))
	for i, k := range keys {
		if k.root.IsZero() {
			return nil, fmt.Errorf("%w: key %d is the zero Key", ErrKeys, i+1)
		}
		root := *k.root.Get()
		for _, r := range roots {
			if r.id == root.id || subtle.ConstantTimeCompare(r.secret[:], root.secret[:]) == 1 {
				return nil, fmt.Errorf("%w: key %d has the same id or secret as another key", ErrKeys, i+1)
			}
		}
		roots = append(roots, root)
	}
	return &Ring{keys: redact.Of(roots)}, nil
}

// Generate returns a ring with one fresh key of that id, made by crypto/rand.
// It returns an error that matches [ErrKeys] if [NewKey] refuses the id.
func Generate(id string) (*Ring, error) {
	return (*Ring)(nil).Rotate(id)
}

// Rotate returns a ring with a fresh key of that id in front of the keys of r.
// It returns an error that matches [ErrKeys] if r has a key of that id, if r
// has [MaxKeys] keys already, or if [NewKey] refuses the id.
func (r *Ring) Rotate(id string) (*Ring, error) {
	secret := make([]byte, KeySize)
	rand.Read(secret) // never fails: crypto/rand ends the program first
	fresh, err := NewKey(id, secret)
	if err != nil {
		return nil, err
	}
	keys := []Key{fresh}
	for _, root := range r.roots() {
		keys = append(keys, Key{root: redact.Of(root)})
	}
	return New(keys...)
}

// Drop returns a ring without the key of that id. What is still sealed under
// that key can't be opened any more; see Directory.Reseal of package
// enrollment. Drop returns an error that matches [ErrKeys] if r has no such
// key, or if it is the only one.
func (r *Ring) Drop(id string) (*Ring, error) {
	var keys []Key
	for _, root := range r.roots() {
		if root.id != id {
			keys = append(keys, Key{root: redact.Of(root)})
		}
	}
	if len(keys) == len(r.roots()) {
		return nil, fmt.Errorf("%w: no key of that id", ErrKeys)
	}
	return New(keys...)
}

// Parse returns the ring that the text describes. The text lists the keys, the
// primary first, separated by commas or white space. Each key is id:secret,
// with the secret in base64url without padding (RFC 4648, section 5):
//
//	q3ns7d5w:mJ1m…43 characters…,5wz2mcu4:Zx8o…
//
// Parse returns an error that matches [ErrKeys] for any other text, the empty
// text included. The error never quotes the text.
func Parse(text string) (*Ring, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("%w: the text is longer than %d bytes, too long for %d keys", ErrKeys, maxText, MaxKeys)
	}
	parts := strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(", \t\r\n", c) })
	if len(parts) == 0 {
		return nil, fmt.Errorf("%w: the text is empty; the command newkey, in a folder of this package, makes a key", ErrKeys)
	}
	var keys []Key
	for i, part := range parts {
		id, encoded, ok := strings.Cut(part, ":")
		if !ok {
			return nil, fmt.Errorf("%w: key %d is not of the form id:secret", ErrKeys, i+1)
		}
		secret, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
		if err != nil {
			// The error of base64 quotes its input, so it is not wrapped.
			return nil, fmt.Errorf("%w: the secret of key %d is not base64url", ErrKeys, i+1)
		}
		key, err := NewKey(id, secret)
		if err != nil {
			return nil, fmt.Errorf("%w (key %d)", err, i+1)
		}
		keys = append(keys, key)
	}
	return New(keys...)
}

// Reveal returns the text that [Parse] reads. It shows the keys in clear: write it to
// where the application keeps its secrets, and never to a log.
func (r *Ring) Reveal() string {
	var b strings.Builder
	for i, k := range r.roots() {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(k.id + ":" + base64.RawURLEncoding.EncodeToString(k.secret[:]))
	}
	return b.String()
}

// IDs returns the ids of the keys, the primary first.
func (r *Ring) IDs() []string {
	var ids []string
	for _, k := range r.roots() {
		ids = append(ids, k.id)
	}
	return ids
}

// roots returns the keys of r. A zero or nil Ring has none.
func (r *Ring) roots() []*rootKey {
	if r == nil || r.keys.IsZero() {
		return nil
	}
	return *r.keys.Get()
}

// find returns the key of that id, or nil if r has none.
func (r *Ring) find(id []byte) *rootKey {
	for _, root := range r.roots() {
		if root.id == string(id) {
			return root
		}
	}
	return nil
}

func validID(id string) bool {
	if id == "" || len(id) > MaxID {
		return false
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
