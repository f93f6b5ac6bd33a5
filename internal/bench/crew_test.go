package bench_test

import (
	"context"
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
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
