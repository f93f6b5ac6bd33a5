package bench

import (
	"context"
	"fmt"
	"time"
)

// An Upkeep is what sign-ins cost a PostgreSQL server beside the time of the callers.
type Upkeep struct {
	SignIns int

	// FirstWAL and WAL are the bytes of the write-ahead log for a sign-in: where the
	// page of the account is written for the first time since a checkpoint, and where
	// it is not.
	FirstWAL, WAL int64

	// Hot is how many of the updates changed no index (HOT), from 0 to 1.
	Hot float64

	// Vacuum is how long VACUUM took after that. Grown is how many bytes the table and
	// its indexes are larger.
	Vacuum time.Duration
	Grown  int64
}

// Keep signs these members in twice, on PostgreSQL, and vacuums the table.
func (c *Crew) Keep(ctx context.Context, callers int, members []string) (Upkeep, error) {
	u := Upkeep{SignIns: 2 * len(members)}
	d := c.database
	before, beforeHot, err := c.updates(ctx, 0)
	if err != nil {
		return u, err
	}
	if _, err := d.DB.ExecContext(ctx, "CHECKPOINT"); err != nil {
		return u, err
	}
	l := c.SignIns(members)
	for _, wal := range []*int64{&u.FirstWAL, &u.WAL} {
		start, err := d.written(ctx)
		if err != nil {
			return u, err
		}
		if _, err := l.Run(ctx, callers, len(members)); err != nil {
			return u, err
		}
		end, err := d.written(ctx)
		if err != nil {
			return u, err
		}
		*wal = (end - start) / int64(len(members))
	}
	all, hot, err := c.updates(ctx, before+int64(u.SignIns))
	if err != nil {
		return u, err
	}
	u.Hot = float64(hot-beforeHot) / float64(all-before)
	start := time.Now()
	if _, err := d.DB.ExecContext(ctx, "VACUUM "+c.table); err != nil {
		return u, err
	}
	u.Vacuum = time.Since(start)
	size, _, err := d.size(ctx, c.table)
	u.Grown = size - c.Bytes
	return u, err
}

// written returns how many bytes of the write-ahead log there have been.
func (d *Database) written(ctx context.Context) (bytes int64, err error) {
	err = d.DB.QueryRowContext(ctx, "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").Scan(&bytes)
	return bytes, err
}

// updates returns how many rows of the table were updated, and how many of them
// without a change of an index. It waits until there are at least so many: a server
// process counts when it ends, so the pool is emptied.
func (c *Crew) updates(ctx context.Context, atLeast int64) (all, hot int64, err error) {
	db := c.database.DB
	open := db.Stats().MaxOpenConnections
	db.SetMaxIdleConns(0)
	defer db.SetMaxIdleConns(max(2, open))
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err = db.QueryRowContext(ctx, "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relid = $1::text::regclass", c.table).Scan(&all, &hot)
		if err != nil || all >= atLeast {
			return all, hot, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return all, hot, fmt.Errorf("%d updates are counted, want %d: %w", all, atLeast, ctx.Err())
		}
	}
}
