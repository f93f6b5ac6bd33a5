package main

import (
	"context"
	"database/sql"
)

// fromRows yields a user per row of the query. If read returns false, the row is of
// somebody without a second factor.
func fromRows(ctx context.Context, db *sql.DB, query string, read func(*sql.Rows) (user, bool, error)) source {
	return func(yield func(user, error) bool) {
		rows, err := db.QueryContext(ctx, query)
		if err != nil {
			yield(user{}, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			u, has, err := read(rows)
			if err != nil {
				yield(user{}, err)
				return
			}
			if has && !yield(u, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(user{}, err)
		}
	}
}
