// Package pgxnative keeps two-factor records in PostgreSQL by pgx, without database/sql.
// It is an example to copy: storekit does the rest. The table is the one of sqlstore, so
// apply sqlstore.Schema(sqlstore.PostgreSQL, ""). Whether the database is set up as it must
// be is what sqlstore.New(stdlib.OpenDBFromPool(pool), sqlstore.PostgreSQL).Check(ctx) says
// at the start of the program.
//
// With a synchronous standby, pass stdlib.OpenDBFromPool(pool) to sqlstore instead. This
// recipe does not confirm a Save that was given up while the standby was away: its code is
// accepted, and works again after a failover. See "PostgreSQL" in the documentation of
// sqlstore.
package pgxnative

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storekit"
)

// A Store is a store.Store that lists, as enrollment.Open asks, and erases.
type Store interface {
	store.Store
	store.Lister
	store.Eraser
}

// New returns a store on the pool, which leads to the primary.
func New(pool *pgxpool.Pool) Store { return storekit.New("pgxnative", rows{pool}).(Store) }

type rows struct{ pool *pgxpool.Pool }

const columns = "user_id, version, state, due, updated, data"

// Get implements storekit.Rows.
func (b rows) Get(ctx context.Context, userID string) (store.Record, error) {
	r, err := scan(b.pool.QueryRow(ctx, "SELECT "+columns+" FROM twofactor_accounts WHERE user_id = $1", userID))
	if errors.Is(err, pgx.ErrNoRows) {
		return r, store.ErrNotFound
	}
	return r, err
}

// Put implements storekit.Rows.
func (b rows) Put(ctx context.Context, r store.Record, prev int64) error {
	var due *int64 // NULL for the zero time
	if !r.Due.IsZero() {
		micro := r.Due.UnixMicro()
		due = &micro
	}
	statement := "UPDATE twofactor_accounts SET version = $2, state = $3, due = $4, updated = $5, data = $6 WHERE user_id = $1 AND version = $7"
	args := []any{r.UserID, r.Version, r.State.String(), due, r.Updated.UnixMicro(), r.Data, prev}
	if prev == 0 {
		statement = "INSERT INTO twofactor_accounts (" + columns + ") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id) DO NOTHING"
		args = args[:6]
	}
	tag, err := b.pool.Exec(ctx, statement, args...)
	if err == nil && tag.RowsAffected() == 0 {
		return store.ErrConflict
	}
	return err
}

// Delete implements storekit.Deleter.
func (b rows) Delete(ctx context.Context, userID string) error {
	_, err := b.pool.Exec(ctx, "DELETE FROM twofactor_accounts WHERE user_id = $1", userID)
	return err
}

// Scan implements storekit.Scanner.
func (b rows) Scan(ctx context.Context, after string, limit int) ([]store.Record, error) {
	return b.query(ctx, "user_id > $1 ORDER BY user_id LIMIT $2", after, limit)
}

// Find implements storekit.Finder.
func (b rows) Find(ctx context.Context, userIDs []string) ([]store.Record, error) {
	return b.query(ctx, "user_id = ANY($1)", userIDs)
}

func (b rows) query(ctx context.Context, where string, args ...any) ([]store.Record, error) {
	found, err := b.pool.Query(ctx, "SELECT "+columns+" FROM twofactor_accounts WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, func(row pgx.CollectableRow) (store.Record, error) {
		r, err := scan(row)
		if err != nil && r.UserID != "" { // an undefined state, which hides no others
			return store.Record{UserID: r.UserID}, nil
		}
		return r, err
	})
}

func scan(row pgx.Row) (r store.Record, err error) {
	var state string
	var due *int64
	var updated int64
	if err := row.Scan(&r.UserID, &r.Version, &state, &due, &updated, &r.Data); err != nil {
		return r, err
	}
	if due != nil {
		r.Due = time.UnixMicro(*due)
	}
	r.Updated = time.UnixMicro(updated)
	r.State, err = store.ParseState(state)
	return r, err
}
