package recovery_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// schemes is what tests of both schemes range over.
var schemes = []struct {
	scheme  recovery.Scheme
	symbols int
	bits    int
	bytes   int // drawn for one code
}{
	{recovery.Argon2id, 16, 80, 10},
	{recovery.Fast, 26, 130, 17},
}

// stream returns an endless reader of random bytes that is the same in every
// run: tests of randomness must not flake.
func stream(seed byte) io.Reader {
	return rand.NewChaCha8([32]byte{seed})
}

func generate(tb testing.TB, seed byte, n int, s recovery.Scheme) recovery.Codes {
	tb.Helper()
	codes, err := recovery.Generate(stream(seed), n, s)
	if err != nil {
		tb.Fatal(err)
	}
	return codes
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	for _, tt := range schemes {
		for _, n := range []int{0, recovery.MinCount, recovery.DefaultCount, recovery.MaxCount} {
			want := n
			if n == 0 {
				want = recovery.DefaultCount
			}
			codes, err := recovery.Generate(nil, n, tt.scheme)
			if err != nil {
				t.Fatalf("%v, %d: %v", tt.scheme, n, err)
			}
			texts := codes.Reveal()
			if codes.Len() != want || len(texts) != want || codes.Scheme() != tt.scheme {
				t.Errorf("%v, %d: %d codes of scheme %v", tt.scheme, n, len(texts), codes.Scheme())
			}
			seen := map[string]bool{}
			i := 0
			for code := range codes.All() {
				if code.Scheme() != tt.scheme || code.Reveal() != texts[i] || seen[texts[i]] {
					t.Errorf("%v, %d: code %d is not as it should be", tt.scheme, n, i)
				}
				for k, group := range strings.Split(texts[i], "-") {
					if len(group) != 4 && (k != 6 || len(group) != 2) {
						t.Errorf("%v: group %d has %d symbols", tt.scheme, k, len(group))
					}
				}
				parsed, err := recovery.ParseCode(texts[i])
				if err != nil || parsed.Reveal() != texts[i] {
					t.Errorf("%v: code %d does not parse: %v", tt.scheme, i, err)
				}
				seen[texts[i]] = true
				i++
			}
		}
	}
}

func TestGenerateRefuses(t *testing.T) {
	t.Parallel()
	broken := errors.New("the source is broken")
	tests := []struct {
		name   string
		random io.Reader
		n      int
		scheme recovery.Scheme
		want   error
	}{
		{"negative", nil, -1, recovery.Fast, recovery.ErrCount},
		{"one", nil, 1, recovery.Fast, recovery.ErrCount},
		{"below the least", nil, recovery.MinCount - 1, recovery.Argon2id, recovery.ErrCount},
		{"above the most", nil, recovery.MaxCount + 1, recovery.Argon2id, recovery.ErrCount},
		{"far above the most", nil, math.MaxInt, recovery.Argon2id, recovery.ErrCount},
		{"no such scheme", nil, 10, 2, recovery.ErrScheme},
		{"failing reader", iotest.ErrReader(broken), 10, recovery.Argon2id, broken},
		{"reader that fails late", io.MultiReader(io.LimitReader(stream(1), 95), iotest.ErrReader(broken)), 10, recovery.Argon2id, broken},
		{"empty reader", strings.NewReader(""), 10, recovery.Argon2id, io.EOF},
		{"one byte short", io.LimitReader(stream(1), 99), 10, recovery.Argon2id, io.ErrUnexpectedEOF},
		{"one byte short, fast", io.LimitReader(stream(1), 169), 10, recovery.Fast, io.ErrUnexpectedEOF},
		{"all zeros", repeating{0}, 10, recovery.Argon2id, recovery.ErrDuplicate},
		{"all ones", repeating{0xff}, 10, recovery.Fast, recovery.ErrDuplicate},
		{"the same ten bytes again", bytes.NewReader(bytes.Repeat([]byte("0123456789"), 10)), 10, recovery.Argon2id, recovery.ErrDuplicate},
		{"the first code again", io.MultiReader(io.LimitReader(stream(1), 30), io.LimitReader(stream(1), 10)), recovery.MinCount, recovery.Argon2id, recovery.ErrDuplicate},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			codes, err := recovery.Generate(tt.random, tt.n, tt.scheme)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if codes.Len() != 0 {
				t.Errorf("%d codes beside the error", codes.Len())
			}
		})
	}
}

// One code after another from NewCode is what Generate draws at once.
func TestNewCode(t *testing.T) {
	t.Parallel()
	for _, tt := range schemes {
		random := &counting{r: stream(3)}
		for i, want := range generate(t, 3, 10, tt.scheme).Reveal() {
			code, err := recovery.NewCode(random, tt.scheme)
			if err != nil || code.Reveal() != want || code.Scheme() != tt.scheme {
				t.Errorf("%v: code %d is %q of %v, %v; want %q", tt.scheme, i, code.Reveal(), code.Scheme(), err, want)
			}
			if random.n != (i+1)*tt.bytes {
				t.Errorf("%v: %d bytes were drawn for %d codes", tt.scheme, random.n, i+1)
			}
		}

		seen := map[string]bool{}
		for range 100 {
			code, err := recovery.NewCode(nil, tt.scheme)
			if err != nil || code.IsZero() || code.Scheme() != tt.scheme || seen[code.Reveal()] {
				t.Fatalf("%v: zero %v, scheme %v, repeated %v, %v", tt.scheme, code.IsZero(), code.Scheme(), seen[code.Reveal()], err)
			}
			seen[code.Reveal()] = true
		}
	}
}

