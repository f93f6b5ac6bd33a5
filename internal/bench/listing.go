package bench

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// A Crew is a table of PostgreSQL in which every row is a real account: that of
// one user who has lived for a month, sealed anew for each.
type Crew struct {
	Size      int
	directory *enrollment.Directory
}

// NewCrew fills a fresh table with that many accounts.
func (d *Database) NewCrew(ctx context.Context, table string, size int) (*Crew, error) {
	accounts, err := sqlstore.NewTable(d.DB, d.Dialect, table)
	if err != nil {
		return nil, err
	}
	if err := accounts.Migrate(ctx); err != nil {
		return nil, err
	}
	p, err := NewPopulation(ctx, 1)
	if err != nil {
		return nil, err
	}
	parts, err := NewParts(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := copyCrew(ctx, d.DB, table, p, parts, size); err != nil {
		return nil, fmt.Errorf("loading %d rows: %w", size, err)
	}
	for _, statement := range []string{"VACUUM ANALYZE " + table, "CHECKPOINT"} {
		if _, err := d.DB.ExecContext(ctx, statement); err != nil {
			return nil, err
		}
	}
	guard, err := enrollment.New(accounts, p.ring, p.config(recovery.Argon2id))
	if err != nil {
		return nil, err
	}
	directory, err := enrollment.NewDirectory(guard, accounts)
	return &Crew{size, directory}, err
}

// copyCrew copies the first user's account into the table, again and again.
func copyCrew(ctx context.Context, db *sql.DB, table string, p *Population, parts *Parts, size int) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	first, i := p.Users[0], 0
	rows := pgx.CopyFromFunc(func() ([]any, error) {
		if i == size {
			return nil, nil
		}
		// The id is as long as the first user's, so that it can take its place.
		id := fmt.Sprintf("user-%08d", i)
		i++
		data, err := parts.sealFor(ctx, p.ring, first, id)
		return []any{id, first.Record.Version, first.Record.State.String(), first.Record.Updated.UnixMicro(), data}, err
	})
	return conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table},
			[]string{"user_id", "version", "state", "updated", "data"}, rows)
		return err
	})
}

// sealFor seals the account as that of another user, whose id must be as long.
func (p *Parts) sealFor(ctx context.Context, ring *keyring.Ring, u User, id string) ([]byte, error) {
	put := func(in []byte) []byte {
		// Both begin with two parts, the label and the namespace, each behind its
		// length, and then have the user id.
		out := append([]byte(nil), in...)
		at := 0
		for range 2 {
			at += 4 + int(binary.BigEndian.Uint32(out[at:]))
		}
		if at += 4; string(out[at:at+len(u.ID)]) != u.ID || len(u.ID) != len(id) {
			panic("the scope or the binding is not built as it was")
		}
		copy(out[at:], id)
		return out
	}
	data, err := ring.Seal(ctx, put(p.scope), put(p.binding), p.plain)
	// What follows the sealed bytes is the same for all users.
	return append(data, u.Record.Data[len(p.sealed):]...), err
}

// A Listing is what it took to list a Crew.
type Listing struct {
	Accounts int
	Took     time.Duration
	Peak     int64 // bytes of the heap in use at the highest, above what there was before
}

// Each returns what one account took.
func (l Listing) Each() time.Duration { return l.Took / time.Duration(max(1, l.Accounts)) }

// List lists every account by Directory.All, and opens all of them. The heap is
// looked at every hundred accounts, garbage included.
func (c *Crew) List(ctx context.Context) (Listing, error) {
	runtime.GC()
	before := heap()
	var l Listing
	start := time.Now()
	for m, err := range c.directory.All(ctx, enrollment.Filter{}) {
		if err != nil {
			return l, err
		}
		if m.Status.State != store.Confirmed || m.Status.CodesTotal != 10 {
			return l, fmt.Errorf("%s is %v with %d recovery codes", m.UserID, m.Status.State, m.Status.CodesTotal)
		}
		if l.Accounts++; l.Accounts%100 == 0 {
			l.Peak = max(l.Peak, heap()-before)
		}
	}
	l.Took = time.Since(start)
	if l.Accounts != c.Size {
		return l, fmt.Errorf("%d accounts were listed, want %d", l.Accounts, c.Size)
	}
	return l, nil
}

// heap returns the bytes of the heap that objects occupy, dead ones included
// until they are swept.
func heap() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}
