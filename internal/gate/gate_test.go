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
				done, _, err := g.Slot(t.Context())
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

// bulkSlot takes a slot for many derivations.
func bulkSlot(ctx context.Context, g *gate.Gate) (done func(), waited bool, err error) {
	leave, waited, err := g.Bulk(ctx)
	if err != nil {
		return nil, waited, err
	}
	free, longer, err := g.Slot(ctx)
	if err != nil {
		leave()
		return nil, waited || longer, err
	}
	return func() { free(); leave() }, waited || longer, nil
}

func TestBulkLeavesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(4)
		for range 10 {
			go func() {
				done, _, err := bulkSlot(t.Context(), g)
				if err != nil {
					return // the test is over
				}
				time.Sleep(time.Hour)
				done()
			}()
		}
		synctest.Wait()
		start := time.Now()
		done, waited, err := g.Slot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done()
		if took := time.Since(start); waited || took != 0 {
			t.Errorf("a single derivation waited %v behind bulk work", took)
		}
		time.Sleep(20 * time.Hour)
	})
}

func TestBulkOnOneSlot(t *testing.T) {
	g := gate.New(0)
	done, waited, err := bulkSlot(t.Context(), g)
	if err != nil || waited {
		t.Fatalf("waited: %t, %v", waited, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := g.Slot(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Slot with an ended context = %v", err)
	}
	done()
	if done, waited, err = g.Slot(t.Context()); err != nil || waited {
		t.Fatalf("waited: %t, %v", waited, err)
	}
	done()
}

// Who gives up while waiting takes nothing. Leave for bulk work is no slot.
func TestBulkIsNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(1)
		leave, _, err := g.Bulk(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done, waited, err := g.Slot(t.Context())
		if err != nil || waited {
			t.Fatalf("waited: %t, %v", waited, err)
		}
		done()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, waited, err := g.Bulk(ctx); !errors.Is(err, context.DeadlineExceeded) || !waited {
			t.Fatalf("waited: %t, %v", waited, err)
		}
		leave()
		if leave, waited, err = g.Bulk(t.Context()); err != nil || waited {
			t.Fatalf("waited: %t, %v", waited, err)
		}
		leave()
	})
}

// A caller who had to wait is told so: what it knew may be out of date.
func TestWaitingIsReported(t *testing.T) {
	waits := map[string]func(ctx context.Context, g *gate.Gate) (func(), bool, error){
		"a slot":          func(ctx context.Context, g *gate.Gate) (func(), bool, error) { return g.Slot(ctx) },
		"a bulk slot":     bulkSlot,
		"a turn":          func(ctx context.Context, g *gate.Gate) (func(), bool, error) { return g.Turn(ctx, "alice") },
		"any of the bulk": bulkSlot,
		"leave":           func(ctx context.Context, g *gate.Gate) (func(), bool, error) { return g.Bulk(ctx) },
	}
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slots := 1
				if name == "any of the bulk" {
					slots = 2 // of which bulk work gets one
				}
				g := gate.New(slots)
				first, waited, err := wait(t.Context(), g)
				if err != nil || waited {
					t.Fatalf("the first waited: %t, %v", waited, err)
				}
				second := make(chan bool, 1)
				go func() {
					done, waited, err := wait(t.Context(), g)
					if err != nil {
						t.Error(err)
						second <- false
						return
					}
					done()
					second <- waited
				}()
				synctest.Wait()
				first()
				if !<-second {
					t.Error("the second had to wait, and was not told")
				}
				done, waited, err := wait(t.Context(), g)
				if err != nil || waited {
					t.Fatalf("the third waited: %t, %v", waited, err)
				}
				done()
			})
		})
	}
}

// Who only tries is not kept waiting, and does not overtake those who do.
func TestTryTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(1)
		first, ok := g.TryTurn("alice")
		if !ok {
			t.Fatal("nobody had the turn")
		}
		if _, ok := g.TryTurn("alice"); ok {
			t.Error("two callers have the turn of one account")
		}
		if done, ok := g.TryTurn("bob"); ok {
			done()
		} else {
			t.Error("accounts stand in each other's way")
		}
		second := make(chan func(), 1)
		go func() {
			done, _, err := g.Turn(t.Context(), "alice")
			if err != nil {
				t.Error(err)
			}
			second <- done
		}()
		synctest.Wait()
		first()
		if _, ok := g.TryTurn("alice"); ok {
			t.Error("somebody who waited was overtaken")
		}
		(<-second)()
		if done, ok := g.TryTurn("alice"); ok {
			done()
		} else {
			t.Error("the turn was not given back")
		}
		if n := gate.Waiting(g); n != 0 {
			t.Errorf("%d turns are left behind", n)
		}
	})
}

func TestTurnsOfAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(8)
		done, _, err := g.Turn(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		other, _, err := g.Turn(t.Context(), "bob")
		if err != nil {
			t.Fatal(err)
		}
		other()

		got := make(chan error, 2)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			_, _, err := g.Turn(ctx, "alice")
			got <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-got; !errors.Is(err, context.Canceled) {
			t.Errorf("Turn of a caller that gave up = %v", err)
		}

		go func() {
			done, _, err := g.Turn(t.Context(), "alice")
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
