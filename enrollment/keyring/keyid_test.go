package keyring_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
)

// What is sealed names its key, to a ring that has the key and to one that has
// not.
func TestKeyID(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", keyring.MaxID)
	for _, id := range []string{"a", "z", "0", "9", "2026-b_1", long} {
		ring, err := keyring.Generate(id)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := ring.Seal(t.Context(), []byte("scope"), nil, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		rotated, err := ring.Rotate("other")
		if err != nil {
			t.Fatal(err)
		}
		stranger, err := keyring.Generate("stranger")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []*keyring.Ring{ring, rotated, stranger, {}, nil} {
			if got, err := r.KeyID(sealed); got != id || err != nil {
				t.Errorf("KeyID = %q, %v, want %q", got, err, id)
			}
		}
		if ring.PrimaryID() != id || rotated.PrimaryID() != "other" {
			t.Errorf("the primary keys are %q and %q", ring.PrimaryID(), rotated.PrimaryID())
		}
	}
	for _, none := range []*keyring.Ring{{}, nil} {
		if id := none.PrimaryID(); id != "" {
			t.Errorf("no keys have the primary key %q", id)
		}
	}
}

func TestKeyIDOfNothing(t *testing.T) {
	t.Parallel()
	ring, err := keyring.Generate("a")
	if err != nil {
		t.Fatal(err)
	}
	for name, sealed := range map[string]string{
		"empty":          "",
		"too short":      "\x01",
		"another format": "\x02\x01a",
		"no id":          "\x01\x00",
		"cut off":        "\x01\x05abc",
		"not an id":      "\x01\x03A=1",
		"too long":       "\x01\x21" + strings.Repeat("k", 33),
	} {
		if id, err := ring.KeyID([]byte(sealed)); id != "" || !errors.Is(err, keyring.ErrDamaged) || !errors.Is(err, keyring.ErrOpen) {
			t.Errorf("%s: %q, %v", name, id, err)
		}
	}
}
