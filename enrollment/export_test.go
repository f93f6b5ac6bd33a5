package enrollment

import "io"

// SetRandom gives the Guard another source of randomness.
func (g *Guard) SetRandom(r io.Reader) { g.random = r }
