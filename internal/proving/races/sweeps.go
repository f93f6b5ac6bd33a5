package races

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Many sweepers at once do each thing once.
func TestSweepRace(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.AutoReset = true })
	var ids []string
	for i := range 30 {
		ids = append(ids, fmt.Sprintf("user-%02d", i))
	}
	for _, c := range k.EnrollAll(ids...) {
		c.AskReset()
	}
	for i := range 30 {
		k.Begin(fmt.Sprintf("new-%02d", i), enrollment.BeginOptions{})
	}
	k.Told()
	k.Pass(3 * 24 * time.Hour)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var sum enrollment.Swept
	for range 4 {
		dir := k.DirectoryOf(k.Node(), k.Store)
		wg.Go(func() {
			got, err := dir.Sweep(t.Context())
			mu.Lock()
			defer mu.Unlock()
			if err != nil || got.Failed.Total != 0 {
				t.Error(got.Failed, err)
			}
			sum.Seen += got.Seen
			sum.Expired += got.Expired
			sum.Completed += got.Completed
			sum.Delivered += got.Delivered
		})
	}
	wg.Wait()
	if sum.Seen != 60 || sum.Expired != 30 || sum.Completed != 30 || sum.Delivered != 30 {
		t.Errorf("together they swept %+v", sum)
	}
	if got := k.Told(); len(got) != 30 {
		t.Errorf("%d events were told of, want 30", len(got))
	}
}

// Sweeping beside people who sign in and enrol loses nothing of either.
func TestSweepBesideTraffic(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	var ids []string
	for i := range 12 {
		ids = append(ids, fmt.Sprintf("user-%02d", i))
	}
	all := k.EnrollAll(ids...)
	for _, c := range all {
		k.Begin(c.ID, enrollment.BeginOptions{Proof: enrollment.ByCode(c.Code())})
	}
	k.Pass(15 * time.Minute)
	var wg sync.WaitGroup
	for _, c := range all {
		wg.Go(func() {
			for i := range 5 {
				if _, err := k.Guard.Verify(t.Context(), c.ID, "x", c.Codes[i]); err != nil {
					t.Error(c.ID, err)
				}
			}
		})
	}
	dir := k.Directory()
	for range 10 {
		if got, err := dir.Sweep(t.Context()); err != nil || got.Failed.Total != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	}
	wg.Wait()
	for _, id := range ids {
		if status, err := k.Guard.Status(t.Context(), id); err != nil || status.CodesLeft != 5 || !status.SetupExpires.IsZero() {
			t.Errorf("%s: %+v, %v", id, status, err)
		}
	}
}
