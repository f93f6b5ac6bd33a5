package redisstore

import (
	"sync"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// doubts are the writes of this process that the replicas have not confirmed. The Guard
// looks for such a write at once, and would take it for stored if the master has it.
type doubts struct {
	mu  sync.Mutex
	all map[doubt]struct{}
}

// A doubt is a version of a record.
type doubt struct {
	userID  string
	version int64
}

// maxDoubts bounds the memory for doubts. An old one is worth nothing, because the Guard
// has looked long ago: there are never more at a time than there are callers.
const maxDoubts = 10_000

func newDoubts() *doubts { return &doubts{all: make(map[doubt]struct{})} }

func (d *doubts) add(r store.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for old := range d.all {
		if len(d.all) < maxDoubts {
			break
		}
		delete(d.all, old)
	}
	d.all[doubt{r.UserID, r.Version}] = struct{}{}
}

func (d *doubts) about(r store.Record) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, doubted := d.all[doubt{r.UserID, r.Version}]
	return doubted
}

func (d *doubts) settle(r store.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.all, doubt{r.UserID, r.Version})
}
