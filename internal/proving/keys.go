package proving

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
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
	// crypto/rand. That of a Kit is the same in each run.
	Random io.Reader

	// Bcrypt, unless it is nil, is called before each comparison with a hash
	// of another system.
	Bcrypt func()

	// Sealing and Opening, unless they are nil, are called before something is
	// sealed or opened. An error replaces it.
	Sealing func(scope, plaintext []byte) error
	Opening func(scope, sealed []byte) error

	// Sealed and Opened, unless they are nil, change what was sealed or opened.
	Sealed func(sealed []byte) []byte
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

// draws are drawn alike in each run of a test. Once in a million times, two codes of an app
// that follow each other are the same; so a test meets them always or never.
type draws struct {
	mu  sync.Mutex
	rng *rand.ChaCha8
}

// drawn counts the draws of each test, by its name.
var drawn struct {
	sync.Mutex
	by map[string]int
}

func newDraws(t testing.TB) *draws {
	drawn.Lock()
	defer drawn.Unlock()
	if drawn.by == nil {
		drawn.by = make(map[string]int)
	}
	drawn.by[t.Name()]++
	seed := sha256.Sum256(fmt.Appendf(nil, "%s/%d", t.Name(), drawn.by[t.Name()]))
	return &draws{rng: rand.NewChaCha8(seed)}
}

func (d *draws) Read(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.Read(b)
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
	b, err := k.Ring.Seal(ctx, scope, binding, plaintext)
	if err != nil || k.Sealed == nil {
		return b, err
	}
	return k.Sealed(b), nil
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
