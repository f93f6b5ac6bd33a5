package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// mysqlSettings are the variables of a server that is set up well.
var mysqlSettings = map[string]string{
	"innodb_flush_log_at_trx_commit":       "1",
	"innodb_flush_method":                  "O_DIRECT",
	"log_bin":                              "ON",
	"rpl_semi_sync_master_enabled":         "OFF",
	"rpl_semi_sync_master_wait_point":      "AFTER_COMMIT",
	"rpl_semi_sync_master_wait_no_slave":   "ON",
	"rpl_semi_sync_source_enabled":         "",
	"rpl_semi_sync_source_wait_point":      "",
	"rpl_semi_sync_source_wait_no_replica": "",
	"sync_binlog":                          "1",
	"sql_mode":                             "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION",
	"tx_isolation":                         "REPEATABLE-READ",
	"transaction_isolation":                "",
	"read_only":                            "OFF",
	"autocommit":                           "ON",
	"wsrep_on":                             "OFF",
	"wsrep_sync_wait":                      "0",
	"wsrep_dirty_reads":                    "OFF",
}

var (
	errIsReplica = errors.New("SHOW ALL REPLICAS STATUS has a row")
	errDeadlock  = serverError("Error 1213 (40001): Deadlock found when trying to get lock; try restarting transaction")
	errSyntax    = serverError("Error 1064 (42000): You have an error in your SQL syntax")
)

// serverError is an error as a driver prints it.
type serverError string

func (e serverError) Error() string { return string(e) }

var mark = regexp.MustCompile(`\$[0-9]+`)

// inMySQL returns a statement for PostgreSQL as MySQL has it.
func inMySQL(statement string) string {
	statement = strings.ReplaceAll(mark.ReplaceAllString(statement, "?"), `"`, "`")
	return strings.TrimSuffix(statement, " ON CONFLICT (user_id) DO NOTHING")
}

// TestConflictsOfMySQL sees which errors of a server are conflicts. The number is
// read as drivers print it, however the host's own driver wraps the error.
func TestConflictsOfMySQL(t *testing.T) {
	t.Parallel()
	duplicate := errors.New("Error 1062 (23000): Duplicate entry 'alice' for key 'PRIMARY'")
	for name, c := range map[string]struct {
		err      error
		conflict bool
	}{
		"duplicate":         {duplicate, true},
		"older driver":      {errors.New("Error 1062: Duplicate entry 'alice' for key 'PRIMARY'"), true},
		"another driver":    {errors.New("ERROR 1062 (23000): Duplicate entry 'alice' for key 'PRIMARY'"), true},
		"wrapped":           {fmt.Errorf("traced: %w", duplicate), true},
		"joined":            {errors.Join(errors.New("traced"), fmt.Errorf("twice: %w", duplicate)), true},
		"deadlock":          {errDeadlock, true},
		"lock wait":         {errors.New("Error 1205 (HY000): Lock wait timeout exceeded; try restarting transaction"), false},
		"data too long":     {errors.New("Error 1406 (22001): Data too long for column 'user_id' at row 1"), false},
		"read only":         {errors.New("Error 1290 (HY000): The MySQL server is running with the --read-only option"), false},
		"longer number":     {errors.New("Error 10620 (23000): no such error"), false},
		"number elsewhere":  {errors.New("Error 1406 (22001): Data too long, not Error 1062 (23000): "), false},
		"number in a quote": {errors.New("unknown: Error 1062 (23000): "), false},
		"connection lost":   {errors.New("invalid connection"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, prev := range []int64{0, 6} {
				f := &fakeDB{answer: func(context.Context, string, []any) reply { return reply{err: c.err} }}
				err := sqlstore.New(f.open(t), sqlstore.MySQL).Save(t.Context(), alice, prev)
				if err == nil || errors.Is(err, store.ErrConflict) != c.conflict {
					t.Errorf("Save over %d = %v, want a conflict: %v", prev, err, c.conflict)
				}
				if c.conflict && strings.Contains(err.Error(), "alice") {
					t.Errorf("Save over %d = %v, which quotes the user id", prev, err)
				}
				if n := len(f.sent); n != 1 {
					t.Errorf("Save over %d sent %d statements, want 1", prev, n)
				}
			}
			// What is a conflict for MySQL is a failure for others.
			f := &fakeDB{answer: func(context.Context, string, []any) reply { return reply{err: c.err} }}
			if err := sqlstore.New(f.open(t), sqlstore.PostgreSQL).Save(t.Context(), alice, 0); errors.Is(err, store.ErrConflict) {
				t.Errorf("Save in PostgreSQL = %v, want no conflict", err)
			}
			// Only a Save can be one.
			s := sqlstore.New(f.open(t), sqlstore.MySQL)
			if _, err := s.Load(t.Context(), "alice"); errors.Is(err, store.ErrConflict) {
				t.Errorf("Load = %v, want no conflict", err)
			}
			if err := s.Erase(t.Context(), "alice"); err == nil || errors.Is(err, store.ErrConflict) {
				t.Errorf("Erase = %v, want an error that is no conflict", err)
			}
		})
	}
}

