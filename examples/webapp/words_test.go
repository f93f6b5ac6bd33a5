package main

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Every reason and event of the library has words. This fails if a later version
// adds one, or if a change to the words leaves something out.
func TestEveryReasonHasWords(t *testing.T) {
	t.Parallel()
	for tag, l := range languages {
		if err := l.Check(); err != nil {
			t.Errorf("%s: %v", tag, err)
		}
	}
}

// A lock on the security page says the same as the denial of a code.
func TestLockInWords(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	if got := languages["en"].lock(enrollment.Lock{Factor: enrollment.FactorTOTP, Until: now.Add(time.Minute)}, now); !strings.Contains(got, "Wait 1 minute") {
		t.Errorf("%q", got)
	}
	if got := languages["en"].lock(enrollment.Lock{Factor: enrollment.FactorTOTP}, now); !strings.Contains(got, "turned off. Use a recovery code") {
		t.Errorf("%q", got)
	}
}
