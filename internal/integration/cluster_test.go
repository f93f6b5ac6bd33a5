package integration_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/long"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

// TestCluster kills a master of a Redis cluster in the middle of sign-ins, setups and
// guesses, and counts what is lost. WAIT narrows the gap; with a single replica for each
// master, no other one can be chosen.
func TestCluster(t *testing.T) {
	t.Parallel()
	for name, replicas := range map[string]int{"with WAIT": 1, "without WAIT": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if replicas == 0 {
				long.OnlyInSieges(t)
			}
			what := "Redis cluster, " + name
			cluster, open := testenv.RedisCluster(t, replicas)
			wrong := beaten(t, what, open, cluster.FailOver)
			y := tallied(t, what, open(), cluster.FailOver, 0)
			judge(t, replicas == 0, wrong, y)
		})
	}
}

// TestClusterWithoutReplicas cuts the replicas off and uses a code. The master has the write,
// and a Guard that took it for stored would let the code in: then the master dies, and with
// what its replica has, the code works again.
func TestClusterWithoutReplicas(t *testing.T) {
	t.Parallel()
	cluster, open := testenv.CalmRedisCluster(t, 1)
	s := open()
	kit := proving.Over(t, s)
	alice := kit.Enroll("alice")
	kit.Pass(time.Hour)
	verify := func() error {
		_, err := kit.Guard.Verify(t.Context(), "alice", "test", kit.Code(alice.Key))
		return err
	}
	cluster.Split()
	for range 2 {
		err := verify()
		if !errors.Is(err, redisstore.ErrReplicas) || proving.ReasonOf(err) != proving.Fault {
			t.Errorf("Verify while the replicas are cut off = %v, want ErrReplicas", err)
		}
	}
	cluster.Heal()
	err := verify()
	for proving.ReasonOf(err) == proving.Fault && t.Context().Err() == nil {
		err = verify() // what was on its way arrives
	}
	if proving.ReasonOf(err) != enrollment.ReasonReplayed {
		t.Errorf("Verify with the replicas back = %v, want Replayed", err)
	}
}

// TestMasterCutOff has a master that is alone on its side of a split. It goes on accepting writes
// for a while, and loses all of them when its replica takes over on the other side.
func TestMasterCutOff(t *testing.T) {
	t.Parallel()
	for name, replicas := range map[string]int{"without WAIT": 0, "with WAIT": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster, open := testenv.CalmRedisCluster(t, 1) // each Save before the split waits for the replica
			everywhere := open()
			kit := proving.Over(t, everywhere)
			carol := kit.Enroll("carol") // at the master that will be alone
			kit.Pass(time.Hour)
			accepted := 0
			verify := func(g *enrollment.Guard) error {
				_, err := g.Verify(t.Context(), "carol", "test", kit.Code(carol.Key))
				if err == nil {
					accepted++
				}
				return err
			}
			client, err := cluster.Isolate(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			alone, err := redisstore.New(client, redisstore.Options{Replicas: replicas, WaitTimeout: 100 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			err = verify(kit.NodeOver(alone, kit.Keys))
			t.Logf("by the master that is alone: %v", err)
			if wait := replicas > 0; wait != errors.Is(err, redisstore.ErrReplicas) || !wait && err != nil {
				t.Errorf("Verify by a master that is alone = %v, want ErrReplicas: %t", err, wait)
			}
			var acknowledged []string
			for i := range 30 { // some of them belong to other masters
				friend := fmt.Sprint("friend-", i)
				if err := alone.Save(t.Context(), record(friend, 1), 0); err == nil {
					acknowledged = append(acknowledged, friend)
				}
			}
			if err := cluster.Overrule(t.Context()); err != nil {
				t.Fatal(err)
			}
			// With WAIT, a Save whose replica is slow is an error, and has used the code all the same.
			others := cluster.Client(goredis.ClusterOptions{ContextTimeoutEnabled: true})
			t.Cleanup(func() { others.Close() })
			there, err := redisstore.New(others, redisstore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			g := kit.NodeOver(there, kit.Keys)
			if err := server.Until(t.Context(), func() error {
				if err = verify(g); proving.ReasonOf(err) == proving.Fault {
					return err
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			t.Logf("after the failover: %v; %d other writes were acknowledged", err, len(acknowledged))
			if want := 2 - replicas; accepted != want {
				t.Errorf("the code was accepted %d times, want %d", accepted, want)
			}
			if (len(acknowledged) > 0) == (replicas > 0) {
				t.Errorf("%d writes were acknowledged", len(acknowledged))
			}
			for _, friend := range acknowledged {
				if _, err := everywhere.Load(t.Context(), friend); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("Load(%q) = %v, want ErrNotFound", friend, err)
				}
			}
		})
	}
}

// TestErasedWithoutReplicas cuts the replicas off and erases an account. Nobody is told that
// it is gone, because its master dies, and the replica has the account.
func TestErasedWithoutReplicas(t *testing.T) {
	t.Parallel()
	cluster, open := testenv.CalmRedisCluster(t, 1)
	s := open()
	kit := proving.Over(t, s)
	kit.Enroll("carol") // at the master that FailOver kills
	cluster.Split()
	if err := s.Erase(t.Context(), "carol"); !errors.Is(err, redisstore.ErrReplicas) {
		t.Errorf("Erase while the replicas are cut off = %v, want ErrReplicas", err)
	}
	if err := kit.Guard.Admin("root", "leaving").Erase(t.Context(), "carol"); !errors.Is(err, redisstore.ErrReplicas) {
		t.Errorf("Erase once more, by the Guard = %v, want ErrReplicas", err)
	}
	if err := cluster.FailOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), "carol"); err != nil {
		t.Errorf("Load after the failover = %v, want the account", err)
	}
}

// TestSlotMoves moves a group of users to another master, key by key. A store may fail
// meanwhile, and never says that a user is not there who is, or the other way round, or that
// the record is another one. What it lists is complete, while others come and go, and it
// lists before and after.
func TestSlotMoves(t *testing.T) {
	t.Parallel()
	for name, replicas := range map[string]int{"without WAIT": 0, "with WAIT": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slotMoves(t, replicas)
		})
	}
}

