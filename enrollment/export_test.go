package enrollment

import "io"

// SetRandom gives the Guard another source of randomness.
func (g *Guard) SetRandom(r io.Reader) { g.random = r }

// Hint is what a Status shows of an address.
func Hint(to string) string { return hint(to) }

// CountBcrypt has every comparison with a bcrypt hash of another system told to
// f.
func (g *Guard) CountBcrypt(f func()) {
	compare := g.bcrypt
	g.bcrypt = func(hash, text []byte) error {
		f()
		return compare(hash, text)
	}
}
