package integration_test

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/long"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
)

func killing(t *testing.T, kill func() error) func() {
	return func() {
		if err := kill(); err != nil {
			t.Error(err)
		}
	}
}

// TestKilledServer kills database servers in the middle of sign-ins, setups and guesses by
// three processes, again and again. Nothing that was acknowledged is lost. A server that
// acknowledges what it has only in its own memory loses something, which the siege finds.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	for kind, engine := range map[string]struct {
		start          func(t testing.TB, options ...string) (dsn string, kill func() error)
		flag, careless string // a setting that Check refuses
	}{
		"PostgreSQL": {testenv.PostgresReviving, "-c ", "synchronous_commit=off"},
		"MariaDB":    {testenv.MariaDBReviving, "--", "innodb_flush_log_at_trx_commit=0"},
		"Redis":      {testenv.RedisReviving, "--", "appendonly no"},
	} {
		hosted := func(dsn string) siege.Starter {
			return func(t *testing.T, e siege.Ears) siege.Nodes {
				t.Helper()
				nodes, _ := processes(t, kind, dsn, e)
				return nodes
			}
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dsn, kill := engine.start(t)
			long.Report(t, kind+", the server is killed", siege.Run(t, hosted(dsn), killing(t, kill), long.Siege(t, 6)))
		})
		t.Run(kind+", careless", func(t *testing.T) {
			t.Parallel()
			long.OnlyInSieges(t)
			dsn, kill := engine.start(t, engine.flag+engine.careless)
			figures := siege.Find(t, hosted(dsn), killing(t, kill), siege.Length{Rounds: 20})
			long.Report(t, kind+" with `"+engine.careless+"`, the server is killed", figures)
			t.Log(figures.Findings())
			if len(figures.Wrong) == 0 {
				t.Error("nothing is lost")
			}
		})
	}
}
