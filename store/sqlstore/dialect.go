package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// onConflict is the ignore of the dialects that know it.
const onConflict = " ON CONFLICT (user_id) DO NOTHING"

// A Dialect is the SQL of a database. The zero Dialect is invalid.
type Dialect uint8

// The dialects.
const (
	// SQLite is SQLite 3.37 or later with a file. The documentation of the
	// package says which settings it needs.
	SQLite Dialect = iota + 1

	// PostgreSQL is PostgreSQL 9.6 or later, directly or through PgBouncer 1.18 or later.
	PostgreSQL

	// MySQL is MariaDB 10.6 or MySQL 8.0.22, or a later version of either. It was tested on
	// MariaDB alone. Of MySQL's Group Replication, use one primary: Check knows nothing of it.
	MySQL
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

	// quote stands around a name that may be a reserved word.
	quote string

	// schemas says that the name of a table can have a schema in front.
	schemas bool

	// ddl creates the table, its indexes and the table of its version. Every
	// statement can be repeated. Names like {table} are for expand.
	ddl []string

	// columns returns a query, with its arguments, for the columns of the table
	// whose name ends with the suffix. The query returns no row if there is no
	// such table.
	columns func(t table, suffix string) (statement string, args []any)

	// replaced is the end of a SELECT by key. It adds a row with an empty user id if the server
	// is not the primary any more, and has kept its connections. It is empty where no server
	// does that.
	replaced string

	// idType returns a query for the type of user_id, and holdsIDs reports whether a column of
	// that type keeps each id as it is. Both are nil if the collation says enough.
	idType   func(t table) (statement string, args []any)
	holdsIDs func(declared string) bool

	// apply executes the statements. Several processes may do so at the same
	// time.
	apply func(ctx context.Context, db *sql.DB, t table, statements []string) error

	// settings returns what is wrong with the settings of the database, one
	// sentence each.
	settings func(ctx context.Context, db *sql.DB, t table) ([]string, error)

	// mixed reports whether a query failed because the collation of user_id is
	// another one than that of the arguments. It is nil if none fails so.
	mixed func(err error) bool

	// unique returns a query for the names of the unique keys of user_id. It is
	// nil if an INSERT fails without such a key.
	unique func(t table) (statement string, args []any)

	// ignore is the end of an INSERT, so that it changes no row if the user has
	// one. It is empty if the INSERT then fails; see conflict.
	ignore string

	// conflict reports whether an INSERT or UPDATE that failed has changed
	// nothing because another write was first. It is nil if none fails so.
	conflict func(err error) bool

	// confirm writes to the log of the database and to no table. It is for a server whose
	// commit waits for a replica, stops waiting when the client cancels the statement, and
	// then shows the write. It is empty where no server does that.
	confirm string

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
	MySQL:      mysql,
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
