package redisstore

import (
	"container/list"
	"sync"
)

// doubts are the writes of this Store that the replicas have not confirmed, or not yet. If the
// wait fails, the Guard looks for the write at once, and would take it for stored if the master
// has it. Other callers may look while it waits.
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

// add returns the place of the doubt, and whether there was one about the same already.
func (d *doubts) add(x doubt) (at *list.Element, again bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	again = d.remove(x) // it is the latest now
	if len(d.at) == maxDoubts {
		d.remove(d.order.Front().Value.(doubt))
	}
	at = d.order.PushBack(x)
	d.at[x] = at
	return at, again
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
func (d *doubts) remove(x doubt) (done bool) {
	at, done := d.at[x]
	if done {
		d.order.Remove(at)
		delete(d.at, x)
	}
	return done
}
