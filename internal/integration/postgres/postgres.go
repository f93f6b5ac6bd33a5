// Package postgres starts a PostgreSQL server of its own, in a temporary
// folder and reachable by a Unix socket only. It needs a Unix and the programs
// of the server, not a running one.
package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// ErrMissing says that there is nothing to start here.
var ErrMissing = server.ErrMissing

// A Server is a PostgreSQL server that belongs to this process.
type Server struct {
	*server.Process

	// DSN is the data source name of a superuser, for pgx.
	DSN string

	// Version is what the server says of itself.
	Version string
}

// script makes a cluster and runs its server with the settings of a fresh
// installation, in which fsync and synchronous_commit are on, and with room for
// the connections of tests that run at the same time. The files of the cluster are not
// flushed before the server runs: on a busy disk that takes minutes.
const script = `
"$BIN/initdb" --pgdata "$DIR/data" --username postgres --auth trust --encoding UTF8 --locale C --no-sync >"$DIR/log" 2>&1 || exit
` + serve

// serve runs the server. The shared memory that it makes while it runs is in files of the data
// folder.
const serve = `
serve() {
  exec "$BIN/postgres" -D "$DIR/data" -c listen_addresses= -c unix_socket_directories="$DIR" -c max_connections=200 \
    -c dynamic_shared_memory_type=mmap $MORE >>"$DIR/log" 2>&1 </dev/null
}
`

// clean removes the segment of a server that was killed. One that has ended
// in order has done that itself, and has removed the file that says which it was. The
// second word of the seventh line is its number.
const clean = `
id=$(sed -n '7s/.* //p' "$DIR/data/postmaster.pid" 2>/dev/null)
[ -z "$id" ] || ipcrm -m "$id"
`

// Start makes a cluster and starts its server. Where this process is root,
// which the server refuses to be, the server runs as postgres or nobody.
//
// It returns an error that matches [ErrMissing] if there is nothing to
// start. The caller calls Stop, or leaves that to the end of the process.
func Start(ctx context.Context) (*Server, error) {
	return start(ctx, script+server.Keep)
}

// StartReviving is Start, with more options, of a server that can be killed, and comes back.
func StartReviving(ctx context.Context, options ...string) (*Server, error) {
	return start(ctx, script+server.Revive, "MORE="+strings.Join(options, " "))
}

func start(ctx context.Context, script string, env ...string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	s := new(Server)
	s.Process, err = server.Start(ctx, server.Plan{
		Name:   "postgres",
		Script: script,
		Ends:   "TERM INT", // TERM alone waits for clients
		Clean:  clean,
		Env:    append([]string{"BIN=" + bin}, env...),
		Users:  []string{"postgres", "nobody"},
		Ready: func(ctx context.Context, dir string) error {
			s.DSN = "host=" + dir + " user=postgres dbname=postgres sslmode=disable"
			return s.ping(ctx)
		},
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.DSN)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.QueryRow(ctx, "SHOW server_version").Scan(&s.Version)
}

// binaries returns the folder of initdb and postgres: the one in PATH, or the
// newest that Debian and its relatives have installed beside it.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil && hasServer(filepath.Dir(path)) {
			return filepath.Dir(path), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	newest, version := "", -1
	for _, dir := range found {
		v, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		if err == nil && v > version && hasServer(dir) {
			newest, version = dir, v
		}
	}
	if newest == "" {
		return "", fmt.Errorf("%w: initdb and postgres are neither in PATH nor in /usr/lib/postgresql/*/bin", ErrMissing)
	}
	return newest, nil
}

func hasServer(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}
