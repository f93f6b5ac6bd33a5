package enrollment

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// A Directory looks at many accounts at once, for administrators and for
// upkeep: it lists who has two-factor authentication ([Directory.Statuses],
// [Directory.All], [Directory.Members], [WriteCSV]), does what is due
// ([Directory.Sweep]), checks at start that the keys fit the accounts
// ([Directory.CheckKeys]), and moves accounts to the present key
// ([Directory.Reseal]). It is made by [NewDirectory], and safe for concurrent
// use. Who may look is for the host to decide before it calls.
//
// An account that can't be opened is never left out: it is named in an error
// that matches [ErrCorrupt], or whatever else the [Sealer] returned, and the
// others are processed all the same.
type Directory struct {
	guard  *Guard
	lister store.Lister
	walk   walk
}

// NewDirectory returns a Directory over the accounts of the Guard. The lister
// lists what the Guard's store keeps, and usually is that store. A replica that
// lags behind is good enough for listings and for Sweep, which loads what it
// changes from the Guard's store first. It is not for a Reseal after which a key
// is dropped: an account that the replica does not have yet is not moved, and
// can't be opened any more. It returns an error if one of them is nil.
func NewDirectory(g *Guard, l store.Lister) (*Directory, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	if l == nil {
		return nil, errors.New("enrollment: the lister is nil")
	}
	return &Directory{guard: g, lister: l}, nil
}

// check returns an error if the Directory was not made by NewDirectory.
func (d *Directory) check() error {
	if d == nil || d.lister == nil {
		return errors.New("enrollment: the Directory is zero: NewDirectory makes one")
	}
	return nil
}

// A Member is a user in a listing.
type Member struct {
	// UserID is whose account it is.
	UserID string `json:"user_id"`

	// Status is where the account stands, as Guard.Status says it. It is the
	// zero Status, whose state is invalid, where the account can't be opened.
	Status Status `json:"status,omitzero"`
}

// A Filter says which accounts [Directory.All] lists. The zero Filter selects
// all that have a record.
type Filter struct {
	// States selects accounts that are in one of these states now, so that a
	// setup past its time does not count as pending. Empty selects all.
	States []store.State
}

// query returns what to ask the store for. A record that is pending may be past
// its time, and is then none or disabled.
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

// Statuses returns where the accounts of these users stand, for a page of a
// members list: at most [store.MaxPage] ids, in one call of the store. A user
// without a record is None. It writes nothing.
//
// Where accounts can't be opened it returns the others, and an
// [*UnreadableError] that names them. Any other error is about all of them; it
// matches [store.ErrInvalid] if there are too many ids or one can't be a user's.
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
	for _, id := range ids {
		found[id] = statusIn(store.None)
	}
	unreadable := make(map[string]error)
	for page, err := range d.pages(ctx, q) {
		if err != nil {
			return nil, err
		}
		for _, rec := range page.Records {
			if _, asked := found[rec.UserID]; !asked {
				// Whose it is in truth can't be told. Somebody among the ids
				// would wrongly be None.
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

// An UnreadableError says whose accounts can't be opened.
type UnreadableError struct {
	// Users is why, by user id. Each matches [ErrCorrupt] or is an error of the
	// Sealer.
	Users map[string]error
}

// Error returns how many they are, and names the first.
func (e *UnreadableError) Error() string {
	ids := slices.Sorted(maps.Keys(e.Users))
	if len(ids) == 0 {
		return "enrollment: no account is unreadable"
	}
	return fmt.Sprintf("enrollment: %d of the accounts can't be opened, the first is %q: %v", len(ids), ids[0], e.Users[ids[0]])
}

// Unwrap returns why, in the order of the user ids.
func (e *UnreadableError) Unwrap() []error {
	var all []error
	for _, id := range slices.Sorted(maps.Keys(e.Users)) {
		all = append(all, e.Users[id])
	}
	return all
}

// All returns the accounts that the filter selects, ordered by the bytes of
// their user ids. They are read page by page while the sequence is ranged over,
// in constant memory, and each is as it was when its page was read. Users who
// never touched two-factor authentication have no record and are not among
// them; see [Directory.Members]. It writes nothing.
//
// An error beside a Member with a UserID says that this account can't be opened,
// and the sequence goes on. The store does not know in which state that one is:
// it belongs to those that the store holds for being in the states asked for. An
// error beside the zero Member ends the sequence: of the store, of the context,
// or one that matches [store.ErrInvalid] for a state that is none.
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

// Members returns where these users stand, in the order of the ids, whether
// they have a record or not: who has none is None. It takes the ids by the
// thousand and asks the store once for each thousand. A query of the host that
// is still open while ids come from it keeps its connection to the database;
// the store needs another.
//
// An error beside a Member with a UserID is about that user alone: the account
// can't be opened, or the id can't be one (it then matches [store.ErrInvalid]).
// An error beside the zero Member ends the sequence; so does an empty id.
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
