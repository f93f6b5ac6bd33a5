package interleave

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// put makes this record all that the store has of the user; nothing if it is zero.
func put(t *testing.T, s proving.Full, user string, rec store.Record) {
	t.Helper()
	if err := s.Erase(t.Context(), user); err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	if rec.Version == 0 {
		return
	}
	if err := s.Save(t.Context(), rec, 0); err != nil {
		t.Fatal(err)
	}
}

// load is the record that the store has of the user; the zero Record if it has none.
func load(t *testing.T, s proving.Full, user string) store.Record {
	rec, err := s.Load(t.Context(), user)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return rec
}

// A noting store notes what it has answered, and what it holds. It is called by one at a time.
//
// A schedule that begins like one before does not call the store again up to where they part.
// It is given what was noted, and there the store is made what it was. What it seals up to
// there is what was sealed before, too, because that is different each time.
type noting struct {
	proving.Full
	part
	given, taken int             // how many of the replies, and of what was sealed, this schedule has had
	stale        map[string]bool // whose record may be another one than noted
}

// A part is where schedules part: what was answered and sealed up to there, and what is stored
// there, by user.
type part struct {
	replies []reply
	sealed  [][]byte
	stored  map[string]store.Record
}

// A reply is that of the store to one call.
type reply struct {
	to     call
	record store.Record
	page   store.Page
	err    error
}

// restore makes the store what it was there, and begins a schedule that comes there.
func (s *noting) restore(t *testing.T, at part) {
	t.Helper()
	users := maps.Clone(at.stored)
	maps.Copy(users, s.stored)
	for user := range users {
		if s.stale[user] || !reflect.DeepEqual(s.stored[user], at.stored[user]) {
			put(t, s.Full, user, at.stored[user])
		}
	}
	s.part = part{slices.Clip(at.replies), slices.Clip(at.sealed), maps.Clone(at.stored)}
	s.given, s.taken, s.stale = 0, 0, make(map[string]bool)
}

// now is the part that this schedule has come to.
func (s *noting) now(t *testing.T) part {
	for user := range s.stale {
		if s.stored[user] = load(t, s.Full, user); s.stored[user].Version == 0 {
			delete(s.stored, user)
		}
	}
	clear(s.stale)
	return part{s.replies, s.sealed, maps.Clone(s.stored)}
}

// writes notes that the record of a user may be another one from now on.
func (s *noting) writes(user string) { s.stored[user], s.stale[user] = store.Record{}, true }

// ask asks the store, or returns what is noted.
func (s *noting) ask(c call, do func(a *reply)) reply {
	if s.given == len(s.replies) {
		a := reply{to: c}
		do(&a)
		s.replies = append(s.replies, a)
	}
	a := s.replies[s.given]
	if s.given++; a.to != c {
		panic(fmt.Sprintf("interleave: %v was called, where it was %v", c, a.to))
	}
	return a
}

// seal returns what is noted in place of what was sealed now.
func (s *noting) seal(sealed []byte) []byte {
	if s.taken == len(s.sealed) {
		s.sealed = append(s.sealed, slices.Clone(sealed))
	}
	s.taken++
	return slices.Clone(s.sealed[s.taken-1])
}

// Load is [store.Store].Load.
func (s *noting) Load(ctx context.Context, user string) (store.Record, error) {
	a := s.ask(call{proving.Load, user}, func(a *reply) { a.record, a.err = s.Full.Load(ctx, user) })
	return a.record, a.err
}

// Save is [store.Store].Save.
func (s *noting) Save(ctx context.Context, r store.Record, prev int64) error {
	return s.ask(call{proving.Save, r.UserID}, func(a *reply) { s.writes(r.UserID); a.err = s.Full.Save(ctx, r, prev) }).err
}

// List is [store.Lister].List.
func (s *noting) List(ctx context.Context, q store.Query) (store.Page, error) {
	a := s.ask(call{proving.List, ""}, func(a *reply) { a.page, a.err = s.Full.List(ctx, q) })
	return a.page, a.err
}

// Erase is [store.Eraser].Erase.
func (s *noting) Erase(ctx context.Context, user string) error {
	return s.ask(call{proving.Erase, user}, func(a *reply) { s.writes(user); a.err = s.Full.Erase(ctx, user) }).err
}
