package enrollment_test

import (
	"fmt"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// No more failures are named than somebody reads, and all are counted.
func TestFailuresAreBounded(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	for i := range 103 {
		k.EnrollAll(fmt.Sprintf("user-%03d", i))
	}
	stranger, err := keyring.Generate("stranger")
	if err != nil {
		t.Fatal(err)
	}
	_, dir := k.Another(k.Store, stranger)
	done, err := dir.Reseal(t.Context(), enrollment.ResealOptions{})
	if f := done.Failed; err != nil || f.Total != 103 || len(f.First) != 100 || f.First[99].UserID != "user-099" {
		t.Errorf("%d failures, %d of them named, %v", f.Total, len(f.First), err)
	}
}
