package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// schemaVersion is the version of the schema that this package creates and
// knows.
const schemaVersion = 1

var (
	// ErrSchema says that this package can't use the table. The table does not
	// exist, lacks columns or its key, does not compare user ids by their bytes,
	// or was created by a newer version of this package.
	ErrSchema = errors.New("sqlstore: the table can't be used")

	// ErrSettings says that the table can be used, but that with its settings the database
	// may lose acknowledged writes, or fail where it only had to wait. An application may
	// ignore this error for the database of a test. In production, used codes would work
	// again after a crash.
	ErrSettings = errors.New("sqlstore: the settings of the database are not safe")
)

// Migrate creates the table, its indexes and the table of its version if one of the tables
// does not exist, and then does what [Store.Check] does. Applications may call it at every
// start and from several processes at once. If both tables exist, it changes nothing, does
// not look at the indexes, and needs no right to create tables.
//
// Migrate returns an error that matches [ErrSchema], and has changed nothing, if a table of
// that name lacks columns or is newer than this package knows. It also does so if the table of
// the version exists and the other does not, because with an empty one no user would be
// enrolled: restore it, or drop the table of the version, too. If Migrate returns an error
// that matches [ErrSettings], the table is ready.
func (s *Store) Migrate(ctx context.Context) error {
	for pause := busyPause; ; pause += busyPause {
		err := s.migrate(ctx)
		if err == nil || pause > maxBusyPause || s.grammar.busy == nil || !s.grammar.busy(err) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return failed(ctx, "migrating", ctx.Err())
		}
	}
}

// Pauses of Migrate while other processes use the database, each longer than the
// one before: a little over four seconds in all.
const (
	busyPause    = 20 * time.Millisecond
	maxBusyPause = 20 * busyPause
)

// migrate is Migrate without pauses. Each of its steps can be repeated.
func (s *Store) migrate(ctx context.Context) error {
	const doing = "migrating"
	unsafe, err := s.settings(ctx)
	if err != nil {
		return err
	}
	// If the table was created by something else, the error says which columns it
	// lacks. Without this, creating an index on it would fail.
	version, err := s.existing(ctx)
	if err != nil {
		return err
	}
	if version < schemaVersion {
		done, err := s.begin(ctx, doing)
		if err != nil {
			return err
		}
		err = s.grammar.apply(ctx, s.db, s.table, s.table.statements(s.grammar))
		done()
		if err != nil {
			return failed(ctx, doing, err)
		}
	}
	if err := s.schema(ctx); err != nil {
		if unsafe != nil { // it can explain err, as with a database in memory
			return fmt.Errorf("%w; in addition, %v", err, unsafe)
		}
		return err
	}
	return unsafe
}
