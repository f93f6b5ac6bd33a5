package integration_test

import (
	"database/sql"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// siegeRounds is the environment variable with how many rounds a siege has, for long
// ones. In every other round the server is killed.
const siegeRounds = "TWOFACTOR_SIEGE_ROUNDS"

// besieged returns how many rounds a siege has, for short or long runs.
func besieged(t *testing.T, short int) int { return number(t, siegeRounds, short) }

// number returns the number in an environment variable, or short if it is not set.
func number(t *testing.T, variable string, short int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// besiege kills what is under the store in every other round.
func besiege(t *testing.T, over proving.Full, kill func() error) {
	t.Helper()
	rounds, kills, began := besieged(t, 6), 0, time.Now()
	siege.Run(t, over, func() {
		if err := kill(); err != nil {
			t.Error(err)
		}
		kills++
	}, rounds)
	if kills != rounds/2 {
		t.Errorf("%d kills in %d rounds", kills, rounds)
	}
	t.Logf("%d kills, %v", kills, time.Since(began).Round(time.Second))
}

// TestKilledServer kills database servers in the middle of sign-ins, setups and
// guesses, again and again. Nothing that was acknowledged is lost.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	for d, start := range map[sqlstore.Dialect]func(t testing.TB) (*sql.DB, func() error){
		sqlstore.PostgreSQL: testenv.PostgresReviving,
		sqlstore.MySQL:      testenv.MariaDBReviving,
	} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			db, kill := start(t)
			besiege(t, migrated(t, sqlstore.New(db, d)), kill)
		})
	}
	t.Run("Redis", func(t *testing.T) {
		t.Parallel()
		socket, kill := testenv.RedisReviving(t)
		besiege(t, testenv.OpenRedis(t, testenv.RedisClient(t, socket), testenv.RedisPrefix()), kill)
	})
}

// TestKilledProcess kills the process that has the database inside, in the same way.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	for kind := range keepers {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			k := keep(t, kind)
			besiege(t, k, k.kill)
		})
	}
}
