package redisstore

import (
	"container/list"
	"sync"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// doubts are the writes of this process that the replicas have not confirmed. The Guard
// looks for such a write at once, and would take it for stored if the master has it.
type doubts struct {
	mu    sync.Mutex
	at    map[doubt]*list.Element
	order list.List // of doubt, the oldest first
}

// A doubt is a version of a record.
type doubt struct {
	userID  string
	version int64
}

// maxDoubts bounds the memory for doubts. The oldest is forgotten first: the Guard has
// looked for it long ago, because there are never more at a time than there are callers.
const maxDoubts = 10_000

func newDoubts() *doubts { return &doubts{at: make(map[doubt]*list.Element)} }

func (d *doubts) add(r store.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remove(doubt{r.UserID, r.Version}) // it is the latest again
	if len(d.at) == maxDoubts {
		d.remove(d.order.Front().Value.(doubt))
	}
	d.at[doubt{r.UserID, r.Version}] = d.order.PushBack(doubt{r.UserID, r.Version})
}

func (d *doubts) about(r store.Record) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, doubted := d.at[doubt{r.UserID, r.Version}]
	return doubted
}

func (d *doubts) settle(r store.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remove(doubt{r.UserID, r.Version})
}

// remove forgets a doubt, if there is such a one. The caller holds the lock.
func (d *doubts) remove(x doubt) {
	if at, doubted := d.at[x]; doubted {
		d.order.Remove(at)
		delete(d.at, x)
	}
}
