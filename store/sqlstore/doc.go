// Package sqlstore keeps two-factor records in a table of the application's own SQL
// database. It works through [database/sql] with the driver that the application has
// chosen, and imports no driver. It supports [SQLite], [PostgreSQL], and [MySQL] with
// MariaDB.
//
//	db, err := sql.Open("pgx", dsn)
//	accounts := sqlstore.New(db, sqlstore.PostgreSQL)
//	err = accounts.Migrate(ctx) // creates the table if it is missing, then checks it
//
// An application that uses another library for its database passes that library's
// *sql.DB, for example what DB returns for GORM, or stdlib.OpenDBFromPool(pool) for a
// pgxpool.
//
// An application with migrations of its own takes the statements from [Schema] and
// calls [Store.Check] at start.
//
// # Statements
//
// While it serves, a Store sends only these statements, but for what the end of this section
// says. They are for PostgreSQL; SQLite has ?1 in place of $1. MySQL has ?, names in backticks,
// and no ON CONFLICT:
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
// The last one is from [Store.List], which leaves out the conditions that the query does not
// set. If the query has UserIDs, the condition is user_id IN ($1, $2, …), with up to a hundred
// ids.
//
// With MySQL, Load adds a second SELECT to its statement, which finds a row only if the server is
// read_only, and then returns an error. A server that becomes a replica keeps its connections, and
// a user who has enrolled at the new primary would get in over one of them without a code.
//
//	SELECT user_id, version, state, due, updated, data FROM `twofactor_accounts` WHERE user_id = ? UNION ALL SELECT '', 0, '', NULL, 0, '' FROM DUAL WHERE CONCAT(@@global.read_only) NOT IN ('0', 'OFF')
//
// With PostgreSQL, a Load after a Save or Erase whose outcome is unknown sends this statement as
// well, in a transaction. So do an Erase and an EraseTx that find no row.
//
//	SELECT pg_logical_emit_message(true, 'twofactor', '')
//
// Every role may execute it by default. [Store.Check] refuses one that may not. Without a
// synchronous standby, it returns at once.
//
// A Save is one INSERT or one UPDATE without a transaction. If it changed no
// row, that is a conflict; see the table of errors below. Times are integers,
// microseconds since 1970 in UTC, so that no driver, server or session can move them
// to another time zone. User ids are compared by their bytes.
//
// A Store does not prepare statements. [database/sql] would prepare each one
// again on every connection and keep it open, and prepared statements fail
// behind a pooler that changes the server connection between transactions. Some
// drivers prepare statements by themselves. They have a setting to turn that off for
// PgBouncer: default_query_exec_mode=exec for pgx, binary_parameters=yes for lib/pq.
//
// Limit the pool by SetMaxOpenConns, because [database/sql] does not. A call of a Guard uses
// one connection at a time.
//
// A Store never takes part in a transaction of the application, and must not: if a
// failed attempt were rolled back together with the request, it would not count. The
// exception is [Store.EraseTx], for the deletion of a user.
//
// # Errors
//
// The documentation of package store says what a Guard does after an error. A Store never
// sends a Save again by itself, nor lets the pool do so.
//
//	error                                  a Save returns     has it changed anything?  who may try again
//	no row changed                         store.ErrConflict  no                        the Guard does
//	MySQL 1062, duplicate key              store.ErrConflict  no                        the Guard does
//	MySQL 1213, deadlock with another      store.ErrConflict  no                        the Guard does
//	  write of the record, or another
//	  node of a Galera cluster was first
//	MySQL 1205, lock wait timeout, or      the error          no                        the caller
//	  a Galera node that does not catch up
//	MySQL 1047, a Galera node without      the error          no                        the caller, at another node
//	  its cluster
//	MySQL 1290, read only, as after a      the error          no                        the caller, at the primary
//	  failover to another server
//	PostgreSQL 40001, serialization        the error          no                        the caller; Check refuses
//	                                                                                    the levels that cause it
//	PostgreSQL 40P01, deadlock             the error          no                        the caller
//	PostgreSQL 55P03, lock timeout         the error          no                        the caller
//	PostgreSQL 25006, read only, as after  the error          no                        the caller, at the primary
//	  a failover to another server
//	SQLite busy, after busy_timeout        the error          no                        the caller
//	the context ended                      its error          unknown                   the caller, with a new context
//	the connection broke                   the error          unknown                   the caller
//	anything else                          the error          unknown                   the caller, once the cause is
//	                                                                                    gone: too many connections
//
// After 1213 the table may still hold the version that the Save was to replace, so a
// second try can succeed. An Erase that meets 1213 has changed nothing, so it is sent
// again, ten times in all. One by [Store.EraseTx] is not: the whole transaction is rolled
// back.
//
// "The caller" is the application that called the Guard. It may ask the user to
// type the next code, or repeat the call: if the code was stored as used, the Guard
// denies it as used. [Store.Migrate] repeats its statements after SQLite's busy and
// MySQL's 1205 and 1213, up to twenty times and within the context. The pauses are four
// seconds in all, besides what the database itself waits each time.
//
// The numbers of MySQL's errors are read from the beginning of their text, because
// this package imports no driver. github.com/go-sql-driver/mysql is tested. With a
// driver that writes another text, two concurrent first setups of a user end in an
// error instead of a conflict.
//
// # PostgreSQL
//
// Connect the Store to the primary, and never to a replica, whose records are old: a user who
// has just enrolled gets in without a code. A proxy that sends reads to replicas, such as
// Pgpool-II with load balancing, does that too, and Check may not see it. With several hosts
// in the data source name, set target_session_attrs=read-write. The role needs USAGE on the
// schema, SELECT, INSERT, UPDATE and DELETE on the table, SELECT on the table of the version,
// and the right to create tables if Migrate has to create them. Keep fsync,
// synchronous_commit and full_page_writes on. Check does not ask for the last one, because a
// file system that never writes half a page can do without.
//
// The default isolation level must be read committed, which is PostgreSQL's own
// default. At that level a conditional UPDATE waits for the one before it and sees what
// it wrote. At stricter levels it fails. If the application needs another default, give
// the Store a pool of its own whose settings end with
// default_transaction_isolation=read\ committed.
//
// Replication is asynchronous by default. If the primary dies, what it acknowledged in the
// last moments is lost. For a failover that loses nothing, name the standbys that a commit
// waits for in synchronous_standby_names. Check does not ask for one. While no such standby is
// connected, no write is acknowledged, and nobody signs in with a code.
//
// If the context ends during that wait, or somebody ends the session or the server, PostgreSQL
// stops waiting, keeps the write, and shows it to everybody, although the standby may lack it.
// A Guard would find the write and accept the code, and after a failover the code would work
// again. So after a Save or Erase whose outcome is unknown, a Load of this Store reads the
// record in a transaction that also writes a message to the log, and to no table. Its commit
// waits until the standby has that. Load returns an error if the standby is away for five
// seconds, or until the context ends. An Erase that finds no row waits in the same way, and so
// does the commit after an EraseTx that finds none.
//
// Another process can read the record meanwhile, and refuses the code as used. If the record
// was erased, that process finds none, and Admin.Erase of package enrollment returns nil
// there although the standby still has it.
//
// Do not use pg_cancel_backend while a session waits for the standby: PostgreSQL then tells
// the Store that the write is done. PgBouncer before 1.18 could do the same, when it cancelled
// the statement of one client and met that of another.
//
// Leave row-level security off for the table: a row that it hides reads as a user without
// two-factor authentication. If every table of yours has it, let the Store connect as the
// owner of this one (without FORCE), or as a role with BYPASSRLS. [Store.Check] refuses a role
// to which it applies.
//
// Stop the old primary before you promote the standby. A Load that the old primary still
// answers may not be confirmed by any standby, and can show a write that the new primary
// lacks.
//
// With several standbys, promote one that has confirmed every commit. With FIRST 1 (a, b), that
// is the one whose sync_state was sync. With ANY 1 (a, b), a commit waits for either of them, so
// promote the one that has received most: the greater of pg_last_wal_receive_lsn(), which can
// be NULL or too low after a restart without the primary, and pg_last_wal_replay_lsn().
//
// [Store.Check] accepts synchronous_commit = remote_write beside a synchronous standby. The
// standby then has each write in the memory of its system, but perhaps not on its disk. If
// it loses power, or its system crashes, together with the primary, and then takes over, the
// last writes are lost.
//
// For very many accounts the table can be partitioned by a hash of user_id. Create it
// with the columns of [Schema] and user_id as its primary key, and its partitions with
// fillfactor = 80, before Migrate. internal/bench/SCALE.md has figures.
//
// # MySQL and MariaDB
//
// With github.com/go-sql-driver/mysql, no parameter of the data source name is
// needed, and clientFoundRows, interpolateParams and parseTime may be on or off:
//
//	db, err := sql.Open("mysql", "app@unix(/run/mysqld/mysqld.sock)/app")
//	accounts := sqlstore.New(db, sqlstore.MySQL)
//
// Connect the Store to the primary, and never to a replica. A proxy that sends reads to
// replicas, such as MaxScale with readwritesplit, does that too. Keep read_only on at
// replicas: Load then returns an error there. After a switchover, the connections of before
// lead to such a replica, so set SetConnMaxLifetime to a few minutes. The user needs SELECT,
// INSERT, UPDATE and DELETE on the table, SELECT on the table of the version, and the right to
// create tables if Migrate has to create them. Keep innodb_flush_log_at_trx_commit=1 and, with
// a binary log, sync_binlog=1. Keep sql_mode strict, and autocommit and innodb_doublewrite on;
// Check does not ask for the last one. Every isolation level works except read uncommitted.
// [Store.Check] knows a replica by read_only, and by SHOW REPLICA STATUS if the user may ask
// for it. It refuses a replica that is being promoted until read_only is off and RESET REPLICA
// ALL was executed.
//
// Replication is asynchronous by default. If the primary dies, what it acknowledged in the
// last moments is lost. For a failover that loses nothing, let the primary wait for the
// replica. MariaDB calls this semi-synchronous replication:
//
//	rpl_semi_sync_master_enabled = ON
//	rpl_semi_sync_master_wait_point = AFTER_SYNC
//	rpl_semi_sync_master_timeout = 86400000
//	rpl_semi_sync_slave_enabled = ON    # this one at the replica
//
// With AFTER_COMMIT, the default of MariaDB, other connections see a write before the
// replica has it. If a Guard gets no answer to a write, it loads the record. It would find
// the write and accept the code, and after a failover the code would work again.
// [Store.Check] refuses AFTER_COMMIT if semi-synchronous replication is on.
//
// The timeout is in milliseconds and is 10 seconds by default. After this time the primary
// acknowledges writes that the replica does not have, until the replica is back. With the
// timeout above nothing is acknowledged for a day, and nobody can sign in with a code while
// the replica is away. Check accepts every timeout, because this is a choice between the
// two. It refuses rpl_semi_sync_master_wait_no_slave = OFF, with which the primary stops waiting
// once no replica is connected, whatever the timeout.
//
// Do not KILL a session while it waits for the replica: the primary keeps the write and
// shows it. A Guard then accepts the code, and after a failover the code works again. A
// primary that dies while it waits, and is started again as primary, keeps and shows it as
// well. Promote the replica instead, or keep clients away until the replica is back. A proxy can
// KILL on its own, when a statement takes too long or its client is gone: with ProxySQL, turn
// mysql-kill_backend_connection_when_disconnect off, and leave mysql-default_query_timeout at
// its default.
//
// Never start a primary with init-rpl-role=SLAVE: as it recovers from a crash, it can drop
// transactions that it has acknowledged. MariaDB before 10.6.19, 10.11.9, 11.1.6, 11.2.5 and
// 11.4.3 does so if rpl_semi_sync_slave_enabled is on (MDEV-33465).
//
// A replica acknowledges a write when it has received it, before it has applied or flushed it.
// Before you promote a replica, wait until it has applied all that it has received. Until then
// do not restart it, do not stop both of its threads, and do not execute RESET REPLICA ALL:
// each of these can discard the rest. MariaDB with GTIDs then asks the primary for it again,
// and if the primary is gone, it is lost. If the machine of the replica fails together with
// the primary, the last writes are lost.
//
// MariaDB waits for the first replica that answers. With several, promote the one that has
// received most (Gtid_IO_Pos in SHOW REPLICA STATUS).
//
// User ids are in a VARBINARY column. In a text column with the usual collations,
// "alice", "Alice " and "Álice" are one user, and even utf8mb4_bin ignores spaces at
// the end. [Store.Check] refuses such a column.
//
// # Galera
//
// In a Galera cluster of MariaDB, a Store may use any node, and another one for each
// call. Each statement then has to wait until its node has what was committed at the
// others:
//
//	db, err := sql.Open("mysql", "app@tcp(127.0.0.1:3306)/app?wsrep_sync_wait=7")
//
// wsrep_sync_wait is a bit mask: 1 is for reads, 2 for UPDATE and DELETE, and 4 for INSERT.
// Without 1, a node that lags behind reads old records. It lets in, without a code, a user
// who has just enrolled at another node. A used code does not work a second time even then,
// because the nodes agree on every write. Without 2 and 4, an Erase at such a node can return
// nil although the record is there, and a Save can be a conflict for no reason.
//
// Inside a transaction of the application nothing waits but its first statement, whatever
// the setting. So [Store.EraseTx] can leave a record that was created at another node a
// moment ago. Call Admin.Erase of package enrollment after the commit there.
//
// Keep wsrep_dirty_reads off: if it is on, reads wait for nothing. Keep pc.ignore_sb and
// pc.ignore_quorum in wsrep_provider_options off: if one is on, both sides of a split network
// write. Keep innodb_flush_log_at_trx_commit=1 here too. Guides to Galera recommend 0 or 2,
// because the other nodes have each write. But if all nodes fail at once, acknowledged
// writes are lost. [Store.Check] refuses all of these.
//
// A node acknowledges a write before the others have it on their disks. So after all nodes have
// failed, start the cluster with the one whose seqno is highest. If its disk is lost, so are its
// last writes.
//
// Our tests kill nodes or split them off, one fault at a time, and MariaDB 10.11 lost nothing.
// When one node was split off and the two others were killed at once, 1 of 21,094 acknowledged
// writes was lost in 84 failures. With the data in memory, there were 9 of 18,075, and the
// nodes of three clusters did not find each other again. Jepsen saw MariaDB 12.1.2 to 12.2.2
// lose acknowledged writes (jepsen.io, March 2026). Where that matters, use one primary with a
// semi-synchronous replica.
//
// A write that meets another node's is a conflict. A node that has lost its cluster, or
// has not yet joined it, refuses reads and writes with error 1047. A statement that waits
// for the other nodes in vain fails with error 1205, after repl.causal_read_timeout.
//
// # SQLite
//
// Every connection of the pool needs the settings below, so put them into the
// data source name. A PRAGMA sent through sql.DB reaches one connection only.
// With modernc.org/sqlite and github.com/ncruces/go-sqlite3:
//
//	file:accounts.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate
//
// With github.com/mattn/go-sqlite3:
//
//	file:accounts.db?_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate
//
// The reasons are:
//
//   - synchronous=FULL: with NORMAL, a power failure loses acknowledged writes.
//     Then a used code works again, and a counted failure is forgotten.
//   - journal_mode=WAL: logins that read do not wait for one that writes. The
//     default, DELETE, makes them wait, and needs synchronous=EXTRA to be as
//     durable.
//   - busy_timeout: a write waits for the write of another connection and does
//     not fail.
//   - _txlock=immediate: this is for the application's own transactions. One that reads
//     first and writes later would fail at once, whatever the timeout, if another
//     connection writes.
//
// SQLite allows one writer at a time. Connections that wait for their turn poll,
// and some of them wait for very long. A Store therefore sends its writes one
// after another; use one Store per database.
//
// On macOS add _pragma=fullfsync(1). Without it, a flush does not empty the cache of the drive,
// and a power failure can lose acknowledged writes. github.com/mattn/go-sqlite3 has no such
// parameter: execute PRAGMA fullfsync = 1 in its ConnectHook. [Store.Check] does not ask for
// the setting.
//
// Keep the file on a local disk, because locks do not work on network file
// systems. Do not use ":memory:" with a pool: every connection has a database of
// its own, so that an account saved through one connection does not exist for
// another. Use package memory, or a file in a temporary folder.
//
// # Versions and drivers
//
// These are tested: github.com/jackc/pgx/v5/stdlib in each of its query modes, and
// github.com/lib/pq with and without binary_parameters, both directly and, without
// prepared statements, through PgBouncer 1.18 in transaction mode;
// modernc.org/sqlite, github.com/mattn/go-sqlite3 and github.com/ncruces/go-sqlite3;
// github.com/go-sql-driver/mysql.
//
// PostgreSQL must be 9.6 or later, and is tested with 15. SQLite must be 3.37 or later, which
// has strict tables. MariaDB must be 10.6 or later, and is tested with 10.11: alone, with a
// replica, and as a Galera cluster of three nodes. MySQL 8.0.22 is meant to work and was not
// tested.
//
// SQLite before 3.51.3 has a bug that can, very rarely, destroy a database in WAL mode to which
// several connections write (sqlite.org/wal.html, "The WAL-Reset Bug").
package sqlstore
