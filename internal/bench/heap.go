package bench

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

// heap returns the bytes of the heap that objects occupy, dead ones included
// until they are swept.
func heap() int64 { return metric("/memory/classes/heap/objects:bytes") }

// liveHeap returns the bytes of the heap that were in use at the last collection.
func liveHeap() int64 { return metric("/gc/heap/live:bytes") }

func metric(name string) int64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// watchHeap looks at the heap every few milliseconds. The function that it returns
// ends that, and returns how much it was at the most, less what there was before.
func watchHeap() (end func() int64) {
	runtime.GC()
	before := heap()
	var peak int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			peak = max(peak, heap()-before)
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	})
	return func() int64 { close(stop); wg.Wait(); return peak }
}
