// Package mariadb starts a MariaDB server of its own, in a temporary folder and
// reachable by a Unix socket only. It needs a Unix and the programs of the
// server, not a running one.
package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"strings"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// A Server is a MariaDB server that belongs to this process.
type Server struct{ *server.Process }

// DSN returns the data source name of an administrator for that database, for
// go-sql-driver. Parameters can be appended with a question mark.
func (s *Server) DSN(database string) string { return dsn(s.Dir, database) }

func dsn(dir, database string) string { return "root@unix(" + dir + "/socket)/" + database }

// script makes a data folder and runs its server. --no-defaults leaves out the settings of
// the machine. Two servers that begin in one folder for temporary files remove each other's.
const script = `
TMPDIR="$DIR" mariadb-install-db --no-defaults --datadir="$DIR/data" --auth-root-authentication-method=normal --skip-test-db >"$DIR/log" 2>&1 || exit
` + serve

// serve runs the server. A fresh installation flushes at each commit. The binary log, which
// a fresh installation does not have, is on and synchronous, as on a server with replicas.
const serve = `
serve() {
  exec mariadbd --no-defaults --datadir="$DIR/data" --tmpdir="$DIR" --socket="$DIR/socket" --pid-file="$DIR/pid" --skip-networking \
    --max-connections=300 --log-bin="$DIR/data/binlog" --server-id=1 --sync-binlog=1 $MORE >>"$DIR/log" 2>&1 </dev/null
}
`

// Start makes a data folder and starts its server, with more options. Where this
// process is root, which the server refuses to be, the server runs as mysql or
// nobody.
//
// It returns an error that matches [server.ErrMissing] if there is nothing to
// start. The caller calls Stop, or leaves that to the end of the process.
func Start(ctx context.Context, options ...string) (*Server, error) {
	return start(ctx, script+server.Keep, options)
}

// StartReviving is Start of a server that can be killed, and comes back.
func StartReviving(ctx context.Context, options ...string) (*Server, error) {
	return start(ctx, script+server.Revive, options)
}

func start(ctx context.Context, script string, options []string, env ...string) (*Server, error) {
	for _, program := range []string{"mariadbd", "mariadb-install-db"} {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if _, err := os.Stat("/usr/sbin/" + program); err != nil {
			return nil, fmt.Errorf("%w: %s is neither in PATH nor in /usr/sbin", server.ErrMissing, program)
		}
	}
	p, err := server.Start(ctx, server.Plan{
		Name:   "mariadb",
		Script: script,
		Ends:   "TERM",
		Env:    append(env, "MORE="+strings.Join(options, " ")),
		Users:  []string{"mysql", "nobody"},
		Ready:  ready,
	})
	if err != nil {
		return nil, err
	}
	return &Server{p}, nil
}

func ready(ctx context.Context, dir string) error {
	db, err := sql.Open("mysql", dsn(dir, "mysql"))
	if err != nil {
		return err
	}
	defer db.Close()
	return db.PingContext(ctx)
}