// TestEraseAfterDeadlock meets other writes of the row, which make the server refuse the
// statement: for a while, for ever, and with another error after that.
func TestEraseAfterDeadlock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		deadlocks, sent int
		then, want      error
	}{
		{0, 1, nil, nil},
		{1, 2, nil, nil},
		{9, 10, nil, nil},
		{10, 10, nil, errDeadlock},
		{1, 2, errServer, errServer},
	} {
		n := 0
		f := &fakeDB{answer: func(context.Context, string, []any) reply {
			if n++; n <= c.deadlocks {
				return reply{err: errDeadlock}
			}
			return reply{err: c.then}
		}}
		if err := sqlstore.New(f.open(t), sqlstore.MySQL).Erase(t.Context(), "alice"); !errors.Is(err, c.want) {
			t.Errorf("Erase after %d deadlocks = %v, want %v", c.deadlocks, err, c.want)
		}
		if n != c.sent {
			t.Errorf("Erase sent %d statements, want %d", n, c.sent)
		}
	}
}

// TestMixedCollations has a server that does not compare the ids at all.
func TestMixedCollations(t *testing.T) {
	t.Parallel()
	for says, want := range map[string]bool{
		"Error 1271 (HY000): Illegal mix of collations for operation 'UNION'":                  true,
		"Error 1267 (HY000): Illegal mix of collations (a,IMPLICIT) and (b,COERCIBLE) for '='": true,
		"Error 2013 (HY000): Lost connection to server during query":                           false,
	} {
		srv := &server{columns: allColumns, version: 1}
		f := &fakeDB{answer: func(ctx context.Context, statement string, args []any) reply {
			if strings.Contains(statement, "UNION") {
				return reply{err: errors.New(says)}
			}
			return srv.answer(ctx, statement, args)
		}}
		if err := sqlstore.New(f.open(t), sqlstore.MySQL).Check(t.Context()); err == nil || errors.Is(err, sqlstore.ErrSchema) != want {
			t.Errorf("Check = %v, want ErrSchema: %v", err, want)
		}
	}
}

// TestSemiSyncSettings holds what Migrate and Check refuse at a primary whose commits wait
// for a replica.
func TestSemiSyncSettings(t *testing.T) {
	t.Parallel()
	for role, replica := range map[string]string{"master": "slave", "source": "replica"} {
		enabled, point, alone := "rpl_semi_sync_"+role+"_enabled", "rpl_semi_sync_"+role+"_wait_point", "rpl_semi_sync_"+role+"_wait_no_"+replica
		for _, c := range []struct{ enabled, point, alone, says string }{
			{"ON", "AFTER_SYNC", "ON", ""},
			{"ON", "AFTER_SYNC", "OFF", alone + " is off"},
			{"ON", "AFTER_SYNC", "", ""},
			{"ON", "AFTER_COMMIT", "ON", point + " is AFTER_COMMIT and not AFTER_SYNC"},
			{"OFF", "AFTER_COMMIT", "OFF", ""},
		} {
			srv := &server{columns: allColumns, version: 1, settings: map[string]string{enabled: c.enabled, point: c.point, alone: c.alone}}
			s := sqlstore.New((&fakeDB{answer: srv.answer}).open(t), sqlstore.MySQL)
			for method, err := range map[string]error{"Migrate": s.Migrate(t.Context()), "Check": s.Check(t.Context())} {
				if c.says == "" && err != nil || c.says != "" && (!errors.Is(err, sqlstore.ErrSettings) || !strings.Contains(err.Error(), c.says)) {
					t.Errorf("%+v: %s = %v, want ErrSettings that says %q", c, method, err, c.says)
				}
			}
		}
	}
}

