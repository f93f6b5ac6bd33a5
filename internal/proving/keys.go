package proving

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/seam"
	"golang.org/x/crypto/bcrypt"
)

// Keys are a ring that bends, and that brings what a Guard draws and compares
// with. Set the fields while no Guard works with them.
type Keys struct {
	*keyring.Ring

	// Random is where every Guard over these keys draws from; nil stands for
	// crypto/rand.
	Random io.Reader

	// Bcrypt, unless it is nil, is called before each comparison with a hash
	// of another system.
	Bcrypt func()

	// Sealing and Opening, unless they are nil, are called before something is
	// sealed or opened. An error replaces it.
	Sealing func(scope, plaintext []byte) error
	Opening func(scope, sealed []byte) error

	// Opened, unless it is nil, changes what was opened.
	Opened func(scope, plaintext []byte) []byte
}

// Seam makes the keys the source of what their Guards draw and compare with.
func (k *Keys) Seam() seam.Seam {
	return seam.Seam{Random: source{k}, Bcrypt: func(hash, text []byte) error {
		if k.Bcrypt != nil {
			k.Bcrypt()
		}
		return bcrypt.CompareHashAndPassword(hash, text)
	}}
}

// A source draws from what stands in Random now.
type source struct{ keys *Keys }

func (s source) Read(b []byte) (int, error) {
	if s.keys.Random != nil {
		return s.keys.Random.Read(b)
	}
	return seam.Of(nil).Random.Read(b)
}

// Seal is [keyring.Ring.Seal], bent.
func (k *Keys) Seal(ctx context.Context, scope, binding, plaintext []byte) ([]byte, error) {
	if k.Sealing != nil {
		if err := k.Sealing(scope, plaintext); err != nil {
			return nil, err
		}
	}
	return k.Ring.Seal(ctx, scope, binding, plaintext)
}

// Open is [keyring.Ring.Open], bent.
func (k *Keys) Open(ctx context.Context, scope, binding, sealed []byte) ([]byte, error) {
	if k.Opening != nil {
		if err := k.Opening(scope, sealed); err != nil {
			return nil, err
		}
	}
	b, err := k.Ring.Open(ctx, scope, binding, sealed)
	if err != nil || k.Opened == nil {
		return b, err
	}
	return k.Opened(scope, b), nil
}

// Rotate returns the ring with a fresh key in front.
func (k *Kit) Rotate(id string) *keyring.Ring {
	k.t.Helper()
	ring, err := k.Keys.Rotate(id)
	k.Must(err)
	return ring
}

// Only returns a ring of the primary key alone.
func Only(t testing.TB, ring *keyring.Ring) *keyring.Ring {
	t.Helper()
	text, _, _ := strings.Cut(ring.Reveal(), ",")
	alone, err := keyring.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return alone
}
