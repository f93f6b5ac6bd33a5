package bench

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// A Bare is what a host would have to send at the least: SELECT by key and
// UPDATE by key and version, in no transaction, by the same driver, in a table of
// three columns and no index but its key. It writes as many bytes as the library,
// and other ones each time, as the library does.
type Bare struct {
	db       *sql.DB
	sel, upd string
	ids      []string
	noise    noise
}

// newBare makes a table with so many rows of that many bytes, and uses those of the ids.
func (d *Database) newBare(ctx context.Context, table string, ids []string, rows int, id func(i int) string, size int) (*Bare, error) {
	b := &Bare{db: d.DB, ids: ids}
	var ddl string
	switch d.Dialect {
	case sqlstore.PostgreSQL:
		ddl = `CREATE TABLE %s (user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY, version BIGINT NOT NULL, data BYTEA NOT NULL) WITH (fillfactor = 80)`
		b.sel = "SELECT version, data FROM %s WHERE user_id = $1"
		b.upd = "UPDATE %s SET version = $1, data = $2 WHERE user_id = $3 AND version = $4"
	case sqlstore.MySQL:
		ddl = `CREATE TABLE %s (user_id VARBINARY(255) NOT NULL PRIMARY KEY, version BIGINT NOT NULL, data BLOB NOT NULL) ENGINE = InnoDB`
		b.sel = "SELECT version, data FROM %s WHERE user_id = ?"
		b.upd = "UPDATE %s SET version = ?, data = ? WHERE user_id = ? AND version = ?"
	default:
		ddl = `CREATE TABLE %s (user_id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, data BLOB NOT NULL) STRICT`
		b.sel = "SELECT version, data FROM %s WHERE user_id = ?1"
		b.upd = "UPDATE %s SET version = ?1, data = ?2 WHERE user_id = ?3 AND version = ?4"
	}
	for _, s := range []*string{&ddl, &b.sel, &b.upd} {
		*s = fmt.Sprintf(*s, table)
	}
	if _, err := d.DB.ExecContext(ctx, ddl); err != nil {
		return nil, err
	}
	err := d.fill(ctx, table, []string{"user_id", "version", "data"}, rows, func(i int) ([]any, error) {
		data := make([]byte, size)
		b.noise.read(data)
		return []any{id(i), int64(1), data}, nil
	})
	if err == nil {
		err = d.settle(ctx, table)
	}
	return b, err
}

// Bare is a Bare with a row for each user of a Population.
func (d *Database) Bare(ctx context.Context, table string, users []User) (*Bare, error) {
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return d.newBare(ctx, table, ids, len(ids), func(i int) string { return ids[i] }, len(users[0].Record.Data))
}

// Bare is a Bare with as many rows as the crew has accounts, in the same order and of
// the same size. It uses those of the members.
func (c *Crew) Bare(ctx context.Context, table string, members []string) (*Bare, error) {
	return c.database.newBare(ctx, table, members, c.Size, c.id, c.RecordSize())
}

func (b *Bare) read(ctx context.Context, id string) (version int64, data []byte, err error) {
	err = b.db.QueryRowContext(ctx, b.sel, id).Scan(&version, &data)
	return version, data, err
}

// write writes other bytes over the data.
func (b *Bare) write(ctx context.Context, id string, version int64, data []byte) error {
	b.noise.read(data)
	result, err := b.db.ExecContext(ctx, b.upd, version+1, data, id, version)
	if err != nil {
		return err
	}
	changed, err := result.RowsAffected()
	if err == nil && changed != 1 {
		err = fmt.Errorf("%d rows changed", changed)
	}
	return err
}

// Answer is one SELECT and one UPDATE, the peer of Answer.
func (b *Bare) Answer(ctx context.Context) *Side {
	n := 0
	return &Side{Name: "bare SELECT and UPDATE", Op: func(int) error {
		id := b.ids[n%len(b.ids)]
		n++
		version, data, err := b.read(ctx, id)
		if err != nil {
			return err
		}
		return b.write(ctx, id, version, data)
	}}
}

// SignIns is two SELECTs and one UPDATE, the peer of SignIn and Answer.
func (b *Bare) SignIns() *Load {
	return over(b.ids, "two SELECTs and one UPDATE", func(ctx context.Context, id string) error {
		if _, _, err := b.read(ctx, id); err != nil {
			return err
		}
		version, data, err := b.read(ctx, id)
		if err != nil {
			return err
		}
		return b.write(ctx, id, version, data)
	})
}
