package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A Rotation is what it took to seal every account under a new key.
type Rotation struct {
	Quiet, Beside LoadTiming // sign-ins without and beside a Reseal

	// BesideTook is how long Reseal ran beside sign-ins, which moved so many
	// accounts, and how often it was interrupted and went on where it was.
	BesideTook  time.Duration
	BesideMoved int
	Resumed     int

	// AloneTook is how long Reseal ran alone, which moved so many.
	AloneTook  time.Duration
	AloneMoved int

	// Done says that every account was looked at. CheckTook is how long a second
	// Reseal took then, which found nothing to move.
	Done      bool
	CheckTook time.Duration
}

// Rotate gives the Guard a new primary key and seals the accounts under it. First it
// does so in turns: the members sign in, and then they sign in beside a Reseal, which
// is then interrupted and later goes on. After that the Reseal has the database for
// itself, for at most the limit.
func (c *Crew) Rotate(ctx context.Context, e Effort, callers int, members []string, limit time.Duration) (Rotation, error) {
	var r Rotation
	ring, err := c.population.ring.Rotate("2026b")
	if err != nil {
		return r, err
	}
	if err := c.guardWith(ring); err != nil {
		return r, err
	}
	l := c.SignIns(members)
	r.Quiet.Name, r.Beside.Name = "quiet", "beside Reseal"
	n, err := l.calibrate(ctx, callers, e.Turn)
	if err != nil {
		return r, err
	}
	at := ""
	for range e.Rounds {
		quiet, err := l.Run(ctx, callers, n)
		if err != nil {
			return r, err
		}
		r.Quiet.Turns = append(r.Quiet.Turns, quiet)
		beside, part, took, err := c.signInsBeside(ctx, l, callers, n, at)
		if err != nil {
			return r, err
		}
		r.Beside.Turns = append(r.Beside.Turns, beside)
		r.BesideTook, r.BesideMoved, r.Resumed = r.BesideTook+took, r.BesideMoved+part.Moved, r.Resumed+1
		if at, r.Done = part.Cursor, part.Done; r.Done {
			break
		}
	}
	if !r.Done {
		part, took, err := c.resealFor(ctx, limit, at)
		if err != nil {
			return r, err
		}
		r.AloneTook, r.AloneMoved, r.Done = took, part.Moved, part.Done
	}
	if !r.Done {
		return r, nil // it took too long
	}
	check, took, err := c.resealFor(ctx, 24*time.Hour, "")
	r.CheckTook = took
	if old := c.population.ring.PrimaryID(); err == nil && (check.Moved > 0 || check.Keys[old] > 0 || check.Seen != c.Size) {
		err = fmt.Errorf("a second Reseal has looked at %d accounts and moved %d; %d are under the old key", check.Seen, check.Moved, check.Keys[old])
	}
	return r, err
}

// signInsBeside runs a turn of the load while a Reseal goes on at the cursor. It ends
// the Reseal with the turn.
func (c *Crew) signInsBeside(ctx context.Context, l *Load, callers, n int, at string) (Turn, enrollment.Resealed, time.Duration, error) {
	limited, stop := context.WithCancel(ctx)
	defer stop()
	var part enrollment.Resealed
	var took time.Duration
	var failed error
	over := make(chan struct{})
	go func() {
		defer close(over)
		part, took, failed = c.reseal(limited, at)
	}()
	turn, err := l.Run(ctx, callers, n)
	stop()
	<-over
	return turn, part, took, errors.Join(err, failed)
}

func (c *Crew) resealFor(ctx context.Context, limit time.Duration, at string) (enrollment.Resealed, time.Duration, error) {
	ctx, stop := context.WithTimeout(ctx, limit)
	defer stop()
	return c.reseal(ctx, at)
}

// reseal runs a Reseal from the cursor, until it is over or the context ends.
func (c *Crew) reseal(ctx context.Context, at string) (enrollment.Resealed, time.Duration, error) {
	var last enrollment.Resealed
	start := time.Now()
	part, err := c.Directory.Reseal(ctx, enrollment.ResealOptions{
		Cursor:   at,
		Progress: func(r enrollment.Resealed) { last = r },
	})
	took := time.Since(start)
	if ctx.Err() != nil {
		err = nil // it was interrupted
	} else if err == nil && last.Seen != part.Seen {
		err = fmt.Errorf("the last progress was %d accounts of %d", last.Seen, part.Seen)
	}
	for _, f := range part.Failed.First {
		// The account at which it was interrupted is looked at again.
		if !errors.Is(f.Err, ctx.Err()) || ctx.Err() == nil {
			return part, took, f.Err
		}
	}
	return part, took, err
}
