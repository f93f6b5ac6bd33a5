package memory

import (
	"slices"
	"strings"
	"sync"
)

// maxBlock is how many keys a block of the index holds before it is split.
const maxBlock = 512

// index is a set of keys in ascending order, cut into blocks so that neither
// inserting nor listing touches all of them. The zero index is empty. It is
// safe for concurrent use.
type index struct {
	mu     sync.RWMutex
	blocks [][]string // ascending, none empty
}

// block returns the number of the block that holds key or would have to: the
// last one that does not begin behind it. The index must not be empty.
func (x *index) block(key string) int {
	i, found := slices.BinarySearchFunc(x.blocks, key, func(b []string, key string) int {
		return strings.Compare(b[0], key)
	})
	if !found && i > 0 {
		i--
	}
	return i
}

// insert adds the key.
func (x *index) insert(key string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.blocks) == 0 {
		x.blocks = append(x.blocks, []string{key})
		return
	}
	n := x.block(key)
	b := x.blocks[n]
	i, found := slices.BinarySearch(b, key)
	if found {
		return
	}
	b = slices.Insert(b, i, key)
	x.blocks[n] = b
	if len(b) > maxBlock {
		half := len(b) / 2
		x.blocks[n] = b[:half:half]
		x.blocks = slices.Insert(x.blocks, n+1, slices.Clone(b[half:]))
	}
}

// remove takes the key out.
func (x *index) remove(key string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.blocks) == 0 {
		return
	}
	n := x.block(key)
	i, found := slices.BinarySearch(x.blocks[n], key)
	if !found {
		return
	}
	x.blocks[n] = slices.Delete(x.blocks[n], i, i+1)
	if len(x.blocks[n]) == 0 {
		x.blocks = slices.Delete(x.blocks, n, n+1)
	}
}

// after returns a copy of some keys that follow the given one, which need not
// be in the index, beginning with the next; none if it was the last.
func (x *index) after(key string) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if len(x.blocks) == 0 {
		return nil
	}
	n := x.block(key)
	i, found := slices.BinarySearch(x.blocks[n], key)
	if found {
		i++
	}
	if i < len(x.blocks[n]) {
		return slices.Clone(x.blocks[n][i:])
	}
	if n+1 < len(x.blocks) {
		return slices.Clone(x.blocks[n+1])
	}
	return nil
}
