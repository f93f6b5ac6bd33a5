package recovery_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

var update = flag.Bool("update", false, "write testdata/sets.json and sheet.html anew; breaks every stored set if the first changes")

// A vector is a set as some version of this package stored it, with the
// randomness it was made from and the codes that were shown.
type vector struct {
	Name    string          `json:"name"`
	Scheme  recovery.Scheme `json:"scheme"`
	Salt    hexBytes        `json:"salt"`
	Random  hexBytes        `json:"random"`
	Count   int             `json:"count"`
	Spent   map[int]int64   `json:"spent"` // place to Unix seconds
	Codes   []string        `json:"codes"`
	Encoded hexBytes        `json:"encoded"`
}

type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// vectors loads testdata/sets.json. There is no test without vectors.
func vectors(tb testing.TB) []vector {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "sets.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var vs []vector
	if err := json.Unmarshal(b, &vs); err != nil {
		tb.Fatal(err)
	}
	if len(vs) == 0 {
		tb.Fatal("testdata/sets.json has no vectors")
	}
	return vs
}

// make builds the set of a vector from its randomness.
func (v vector) make(tb testing.TB) ([]string, recovery.Set) {
	tb.Helper()
	codes, err := recovery.Generate(bytes.NewReader(v.Random), v.Count, v.Scheme)
	if err != nil {
		tb.Fatal(err)
	}
	d, err := recovery.NewDerivation(bytes.NewReader(v.Salt), v.Scheme)
	if err != nil {
		tb.Fatal(err)
	}
	set, err := d.DeriveAll(tb.Context(), codes)
	if err != nil {
		tb.Fatal(err)
	}
	i := 0
	for code := range codes.All() {
		if at, ok := v.Spent[i]; ok {
			digest, err := d.Derive(code)
			if err != nil {
				tb.Fatal(err)
			}
			if _, err := set.Spend(digest, time.Unix(at, 0)); err != nil {
				tb.Fatal(err)
			}
		}
		i++
	}
	return codes.Reveal(), set
}

// What was stored once must be readable for ever, byte for byte and code for
// code, in both directions.
func TestGoldenSets(t *testing.T) {
	t.Parallel()
	if *update {
		vs := vectors(t)
		for i := range vs {
			codes, set := vs[i].make(t)
			vs[i].Codes, vs[i].Encoded = codes, encode(t, set)
		}
		b, err := json.MarshalIndent(vs, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("testdata", "sets.json"), append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	schemesSeen := map[recovery.Scheme]bool{}
	for _, v := range vectors(t) {
		schemesSeen[v.Scheme] = true
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			codes, made := v.make(t)
			if got := encode(t, made); !bytes.Equal(got, v.Encoded) {
				t.Errorf("the set is stored as\n%x, and was once stored as\n%x", got, []byte(v.Encoded))
			}
			for i := range codes {
				if codes[i] != v.Codes[i] {
					t.Errorf("code %d is %s, and once was %s", i, codes[i], v.Codes[i])
				}
			}

			set, err := recovery.DecodeSet(v.Encoded)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(encode(t, set), v.Encoded) {
				t.Error("decoding and encoding again changes the bytes")
			}
			if set.Derivation() != made.Derivation() || set.Len() != v.Count || set.Remaining() != v.Count-len(v.Spent) {
				t.Errorf("decoded %v with %v, want what was made: %v with %v", set, set.Derivation(), made, made.Derivation())
			}
			for i, text := range v.Codes {
				digest, err := set.Derivation().Derive(parse(t, text))
				if err != nil {
					t.Fatal(err)
				}
				var want error
				if at, ok := v.Spent[i]; ok {
					want = recovery.ErrSpent
					if !set.SpentAt(i).Equal(time.Unix(at, 0)) {
						t.Errorf("code %d was used at %v, want %v", i, set.SpentAt(i), time.Unix(at, 0).UTC())
					}
				}
				if got, err := set.Spend(digest, noon); got != i || !errors.Is(err, want) {
					t.Errorf("code %d: Spend = %d, %v; want %v", i, got, err, want)
				}
			}
		})
	}
	for _, tt := range schemes {
		if !schemesSeen[tt.scheme] {
			t.Errorf("no vector of scheme %v", tt.scheme)
		}
	}
}

