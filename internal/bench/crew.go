package bench

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// A Crew is a table in which every row is a real account: that of one user who
// has lived for a month, sealed anew for each. All of them have the same secret.
type Crew struct {
	Size      int
	Guard     *enrollment.Guard
	Directory *enrollment.Directory

	accounts   *sqlstore.Store
	noise      noise
	first      User
	population *Population // of the first user alone; its clock is that of the Guard
}

// recordColumns are the columns of a table of records that are filled. The other
// one, due, is null.
var recordColumns = []string{"user_id", "version", "state", "updated", "data"}

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
	c := &Crew{Size: size, accounts: accounts, first: p.Users[0], population: p}
	err = d.fill(ctx, table, recordColumns, size, func(i int) ([]any, error) {
		data, err := parts.sealFor(ctx, p.ring, c.first, c.id(i))
		r := c.first.Record
		return []any{c.id(i), r.Version, r.State.String(), r.Updated.UnixMicro(), data}, err
	})
	if err != nil {
		return nil, fmt.Errorf("loading %d rows: %w", size, err)
	}
	if err := d.settle(ctx, table); err != nil {
		return nil, err
	}
	if c.Guard, err = enrollment.New(accounts, p.ring, p.config(recovery.Argon2id)); err != nil {
		return nil, err
	}
	c.Directory, err = enrollment.NewDirectory(c.Guard, accounts)
	return c, err
}

// settle does after a table was filled what the database would do later.
func (d *Database) settle(ctx context.Context, table string) error {
	var after []string
	switch d.Dialect {
	case sqlstore.PostgreSQL:
		after = []string{"VACUUM ANALYZE " + table, "CHECKPOINT"}
	case sqlstore.MySQL:
		after = []string{"ANALYZE TABLE " + table}
	default:
		after = []string{"ANALYZE " + table, "PRAGMA wal_checkpoint(TRUNCATE)"}
	}
	for _, statement := range after {
		if _, err := d.DB.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// id returns the id of the i-th account. As with random ids (UUIDs), the order in
// which accounts are made is not that of their ids. The first one's is that of the
// only user of a Population, and all are as long, so that each can take its place.
func (*Crew) id(i int) string { return fmt.Sprintf("user-%08x", uint32(i)*2_654_435_761) }

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

// RecordSize returns how many bytes the record of an account has as the database
// holds it.
func (c *Crew) RecordSize() int { return len(c.first.Record.Data) }
