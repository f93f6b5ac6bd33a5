package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Sweep deletes the expired setups of the crew, once, and returns what that took. It
// is a Sweep after whose walk over all accounts no day has passed, as most are.
func (c *Crew) Sweep(ctx context.Context) (time.Duration, error) {
	c.Directory.ResumeWalk(fmt.Sprintf("%d,", c.population.now().Unix()))
	start := time.Now()
	swept, err := c.Directory.Sweep(ctx)
	took := time.Since(start)
	switch {
	case err != nil:
		return took, err
	case swept.Failed.Total > 0:
		return took, swept.Failed.First[0].Err
	case swept.Walked > 0:
		return took, errors.New("all accounts were walked over")
	case swept.Expired != c.Due || swept.Seen != c.Due:
		return took, fmt.Errorf("%d setups of %d accounts had expired, want %d", swept.Expired, swept.Seen, c.Due)
	}
	return took, nil
}

// Walk is the Sweep of once a day, which looks at every account.
func (c *Crew) Walk(ctx context.Context) (time.Duration, error) {
	c.Directory.ResumeWalk("")
	start := time.Now()
	swept, err := c.Directory.Sweep(ctx)
	took := time.Since(start)
	if err == nil && (swept.Walked != c.Size || swept.Failed.Total > 0 || swept.Repaired > 0) {
		err = fmt.Errorf("the walk was over %d accounts, of which %d failed and %d were repaired", swept.Walked, swept.Failed.Total, swept.Repaired)
	}
	return took, err
}