// TestClusterSettings holds what Migrate and Check refuse at a node of a Galera cluster.
func TestClusterSettings(t *testing.T) {
	t.Parallel()
	const options = "base_dir = /data/; pc.checksum = false; pc.ignore_quorum = false; pc.ignore_sb = false; pc.linger = PT20S; "
	for name, c := range map[string]struct {
		settings map[string]string
		says     string
	}{
		"waits":               {map[string]string{}, ""},
		"waits for SHOW, too": {map[string]string{"wsrep_sync_wait": "15"}, ""},
		"waits for nothing":   {map[string]string{"wsrep_sync_wait": "0"}, "wsrep_sync_wait is 0"},
		"reads at once":       {map[string]string{"wsrep_sync_wait": "6"}, "wsrep_sync_wait is 6"},
		"replaces at once":    {map[string]string{"wsrep_sync_wait": "5"}, "wsrep_sync_wait is 5"},
		"creates at once":     {map[string]string{"wsrep_sync_wait": "3"}, "wsrep_sync_wait is 3"},
		"no number":           {map[string]string{"wsrep_sync_wait": ""}, "wsrep_sync_wait is "},
		"dirty reads":         {map[string]string{"wsrep_dirty_reads": "ON"}, "wsrep_dirty_reads"},
		"split brain":         {map[string]string{"wsrep_provider_options": strings.Replace(options, "sb = false", "sb = true", 1)}, "pc.ignore_sb is true"},
		"no quorum":           {map[string]string{"wsrep_provider_options": "pc.ignore_quorum=YES"}, "pc.ignore_quorum is yes"},
		"quorum":              {map[string]string{"wsrep_provider_options": "pc.ignore_quorum = no;pc.ignore_sb=0"}, ""},
		"not replicated":      {map[string]string{"wsrep_on": "OFF"}, "wsrep_on is off"},
		"not replicated, cut": {map[string]string{"wsrep_on": "OFF", "wsrep_cluster_status": "non-Primary"}, "wsrep_on is off"},
		"no cluster":          {map[string]string{"wsrep_on": "OFF", "wsrep_cluster_status": "Disconnected", "wsrep_sync_wait": "0"}, ""},
		"another server":      {map[string]string{"wsrep_on": "", "wsrep_cluster_status": "", "wsrep_sync_wait": "", "wsrep_provider_options": ""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := map[string]string{"wsrep_on": "ON", "wsrep_cluster_status": "Primary", "wsrep_sync_wait": "7", "wsrep_provider_options": options}
			maps.Copy(settings, c.settings)
			srv := &server{columns: allColumns, version: 1, settings: settings}
			s := sqlstore.New((&fakeDB{answer: srv.answer}).open(t), sqlstore.MySQL)
			for method, err := range map[string]error{"Migrate": s.Migrate(t.Context()), "Check": s.Check(t.Context())} {
				if c.says == "" && err != nil || c.says != "" && (!errors.Is(err, sqlstore.ErrSettings) || !strings.Contains(err.Error(), c.says)) {
					t.Errorf("%s = %v, want ErrSettings that says %q", method, err, c.says)
				}
			}
		})
	}
	srv := &server{columns: allColumns, version: 1, fails: "SHOW STATUS"}
	if err := sqlstore.New((&fakeDB{answer: srv.answer}).open(t), sqlstore.MySQL).Check(t.Context()); !errors.Is(err, errServer) {
		t.Errorf("Check where the status fails = %v, want the server's error", err)
	}
}
