// Package redis starts a Redis server of its own, in a temporary folder and reachable
// by a Unix socket only. It needs a Unix and the program of the server, not a running
// one.
package redis

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// A Server is a Redis server that belongs to this process.
type Server struct {
	*server.Process
}

// script runs a server that flushes each command to the disk before it answers, and
// evicts nothing.
const script = `
serve() {
  exec redis-server --port 0 --unixsocket "$DIR/socket" --dir "$DIR" --save "" --appendonly yes --appendfsync always \
    --maxmemory-policy noeviction $MORE >>"$DIR/log" 2>&1 </dev/null
}
`

// Start starts a server with more options. It returns an error that matches
// [server.ErrMissing] if there is nothing to start. The caller calls Stop, or leaves that
// to the end of the process.
func Start(ctx context.Context, options ...string) (*Server, error) {
	return start(ctx, server.Keep, options)
}

// StartReviving is Start of a server that can be killed, and comes back.
func StartReviving(ctx context.Context, options ...string) (*Server, error) {
	return start(ctx, server.Revive, options)
}

func start(ctx context.Context, end string, options []string) (*Server, error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, fmt.Errorf("%w: redis-server is not in PATH", server.ErrMissing)
	}
	p, err := server.Start(ctx, server.Plan{
		Name:   "redis",
		Script: script + end,
		Ends:   "TERM",
		Env:    []string{"MORE=" + strings.Join(options, " ")},
		Users:  []string{"redis", "nobody"},
		Ready: func(ctx context.Context, dir string) error {
			c := redis.NewClient(&redis.Options{Network: "unix", Addr: socket(dir)})
			defer c.Close()
			return c.Ping(ctx).Err()
		},
	})
	if err != nil {
		return nil, err
	}
	return &Server{p}, nil
}

// Socket returns the path of the server's socket.
func (s *Server) Socket() string { return socket(s.Dir) }

func socket(dir string) string { return filepath.Join(dir, "socket") }
