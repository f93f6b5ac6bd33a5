package bench

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/postgres"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// A Database is an SQL database with its dialect.
type Database struct {
	DB      *sql.DB
	Dialect sqlstore.Dialect
	Name    string // of the server, with its version
}

// OpenPostgres opens a pool on the server through database/sql.
func OpenPostgres(s *postgres.Server) (*Database, error) {
	db, err := sql.Open("pgx", s.DSN)
	version, _, _ := strings.Cut(s.Version, " ")
	return &Database{db, sqlstore.PostgreSQL, "PostgreSQL " + version}, err
}

// OpenSQLite makes a database file in the folder, in WAL mode and with
// synchronous FULL.
func OpenSQLite(dir string) (*Database, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "accounts.db")+
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	return &Database{db, sqlstore.SQLite, "SQLite, WAL, FULL"}, err
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
	each := rows / len(users)
	random := rand.NewChaCha8([32]byte{1})
	return d.fill(ctx, table, recordColumns, rows, func(i int) ([]any, error) {
		u := &users[min(i/each, len(users)-1)]
		id, data := u.ID, u.Record.Data
		if i%each != 0 || i/each >= len(users) {
			id = fmt.Sprintf("user-%08d-%016x", random.Uint64()%uint64(len(users)), random.Uint64())
			data = make([]byte, len(data))
			random.Read(data)
		}
		return []any{id, u.Record.Version, u.Record.State.String(), u.Record.Updated.UnixMicro(), data}, nil
	})
}
