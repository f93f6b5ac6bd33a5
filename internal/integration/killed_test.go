package integration_test

import (
	"database/sql"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// siegeRounds is the environment variable with how many rounds a siege has, for long
// ones. In every other round the server is killed.
const siegeRounds = "TWOFACTOR_SIEGE_ROUNDS"

// TestKilledServer kills database servers in the middle of sign-ins, setups and
// guesses, again and again. Nothing that was acknowledged is lost.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	rounds := 6
	if n, err := strconv.Atoi(os.Getenv(siegeRounds)); err == nil {
		rounds = n
	}
	for d, start := range map[sqlstore.Dialect]func(t testing.TB) (*sql.DB, func() error){
		sqlstore.PostgreSQL: testenv.PostgresReviving,
		sqlstore.MySQL:      testenv.MariaDBReviving,
	} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			db, kill := start(t)
			s := migrated(t, sqlstore.New(db, d))
			kills := 0
			began := time.Now()
			siege.Run(t, s, func() {
				if err := kill(); err != nil {
					t.Error(err)
				}
				kills++
			}, rounds)
			if kills != rounds/2 {
				t.Errorf("the server was killed %d times in %d rounds", kills, rounds)
			}
			t.Logf("%d kills, %v", kills, time.Since(began).Round(time.Second))
		})
	}
}
