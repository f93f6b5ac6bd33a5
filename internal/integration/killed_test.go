package integration_test

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/long"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// besiege kills what is under the stores in every other round.
func besiege(t *testing.T, what string, open func() proving.Full, kill func() error) {
	t.Helper()
	long.Report(t, what, siege.Run(t, siege.Open(open).Start, func() {
		if err := kill(); err != nil {
			t.Error(err)
		}
	}, long.Siege(t, 6)))
}

// TestKilledServer kills database servers in the middle of sign-ins, setups and
// guesses, again and again. Nothing that was acknowledged is lost.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]struct {
		dialect sqlstore.Dialect
		start   func(t testing.TB) (dsn string, kill func() error)
	}{
		"PostgreSQL": {sqlstore.PostgreSQL, testenv.PostgresReviving},
		"MariaDB":    {sqlstore.MySQL, testenv.MariaDBReviving},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn, kill := engine.start(t)
			besiege(t, name+", the server is killed", opener(t, engine.dialect, dsn), kill)
		})
	}
	t.Run("Redis", func(t *testing.T) {
		t.Parallel()
		socket, kill := testenv.RedisReviving(t)
		besiege(t, "Redis, the server is killed", func() proving.Full { return testenv.OpenRedis(t, testenv.RedisClient(t, socket), "") }, kill)
	})
}
