package redisstore

import (
	"container/list"
	"sync"
)

// doubts are the writes of this Store that the replicas have not confirmed. The Guard looks
// for such a write at once, and would take it for stored if the master has it.
type doubts struct {
	mu    sync.Mutex
	at    map[doubt]*list.Element
	order list.List // of doubt, the oldest first
}

// A doubt is a version of a record, or 0 for a record that was erased.
type doubt struct {
	userID  string
	version int64
}

// maxDoubts bounds the memory for doubts. The oldest is forgotten first: the Guard has
// looked for it long ago, because there are never more at a time than there are callers.
const maxDoubts = 10_000

func newDoubts() *doubts { return &doubts{at: make(map[doubt]*list.Element)} }

func (d *doubts) add(x doubt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remove(x) // it is the latest again
	if len(d.at) == maxDoubts {
		d.remove(d.order.Front().Value.(doubt))
	}
	d.at[x] = d.order.PushBack(x)
}

// about returns the place of the doubt, or nil without a doubt. Each add makes a new place.
func (d *doubts) about(x doubt) *list.Element {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at[x]
}

// settle forgets the doubt at that place. One that was added again since then stays: the
// record can be erased, created and erased once more meanwhile.
func (d *doubts) settle(at *list.Element) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if x := at.Value.(doubt); d.at[x] == at {
		d.remove(x)
	}
}

// remove forgets a doubt, if there is such a one. The caller holds the lock.
func (d *doubts) remove(x doubt) {
	if at, doubted := d.at[x]; doubted {
		d.order.Remove(at)
		delete(d.at, x)
	}
}
