package recovery

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"unique"

	"golang.org/x/crypto/argon2"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

// ErrDamaged says that a stored set, packed codes or a [Derivation] was not made
// by this package: bytes are missing or left over, or costs are out of bounds.
// It says nothing about a code. Do not treat it as "no codes".
var ErrDamaged = errors.New("recovery: damaged set or codes")

// The costs that [NewDerivation] sets, as the OWASP Password Storage Cheat Sheet
// recommends for Argon2id. Each set stores its own costs, so raising these does
// not affect older sets.
const (
	newMemory  = 19 << 10 // KiB
	newPasses  = 2
	newThreads = 1
)

// Bounds of stored costs. An attacker who can change a stored set must not be
// able to make a derivation take 4 GiB, or almost nothing.
const (
	minMemory  = 8 << 10   // KiB
	maxMemory  = 256 << 10 // KiB
	maxPasses  = 10
	maxThreads = 4
)

const (
	saltLen = 16 // RFC 9106, section 3.1, recommends 16 bytes
	sumLen  = sha256.Size
)

// Labels that a derivation puts before the code, so that its digests are of no
// use elsewhere or in a later version of it. They never change.
const (
	labelArgon2id = "twofactor recovery v1 argon2id\x00"
	labelFast     = "twofactor recovery v1 fast\x00"
)

// A Derivation derives the digests of one [Set] from codes. It holds the scheme,
// the salt and the costs. Two Derivations are equal with == exactly if they
// derive the same digests. The zero Derivation belongs to no set and derives
// nothing.
//
// A Derivation is not secret. It still prints and logs as "[redacted]" and can't
// be encoded; it is stored as part of its Set. It is immutable and safe for
// concurrent use.
type Derivation struct {
	redacted
	costs

	// Handles compare by the salts in them, and fmt prints only an address.
	salt unique.Handle[string]
}

// costs are what a Derivation is without its salt.
type costs struct {
	scheme  Scheme
	memory  uint32 // KiB; 0 with Fast, like the next two
	passes  uint8
	threads uint8
}

// NewDerivation returns a Derivation for a new set, with a salt of 16 bytes from
// random and, for [Argon2id], the costs stated there. If random is nil, it uses
// [rand.Reader]. It returns [ErrScheme] for an unknown scheme, and the wrapped
// error of random.
func NewDerivation(random io.Reader, s Scheme) (Derivation, error) {
	d := Derivation{costs: costs{scheme: s}}
	switch s {
	case Argon2id:
		d.memory, d.passes, d.threads = newMemory, newPasses, newThreads
	case Fast:
	default:
		return Derivation{}, ErrScheme
	}
	var salt [saltLen]byte
	if err := draw(random, salt[:]); err != nil {
		return Derivation{}, err
	}
	d.salt = unique.Make(string(salt[:]))
	return d, nil
}

// check returns an error that matches [ErrDamaged] if the scheme is unknown or the
// costs are out of bounds.
func (c costs) check() error {
	switch c.scheme {
	case Argon2id:
		if c.memory < minMemory || c.memory > maxMemory ||
			c.passes < 1 || c.passes > maxPasses ||
			c.threads < 1 || c.threads > maxThreads {
			return fmt.Errorf("%w: costs out of bounds", ErrDamaged)
		}
	case Fast:
		if c.memory != 0 || c.passes != 0 || c.threads != 0 {
			return fmt.Errorf("%w: costs for a scheme without costs", ErrDamaged)
		}
	default:
		return fmt.Errorf("%w: unknown scheme", ErrDamaged)
	}
	return nil
}

// IsZero reports whether d is the zero Derivation.
func (d Derivation) IsZero() bool { return d == Derivation{} }

// Scheme returns the scheme of the codes that d can derive. For the zero
// Derivation it returns [Argon2id].
func (d Derivation) Scheme() Scheme { return d.scheme }

// Slow reports whether Derive takes so much time and memory that a server must
// limit how many run at once. The zero Derivation is not slow.
func (d Derivation) Slow() bool { return !d.IsZero() && d.scheme == Argon2id }

// Derive returns the digest of the code. With [Argon2id] it is slow: with the
// costs of new sets it takes about 20 to 40 ms of one processor, and allocates
// 19 MiB. With the highest costs that a stored set can have, it takes 256 MiB
// and seconds. It can't be interrupted. The caller must limit how many run at
// once.
//
// It returns [ErrMalformed] if the code does not have the scheme of d, and
// [ErrDamaged] if d is the zero Derivation. In both cases it derives nothing.
//
// The digest is one of these, with 32 bytes. "‖" stands for concatenation, and
// code for the 16 or 26 upper-case symbols without hyphens.
//
//	Argon2id(password: "twofactor recovery v1 argon2id" ‖ 0x00 ‖ code, salt, costs)
//	HMAC-SHA-256(key: salt, message: "twofactor recovery v1 fast" ‖ 0x00 ‖ code)
func (d Derivation) Derive(c Code) (Digest, error) {
	// No exported function returns a Derivation out of bounds. Check it all the
	// same before the memory is allocated.
	if err := d.check(); err != nil {
		return Digest{}, err
	}
	if c.IsZero() || c.Scheme() != d.scheme {
		return Digest{}, ErrMalformed
	}

	code, salt := *c.symbols.Get(), []byte(d.salt.Value())
	var sum [sumLen]byte
	switch d.scheme {
	case Argon2id:
		password := []byte(labelArgon2id + code)
		copy(sum[:], argon2.IDKey(password, salt, uint32(d.passes), d.memory, d.threads, sumLen))
	case Fast:
		mac := hmac.New(sha256.New, salt)
		io.WriteString(mac, labelFast)
		io.WriteString(mac, code)
		mac.Sum(sum[:0])
	}
	return Digest{sum: redact.Of(sum)}, nil
}

// DeriveAll returns a set of these codes, all unused. It derives one code after
// the other, so it takes as long as that many calls of Derive, and as much memory
// as one.
//
// If ctx ends, DeriveAll stops before the next code and returns an error that
// matches that of ctx. It returns [ErrCount] for the zero Codes, [ErrMalformed]
// if they have another scheme than d, and [ErrDamaged] if d is the zero
// Derivation. Use a Derivation for one set only: two sets with the same
// Derivation show which codes they have in common.
func (d Derivation) DeriveAll(ctx context.Context, codes Codes) (Set, error) {
	if codes.Len() == 0 {
		return Set{}, ErrCount
	}
	entries := make([]entry, 0, codes.Len())
	for code := range codes.All() {
		if err := ctx.Err(); err != nil {
			return Set{}, fmt.Errorf("deriving recovery codes: %w", err)
		}
		digest, err := d.Derive(code)
		if err != nil {
			return Set{}, err
		}
		entries = append(entries, entry{sum: *digest.sum.Get()})
	}
	return newSet(d, entries), nil
}

// A Digest is the result of [Derivation.Derive]: 32 bytes that [Set.Spend]
// compares with the digests of a set. The zero Digest matches nothing.
//
// A Digest is secret: it prints and logs as "[redacted]" and can't be encoded.
// It is immutable and safe for concurrent use.
type Digest struct {
	redacted
	sum redact.Value[[sumLen]byte]
}

// IsZero reports whether d is the zero Digest.
func (d Digest) IsZero() bool { return d.sum.IsZero() }
