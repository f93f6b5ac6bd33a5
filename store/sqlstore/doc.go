// Package sqlstore keeps two-factor records in a table of the host's own SQL
// database, through [database/sql] and whatever driver the host has chosen. It
// imports no driver, and speaks the dialects of [SQLite] and [PostgreSQL].
//
//	db, err := sql.Open("pgx", dsn)
//	accounts := sqlstore.New(db, sqlstore.PostgreSQL)
//	err = accounts.Migrate(ctx) // makes the table if it is not there, then Check
//
// A host with migrations of its own takes the table from [Schema] and calls
// [Store.Check] when it starts.
//
// # What is sent
//
// All that a Store sends while it serves, for PostgreSQL; SQLite gets ?1 for
// $1:
//
//	SELECT user_id, version, state, due, updated, data FROM "twofactor_accounts" WHERE user_id = $1
//
//	INSERT INTO "twofactor_accounts" (user_id, version, state, due, updated, data) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id) DO NOTHING
//
//	UPDATE "twofactor_accounts" SET version = $1, state = $2, due = $3, updated = $4, data = $5 WHERE user_id = $6 AND version = $7
//
//	DELETE FROM "twofactor_accounts" WHERE user_id = $1
//
//	SELECT user_id, version, state, due, updated, data FROM "twofactor_accounts" WHERE user_id > $1 AND state IN ($2, $3) AND due IS NOT NULL AND due <= $4 ORDER BY user_id LIMIT 101
//
// The last one is [Store.List] with only the conditions that the query has;
// with UserIDs it says user_id IN ($1, $2, …) for a hundred of them at a time.
//
// A Save is one INSERT or one UPDATE, in no transaction, and the number of
// rows it changed is its result: one, or none, which is a conflict. Times are
// integers, microseconds since 1970 in UTC, so that no driver, server or
// session can move them to another time zone. User ids are compared by their
// bytes.
//
// Statements are not prepared ahead: [database/sql] would prepare each again
// on every connection, keep them open, and break behind a pooler that gives
// each transaction another server connection. Drivers that gain from prepared
// statements keep their own, as pgx does, and let the host switch that off
// for PgBouncer.
//
// The Store is never part of the host's transaction, and must not be: a failed
// attempt that is rolled back with a request was free.
//
// # PostgreSQL
//
// Give the Store a connection to the primary, never to a replica, or a used
// code is accepted there again, and a role with SELECT, INSERT, UPDATE and
// DELETE on the table. Migrate also needs the right to create tables. Keep
// fsync and synchronous_commit on. The default isolation level has to be read
// committed, as it is unless somebody changed it: a conditional UPDATE waits
// there for the one before and sees what that has written, and at the stricter
// levels it fails. A host that needs another default for itself appends
// default_transaction_isolation=read\ committed to the settings of a pool of
// its own for the Store.
//
// # SQLite
//
// The database is a file, and every connection of the pool needs these
// settings, which is why they belong in the data source name. A PRAGMA sent
// through sql.DB reaches one connection only. With modernc.org/sqlite:
//
//	file:accounts.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate
//
// and with github.com/mattn/go-sqlite3:
//
//	file:accounts.db?_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate
//
// They are:
//
//   - synchronous=FULL, because with NORMAL a power failure takes back writes
//     that were acknowledged: a used code works again, and a counted failure
//     is forgotten.
//   - journal_mode=WAL, so that logins that read do not wait for one that
//     writes. Without it they wait for each other, and the default, DELETE,
//     needs synchronous=EXTRA to be as durable.
//   - busy_timeout, so that a write waits for one of another connection
//     instead of failing.
//   - _txlock=immediate, for the host's own transactions: one that reads
//     first and writes later fails at once, whatever the timeout, when it
//     meets another writer.
//
// SQLite has one writer at a time, and connections that wait for their turn
// poll for it, which starves some of them. A Store therefore sends its own
// writes one after another; use one Store per database. The file must be on
// a local disk: locks of network file systems fail silently. And ":memory:" is
// not a database for a pool: each connection has one of its own, and an
// account that one made does not exist for the next. Use package memory, or a
// file in a temporary folder.
//
// Needs SQLite 3.37 for its strict tables, and PostgreSQL 9.6.
package sqlstore
