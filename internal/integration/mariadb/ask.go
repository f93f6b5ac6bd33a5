package mariadb

import (
	"context"
	"database/sql"
	"fmt"
)

// status is what the replica says of itself.
func (s *Server) status(ctx context.Context) (map[string]string, error) {
	db, err := sql.Open("mysql", s.DSN(""))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SHOW REPLICA STATUS")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, into := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	status := make(map[string]string)
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for i, name := range names {
			status[name] = values[i].String
		}
	}
	return status, rows.Err()
}

// exec executes statements.
func (s *Server) exec(ctx context.Context, statements ...string) error {
	db, err := sql.Open("mysql", s.DSN(""))
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// ask reads the one row of a query.
func (s *Server) ask(ctx context.Context, query string, into ...any) error {
	db, err := sql.Open("mysql", s.DSN(""))
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.QueryRowContext(ctx, query).Scan(into...); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	return nil
}
