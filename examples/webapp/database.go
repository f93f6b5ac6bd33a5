package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/sqlite"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// database holds users, sessions and two-factor accounts.
type database struct {
	*sql.DB
	dialect sqlstore.Dialect
}

func openDatabase(c config) (database, error) {
	if c.postgres != "" {
		db, err := sql.Open("pgx", c.postgres)
		return database{db, sqlstore.PostgreSQL}, err
	}
	db, err := sqlite.Open(filepath.Join(c.data, "app.db"))
	return database{db, sqlstore.SQLite}, err
}

// migrate creates this program's own tables. sqlstore creates its own.
func (d database) migrate(ctx context.Context) error {
	bytes := "BLOB"
	if d.dialect == sqlstore.PostgreSQL {
		bytes = "BYTEA"
	}
	for _, statement := range []string{
		`CREATE TABLE IF NOT EXISTS users (
			id         TEXT NOT NULL PRIMARY KEY,
			email      TEXT NOT NULL UNIQUE,
			password   TEXT NOT NULL,
			generation BIGINT NOT NULL,
			joined     BIGINT NOT NULL
		)`,
		`CREATE TABLE IF NOT EXISTS sessions (
			token   TEXT NOT NULL PRIMARY KEY,
			data    ` + bytes + ` NOT NULL,
			expires BIGINT NOT NULL
		)`,
		`CREATE INDEX IF NOT EXISTS sessions_expires ON sessions (expires)`,
		// At most one row: whether a second factor is mandatory, since when,
		// and the days of grace.
		`CREATE TABLE IF NOT EXISTS mandate (
			id         BIGINT NOT NULL PRIMARY KEY,
			mandatory  BIGINT NOT NULL,
			since      BIGINT NOT NULL,
			grace_days BIGINT NOT NULL
		)`,
		`CREATE TABLE IF NOT EXISTS password_links (
			hash    TEXT NOT NULL PRIMARY KEY,
			user_id TEXT NOT NULL,
			expires BIGINT NOT NULL
		)`,
	} {
		if _, err := d.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	// These columns were added later.
	for _, column := range []string{"admin", "exempt"} {
		if err := d.addFlag(ctx, "users", column); err != nil {
			return err
		}
	}
	return nil
}

// addFlag adds a column of 0 and 1, unless the table has it.
func (d database) addFlag(ctx context.Context, table, column string) error {
	statement := `ALTER TABLE ` + table + ` ADD COLUMN IF NOT EXISTS ` + column + ` BIGINT NOT NULL DEFAULT 0`
	if d.dialect == sqlstore.SQLite { // it has no ADD COLUMN IF NOT EXISTS
		var found int
		err := d.QueryRowContext(ctx, `SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2`, table, column).Scan(&found)
		if err != nil || found > 0 {
			return err
		}
		statement = strings.Replace(statement, "IF NOT EXISTS ", "", 1)
	}
	_, err := d.ExecContext(ctx, statement)
	return err
}

// sql translates the placeholders ?1, ?2 … to the dialect.
func (d database) sql(statement string) string {
	if d.dialect == sqlstore.PostgreSQL {
		return strings.ReplaceAll(statement, "?", "$")
	}
	return statement
}
