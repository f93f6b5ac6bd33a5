package etcdstore_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A deaf server carries nothing out, counts what arrives, and answers with a code.
type deaf struct {
	pb.UnimplementedKVServer
	answer  codes.Code
	arrived atomic.Int64
}

func (d *deaf) Txn(context.Context, *pb.TxnRequest) (*pb.TxnResponse, error) {
	d.arrived.Add(1)
	return nil, status.Error(d.answer, "from the test")
}

func (d *deaf) DeleteRange(context.Context, *pb.DeleteRangeRequest) (*pb.DeleteRangeResponse, error) {
	d.arrived.Add(1)
	return nil, status.Error(d.answer, "from the test")
}

// TestSentOnce answers a write with each code that a client might take for an invitation.
// The write may have happened, so it is not sent again, and the error is no conflict.
func TestSentOnce(t *testing.T) {
	t.Parallel()
	for _, answer := range []codes.Code{codes.Unavailable, codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.Unknown} {
		t.Run(answer.String(), func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			d, server := &deaf{answer: answer}, grpc.NewServer()
			pb.RegisterKVServer(server, d)
			go server.Serve(l)
			t.Cleanup(server.Stop)
			_, s := open(t, newPrefix(), &node{plan: plan{Client: l.Addr().String()}})
			for name, write := range map[string]func() error{
				"Save":  func() error { return s.Save(t.Context(), account("alice", 2), 1) },
				"Erase": func() error { return s.Erase(t.Context(), "alice") },
			} {
				before := d.arrived.Load()
				if err := write(); err == nil || errors.Is(err, store.ErrConflict) {
					t.Errorf("%s = %v", name, err)
				}
				if n := d.arrived.Load() - before; n != 1 {
					t.Errorf("%s has arrived %d times", name, n)
				}
			}
		})
	}
}
