//go:build go1.26

package fips

import "crypto/fips140"

// Exempts says whether this release of Go can make exceptions.
const Exempts = true

// Enforced reports whether algorithms that are not approved are refused here
// and now: not inside WithoutEnforcement.
func Enforced() bool { return fips140.Enforced() }

// WithoutEnforcement runs f, and while it runs, nothing is refused to this
// goroutine and to those that f starts. Keep f small.
func WithoutEnforcement(f func()) { fips140.WithoutEnforcement(f) }
