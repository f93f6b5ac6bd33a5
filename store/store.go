// Package store is the contract between the library and the database of the
// host: one [Record] per user, and a [Store] of two methods that loads it and
// replaces exactly the version that was loaded.
//
// Everything the library promises about races, restarts and crashes is made
// from that one conditional write. An implementation for a database of your
// own is a SELECT by key and an UPDATE … WHERE user_id = ? AND version = ?;
// package storetest proves it. Ready-made ones are in memory and sqlstore.
//
// This package imports nothing of the library, and a Store sees neither
// secrets nor codes: what it keeps in Data is sealed.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of what a Store must be able to keep.
const (
	// MaxUserID is the length of the longest user id, in bytes.
	MaxUserID = 255

	// MaxData is the length of the longest [Record.Data], in bytes.
	MaxData = 8 << 10

	// MaxVersion is the highest [Record.Version]: the largest integer that
	// databases and languages with binary64 numbers still hold exactly.
	MaxVersion = 1<<53 - 1
)

// Errors that implementations return. Callers match them with [errors.Is], so
// an implementation may wrap them to say more.
var (
	// ErrNotFound says that the user has no record. It is an answer, never a
	// fallback: a Store that could not look returns another error, because
	// the library takes ErrNotFound to mean "not enrolled".
	ErrNotFound = errors.New("store: no such record")

	// ErrConflict says that the record was not saved because the store does
	// not hold the version it was to replace. Nothing has changed.
	ErrConflict = errors.New("store: version conflict")

	// ErrInvalid says that a record, an id or a query is outside the bounds of
	// the contract. Nothing has changed, and trying again will not help.
	ErrInvalid = errors.New("store: invalid argument")
)

// A Record is the two-factor state of one user as a Store keeps it.
type Record struct {
	// UserID is the host's own immutable key of the user: 1 to [MaxUserID]
	// bytes of valid UTF-8 without control characters, compared byte by byte.
	// "alice", "Alice" and "alice " are three users.
	UserID string

	// Version is the token that compare-and-swap compares for equality. It
	// lies between 1 and [MaxVersion] and means nothing else to a Store.
	Version int64

	// State is kept in clear so that a host can count and filter accounts. A
	// pending one may be past its time. The library never trusts it alone:
	// it is bound into Data.
	State State

	// Due is the zero time, or the instant from which a background sweep
	// should look at this record. Stores keep it to the microsecond and return
	// it in UTC. Like Updated it lies in the years 1 to 9999.
	Due time.Time

	// Updated is when the record was last saved. It is for display; no
	// decision is taken by it. Stores keep it to the microsecond, return it in
	// UTC, and never set it themselves.
	Updated time.Time

	// Data is the sealed account, opaque to the store: 0 to [MaxData]
	// arbitrary bytes. Nil and empty are the same; a Store may return either.
	Data []byte
}

// Validate reports whether the record is within the bounds of the contract.
// Its errors match [ErrInvalid] and name the field, not the value.
func (r Record) Validate() error {
	if err := ValidateUserID(r.UserID); err != nil {
		return err
	}
	switch {
	case r.Version < 1 || r.Version > MaxVersion:
		return fmt.Errorf("%w: Version is outside 1..2^53-1", ErrInvalid)
	case !r.State.Valid():
		return fmt.Errorf("%w: State is none of the defined states", ErrInvalid)
	case !validTime(r.Due):
		return fmt.Errorf("%w: Due is outside the years 1..9999", ErrInvalid)
	case !validTime(r.Updated):
		return fmt.Errorf("%w: Updated is outside the years 1..9999", ErrInvalid)
	case len(r.Data) > MaxData:
		return fmt.Errorf("%w: Data is longer than %d bytes", ErrInvalid, MaxData)
	}
	return nil
}

// ValidateSave reports whether the arguments of [Store.Save] are within the
// bounds of the contract: the record is valid, prev lies between 0 and
// [MaxVersion], and the record's version is not prev itself. Its errors match
// [ErrInvalid]. Implementations call it first.
func ValidateSave(r Record, prev int64) error {
	if err := r.Validate(); err != nil {
		return err
	}
	switch {
	case prev < 0 || prev > MaxVersion:
		return fmt.Errorf("%w: prev is outside 0..2^53-1", ErrInvalid)
	case prev == r.Version:
		return fmt.Errorf("%w: Version is the one to be replaced", ErrInvalid)
	}
	return nil
}

// validTime reports whether every database can hold t; the zero time can be
// held.
func validTime(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 1 && year <= 9999
}

// ValidateUserID reports whether id can be the key of a record: 1 to
// [MaxUserID] bytes of valid UTF-8 without control characters. Its errors
// match [ErrInvalid] and do not quote the id.
func ValidateUserID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("%w: UserID is empty", ErrInvalid)
	case len(id) > MaxUserID:
		return fmt.Errorf("%w: UserID is longer than %d bytes", ErrInvalid, MaxUserID)
	case !utf8.ValidString(id):
		return fmt.Errorf("%w: UserID is not valid UTF-8", ErrInvalid)
	}
	for _, r := range id {
		if unicode.IsControl(r) {
			return fmt.Errorf("%w: UserID has a control character", ErrInvalid)
		}
	}
	return nil
}

