package enrollment

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// listPage is how many records a listing holds at a time. Reseal, which takes longer
// for each, uses [store.DefaultPage].
const listPage = 500

// A Member is a user in a listing.
type Member struct {
	// UserID is the user's id.
	UserID string `json:"user_id"`

	// Status is the status of the account, as Guard.Status returns it. If the account
	// can't be opened, it is the zero Status, whose state is invalid.
	Status Status `json:"status,omitzero"`
}

// A Filter says which accounts [Directory.All] lists. The zero Filter selects all
// accounts that have a record.
type Filter struct {
	// States selects accounts that are in one of these states now. An account whose
	// pending setup has expired does not count as Pending. Empty selects all.
	States []store.State
}

// query returns what to ask the store for. A setup that the store has as pending
// may have expired. The state of the account is then none or disabled.
func (f Filter) query() (store.Query, error) {
	q := store.Query{States: slices.Clone(f.States), Limit: listPage}
	if slices.Contains(q.States, store.None) || slices.Contains(q.States, store.Disabled) {
		q.States = append(q.States, store.Pending)
	}
	if err := q.Validate(); err != nil {
		return store.Query{}, fmt.Errorf("enrollment: Filter: %w", err)
	}
	return q, nil
}

// Statuses returns the status of each of these users, for one page of a list of
// members: at most [store.MaxPage] ids, in one call of the store. A user without a
// record has the state None. Statuses writes nothing.
//
// If some accounts can't be opened, it returns the others and an [*UnreadableError]
// that names those. With any other error it returns no status. That error matches
// [store.ErrInvalid] if there are too many ids, or one can't be a user's.
func (d *Directory) Statuses(ctx context.Context, ids []string) (map[string]Status, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	found := make(map[string]Status, len(ids))
	if len(ids) == 0 {
		return found, nil // no ids are all users to a store.Query
	}
	q := store.Query{UserIDs: ids, Limit: store.MaxPage}
	if err := q.Validate(); err != nil {
		return nil, fmt.Errorf("enrollment: %w", err)
	}
	now := d.guard.Now()
	for _, id := range ids {
		none, err := d.guard.statusOf(id, account.New(account.Moment{}), now)
		if err != nil {
			return nil, outward(err)
		}
		found[id] = none
	}
	unreadable := make(map[string]error)
	for page, err := range d.pages(ctx, q) {
		if err != nil {
			return nil, err
		}
		for _, rec := range page.Records {
			if _, asked := found[rec.UserID]; !asked {
				// The true owner is unknown, and may be one of the ids. That
				// user would wrongly be None.
				return nil, fmt.Errorf("%w: the store listed the record of another user", ErrCorrupt)
			}
			status, err := d.status(ctx, rec)
			if ended := ctx.Err(); ended != nil {
				return nil, fmt.Errorf("enrollment: listing accounts: %w", ended)
			}
			if found[rec.UserID] = status; err != nil {
				unreadable[rec.UserID] = err
			}
		}
	}
	if len(unreadable) == 0 {
		return found, nil
	}
	for id := range unreadable {
		delete(found, id)
	}
	return found, &UnreadableError{Users: unreadable}
}

// An UnreadableError names the users whose accounts can't be opened.
type UnreadableError struct {
	// Users has the error of each account, by user id. Each matches [ErrCorrupt],
	// [ErrNewer] or [ErrMoved], or is an error of the Sealer.
	Users map[string]error
}

// Error returns the number of accounts, and names the first.
func (e *UnreadableError) Error() string {
	ids := slices.Sorted(maps.Keys(e.Users))
	if len(ids) == 0 {
		return "enrollment: no account is unreadable"
	}
	return fmt.Sprintf("enrollment: %d of the accounts can't be opened, the first is %q: %v", len(ids), ids[0], e.Users[ids[0]])
}

// Unwrap returns the errors in the order of the user ids.
func (e *UnreadableError) Unwrap() []error {
	var all []error
	for _, id := range slices.Sorted(maps.Keys(e.Users)) {
		all = append(all, e.Users[id])
	}
	return all
}

// All returns the accounts that the filter selects, ordered by the bytes of their
// user ids. It reads them page by page while the caller ranges over the sequence,
// in constant memory. Each account is as it was when its page was read. Users who
// never used two-factor authentication have no record and are not included; see
// [Directory.Members]. All writes nothing.
//
// An account that [Admin.Move] has moved is listed under its new id only.
//
// An error with a Member that has a UserID means that this account can't be opened,
// or is part of an unfinished move ([ErrMoved]); the sequence goes on. With a Filter,
// these are the accounts that the store has in one of the states asked for, as their
// true state is unknown. An error with the zero Member ends the sequence. It comes from
// the store, the context or the clock, or matches [store.ErrInvalid] if the filter names
// an invalid state.
func (d *Directory) All(ctx context.Context, f Filter) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		q, err := f.query()
		if err != nil {
			yield(Member{}, err)
			return
		}
		for page, err := range d.pages(ctx, q) {
			if err != nil {
				yield(Member{}, err)
				return
			}
			for _, rec := range page.Records {
				status, err := d.status(ctx, rec)
				if ended := ctx.Err(); ended != nil {
					yield(Member{}, fmt.Errorf("enrollment: listing accounts: %w", ended))
					return
				}
				if gone(err) {
					continue // it is listed under its new id
				}
				if err == nil && len(f.States) > 0 && !slices.Contains(f.States, status.State) {
					continue
				}
				if !yield(Member{UserID: rec.UserID, Status: status}, err) {
					return
				}
			}
		}
	}
}

// Members returns the status of these users, in the order of the ids. A user without a
// record has the state None. It asks the store once for each thousand ids. If the ids
// come from a query of the application that is still open, that query keeps its
// database connection, and the store needs another one.
//
// An error with a Member that has a UserID is about that user alone: the account
// can't be opened, or the id can't be a user's (the error then matches
// [store.ErrInvalid]). An error with the zero Member ends the sequence. An empty id
// ends it, too.
func (d *Directory) Members(ctx context.Context, ids iter.Seq[string]) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		if err := d.check(); err != nil {
			yield(Member{}, err)
			return
		}
		part := make([]string, 0, store.MaxPage)
		flush := func() bool {
			valid := slices.DeleteFunc(slices.Clone(part), func(id string) bool { return validUser(id) != nil })
			found, err := d.Statuses(ctx, valid)
			var unreadable *UnreadableError
			ok := errors.As(err, &unreadable)
			if err != nil && !ok {
				yield(Member{}, err)
				return false
			}
			for _, id := range part {
				err := validUser(id)
				if ok && err == nil {
					err = unreadable.Users[id]
				}
				if !yield(Member{UserID: id, Status: found[id]}, err) || id == "" {
					return false
				}
			}
			part = part[:0]
			return true
		}
		for id := range ids {
			if part = append(part, id); len(part) == cap(part) && !flush() {
				return
			}
		}
		if len(part) > 0 {
			flush()
		}
	}
}

// status returns the status of the account in a listed record. If it can't be
// opened, it returns the zero Status and the reason.
func (d *Directory) status(ctx context.Context, rec store.Record) (Status, error) {
	a, err := d.guard.read(ctx, rec)
	if err == nil {
		err = movedError(a.Move())
	}
	if err != nil {
		return Status{}, err
	}
	// Nothing is written, so no random bytes are needed.
	m := account.Moment{Now: d.guard.Now()}
	a.ClampFuture(m)
	a.Tidy(m)
	s, err := d.guard.statusOf(rec.UserID, a, m.Now)
	return s, outward(err)
}
