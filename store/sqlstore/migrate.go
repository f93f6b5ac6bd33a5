package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// schemaVersion is the version of the schema that this package makes and
// knows.
const schemaVersion = 1

var (
	// ErrSchema says that the table is not one that this package can use: it
	// is not there, lacks columns or its key, does not compare user ids by
	// their bytes, or was made by a newer version of this package.
	ErrSchema = errors.New("sqlstore: the table can't be used")

	// ErrSettings says that the table can be used, but that the database is
	// set up such that it may forget what it has acknowledged, or fails where
	// it only had to wait. For a test's database a host may let this error
	// pass; in production used codes would work again after a crash.
	ErrSettings = errors.New("sqlstore: the database is not set up to keep what it acknowledges")
)

// Migrate makes the table, its indexes and the record of its version if they
// are not there, and then does what [Store.Check] does. It may be called at
// every start and by several processes at once; it changes nothing when there
// is nothing to do, and then needs no right to create tables.
//
// It returns an error that matches [ErrSchema], having changed nothing, if a
// table of that name exists that lacks columns or is newer than this package
// knows. An error that matches [ErrSettings] comes last, when the table is
// ready.
func (s *Store) Migrate(ctx context.Context) error {
	for pause := busyPause; ; pause += busyPause {
		err := s.migrate(ctx)
		if err == nil || pause > maxBusyPause || s.grammar.busy == nil || !s.grammar.busy(err) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return failed(ctx, "migrating", ctx.Err())
		}
	}
}

// Pauses of Migrate while other processes hold the database, each longer than
// the one before: a little over four seconds altogether.
const (
	busyPause    = 20 * time.Millisecond
	maxBusyPause = 20 * busyPause
)

// migrate is Migrate without patience. Every step of it can be repeated.
func (s *Store) migrate(ctx context.Context) error {
	const doing = "migrating"
	unsafe, err := s.settings(ctx)
	if err != nil {
		return err
	}
	version, err := s.version(ctx)
	if err != nil {
		return err
	}
	// A table that somebody else has made fails here with what it lacks, and not
	// in an index on it.
	absent, err := s.missing(ctx)
	if err != nil {
		return err
	}
	// The table of the version stays behind when a host drops the other one.
	if absent || version < schemaVersion {
		done, err := s.begin(ctx, doing)
		if err != nil {
			return err
		}
		err = s.grammar.apply(ctx, s.db, s.table, s.table.statements(s.grammar))
		done()
		if err != nil {
			return failed(ctx, doing, err)
		}
	}
	if err := s.schema(ctx); err != nil {
		if unsafe != nil { // which can explain it, as with a database in memory
			return fmt.Errorf("%w; moreover, %v", err, unsafe)
		}
		return err
	}
	return unsafe
}

// Check reports whether the table and the database are fit for what the
// library promises. Hosts call it when they start, with the same pool that
// serves; it writes nothing.
//
// It returns an error that matches [ErrSchema] if the table can't be used, and
// otherwise one that matches [ErrSettings] if the database may forget what it
// has acknowledged, and says what to change: with SQLite, synchronous less
// than FULL (or than EXTRA with the journal mode DELETE), a journal in memory or
// none, no busy_timeout, an encoding other than UTF-8; with PostgreSQL, fsync or
// synchronous_commit off, an unlogged or temporary table, a server that is a
// replica, a default isolation level other than read committed, a
// server_encoding other than UTF8.
func (s *Store) Check(ctx context.Context) error {
	if err := s.schema(ctx); err != nil {
		return err
	}
	unsafe, err := s.settings(ctx)
	if err != nil {
		return err
	}
	return unsafe
}

// settings returns what is wrong with how the database is set up, which
// matches ErrSettings, and an error if it could not tell.
func (s *Store) settings(ctx context.Context) (unsafe, err error) {
	wrong, err := s.grammar.settings(ctx, s.db, s.table)
	if err != nil {
		return nil, s.doubted(ctx, failed(ctx, "checking the settings", err))
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%w: %s", ErrSettings, strings.Join(wrong, "; ")), nil
	}
	return nil, nil
}

// doubted adds a question to err if the database works, but has refused what
// every database of the dialect understands.
func (s *Store) doubted(ctx context.Context, err error) error {
	if s.grammar.busy != nil && s.grammar.busy(err) {
		return err
	}
	if _, broken := s.strings(ctx, "asking for 1", "SELECT '1'"); broken != nil {
		return err
	}
	return fmt.Errorf("%w (is the dialect right? the Store speaks %s)", err, s.grammar.name)
}

