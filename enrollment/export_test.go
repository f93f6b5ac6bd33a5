package enrollment

import "io"

// Reasons returns how many reasons there are.
func Reasons() int { return len(reasons) }

// SetRandom gives the Guard another source of randomness.
func (g *Guard) SetRandom(r io.Reader) { g.random = r }
