package bench

import (
	"context"
	"database/sql"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

const (
	insertRows = 100    // in a statement
	commitRows = 10_000 // in a transaction
)

// fill writes n rows into the table: by COPY into PostgreSQL, and by statements
// of a hundred rows in transactions of ten thousand into the others.
func (d *Database) fill(ctx context.Context, table string, columns []string, n int, row func(i int) ([]any, error)) error {
	if d.Dialect == sqlstore.PostgreSQL {
		return d.copyIn(ctx, table, columns, n, row)
	}
	for i := 0; i < n; i += commitRows {
		tx, err := d.DB.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := insert(ctx, tx, table, columns, i, min(n, i+commitRows), row); err != nil {
			tx.Rollback()
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}

// insert writes the rows from first up to end.
func insert(ctx context.Context, tx *sql.Tx, table string, columns []string, first, end int, row func(i int) ([]any, error)) error {
	one := "(" + strings.Repeat(", ?", len(columns))[2:] + ")"
	head := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES "
	full, err := tx.PrepareContext(ctx, head+strings.Repeat(", "+one, insertRows)[2:])
	if err != nil {
		return err
	}
	defer full.Close()
	args := make([]any, 0, insertRows*len(columns))
	for i := first; i < end; i++ {
		values, err := row(i)
		if err != nil {
			return err
		}
		if args = append(args, values...); len(args) == cap(args) {
			if _, err := full.ExecContext(ctx, args...); err != nil {
				return err
			}
			args = args[:0]
		}
	}
	if len(args) == 0 {
		return nil
	}
	_, err = tx.ExecContext(ctx, head+strings.Repeat(", "+one, len(args)/len(columns))[2:], args...)
	return err
}

func (d *Database) copyIn(ctx context.Context, table string, columns []string, n int, row func(i int) ([]any, error)) error {
	conn, err := d.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	i := 0
	rows := pgx.CopyFromFunc(func() ([]any, error) {
		if i == n {
			return nil, nil
		}
		i++
		return row(i - 1)
	})
	return conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, rows)
		return err
	})
}
