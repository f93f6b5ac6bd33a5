package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// confirmed waits until the replicas have what was committed, if they may lack some of it.
func (s *Store) confirmed(ctx context.Context) error {
	doubts := s.doubts.Load()
	if s.settled.Load() >= doubts {
		return nil
	}
	if err := s.confirmAll(ctx); err != nil {
		return err
	}
	for settled := s.settled.Load(); settled < doubts; settled = s.settled.Load() {
		if s.settled.CompareAndSwap(settled, doubts) {
			break
		}
	}
	return nil
}

// confirmWait is how long confirmAll waits, so that a replica that is away for long does not
// take all connections of a pool whose callers have no deadline.
const confirmWait = 5 * time.Second

// confirmAll waits until the replicas have what was committed.
func (s *Store) confirmAll(ctx context.Context) error {
	const doing = "confirming what was written"
	limited, cancel := context.WithTimeout(ctx, confirmWait)
	defer cancel()
	_, err := s.exec(limited, doing, s.confirm)
	if err != nil && limited.Err() != nil && ended(ctx) == nil {
		return fmt.Errorf("sqlstore: %s: the standby has not answered for %v", doing, confirmWait)
	}
	return err
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
