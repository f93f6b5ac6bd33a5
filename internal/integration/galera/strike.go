package galera

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// next waits until the cluster is whole, and returns the next node to strike.
func (c *Cluster) next(ctx context.Context) (*node, error) {
	err := c.Whole(ctx)
	c.strikes++
	return c.nodes[c.strikes%Nodes], err
}

// Kill waits until the cluster is whole, and kills the next node, which comes back by
// itself.
func (c *Cluster) Kill(ctx context.Context) error {
	n, err := c.next(ctx)
	if err != nil {
		return err
	}
	return n.Kill()
}

// Isolate waits until the cluster is whole, and splits the next node from the others. What it
// returns waits until the node has given up serving, and joins them again.
func (c *Cluster) Isolate(ctx context.Context) (join func(ctx context.Context) error, err error) {
	n, err := c.next(ctx)
	if err != nil {
		return nil, err
	}
	isolate := func(ctx context.Context, on int) error {
		_, err := n.db.ExecContext(ctx, fmt.Sprintf("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=%d'", on))
		return err
	}
	return func(ctx context.Context) error {
		err := server.Until(ctx, func() error {
			state, err := n.status(ctx, "wsrep_cluster_status")
			if err == nil && state == "Primary" {
				err = errors.New("a node alone still serves")
			}
			return err
		})
		return errors.Join(err, isolate(ctx, 0))
	}, isolate(ctx, 1)
}

// ErrApart says that the nodes do not find each other any more.
var ErrApart = errors.New("galera: the nodes do not find each other")

// patience is how long Coincide waits until the cluster is whole.
const patience = time.Minute

// Coincide waits until the cluster is whole, splits the next node from the others, and kills
// these at once. If the nodes have not found each other again in a minute, it returns an error
// that matches [ErrApart].
func (c *Cluster) Coincide(ctx context.Context) error {
	join, err := c.Isolate(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(c.kill(c.strikes+1, Nodes-1), join(ctx)); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := c.Whole(limited); err != nil {
		return fmt.Errorf("%w: %w", ErrApart, err)
	}
	return nil
}

// KillAll is Kill of all nodes at once. They come back and find each other by themselves.
func (c *Cluster) KillAll(ctx context.Context) error {
	if err := c.Whole(ctx); err != nil {
		return err
	}
	return c.kill(0, Nodes)
}

// kill kills n nodes at once, beginning with that one.
func (c *Cluster) kill(first, n int) error {
	var errs []error
	for i := range n {
		errs = append(errs, c.nodes[(first+i)%Nodes].Kill())
	}
	return errors.Join(errs...)
}
