// Package postgres starts a PostgreSQL server of its own, in a temporary
// folder and reachable by a Unix socket only. It needs a Unix and the programs
// of the server, not a running one.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrMissing says that there is nothing to start here.
var ErrMissing = errors.New("postgres: no PostgreSQL server")

// startTimeout and stopTimeout bound what the server may take.
const (
	startTimeout = 60 * time.Second
	stopTimeout  = 60 * time.Second
)

// A Server is a PostgreSQL server that belongs to this process.
type Server struct {
	// DSN is the data source name of a superuser, for pgx.
	DSN string

	// Version is what the server says of itself.
	Version string

	dir   string
	alive io.Closer     // the standard input of the shell that keeps the server
	ended chan struct{} // closed when the shell has ended
}

// keep makes a cluster and runs its server with the settings of a fresh
// installation, in which fsync and synchronous_commit are on, and with room for
// the connections of tests that run at the same time, until its
// standard input ends: because Stop closes it, or because this process is gone.
const keep = `
"$BIN/initdb" --pgdata "$DIR/data" --username postgres --auth trust --encoding UTF8 --locale C >"$DIR/log" 2>&1 || exit
"$BIN/postgres" -D "$DIR/data" -c listen_addresses= -c unix_socket_directories="$DIR" -c max_connections=200 >>"$DIR/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -INT "$server" && wait "$server"
cd / && rm -rf "$DIR"
`

// Start makes a cluster and starts its server. Where this process is root,
// which the server refuses to be, the server runs as postgres or nobody.
//
// It returns an error that matches [ErrMissing] if there is nothing to start.
// The caller calls Stop, or leaves that to the end of the process.
func Start(ctx context.Context) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	attr, own, err := serverUser()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "twofactor-pg-")
	if err != nil {
		return nil, err
	}
	if err := own(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	cmd := exec.Command("/bin/sh", "-c", keep)
	cmd.Dir = dir
	cmd.Env = []string{"BIN=" + bin, "DIR=" + dir, "PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = attr
	alive, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("postgres: %w", err), os.RemoveAll(dir))
	}

	s := &Server{
		DSN:   "host=" + dir + " user=postgres dbname=postgres sslmode=disable",
		dir:   dir,
		alive: alive,
		ended: make(chan struct{}),
	}
	go func() {
		cmd.Wait() // its result says nothing that the log does not say better
		close(s.ended)
	}()
	if err := s.ready(ctx); err != nil {
		log := s.Log()
		return nil, errors.Join(fmt.Errorf("postgres: starting the server: %w\n%s", err, log), s.Stop())
	}
	return s, nil
}

// ready waits until the server answers.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return errors.New("it has ended")
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

func (s *Server) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.DSN)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.QueryRow(ctx, "SHOW server_version").Scan(&s.Version)
}

// Log returns the end of the server's log.
func (s *Server) Log() string {
	const tail = 8 << 10
	b, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(b[max(0, len(b)-tail):]))
}

// Stop ends the server and removes its folder.
func (s *Server) Stop() error {
	s.alive.Close()
	select {
	case <-s.ended:
		return os.RemoveAll(s.dir)
	case <-time.After(stopTimeout):
		return fmt.Errorf("postgres: the server in %s does not stop", s.dir)
	}
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
