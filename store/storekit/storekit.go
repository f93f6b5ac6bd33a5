package storekit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// Rows reads and writes the rows of a database. It gets only arguments that the
// contract of [store.Store] allows, and contexts that have not ended before the
// call. Its methods must be safe for concurrent use. They may keep no bytes of a
// record and may return bytes that change after the call, because [New] copies
// them.
type Rows interface {
	// Get returns the latest committed row of the user, or store.ErrNotFound if
	// the user has no row. It reads where Put writes. Any error other than
	// store.ErrNotFound says that it could not look.
	//
	// If Put and Delete wait for replicas, one that failed may have written to the primary
	// only. Until the replicas have that, Get must wait or return an error; see
	// [store.Store].
	Get(ctx context.Context, userID string) (store.Record, error)

	// Put writes the row if the user's row has the version prev, or, if prev is 0,
	// if the user has no row. It returns store.ErrConflict otherwise, and if the
	// database has refused the write because of another one at the same time and has
	// changed nothing. Comparing and writing are one atomic step of the database.
	// When Put returns nil, the row is as durable as the database can make it. After an
	// error other than store.ErrConflict the write may or may not have happened; Put does
	// not try again.
	//
	// The times of the record are in UTC and whole microseconds, and Data is not
	// nil.
	Put(ctx context.Context, r store.Record, prev int64) error
}

// A Scanner is [Rows] that can be read in order.
type Scanner interface {
	// Scan returns up to limit rows whose user ids are greater than after, in
	// ascending order of the bytes of the user id. After is empty at the beginning.
	// Fewer rows than limit say that there are no more. A row that can't be read is a
	// Record with only its UserID, so that the others are listed all the same.
	Scan(ctx context.Context, after string, limit int) ([]store.Record, error)
}

// A Finder is Rows that can get the rows of several users at once. Without it, the List
// of a [Scanner] gets one row after another if its query has UserIDs, which costs a round
// trip for each of them.
type Finder interface {
	// Find returns the rows of those users, in any order, without users that have no
	// row. It gets 1 to 100 user ids, all different. Like Get, it reads where Put
	// writes. A row that can't be read is as in Scan.
	Find(ctx context.Context, userIDs []string) ([]store.Record, error)
}

// A Deleter is [Rows] that can be deleted.
type Deleter interface {
	// Delete deletes the user's row, whatever its version, and returns nil if
	// there is none.
	Delete(ctx context.Context, userID string) error
}

// New returns a Store on the rows. It is also a [store.Lister] if rows is a
// [Scanner], and a [store.Eraser] if rows is a [Deleter]. List uses Find if rows is also a
// [Finder]. Errors of the rows are wrapped and begin with the name. They never match
// [store.ErrInvalid]. Of the other errors of package store, Load passes on only
// store.ErrNotFound, and Save only store.ErrConflict, so that a mistake in the rows does
// not look like an answer.
//
// New panics if rows is nil.
func New(name string, rows Rows) store.Store {
	if rows == nil {
		panic("storekit: the rows are nil")
	}
	b := base{name, rows}
	scanner, scans := rows.(Scanner)
	deleter, deletes := rows.(Deleter)
	l, e := lister{b, scanner}, eraser{b, deleter}
	switch {
	case scans && deletes:
		return struct {
			base
			store.Lister
			store.Eraser
		}{b, l, e}
	case scans:
		return struct {
			base
			store.Lister
		}{b, l}
	case deletes:
		return struct {
			base
			store.Eraser
		}{b, e}
	}
	return b
}

// base is a Store.
type base struct {
	name string
	rows Rows
}

// Load implements store.Store.
func (s base) Load(ctx context.Context, userID string) (store.Record, error) {
	const doing = "loading a record"
	if err := ctx.Err(); err != nil {
		return store.Record{}, s.failed(ctx, doing, err)
	}
	if err := store.ValidateUserID(userID); err != nil {
		return store.Record{}, err
	}
	r, err := s.rows.Get(ctx, userID)
	if errors.Is(err, store.ErrNotFound) && ctx.Err() == nil {
		return store.Record{}, store.ErrNotFound
	}
	if err == nil {
		r, err = kept(r)
	}
	if err == nil && r.UserID != userID {
		err = errors.New("the row is another user's")
	}
	if err != nil {
		return store.Record{}, s.failed(ctx, doing, err)
	}
	return r, nil
}

// Save implements store.Store.
func (s base) Save(ctx context.Context, r store.Record, prev int64) error {
	const doing = "saving a record"
	if err := ctx.Err(); err != nil {
		return s.failed(ctx, doing, err)
	}
	if err := store.ValidateSave(r, prev); err != nil {
		return err
	}
	r, err := kept(r)
	if err != nil { // not after ValidateSave
		return s.failed(ctx, doing, err)
	}
	switch err := s.rows.Put(ctx, r, prev); {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrConflict):
		return store.ErrConflict
	default:
		return s.failed(ctx, doing, err)
	}
}

// kept returns a copy of the record as stores keep it, or an error if it is not
// valid. The error matches none of package store, because nobody's argument is
// wrong if a row is.
func kept(r store.Record) (store.Record, error) {
	if err := r.Validate(); err != nil {
		return store.Record{}, fmt.Errorf("a row is not valid: %v", err)
	}
	return copied(r), nil
}

func copied(r store.Record) store.Record {
	r.Due = time.UnixMicro(r.Due.UnixMicro()).UTC()
	r.Updated = time.UnixMicro(r.Updated.UnixMicro()).UTC()
	r.Data = append([]byte{}, r.Data...)
	return r
}

// failed returns an error that says what failed. If the context has ended, it
// matches the context's error, whatever the rows returned.
func (s base) failed(ctx context.Context, doing string, err error) error {
	for _, answer := range []error{store.ErrNotFound, store.ErrConflict, store.ErrInvalid} {
		if errors.Is(err, answer) {
			err = errors.New(err.Error()) // as text, so that it is no answer
		}
	}
	ended := ctx.Err()
	if deadline, ok := ctx.Deadline(); ended == nil && ok && !time.Now().Before(deadline) {
		// A driver that gives the deadline to its socket can fail before the
		// context ends.
		ended = context.DeadlineExceeded
	}
	if ended != nil && !errors.Is(err, ended) {
		return fmt.Errorf("%s: %s: %w (%w)", s.name, doing, ended, err)
	}
	return fmt.Errorf("%s: %s: %w", s.name, doing, err)
}
