package recovery_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// kept is codes as some version of this package packed them.
type kept struct {
	Name   string          `json:"name"`
	Scheme recovery.Scheme `json:"scheme"`
	Codes  []string        `json:"codes"`
	Packed hexBytes        `json:"packed"`
}

// keptCodes loads testdata/codes.json. There is no test without vectors.
func keptCodes(tb testing.TB) []kept {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "codes.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var list []kept
	if err := json.Unmarshal(b, &list); err != nil {
		tb.Fatal(err)
	}
	if len(list) == 0 {
		tb.Fatal("testdata/codes.json has no vectors")
	}
	return list
}

// list returns the codes one by one.
func list(c recovery.Codes) []recovery.Code { return slices.Collect(c.All()) }

func pack(tb testing.TB, c recovery.Codes) []byte {
	tb.Helper()
	b, err := c.AppendRevealed(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// join returns the codes of the texts.
func join(tb testing.TB, texts ...string) recovery.Codes {
	tb.Helper()
	var codes []recovery.Code
	for _, text := range texts {
		codes = append(codes, parse(tb, text))
	}
	joined, err := recovery.JoinCodes(codes...)
	if err != nil {
		tb.Fatal(err)
	}
	return joined
}

func TestJoinCodes(t *testing.T) {
	t.Parallel()
	for _, tt := range schemes {
		for _, n := range []int{1, recovery.MinCount - 1, recovery.MaxCount} {
			whole := generate(t, 12, recovery.MaxCount, tt.scheme)
			some := list(whole)[:n]
			slices.Reverse(some) // an order of the caller's own
			var want []string
			for _, code := range some {
				want = append(want, code.Reveal())
			}

			codes, err := recovery.JoinCodes(some...)
			if err != nil {
				t.Fatalf("%v, %d: %v", tt.scheme, n, err)
			}
			if codes.Len() != n || codes.Scheme() != tt.scheme || !slices.Equal(codes.Reveal(), want) {
				t.Errorf("%v, %d: joined as %d of %v: %q, want %q", tt.scheme, n, codes.Len(), codes.Scheme(), codes.Reveal(), want)
			}
			clear(some)
			if !slices.Equal(codes.Reveal(), want) {
				t.Errorf("%v, %d: the codes share the caller's slice", tt.scheme, n)
			}
		}
	}
}

func TestJoinCodesRefuses(t *testing.T) {
	t.Parallel()
	slow, fast := list(generate(t, 12, recovery.MaxCount, recovery.Argon2id)), list(generate(t, 12, 4, recovery.Fast))
	again := parse(t, slow[0].Reveal()) // the same code, and another value
	tests := []struct {
		name  string
		codes []recovery.Code
		want  error
	}{
		{"none", nil, recovery.ErrCount},
		{"33", append(slices.Clone(slow), parse(t, slowText)), recovery.ErrCount},
		{"one that is zero", []recovery.Code{{}}, recovery.ErrMalformed},
		{"zero among Argon2id", []recovery.Code{slow[0], {}, slow[1]}, recovery.ErrMalformed},
		{"zero before Fast", []recovery.Code{{}, fast[0]}, recovery.ErrMalformed},
		{"Fast among Argon2id", []recovery.Code{slow[0], slow[1], fast[0]}, recovery.ErrMalformed},
		{"Argon2id among Fast", []recovery.Code{fast[0], slow[0]}, recovery.ErrMalformed},
		{"the same value twice", []recovery.Code{slow[0], slow[0]}, recovery.ErrDuplicate},
		{"the same code twice", []recovery.Code{slow[0], slow[1], again}, recovery.ErrDuplicate},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			codes, err := recovery.JoinCodes(tt.codes...)
			if !errors.Is(err, tt.want) || codes.Len() != 0 {
				t.Errorf("%d codes, error %v; want %v", codes.Len(), err, tt.want)
			}
		})
	}
}

// What was packed and sealed once must be readable for ever, byte for byte and
// code for code, in both directions.
func TestGoldenCodes(t *testing.T) {
	t.Parallel()
	seen := map[recovery.Scheme]bool{}
	for _, v := range keptCodes(t) {
		seen[v.Scheme] = true
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			if got := pack(t, join(t, v.Codes...)); !bytes.Equal(got, v.Packed) {
				t.Errorf("the codes are packed as\n%x, and were once packed as\n%x", got, []byte(v.Packed))
			}
			codes, err := recovery.DecodeCodes(v.Packed)
			if err != nil {
				t.Fatal(err)
			}
			if codes.Scheme() != v.Scheme || !slices.Equal(codes.Reveal(), v.Codes) {
				t.Errorf("decoded as %v: %q, want %v: %q", codes.Scheme(), codes.Reveal(), v.Scheme, v.Codes)
			}
		})
	}
	for _, tt := range schemes {
		if !seen[tt.scheme] {
			t.Errorf("no vector of scheme %v", tt.scheme)
		}
	}
}

