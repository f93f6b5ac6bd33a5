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

// ErrDamaged says that a stored set, packed codes, or a [Derivation] can't have
// been made by this package: it is cut short, has bytes left over, or asks for
// costs out of bounds. It is never an answer about a code, and a caller must
// not take it for "no codes".
var ErrDamaged = errors.New("recovery: damaged set or codes")

// Costs of the sets that [NewDerivation] makes: the first choice of the OWASP
// Password Storage Cheat Sheet for Argon2id. They are stored with each set, so
// raising them leaves older sets as they are.
const (
	newMemory  = 19 << 10 // KiB
	newPasses  = 2
	newThreads = 1
)

// Bounds on stored costs. A record that somebody could write to must not be
// able to ask for 4 GiB, nor for next to nothing.
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

// What a derivation is fed before the code, so that its digests are of no use
// anywhere else, nor in a later version of it. They never change.
const (
	labelArgon2id = "twofactor recovery v1 argon2id\x00"
	labelFast     = "twofactor recovery v1 fast\x00"
)

// Derivation is how the digests of one [Set] are made from codes: the scheme,
// the salt, the cost parameters. Two Derivations are equal by == exactly if
// they derive the same digests. The zero Derivation is that of no set, and
// derives nothing.
//
// It is no secret, yet printing leaves the salt out. A Derivation is immutable
// and safe for concurrent use.
type Derivation struct {
	redacted
	scheme  Scheme
	memory  uint32 // KiB; 0 with Fast, like the next two
	passes  uint8
	threads uint8

	// A handle compares like the salt in it, and shows fmt only an address.
	salt unique.Handle[string]
}

// NewDerivation returns a Derivation for a fresh set: a salt of 16 bytes from
// random, which defaults to [rand.Reader] if nil, and for [Argon2id] the costs
// given there. It returns [ErrScheme] for a scheme that does not exist, or the
// error of random.
func NewDerivation(random io.Reader, s Scheme) (Derivation, error) {
	d := Derivation{scheme: s}
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

// check returns an error that matches [ErrDamaged] if the costs of d are out
// of bounds.
func (d Derivation) check() error {
	switch d.scheme {
	case Argon2id:
		if d.memory < minMemory || d.memory > maxMemory ||
			d.passes < 1 || d.passes > maxPasses ||
			d.threads < 1 || d.threads > maxThreads {
			return fmt.Errorf("%w: costs out of bounds", ErrDamaged)
		}
	case Fast:
		if d.memory != 0 || d.passes != 0 || d.threads != 0 {
			return fmt.Errorf("%w: costs where there are none", ErrDamaged)
		}
	default:
		return fmt.Errorf("%w: unknown scheme", ErrDamaged)
	}
	return nil
}

// IsZero reports whether d is the zero Derivation.
func (d Derivation) IsZero() bool { return d == Derivation{} }

// Scheme returns the scheme of the codes that d derives from. For the zero
// Derivation it is [Argon2id].
func (d Derivation) Scheme() Scheme { return d.scheme }

// Slow reports whether Derive takes a noticeable amount of time and memory,
// so that a server must bound how many run at once. The zero Derivation is not
// slow.
func (d Derivation) Slow() bool { return !d.IsZero() && d.scheme == Argon2id }

// Derive returns the digest of the code under d. With [Argon2id] it is the one
// slow function of this package: at the costs of new sets about 20 to 40 ms of
// one processor, and 19 MiB that the garbage collector is left with. It can't
// be interrupted, and it is the caller who bounds how many run at once; at the
// most that a stored set can ask for, one takes 256 MiB and seconds.
//
// It returns [ErrMalformed] if the code is not of the scheme of d, and
// [ErrDamaged] if d is the zero Derivation, both without deriving.
//
// The digest is, with "‖" for concatenation and the code as 16 or 26 upper-case
// symbols without hyphens, 32 bytes of
//
//	Argon2id(password: "twofactor recovery v1 argon2id" ‖ 0x00 ‖ code, salt, costs)
//	HMAC-SHA-256(key: salt, message: "twofactor recovery v1 fast" ‖ 0x00 ‖ code)
func (d Derivation) Derive(c Code) (Digest, error) {
	// A Derivation out of bounds should not exist. It is checked here all the
	// same, where the memory would be allocated.
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

// DeriveAll returns a fresh set of the codes, none of them used. It derives
// them one after another, so it takes as long as that many calls of Derive but
// never more memory than one.
//
// Between two codes it looks at ctx, and returns an error that matches that of
// ctx if it has ended. It returns [ErrCount] for the zero Codes,
// [ErrMalformed] if they are of another scheme than d, and [ErrDamaged] if d is
// the zero Derivation. A Derivation is for one set; making a second set with it
// lets anybody who holds both see which codes they share.
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

// Digest is what a [Derivation] made of a code: 32 bytes that [Set.Spend]
// compares with those of its entries. The zero Digest matches nothing.
//
// It is a secret as long as its code is unused: printing and encoding show a
// placeholder. A Digest is immutable and safe for concurrent use. Two Digests
// are not made to be compared with ==.
type Digest struct {
	redacted
	sum redact.Value[[sumLen]byte]
}

// IsZero reports whether d is the zero Digest.
func (d Digest) IsZero() bool { return d.sum.IsZero() }
