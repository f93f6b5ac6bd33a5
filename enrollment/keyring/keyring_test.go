package keyring_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
)

func secret(seed byte) []byte {
	b := make([]byte, keyring.KeySize)
	for i := range b {
		b[i] = seed + byte(i)
	}
	return b
}

func key(t testing.TB, id string, secret []byte) keyring.Key {
	t.Helper()
	k, err := keyring.NewKey(id, secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ring(t testing.TB, ids ...string) *keyring.Ring {
	t.Helper()
	var keys []keyring.Key
	for _, id := range ids {
		keys = append(keys, key(t, id, secret(id[len(id)-1])))
	}
	return mustNew(t, keys...)
}

func mustNew(t testing.TB, keys ...keyring.Key) *keyring.Ring {
	t.Helper()
	r, err := keyring.New(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	many := make([]keyring.Key, keyring.MaxKeys+1)
	for i := range many {
		many[i] = key(t, fmt.Sprint("k", i), secret(byte(i)))
	}
	for name, keys := range map[string][]keyring.Key{
		"none":           {},
		"too many":       many,
		"the zero Key":   {many[0], {}},
		"an id twice":    {many[0], key(t, "k0", secret(99))},
		"a secret twice": {many[0], key(t, "other", secret(0))},
	} {
		if r, err := keyring.New(keys...); !errors.Is(err, keyring.ErrKeys) || r != nil {
			t.Errorf("%s: New = %v, %v", name, r, err)
		}
	}
	if _, err := keyring.New(many[:keyring.MaxKeys]...); err != nil {
		t.Errorf("as many keys as there may be: %v", err)
	}
}

func TestNewKeyRefuses(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]struct {
		id     string
		secret []byte
	}{
		"an empty id":        {"", secret(1)},
		"a long id":          {strings.Repeat("a", keyring.MaxID+1), secret(1)},
		"a capital in an id": {"Key", secret(1)},
		"a colon in an id":   {"a:b", secret(1)},
		"no secret":          {"a", nil},
		"a short secret":     {"a", secret(1)[:31]},
		"a long secret":      {"a", append(secret(1), 1)},
		"a secret of zeros":  {"a", make([]byte, 32)},
	} {
		if k, err := keyring.NewKey(bad.id, bad.secret); !errors.Is(err, keyring.ErrKeys) || k.ID() != "" {
			t.Errorf("%s: NewKey = %v, %v", name, k, err)
		}
	}
	if k := key(t, "a-b_9", secret(1)); k.ID() != "a-b_9" {
		t.Errorf("id %q", k.ID())
	}
}

func TestNewCopies(t *testing.T) {
	t.Parallel()
	s := secret(1)
	r, err := keyring.New(key(t, "a", s))
	if err != nil {
		t.Fatal(err)
	}
	before := r.Reveal()
	s[0]++
	if r.Reveal() != before {
		t.Error("changing what was handed in changed the ring")
	}
}

func TestRevealAndParse(t *testing.T) {
	t.Parallel()
	r := ring(t, "2026b", "2026a")
	text := r.Reveal()
	again, err := keyring.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if again.Reveal() != text || strings.Join(again.IDs(), " ") != "2026b 2026a" {
		t.Errorf("parsed and formatted: %v", again.IDs())
	}
	if _, err := keyring.Parse(" \n" + strings.ReplaceAll(text, ",", " ,\r\n\t") + "\n"); err != nil {
		t.Errorf("with white space: %v", err)
	}
	canary := base64.RawURLEncoding.EncodeToString(secret(1))
	for name, bad := range map[string]string{
		"nothing":          "",
		"commas":           ",,",
		"no id":            canary,
		"an empty id":      ":" + canary,
		"padded":           "a:" + canary + "=",
		"standard base64":  "a:" + strings.Repeat("+", 43),
		"too short":        "a:" + canary[:42],
		"trailing bits":    "a:" + canary[:42] + "9",
		"two on one":       "a:" + canary + ":" + canary,
		"a good and a bad": "a:" + canary + ",b",
		"twice the same":   "a:" + canary + ",b:" + canary,
		"a megabyte":       strings.Repeat("a:"+canary+",", 1<<15),
	} {
		r, err := keyring.Parse(bad)
		if !errors.Is(err, keyring.ErrKeys) || r != nil {
			t.Errorf("%s: Parse = %v, %v", name, r, err)
		} else if strings.Contains(err.Error(), canary[:8]) {
			t.Errorf("%s: the error quotes the key: %v", name, err)
		}
	}
}

// A person who sets an environment variable is told what is wrong with it. One that is
// not set reads as "".
func TestParseSaysWhy(t *testing.T) {
	t.Parallel()
	ring, err := keyring.Generate("a")
	if err != nil {
		t.Fatal(err)
	}
	for text, why := range map[string]string{
		"": "empty", " \n": "empty", ",,": "empty",
		"secret": "form id:secret", ring.Reveal() + ",secret": "key 2",
		"a:!": "base64url",
		ring.Reveal() + strings.Repeat(" ", 1<<16): "longer",
	} {
		if _, err := keyring.Parse(text); !errors.Is(err, keyring.ErrKeys) || !strings.Contains(err.Error(), why) {
			t.Errorf("Parse(%.100q) = %v, want it to say %q", text, err, why)
		}
	}
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	a, err := keyring.Generate("k")
	if err != nil {
		t.Fatal(err)
	}
	b, err := keyring.Generate("k")
	if err != nil {
		t.Fatal(err)
	}
	if a.Reveal() == b.Reveal() {
		t.Error("the same key twice")
	}
	if _, err := keyring.Generate("not an id"); !errors.Is(err, keyring.ErrKeys) {
		t.Error(err)
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	old := ring(t, "a")
	sealed, err := old.Seal(t.Context(), nil, nil, []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := old.Rotate("b")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(r.IDs(), " "); got != "b a" {
		t.Fatalf("ids %q", got)
	}
	if plain, err := r.Open(t.Context(), nil, nil, sealed); err != nil || string(plain) != "hello" {
		t.Errorf("the old key does not open: %q, %v", plain, err)
	}
	resealed, err := r.Seal(t.Context(), nil, nil, []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Open(t.Context(), nil, nil, resealed); !errors.Is(err, keyring.ErrUnknownKey) || !errors.Is(err, keyring.ErrOpen) {
		t.Errorf("the new primary does not seal: %v", err)
	}
	if _, err := r.Rotate("a"); !errors.Is(err, keyring.ErrKeys) {
		t.Errorf("an id twice: %v", err)
	}
}

// A key that is dropped is gone, and the others stay in their order.
func TestDrop(t *testing.T) {
	t.Parallel()
	all := ring(t, "c", "b", "a")
	sealed, err := ring(t, "b").Seal(t.Context(), nil, nil, []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{"a": "c b", "b": "c a", "c": "b a"} {
		r, err := all.Drop(id)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(r.IDs(), " "); got != want {
			t.Errorf("without %s: %q, want %q", id, got, want)
		}
		_, err = r.Open(t.Context(), nil, nil, sealed)
		if errors.Is(err, keyring.ErrUnknownKey) != (id == "b") {
			t.Errorf("without %s: %v", id, err)
		}
	}
	if got := strings.Join(all.IDs(), " "); got != "c b a" {
		t.Errorf("Drop has changed its ring: %q", got)
	}
	for name, drop := range map[string]func() (*keyring.Ring, error){
		"no such key":  func() (*keyring.Ring, error) { return all.Drop("d") },
		"the only one": func() (*keyring.Ring, error) { return ring(t, "a").Drop("a") },
		"of nothing":   func() (*keyring.Ring, error) { return (*keyring.Ring)(nil).Drop("a") },
	} {
		if r, err := drop(); r != nil || !errors.Is(err, keyring.ErrKeys) {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}

func TestZeroRing(t *testing.T) {
	t.Parallel()
	for _, r := range []*keyring.Ring{nil, {}} {
		if _, err := r.Seal(t.Context(), nil, nil, nil); !errors.Is(err, keyring.ErrKeys) {
			t.Errorf("Seal = %v", err)
		}
		sealed, _ := ring(t, "a").Seal(t.Context(), nil, nil, nil)
		if _, err := r.Open(t.Context(), nil, nil, sealed); !errors.Is(err, keyring.ErrUnknownKey) {
			t.Errorf("Open = %v", err)
		}
		if r.Reveal() != "" || r.IDs() != nil {
			t.Error("the zero ring has keys")
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(ring(f, "a", "b").Reveal())
	f.Add("a:" + base64.RawURLEncoding.EncodeToString(secret(7)) + " \n")
	f.Add("a:,b")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := keyring.Parse(text)
		if err != nil {
			if r != nil {
				t.Fatal("a ring comes with the error")
			}
			return
		}
		again, err := keyring.Parse(r.Reveal())
		if err != nil || again.Reveal() != r.Reveal() {
			t.Fatalf("not stable: %v", err)
		}
	})
}
