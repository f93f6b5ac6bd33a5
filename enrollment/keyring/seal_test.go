package keyring_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r := ring(t, "a", "b")
	sealed, err := r.Seal(ctx, []byte("scope"), []byte("binding"), []byte("plaintext"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := r.Open(ctx, []byte("scope"), []byte("binding"), sealed); err != nil || string(plain) != "plaintext" {
		t.Fatalf("Open = %q, %v", plain, err)
	}
	if len(sealed) != len("plaintext")+2+len("a")+4+12+16 {
		t.Errorf("sealing added %d bytes", len(sealed)-len("plaintext"))
	}
	for name, parts := range map[string][2]string{
		"another scope": {"scopE", "binding"}, "another binding": {"scope", "bindinG"}, "moved": {"scopeb", "inding"}, "neither": {"", ""},
	} {
		if plain, err := r.Open(ctx, []byte(parts[0]), []byte(parts[1]), sealed); !errors.Is(err, keyring.ErrDamaged) || plain != nil {
			t.Errorf("%s: Open = %q, %v", name, plain, err)
		}
	}
	for i := range sealed {
		damaged := bytes.Clone(sealed)
		damaged[i] ^= 1
		if plain, err := r.Open(ctx, []byte("scope"), []byte("binding"), damaged); !errors.Is(err, keyring.ErrOpen) || plain != nil {
			t.Fatalf("byte %d flipped: Open = %q, %v", i, plain, err)
		}
		if plain, err := r.Open(ctx, []byte("scope"), []byte("binding"), sealed[:i]); !errors.Is(err, keyring.ErrOpen) || plain != nil {
			t.Fatalf("cut at %d: Open = %q, %v", i, plain, err)
		}
	}
	// What is no seal of this package names no key that could be missing.
	for name, b := range map[string][]byte{"nothing": nil, "one byte": sealed[:1], "another format": append([]byte{9}, sealed[1:]...)} {
		if _, err := r.Open(ctx, []byte("scope"), []byte("binding"), b); !errors.Is(err, keyring.ErrDamaged) {
			t.Errorf("%s: Open: %v", name, err)
		}
	}
	// The id selects the key: naming the other one does not open.
	renamed := bytes.Clone(sealed)
	renamed[2] = 'b'
	if _, err := r.Open(ctx, []byte("scope"), []byte("binding"), renamed); !errors.Is(err, keyring.ErrWrongKey) {
		t.Errorf("with another key's id: %v", err)
	}
	// Nor does it with the check value of the other one.
	other, err := r.Drop("a")
	if err != nil {
		t.Fatal(err)
	}
	under, err := other.Seal(ctx, []byte("scope"), []byte("binding"), []byte("plaintext"))
	if err != nil {
		t.Fatal(err)
	}
	copy(renamed[3:7], under[3:7])
	if _, err := r.Open(ctx, []byte("scope"), []byte("binding"), renamed); !errors.Is(err, keyring.ErrDamaged) {
		t.Errorf("with another key's id and check value: %v", err)
	}
	for _, n := range []byte{33, 127, 253, 254, 255} {
		if _, err := r.Open(ctx, nil, nil, append([]byte{1, n}, make([]byte, 40)...)); !errors.Is(err, keyring.ErrOpen) {
			t.Errorf("an id of %d bytes: %v", n, err)
		}
	}
}

// An operator who made a new key under the old id has lost the old one. To be
// told of damage would send him to the database.
func TestWrongKey(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	before, after := ring(t, "a"), mustNew(t, key(t, "a", secret(99)), key(t, "b", secret(1)))
	sealed, err := before.Seal(ctx, []byte("scope"), []byte("binding"), []byte("plaintext"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := after.Open(ctx, []byte("scope"), []byte("binding"), sealed)
	if !errors.Is(err, keyring.ErrWrongKey) || !errors.Is(err, keyring.ErrOpen) || plain != nil {
		t.Errorf("another key under the id: Open = %q, %v, want ErrWrongKey", plain, err)
	}
	for _, other := range []error{keyring.ErrDamaged, keyring.ErrUnknownKey} {
		if errors.Is(err, other) {
			t.Errorf("%v matches %v", err, other)
		}
	}
}

// What stands beside the id in clear depends on the key alone, and is no part of
// the key of any scope: a scope that is chosen to meet it gets another key.
func TestCheckValue(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	check := func(r *keyring.Ring, scope string) string {
		sealed, err := r.Seal(ctx, []byte(scope), nil, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		return string(sealed[3:7])
	}
	a := ring(t, "a")
	mac := hmac.New(sha256.New, secret('a'))
	mac.Write([]byte{2})
	want := string(mac.Sum(nil)[:4])
	for _, scope := range []string{"", "scope", "\x02", "\x01"} {
		if got := check(a, scope); got != want {
			t.Errorf("scope %q: check value %x, want %x", scope, got, want)
		}
	}
	if check(ring(t, "b"), "") == want {
		t.Error("two keys have one check value")
	}
	// The construction in the package documentation, by hand.
	sealed, err := a.Seal(ctx, []byte("scope"), []byte("bind"), []byte("plaintext"))
	if err != nil {
		t.Fatal(err)
	}
	mac.Reset()
	mac.Write([]byte("\x01scope"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	additional := "\x01\x01a" + want + "\x00\x00\x00\x04bind"
	if plain, err := aead.Open(nil, nil, sealed[7:], []byte(additional)); err != nil || string(plain) != "plaintext" {
		t.Errorf("opened by hand: %q, %v", plain, err)
	}
}

func TestSealsDiffer(t *testing.T) {
	t.Parallel()
	r := ring(t, "a")
	seen := make(map[string]bool)
	for range 1000 {
		sealed, err := r.Seal(t.Context(), nil, nil, nil)
		if err != nil || seen[string(sealed)] {
			t.Fatalf("sealed alike, %v", err)
		}
		seen[string(sealed)] = true
	}
}

// What hosts have sealed must stay readable: this file never changes.
func TestGolden(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/v1.hex")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := ring(t, "new", "2026a").Open(t.Context(), []byte("golden scope"), []byte("golden binding"), sealed)
	if err != nil || string(plain) != "sealed by version 1" {
		t.Errorf("Open = %q, %v", plain, err)
	}
}

func FuzzOpen(f *testing.F) {
	r := ring(f, "a")
	sealed, err := r.Seal(f.Context(), nil, nil, []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte{1, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		if plain, err := r.Open(t.Context(), []byte("s"), []byte("b"), b); err == nil {
			t.Fatalf("forged: %x", plain)
		}
	})
}

// A ring keeps the cipher that it derived last. It is never that of another
// scope, whatever was opened or sealed before, and by whom.
func TestScopesTakeTurns(t *testing.T) {
	t.Parallel()
	ring, err := keyring.Generate("k")
	if err != nil {
		t.Fatal(err)
	}
	scopes := [][]byte{[]byte("alice"), []byte("bobby"), []byte("alic"), nil, []byte("alicf")}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 200 {
				scope, other := scopes[i%len(scopes)], scopes[(i+1)%len(scopes)]
				sealed, err := ring.Seal(t.Context(), scope, nil, []byte("text"))
				if err != nil {
					t.Error(err)
					return
				}
				fresh, err := keyring.Parse(ring.Reveal()) // has derived nothing yet
				if err != nil {
					t.Error(err)
					return
				}
				for _, r := range []*keyring.Ring{fresh, ring} {
					if _, err := r.Open(t.Context(), other, nil, sealed); !errors.Is(err, keyring.ErrDamaged) {
						t.Errorf("in another scope: %v", err)
					}
					if b, err := r.Open(t.Context(), scope, nil, sealed); err != nil || string(b) != "text" {
						t.Errorf("%q, %v", b, err)
					}
				}
			}
		})
	}
	all.Wait()
}