func slotMoves(t *testing.T, replicas int) {
	cluster, open := testenv.CalmRedisCluster(t, replicas)
	s := open()
	// Of each, six users, two strangers and two visitors: those that belong to the group of
	// the slot, and those that do not.
	var users, strangers, visitors []string
	of := map[bool]int{}
	for i := 0; of[true] < 10 || of[false] < 10; i++ {
		h, id := fnv.New32a(), fmt.Sprintf("user-%03d", i)
		h.Write([]byte(id))
		moves := h.Sum32()%64 == 17
		switch of[moves]++; {
		case of[moves] <= 6:
			users = append(users, id)
		case of[moves] <= 8:
			strangers = append(strangers, id)
		case of[moves] <= 10:
			visitors = append(visitors, id)
		}
	}
	versions := make(map[string]int64)
	for _, id := range users {
		if err := s.Save(t.Context(), record(id, 1), 0); err != nil {
			t.Fatal(err)
		}
		versions[id] = 1
	}
	const key = "twofactor:{17}:users"
	refused := 0
	fails := func(err error) bool {
		if err != nil {
			refused++
		}
		for _, redirects := range []func(error) (string, bool){goredis.IsAskError, goredis.IsMovedError} {
			if to, ok := redirects(err); ok {
				t.Errorf("nobody asked %s: %v", to, err)
			}
		}
		for _, answer := range []error{store.ErrNotFound, store.ErrConflict, store.ErrInvalid, redisstore.ErrLost} {
			if errors.Is(err, answer) {
				t.Error(err)
			}
		}
		return err != nil
	}
	steps, loaded, complete := 0, 0, 0 // loads of users who move, and listings
	// Whether a visitor is there is not known after a call that has failed.
	present, comings := make(map[string]bool), 0
	visit := func(id string) {
		_, err := s.Load(t.Context(), id)
		here := err == nil
		if !here && !errors.Is(err, store.ErrNotFound) {
			fails(err)
			return
		}
		if was, known := present[id]; known && here != was {
			t.Errorf("%s is there: %v, want %v", id, here, was)
		}
		if delete(present, id); here {
			err = s.Erase(t.Context(), id)
		} else {
			err = s.Save(t.Context(), record(id, 1), 0)
		}
		if !fails(err) {
			present[id] = !here
			comings++
		}
	}
	// list lists all users, unless that fails.
	list := func() error {
		listed := 0
		for q := (store.Query{Limit: 5}); ; {
			page, err := s.List(t.Context(), q)
			if fails(err) {
				return err
			}
			for _, r := range page.Records {
				if slices.Contains(visitors, r.UserID) {
					continue
				}
				listed++
				if r.Version != versions[r.UserID] {
					t.Errorf("%s is listed with version %d, want %d", r.UserID, r.Version, versions[r.UserID])
				}
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
		if listed != len(users) {
			t.Errorf("%d users are listed, want %d", listed, len(users))
		}
		complete++
		return nil
	}
	during := func() {
		steps++
		for i, id := range users {
			r, err := s.Load(t.Context(), id)
			if !fails(err) {
				loaded++
				if r.Version != versions[id] {
					t.Errorf("%s has version %d, want %d", id, r.Version, versions[id])
				}
			}
			if i%3 == steps%3 {
				err := s.Save(t.Context(), record(id, versions[id]+1), versions[id])
				if !fails(err) || errors.Is(err, redisstore.ErrReplicas) { // the master has it
					versions[id]++
				}
			}
		}
		for _, id := range strangers {
			if _, err := s.Load(t.Context(), id); err == nil || !errors.Is(err, store.ErrNotFound) && !fails(err) {
				t.Errorf("somebody who is not there: %v", err)
			}
		}
		for _, id := range visitors {
			visit(id)
		}
		if err := list(); err != nil && steps == 1 {
			t.Errorf("a listing before the slot moves: %v", err)
		}
	}
	if err := cluster.MoveSlot(t.Context(), key, during); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d steps, %d calls were refused, %d loads and %d listings were not, visitors came and went %d times", steps, refused, loaded, complete, comings)
	if steps < 6 || comings < steps || loaded < steps {
		t.Errorf("%d steps, want some keys to move, visitors to come and go, and loads", steps)
	}
	if err := server.Until(t.Context(), list); err != nil {
		t.Errorf("a listing with the slot at its new master: %v", err)
	}
	for _, id := range users {
		if err := s.Save(t.Context(), record(id, 1_000), versions[id]); err != nil && !errors.Is(err, redisstore.ErrReplicas) {
			t.Errorf("%s, with the slot at its new master: %v", id, err)
		}
	}
}

// TestClusterContract holds the store on a cluster against the contract, and two with a
// client each. The cases share the cluster and differ in their prefix.
func TestClusterContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store { return testenv.RedisInCluster(t)() })
	t.Run("nodes", func(t *testing.T) {
		storetest.RunNodes(t, func(t *testing.T) []store.Store {
			open := testenv.RedisInCluster(t)
			return []store.Store{open(), open()}
		})
	})
}
