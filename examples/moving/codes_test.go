package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

func TestAddCodes(t *testing.T) {
	var u user
	u.addCodes([]string{"mzxw6ytb", "short", "mzxw6ytb"})
	if len(u.take.RecoveryHashes) != 1 || !slices.Equal(u.behind, []string{"recovery code 2: shorter than 6 characters"}) {
		t.Errorf("%d hashes, behind: %q", len(u.take.RecoveryHashes), u.behind)
	}
	for i := range enrollment.MaxImportedCodes {
		u.addCodes([]string{fmt.Sprintf("number-%d", i)})
	}
	if len(u.take.RecoveryHashes) != enrollment.MaxImportedCodes || len(u.behind) != 2 {
		t.Errorf("%d hashes, behind: %q", len(u.take.RecoveryHashes), u.behind)
	}
}
