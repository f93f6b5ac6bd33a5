package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"
)

// sqlite uses an ordinary table. A table WITHOUT ROWID has whole rows in the
// inner pages of its tree, which is for smaller rows than these. STRICT enforces
// the types of the columns.
var sqlite = grammar{
	name:  "SQLite",
	param: numbered("?"), // "$1" would be a name here, numbered by appearance
	quote: `"`,
	ddl: []string{
		`CREATE TABLE IF NOT EXISTS {table} (
    user_id TEXT    NOT NULL COLLATE BINARY PRIMARY KEY,
    version INTEGER NOT NULL,
    state   TEXT    NOT NULL,
    due     INTEGER,
    updated INTEGER NOT NULL,
    data    BLOB    NOT NULL
) STRICT`,
		`CREATE INDEX IF NOT EXISTS {index_due} ON {table} (due) WHERE due IS NOT NULL`,
		`CREATE INDEX IF NOT EXISTS {index_state} ON {table} (state, user_id)`,
		`CREATE TABLE IF NOT EXISTS {table_version} (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT`,
		`INSERT INTO {table_version} (id, version) VALUES (1, 1) ON CONFLICT (id) DO NOTHING`,
	},
	columns: func(t table, suffix string) (string, []any) {
		return `SELECT name FROM pragma_table_info(?1)`, []any{t.name + suffix}
	},
	idType: func(t table) (string, []any) {
		return `SELECT type FROM pragma_table_info(?1) WHERE name = 'user_id'`, []any{t.name}
	},
	holdsIDs:  holdsText,
	apply:     applyInTurn,
	ignore:    onConflict,
	settings:  settingsSQLite,
	busy:      busySQLite,
	oneWriter: true,
}

// busySQLite looks for SQLite's own words, which all drivers pass on. If several
// connections turn a new file into a WAL database at the same time, some fail
// with this error at once, whatever their timeout.
func busySQLite(err error) bool {
	return strings.Contains(err.Error(), "database is locked")
}

// holdsText reports whether a column of that type keeps a text as it is: it has the affinity
// TEXT (https://sqlite.org/datatype3.html, section 3.1). Most other types, STRING among them,
// make one number of the texts 7 and 007.
func holdsText(declared string) bool {
	is := func(word string) bool { return strings.Contains(strings.ToUpper(declared), word) }
	return !is("INT") && (is("CHAR") || is("CLOB") || is("TEXT"))
}

// applyInTurn is for databases that need no transaction. Each statement is
// atomic, waits for its turn, and does nothing if another process was first.
func applyInTurn(ctx context.Context, db *sql.DB, _ table, statements []string) error {
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// secondConn is how long settingsSQLite waits for a second connection. The pool
// may be busy.
const secondConn = time.Second

// settingsSQLite looks at two connections, if it can get two. A PRAGMA that the
// application has sent through sql.DB has reached one of them only.
func settingsSQLite(ctx context.Context, db *sql.DB, _ table) ([]string, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	wrong, err := pragmas(ctx, conn)
	if err != nil || len(wrong) > 0 || db.Stats().MaxOpenConnections == 1 {
		return wrong, err
	}
	soon, cancel := context.WithTimeout(ctx, secondConn)
	defer cancel()
	second, err := db.Conn(soon)
	if err != nil {
		return nil, ctx.Err()
	}
	defer second.Close()
	if wrong, err = pragmas(ctx, second); err != nil {
		return nil, err
	}
	if len(wrong) > 0 {
		return append([]string{"the settings of the pool's connections differ: put the settings into the data source name"}, wrong...), nil
	}
	free, err := unlocked(ctx, conn, second)
	if err == nil && free {
		wrong = append(wrong, "two connections can write at once, because the file is not locked (nolock, the VFS unix-none) or each has a file of its own (no name): two Saves succeed, and codes work twice")
	}
	return wrong, err
}

// unlocked reports whether both connections can begin to write. Neither writes anything.
func unlocked(ctx context.Context, first, second *sql.Conn) (bool, error) {
	// after leaves a connection as it was, or closes it.
	after := func(conn *sql.Conn, statement string) {
		if _, err := conn.ExecContext(context.WithoutCancel(ctx), statement); err != nil {
			conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}
	begin := func(conn *sql.Conn) (began bool, err error) {
		_, err = conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		switch {
		case err == nil:
			return true, nil
		case strings.Contains(err.Error(), " is locked"):
			return false, nil // by whomever
		}
		after(conn, "ROLLBACK") // if the context has ended, the lock can be held all the same
		return false, err
	}
	var timeout int
	if err := second.QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&timeout); err != nil {
		return false, err
	}
	began, err := begin(first)
	if err != nil || !began {
		return false, err
	}
	defer after(first, "ROLLBACK")
	defer after(second, fmt.Sprintf("PRAGMA busy_timeout = %d", timeout))
	if _, err := second.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return false, err
	}
	if began, err = begin(second); began {
		after(second, "ROLLBACK")
	}
	return began, err
}

// pragmas returns what is wrong with the settings of one connection.
func pragmas(ctx context.Context, conn *sql.Conn) (wrong []string, err error) {
	var journal, encoding string
	var synchronous, timeout int
	for _, p := range []struct {
		name  string
		value any
	}{
		{"journal_mode", &journal},
		{"synchronous", &synchronous},
		{"busy_timeout", &timeout},
		{"encoding", &encoding},
	} {
		if err := conn.QueryRowContext(ctx, "PRAGMA "+p.name).Scan(p.value); err != nil {
			return nil, fmt.Errorf("PRAGMA %s: %w", p.name, err)
		}
	}
	const full, extra = 2, 3
	switch journal {
	case "memory", "off":
		wrong = append(wrong, "journal_mode is "+journal+": a crash can destroy the file; and a database in memory is lost at the end of the process, and is another one for each connection")
	case "delete":
		if synchronous < extra {
			wrong = append(wrong, "journal_mode is delete and synchronous is less than EXTRA: a power failure loses acknowledged writes, and used codes work again; use WAL and FULL")
		}
	default:
		if synchronous < full {
			wrong = append(wrong, "synchronous is less than FULL: a power failure loses acknowledged writes, and used codes work again")
		}
	}
	if timeout <= 0 {
		wrong = append(wrong, "busy_timeout is 0: a write fails while another connection writes")
	}
	if encoding != "UTF-8" {
		wrong = append(wrong, "encoding is not UTF-8: user ids are not ordered by their bytes")
	}
	return wrong, nil
}
