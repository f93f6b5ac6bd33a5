package bench

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/postgres"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// A Database is an SQL database with its dialect.
type Database struct {
	DB      *sql.DB
	Dialect sqlstore.Dialect
}

// OpenPostgres opens a pool on the server through database/sql.
func OpenPostgres(s *postgres.Server) (*Database, error) {
	db, err := sql.Open("pgx", s.DSN)
	return &Database{db, sqlstore.PostgreSQL}, err
}

// OpenSQLite makes a database file in the folder, in WAL mode and with
// synchronous FULL.
func OpenSQLite(dir string) (*Database, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "accounts.db")+
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	return &Database{db, sqlstore.SQLite}, err
}

// NewPopulation returns n users whose accounts are in a fresh table.
func (d *Database) NewPopulation(ctx context.Context, table string, n int) (*Population, error) {
	accounts, err := sqlstore.NewTable(d.DB, d.Dialect, table)
	if err != nil {
		return nil, err
	}
	if err := accounts.Migrate(ctx); err != nil {
		return nil, err
	}
	p, err := NewPopulation(ctx, n)
	if err != nil {
		return nil, err
	}
	return p, p.MoveTo(ctx, accounts)
}

// Bare is what a host would have to send at the least: one SELECT by key and
// one UPDATE by key and version, in no transaction, by the same driver, in a
// table of three columns and no index but its key. It writes as many bytes as
// the library, and other ones each time, as the library does.
func (d *Database) Bare(ctx context.Context, table string, users []User) (*Side, error) {
	var ddl, sel, upd string
	switch d.Dialect {
	case sqlstore.PostgreSQL:
		ddl = `CREATE TABLE %s (user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY, version BIGINT NOT NULL, data BYTEA NOT NULL) WITH (fillfactor = 80)`
		sel = "SELECT version, data FROM %s WHERE user_id = $1"
		upd = "UPDATE %s SET version = $1, data = $2 WHERE user_id = $3 AND version = $4"
	default:
		ddl = `CREATE TABLE %s (user_id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, data BLOB NOT NULL) STRICT`
		sel = "SELECT version, data FROM %s WHERE user_id = ?1"
		upd = "UPDATE %s SET version = ?1, data = ?2 WHERE user_id = ?3 AND version = ?4"
	}
	for _, s := range []*string{&ddl, &sel, &upd} {
		*s = fmt.Sprintf(*s, table)
	}
	if _, err := d.DB.ExecContext(ctx, ddl); err != nil {
		return nil, err
	}
	for _, u := range users {
		insert := "INSERT INTO " + table + " (user_id, version, data) VALUES ($1, $2, $3)"
		if d.Dialect == sqlstore.SQLite {
			insert = strings.NewReplacer("$", "?").Replace(insert)
		}
		if _, err := d.DB.ExecContext(ctx, insert, u.ID, u.Record.Version, u.Record.Data); err != nil {
			return nil, err
		}
	}
	n, random := 0, rand.NewChaCha8([32]byte{2})
	return &Side{Name: "bare SELECT and UPDATE", Op: func(int) error {
		id := users[n%len(users)].ID
		n++
		var version int64
		var data []byte
		if err := d.DB.QueryRowContext(ctx, sel, id).Scan(&version, &data); err != nil {
			return err
		}
		random.Read(data)
		result, err := d.DB.ExecContext(ctx, upd, version+1, data, id, version)
		if err != nil {
			return err
		}
		changed, err := result.RowsAffected()
		if err == nil && changed != 1 {
			err = fmt.Errorf("%d rows changed", changed)
		}
		return err
	}}, nil
}

// Users is how many of a Town have real accounts where there are enough rows.
const Users = 20_000

// NewTown returns users who live among others in a fresh table of PostgreSQL
// with that many rows. So many of these are real accounts, or all if there are
// fewer; the rest is of the same size and can't be opened. The real ones are
// spread over the whole table and its indexes, and come in random order.
func (d *Database) NewTown(ctx context.Context, table string, rows, users int) (*Population, error) {
	accounts, err := sqlstore.NewTable(d.DB, d.Dialect, table)
	if err != nil {
		return nil, err
	}
	if err := accounts.Migrate(ctx); err != nil {
		return nil, err
	}
	p, err := NewPopulation(ctx, min(rows, users))
	if err != nil {
		return nil, err
	}
	if err := d.load(ctx, table, p.Users, rows); err != nil {
		return nil, fmt.Errorf("loading %d rows: %w", rows, err)
	}
	for _, statement := range []string{"VACUUM ANALYZE " + table, "CHECKPOINT"} {
		if _, err := d.DB.ExecContext(ctx, statement); err != nil {
			return nil, err
		}
	}
	rand.Shuffle(len(p.Users), func(i, j int) { p.Users[i], p.Users[j] = p.Users[j], p.Users[i] })
	return p, p.Attach(accounts)
}

// load copies the users into the table, each followed by as many strangers as
// it takes. A stranger's key begins with random digits, so that the keys of
// users and strangers mix.
func (d *Database) load(ctx context.Context, table string, users []User, rows int) error {
	conn, err := d.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	each := rows / len(users)
	source := pgx.CopyFromFunc(func() func() ([]any, error) {
		i, random := 0, rand.NewChaCha8([32]byte{1})
		return func() ([]any, error) {
			if i == rows {
				return nil, nil
			}
			u := &users[min(i/each, len(users)-1)]
			id, data := u.ID, u.Record.Data
			if i%each != 0 || i/each >= len(users) {
				id = fmt.Sprintf("user-%08d-%016x", random.Uint64()%uint64(len(users)), random.Uint64())
				data = make([]byte, len(data))
				random.Read(data)
			}
			i++
			return []any{id, u.Record.Version, u.Record.State.String(), u.Record.Updated.UnixMicro(), data}, nil
		}
	}())
	return conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table},
			[]string{"user_id", "version", "state", "updated", "data"}, source)
		return err
	})
}
