package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"regexp"
	"strings"
)

// mysql keeps ids and states as bytes. No collation of the server, the database
// or the connection then compares them, pads them or ignores their case. The
// indexes are part of the table, because MySQL has no CREATE INDEX IF NOT EXISTS.
var mysql = grammar{
	name:    "MySQL",
	param:   func(int) string { return "?" },
	quote:   "`",
	schemas: true,
	ddl: []string{
		`CREATE TABLE IF NOT EXISTS {table} (
    user_id VARBINARY(255) NOT NULL PRIMARY KEY,
    version BIGINT         NOT NULL,
    state   VARBINARY(16)  NOT NULL,
    due     BIGINT,
    updated BIGINT         NOT NULL,
    data    BLOB           NOT NULL,
    KEY {index_due} (due),
    KEY {index_state} (state, user_id)
) ENGINE = InnoDB`,
		`CREATE TABLE IF NOT EXISTS {table_version} (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) ENGINE = InnoDB`,
		`INSERT INTO {table_version} (id, version) VALUES (1, 1) ON DUPLICATE KEY UPDATE id = 1`,
	},
	replaced: " UNION ALL SELECT '', 0, '', NULL, 0, '' FROM DUAL WHERE CONCAT(@@global.read_only) NOT IN ('0', 'OFF')",
	columns:  columnsMySQL,
	idType:   idTypeMySQL,
	holdsIDs: func(declared string) bool { return !strings.EqualFold(declared, "binary") }, // it pads with zeros
	apply:    applyInTurn,
	settings: settingsMySQL,
	mixed:    mixedMySQL,
	unique:   uniqueMySQL,
	conflict: conflictMySQL,
	busy:     busyMySQL,
}

// mysqlError matches the beginning of what drivers make of a server's error, and
// captures its number. No text of the statement or the row stands before it.
// go-sql-driver writes "Error 1062 (23000): …", and before version 1.7
// "Error 1062: …". go-mysql writes "ERROR 1062 (23000): …".
var mysqlError = regexp.MustCompile(`^(?:Error|ERROR) ([0-9]{4})[ :]`)

// numberMySQL returns the number of the server's error in the tree of err, or "".
// The number is read from the text, because the type of the error is the
// driver's, which this package does not import. If a driver has another text, a
// conflict is an unknown error, after which nothing is granted.
func numberMySQL(err error) string {
	if err == nil {
		return ""
	}
	if m := mysqlError.FindStringSubmatch(err.Error()); m != nil {
		return m[1]
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return numberMySQL(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if n := numberMySQL(inner); n != "" {
				return n
			}
		}
	}
	return ""
}

// Numbers of errors of the server.
const (
	mysqlDuplicate = "1062" // a row with this key exists
	mysqlLockWait  = "1205" // another transaction held the row for too long, or a Galera node lags
	mysqlDeadlock  = "1213" // also a conflict with another node of a Galera cluster
	mysqlSyntax    = "1064"
	mysqlDenied    = "1227" // the user lacks a privilege
	mysqlMixed2    = "1267" // two collations that can't be compared
	mysqlMixed     = "1271" // the same for more of them
)

// conflictMySQL reports whether a Save that failed with err is a conflict. After
// a deadlock the server has rolled back the whole transaction, which is this one
// statement. Another write of the same row has won, and may not have ended yet.
func conflictMySQL(err error) bool {
	n := numberMySQL(err)
	return n == mysqlDuplicate || n == mysqlDeadlock
}

// mixedMySQL reports whether the collations of a query can't be compared.
func mixedMySQL(err error) bool {
	n := numberMySQL(err)
	return n == mysqlMixed2 || n == mysqlMixed
}

// busyMySQL reports whether several processes that migrate at once have met.
func busyMySQL(err error) bool {
	n := numberMySQL(err)
	return n == mysqlDeadlock || n == mysqlLockWait
}

// whereMySQL selects the rows about a table in information_schema.
const whereMySQL = " WHERE table_schema = coalesce(?, database()) AND table_name = ?"

// argsMySQL returns the arguments of whereMySQL.
func argsMySQL(t table, suffix string) []any {
	var schema any
	if t.schema != "" {
		schema = t.schema
	}
	return []any{schema, t.name + suffix}
}

func columnsMySQL(t table, suffix string) (string, []any) {
	return "SELECT column_name FROM information_schema.columns" + whereMySQL, argsMySQL(t, suffix)
}

func idTypeMySQL(t table) (string, []any) {
	return "SELECT data_type FROM information_schema.columns" + whereMySQL + " AND column_name = 'user_id'", argsMySQL(t, "")
}

// uniqueMySQL counts the unique keys of the whole user_id and nothing else. A key
// of its first characters would take two users for one.
func uniqueMySQL(t table) (string, []any) {
	return "SELECT index_name FROM information_schema.statistics" + whereMySQL + " AND non_unique = 0" +
		" GROUP BY index_name HAVING count(*) = 1 AND max(column_name) = 'user_id' AND max(sub_part) IS NULL", argsMySQL(t, "")
}

