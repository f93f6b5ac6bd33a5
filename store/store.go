// Package store defines what the library needs of the application's database: one
// [Record] per user, and a [Store] with two methods. One loads the record of a user.
// The other replaces it, if the database still holds the version that was loaded.
//
// All that the library promises about races, restarts and crashes follows from
// that conditional write. In SQL, the two methods are a SELECT by key, and an
// INSERT or an UPDATE … WHERE user_id = ? AND version = ?. Packages sqlstore,
// redisstore, boltstore and memory are ready-made stores. Package storekit builds a
// store from two short methods, and package storetest tests it.
//
// A Store sees no secrets and no codes, because Data is sealed. Package store
// imports nothing of the library.
//
// # Errors
//
// The Guard of package enrollment loads again after a conflict and decides again, up to 32
// times. After any other error of a Save it loads once, to see whether its record was stored.
// Otherwise it returns the error and grants nothing.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of what a Store must be able to hold.
const (
	// MaxUserID is the length of the longest user id in bytes.
	MaxUserID = 255

	// MaxData is the length of the longest [Record.Data] in bytes.
	MaxData = 16 << 10

	// MaxVersion is the highest [Record.Version], 2^53 - 1. Databases and
	// languages whose numbers are binary64 hold integers exactly up to it.
	MaxVersion = 1<<53 - 1
)

// Errors that implementations return. An implementation may wrap them to say
// more, because callers match them with [errors.Is].
var (
	// ErrNotFound says that the user has no record. The library then treats the
	// user as not enrolled, so a Store that could not read must return another
	// error.
	ErrNotFound = errors.New("store: no such record")

	// ErrConflict says that the record was not saved, because the store does not
	// hold the version that it was to replace, or because another write of the
	// record was under way at the same time. Nothing has changed.
	ErrConflict = errors.New("store: version conflict")

	// ErrInvalid says that the contract does not allow a record, an id or a
	// query. Nothing has changed, and trying again will not help.
	ErrInvalid = errors.New("store: invalid argument")
)

// A Record is the two-factor state of one user as a Store keeps it.
type Record struct {
	// UserID is the application's own key of the user, which must never change: 1 to
	// [MaxUserID] bytes of valid UTF-8 without control characters. Ids are compared byte
	// by byte: "alice", "Alice" and "alice " are three users.
	UserID string

	// Version is the token that compare-and-swap compares for equality. It
	// lies between 1 and [MaxVersion] and means nothing else to a Store. The
	// library draws it at random: a later version can be lower.
	Version int64

	// State stands in clear, so that an application can count and select accounts. A
	// record that is Pending may hold a setup that has expired. Data is bound to the
	// State, so that the library notices a changed one.
	State State

	// Due is the zero time, or the instant from which a background sweep
	// should look at this record. Stores keep it to the microsecond and return
	// it in UTC. Like Updated it lies in the years 1 to 9999.
	Due time.Time

	// Updated is when the record was last saved. It is for display, and no
	// decision depends on it. Stores keep it to the microsecond, return it in
	// UTC, and never set it themselves.
	Updated time.Time

	// Data is the sealed account: 0 to [MaxData] arbitrary bytes. Nil and empty
	// mean the same, and a Store may return either.
	Data []byte
}

// Validate returns an error if the contract does not allow the record. The error
// matches [ErrInvalid] and names the field, but not its value.
func (r Record) Validate() error {
	if err := ValidateUserID(r.UserID); err != nil {
		return err
	}
	switch {
	case r.Version < 1 || r.Version > MaxVersion:
		return fmt.Errorf("%w: Version is outside 1..2^53-1", ErrInvalid)
	case !r.State.Valid():
		return fmt.Errorf("%w: State is not a defined state", ErrInvalid)
	case !validTime(r.Due):
		return fmt.Errorf("%w: Due is outside the years 1..9999", ErrInvalid)
	case !validTime(r.Updated):
		return fmt.Errorf("%w: Updated is outside the years 1..9999", ErrInvalid)
	case len(r.Data) > MaxData:
		return fmt.Errorf("%w: Data is longer than %d bytes", ErrInvalid, MaxData)
	}
	return nil
}

// ValidateSave returns an error that matches [ErrInvalid] if the contract does
// not allow the arguments of [Store.Save]. They are allowed if the record is
// valid, prev is 0 to [MaxVersion], and the version of the record is not prev.
// Implementations of Save call it first.
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

// year10000 is when the years end that every database can hold. They begin with the
// zero time.
var year10000 = time.Date(10_000, time.January, 1, 0, 0, 0, 0, time.UTC)

// validTime reports whether every database can hold t.
func validTime(t time.Time) bool {
	return !t.Before(time.Time{}) && t.Before(year10000)
}

// ValidateUserID returns an error if no user can have that id: an id has 1 to
// [MaxUserID] bytes of valid UTF-8 without control characters. The error matches
// [ErrInvalid] and does not quote the id.
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

