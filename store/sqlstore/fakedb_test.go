package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"sync"
	"testing"
)

// fakeDB is a database that records what it is sent and answers what the test
// tells it to.
type fakeDB struct {
	// answer says what becomes of a statement. Nil answers everything with no
	// rows, and one row changed.
	answer func(ctx context.Context, statement string, args []any) reply

	connect    func() error // comes before each connection, if set
	prepares   bool         // the driver knows prepared statements only
	prepareErr error        // and fails to prepare
	beginErr   error

	mu   sync.Mutex
	sent []call
}

// call is a statement with its arguments; BEGIN, COMMIT and ROLLBACK stand for
// the driver's methods.
type call struct {
	statement string
	args      []any
}

type reply struct {
	rows     [][]driver.Value
	changed  int64
	countErr error // of RowsAffected
	nextErr  error // behind the last row
	err      error
}

// open returns a pool on the database.
func (f *fakeDB) open(t *testing.T) *sql.DB {
	t.Helper()
	db := sql.OpenDB(fakeConnector{f})
	t.Cleanup(func() { db.Close() })
	return db
}

func (f *fakeDB) do(ctx context.Context, statement string, named []driver.NamedValue) reply {
	args := make([]any, len(named))
	for i, n := range named {
		args[i] = n.Value
	}
	f.mu.Lock()
	f.sent = append(f.sent, call{statement, args})
	f.mu.Unlock()
	if f.answer == nil {
		return reply{changed: 1}
	}
	return f.answer(ctx, statement, args)
}

// statements returns what was sent so far.
func (f *fakeDB) statements() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, c := range f.sent {
		all = append(all, c.statement)
	}
	return all
}

type fakeConnector struct{ db *fakeDB }

func (c fakeConnector) Connect(context.Context) (driver.Conn, error) {
	if c.db.connect != nil {
		if err := c.db.connect(); err != nil {
			return nil, err
		}
	}
	if c.db.prepares {
		return fakeConn(c), nil
	}
	return fakeDirect{fakeConn(c)}, nil
}
func (c fakeConnector) Driver() driver.Driver { return nil }

// fakeConn is a connection that knows prepared statements only.
type fakeConn struct{ db *fakeDB }

func (c fakeConn) Prepare(statement string) (driver.Stmt, error) {
	if c.db.prepareErr != nil {
		return nil, c.db.prepareErr
	}
	return fakeStmt{c.db, statement}, nil
}
func (c fakeConn) Close() error              { return nil }
func (c fakeConn) Begin() (driver.Tx, error) { return nil, errors.New("not used") }
func (c fakeConn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	if c.db.beginErr != nil {
		return nil, c.db.beginErr
	}
	return fakeTx(c), c.db.do(ctx, "BEGIN", nil).err
}

// fakeDirect is a connection that takes statements as they are.
type fakeDirect struct{ fakeConn }

func (c fakeDirect) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	r := c.db.do(ctx, statement, args)
	return fakeResult{r}, r.err
}
func (c fakeDirect) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	r := c.db.do(ctx, statement, args)
	return &fakeRows{reply: r}, r.err
}

type fakeStmt struct {
	db        *fakeDB
	statement string
}

func (s fakeStmt) Close() error                               { return nil }
func (s fakeStmt) NumInput() int                              { return -1 }
func (s fakeStmt) Exec([]driver.Value) (driver.Result, error) { return nil, errors.New("not used") }
func (s fakeStmt) Query([]driver.Value) (driver.Rows, error)  { return nil, errors.New("not used") }
func (s fakeStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	r := s.db.do(ctx, s.statement, args)
	return fakeResult{r}, r.err
}

type fakeTx struct{ db *fakeDB }

func (t fakeTx) Commit() error   { return t.db.do(context.Background(), "COMMIT", nil).err }
func (t fakeTx) Rollback() error { return t.db.do(context.Background(), "ROLLBACK", nil).err }

type fakeResult struct{ reply }

func (r fakeResult) LastInsertId() (int64, error) { return 0, errors.New("not used") }
func (r fakeResult) RowsAffected() (int64, error) { return r.changed, r.countErr }

type fakeRows struct {
	reply
	at int
}

func (r *fakeRows) Columns() []string {
	if len(r.rows) == 0 {
		return nil
	}
	return make([]string, len(r.rows[0]))
}
func (r *fakeRows) Close() error { return nil }
func (r *fakeRows) Next(dest []driver.Value) error {
	if r.at == len(r.rows) {
		if r.nextErr != nil {
			return r.nextErr
		}
		return io.EOF
	}
	copy(dest, r.rows[r.at])
	r.at++
	return nil
}
