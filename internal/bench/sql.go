package bench

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/galera"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/mariadb"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/postgres"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// A Database is an SQL database with its dialect.
type Database struct {
	DB      *sql.DB
	Dialect sqlstore.Dialect
	Name    string // of the server, with its version

	dsn string
}

// OpenPostgres opens a pool on the server through database/sql.
func OpenPostgres(s *postgres.Server) (*Database, error) {
	version, _, _ := strings.Cut(s.Version, " ")
	return open("pgx", s.DSN, sqlstore.PostgreSQL, "PostgreSQL "+version)
}

// OpenMariaDB makes a database on the server and opens a pool on it.
func OpenMariaDB(ctx context.Context, s *mariadb.Server) (*Database, error) {
	return openMySQL(ctx, s.DSN, "", "MariaDB %s")
}

// OpenGalera makes a database on the cluster and opens a pool on it, at one of the nodes.
func OpenGalera(ctx context.Context, c *galera.Cluster) (*Database, error) {
	dsn := func(database string) string { return c.DSN(0, database) }
	return openMySQL(ctx, dsn, galera.Waiting, "MariaDB %s, Galera")
}

func openMySQL(ctx context.Context, dsn func(database string) string, params, name string) (*Database, error) {
	admin, err := sql.Open("mysql", dsn(""))
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE bench"); err != nil {
		return nil, err
	}
	var version string
	if err := admin.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return nil, err
	}
	version, _, _ = strings.Cut(version, "-")
	return open("mysql", dsn("bench")+params, sqlstore.MySQL, fmt.Sprintf(name, version))
}

// OpenSQLite makes a database file in the folder, in WAL mode and with
// synchronous FULL.
func OpenSQLite(dir string) (*Database, error) {
	return open("sqlite", "file:"+filepath.Join(dir, "accounts.db")+
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate",
		sqlstore.SQLite, "SQLite, WAL, FULL")
}

func open(driver, dsn string, dialect sqlstore.Dialect, name string) (*Database, error) {
	db, err := sql.Open(driver, dsn)
	return &Database{db, dialect, name, dsn}, err
}

// SetPool gives the pool that many connections, which stay open.
func (d *Database) SetPool(n int) {
	d.DB.SetMaxOpenConns(n)
	d.DB.SetMaxIdleConns(n)
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
