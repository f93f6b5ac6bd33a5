package keyring

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
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

// ErrKeys says that a ring can't be made of what was given. The text of the
// error names the position and the rule, and never quotes a key.
var ErrKeys = errors.New("keyring: invalid keys")

// A Key is a named root key. It redacts itself. The zero Key is none.
type Key struct {
	root redact.Value[*rootKey]
}

// NewKey returns the key of that id and secret. The id is 1 to [MaxID] of the
// characters a-z, 0-9, '-' and '_', and is stored in clear beside everything
// that the key seals. The secret is [KeySize] bytes from a cryptographic random
// source, which NewKey copies. It returns an error that matches [ErrKeys] if
// one of them is not so.
func NewKey(id string, secret []byte) (Key, error) {
	if !validID(id) {
		return Key{}, fmt.Errorf("%w: an id is not 1 to %d of a-z, 0-9, '-', '_'", ErrKeys, MaxID)
	}
	if len(secret) != KeySize {
		return Key{}, fmt.Errorf("%w: a secret is not %d bytes", ErrKeys, KeySize)
	}
	if bytes.Count(secret, secret[:1]) == KeySize {
		return Key{}, fmt.Errorf("%w: a secret is one byte repeated", ErrKeys)
	}
	return Key{redact.Of(&rootKey{id: id, secret: [KeySize]byte(secret)})}, nil
}

// ID returns the id of the key, "" for the zero Key.
func (k Key) ID() string {
	if k.root.IsZero() {
		return ""
	}
	return (*k.root.Get()).id
}

// String returns the id and leaves the secret out.
func (k Key) String() string { return "keyring.Key(" + k.ID() + ", redacted)" }

// GoString returns what String returns.
func (k Key) GoString() string { return k.String() }

// Format writes what String returns, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// LogValue returns what String returns.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON returns an error: a key is written out by [Ring.Format] only.
func (k Key) MarshalJSON() ([]byte, error) { return nil, errMarshal }

var errMarshal = errors.New("keyring: keys are not marshalled; use Ring.Format to reveal them")

// A Ring seals under its first key and opens what any of its keys sealed. It
// does not change after it was made, and is safe for concurrent use. The zero
// Ring has no key: it seals and opens nothing.
type Ring struct {
	keys redact.Value[[]*rootKey]
}

type rootKey struct {
	id       string
	secret   [KeySize]byte
	derivers sync.Pool
}

// New returns a ring of the keys, the first of which is the primary. It returns
// an error that matches [ErrKeys] if there are none or more than [MaxKeys], if
// one is the zero Key, or if two share an id or a secret.
func New(keys ...Key) (*Ring, error) {
	if len(keys) == 0 || len(keys) > MaxKeys {
		return nil, fmt.Errorf("%w: a ring has 1 to %d keys", ErrKeys, MaxKeys)
	}
	roots := make([]*rootKey, 0, len(keys))
	for i, k := range keys {
		if k.root.IsZero() {
			return nil, fmt.Errorf("%w: key %d is the zero Key", ErrKeys, i+1)
		}
		root := *k.root.Get()
		for _, r := range roots {
			if r.id == root.id || subtle.ConstantTimeCompare(r.secret[:], root.secret[:]) == 1 {
				return nil, fmt.Errorf("%w: key %d has the id or the secret of another", ErrKeys, i+1)
			}
		}
		roots = append(roots, root)
	}
	return &Ring{keys: redact.Of(roots)}, nil
}

// Generate returns a ring of one fresh key of that id. It returns an error
// that matches [ErrKeys] if the id is not as [NewKey] wants it. Randomness comes
// from crypto/rand.
func Generate(id string) (*Ring, error) {
	return (*Ring)(nil).Rotate(id)
}

// Rotate returns a ring that has a fresh key of that id in front of r's keys.
// It returns an error that matches [ErrKeys] if r has a key of that id or is
// full, or if the id is not as [NewKey] wants it.
func (r *Ring) Rotate(id string) (*Ring, error) {
	secret := make([]byte, KeySize)
	rand.Read(secret) // never fails: crypto/rand ends the program first
	fresh, err := NewKey(id, secret)
	if err != nil {
		return nil, err
	}
	keys := []Key{fresh}
	for _, root := range r.roots() {
		keys = append(keys, Key{redact.Of(root)})
	}
	return New(keys...)
}

// Drop returns a ring without the key of that id: once nothing is sealed under
// it any more, see Directory.Reseal of package enrollment. What still is can't
// be opened again. It returns an error that matches [ErrKeys] if r has no such
// key, or no other.
func (r *Ring) Drop(id string) (*Ring, error) {
	var keys []Key
	for _, root := range r.roots() {
		if root.id != id {
			keys = append(keys, Key{redact.Of(root)})
		}
	}
	if len(keys) == len(r.roots()) {
		return nil, fmt.Errorf("%w: no key of that id", ErrKeys)
	}
	return New(keys...)
}

// Parse returns the ring that a text like
//
//	2026b:mJ1m…43 characters of base64url…,2026a:Zx8o…
//
// stands for: keys as id:secret, separated by commas or white space, the
// primary first, the secret in base64url without padding (RFC 4648, section
// 5). It returns an error that matches [ErrKeys] for any other text and never
// quotes it.
func Parse(text string) (*Ring, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("%w: the text is longer than %d bytes", ErrKeys, maxText)
	}
	var keys []Key
	for i, part := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(", \t\r\n", c) }) {
		id, encoded, ok := strings.Cut(part, ":")
		if !ok {
			return nil, fmt.Errorf("%w: key %d is not of the form id:secret", ErrKeys, i+1)
		}
		secret, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
		if err != nil {
			// The error of base64 is not wrapped: it tells of its input.
			return nil, fmt.Errorf("%w: the secret of key %d is not base64url", ErrKeys, i+1)
		}
		key, err := NewKey(id, secret)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	return New(keys...)
}

// Format returns the text that [Parse] reads: the keys in clear. It is for
// writing the ring to where secrets are kept, not for logs.
func (r *Ring) Format() string {
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

// String returns the ids of the keys and leaves their secrets out.
func (r *Ring) String() string {
	return "keyring.Ring(" + strings.Join(r.IDs(), ", ") + ", redacted)"
}

// GoString returns what String returns.
func (r *Ring) GoString() string { return r.String() }

// LogValue returns what String returns.
func (r *Ring) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalJSON returns an error: a ring is written out by [Ring.Format] only.
func (r *Ring) MarshalJSON() ([]byte, error) { return nil, errMarshal }

// roots returns the keys of r, none for a zero or nil Ring.
func (r *Ring) roots() []*rootKey {
	if r == nil || r.keys.IsZero() {
		return nil
	}
	return *r.keys.Get()
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
