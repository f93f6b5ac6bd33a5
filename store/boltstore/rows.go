package boltstore

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
	bolt "go.etcd.io/bbolt"
)

// rows are the part that storekit leaves to a database. The key of a record is its
// user id, and bbolt orders keys by their bytes.
type rows struct {
	db *bolt.DB

	// writer is held by the goroutine that writes, so that others can wait with a
	// context. bbolt's own lock can't.
	writer chan struct{}

	// update is db.Update, but for tests.
	update func(func(tx *bolt.Tx) error) error

	// unflushed says that the file shows a write that may not be on the disk.
	unflushed *atomic.Bool
}

func newRows(db *bolt.DB) rows {
	return rows{db: db, writer: make(chan struct{}, 1), update: db.Update, unflushed: new(atomic.Bool)}
}

// view calls f in a transaction that reads.
func (b rows) view(ctx context.Context, f func(tx *bolt.Tx) error) error {
	if b.unflushed.Load() {
		if err := b.write(ctx, nothing); err != nil {
			return err
		}
	}
	return b.db.View(f)
}

// nothing leaves the records as they are. Its commit flushes what earlier ones have not.
func nothing(*bolt.Bucket) error { return nil }

// Get implements storekit.Rows.
func (b rows) Get(ctx context.Context, userID string) (r store.Record, err error) {
	err = b.view(ctx, func(tx *bolt.Tx) error {
		value := tx.Bucket(bucketRecords).Get([]byte(userID))
		if value == nil {
			return store.ErrNotFound
		}
		r, err = decode(userID, value)
		return err
	})
	return r, err
}

// Put implements storekit.Rows.
func (b rows) Put(ctx context.Context, r store.Record, prev int64) error {
	return b.write(ctx, func(records *bolt.Bucket) error {
		var version int64 // of a user without a record, and prev is then 0
		if value := records.Get([]byte(r.UserID)); value != nil {
			now, err := decode(r.UserID, value)
			if err != nil {
				return err
			}
			version = now.Version
		}
		if version != prev {
			return store.ErrConflict
		}
		return records.Put([]byte(r.UserID), encode(r))
	})
}

// Delete implements storekit.Deleter.
func (b rows) Delete(ctx context.Context, userID string) error {
	return b.write(ctx, func(records *bolt.Bucket) error { return records.Delete([]byte(userID)) })
}

// Scan implements storekit.Scanner.
func (b rows) Scan(ctx context.Context, after string, limit int) (all []store.Record, err error) {
	err = b.view(ctx, func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketRecords).Cursor()
		key, value := c.Seek([]byte(after))
		if string(key) == after { // no key is empty
			key, value = c.Next()
		}
		for ; key != nil && len(all) < limit; key, value = c.Next() {
			if err := ctx.Err(); err != nil {
				return err
			}
			r, err := decode(string(key), value)
			if err != nil {
				r = store.Record{UserID: string(key)}
			}
			all = append(all, r)
		}
		return nil
	})
	return all, err
}

// write calls f in a transaction that writes. If f returns an error, nothing has
// changed.
//
// A commit flushes its pages, writes one of two roots and flushes that. If the last step
// fails, bbolt returns an error, and shows the write all the same. A Guard would find it and
// take it for stored. So what is shown is read only after a later commit, whose root is the
// other one, and leads to the same pages.
func (b rows) write(ctx context.Context, f func(records *bolt.Bucket) error) error {
	select {
	case b.writer <- struct{}{}:
		defer func() { <-b.writer }()
	case <-ctx.Done():
		return ctx.Err()
	}
	written := 0 // the id of the transaction
	err := b.update(func(tx *bolt.Tx) error {
		if err := ctx.Err(); err != nil { // it may have ended while the application wrote
			return err
		}
		err := f(tx.Bucket(bucketRecords))
		if err == nil {
			written = tx.ID()
		}
		return err
	})
	switch {
	case err == nil:
		b.unflushed.Store(false)
		return nil
	case written == 0:
		return err
	}
	return errors.Join(err, b.db.View(func(tx *bolt.Tx) error {
		if tx.ID() >= written {
			b.unflushed.Store(true)
		}
		return nil
	}))
}

// A value is a byte for the format, three numbers of eight bytes (version, due and
// updated, in microseconds since 1970), a byte for the length of the state's name,
// the name, and the data. A record without Due has noDue there.
const (
	format = 1
	header = 1 + 3*8 + 1
	noDue  = -1 << 63
)

// encode returns the value of a record.
func encode(r store.Record) []byte {
	due := int64(noDue)
	if !r.Due.IsZero() {
		due = r.Due.UnixMicro()
	}
	state := r.State.String()
	value := make([]byte, 0, header+len(state)+len(r.Data))
	value = append(value, format)
	for _, n := range []int64{r.Version, due, r.Updated.UnixMicro()} {
		value = binary.BigEndian.AppendUint64(value, uint64(n))
	}
	value = append(value, byte(len(state)))
	value = append(value, state...)
	return append(value, r.Data...)
}

// decode returns the record of a value with a copy of its data, because the value is
// gone with its transaction. storekit checks the other fields.
func decode(userID string, value []byte) (store.Record, error) {
	if len(value) < header || value[0] != format {
		return store.Record{}, errors.New("a value has another format")
	}
	number := func(i int) int64 { return int64(binary.BigEndian.Uint64(value[1+8*i:])) }
	rest, length := value[header:], int(value[header-1])
	if len(rest) < length {
		return store.Record{}, errors.New("a value is too short")
	}
	state, err := store.ParseState(string(rest[:length]))
	if err != nil {
		return store.Record{}, errors.New("a value has a state that is not defined")
	}
	if number(0) == 0 { // what Put takes a missing record for
		return store.Record{}, errors.New("a value has version 0")
	}
	r := store.Record{
		UserID:  userID,
		Version: number(0),
		State:   state,
		Updated: time.UnixMicro(number(2)),
		Data:    append([]byte{}, rest[length:]...),
	}
	if due := number(1); due != noDue {
		r.Due = time.UnixMicro(due)
	}
	return r, nil
}
