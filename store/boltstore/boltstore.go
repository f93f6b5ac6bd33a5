// Package boltstore keeps two-factor records in a file, by go.etcd.io/bbolt. It is
// for programs that are one file and one process, and need no database server.
//
//	db, err := bolt.Open("accounts.bolt", 0o600, &bolt.Options{Timeout: time.Second})
//	if err != nil {
//		return err // also if another process has the file open
//	}
//	defer db.Close()
//	accounts, err := boltstore.New(db)
//
// # One process
//
// A file belongs to one process at a time. A second process that opens it waits for
// the Timeout, or without one for ever. A service with several processes, or one whose
// next version starts before the last one ends, needs package sqlstore or redisstore. Keep
// the file on a local disk, because locks do not work on network file systems.
//
// # Durability
//
// Each Save is a transaction of its own, and is flushed to the disk (fsync) before it
// returns. [New] refuses a database with NoSync or NoGrowSync. What was acknowledged survives
// a crash of the process. That it survives a power failure is bbolt's promise, if the disk
// keeps what it has flushed; it was not measured here. Saves wait for each other, and each
// costs a flush.
//
// Do not restore an old copy of the file: used codes would work again.
//
// # Errors
//
// The documentation of package store says what a Guard does after an error.
//
//	error                         a Save returns     has it changed anything?  who may try again
//	another version, or a record  store.ErrConflict  no                        the Guard does
//	the context ended             its error          no, if the disk works     the caller, with a new context
//	the file is closed            the error          no                        the caller, with a new Store
//	the disk or the file is full  the error          no                        the caller, once there is room
//	anything else                 the error          unknown                   nobody: it needs repair
//
// If the disk fails while it flushes a write, bbolt can show the write although a power
// failure would lose it. The Store then flushes once more before it reads anything, and
// returns an error as long as that fails. [New] flushes as well: the last process can have
// died just then.
//
// # The application's own data
//
// The file may hold buckets of the application. A Store uses the buckets
// twofactor_accounts and twofactor_meta. bbolt has one writer at a time, so do not call
// the Guard inside a transaction that writes: the Save would wait for that transaction
// for ever. Do not call it inside one that reads either, and keep read transactions short.
// A copy of the file to a slow reader is a long one. When the file grows, bbolt makes each
// Load and the Save in hand wait until it ends, even if their contexts have ended. A large
// InitialMmapSize puts that off.
package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storekit"
	bolt "go.etcd.io/bbolt"
)

var (
	// ErrSchema says that the buckets were written by a newer version of this
	// package, or by something else.
	ErrSchema = errors.New("boltstore: the buckets can't be used")

	// ErrSettings says that the database was opened without flushing, or for
	// reading only.
	ErrSettings = errors.New("boltstore: the settings of the database are not safe")
)

// A Store keeps records in a file. Make one with [New]; the zero Store can't be used.
// It is safe for concurrent use by several goroutines.
type Store struct {
	rows complete
}

// complete is what storekit makes of rows.
type complete interface {
	store.Store
	store.Lister
	store.Eraser
}

var _ complete = (*Store)(nil)

// New returns a Store on the database. It creates its buckets if they do not exist, and
// flushes what a process that died may have left. The application closes the database. Use
// one Store per database.
//
// New returns an error that matches [ErrSettings] if the database has NoSync or NoGrowSync,
// or is opened for reading only, one that matches [ErrSchema] if the buckets can't be used,
// and otherwise an error that wraps the one of bbolt. It panics if db is nil.
func New(db *bolt.DB) (*Store, error) {
	if db == nil {
		panic("boltstore: the database is nil")
	}
	switch {
	case db.IsReadOnly():
		return nil, fmt.Errorf("%w: it is opened for reading only", ErrSettings)
	case db.NoSync:
		return nil, fmt.Errorf("%w: NoSync is on: a power failure loses acknowledged writes, and used codes work again", ErrSettings)
	case db.NoGrowSync:
		return nil, fmt.Errorf("%w: NoGrowSync is on: a power failure can destroy the file", ErrSettings)
	}
	if err := prepare(db); err != nil {
		return nil, err
	}
	rows := newRows(db)
	if err := rows.write(context.Background(), nothing); err != nil {
		return nil, fmt.Errorf("boltstore: flushing the file: %w", err)
	}
	return &Store{storekit.New("boltstore", rows).(complete)}, nil
}

// Names of the buckets, and of the key of the version.
var (
	bucketRecords = []byte("twofactor_accounts")
	bucketMeta    = []byte("twofactor_meta")
	keyVersion    = []byte("version")
)

// schemaVersion is the version of the buckets that this package writes and knows.
var schemaVersion = []byte("1")

// prepare creates the buckets, unless they exist.
func prepare(db *bolt.DB) error {
	err := db.View(check)
	if !errors.Is(err, errNew) {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		if _, err := tx.CreateBucket(bucketRecords); err != nil {
			return err
		}
		meta, err := tx.CreateBucket(bucketMeta)
		if err != nil {
			return err
		}
		return meta.Put(keyVersion, schemaVersion)
	})
	if err != nil {
		return fmt.Errorf("boltstore: creating the buckets: %w", err)
	}
	return nil
}

// errNew says that a file has no records and no version yet.
var errNew = errors.New("the file is new")

// check returns ErrSchema if the buckets are not of this version.
func check(tx *bolt.Tx) error {
	meta, records := tx.Bucket(bucketMeta), tx.Bucket(bucketRecords)
	switch {
	case meta == nil && records == nil:
		return errNew
	case meta == nil || records == nil:
		return fmt.Errorf("%w: one of the two is missing", ErrSchema)
	}
	if version := meta.Get(keyVersion); !bytes.Equal(version, schemaVersion) {
		return fmt.Errorf("%w: they have version %.20q, and this package knows version %s: update the library", ErrSchema, version, schemaVersion)
	}
	return nil
}

// Load returns a copy of the user's record. It returns [store.ErrNotFound] if there
// is none, [store.ErrInvalid] for an invalid user id, the context's error if the
// context has ended, and otherwise an error that wraps the one of bbolt. A value that
// this package can't have written is an error.
func (s *Store) Load(ctx context.Context, userID string) (store.Record, error) {
	return s.rows.Load(ctx, userID)
}

// Save writes the record in a transaction, and returns when it is on the disk. It
// returns [store.ErrConflict] if the file does not hold version prev, or, if prev is
// 0, holds a record. It returns [store.ErrInvalid] for invalid arguments, and the
// context's error if the context ends while other Saves are running. After each of
// these, nothing has changed. After another error, which wraps the one of bbolt, the
// write may or may not have happened.
func (s *Store) Save(ctx context.Context, r store.Record, prev int64) error {
	return s.rows.Save(ctx, r, prev)
}

// List returns a page of the records that match the query, ordered by the bytes of
// their user ids. A call looks at no more than a few thousand records: a page with few
// matches can be short and have a Next. With UserIDs it loads one record after another.
// It returns [store.ErrInvalid] for an invalid query or a cursor that no List returned,
// and the context's error if the context ends.
func (s *Store) List(ctx context.Context, q store.Query) (store.Page, error) {
	return s.rows.List(ctx, q)
}

// Erase deletes the user's record. It returns nil if there is none,
// [store.ErrInvalid] for an invalid user id, and otherwise the errors of Save. The
// sealed bytes stay in free pages of the file until bbolt uses these again.
func (s *Store) Erase(ctx context.Context, userID string) error {
	return s.rows.Erase(ctx, userID)
}
