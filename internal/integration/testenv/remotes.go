package testenv

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	goredis "github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/proxy"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// A Remote is a store on a server that clients reach over a network.
type Remote struct {
	Name string

	socket func(t testing.TB) string
	open   func(t testing.TB, addr *net.TCPAddr) func() proving.Full
}

// Remotes are stores whose statements take one request and one reply each.
var Remotes = []Remote{
	{
		"PostgreSQL",
		func(t testing.TB) string { return filepath.Join(startPostgres(t).Dir, ".s.PGSQL.5432") },
		func(t testing.TB, addr *net.TCPAddr) func() proving.Full {
			dsn := Replaced(t, PostgresDSN(t), "host="+startPostgres(t).Dir, fmt.Sprintf("host=%v port=%d", addr.IP, addr.Port))
			config, err := pgx.ParseConfig(dsn + " default_query_exec_mode=exec")
			if err != nil {
				t.Fatal(err)
			}
			// A ping before a statement would be the request that is cut.
			never := stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false })
			return func() proving.Full {
				t.Helper()
				return migrated(t, pooled(t, stdlib.OpenDB(*config, never), "pgx"), sqlstore.PostgreSQL)
			}
		},
	},
	{
		"MariaDB",
		func(t testing.TB) string { return filepath.Join(startMariaDB(t).Dir, "socket") },
		func(t testing.TB, addr *net.TCPAddr) func() proving.Full {
			dsn := Replaced(t, MariaDBDSN(t), "unix("+startMariaDB(t).Dir+"/socket)", "tcp("+addr.String()+")")
			return func() proving.Full {
				return migrated(t, openPool(t, "mysql", dsn+"?interpolateParams=true"), sqlstore.MySQL)
			}
		},
	},
	{"Redis", RedisSocket, remoteRedis(0)},
	{"Redis without retries", RedisSocket, remoteRedis(-1)},
}

// Replaced replaces a part of a data source name that must be there. Otherwise the test would
// meet another database, or another user, than it says.
func Replaced(t testing.TB, dsn, before, after string) string {
	t.Helper()
	if strings.Count(dsn, before) != 1 {
		t.Fatalf("%q has not one %q", dsn, before)
	}
	return strings.Replace(dsn, before, after, 1)
}

func remoteRedis(retries int) func(t testing.TB, addr *net.TCPAddr) func() proving.Full {
	return func(t testing.TB, addr *net.TCPAddr) func() proving.Full {
		prefix := RedisPrefix()
		return func() proving.Full {
			t.Helper()
			c := goredis.NewClient(&goredis.Options{
				Addr: addr.String(), ContextTimeoutEnabled: true, MaxRetries: retries, PoolSize: poolSize,
			})
			t.Cleanup(func() { c.Close() })
			return OpenRedis(t, c, prefix)
		}
	}
}

// Proxied puts a proxy before the server. It returns what opens an empty database there, at
// each call with a pool of its own.
func (r Remote) Proxied(t testing.TB) (*proxy.Proxy, func() proving.Full) {
	t.Helper()
	p := startProxy(t, r.socket(t))
	return p, r.open(t, p.Addr())
}

// startProxy starts a proxy to the server behind the socket. It is closed with the test.
func startProxy(t testing.TB, socket string) *proxy.Proxy {
	t.Helper()
	p, err := proxy.Start("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}
