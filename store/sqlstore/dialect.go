package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// Dialect names the SQL of a database. The zero Dialect is invalid.
type Dialect uint8

// The dialects.
const (
	// SQLite is SQLite 3.37 or later, in a file, see the package's
	// documentation for the settings it needs.
	SQLite Dialect = iota + 1

	// PostgreSQL is PostgreSQL 9.6 or later, directly or through PgBouncer.
	PostgreSQL
)

// String returns the name of the dialect, as its makers write it; for an
// invalid one, "Dialect(n)".
func (d Dialect) String() string {
	if g, ok := grammars[d]; ok {
		return g.name
	}
	return fmt.Sprintf("Dialect(%d)", uint8(d))
}

// A grammar is everything in which the dialects differ. Another dialect is
// another grammar.
type grammar struct {
	name string

	// param returns the placeholder of the n-th argument, from 1.
	param func(n int) string

	// schemas says that a table's name can be qualified with a schema's.
	schemas bool

	// ddl makes the table, its indexes and the record of its version. Every
	// statement is idempotent; {table} and the like are names, see expand.
	ddl []string

	// columns returns the names of the columns of the table whose quoted name
	// is its argument; no row if there is no such table.
	columns string

	// apply executes the statements such that several processes can do so at
	// the same time.
	apply func(ctx context.Context, db *sql.DB, t table, statements []string) error

	// settings returns what is wrong with how the database is set up, one
	// sentence each.
	settings func(ctx context.Context, db *sql.DB, t table) ([]string, error)

	// busy reports whether an error of migrating may be gone when tried again.
	// Nil if the database waits by itself.
	busy func(err error) bool

	// oneWriter says that the database can have a single writer at a time and
	// serves those that wait badly.
	oneWriter bool
}

// grammars holds the grammar of every valid dialect.
var grammars = map[Dialect]grammar{
	SQLite:     sqlite,
	PostgreSQL: postgres,
}

// numbered returns a grammar's param that puts the number behind the mark.
func numbered(mark string) func(int) string {
	return func(n int) string { return mark + strconv.Itoa(n) }
}

// params returns the placeholders from the first to the last, with commas.
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