// A Store keeps one record per user. Its methods are safe for concurrent use by
// several goroutines and, if they share the database, by several processes.
//
// A Store copies bytes in and out. It does not keep Record.Data, and it does not
// go on using bytes that it has returned, so that the caller and the Store can
// each change what they hold.
//
// If the context has ended before a call, the method returns an error that
// matches the context's error, and changes nothing. If the context ends during
// the call, the method does what it was asked, or returns such an error. After
// that error the write may have happened or not, and it may even happen a little
// later. But it is never half done: the record is the old one or the new one.
type Store interface {
	// Load returns the latest committed record of the user. It reads where Save
	// writes. A record from a replica or a cache can be old: a user who has just
	// enrolled gets in without a code.
	//
	// A Store whose Save and Erase wait for replicas keeps one more rule. A call that
	// failed may have written to the primary only, and a failover loses that. Until the
	// replicas have it, a Load of the same Store must wait or return an error. The
	// Guard loads after a Save that failed. If it found its write, it would accept the
	// code, and after a failover the code would work again.
	//
	// Load returns ErrNotFound if the user has no record, and ErrInvalid if
	// ValidateUserID refuses the id. If it could not look, it returns an error
	// that matches none of ErrNotFound, ErrConflict and ErrInvalid.
	Load(ctx context.Context, userID string) (Record, error)

	// Save writes the record if the store holds version prev of it, or, if prev
	// is 0, if the user has no record. Comparing and writing are one atomic step.
	// When Save returns nil, the record is as durable as the database can make
	// it.
	//
	// It returns ErrConflict if the store holds another version, or no record
	// although prev is not 0. It may also return ErrConflict if the database has
	// refused the write because of another write of the record at the same time,
	// as databases do to break a deadlock. The caller loads again and learns which
	// it was. It returns ErrInvalid if ValidateSave refuses the arguments: a
	// version that replaces itself would let an old copy through later. After
	// either, nothing has changed. After any other error the write may or may not
	// have happened, and a Store does not try again by itself.
	Save(ctx context.Context, r Record, prev int64) error
}

// A Lister is a Store that can also list its records. Administration and upkeep
// need it; signing in does not.
type Lister interface {
	// List returns one page of the records that match the query, in ascending
	// order of the bytes of UserID. A caller that follows [Page.Next] to the end
	// gets no record twice, and gets every record that matches throughout,
	// however many records are created, changed or erased meanwhile. A page may
	// hold fewer records than Limit, even none, and still have a Next.
	//
	// A row that is not a valid record keeps no other from being listed. It is returned as a
	// Record with only its UserID, for which Load returns an error; with States or DueBy, it
	// can be left out. A row whose UserID ValidateUserID refuses is always left out.
	//
	// It returns ErrInvalid if Query.Validate refuses the query, and for a
	// cursor that no List returned. Any other error matches none of ErrNotFound,
	// ErrConflict and ErrInvalid.
	List(ctx context.Context, q Query) (Page, error)
}

// An Eraser is a Store that can also delete the record of a user.
type Eraser interface {
	// Erase deletes the record of the user, whatever its version. It returns
	// nil if there is none, and ErrInvalid if ValidateUserID refuses the id.
	// After that, a Save that creates the user's record succeeds, and a Save
	// that replaces an erased version returns ErrConflict. Any error other than
	// ErrInvalid matches none of ErrNotFound, ErrConflict and ErrInvalid, and the
	// record may or may not be gone.
	Erase(ctx context.Context, userID string) error
}

// Bounds of a [Query].
const (
	// DefaultPage is the number of records on a page when Query.Limit is 0.
	DefaultPage = 100

	// MaxPage is the highest Query.Limit, and the most UserIDs in one query.
	MaxPage = 1000
)

// A Query selects the records that meet all of its conditions. The zero Query
// selects every record.
type Query struct {
	// UserIDs selects these users, at most [MaxPage]. An id without a record is
	// left out of the result, and an id that is named twice is returned once.
	// Nil selects all users. An empty slice that is not nil selects none.
	UserIDs []string

	// States selects records in one of these states. Empty selects all.
	States []State

	// DueBy selects records whose Due is set and not after DueBy. The zero time
	// selects all.
	DueBy time.Time

	// Limit is the most records on a page, from 1 to [MaxPage]. Defaults to
	// [DefaultPage].
	Limit int

	// Cursor is the Next of the previous page, or empty for the first page. The
	// other fields must be the same as for the previous page.
	Cursor string
}

// Validate returns an error that matches [ErrInvalid] if the contract does not
// allow the query. It does not look at the Cursor.
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
			return fmt.Errorf("%w: States has a state that is not defined", ErrInvalid)
		}
	}
	if !validTime(q.DueBy) {
		return fmt.Errorf("%w: DueBy is outside the years 1..9999", ErrInvalid)
	}
	return nil
}

// A Page is part of the result of a [Query].
type Page struct {
	// Records are in ascending order of the bytes of UserID.
	Records []Record

	// Next is the cursor of the next page, or empty if this is the last one.
	// Callers may keep it. It holds no secret, but it may show a user id.
	Next string
}
