package account_test

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// TestCase76_BoundsOf32Bits: where an int has 32 bits, 1<<31 is negative and
// 2<<31 is 0, so that hashes of bcrypt that take days to compare were taken for
// cheap ones. It says something under GOARCH=386.
func TestCase76_BoundsOf32Bits(t *testing.T) {
	t.Parallel()
	for cost := 15; cost <= 31; cost++ {
		var list []account.ImportedCode
		for n := range account.MaxImported {
			list = append(list, bcryptCode(cost, byte(n)))
			if err := account.CheckImported(list); err == nil {
				t.Errorf("%d of cost %d are taken over", n+1, cost)
			}
		}
	}
}
