package server

import (
	"context"
	"errors"
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