func TestCodesAppendRevealed(t *testing.T) {
	t.Parallel()
	for _, tt := range schemes {
		codes := generate(t, 12, 10, tt.scheme)
		want := codes.Reveal()
		plain := pack(t, codes)
		if len(plain) != 2+10*tt.bytes {
			t.Errorf("%v: %d bytes for 10 codes", tt.scheme, len(plain))
		}

		// It appends, whether or not there is room, and shares nothing.
		for _, room := range []int{0, 4096} {
			prefix := append(make([]byte, 0, 6+room), "before"...)
			b, err := codes.AppendRevealed(prefix)
			if err != nil || string(b[:6]) != "before" || !bytes.Equal(b[6:], plain) {
				t.Errorf("%v, room for %d: %q, %v", tt.scheme, room, b, err)
			}
			clear(b)
			if !bytes.Equal(pack(t, codes), plain) {
				t.Errorf("%v: changing the bytes changed the codes", tt.scheme)
			}
		}

		decoded, err := recovery.DecodeCodes(plain)
		if err != nil {
			t.Fatal(err)
		}
		clear(plain)
		if !slices.Equal(decoded.Reveal(), want) {
			t.Errorf("%v: the decoded codes are others, or keep the bytes they were read from", tt.scheme)
		}
	}

	b, err := recovery.Codes{}.AppendRevealed([]byte("before"))
	if !errors.Is(err, recovery.ErrCount) || string(b) != "before" {
		t.Errorf("the zero Codes appends %q, %v", b, err)
	}
}

// packed writes codes by hand, with nothing of the package under test: each has
// its number in its first byte, and zeros after it.
func packed(scheme, count byte, n, size int) []byte {
	b := []byte{scheme, count}
	for i := range n {
		code := make([]byte, size)
		code[0] = byte(i)
		b = append(b, code...)
	}
	return b
}

func TestDecodeCodesBounds(t *testing.T) {
	t.Parallel()
	// padded is two codes of Fast, with the last byte of the second as given.
	padded := func(last byte) []byte {
		b := packed(1, 2, 2, 17)
		b[len(b)-1] = last
		return b
	}
	tests := []struct {
		name string
		in   []byte
		ok   bool
	}{
		{"one code", packed(0, 1, 1, 10), true},
		{"one fast code", packed(1, 1, 1, 17), true},
		{"32 codes", packed(0, 32, 32, 10), true},
		{"32 fast codes", packed(1, 32, 32, 17), true},
		{"bits before the padding", padded(0b1100_0000), true},

		{"nil", nil, false},
		{"one byte", []byte{0}, false},
		{"unknown scheme", packed(2, 4, 4, 10), false},
		{"unknown scheme, longer", packed(2, 4, 4, 17), false},
		{"the last scheme there could be", packed(255, 4, 4, 10), false},
		{"no codes", packed(0, 0, 0, 10), false},
		{"no codes, with bytes", packed(0, 0, 1, 10), false},
		{"33 codes", packed(0, 33, 33, 10), false},
		{"255 codes", packed(1, 255, 255, 17), false},
		{"more than there are", packed(0, 5, 4, 10), false},
		{"fewer than there are", packed(0, 3, 4, 10), false},
		{"one byte over", append(packed(0, 4, 4, 10), 0), false},
		{"codes of the other scheme", packed(0, 4, 4, 17), false},
		{"codes of the other scheme, shorter", packed(1, 4, 4, 10), false},
		{"as many bytes, and another count", packed(0, 17, 10, 17), false}, // equal codes, all but one
		{"a code twice", append(packed(0, 3, 2, 10), make([]byte, 10)...), false},
		{"a fast code twice", append(packed(1, 3, 2, 17), make([]byte, 17)...), false},
		{"first bit of the padding", padded(0b0010_0000), false},
		{"last bit of the padding", padded(0b0000_0001), false},
		{"all bits of the padding", padded(0b0011_1111), false},
		{"text", []byte(slowText), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			codes, err := recovery.DecodeCodes(tt.in)
			if tt.ok {
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(pack(t, codes), tt.in) {
					t.Error("decoding and encoding changes the bytes")
				}
				return
			}
			if !errors.Is(err, recovery.ErrDamaged) || codes.Len() != 0 {
				t.Errorf("%d codes, error %v; want ErrDamaged", codes.Len(), err)
			}
		})
	}
}

