package testenv

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// PostgresDB returns a pool on the server whose search_path is a schema of its
// own. It is closed with the test.
func PostgresDB(t testing.TB) *sql.DB {
	t.Helper()
	return OpenPostgres(t, PostgresDSN(t))
}

// OpenPostgres opens a pool by a data source name of PostgresDSN, to which
// more may have been appended. It is closed with the test.
func OpenPostgres(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	return openPool(t, "pgx", dsn)
}

// schemas counts the schemas that PostgresDSN has made.
var schemas atomic.Int64

// PostgresDSN makes a schema and returns the data source name, in the form of
// keys and values, that has it as its search_path. Other processes of the test
// can use it too. It starts the server if that does not run yet.
func PostgresDSN(t testing.TB) string {
	t.Helper()
	server := startPostgres(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the server's log:\n%s", server.logTail())
		}
	})
	db, err := sql.Open("pgx", server.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	schema := fmt.Sprintf("test_%d", schemas.Add(1))
	if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA "+schema); err != nil {
		t.Fatalf("creating a schema: %v", err)
	}
	return server.dsn + " search_path=" + schema
}

// postgresServer is the server of this test binary.
type postgresServer struct {
	dsn string // of the default database
	log string // path

	// alive is the standard input of the shell that watches over the server.
	// It closes when this process ends, in whatever way, and then the shell
	// stops the server and removes its folder.
	alive io.Closer
}

// startPostgres starts the server at the first call, and ends the test if
// that is not possible.
func startPostgres(t testing.TB) *postgresServer {
	t.Helper()
	server, err := thePostgres()
	var missing missingError
	switch {
	case errors.As(err, &missing):
		Missing(t, string(missing))
	case err != nil:
		t.Fatalf("starting PostgreSQL: %v", err)
	}
	return server
}

var thePostgres = sync.OnceValues(newPostgres)

// missingError says what is not there.
type missingError string

func (e missingError) Error() string { return string(e) }

// watch makes a cluster, runs a server on it as long as somebody holds the
// other end of its standard input, and cleans up. Durability is left on, as in
// production; only initdb may skip its own. It listens on a socket in its
// folder, so that there is no port to collide on.
const watch = `
"$BIN/initdb" -D "$DIR/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$DIR/log" 2>&1 || exit 1
"$BIN/postgres" -D "$DIR/data" -k "$DIR" -c listen_addresses= -c max_connections=200 >>"$DIR/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -INT "$server"
wait "$server"
cd / && rm -rf "$DIR"
`

func newPostgres() (*postgresServer, error) {
	bin, err := postgresBin()
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
		return nil, err
	}
	cmd := exec.Command("/bin/sh", "-c", watch)
	cmd.Dir = dir
	cmd.Env = []string{"BIN=" + bin, "DIR=" + dir, "PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.SysProcAttr = attr
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	server := &postgresServer{
		dsn:   "host=" + dir + " user=postgres dbname=postgres",
		log:   filepath.Join(dir, "log"),
		alive: alive,
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := server.ready(ended); err != nil {
		log := server.logTail()
		alive.Close()
		return nil, fmt.Errorf("%w; its log:\n%s", err, log)
	}
	return server, nil
}

// ready waits until the server answers.
func (p *postgresServer) ready(ended <-chan error) error {
	const patience = time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	db, err := sql.Open("pgx", p.dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no answer within %v: %w", patience, err)
		case died := <-ended:
			return fmt.Errorf("it did not start: %v", died)
		case <-tick.C:
		}
	}
}

// logTail returns the end of the server's log.
func (p *postgresServer) logTail() string {
	const tail = 8 << 10
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(b[max(0, len(b)-tail):]))
}

// postgresBin returns the folder of initdb and postgres: the one in PATH, or
// the newest that Debian and its relatives have installed beside it.
func postgresBin() (string, error) {
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
		var v int
		if _, err := fmt.Sscanf(filepath.Base(filepath.Dir(dir)), "%d", &v); err == nil && v > version && hasServer(dir) {
			newest, version = dir, v
		}
	}
	if newest == "" {
		return "", missingError("PostgreSQL's initdb and postgres are neither in PATH nor in /usr/lib/postgresql/*/bin")
	}
	return newest, nil
}

func hasServer(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode()&fs.ModeType != 0 {
			return false
		}
	}
	return true
}