// A Store keeps one record per user. Its methods are safe for concurrent use
// by several goroutines and, where the database is shared, by several
// processes.
//
// Bytes are copied in and out: a Store neither keeps Record.Data nor returns
// bytes that it goes on using, so that caller and store can each change what
// they hold.
//
// A call whose context has already ended returns an error that matches the
// context's and changes nothing. One that fails because its context ends
// meanwhile returns such an error too. It may have taken effect or not, even a
// little later, but never half: the record is then either the old one or the
// new one, whole.
type Store interface {
	// Load returns the latest committed record of the user. It reads from
	// where Save writes: a record from a replica or a cache can be stale, and
	// a stale record accepts a used code again.
	//
	// It returns ErrNotFound if the user has no record, ErrInvalid if no user
	// can have that id, and an error that matches none of ErrNotFound,
	// ErrConflict and ErrInvalid if it could not tell.
	Load(ctx context.Context, userID string) (Record, error)

	// Save writes the record if the store still holds version prev of it: for
	// prev 0, if the user has no record; otherwise, if the record's version
	// equals prev. Comparing and writing are one atomic step, and when Save
	// returns nil the record is as durable as the database can make it.
	//
	// It returns ErrConflict, having changed nothing, if the store holds
	// another version, or none. It returns ErrInvalid, having changed nothing,
	// if the record or prev is outside the contract, see ValidateSave: a
	// version that replaces itself would let a stale copy through later. After
	// any other error the write may or may not have happened; a Store does not
	// try again by itself.
	Save(ctx context.Context, r Record, prev int64) error
}

// A Lister is a Store that can also enumerate its records. Administration
// (listing who has two-factor authentication, sweeping, re-sealing) needs it;
// signing in does not.
type Lister interface {
	// List returns one page of the records that match the query, in ascending
	// bytewise order of UserID. Following [Page.Next] to its end returns every
	// record that matched throughout exactly once, and no record twice, however
	// many records are created, changed or erased meanwhile. A page may hold
	// fewer records than Limit, even none, and still have a Next.
	//
	// It returns ErrInvalid for a query outside the bounds of [Query] or a
	// cursor it did not make.
	List(ctx context.Context, q Query) (Page, error)
}

// An Eraser is a Store that can also forget a user.
type Eraser interface {
	// Erase deletes the record of the user, whatever its version. It returns
	// nil if there is none, and ErrInvalid if no user can have that id. The
	// next Save for that user must create; one that would replace an erased
	// version gets ErrConflict.
	Erase(ctx context.Context, userID string) error
}

// Bounds of a [Query].
const (
	// DefaultPage is the number of records on a page when Query.Limit is 0.
	DefaultPage = 100

	// MaxPage is the highest Query.Limit, and the most UserIDs in one query.
	MaxPage = 1000
)

// A Query selects records. Conditions that are set are combined by "and"; the
// zero Query selects every record.
type Query struct {
	// UserIDs selects these users: at most [MaxPage]. Ids without a record are
	// left out of the result; an id named twice is returned once. Nil selects
	// all users; an empty, non-nil slice selects none.
	UserIDs []string

	// States selects records in one of these states. Empty selects all.
	States []State

	// DueBy selects records whose Due is set and not after this instant. The
	// zero time selects all.
	DueBy time.Time

	// Limit is the most records on a page, from 1 to [MaxPage]. Defaults to
	// [DefaultPage].
	Limit int

	// Cursor is the Next of the page before, or empty for the first page. The
	// other fields must be the same as for the page before.
	Cursor string
}

// Validate reports whether the query is within the bounds of the contract. Its
// errors match [ErrInvalid].
func (q Query) Validate() error {
	switch {
	case q.Limit < 0 || q.Limit > MaxPage:
		return fmt.Errorf("%w: Limit is outside 0..%d", ErrInvalid, MaxPage)
	case len(q.UserIDs) > MaxPage:
		return fmt.Errorf("%w: more than %d UserIDs", ErrInvalid, MaxPage)
	}
	for _, id := range q.UserIDs {
		if err := ValidateUserID(id); err != nil {
			return err
		}
	}
	for _, s := range q.States {
		if !s.Valid() {
			return fmt.Errorf("%w: States has a state that is none of the defined ones", ErrInvalid)
		}
	}
	if !validTime(q.DueBy) {
		return fmt.Errorf("%w: DueBy is outside the years 1..9999", ErrInvalid)
	}
	return nil
}

// A Page is part of the result of a [Query].
type Page struct {
	// Records are in ascending bytewise order of UserID.
	Records []Record

	// Next is the cursor of the page that follows, or empty if this is the
	// last one. It is opaque, safe to keep, and holds no secret.
	Next string
}
