package testenv

import (
	"context"
	"database/sql"
	"fmt"
	"os/exec"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// bouncerScript runs PgBouncer in transaction mode in front of the server in $BEHIND.
// It has few connections to the server, so that clients share them.
const bouncerScript = `
cat >"$DIR/ini" <<END
[databases]
* = host=$BEHIND user=postgres
[pgbouncer]
listen_port = 6432
unix_socket_dir = $DIR
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 500
server_idle_timeout = 2
ignore_startup_parameters = extra_float_digits
END
serve() { exec "$PROGRAM" -q "$DIR/ini" >"$DIR/log" 2>&1 </dev/null; }
` + server.Keep

// A bouncer is a PgBouncer in front of the server of this test binary.
type bouncer struct {
	*server.Process
	dsn string
}

var theBouncer = shared(func(ctx context.Context) (*bouncer, error) {
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/pgbouncer") // as Debian has it
	}
	if err != nil {
		return nil, fmt.Errorf("%w: pgbouncer is neither in PATH nor in /usr/sbin", server.ErrMissing)
	}
	behind, err := thePostgres()
	if err != nil {
		return nil, err
	}
	b := new(bouncer)
	b.Process, err = server.Start(ctx, server.Plan{
		Name:   "pgbouncer",
		Script: bouncerScript,
		Ends:   "TERM",
		Env:    []string{"PROGRAM=" + program, "BEHIND=" + behind.Dir},
		Users:  []string{"postgres", "nobody"},
		Ready: func(ctx context.Context, dir string) error {
			b.dsn = "host=" + dir + " port=6432 user=postgres sslmode=disable"
			conn, err := pgx.Connect(ctx, b.dsn+" dbname=postgres default_query_exec_mode=exec")
			if err != nil {
				return err
			}
			return conn.Close(ctx)
		},
	})
	return b, err
})

// PgBouncerDSN makes a database and returns the data source name that leads there
// through PgBouncer in transaction mode.
func PgBouncerDSN(t testing.TB) string {
	t.Helper()
	postgres := startPostgres(t)
	b, err := theBouncer()
	needServer(t, "PgBouncer", err)
	db, err := sql.Open("pgx", postgres.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	name := fmt.Sprintf("bounced_%d", databases.Add(1))
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("creating a database: %v", err)
	}
	return b.dsn + " dbname=" + name
}
