package recovery_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

const (
	labelArgon2id = "twofactor recovery v1 argon2id\x00"
	labelFast     = "twofactor recovery v1 fast\x00"
)

// stored writes a set by hand, from the format as documented in encode.go, with
// nothing of the package under test.
func stored(version, scheme byte, memory uint32, passes, threads byte, salt [16]byte, sums [][32]byte, spent ...int64) []byte {
	b := []byte{version, scheme}
	b = binary.BigEndian.AppendUint32(b, memory)
	b = append(b, passes, threads)
	b = append(b, salt[:]...)
	b = append(b, byte(len(sums)))
	for i, sum := range sums {
		b = append(b, sum[:]...)
		at := int64(0)
		if i < len(spent) {
			at = spent[i]
		}
		b = binary.BigEndian.AppendUint64(b, uint64(at))
	}
	return b
}

// light returns a derivation with Argon2id at the least cost that is allowed.
func light(tb testing.TB) recovery.Derivation {
	tb.Helper()
	set, err := recovery.DecodeSet(stored(1, 0, 8<<10, 1, 1, [16]byte([]byte("sixteen byte slt")), [][32]byte{{1}}))
	if err != nil {
		tb.Fatal(err)
	}
	return set.Derivation()
}

func derivation(tb testing.TB, seed byte, s recovery.Scheme) recovery.Derivation {
	tb.Helper()
	d, err := recovery.NewDerivation(stream(seed), s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func parse(tb testing.TB, text string) recovery.Code {
	tb.Helper()
	c, err := recovery.ParseCode(text)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func encode(tb testing.TB, s recovery.Set) []byte {
	tb.Helper()
	b, err := s.AppendBinary(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// The digests of a new set must be what argon2.IDKey and HMAC-SHA-256 return
// for the documented inputs, at the documented costs.
func TestDeriveKnownAnswers(t *testing.T) {
	t.Parallel()
	salt := [16]byte([]byte("sixteen byte slt"))
	var slow, fast [32]byte
	copy(slow[:], argon2.IDKey([]byte(labelArgon2id+"ABCDEFGHJKMNPQRS"), salt[:], 2, 19456, 1, 32))
	mac := hmac.New(sha256.New, salt[:])
	mac.Write([]byte(labelFast + "0123456789ABCDEFGHJKMNPQRS"))
	mac.Sum(fast[:0])
	var costly [32]byte
	copy(costly[:], argon2.IDKey([]byte(labelArgon2id+"ABCDEFGHJKMNPQRS"), salt[:], 3, 8192, 4, 32))

	tests := []struct {
		name  string
		bytes []byte
		text  string
		want  recovery.Derivation
	}{
		{"argon2id at the costs of new sets", stored(1, 0, 19456, 2, 1, salt, [][32]byte{{9}, slow}), slowText, withSalt(t, salt, recovery.Argon2id)},
		{"argon2id at stored costs", stored(1, 0, 8192, 3, 4, salt, [][32]byte{{9}, costly}), slowText, recovery.Derivation{}},
		{"fast", stored(1, 1, 0, 0, 0, salt, [][32]byte{{9}, fast}), fastText, withSalt(t, salt, recovery.Fast)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			set, err := recovery.DecodeSet(tt.bytes)
			if err != nil {
				t.Fatal(err)
			}
			if !tt.want.IsZero() && set.Derivation() != tt.want {
				t.Errorf("stored derivation %v, and a new one %v", set.Derivation(), tt.want)
			}
			digest, err := set.Derivation().Derive(parse(t, tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if i, err := set.Spend(digest, time.Unix(1000, 0)); i != 1 || err != nil {
				t.Errorf("Spend = %d, %v; want 1", i, err)
			}
		})
	}
}

func withSalt(tb testing.TB, salt [16]byte, s recovery.Scheme) recovery.Derivation {
	tb.Helper()
	d, err := recovery.NewDerivation(bytes.NewReader(salt[:]), s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func TestNewDerivation(t *testing.T) {
	t.Parallel()
	for _, tt := range schemes {
		a, err := recovery.NewDerivation(nil, tt.scheme)
		if err != nil {
			t.Fatal(err)
		}
		b, err := recovery.NewDerivation(nil, tt.scheme)
		if err != nil {
			t.Fatal(err)
		}
		if a == b {
			t.Errorf("%v: two derivations have the same salt", tt.scheme)
		}
		if c := derivation(t, 5, tt.scheme); c != derivation(t, 5, tt.scheme) {
			t.Errorf("%v: the same salt makes derivations that differ", tt.scheme)
		}
		if a.Scheme() != tt.scheme || a.Slow() != (tt.scheme == recovery.Argon2id) || a.IsZero() {
			t.Errorf("%v: scheme %v, slow %v, zero %v", tt.scheme, a.Scheme(), a.Slow(), a.IsZero())
		}
	}
	if derivation(t, 5, recovery.Argon2id) == derivation(t, 5, recovery.Fast) {
		t.Error("derivations of two schemes are equal")
	}
}

func TestNewDerivationRefuses(t *testing.T) {
	t.Parallel()
	broken := errors.New("the source is broken")
	tests := []struct {
		name   string
		random io.Reader
		scheme recovery.Scheme
		want   error
	}{
		{"no such scheme", nil, 2, recovery.ErrScheme},
		{"failing reader", iotest.ErrReader(broken), recovery.Argon2id, broken},
		{"short reader", io.LimitReader(stream(1), 15), recovery.Fast, io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, err := recovery.NewDerivation(tt.random, tt.scheme)
			if !errors.Is(err, tt.want) || !d.IsZero() {
				t.Errorf("zero %v, error %v; want %v", d.IsZero(), err, tt.want)
			}
		})
	}
}

func TestDeriveRefuses(t *testing.T) {
	t.Parallel()
	slow, fast := parse(t, slowText), parse(t, fastText)
	tests := []struct {
		name string
		d    recovery.Derivation
		c    recovery.Code
		want error
	}{
		{"a fast code in an Argon2id set", derivation(t, 1, recovery.Argon2id), fast, recovery.ErrMalformed},
		{"an Argon2id code in a fast set", derivation(t, 1, recovery.Fast), slow, recovery.ErrMalformed},
		{"no code, Argon2id", derivation(t, 1, recovery.Argon2id), recovery.Code{}, recovery.ErrMalformed},
		{"no code, fast", derivation(t, 1, recovery.Fast), recovery.Code{}, recovery.ErrMalformed},
		{"no derivation", recovery.Derivation{}, slow, recovery.ErrDamaged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			digest, err := tt.d.Derive(tt.c)
			if !errors.Is(err, tt.want) || !digest.IsZero() {
				t.Errorf("zero %v, error %v; want %v", digest.IsZero(), err, tt.want)
			}
		})
	}
}

// A digest depends on the salt and on each symbol.
func TestDeriveTellsApart(t *testing.T) {
	t.Parallel()
	codes := generate(t, 2, 4, recovery.Fast)
	set, err := derivation(t, 2, recovery.Fast).DeriveAll(t.Context(), codes)
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(codes.Reveal()[0])
	for i, b := range text {
		if b == '-' {
			continue
		}
		other := bytes.Clone(text)
		if other[i] = '7'; b == '7' {
			other[i] = '8'
		}
		digest, err := set.Derivation().Derive(parse(t, string(other)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := set.Spend(digest, time.Now()); !errors.Is(err, recovery.ErrWrong) {
			t.Errorf("a code that differs at %d: %v", i, err)
		}
	}
	digest, err := derivation(t, 3, recovery.Fast).Derive(parse(t, string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := set.Spend(digest, time.Now()); !errors.Is(err, recovery.ErrWrong) {
		t.Errorf("the digest under another salt: %v", err)
	}
}

func TestDeriveAll(t *testing.T) {
	t.Parallel()
	for _, d := range []recovery.Derivation{light(t), derivation(t, 4, recovery.Fast)} {
		codes := generate(t, 4, 5, d.Scheme())
		set, err := d.DeriveAll(t.Context(), codes)
		if err != nil {
			t.Fatal(err)
		}
		if set.IsZero() || set.Len() != 5 || set.Remaining() != 5 || set.Derivation() != d {
			t.Errorf("%v: %v", d, set)
		}
		want := 0
		for code := range codes.All() {
			digest, err := d.Derive(code)
			if err != nil {
				t.Fatal(err)
			}
			if i, err := set.Spend(digest, time.Unix(1000, 0)); i != want || err != nil {
				t.Errorf("%v: code %d: Spend = %d, %v", d, want, i, err)
			}
			want++
		}
		if set.Remaining() != 0 {
			t.Errorf("%v: %d codes remain after all were used", d, set.Remaining())
		}
	}
}

func TestDeriveAllRefuses(t *testing.T) {
	t.Parallel()
	fast := derivation(t, 1, recovery.Fast)
	tests := []struct {
		name  string
		d     recovery.Derivation
		codes recovery.Codes
		want  error
	}{
		{"no codes", fast, recovery.Codes{}, recovery.ErrCount},
		{"codes of another scheme", fast, generate(t, 1, 4, recovery.Argon2id), recovery.ErrMalformed},
		{"no derivation", recovery.Derivation{}, generate(t, 1, 4, recovery.Fast), recovery.ErrDamaged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			set, err := tt.d.DeriveAll(t.Context(), tt.codes)
			if !errors.Is(err, tt.want) || !set.IsZero() {
				t.Errorf("zero %v, error %v; want %v", set.IsZero(), err, tt.want)
			}
		})
	}
}

// endsAfter is a context that ends once it has been looked at n times.
type endsAfter struct {
	context.Context
	n int
}

func (c *endsAfter) Err() error {
	if c.n--; c.n < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

func TestDeriveAllLooksAtItsContextBetweenCodes(t *testing.T) {
	t.Parallel()
	d, codes := derivation(t, 1, recovery.Fast), generate(t, 1, 6, recovery.Fast)
	for n := range 6 {
		ctx := &endsAfter{t.Context(), n}
		set, err := d.DeriveAll(ctx, codes)
		if !errors.Is(err, context.DeadlineExceeded) || !set.IsZero() {
			t.Errorf("ended after %d codes: zero %v, error %v", n, set.IsZero(), err)
		}
		if ctx.n != -1 {
			t.Errorf("ended after %d codes, yet looked at %d times more", n, -1-ctx.n)
		}
	}
	if _, err := d.DeriveAll(&endsAfter{t.Context(), 6}, codes); err != nil {
		t.Errorf("ended after the last code: %v", err)
	}
}
