package bench

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A Listing is what it took to list a Crew.
type Listing struct {
	Accounts int
	Took     time.Duration
	Peak     int64 // bytes of the heap in use at a collection, at the most, above what there was before
}

// Each returns what one account took.
func (l Listing) Each() time.Duration { return l.Took / time.Duration(max(1, l.Accounts)) }

// List lists every account by Directory.All, and opens all of them.
func (c *Crew) List(ctx context.Context) (Listing, error) {
	return c.list(c.Directory.All(ctx, enrollment.Filter{}))
}

// ListMembers lists every account by Directory.Members, which asks Directory.Statuses
// for a thousand at a time. The ids come one by one, as from a query of the host.
func (c *Crew) ListMembers(ctx context.Context) (Listing, error) {
	return c.list(c.Directory.Members(ctx, func(yield func(string) bool) {
		for i := range c.Size {
			if !yield(c.id(i)) {
				return
			}
		}
	}))
}

// list goes over the members. The heap is looked at every hundred accounts.
func (c *Crew) list(members iter.Seq2[enrollment.Member, error]) (Listing, error) {
	runtime.GC()
	before := liveHeap()
	var l Listing
	start := time.Now()
	for m, err := range members {
		if err == nil {
			err = c.check(m)
		}
		if err != nil {
			return l, err
		}
		if l.Accounts++; l.Accounts%100 == 0 {
			l.Peak = max(l.Peak, liveHeap()-before)
		}
	}
	l.Took = time.Since(start)
	if l.Accounts != c.Size {
		return l, fmt.Errorf("%d accounts were listed, want %d", l.Accounts, c.Size)
	}
	return l, nil
}
