// Package seam is how the tests of this module reach what a Guard draws and derives
// with, without an exported way for applications to replace it.
//
// A sealer brings a [Seam] if it has a method that returns one. Nobody outside
// of this module can write that method: its signature names a type of an
// internal package, which the go command lets nobody else import, and nothing
// that is exported has such a method to embed.
package seam

import (
	"crypto/rand"
	"io"

	"golang.org/x/crypto/bcrypt"
)

// A Seam is what a Guard uses and can't be configured. The zero value of each
// field stands for the real thing.
type Seam struct {
	// Random is where random bytes come from: crypto/rand.
	Random io.Reader

	// Bcrypt compares the hash of another system's recovery code with a text.
	// It returns nil if the two belong together.
	Bcrypt func(hash, text []byte) error
}

// Of returns what the sealer brings, and the real thing for what it does not.
func Of(sealer any) Seam {
	var s Seam
	if x, ok := sealer.(interface{ Seam() Seam }); ok {
		s = x.Seam()
	}
	if s.Random == nil {
		s.Random = rand.Reader
	}
	if s.Bcrypt == nil {
		s.Bcrypt = bcrypt.CompareHashAndPassword
	}
	return s
}
