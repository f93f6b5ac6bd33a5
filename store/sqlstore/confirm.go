package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// inDoubt reports whether the replicas may lack something that can be read.
func (s *Store) inDoubt() bool { return s.settled.Load() < s.doubts.Load() }

// confirmWait is how long confirmed waits, so that a replica that is away for long does not
// take all connections of a pool whose callers have no deadline.
const confirmWait = 5 * time.Second

// confirmed calls f in a transaction, and waits until the replicas have what f has done and
// seen. All goes to one server: another connection of the pool may lead to another one, which
// has become the primary since, and lacks what the first one has shown.
//
// Doubts are counted for the process, not for each server. Once a new primary has settled
// them, a Load that an old primary still answers is not confirmed. Nor is a statement that
// was given up and still runs, for a lock or because its cancellation is on its way: what it
// writes after a confirmation was not seen by that. It then waits for the standby by itself,
// unless it is cancelled there.
func (s *Store) confirmed(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	doubts := s.doubts.Load()
	limited, cancel := context.WithTimeout(ctx, confirmWait)
	defer cancel()
	if err := s.waited(limited, f); err != nil {
		if ended(limited) != nil && ended(ctx) == nil {
			return fmt.Errorf("the standby has not confirmed it for %v (%v)", confirmWait, err)
		}
		return err
	}
	for settled := s.settled.Load(); settled < doubts; settled = s.settled.Load() {
		if s.settled.CompareAndSwap(settled, doubts) {
			break
		}
	}
	return nil
}

func (s *Store) waited(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if err := f(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, s.confirm); err != nil {
		return err
	}
	// Some drivers take a commit that was cancelled while it waited for a success.
	if err := cmp.Or(tx.Commit(), ended(ctx)); err != nil {
		s.doubt(err)
		return err
	}
	return nil
}

// doubt notes that a write has failed, and may be there all the same.
func (s *Store) doubt(err error) {
	if s.confirm != "" && !refused(err) {
		s.doubts.Add(1)
	}
}

// refused reports whether PostgreSQL has reported an error that undid the statement. It is
// another one if somebody has ended the session, or if the server failed or a pooler lost it.
func refused(err error) bool {
	var server interface{ SQLState() string }
	if !errors.As(err, &server) || len(server.SQLState()) != 5 {
		return false
	}
	switch server.SQLState()[:2] {
	case "08", "57", "58", "XX": // connection, operator, system, internal
		return false
	}
	return true
}
