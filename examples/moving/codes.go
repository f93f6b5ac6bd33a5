package main

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// addCodes adds recovery codes that the old system has in clear, by their SHA-256.
// MOVING.md says when a slower hash is better.
func (u *user) addCodes(codes []string) {
	for i, code := range codes {
		sum := sha256.Sum256([]byte(code))
		u.addHash(fmt.Sprintf("recovery code %d", i+1), len(code) >= 6, "shorter than 6 characters", sum[:])
	}
}

// addHash adds the hash of a recovery code if it fits, or says why it stays behind.
func (u *user) addHash(which string, fits bool, whyNot string, hash []byte) {
	switch {
	case slices.Contains(u.hashes, string(hash)):
		// the same code twice is one code
	case len(u.take.RecoveryHashes) == enrollment.MaxImportedCodes:
		u.leave("%s: more than %d", which, enrollment.MaxImportedCodes)
	case !fits:
		u.leave("%s: %s", which, whyNot)
	default:
		u.hashes = append(u.hashes, string(hash))
		u.take.RecoveryHashes = append(u.take.RecoveryHashes, enrollment.RecoveryHashOf(hash))
	}
}
