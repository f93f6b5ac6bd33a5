package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Check returns an error if the table or the settings of the database can't keep what the
// library promises. Applications call it at start, with the pool that will serve. It writes
// nothing; with SQLite it holds the lock of writers for a moment.
//
// Check sees the server that serves now. Give its replicas the same settings, and call Check
// again after a failover, for example every few minutes.
//
// The error matches [ErrSchema] if the table can't be used. Otherwise it matches
// [ErrSettings] if the settings of the database are not safe, and says what to
// change:
//
//   - with SQLite, synchronous below FULL (below EXTRA with journal_mode DELETE),
//     a journal in memory or no journal, no busy_timeout, an encoding other than
//     UTF-8, a file without locks (in a pool of at least two connections)
//   - with PostgreSQL, fsync or synchronous_commit off, synchronous_commit local beside a
//     synchronous standby, data_sync_retry, zero_damaged_pages, an unlogged or temporary table
//     or partition, a server that is a replica, a default isolation level other than read
//     committed, a server_encoding or client_encoding other than UTF8, a view, a role to which
//     row-level security applies
//     or that may not execute pg_logical_emit_message
//   - with MySQL, innodb_flush_log_at_trx_commit other than 1 or MariaDB's 3,
//     innodb_flush_method nosync, a binary log with sync_binlog other than 1, a sql_mode that
//     is not strict, the isolation level read uncommitted, autocommit off, read_only, a server
//     that is known to be a replica, an engine other than InnoDB, semi-synchronous replication
//     with AFTER_COMMIT, or that stops waiting once no replica is connected
//   - with MySQL in a Galera cluster, wsrep_sync_wait without 1, 2 or 4, wsrep_on off,
//     wsrep_dirty_reads, pc.ignore_sb, pc.ignore_quorum
//
// Any other error is the context's or the driver's; but one of the last step, which asks for
// the plan of an INSERT, matches ErrSchema whatever has failed. If the database knows a plain
// SELECT but not the dialect, the error asks whether the dialect is right.
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

// settings returns as unsafe what is wrong with the settings, which matches
// ErrSettings, and as err why it could not tell.
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

// doubted adds a question to err if the database works but does not understand
// what every database of the dialect understands.
func (s *Store) doubted(ctx context.Context, err error) error {
	if s.grammar.busy != nil && s.grammar.busy(err) {
		return err
	}
	if _, broken := s.strings(ctx, "asking for 1", "SELECT '1'"); broken != nil {
		return err
	}
	return fmt.Errorf("%w (is the dialect right? the Store speaks %s)", err, s.grammar.name)
}

// version returns the version of the existing schema, or 0 if there is none. It returns
// ErrSchema for a newer version than this package knows.
func (s *Store) version(ctx context.Context) (int64, error) {
	const doing = "reading the version of the schema"
	statement, args := s.grammar.columns(s.table, suffixVersion)
	there, err := s.strings(ctx, doing, statement, args...)
	if err != nil {
		return 0, s.doubted(ctx, err)
	}
	if len(there) == 0 {
		return 0, nil
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
		return 0, fmt.Errorf("%w: its schema has version %d, and this package knows version %d: update the library", ErrSchema, version, schemaVersion)
	}
	return version, nil
}

// existing returns the version of the schema, or 0 if the table or its version does not exist.
// It returns ErrSchema if the table lacks columns, is newer than this package knows, or is
// gone and has left its version behind.
func (s *Store) existing(ctx context.Context) (int64, error) {
	// The version comes first: another process may create both tables meanwhile.
	version, err := s.version(ctx)
	if err != nil {
		return 0, err
	}
	absent, err := s.missing(ctx)
	if err == nil && absent && version > 0 {
		err = fmt.Errorf("%w: %s does not exist, but %s does: restore the table, or drop that one too for a table without users", ErrSchema, s.table.quoted(""), s.table.quoted(suffixVersion))
	}
	return version, err
}

// missing reports whether the table does not exist. It returns ErrSchema if the table lacks
// columns.
func (s *Store) missing(ctx context.Context) (bool, error) {
	statement, args := s.grammar.columns(s.table, "")
	there, err := s.strings(ctx, "looking for the table", statement, args...)
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

// probes are different ids in the order of their bytes. Other rules would take
// some of them for one id, or order them differently.
var probes = []string{"A", "ALICE", "Alice ", "a", "alice", "alice ", "a\u0301", "\u00c1lice", "\u00e1", "\uffee", "\U0001F600"}

// schema returns ErrSchema unless the table exists, has a known version and all columns, and
// compares ids by their bytes.
func (s *Store) schema(ctx context.Context) error {
	const doing = "checking the table"
	version, err := s.existing(ctx)
	if err != nil {
		return err
	}
	if version != schemaVersion {
		return fmt.Errorf("%w: %s does not exist, or %s does not hold version %d: call Migrate, or execute all that Schema returns", ErrSchema, s.table.quoted(""), s.table.quoted(suffixVersion), schemaVersion)
	}

	if s.grammar.idType != nil {
		statement, args := s.grammar.idType(s.table)
		types, err := s.strings(ctx, doing, statement, args...)
		if err != nil {
			return err
		}
		for _, declared := range types {
			if !s.grammar.holdsIDs(declared) {
				return fmt.Errorf("%w: user_id has the type %q, which does not keep ids as they are, so that two users can be taken for one", ErrSchema, declared)
			}
		}
	}

	// A UNION of the column and the probes compares and sorts them by the rules of
	// the column.
	var b strings.Builder
	var args []any
	fmt.Fprintf(&b, "SELECT user_id FROM %s WHERE 1 = 0", s.table.quoted(""))
	for i, probe := range probes {
		b.WriteString(" UNION SELECT " + s.grammar.param(i+1))
		args = append(args, probe)
	}
	b.WriteString(" ORDER BY 1")
	got, err := s.strings(ctx, doing, b.String(), args...)
	mixed := err != nil && s.grammar.mixed != nil && s.grammar.mixed(err)
	if err != nil && !mixed {
		return err
	}
	if mixed || !slices.Equal(got, probes) {
		return fmt.Errorf("%w: the collation of user_id does not compare bytes, so that two users can be taken for one", ErrSchema)
	}

	if s.grammar.unique != nil {
		statement, args := s.grammar.unique(s.table)
		keys, err := s.strings(ctx, doing, statement, args...)
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			return fmt.Errorf("%w: user_id has no unique key of its own, so that a user can have two rows", ErrSchema)
		}
	}

	// To EXPLAIN an INSERT shows whether the unique key exists that its ON CONFLICT
	// needs, and inserts nothing.
	rows, err := s.db.QueryContext(ctx, "EXPLAIN "+s.create, "probe", int64(1), "none", nil, int64(0), []byte{})
	if err == nil {
		for rows.Next() {
		}
		err = rows.Err()
		rows.Close()
	}
	if err != nil {
		if ended(ctx) != nil {
			return failed(ctx, doing, err)
		}
		return fmt.Errorf("%w: a row can't be inserted, perhaps because user_id has no unique key: %w", ErrSchema, err)
	}
	return nil
}

// strings returns the rows of a query with one column of text.
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
