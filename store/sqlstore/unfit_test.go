package sqlstore_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// TestUnfit holds what Migrate and Check refuse.
func TestUnfit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		dialect sqlstore.Dialect // 0 for all
		server  server
		want    error
		says    string
	}{
		{"newer schema", 0, server{columns: allColumns, version: 2}, sqlstore.ErrSchema, "version 2"},
		{"missing columns", 0, server{columns: []string{"user_id", "version", "data", "else"}}, sqlstore.ErrSchema, "state, due, updated"},
		{"missing columns, right version", 0, server{columns: []string{"user_id"}, version: 1}, sqlstore.ErrSchema, "lacks the columns"},
		{"a collation", 0, server{columns: allColumns, version: 1, merges: true}, sqlstore.ErrSchema, "collation"},
		{"no unique key", 0, server{columns: allColumns, version: 1, noKey: true}, sqlstore.ErrSchema, "unique key"},
		{"no unique key, told late", 0, server{columns: allColumns, version: 1, noKey: true, late: true}, sqlstore.ErrSchema, "unique key"},

		{"numbers", sqlstore.SQLite, server{columns: allColumns, version: 1, settings: map[string]string{"type": "STRING"}}, sqlstore.ErrSchema, `type "STRING"`},
		{"whole numbers", sqlstore.SQLite, server{columns: allColumns, version: 1, settings: map[string]string{"type": "charint"}}, sqlstore.ErrSchema, `type "charint"`},
		{"characters", sqlstore.SQLite, server{columns: allColumns, version: 1, settings: map[string]string{"type": "varchar(255)"}}, nil, ""},
		{"padded bytes", sqlstore.MySQL, server{columns: allColumns, version: 1, settings: map[string]string{"type": "binary"}}, sqlstore.ErrSchema, `type "binary"`},
		{"lost table", 0, server{version: 1}, sqlstore.ErrSchema, "does not exist, but"},

		{"no locks", sqlstore.SQLite, server{settings: map[string]string{"lock": "off"}}, sqlstore.ErrSettings, "not locked"},
		{"in memory", sqlstore.SQLite, server{settings: map[string]string{"journal_mode": "memory"}}, sqlstore.ErrSettings, "journal_mode is memory"},
		{"no journal", sqlstore.SQLite, server{settings: map[string]string{"journal_mode": "off"}}, sqlstore.ErrSettings, "journal_mode is off"},
		{"synchronous normal", sqlstore.SQLite, server{settings: map[string]string{"synchronous": "1"}}, sqlstore.ErrSettings, "synchronous"},
		{"synchronous off", sqlstore.SQLite, server{settings: map[string]string{"synchronous": "0"}}, sqlstore.ErrSettings, "synchronous"},
		{"delete and full", sqlstore.SQLite, server{settings: map[string]string{"journal_mode": "delete"}}, sqlstore.ErrSettings, "EXTRA"},
		{"delete and extra", sqlstore.SQLite, server{settings: map[string]string{"journal_mode": "delete", "synchronous": "3"}}, nil, ""},
		{"truncate and full", sqlstore.SQLite, server{settings: map[string]string{"journal_mode": "truncate"}}, nil, ""},
		{"no timeout", sqlstore.SQLite, server{settings: map[string]string{"busy_timeout": "0"}}, sqlstore.ErrSettings, "busy_timeout"},
		{"UTF-16", sqlstore.SQLite, server{settings: map[string]string{"encoding": "UTF-16le"}}, sqlstore.ErrSettings, "encoding"},

		{"fsync off", sqlstore.PostgreSQL, server{settings: map[string]string{"fsync": "off"}}, sqlstore.ErrSettings, "fsync"},
		{"failed flush", sqlstore.PostgreSQL, server{settings: map[string]string{"data_sync_retry": "on"}}, sqlstore.ErrSettings, "data_sync_retry"},
		{"zero pages", sqlstore.PostgreSQL, server{settings: map[string]string{"zero_damaged_pages": "on"}}, sqlstore.ErrSettings, "zero_damaged_pages"},
		{"asynchronous", sqlstore.PostgreSQL, server{settings: map[string]string{"synchronous_commit": "off"}}, sqlstore.ErrSettings, "synchronous_commit"},
		{"local", sqlstore.PostgreSQL, server{settings: map[string]string{"synchronous_commit": "local"}}, nil, ""},
		{"local, standby", sqlstore.PostgreSQL, server{settings: map[string]string{"synchronous_commit": "local", "synchronous_standby_names": "*"}}, sqlstore.ErrSettings, "synchronous standby"},
		{"serializable", sqlstore.PostgreSQL, server{settings: map[string]string{"isolation": "serializable"}}, sqlstore.ErrSettings, "isolation is serializable"},
		{"replica", sqlstore.PostgreSQL, server{settings: map[string]string{"recovery": "true"}}, sqlstore.ErrSettings, "replica"},
		{"unlogged", sqlstore.PostgreSQL, server{settings: map[string]string{"persistent": "false"}}, sqlstore.ErrSettings, "unlogged"},
		{"rows hidden", sqlstore.PostgreSQL, server{settings: map[string]string{"hides": "true"}}, sqlstore.ErrSettings, "row-level security"},
		{"may not confirm", sqlstore.PostgreSQL, server{settings: map[string]string{"confirms": "false"}}, sqlstore.ErrSettings, "pg_logical_emit_message"},
		{"Latin 1", sqlstore.PostgreSQL, server{settings: map[string]string{"server_encoding": "LATIN1"}}, sqlstore.ErrSettings, "server_encoding"},

		{"Latin 1 for the client", sqlstore.PostgreSQL, server{settings: map[string]string{"client_encoding": "LATIN1"}}, sqlstore.ErrSettings, "client_encoding"},
		{"a view", sqlstore.PostgreSQL, server{settings: map[string]string{"kept": "false"}}, sqlstore.ErrSettings, "a view"},

		{"flush later", sqlstore.MySQL, server{settings: map[string]string{"innodb_flush_log_at_trx_commit": "2"}}, sqlstore.ErrSettings, "innodb_flush_log_at_trx_commit is 2"},
		{"flush of MariaDB", sqlstore.MySQL, server{settings: map[string]string{"innodb_flush_log_at_trx_commit": "3"}}, nil, ""},
		{"flush never", sqlstore.MySQL, server{settings: map[string]string{"innodb_flush_method": "nosync"}}, sqlstore.ErrSettings, "nosync"},
		{"binary log", sqlstore.MySQL, server{settings: map[string]string{"sync_binlog": "0"}}, sqlstore.ErrSettings, "sync_binlog is 0"},
		{"no binary log", sqlstore.MySQL, server{settings: map[string]string{"log_bin": "OFF", "sync_binlog": "0"}}, nil, ""},
		{"not strict", sqlstore.MySQL, server{settings: map[string]string{"sql_mode": "ANSI_QUOTES"}}, sqlstore.ErrSettings, "sql_mode"},
		{"strict for all", sqlstore.MySQL, server{settings: map[string]string{"sql_mode": "STRICT_ALL_TABLES"}}, nil, ""},
		{"uncommitted", sqlstore.MySQL, server{settings: map[string]string{"tx_isolation": "READ-UNCOMMITTED"}}, sqlstore.ErrSettings, "read uncommitted"},
		{"uncommitted, newer", sqlstore.MySQL, server{settings: map[string]string{"tx_isolation": "", "transaction_isolation": "READ-UNCOMMITTED"}}, sqlstore.ErrSettings, "read uncommitted"},
		{"serializable", sqlstore.MySQL, server{settings: map[string]string{"tx_isolation": "SERIALIZABLE"}}, nil, ""},
		{"no autocommit", sqlstore.MySQL, server{settings: map[string]string{"autocommit": "OFF"}}, sqlstore.ErrSettings, "autocommit"},
		{"read only", sqlstore.MySQL, server{settings: map[string]string{"read_only": "ON"}}, sqlstore.ErrSettings, "read_only"},
		{"replica", sqlstore.MySQL, server{replica: errIsReplica}, sqlstore.ErrSettings, "replica"},
		{"may not ask", sqlstore.MySQL, server{replica: errors.New("Error 1227 (42000): Access denied; you need the REPLICA MONITOR privilege")}, nil, ""},
		{"replica, MySQL", sqlstore.MySQL, server{mysql: true, replica: errIsReplica}, sqlstore.ErrSettings, "replica"},
		{"older word", sqlstore.MySQL, server{replica: errSyntax}, nil, ""},
		{"asking fails", sqlstore.MySQL, server{replica: errServer}, errServer, "settings"},
		{"MyISAM", sqlstore.MySQL, server{columns: allColumns, version: 1, settings: map[string]string{"engine": "MyISAM"}}, sqlstore.ErrSettings, "MyISAM"},
		{"variables fail", sqlstore.MySQL, server{fails: "SHOW VARIABLES"}, errServer, "settings"},
		{"engine fails", sqlstore.MySQL, server{fails: "SELECT 'engine'"}, errServer, "settings"},
		{"keys fail", sqlstore.MySQL, server{fails: "SELECT index_name", version: 1, columns: allColumns}, errServer, "checking"},

		{"settings fail", sqlstore.PostgreSQL, server{fails: "SELECT current"}, errServer, "settings"},
		{"beginning fails", sqlstore.SQLite, server{fails: "BEGIN IMM"}, errServer, "settings"},
		{"type fails", sqlstore.SQLite, server{fails: "SELECT type", version: 1, columns: allColumns}, errServer, "checking"},
		{"type fails", sqlstore.MySQL, server{fails: "SELECT data_type", version: 1, columns: allColumns}, errServer, "checking"},
		{"pragma fails", sqlstore.SQLite, server{fails: "PRAGMA sync"}, errServer, "PRAGMA synchronous"},
		{"creating fails", 0, server{fails: "CREATE TABLE"}, errServer, "migrating"},
		{"locking fails", sqlstore.PostgreSQL, server{fails: "SELECT pg_adv"}, errServer, "migrating"},
		{"beginning fails", sqlstore.PostgreSQL, server{fails: "BEGIN"}, errServer, "migrating"},
		{"committing fails", sqlstore.PostgreSQL, server{fails: "COMMIT"}, errServer, "migrating"},
		{"version fails", 0, server{fails: "SELECT version", version: 1, columns: allColumns}, errServer, "version"},
		{"probe fails", 0, server{fails: "SELECT user_id", version: 1, columns: allColumns}, errServer, "checking"},
		{"both", sqlstore.SQLite, server{columns: allColumns, version: 1, merges: true, settings: map[string]string{"busy_timeout": "0"}}, sqlstore.ErrSchema, "busy_timeout"},
	} {
		for _, d := range dialects {
			if c.dialect != 0 && c.dialect != d {
				continue
			}
			t.Run(c.name+"/"+d.String(), func(t *testing.T) {
				t.Parallel()
				srv := c.server
				f := &fakeDB{answer: srv.answer}
				s := sqlstore.New(f.open(t), d)
				err := s.Migrate(t.Context())
				if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
					t.Fatalf("Migrate = %v, want %v", err, c.want)
				}
				if err != nil && !strings.Contains(err.Error(), c.says) {
					t.Errorf("Migrate = %v, want it to say %q", err, c.says)
				}
				if c.want == sqlstore.ErrSchema {
					if errors.Is(err, sqlstore.ErrSettings) {
						t.Errorf("Migrate = %v, which matches ErrSettings, and may be let pass", err)
					}
					for _, st := range f.statements() {
						if strings.HasPrefix(st, "CREATE") || strings.HasPrefix(st, "INSERT") {
							t.Errorf("Migrate sent %s", st)
						}
					}
				}
				if c.want == sqlstore.ErrSettings {
					if !slices.Equal(srv.columns, allColumns) || srv.version != 1 {
						t.Error("with ErrSettings the table is not ready")
					}
					if err := s.Check(t.Context()); !errors.Is(err, sqlstore.ErrSettings) {
						t.Errorf("Check = %v, want ErrSettings", err)
					}
				}
				if c.want == sqlstore.ErrSchema || c.want == nil {
					if err := s.Check(t.Context()); !errors.Is(err, c.want) {
						t.Errorf("Check = %v, want %v", err, c.want)
					}
				}
			})
		}
	}
}
