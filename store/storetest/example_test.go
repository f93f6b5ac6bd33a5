package storetest_test

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

// The one test that a host writes for a store of its own. Here memory.New
// stands for what opens it: on a real database, a fresh table or schema each
// time, removed with t.Cleanup.
func Example() {
	TestMyStore := func(t *testing.T) {
		storetest.Run(t, func(*testing.T) store.Store {
			return memory.New()
		})
	}

	_ = TestMyStore // go test finds it
	// Output:
}
