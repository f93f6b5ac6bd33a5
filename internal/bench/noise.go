package bench

import (
	"math/rand/v2"
	"sync"
)

// noise is random bytes that are no secret. The zero noise is ready, and safe for
// concurrent use: each caller draws from a generator of its own.
type noise struct{ pool sync.Pool }

func (n *noise) read(p []byte) {
	r, ok := n.pool.Get().(*rand.ChaCha8)
	if !ok {
		r = rand.NewChaCha8([32]byte{byte(rand.Int()), byte(rand.Int()), byte(rand.Int()), byte(rand.Int())})
	}
	r.Read(p)
	n.pool.Put(r)
}