func TestNewCodeRefuses(t *testing.T) {
	t.Parallel()
	broken := errors.New("the source is broken")
	tests := []struct {
		name   string
		random io.Reader
		scheme recovery.Scheme
		want   error
	}{
		{"no such scheme", nil, 2, recovery.ErrScheme},
		{"no such scheme, no such source", iotest.ErrReader(broken), 255, recovery.ErrScheme},
		{"failing reader", iotest.ErrReader(broken), recovery.Argon2id, broken},
		{"empty reader", strings.NewReader(""), recovery.Fast, io.EOF},
		{"one byte short", io.LimitReader(stream(1), 9), recovery.Argon2id, io.ErrUnexpectedEOF},
		{"one byte short, fast", io.LimitReader(stream(1), 16), recovery.Fast, io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, err := recovery.NewCode(tt.random, tt.scheme)
			if !errors.Is(err, tt.want) || !code.IsZero() {
				t.Errorf("zero %v, error %v; want %v", code.IsZero(), err, tt.want)
			}
		})
	}
}

// repeating yields one byte for ever.
type repeating struct{ b byte }

func (r repeating) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.b
	}
	return len(p), nil
}

func TestGenerateReadsInSmallPieces(t *testing.T) {
	t.Parallel()
	whole := generate(t, 3, 10, recovery.Fast)
	pieces, err := recovery.Generate(iotest.OneByteReader(stream(3)), 10, recovery.Fast)
	if err != nil || !slices.Equal(whole.Reveal(), pieces.Reveal()) {
		t.Errorf("a reader that yields one byte at a time makes other codes (%v)", err)
	}
}

// The bytes drawn must cover the entropy that a code is said to have, and every
// one of those bits must make a difference: symbols are the bits, five by five.
func TestCase21_EntropyDrawn(t *testing.T) {
	t.Parallel()
	for _, tt := range schemes {
		const n = recovery.MinCount
		counter := &counting{r: stream(7)}
		codes, err := recovery.Generate(counter, n, tt.scheme)
		if err != nil {
			t.Fatal(err)
		}
		if counter.n*8 < n*tt.bits {
			t.Errorf("%v: %d bytes were drawn for %d bits", tt.scheme, counter.n, n*tt.bits)
		}

		drawn := make([]byte, n*tt.bytes)
		if _, err := io.ReadFull(stream(7), drawn); err != nil {
			t.Fatal(err)
		}
		for i, text := range codes.Reveal() {
			number := new(big.Int).SetBytes(drawn[i*tt.bytes : (i+1)*tt.bytes])
			number.Rsh(number, uint(tt.bytes*8-tt.bits))
			var want []byte
			for k := range tt.symbols {
				if k%4 == 0 && k > 0 {
					want = append(want, '-')
				}
				five := new(big.Int).Rsh(number, uint(tt.bits-5*(k+1))).Uint64() & 31
				want = append(want, crockford[five])
			}
			if text != string(want) {
				t.Errorf("%v: code %d is %s, but its bits say %s", tt.scheme, i, text, want)
			}
		}

		// Turn each bit around that is said to count.
		for bit := range tt.bits {
			other := bytes.Clone(drawn)
			other[bit/8] ^= 0x80 >> (bit % 8)
			changed, err := recovery.Generate(bytes.NewReader(other), n, tt.scheme)
			if err != nil {
				t.Fatal(err)
			}
			if changed.Reveal()[0] == codes.Reveal()[0] {
				t.Errorf("%v: bit %d makes no difference", tt.scheme, bit)
			}
		}
	}
}

type counting struct {
	r io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// At every position each symbol must be as likely as any other. Pearson's
// chi-square over 32 symbols has 31 degrees of freedom; 82.9 is exceeded with a
// probability of 1e-6. The stream is fixed, so this passes always or never.
func TestCase21_UniformPerPosition(t *testing.T) {
	t.Parallel()
	const (
		sets  = 400
		codes = sets * recovery.MaxCount
		limit = 82.9
	)
	for _, tt := range schemes {
		counts := make([][256]int, tt.symbols)
		random := stream(21)
		for range sets {
			c, err := recovery.Generate(random, recovery.MaxCount, tt.scheme)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range c.Reveal() {
				for i, b := range []byte(strings.ReplaceAll(text, "-", "")) {
					counts[i][b]++
				}
			}
		}
		for i := range counts {
			const expected = float64(codes) / 32
			chi, total := 0.0, 0
			for _, b := range []byte(crockford) {
				d := float64(counts[i][b]) - expected
				chi += d * d / expected
				total += counts[i][b]
			}
			if total != codes {
				t.Errorf("%v, position %d: symbols outside the alphabet", tt.scheme, i)
			}
			if chi > limit {
				t.Errorf("%v, position %d: chi-square %.1f exceeds %.1f", tt.scheme, i, chi, limit)
			}
		}
	}
}

func TestRevealIsAFreshSlice(t *testing.T) {
	t.Parallel()
	codes := generate(t, 1, 4, recovery.Argon2id)
	first := codes.Reveal()
	want := first[0]
	first[0] = "changed"
	if codes.Reveal()[0] != want {
		t.Error("changing what Reveal returned changed the codes")
	}
}

func TestAllStops(t *testing.T) {
	t.Parallel()
	n := 0
	for range generate(t, 1, 4, recovery.Argon2id).All() {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d codes after a break at 2", n)
	}
}

func TestZeroCodes(t *testing.T) {
	t.Parallel()
	var c recovery.Codes
	if c.Len() != 0 || len(c.Reveal()) != 0 || c.Scheme() != recovery.Argon2id {
		t.Errorf("zero Codes: Len %d, Reveal %v, Scheme %v", c.Len(), c.Reveal(), c.Scheme())
	}
	for range c.All() {
		t.Error("the zero Codes yields a code")
	}
}
