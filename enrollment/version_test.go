package enrollment_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A slow node, which has loaded an account that is erased meanwhile, does not
// overwrite the new one, whatever the clock shows: here always the same.
func TestSlowNodeUnderAFrozenClock(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Begin("alice", enrollment.BeginOptions{})
	entered, release := k.Store.Stall(proving.Save)
	slow := make(chan error, 1)
	go func() {
		_, err := k.Guard.Begin(context.Background(), "alice", enrollment.BeginOptions{Account: "slow", Proof: enrollment.ByReauth("password")})
		slow <- err
	}()
	<-entered
	k.Must(k.Guard.Admin("root", "gone").Erase(t.Context(), "alice"))
	k.Begin("alice", enrollment.BeginOptions{})
	fresh := k.Record("alice")
	kept := false
	k.Store.Nth(proving.Load, 1, func(context.Context, *proving.Call) { // after the conflict
		now := k.Record("alice")
		kept = now.Version == fresh.Version && bytes.Equal(now.Data, fresh.Data)
	})
	release()
	if err := <-slow; err != nil || !kept {
		t.Errorf("the new account was overwritten: %t; the slow node: %v", !kept, err)
	}
}

// Versions say nothing about how often an account was written, nor when.
func TestVersionsAreRandom(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	var ones, zeros int64
	seen := make(map[int64]bool)
	for range 128 {
		alice.Trust("laptop")
		v := k.Record("alice").Version
		if v < 1 || v > store.MaxVersion || seen[v] {
			t.Fatalf("version %d, seen before: %t", v, seen[v])
		}
		seen[v] = true
		ones |= v
		zeros |= ^v & store.MaxVersion
	}
	if ones != store.MaxVersion || zeros != store.MaxVersion {
		t.Errorf("of their bits %b are ever set, and %b ever clear", ones, zeros)
	}
}