// version returns the version of the schema that is there, 0 for none. It
// returns ErrSchema for one that this package does not know.
func (s *Store) version(ctx context.Context) (int64, error) {
	const doing = "reading the version of the schema"
	there, err := s.strings(ctx, doing, s.grammar.columns, s.table.quoted(suffixVersion))
	if err != nil || len(there) == 0 {
		return 0, err
	}
	rows, err := s.db.QueryContext(ctx, "SELECT version FROM "+s.table.quoted(suffixVersion))
	if err != nil {
		return 0, failed(ctx, doing, err)
	}
	defer rows.Close()
	var version int64
	for rows.Next() {
		if err := rows.Scan(&version); err != nil {
			return 0, failed(ctx, doing, err)
		}
	}
	if err := rows.Err(); err != nil {
		return 0, failed(ctx, doing, err)
	}
	if version > schemaVersion {
		return 0, fmt.Errorf("%w: its schema has version %d, and this package knows %d: update the library", ErrSchema, version, schemaVersion)
	}
	return version, nil
}

// missing reports whether there is no table at all, and returns ErrSchema if
// there is one that lacks columns.
func (s *Store) missing(ctx context.Context) (bool, error) {
	there, err := s.strings(ctx, "looking for the table", s.grammar.columns, s.table.quoted(""))
	if err != nil {
		return false, s.doubted(ctx, err)
	}
	if len(there) == 0 {
		return true, nil
	}
	var lacks []string
	for column := range strings.SplitSeq(columns, ", ") {
		if !slices.Contains(there, column) {
			lacks = append(lacks, column)
		}
	}
	if len(lacks) > 0 {
		return false, fmt.Errorf("%w: %s lacks the columns %s", ErrSchema, s.table.quoted(""), strings.Join(lacks, ", "))
	}
	return false, nil
}

// probes are ids that differ in their bytes only, and lie in another order by
// any rule but that of UTF-8.
var probes = []string{"A", "ALICE", "Alice ", "a", "alice", "alice ", "a\u0301", "\u00c1lice", "\u00e1", "\uffee", "\U0001F600"}

// schema returns ErrSchema unless the table is there, known, complete, and
// compares ids by their bytes.
func (s *Store) schema(ctx context.Context) error {
	const doing = "checking the table"
	absent, err := s.missing(ctx)
	if err != nil {
		return err
	}
	if absent {
		return fmt.Errorf("%w: there is no %s: call Migrate, or apply what Schema returns", ErrSchema, s.table.quoted(""))
	}
	version, err := s.version(ctx)
	if err != nil {
		return err
	}
	if version != schemaVersion {
		return fmt.Errorf("%w: %s does not say version %d: call Migrate, or apply all that Schema returns", ErrSchema, s.table.quoted(suffixVersion), schemaVersion)
	}

	// A set made of the column and the probes compares and sorts them as the
	// column does.
	var b strings.Builder
	var args []any
	fmt.Fprintf(&b, "SELECT user_id FROM %s WHERE 1 = 0", s.table.quoted(""))
	for i, probe := range probes {
		b.WriteString(" UNION SELECT " + s.grammar.param(i+1))
		args = append(args, probe)
	}
	b.WriteString(" ORDER BY 1")
	got, err := s.strings(ctx, doing, b.String(), args...)
	if err != nil {
		return err
	}
	if !slices.Equal(got, probes) {
		return fmt.Errorf("%w: user_id has a collation that does not compare bytes, and takes different users for one", ErrSchema)
	}

	// Explaining an INSERT finds out whether there is the unique key that its
	// ON CONFLICT needs, and inserts nothing.
	rows, err := s.db.QueryContext(ctx, "EXPLAIN "+s.create, "probe", int64(1), "none", nil, int64(0), []byte{})
	if err == nil {
		for rows.Next() {
		}
		err = rows.Err()
		rows.Close()
	}
	if err != nil {
		if ctx.Err() != nil {
			return failed(ctx, doing, err)
		}
		return fmt.Errorf("%w: a row can't be inserted: %w", ErrSchema, err)
	}
	return nil
}

// strings returns the rows of a query of one text column.
func (s *Store) strings(ctx context.Context, doing, statement string, args ...any) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, failed(ctx, doing, err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, failed(ctx, doing, err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, failed(ctx, doing, err)
	}
	return all, nil
}
