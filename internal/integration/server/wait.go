package server

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// waitTimeout bounds what [Until] waits.
const waitTimeout = 5 * time.Minute

// Until calls f until it returns nil, for five minutes at the most. Then, or when the
// context ends, it returns the last error of f as well.
func Until(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, waitTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// taken are the ports that FreePorts has returned. A server may not listen yet, or not for
// the moment.
var taken sync.Map

// FreePorts returns n ports of loopback that nobody uses, each another one, also over several
// calls. They are below those that systems give to clients, so that no connection takes them
// before the servers do.
func FreePorts(n int) (ports []int, err error) {
	var held []net.Listener // so that none is found twice
	defer func() {
		for _, l := range held {
			err = errors.Join(err, l.Close())
		}
	}()
	for range 100 + n {
		port := 15_000 + rand.IntN(15_000)
		if _, again := taken.LoadOrStore(port, true); again {
			continue
		}
		l, failed := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if failed != nil {
			err = failed
			continue
		}
		held = append(held, l)
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, err
}
