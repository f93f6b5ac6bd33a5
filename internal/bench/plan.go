package bench

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// A Plan is how a database carries out the SELECT of a page.
type Plan struct {
	Returned int    // records of the page
	Rows     int    // rows that were read for it; -1 where the database does not count them
	Text     string // what the database says of it
}

// SweepPlan returns how the database finds the first page of accounts that are due.
func (c *Crew) SweepPlan(ctx context.Context) (Plan, error) {
	return c.plan(ctx, store.Query{DueBy: c.population.now(), Limit: store.MaxPage})
}

// plan has the store send the statement of the query, and asks the database to
// explain that.
func (c *Crew) plan(ctx context.Context, q store.Query) (p Plan, err error) {
	d := c.database
	tap := &tap{driver: d.DB.Driver(), dsn: d.dsn}
	db := sql.OpenDB(tap)
	defer db.Close()
	accounts, err := sqlstore.NewTable(db, d.Dialect, c.table)
	if err != nil {
		return p, err
	}
	page, err := accounts.List(ctx, q)
	if err != nil {
		return p, err
	}
	p.Returned = len(page.Records)
	explain := map[sqlstore.Dialect]string{
		sqlstore.PostgreSQL: "EXPLAIN (ANALYZE, FORMAT JSON) ",
		sqlstore.MySQL:      "ANALYZE FORMAT=JSON ",
		sqlstore.SQLite:     "EXPLAIN QUERY PLAN ",
	}[d.Dialect]
	if d.Dialect == sqlstore.SQLite {
		p.Rows = -1
		var id, parent, unused int
		var detail string
		rows, err := d.DB.QueryContext(ctx, explain+tap.query, tap.args...)
		if err != nil {
			return p, err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				return p, err
			}
			p.Text += detail + "\n"
		}
		return p, rows.Err()
	}
	if err := d.DB.QueryRowContext(ctx, explain+tap.query, tap.args...).Scan(&p.Text); err != nil {
		return p, err
	}
	var tree any
	if err := json.Unmarshal([]byte(p.Text), &tree); err != nil {
		return p, err
	}
	p.Rows = rowsRead(tree)
	return p, nil
}

// rowsRead returns the rows that the plan has read from a table: in PostgreSQL those of
// the nodes that read a relation, with those that they left out, and in MariaDB those
// of each table.
func rowsRead(tree any) (n int) {
	switch x := tree.(type) {
	case []any:
		for _, each := range x {
			n += rowsRead(each)
		}
	case map[string]any:
		number := func(name string) int { f, _ := x[name].(float64); return int(f) }
		switch {
		case x["Relation Name"] != nil:
			n = number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck")
		case x["table_name"] != nil:
			n = number("r_rows")
		}
		for _, each := range x {
			n += rowsRead(each)
		}
	}
	return n
}

// Uses reports whether the plan reads by the index whose name ends like that, and
// nothing else.
func (p Plan) Uses(index string) bool {
	return strings.Contains(p.Text, index) && !strings.Contains(p.Text, "Seq Scan") &&
		!strings.Contains(p.Text, `"access_type": "ALL"`) && !strings.Contains(p.Text, "SCAN")
}

// A tap is a connector that keeps the last query.
type tap struct {
	driver driver.Driver
	dsn    string
	query  string
	args   []any
}

func (t *tap) Driver() driver.Driver { return t.driver }

func (t *tap) Connect(context.Context) (driver.Conn, error) {
	conn, err := t.driver.Open(t.dsn)
	if err != nil {
		return nil, err
	}
	queryer, ok := conn.(driver.QueryerContext)
	if !ok {
		return nil, errors.Join(fmt.Errorf("a %T can't query", conn), conn.Close())
	}
	return tapped{conn, queryer, t}, nil
}

// tapped is a connection that is only asked.
type tapped struct {
	driver.Conn
	queryer driver.QueryerContext
	tap     *tap
}

func (c tapped) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.tap.query, c.tap.args = query, nil
	for _, a := range args {
		c.tap.args = append(c.tap.args, a.Value)
	}
	return c.queryer.QueryContext(ctx, query, args)
}
