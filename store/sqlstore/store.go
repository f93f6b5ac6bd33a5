package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// A Store keeps records in one table. Make one with [New] or [NewTable]; the zero
// Store can't be used. It is safe for concurrent use by several goroutines, and
// several processes may share the table.
//
// A Store wraps the errors of the driver, so that an application can look at them with
// [errors.As]. It adds nothing of a record's Data to them.
type Store struct {
	db      *sql.DB
	grammar grammar
	table   table

	load, create, replace, erase string

	// confirm changes no table. The commit of its transaction returns when the replicas have
	// all that was committed before on this server. It is empty where Load does not need it.
	confirm string

	// doubts counts the writes whose outcome is unknown: a replica may lack them, although
	// they can be read. The first settled of them are known to be there or to be gone.
	doubts, settled atomic.Int64

	// writer is held by the goroutine that writes. It is a channel and not a
	// mutex, so that others can wait with a context. It is nil for a database
	// that serves several writers well.
	writer chan struct{}
}

var (
	_ store.Store  = (*Store)(nil)
	_ store.Lister = (*Store)(nil)
	_ store.Eraser = (*Store)(nil)
)

// columns are the columns of the table, in the order in which scan reads them.
const columns = "user_id, version, state, due, updated, data"

// New returns a Store that uses the table [DefaultTable] of the database. It opens no
// connection. The application configures and closes the pool.
//
// New panics if db is nil or d is not a valid dialect.
func New(db *sql.DB, d Dialect) *Store {
	s, err := NewTable(db, d, DefaultTable)
	if err != nil {
		panic(err)
	}
	return s
}

// NewTable is like [New] for a table with another name. An empty name means
// [DefaultTable]. NewTable returns an error if db is nil, or if [Schema] refuses
// the name or the dialect. Stores with different tables are independent of each
// other.
func NewTable(db *sql.DB, d Dialect, tableName string) (*Store, error) {
	if tableName == "" {
		tableName = DefaultTable
	}
	g, t, err := parseTable(d, tableName)
	if err != nil {
		return nil, err
	}
	if db == nil {
		return nil, errors.New("sqlstore: the database is nil")
	}
	name := t.quoted("")
	s := &Store{
		db:      db,
		grammar: g,
		table:   t,
		load:    "SELECT " + columns + " FROM " + name + " WHERE user_id = " + g.param(1) + g.replaced,
		create:  "INSERT INTO " + name + " (" + columns + ") VALUES (" + g.params(1, 6) + ")" + g.ignore,
		replace: fmt.Sprintf("UPDATE %s SET version = %s, state = %s, due = %s, updated = %s, data = %s WHERE user_id = %s AND version = %s",
			name, g.param(1), g.param(2), g.param(3), g.param(4), g.param(5), g.param(6), g.param(7)),
		erase:   "DELETE FROM " + name + " WHERE user_id = " + g.param(1),
		confirm: g.confirm,
	}
	if g.oneWriter {
		s.writer = make(chan struct{}, 1)
	}
	return s, nil
}

// Load returns the user's record, or [store.ErrNotFound] if there is none. For an invalid user
// id it returns [store.ErrInvalid]. If the context ends, the error matches the context's, and
// otherwise it wraps the driver's. A row that this package can't have written, or that is
// another user's, is an error and never ErrNotFound. So is all that a server of MySQL with
// read_only on has.
//
// If the outcome of an earlier Save or Erase is unknown, and PostgreSQL has a synchronous
// standby, Load returns what the standby has: it waits until the standby has all that was
// committed, for five seconds at most, and otherwise returns an error.
func (s *Store) Load(ctx context.Context, userID string) (store.Record, error) {
	const doing = "loading a record"
	if err := ctx.Err(); err != nil {
		return store.Record{}, failed(ctx, doing, err)
	}
	if err := store.ValidateUserID(userID); err != nil {
		return store.Record{}, err
	}
	// A doubt of before the SELECT counts, even if somebody has settled it since: that may
	// have been at another server. So does one of meanwhile.
	var rows []row
	var err error
	doubt := s.inDoubt()
	if !doubt {
		rows, err = query(ctx, s.db, s.load, userID)
		doubt = err == nil && s.inDoubt()
	}
	if doubt {
		err = s.confirmed(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			rows, err = query(ctx, tx, s.load, userID)
			return err
		})
	}
	switch {
	case err != nil:
		return store.Record{}, failed(ctx, doing, err)
	case len(rows) == 0:
		return store.Record{}, store.ErrNotFound
	case rows[len(rows)-1].record.UserID == "":
		return store.Record{}, errors.New("sqlstore: loading a record: the server is read_only, so it is not the primary, and its records may be old")
	case len(rows) > 1:
		return store.Record{}, errors.New("sqlstore: loading a record: several rows have this user id: user_id needs a unique key")
	case rows[0].record.UserID != userID:
		return store.Record{}, errors.New("sqlstore: loading a record: the database returned the record of another user: the collation of user_id does not compare bytes")
	case rows[0].err != nil:
		return store.Record{}, failed(ctx, doing, rows[0].err)
	}
	return rows[0].record, nil
}