func TestAppendBinary(t *testing.T) {
	t.Parallel()
	set, _ := newSet(t, 10)
	plain := encode(t, set)
	if len(plain) != 25+10*40 {
		t.Errorf("%d bytes for 10 codes", len(plain))
	}

	// It appends, whether or not there is room, and shares nothing.
	for _, room := range []int{0, 4096} {
		prefix := append(make([]byte, 0, 6+room), "before"...)
		b, err := set.AppendBinary(prefix)
		if err != nil || string(b[:6]) != "before" || !bytes.Equal(b[6:], plain) {
			t.Errorf("room for %d: %v", room, err)
		}
		clear(b)
		if !bytes.Equal(encode(t, set), plain) {
			t.Error("changing the bytes changed the set")
		}
	}

	decoded, err := recovery.DecodeSet(plain)
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(plain)
	clear(plain)
	if !bytes.Equal(encode(t, decoded), want) {
		t.Error("the decoded set keeps the bytes it was read from")
	}

	b, err := recovery.Set{}.AppendBinary([]byte("before"))
	if !errors.Is(err, recovery.ErrCount) || string(b) != "before" {
		t.Errorf("the zero Set appends %q, %v", b, err)
	}
}

func TestDecodeSetBounds(t *testing.T) {
	t.Parallel()
	sums := func(n int) [][32]byte {
		s := make([][32]byte, n)
		for i := range s {
			s[i][0] = byte(i + 1)
		}
		return s
	}
	salt := [16]byte{7}
	tests := []struct {
		name string
		in   []byte
		ok   bool
	}{
		{"fast", stored(1, 1, 0, 0, 0, salt, sums(10)), true},
		{"costs of new sets", stored(1, 0, 19456, 2, 1, salt, sums(10)), true},
		{"least costs", stored(1, 0, 8<<10, 1, 1, salt, sums(10)), true},
		{"highest costs", stored(1, 0, 256<<10, 10, 4, salt, sums(10)), true},
		{"one code", stored(1, 1, 0, 0, 0, salt, sums(1)), true},
		{"32 codes", stored(1, 1, 0, 0, 0, salt, sums(32)), true},
		{"earliest use", stored(1, 1, 0, 0, 0, salt, sums(4), 0, 1), true},
		{"latest use", stored(1, 1, 0, 0, 0, salt, sums(4), 253402300799), true},

		{"nil", nil, false},
		{"one byte", []byte{1}, false},
		{"version 0", stored(0, 1, 0, 0, 0, salt, sums(10)), false},
		{"version 2", stored(2, 1, 0, 0, 0, salt, sums(10)), false},
		{"unknown scheme", stored(1, 2, 0, 0, 0, salt, sums(10)), false},
		{"memory 0", stored(1, 0, 0, 2, 1, salt, sums(10)), false},
		{"memory below the least", stored(1, 0, 8<<10-1, 2, 1, salt, sums(10)), false},
		{"memory above the most", stored(1, 0, 256<<10+1, 2, 1, salt, sums(10)), false},
		{"passes 0", stored(1, 0, 19456, 0, 1, salt, sums(10)), false},
		{"passes above the most", stored(1, 0, 19456, 11, 1, salt, sums(10)), false},
		{"threads 0", stored(1, 0, 19456, 2, 0, salt, sums(10)), false},
		{"threads above the most", stored(1, 0, 19456, 2, 5, salt, sums(10)), false},
		{"fast with memory", stored(1, 1, 1, 0, 0, salt, sums(10)), false},
		{"fast with passes", stored(1, 1, 0, 1, 0, salt, sums(10)), false},
		{"fast with threads", stored(1, 1, 0, 0, 1, salt, sums(10)), false},
		{"no codes", stored(1, 1, 0, 0, 0, salt, nil), false},
		{"33 codes", stored(1, 1, 0, 0, 0, salt, sums(33)), false},
		{"255 codes", stored(1, 1, 0, 0, 0, salt, sums(255)), false},
		{"a negative time", stored(1, 1, 0, 0, 0, salt, sums(4), 0, 0, -1), false},
		{"the most negative time", stored(1, 1, 0, 0, 0, salt, sums(4), math.MinInt64), false},
		{"the year 10000", stored(1, 1, 0, 0, 0, salt, sums(4), 253402300800), false},
		{"a digest twice", stored(1, 1, 0, 0, 0, salt, [][32]byte{{1}, {2}, {1}}), false},
		{"one byte over", append(stored(1, 1, 0, 0, 0, salt, sums(10)), 0), false},
		{"one entry over", append(stored(1, 1, 0, 0, 0, salt, sums(10)), make([]byte, 40)...), false},
		{"text", []byte("recovery.Set(8 of 10 left)"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			set, err := recovery.DecodeSet(tt.in)
			if tt.ok {
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(encode(t, set), tt.in) {
					t.Error("decoding and encoding changes the bytes")
				}
				return
			}
			if !errors.Is(err, recovery.ErrDamaged) || !set.IsZero() {
				t.Errorf("zero %v, error %v; want ErrDamaged", set.IsZero(), err)
			}
		})
	}
}

