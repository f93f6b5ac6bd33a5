package etcdstore_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// BenchmarkSignIn is SignIn and Answer on three nodes that share this machine, by one
// caller and by many.
func BenchmarkSignIn(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			_, s := open(b, newPrefix(), shared(b).nodes...)
			var people []*proving.Person
			for i := range callers {
				// Each has a clock of their own, as each sign-in needs another code.
				people = append(people, proving.Over(b, s).Enroll(fmt.Sprint("user-", i)))
			}
			var left atomic.Int64
			left.Store(int64(b.N))
			var all sync.WaitGroup
			b.ResetTimer()
			for _, p := range people {
				all.Go(func() {
					for left.Add(-1) >= 0 {
						p.Kit.NextCode(p.Key)
						if _, err := p.Answer(p.Code()); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sign-ins/s")
		})
	}
}
