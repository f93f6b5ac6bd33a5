package bench_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/redis"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// overEach runs the test over a crew in a database of each kind.
func overEach(t *testing.T, o bench.CrewOptions, f func(t *testing.T, d *bench.Database, c *bench.Crew)) {
	t.Parallel()
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			t.Parallel()
			d := db.open(t)
			f(t, d, must(d.NewCrew(t.Context(), "crew", o))(t))
		})
	}
}

// Every row is an account that opens, signs in, and has its size.
func TestCrew(t *testing.T) {
	overEach(t, bench.CrewOptions{Size: 1_234, Due: 17}, func(t *testing.T, d *bench.Database, c *bench.Crew) {
		ctx := t.Context()
		var rows int
		if err := d.DB.QueryRowContext(ctx, "SELECT count(*) FROM crew").Scan(&rows); err != nil || rows != c.Size {
			t.Errorf("the table has %d rows, %v", rows, err)
		}
		// MariaDB gives a small table several extents of a MiB ahead.
		if least := int64(c.Size * c.RecordSize()); c.Bytes < least || c.Bytes > 4*least+16<<20 {
			t.Errorf("the table has %d bytes, and its accounts have %d", c.Bytes, least)
		}
		if c.Index <= 0 || c.Index >= c.Bytes {
			t.Errorf("the indexes have %d bytes of %d", c.Index, c.Bytes)
		}
		for name, list := range map[string]func(context.Context) (bench.Listing, error){"All": c.List, "Members": c.ListMembers} {
			if l, err := list(ctx); err != nil || l.Accounts != c.Size || l.Took <= 0 {
				t.Errorf("%s: %+v, %v", name, l, err)
			}
		}
		if ids := c.Members(2_000); len(ids) != c.Size-c.Due || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != len(ids) {
			t.Errorf("there are %d members", len(ids))
		}
		p := must(c.Users(ctx, 5))(t)
		if _, err := p.AnswerWrong(ctx, "wrong").Time(4*5 + 1); err != nil {
			t.Error(err)
		}
		if turn, err := c.SignIns(c.Members(20)).Run(ctx, 4, 20); err != nil || turn.Ops != 20 {
			t.Errorf("%d sign-ins, %v", turn.Ops, err)
		}
	})
}

// Sweep reads what is due, and no other row.
func TestSweepOfCrew(t *testing.T) {
	overEach(t, bench.CrewOptions{Size: 1_500, Due: 30}, func(t *testing.T, d *bench.Database, c *bench.Crew) {
		ctx := t.Context()
		plan, err := c.SweepPlan(ctx)
		if err != nil {
			t.Fatal(err)
		}
		counts := plan.Rows == c.Due || d.Name == "SQLite, WAL, FULL" && plan.Rows == -1
		if plan.Returned != c.Due || !counts || !plan.Uses("crew_due") {
			t.Errorf("%d records came of %d rows: %s", plan.Returned, plan.Rows, plan.Text)
		}
		if _, err := c.Sweep(ctx); err != nil {
			t.Error(err)
		}
		if plan, err = c.SweepPlan(ctx); err != nil || plan.Returned != 0 || plan.Rows > 0 {
			t.Errorf("after the Sweep %d records came of %d rows: %s; %v", plan.Returned, plan.Rows, plan.Text, err)
		}
		if _, err := c.Walk(ctx); err != nil {
			t.Error(err)
		}
	})
}

// A crew can live in a store that is no table.
func TestCrewIn(t *testing.T) {
	t.Parallel()
	stores := map[string]func(t *testing.T) bench.Accounts{
		"memory": func(*testing.T) bench.Accounts { return memory.New() },
		"bbolt": func(t *testing.T) bench.Accounts {
			accounts, end, err := bench.OpenBolt(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			stop(t, end)
			return accounts
		},
		"Redis": func(t *testing.T) bench.Accounts {
			s, err := redis.Start(t.Context())
			need(t, err)
			stop(t, s.Stop)
			r := must(bench.OpenRedis(t.Context(), s, 4))(t)
			stop(t, r.Close)
			if used, err := r.Memory(t.Context()); err != nil || used <= 0 || !strings.HasPrefix(r.Name, "Redis ") {
				t.Errorf("%q uses %d bytes, %v", r.Name, used, err)
			}
			return r
		},
		"Redis cluster": func(t *testing.T) bench.Accounts {
			c, err := redis.StartCluster(t.Context(), 10*time.Second)
			need(t, err)
			stop(t, c.Stop)
			accounts, end, err := bench.OpenRedisCluster(c, 4, 1)
			if err != nil {
				t.Fatal(err)
			}
			stop(t, end)
			return accounts
		},
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := must(bench.NewCrewIn(t.Context(), open(t), bench.CrewOptions{Size: 150, Due: 5}))(t)
			if turn, err := c.SignIns(c.Members(30)).Run(t.Context(), 4, 30); err != nil || turn.Ops != 30 {
				t.Errorf("%d sign-ins, %v", turn.Ops, err)
			}
			if l, err := c.List(t.Context()); err != nil || l.Accounts != 150 {
				t.Errorf("%+v, %v", l, err)
			}
			if _, err := c.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A table in partitions by a hash of the user id is a table like any other: this is what
// SCALE.md advises for very many accounts.
func TestPartitions(t *testing.T) {
	t.Parallel()
	ctx, d := t.Context(), openPostgres(t)
	const parts = 4
	statements := []string{`CREATE TABLE crew (user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY, version BIGINT NOT NULL, state TEXT NOT NULL,
		due BIGINT, updated BIGINT NOT NULL, data BYTEA NOT NULL) PARTITION BY HASH (user_id)`}
	for i := range parts {
		statements = append(statements, fmt.Sprintf("CREATE TABLE crew_part_%d PARTITION OF crew FOR VALUES WITH (MODULUS %d, REMAINDER %d) WITH (fillfactor = 80)", i, parts, i))
	}
	for _, s := range statements {
		if _, err := d.DB.ExecContext(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	c := must(d.NewCrew(ctx, "crew", bench.CrewOptions{Size: 1_300, Due: 15}))(t) // Migrate checks the table
	for i := range parts {
		var n int
		if err := d.DB.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM crew_part_%d", i)).Scan(&n); err != nil || n < c.Size/parts/2 {
			t.Errorf("part %d has %d rows, %v", i, n, err)
		}
	}
	if turn, err := c.SignIns(c.Members(50)).Run(ctx, 4, 50); err != nil || turn.Ops != 50 {
		t.Errorf("%d sign-ins, %v", turn.Ops, err)
	}
	if l, err := c.List(ctx); err != nil || l.Accounts != c.Size {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := c.Sweep(ctx); err != nil {
		t.Error(err)
	}
	if err := c.Directory.CheckKeys(ctx); err != nil {
		t.Error(err)
	}
}