// settingsMySQL asks any session. An application that sets variables in the data source
// name sets them for all sessions of the pool.
func settingsMySQL(ctx context.Context, db *sql.DB, t table) (wrong []string, err error) {
	// A server has only some of these variables. The name of the isolation level has
	// changed.
	set, err := pairs(ctx, db, "SHOW VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', 'innodb_flush_method', 'log_bin', 'sync_binlog', 'sql_mode', 'transaction_isolation', 'tx_isolation', 'read_only', 'autocommit', "+semiSyncVariables+", "+galeraVariables+")")
	if err != nil {
		return nil, err
	}
	// A server that belongs to no cluster has no status, or is disconnected.
	status, err := pairs(ctx, db, "SHOW STATUS WHERE Variable_name = 'wsrep_cluster_status'")
	if err != nil {
		return nil, err
	}
	engine, err := pairs(ctx, db, "SELECT 'engine', engine FROM information_schema.tables"+whereMySQL, argsMySQL(t, "")...)
	if err != nil {
		return nil, err
	}
	source, err := replicates(ctx, db)
	if err != nil {
		return nil, err
	}
	on := func(name string) bool { return set[name] != "" && set[name] != "OFF" && set[name] != "0" }
	if on("wsrep_on") {
		options, err := pairs(ctx, db, galeraOptions)
		if err != nil {
			return nil, err
		}
		maps.Copy(set, options)
	}
	isolation := set["transaction_isolation"] + set["tx_isolation"]
	if on("read_only") {
		wrong = append(wrong, "read_only is on: the server is a replica, which reads old records, and used codes work again")
	} else if source {
		wrong = append(wrong, "the server is a replica of another one: it reads old records, and used codes work again")
	}
	// MariaDB's 3 is as durable as 1.
	if flush := set["innodb_flush_log_at_trx_commit"]; flush != "1" && flush != "3" {
		wrong = append(wrong, "innodb_flush_log_at_trx_commit is "+flush+" and not 1: a crash loses acknowledged writes, and used codes work again")
	}
	if strings.EqualFold(set["innodb_flush_method"], "nosync") {
		wrong = append(wrong, "innodb_flush_method is nosync: a power failure can destroy the table")
	}
	if on("log_bin") && set["sync_binlog"] != "1" {
		wrong = append(wrong, "sync_binlog is "+set["sync_binlog"]+" and not 1: after a power failure the binary log, and with it replicas and backups, can lack acknowledged writes")
	}
	if !strings.Contains(set["sql_mode"], "STRICT_TRANS_TABLES") && !strings.Contains(set["sql_mode"], "STRICT_ALL_TABLES") {
		wrong = append(wrong, "sql_mode is not strict: the server cuts off what does not fit a column")
	}
	if strings.HasPrefix(isolation, "READ-UNCOMMITTED") {
		wrong = append(wrong, "the isolation level is read uncommitted: a record is read that may be rolled back")
	}
	if !on("autocommit") {
		wrong = append(wrong, "autocommit is off: no write is ever committed")
	}
	wrong = append(wrong, semiSync(set, on)...)
	cluster := status["wsrep_cluster_status"]
	wrong = append(wrong, galera(set, on, cluster != "" && cluster != "Disconnected")...)
	if e, ok := engine["engine"]; ok && e != "InnoDB" {
		wrong = append(wrong, "the engine of the table is "+e+" and not InnoDB: a crash loses acknowledged writes")
	}
	return wrong, nil
}

// semiSyncVariables are those of a primary whose commits wait for a replica. MariaDB says
// master, and MySQL says source since 8.0.26.
const semiSyncVariables = "'rpl_semi_sync_master_enabled', 'rpl_semi_sync_master_wait_point', 'rpl_semi_sync_master_wait_no_slave', " +
	"'rpl_semi_sync_source_enabled', 'rpl_semi_sync_source_wait_point', 'rpl_semi_sync_source_wait_no_replica'"

// semiSync says what is wrong with semi-synchronous replication. A Guard that waits for a
// commit in vain looks for its record, and must not find it before a replica has it. The
// timeout is a choice of the operator, which must hold when no replica is connected, too.
func semiSync(set map[string]string, on func(name string) bool) (wrong []string) {
	for _, words := range [][2]string{{"master", "slave"}, {"source", "replica"}} {
		role, replica := words[0], words[1]
		prefix := "rpl_semi_sync_" + role
		if !on(prefix + "_enabled") {
			continue
		}
		if point := prefix + "_wait_point"; set[point] != "AFTER_SYNC" {
			wrong = append(wrong, point+" is "+set[point]+" and not AFTER_SYNC: writes are read that no replica has, and after a failover used codes work again")
		}
		if alone := prefix + "_wait_no_" + replica; set[alone] != "" && !on(alone) {
			wrong = append(wrong, alone+" is off: once no replica is connected, writes are acknowledged that no replica has, and after a failover used codes work again")
		}
	}
	return wrong
}

// pairs returns the rows of a query with two columns of text.
func pairs(ctx context.Context, db *sql.DB, statement string, args ...any) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := make(map[string]string)
	for rows.Next() {
		var name string
		var value sql.NullString
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		all[name] = value.String
	}
	return all, rows.Err()
}

// replicates reports whether the server is known to be a replica. The application's
// user often lacks the right to ask. MariaDB says something about a connection that has a
// name only if it is asked about all, which MySQL always is. Older servers use another word.
func replicates(ctx context.Context, db *sql.DB) (bool, error) {
	for _, statement := range []string{"SHOW ALL REPLICAS STATUS", "SHOW REPLICA STATUS"} {
		yes := false
		rows, err := db.QueryContext(ctx, statement)
		if err == nil {
			yes = rows.Next()
			err = errors.Join(rows.Err(), rows.Close())
		}
		switch numberMySQL(err) {
		case mysqlSyntax:
			continue
		case mysqlDenied:
			return false, nil
		}
		return yes, err
	}
	return false, nil
}
