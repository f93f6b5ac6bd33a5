package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/sqlite"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// database holds users, sessions and two-factor accounts.
type database struct {
	*sql.DB
	dialect sqlstore.Dialect
}

// openDatabase opens what -db names, and an SQLite file in the data folder if that is
// empty. What follows mysql:// is as the driver has it.
func openDatabase(c config) (database, error) {
	kind, rest, _ := strings.Cut(c.database, "://")
	switch kind {
	case "":
		db, err := sqlite.Open(filepath.Join(c.data, "app.db"))
		return database{db, sqlstore.SQLite}, err
	case "sqlite":
		db, err := sqlite.Open(rest)
		return database{db, sqlstore.SQLite}, err
	case "postgres", "postgresql":
		db, err := sql.Open("pgx", c.database)
		return database{db, sqlstore.PostgreSQL}, err
	case "mysql":
		db, err := sql.Open("mysql", rest)
		return database{db, sqlstore.MySQL}, err
	}
	return database{}, fmt.Errorf("-db takes sqlite://file, postgres://… or mysql://…, not %q", kind)
}

// tables are this program's own, with the row of its rules. sqlstore creates its own. {key}
// is a text that can be a key, compared byte by byte, and {bytes} is binary. A row stays as
// it is where {insert} … {once} would make another.
var tables = []string{
	`CREATE TABLE IF NOT EXISTS people (
		id         {key} NOT NULL PRIMARY KEY,
		email      {key} NOT NULL UNIQUE,
		password   {key} NOT NULL,
		generation BIGINT NOT NULL,
		joined     BIGINT NOT NULL,
		role       {key} NOT NULL,
		language   {key} NOT NULL
	)`,
	`CREATE TABLE IF NOT EXISTS sessions (
		token   {key} NOT NULL PRIMARY KEY,
		data    {bytes} NOT NULL,
		expires BIGINT NOT NULL
	)`,
	// One row: whether a second factor is mandatory, since when, the days of grace, and
	// whether clients are exempt.
	`CREATE TABLE IF NOT EXISTS rules (
		id             BIGINT NOT NULL PRIMARY KEY,
		mandatory      BIGINT NOT NULL,
		since          BIGINT NOT NULL,
		grace_days     BIGINT NOT NULL,
		exempt_clients BIGINT NOT NULL
	)`,
	`CREATE TABLE IF NOT EXISTS password_links (
		hash    {key} NOT NULL PRIMARY KEY,
		user_id {key} NOT NULL,
		expires BIGINT NOT NULL
	)`,
	`{insert} INTO rules (id, mandatory, since, grace_days, exempt_clients) VALUES (1, 0, 0, 0, 1) {once}`,
}

// migrate creates the tables. Processes that start at the same time may get into each
// other's way: the one that fails tries again, and finds what the other has made.
func (d database) migrate(ctx context.Context) error {
	const once = "ON CONFLICT (id) DO NOTHING"
	words := strings.NewReplacer("{key}", "TEXT", "{bytes}", "BLOB", "{insert}", "INSERT", "{once}", once)
	switch d.dialect {
	case sqlstore.PostgreSQL:
		words = strings.NewReplacer("{key}", `TEXT COLLATE "C"`, "{bytes}", "BYTEA", "{insert}", "INSERT", "{once}", once)
	case sqlstore.MySQL:
		words = strings.NewReplacer("{key}", "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "{bytes}", "BLOB",
			"{insert}", "INSERT IGNORE", "{once}", "")
	}
	for _, statement := range tables {
		err := errors.New("not tried")
		for try := 0; err != nil && try < 3; try++ {
			_, err = d.ExecContext(ctx, words.Replace(statement))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// exec, query and row take statements with the placeholders ?1, ?2 …

func (d database) exec(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	statement, args = d.translate(statement, args)
	return d.ExecContext(ctx, statement, args...)
}

func (d database) query(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	statement, args = d.translate(statement, args)
	return d.QueryContext(ctx, statement, args...)
}

func (d database) row(ctx context.Context, statement string, args ...any) *sql.Row {
	statement, args = d.translate(statement, args)
	return d.QueryRowContext(ctx, statement, args...)
}

var placeholder = regexp.MustCompile(`\?([0-9])`)

// translate writes the placeholders as the database wants them.
func (d database) translate(statement string, args []any) (string, []any) {
	switch d.dialect {
	case sqlstore.PostgreSQL:
		return placeholder.ReplaceAllString(statement, "$$$1"), args
	case sqlstore.MySQL: // which has no numbers
		var ordered []any
		statement = placeholder.ReplaceAllStringFunc(statement, func(p string) string {
			n, _ := strconv.Atoi(p[1:])
			ordered = append(ordered, args[n-1])
			return "?"
		})
		return statement, ordered
	}
	return statement, args
}
