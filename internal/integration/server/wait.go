package server

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"
)

// waitTimeout bounds what [Until] waits.
const waitTimeout = time.Minute

// Until calls f until it returns nil, for a minute at the most. Then, or when the
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

// FreePort returns a port of loopback that nobody uses. It is below those that systems
// give to clients, so that no connection takes it before the server does.
func FreePort() (port int, err error) {
	for range 100 {
		port = 15_000 + rand.IntN(15_000)
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}
