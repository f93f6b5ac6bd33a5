package enrollment

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// NotifyTimeout is how long Config.Notify may take for all events of one call: 10
// seconds. Then its context ends.
const NotifyTimeout = 10 * time.Second

// logEvents logs a line for each event that was stored.
func (g *Guard) logEvents(ctx context.Context, userID string, events []account.Event) {
	for _, x := range events {
		e := eventOf(userID, x)
		level := slog.LevelInfo
		switch e.Kind {
		case EventLocked, EventFactorDisabled, EventWrongCodes, EventRightAfterWrong:
			level = slog.LevelWarn
		}
		g.config.Logger.LogAttrs(ctx, level, "twofactor event",
			slog.String("user", userID), slog.String("event", string(e.Kind)), slog.String("id", e.ID),
			slog.String("factor", string(e.Factor)), slog.String("name", e.Name),
			slog.String("method", e.Method), slog.String("actor", e.Actor), slog.String("note", e.Note),
			slog.String("origin", e.Origin), slog.Int("wrong_codes", e.WrongCodes))
		g.observe(ctx, Observation{Event: e.Kind, Factor: e.Factor})
	}
}

// deliver calls Config.Notify for each event, and acknowledges the accepted ones in
// b, where they are stored; b is nil if they are not stored. It returns how many
// were accepted. Errors do not reach the caller: the account keeps what was not
// acknowledged.
func (g *Guard) deliver(ctx context.Context, userID string, b *base, events []account.Undelivered) int {
	if len(events) == 0 {
		return 0
	}
	notifyCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), NotifyTimeout)
	defer cancel()
	var taken []account.EventID
	for _, u := range events {
		event := eventOf(userID, u.Event)
		event.Count = u.Count
		if err := g.notify(notifyCtx, event); err != nil {
			g.config.Logger.LogAttrs(ctx, slog.LevelError, "twofactor event not delivered",
				slog.String("user", userID), slog.String("id", event.ID), slog.Any("error", err))
			continue
		}
		taken = append(taken, u.Event.ID)
	}
	if len(taken) == 0 || b == nil {
		return len(taken)
	}
	ack := edit{guard: g, user: userID, from: b, moves: true}
	if err := ack.run(ctx, func(a *account.Account, m account.Moment) error { return a.Acknowledge(m, taken) }); err != nil {
		g.config.Logger.LogAttrs(ctx, slog.LevelError, "twofactor events not acknowledged",
			slog.String("user", userID), slog.Any("error", err))
	}
	return len(taken)
}

// notify calls Config.Notify. It turns a panic there into an error: the change is
// stored, and its answer must reach the caller.
func (g *Guard) notify(ctx context.Context, e Event) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("enrollment: Config.Notify panicked: %v", v)
		}
	}()
	if err := ctx.Err(); err != nil {
		return err // the earlier events used up the time
	}
	return g.config.Notify(ctx, e)
}
