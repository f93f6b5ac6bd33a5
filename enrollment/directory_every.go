package enrollment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// minInterval is the shortest interval of SweepEvery.
const minInterval = time.Second

// SweepEvery calls [Directory.Sweep] at once and then again and again, until the context
// ends. The interval is the pause after each Sweep, however long that took. An application
// calls SweepEvery once, in a goroutine of its own:
//
//	go directory.SweepEvery(ctx, 5*time.Minute)
//
// What fails goes to Config.Logger at the level Error, and the next Sweep tries again:
// there is a line for a Sweep that ended early, one for each of the first hundred accounts
// in [Swept].Failed, and one for all others. If Config.Notify fails or panics, the event
// stays in the account for a later Sweep. A panic of the store or the [Sealer] ends the
// program, as in any goroutine.
//
// When the context ends, SweepEvery finishes the account that it is working on and returns.
// Wait for that before you close the database. No other account is lost: a Sweep that is
// interrupted leaves the rest to the next one, of this or another process.
//
// Several processes may sweep at the same time; see [Directory.Sweep]. Each of them walks
// over all accounts when it starts, and once a day. If that is too much for your database,
// let only some of the processes sweep.
//
// SweepEvery panics if the interval is shorter than a second: a number without a unit is
// in nanoseconds. It also panics if the Directory is zero.
func (d *Directory) SweepEvery(ctx context.Context, interval time.Duration) {
	if err := d.check(); err != nil {
		panic(err.Error())
	}
	if interval < minInterval {
		panic(fmt.Sprintf("enrollment: SweepEvery with the interval %v, which is shorter than a second", interval))
	}
	for ctx.Err() == nil {
		d.sweepOnce(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(interval):
		}
	}
}

// sweepOnce sweeps and logs what failed, except because the context has ended.
func (d *Directory) sweepOnce(ctx context.Context) {
	done, err := d.Sweep(ctx)
	failed := func(message string, err error, attrs ...slog.Attr) {
		if ended := ctx.Err(); ended == nil || !errors.Is(err, ended) {
			d.guard.config.Logger.LogAttrs(ctx, slog.LevelError, message, append(attrs, slog.Any("error", err))...)
		}
	}
	for _, f := range done.Failed.First {
		failed("twofactor account not swept", f.Err, slog.String("user", f.UserID))
	}
	if more := done.Failed.Total - len(done.Failed.First); more > 0 {
		failed("twofactor accounts not swept", fmt.Errorf("%d more accounts failed", more))
	}
	if err != nil {
		failed("twofactor sweep ended early", err)
	}
}