// Every prefix of packed codes is damaged.
func TestDecodeCodesCutShort(t *testing.T) {
	t.Parallel()
	for _, tt := range schemes {
		whole := pack(t, generate(t, 12, 4, tt.scheme))
		for n := range whole {
			if _, err := recovery.DecodeCodes(whole[:n]); !errors.Is(err, recovery.ErrDamaged) {
				t.Fatalf("%v, the first %d of %d bytes: %v", tt.scheme, n, len(whole), err)
			}
		}
	}
}

// Bytes without end are refused before any of them is read. It counts the bytes
// that the process allocates, so nothing may run beside it.
func TestDecodeCodesHugeInputAllocatesNothing(t *testing.T) {
	huge := make([]byte, 64<<10)
	if _, err := io.ReadFull(stream(12), huge); err != nil {
		t.Fatal(err)
	}
	for _, tt := range schemes {
		for _, count := range []byte{recovery.MaxCount, 255} {
			huge[0], huge[1] = byte(tt.scheme), count
			n := allocated(func() {
				if _, err := recovery.DecodeCodes(huge); !errors.Is(err, recovery.ErrDamaged) {
					t.Errorf("%v, %d codes: error %v, want ErrDamaged", tt.scheme, count, err)
				}
			})
			if n > 64<<10 {
				t.Errorf("%v, %d codes: %d bytes were allocated", tt.scheme, count, n)
			}
		}
	}
}

// Codes that were kept are the codes of their set, and of its sheet.
func TestKeptCodesAreTheSetsCodes(t *testing.T) {
	t.Parallel()
	set, digests := newSet(t, 10)
	codes, err := recovery.DecodeCodes(pack(t, generate(t, 9, 10, recovery.Fast)))
	if err != nil {
		t.Fatal(err)
	}
	if want := generate(t, 9, 10, recovery.Fast).Sheet(recovery.Sheet{}); codes.Sheet(recovery.Sheet{}) != want {
		t.Errorf("the sheet is\n%s\nwant\n%s", codes.Sheet(recovery.Sheet{}), want)
	}
	again, err := set.Derivation().DeriveAll(t.Context(), codes)
	if err != nil || !bytes.Equal(encode(t, again), encode(t, set)) {
		t.Errorf("the set of the kept codes is another: %v", err)
	}
	for i := range digests {
		if got, err := again.Spend(digests[i], noon); got != i || err != nil {
			t.Errorf("code %d: %d, %v", i, got, err)
		}
	}
}

func FuzzDecodeCodes(f *testing.F) {
	for _, v := range keptCodes(f) {
		f.Add([]byte(v.Packed))
	}
	f.Add([]byte{})
	f.Add([]byte{1, 255})
	f.Add(packed(1, 2, 2, 17)[:30])
	f.Add(append(packed(0, 3, 2, 10), make([]byte, 10)...))
	f.Add(append(packed(1, 1, 1, 16), 1))
	f.Fuzz(func(t *testing.T, in []byte) {
		codes, err := recovery.DecodeCodes(in)
		if err != nil {
			if !errors.Is(err, recovery.ErrDamaged) || codes.Len() != 0 {
				t.Fatalf("%d codes, error %v", codes.Len(), err)
			}
			return
		}
		out, err := codes.AppendRevealed(nil)
		if err != nil || !bytes.Equal(in, out) {
			t.Fatalf("read from %x, packed as %x, %v", in, out, err)
		}
		// They are codes like any others: typed, they are what they were.
		var typed []recovery.Code
		for _, text := range codes.Reveal() {
			code, err := recovery.ParseCode(strings.ToLower(text))
			if err != nil || code.Reveal() != text || code.Scheme() != codes.Scheme() {
				t.Fatalf("%q of %v parses as %q: %v", text, codes.Scheme(), code.Reveal(), err)
			}
			typed = append(typed, code)
		}
		joined, err := recovery.JoinCodes(typed...)
		if err != nil || !slices.Equal(joined.Reveal(), codes.Reveal()) {
			t.Fatalf("joined again: %v", err)
		}
	})
}
