package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// A row has a record, or an error and the record's user id.
type row struct {
	record store.Record
	err    error // no Save can have written it
}

// query returns the rows of a SELECT of all columns, from a pool or a transaction.
func query(ctx context.Context, from interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, statement string, args ...any) ([]row, error) {
	found, err := from.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows []row
	for found.Next() {
		r, ok := scan(found)
		if !ok {
			return nil, r.err
		}
		rows = append(rows, r)
	}
	return rows, found.Err()
}

// scan reads a row. It reports false if it could not read the user id.
func scan(rows *sql.Rows) (_ row, ok bool) {
	var (
		r       store.Record
		id      sql.NullString
		state   string
		due     sql.NullInt64
		updated int64
		data    sql.Null[[]byte]
	)
	// Scan goes on from the left until a column is of another type, or null. Its error is not
	// wrapped, because it quotes the value.
	err := rows.Scan(&id, &r.Version, &state, &due, &updated, &data)
	r.UserID = id.String
	bad := func(text string) (row, bool) { return row{r, errors.New(text)}, id.Valid }
	if err != nil || !id.Valid {
		return bad("a row has a column of the wrong type, or null")
	}
	if r.State, err = store.ParseState(state); err != nil {
		return bad("a row has a state that is not defined")
	}
	if due.Valid {
		r.Due = time.UnixMicro(due.Int64).UTC()
	}
	r.Updated = time.UnixMicro(updated).UTC()
	if !data.Valid {
		return bad("a row has no data")
	}
	r.Data = data.V
	if err := r.Validate(); err != nil {
		// Not wrapped: ErrInvalid would say that an argument of the caller is.
		return bad("a row is not valid: " + err.Error())
	}
	return row{r, nil}, true
}
