package sqlstore

import (
	"context"
	"database/sql"
	"hash/fnv"
)

// postgres leaves room in its pages. An updated row then fits beside the old one,
// and as long as state and due stay the same, the update changes no index. The
// columns have no CHECKs: they would cost a fifth of an update, and both Save and
// Load validate records.
var postgres = grammar{
	name:    "PostgreSQL",
	param:   numbered("$"),
	quote:   `"`,
	schemas: true,
	ddl: []string{
		`CREATE TABLE IF NOT EXISTS {table} (
    user_id TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    state   TEXT   NOT NULL,
    due     BIGINT,
    updated BIGINT NOT NULL,
    data    BYTEA  NOT NULL
) WITH (fillfactor = 80)`,
		`CREATE INDEX IF NOT EXISTS {index_due} ON {table} (due) WHERE due IS NOT NULL`,
		`CREATE INDEX IF NOT EXISTS {index_state} ON {table} (state, user_id)`,
		`CREATE TABLE IF NOT EXISTS {table_version} (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
)`,
		`INSERT INTO {table_version} (id, version) VALUES (1, 1) ON CONFLICT (id) DO NOTHING`,
	},
	columns: func(t table, suffix string) (string, []any) {
		return `SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`, []any{t.quoted(suffix)}
	},
	apply:    applyPostgres,
	ignore:   onConflict,
	settings: settingsPostgres,
	confirm:  "SELECT pg_logical_emit_message(true, 'twofactor', '')",
}

// applyPostgres takes an advisory lock. Without it, if two sessions execute
// CREATE … IF NOT EXISTS at once, one of them can fail with a duplicate key.
func applyPostgres(ctx context.Context, db *sql.DB, t table, statements []string) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	h := fnv.New64a()
	h.Write([]byte("twofactor/sqlstore " + t.quoted("")))
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(h.Sum64())); err != nil {
		return err
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// persists is true if a crash leaves the rows of the table $1, or of all its partitions.
const persists = `(WITH RECURSIVE part (oid) AS (SELECT to_regclass($1)::oid UNION ALL SELECT inhrelid FROM pg_inherits JOIN part ON inhparent = part.oid) SELECT bool_and(relpersistence = 'p') FROM pg_class WHERE oid IN (SELECT oid FROM part))`

// settingsPostgres asks any session. The settings come from the server, the
// database and the role, so that they are the same for all sessions.
func settingsPostgres(ctx context.Context, db *sql.DB, t table) (wrong []string, err error) {
	var fsync, retries, zeroes, commit, standbys, isolation, encoding, recovery, persistent, hides, confirms, client, kept string
	err = db.QueryRowContext(ctx, `SELECT current_setting('fsync'), coalesce(current_setting('data_sync_retry', true), 'off'), current_setting('zero_damaged_pages'), current_setting('synchronous_commit'), current_setting('synchronous_standby_names'), current_setting('default_transaction_isolation'), current_setting('server_encoding'), pg_is_in_recovery()::text, coalesce(`+persists+`, true)::text, coalesce(row_security_active(to_regclass($1)), false)::text, coalesce((SELECT bool_and(has_function_privilege(oid, 'execute')) FROM pg_proc WHERE proname = 'pg_logical_emit_message' AND pronamespace = 'pg_catalog'::regnamespace AND proargtypes[2] = 'text'::regtype), false)::text, current_setting('client_encoding'), coalesce((SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = to_regclass($1)), true)::text`,
		t.quoted("")).Scan(&fsync, &retries, &zeroes, &commit, &standbys, &isolation, &encoding, &recovery, &persistent, &hides, &confirms, &client, &kept)
	if err != nil {
		return nil, err
	}
	if recovery != "false" {
		wrong = append(wrong, "the server is a replica: it reads old records, and used codes work again")
	}
	if fsync == "off" {
		wrong = append(wrong, "fsync is off: a power failure can destroy the table")
	}
	if retries == "on" { // old minor releases do not have it
		wrong = append(wrong, "data_sync_retry is on: after a flush that failed, acknowledged writes are lost without an error")
	}
	if zeroes == "on" {
		wrong = append(wrong, "zero_damaged_pages is on: the accounts of a damaged page are accounts without two-factor authentication")
	}
	if commit == "off" {
		wrong = append(wrong, "synchronous_commit is off: a crash loses acknowledged writes, and used codes work again")
	}
	if commit == "local" && standbys != "" {
		wrong = append(wrong, "synchronous_commit is local, and the server has a synchronous standby: a failover loses acknowledged writes, and used codes work again")
	}
	if isolation != "read committed" && isolation != "read uncommitted" { // the same to PostgreSQL
		wrong = append(wrong, "default_transaction_isolation is "+isolation+": two logins at the same time fail; use read committed")
	}
	if persistent != "true" {
		wrong = append(wrong, "the table, or a partition of it, is temporary or unlogged: a crash empties it")
	}
	if hides != "false" {
		wrong = append(wrong, "row-level security applies to the role: rows that it hides are accounts without two-factor authentication, and are not erased")
	}
	if confirms != "true" {
		wrong = append(wrong, "the role may not execute pg_logical_emit_message: after one write whose outcome is unknown, no account can be read")
	}
	if encoding != "UTF8" {
		wrong = append(wrong, "server_encoding is not UTF8: it can't hold every user id")
	}
	if client != "UTF8" {
		wrong = append(wrong, "client_encoding is not UTF8: with another driver, a user id is another one")
	}
	if kept != "true" {
		wrong = append(wrong, "the table is a view, or another thing that is no table: rows that it hides are accounts without two-factor authentication")
	}
	return wrong, nil
}
