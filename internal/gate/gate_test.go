package gate_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/gate"
)

func TestSlotsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(2)
		var (
			mu            sync.Mutex
			running, most int
			all           sync.WaitGroup
		)
		count := func(n int) {
			mu.Lock()
			defer mu.Unlock()
			running += n
			most = max(most, running)
		}
		for range 20 {
			all.Go(func() {
				done, err := g.Slot(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				defer done()
				count(1)
				time.Sleep(time.Second)
				count(-1)
			})
		}
		all.Wait()
		if most != 2 {
			t.Errorf("at most %d ran at once, want 2", most)
		}
	})
}

func TestBulkLeavesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(4)
		for range 10 {
			go func() {
				done, err := g.BulkSlot(t.Context())
				if err != nil {
					return // the test is over
				}
				time.Sleep(time.Hour)
				done()
			}()
		}
		synctest.Wait()
		start := time.Now()
		done, err := g.Slot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done()
		if waited := time.Since(start); waited != 0 {
			t.Errorf("a single derivation waited %v behind bulk work", waited)
		}
		time.Sleep(20 * time.Hour)
	})
}

func TestBulkOnOneSlot(t *testing.T) {
	g := gate.New(0)
	done, err := g.BulkSlot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Slot(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Slot with an ended context = %v", err)
	}
	done()
	if done, err = g.Slot(t.Context()); err != nil {
		t.Fatal(err)
	}
	done()
}

// A caller that gives up while waiting must give back what it holds already.
func TestBulkGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(1)
		done, err := g.Slot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.BulkSlot(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("BulkSlot = %v", err)
		}
		done()
		if done, err = g.BulkSlot(t.Context()); err != nil {
			t.Fatal(err)
		}
		done()
	})
}

func TestTurnsOfAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(8)
		done, err := g.Turn(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		other, err := g.Turn(t.Context(), "bob")
		if err != nil {
			t.Fatal(err)
		}
		other()

		got := make(chan error, 2)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			_, err := g.Turn(ctx, "alice")
			got <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-got; !errors.Is(err, context.Canceled) {
			t.Errorf("Turn of a caller that gave up = %v", err)
		}

		go func() {
			done, err := g.Turn(t.Context(), "alice")
			if err == nil {
				done()
			}
			got <- err
		}()
		synctest.Wait()
		if len(got) != 0 {
			t.Error("two callers have the turn of one account")
		}
		done()
		if err := <-got; err != nil {
			t.Error(err)
		}
		if n := gate.Waiting(g); n != 0 {
			t.Errorf("%d turns are left behind", n)
		}
	})
}