// Every prefix of a stored set is damaged.
func TestDecodeSetCutShort(t *testing.T) {
	t.Parallel()
	set, _ := newSet(t, 4)
	whole := encode(t, set)
	for n := range whole {
		if _, err := recovery.DecodeSet(whole[:n]); !errors.Is(err, recovery.ErrDamaged) {
			t.Fatalf("the first %d of %d bytes: %v", n, len(whole), err)
		}
	}
}

// A record that asks for 4 GiB, or for years of work, is refused before any of
// it is allocated or done, by DecodeSet and by Derive for itself: a derivation
// takes at least its memory. The test counts the bytes that the process
// allocates, so nothing may run beside it.
func TestCase38_HostileCostsAllocateNothing(t *testing.T) {
	code := parse(t, slowText)
	tests := []struct {
		name            string
		memory          uint32
		passes, threads byte
	}{
		{"4 GiB", 4 << 20, 2, 1},
		{"4 TiB", math.MaxUint32, 2, 1},
		{"255 passes", 19456, 255, 1},
		{"255 lanes", 19456, 2, 255},
		{"no passes", 19456, 0, 1},
		{"no lanes", 19456, 2, 0},
		{"next to nothing", 8, 1, 1},
		{"nothing", 0, 0, 0},
	}
	for _, tt := range tests {
		in := stored(1, 0, tt.memory, tt.passes, tt.threads, [16]byte{1}, [][32]byte{{1}})
		n := allocated(func() {
			if set, err := recovery.DecodeSet(in); !errors.Is(err, recovery.ErrDamaged) || !set.IsZero() {
				t.Errorf("%s: DecodeSet: %v", tt.name, err)
			}
			hostile := recovery.HostileDerivation(recovery.Argon2id, tt.memory, tt.passes, tt.threads)
			if digest, err := hostile.Derive(code); !errors.Is(err, recovery.ErrDamaged) || !digest.IsZero() {
				t.Errorf("%s: Derive: %v", tt.name, err)
			}
		})
		if n > 64<<10 {
			t.Errorf("%s: %d bytes were allocated", tt.name, n)
		}
	}

	// A count is a request for memory too.
	in := stored(1, 1, 0, 0, 0, [16]byte{1}, nil)
	in[len(in)-1] = 255
	if n := allocated(func() { recovery.DecodeSet(in) }); n > 4<<10 {
		t.Errorf("255 codes: %d bytes were allocated", n)
	}

	// The measure itself: a derivation within bounds is seen.
	if n := allocated(func() { light(t).Derive(code) }); n < 8<<20 {
		t.Errorf("a derivation of 8 MiB was measured as %d bytes", n)
	}
}

// allocated returns how many bytes are allocated while f runs.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func FuzzDecodeSet(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add([]byte(v.Encoded))
	}
	f.Add([]byte{})
	f.Add(stored(1, 0, 4<<20, 2, 1, [16]byte{}, [][32]byte{{1}, {2}}))
	f.Add(stored(1, 1, 0, 0, 0, [16]byte{}, [][32]byte{{1}, {1}}, -1))
	f.Fuzz(func(t *testing.T, in []byte) {
		set, err := recovery.DecodeSet(in)
		if err != nil {
			if !errors.Is(err, recovery.ErrDamaged) || !set.IsZero() {
				t.Fatalf("zero %v, error %v", set.IsZero(), err)
			}
			return
		}
		out, err := set.AppendBinary(nil)
		if err != nil || !bytes.Equal(in, out) {
			t.Fatalf("read from %x, stored as %x, %v", in, out, err)
		}
		if set.Len() < 1 || set.Len() > recovery.MaxCount || set.Remaining() > set.Len() {
			t.Fatalf("%d codes, %d left", set.Len(), set.Remaining())
		}
		for i := range set.Len() {
			if _, err := set.SpentAt(i).MarshalText(); err != nil {
				t.Fatalf("SpentAt(%d): %v", i, err)
			}
		}
	})
}