// Save writes the record with one INSERT or one UPDATE. How durable that is
// depends on the settings of the database; see [Store.Check]. Save returns
// [store.ErrConflict] if the table does not hold version prev, or, if prev is 0,
// holds a record. It returns [store.ErrInvalid] for invalid arguments. After
// either, nothing has changed. It returns an error that matches the context's
// error if the context ends, and otherwise an error that wraps the driver's. After
// one of these, the write may or may not have happened.
func (s *Store) Save(ctx context.Context, r store.Record, prev int64) error {
	const doing = "saving a record"
	if err := ctx.Err(); err != nil {
		return failed(ctx, doing, err)
	}
	if err := store.ValidateSave(r, prev); err != nil {
		return err
	}
	var due any // NULL for the zero time
	if !r.Due.IsZero() {
		due = r.Due.UnixMicro()
	}
	data := r.Data
	if data == nil {
		data = []byte{} // not NULL
	}
	statement, args := s.create, []any{r.UserID, r.Version, r.State.String(), due, r.Updated.UnixMicro(), data}
	if prev != 0 {
		statement, args = s.replace, []any{r.Version, r.State.String(), due, r.Updated.UnixMicro(), data, r.UserID, prev}
	}
	n, err := s.exec(ctx, doing, statement, args...)
	switch {
	case err != nil && s.grammar.conflict != nil && s.grammar.conflict(err):
		return store.ErrConflict // the server's text quotes the user id
	case err != nil:
		return err
	case n == 0:
		return store.ErrConflict
	case n != 1:
		return fmt.Errorf("sqlstore: saving a record: %d rows changed, want 1", n)
	}
	return nil
}

// exec executes a statement that writes, and returns how many rows it changed. It sends
// the statement once: the pool would send it again on another connection if the driver
// calls this one bad, which lib/pq does even after the statement was executed. The
// statement has no RETURNING: in SQLite, one that is read through QueryRow does not run
// to its end and blocks the checkpoint.
func (s *Store) exec(ctx context.Context, doing, statement string, args ...any) (int64, error) {
	done, err := s.begin(ctx, doing)
	if err != nil {
		return 0, err
	}
	defer done()
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return 0, failed(ctx, doing, err)
	}
	defer conn.Close()
	res, err := conn.ExecContext(ctx, statement, args...)
	if s.confirm != "" {
		// If the statement was waiting for a replica, and is cancelled or its connection
		// ends, it was committed without. Some drivers take the former for success.
		err = cmp.Or(err, ended(ctx))
	}
	if err != nil {
		s.doubt(err)
		return 0, failed(ctx, doing, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, failed(ctx, doing, err)
	}
	return n, nil
}

// begin waits until the caller may write. The caller then calls done.
func (s *Store) begin(ctx context.Context, doing string) (done func(), err error) {
	if s.writer == nil {
		return func() {}, nil
	}
	select {
	case s.writer <- struct{}{}:
		return func() { <-s.writer }, nil
	case <-ctx.Done():
		return nil, failed(ctx, doing, ctx.Err())
	}
}

// failed returns an error that says what failed. If the context has ended, it
// matches the context's error, whatever the driver returned.
func failed(ctx context.Context, doing string, err error) error {
	if ended := ended(ctx); ended != nil && !errors.Is(err, ended) {
		return fmt.Errorf("sqlstore: %s: %w (%w)", doing, ended, err)
	}
	return fmt.Errorf("sqlstore: %s: %w", doing, err)
}

// ended returns the context's error if it has ended, or ends now. A driver that gives the
// deadline to its socket can fail before the context ends.
func ended(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ctx.Err() == nil && ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}
