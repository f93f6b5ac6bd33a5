package etcdstore_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/histories"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/long"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// TestHistories lets clients of different nodes use one record at once, over and over,
// and looks for an order of their operations that explains what each was told.
func TestHistories(t *testing.T) {
	t.Parallel()
	_, stores := each(t, shared(t))
	rounds, began := long.Histories(t, 40), time.Now()
	f, err := histories.Check(t.Context(), stores, histories.Options{Rounds: rounds})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d histories in %v: %v", rounds, time.Since(began).Round(time.Millisecond), f)
	if f.Saved == 0 || f.Conflicts == 0 {
		t.Error("nothing was saved, or nothing was a conflict")
	}
}

// TestClocksJump lets the clocks of three Guards jump. Each has a node of etcd to itself.
func TestClocksJump(t *testing.T) {
	t.Parallel()
	_, stores := each(t, shared(t))
	siege.Clocks(t, siege.Stores(stores).Start)
}

// A bent client does what the recipe must not do.
type bent struct {
	clientv3.KV
	serializable bool                                     // reads what this node has
	commit       func(txn) (*clientv3.TxnResponse, error) // nil: as usual
}

func (b bent) Get(ctx context.Context, key string, o ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	if b.serializable {
		o = append(o, clientv3.WithSerializable())
	}
	return b.KV.Get(ctx, key, o...)
}

func (b bent) Txn(ctx context.Context) clientv3.Txn {
	if b.commit == nil {
		return b.KV.Txn(ctx)
	}
	return txn{ctx: ctx, bent: b}
}

// A txn is a transaction that is not sent yet.
type txn struct {
	ctx  context.Context
	bent bent
	held []clientv3.Cmp
	ops  []clientv3.Op
}

func (x txn) If(held ...clientv3.Cmp) clientv3.Txn { x.held = held; return x }
func (x txn) Then(ops ...clientv3.Op) clientv3.Txn { x.ops = ops; return x }
func (x txn) Else(...clientv3.Op) clientv3.Txn     { panic("not used") }

func (x txn) Commit() (*clientv3.TxnResponse, error) { return x.bent.commit(x) }

// send sends the transaction with those conditions and operations.
func (x txn) send(held []clientv3.Cmp, ops []clientv3.Op) (*clientv3.TxnResponse, error) {
	return x.bent.KV.Txn(x.ctx).If(held...).Then(ops...).Commit()
}

// TestHistoriesCatchBentStores has stores that do what the recipe must not do.
func TestHistoriesCatchBentStores(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	for name, b := range map[string]bent{
		"reads what its node has": {serializable: true},
		"compares in one step and writes in another": {commit: func(x txn) (*clientv3.TxnResponse, error) {
			answer, err := x.send(x.held, nil)
			if err == nil && answer.Succeeded {
				_, err = x.send(nil, x.ops)
			}
			return answer, err
		}},
		"sends a write again": {commit: func(x txn) (*clientv3.TxnResponse, error) {
			answer, err := x.send(x.held, x.ops)
			if sent.Add(1)%4 == 0 {
				answer, err = x.send(x.held, x.ops) // as if the reply was lost
			}
			return answer, err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clients, stores := each(t, shared(t))
			for _, client := range clients {
				client.KV = bent{client.KV, b.serializable, b.commit}
			}
			f, err := histories.Check(t.Context(), stores, histories.Options{Rounds: 2000})
			if !errors.Is(err, histories.ErrWrong) {
				t.Errorf("a store that %s was not caught in %v: %v", name, f, err)
			}
			t.Logf("after %v: %v", f, err)
		})
	}
}
