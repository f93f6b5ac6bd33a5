package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// A Dialect is the SQL of a database. The zero Dialect is invalid.
type Dialect uint8

// The dialects.
const (
	// SQLite is SQLite 3.37 or later with a file. The documentation of the
	// package says which settings it needs.
	SQLite Dialect = iota + 1

	// PostgreSQL is PostgreSQL 9.6 or later, directly or through PgBouncer.
	PostgreSQL
)

// String returns the name of the database, for example "PostgreSQL", or
// "Dialect(n)" for an invalid Dialect.
func (d Dialect) String() string {
	if g, ok := grammars[d]; ok {
		return g.name
	}
	return fmt.Sprintf("Dialect(%d)", uint8(d))
}

// A grammar has everything in which the dialects differ.
type grammar struct {
	name string

	// param returns the placeholder of the n-th argument. The first is 1.
	param func(n int) string

	// schemas says that the name of a table can have a schema in front.
	schemas bool

	// ddl creates the table, its indexes and the table of its version. Every
	// statement can be repeated. Names like {table} are for expand.
	ddl []string

	// columns is a query for the columns of the table whose quoted name is its
	// argument. It returns no row if there is no such table.
	columns string

	// apply executes the statements. Several processes may do so at the same
	// time.
	apply func(ctx context.Context, db *sql.DB, t table, statements []string) error

	// settings returns what is wrong with the settings of the database, one
	// sentence each.
	settings func(ctx context.Context, db *sql.DB, t table) ([]string, error)

	// busy reports whether Migrate should try again after an error. It is nil if
	// the database waits by itself.
	busy func(err error) bool

	// oneWriter says that the database has one writer at a time, and that others
	// wait badly.
	oneWriter bool
}

// grammars holds the grammar of every valid dialect.
var grammars = map[Dialect]grammar{
	SQLite:     sqlite,
	PostgreSQL: postgres,
}

// numbered returns a param that puts the number behind the mark.
func numbered(mark string) func(int) string {
	return func(n int) string { return mark + strconv.Itoa(n) }
}

// params returns the placeholders from first to last, with commas.
func (g grammar) params(first, last int) string {
	var b strings.Builder
	for n := first; n <= last; n++ {
		if n > first {
			b.WriteString(", ")
		}
		b.WriteString(g.param(n))
	}
	return b.String()
}
