//go:build !go1.26

package fips

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- to see whether it is refused
	"sync"
)

// Exempts says whether this release of Go can make exceptions.
const Exempts = false

// Enforced reports whether algorithms that are not approved are refused.
func Enforced() bool { return enforced() }

// Go 1.25 does not say whether it enforces. What this library would be refused
// is HMAC-SHA-1, so that is tried. It is decided when the program starts.
var enforced = sync.OnceValue(func() (refused bool) {
	defer func() { refused = recover() != nil }()
	hmac.New(sha1.New, make([]byte, sha1.Size))
	return false
})

// WithoutEnforcement runs f. It makes no exception, since Go 1.25 knows none:
// what is refused otherwise is refused to f.
func WithoutEnforcement(f func()) { f() }
