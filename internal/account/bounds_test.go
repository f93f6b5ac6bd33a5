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

// A version is any number that can be one, but for the one before, whatever is
// drawn.
func TestVersion(t *testing.T) {
	t.Parallel()
	const most = 7
	for prev := int64(0); prev <= most; prev++ {
		for drawn := range byte(255) {
			var m account.Moment
			m.Fresh[47] = drawn
			v := m.Version(prev, most)
			if v < 1 || v > most || v == prev {
				t.Fatalf("%d after %d", v, prev)
			}
			if low := int64(drawn & most); low != 0 && low != prev && v != low {
				t.Errorf("%d was drawn, and %d taken", low, v)
			}
		}
	}
	var m account.Moment
	for i := range m.Fresh {
		m.Fresh[i] = 0xff
	}
	if v := m.Version(0, 1<<53-1); v != 1<<53-1 {
		t.Errorf("of all ones version %b is made", v)
	}
}
