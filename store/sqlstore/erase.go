package sqlstore

import (
	"context"
	"database/sql"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// eraseTries is how often Erase sends its statement, if the server refuses it because of
// another write of the row at the same time. The statement has changed nothing then.
const eraseTries = 10

// Erase deletes the user's row. It returns nil if there is none, and
// [store.ErrInvalid] for an invalid user id. It returns an error that matches the
// context's error if the context ends, and otherwise an error that wraps the
// driver's. After one of these, the row may or may not exist.
//
// If there is no row, and PostgreSQL has a synchronous standby, Erase waits until the
// standby has none, as [Store.Load] does: another process may have deleted the row, and
// given up before the standby had that.
func (s *Store) Erase(ctx context.Context, userID string) error {
	const doing = "erasing a record"
	if err := ctx.Err(); err != nil {
		return failed(ctx, doing, err)
	}
	if err := store.ValidateUserID(userID); err != nil {
		return err
	}
	for try := 1; ; try++ {
		n, err := s.exec(ctx, doing, s.erase, userID)
		if err == nil && n == 0 && s.confirm != "" {
			err := s.confirmed(ctx, func(ctx context.Context, tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, s.erase, userID)
				return err
			})
			if err != nil {
				return failed(ctx, doing, err)
			}
			return nil
		}
		if err == nil || try == eraseTries || s.grammar.conflict == nil || !s.grammar.conflict(err) {
			return err
		}
	}
}

// EraseTx is Erase inside a transaction of the application, for one that deletes a
// user with everything that belongs to them: the row goes if and only if the
// transaction is committed. It returns [store.ErrInvalid] for an invalid user id, an error
// that matches the context's error if the context ends, and otherwise an error that wraps
// the driver's; it repeats nothing. After an error, roll the transaction back.
//
// It bypasses the Guard. Events that the user has not heard of yet are lost, and
// nobody is told that the account was erased. Where that matters, call Admin.Erase of
// package enrollment after the commit instead; it does nothing if there is no row. Do so in
// a Galera cluster, where a transaction may not see the row yet. Do so as well if an
// Admin.Move to this user id was interrupted: the row of the old id still has the account
// then, and the same Move would bring it back, with codes that have been used since.
//
// If the commit fails, and PostgreSQL has a synchronous standby, the row can look deleted
// although the standby has it. Repeat the transaction. If its commit returns nil, the standby
// has deleted the row, too.
//
// Nothing else of a Store can be part of a transaction. What a Guard saves has to
// stay when the request fails: a wrong code that was counted, a code that was used.
// A rollback would give both back to the person who caused it.
func (s *Store) EraseTx(ctx context.Context, tx *sql.Tx, userID string) error {
	if err := store.ValidateUserID(userID); err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, s.erase, userID)
	if err == nil && s.confirm != "" {
		var n int64
		if n, err = result.RowsAffected(); err == nil && n == 0 {
			_, err = tx.ExecContext(ctx, s.confirm) // the commit of a transaction that writes nothing waits for nobody
		}
	}
	if err != nil {
		return failed(ctx, "erasing a record in a transaction", err)
	}
	return nil
}
