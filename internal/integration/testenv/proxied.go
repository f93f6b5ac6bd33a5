package testenv

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/proxy"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// Proxied are stores on servers behind a proxy. Open returns an empty store; its
// statements take one request and one reply each.
var Proxied = []struct {
	Name string
	Open func(t testing.TB) (*proxy.Proxy, proving.Full)
}{
	{"PostgreSQL", func(t testing.TB) (*proxy.Proxy, proving.Full) {
		s := startPostgres(t)
		p := startProxy(t, filepath.Join(s.Dir, ".s.PGSQL.5432"))
		dsn := strings.Replace(PostgresDSN(t), "host="+s.Dir, fmt.Sprintf("host=127.0.0.1 port=%d", p.Addr().Port), 1)
		return p, migrated(t, openPool(t, "pgx", dsn+" default_query_exec_mode=exec"), sqlstore.PostgreSQL)
	}},
	{"MariaDB", func(t testing.TB) (*proxy.Proxy, proving.Full) {
		s := startMariaDB(t)
		p := startProxy(t, filepath.Join(s.Dir, "socket"))
		dsn := strings.Replace(MariaDBDSN(t), "unix("+s.Dir+"/socket)", "tcp("+p.Addr().String()+")", 1)
		return p, migrated(t, openPool(t, "mysql", dsn+"?interpolateParams=true"), sqlstore.MySQL)
	}},
	{"Redis", func(t testing.TB) (*proxy.Proxy, proving.Full) { return proxiedRedis(t, 0) }},
	{"Redis without retries", func(t testing.TB) (*proxy.Proxy, proving.Full) { return proxiedRedis(t, -1) }},
}

func proxiedRedis(t testing.TB, retries int) (*proxy.Proxy, proving.Full) {
	t.Helper()
	p := startProxy(t, RedisSocket(t))
	c := goredis.NewClient(&goredis.Options{
		Addr: p.Addr().String(), ContextTimeoutEnabled: true, MaxRetries: retries, PoolSize: poolSize,
	})
	t.Cleanup(func() { c.Close() })
	s, err := redisstore.New(c, redisstore.Options{Prefix: RedisPrefix()})
	if err != nil {
		t.Fatal(err)
	}
	return p, s
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
