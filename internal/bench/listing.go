package bench

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A Listing is what it took to list a Crew.
type Listing struct {
	Accounts int
	Took     time.Duration
	Peak     int64 // bytes of the heap in use at the highest, above what there was before
}

// Each returns what one account took.
func (l Listing) Each() time.Duration { return l.Took / time.Duration(max(1, l.Accounts)) }

// List lists every account by Directory.All, and opens all of them. The heap is
// looked at every hundred accounts, garbage included.
func (c *Crew) List(ctx context.Context) (Listing, error) {
	runtime.GC()
	before := heap()
	var l Listing
	start := time.Now()
	for m, err := range c.Directory.All(ctx, enrollment.Filter{}) {
		if err != nil {
			return l, err
		}
		if m.Status.State != store.Confirmed || m.Status.CodesTotal != 10 {
			return l, fmt.Errorf("%s is %v with %d recovery codes", m.UserID, m.Status.State, m.Status.CodesTotal)
		}
		if l.Accounts++; l.Accounts%100 == 0 {
			l.Peak = max(l.Peak, heap()-before)
		}
	}
	l.Took = time.Since(start)
	if l.Accounts != c.Size {
		return l, fmt.Errorf("%d accounts were listed, want %d", l.Accounts, c.Size)
	}
	return l, nil
}

// heap returns the bytes of the heap that objects occupy, dead ones included
// until they are swept.
func heap() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}
