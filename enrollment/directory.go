package enrollment

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A Directory works on many accounts at once, for administrators and for maintenance.
// It lists who has two-factor authentication ([Directory.Statuses], [Directory.All],
// [Directory.Members]), does what is due ([Directory.Sweep]), checks at start that the
// keys fit the accounts ([Directory.CheckKeys]), and moves accounts to the present key
// ([Directory.Reseal]). It is made by [Open] or [NewDirectory], and safe for concurrent use.
// The application decides who may see a list before it calls.
//
// An account that can't be opened is never left out. It is named in an error that
// matches [ErrCorrupt] or [ErrNewer], or is the error of the [Sealer], and the other
// accounts are still processed.
type Directory struct {
	guard  *Guard
	lister store.Lister
	walk   walk
}

// NewDirectory returns a Directory of the accounts of the Guard. The lister lists
// the records in the Guard's store, and usually is that store. It returns an error
// if the Guard or the lister is nil.
//
// The lister can be a replica that lags behind, for listings and for Sweep, which
// loads each account from the Guard's store before it changes it. Do not use a
// replica for a Reseal before you drop a key: an account that the replica does not
// have yet is not moved, and can't be opened afterwards.
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
		return errors.New("enrollment: the Directory is zero: make one with NewDirectory")
	}
	return nil
}

// pages follows a query through the store, one page at a time. An error ends the
// sequence.
//
// A store that lists a user twice or out of order is broken. Going on could count
// users twice, or never end.
func (d *Directory) pages(ctx context.Context, first store.Query) iter.Seq2[store.Page, error] {
	return func(yield func(store.Page, error) bool) {
		err := d.check()
		if err == nil {
			_, err = d.guard.clock()
		}
		if err != nil {
			yield(store.Page{}, err)
			return
		}
		q, last := first, ""
		for {
			if err := ctx.Err(); err != nil {
				yield(store.Page{}, fmt.Errorf("enrollment: listing accounts: %w", err))
				return
			}
			page, err := d.lister.List(ctx, q)
			if err == nil {
				err = absent(ctx)
			}
			if err != nil {
				yield(store.Page{}, fmt.Errorf("enrollment: listing accounts: %w", err))
				return
			}
			for _, rec := range page.Records {
				if rec.UserID <= last {
					yield(store.Page{}, errors.New("enrollment: listing accounts: the store does not return records in the order of user ids"))
					return
				}
				last = rec.UserID
			}
			if !yield(page, nil) || page.Next == "" {
				return
			}
			if len(page.Records) == 0 && page.Next == q.Cursor {
				yield(store.Page{}, errors.New("enrollment: listing accounts: the store returns an empty page with the same cursor again"))
				return
			}
			q.Cursor = page.Next
		}
	}
}

// maxFailures is how many accounts a [Failures] names.
const maxFailures = 100

// Failures are the accounts for which an operation failed.
type Failures struct {
	// Total is the number of these accounts.
	Total int

	// First is the first 100 of them, in the order in which they failed.
	First []Failure
}

// A Failure is one account of Failures.
type Failure struct {
	// UserID is the user's id.
	UserID string

	// Err is the reason. It matches [ErrCorrupt] if the account can't be trusted.
	Err error
}

func (f *Failures) add(userID string, err error) {
	if f.Total++; len(f.First) < maxFailures {
		f.First = append(f.First, Failure{userID, err})
	}
}

// An Inspection is one record as the database holds it, for operators. It holds no
// secret.
type Inspection struct {
	// UserID is the user's id.
	UserID string

	// State, Due and Updated are what the database says in clear. If the account can't
	// be opened, they may be wrong.
	State   store.State
	Due     time.Time
	Updated time.Time

	// Key is the id of the key that the record names, or "" if the [Sealer] is not a
	// [KeyNamer] or the record is too damaged. If the account can't be opened, it may
	// be wrong, and any text.
	Key string

	// Status is the status of the account. It is the zero Status if MovedTo or Err is
	// set.
	Status Status

	// MovedTo is the new id of a user whose account [Admin.Move] has moved away.
	MovedTo string

	// Err is why the account can't be opened, or an error that matches [ErrMoved] if
	// the record is part of an unfinished move. It matches [ErrCorrupt] if the keys
	// that the Sealer has will never open it, and [ErrNewer] if a later version of the
	// library can read it. Any other error is the Sealer's.
	Err error
}

// Inspect returns every record, ordered by the bytes of the user ids, also those
// that can't be opened and those that a move has left behind. Like [Directory.All],
// it reads them page by page, in constant memory, and writes nothing. An error ends
// the sequence. It comes from the store, the context or the clock.
func (d *Directory) Inspect(ctx context.Context) iter.Seq2[Inspection, error] {
	return func(yield func(Inspection, error) bool) {
		for page, err := range d.pages(ctx, store.Query{Limit: listPage}) {
			if err != nil {
				yield(Inspection{}, err)
				return
			}
			for _, rec := range page.Records {
				x := Inspection{UserID: rec.UserID, State: rec.State, Due: rec.Due, Updated: rec.Updated}
				x.Key, _ = d.guard.sealedBy(rec.Data)
				x.Status, x.Err = d.status(ctx, rec)
				if ended := ctx.Err(); ended != nil {
					yield(Inspection{}, fmt.Errorf("enrollment: listing accounts: %w", ended))
					return
				}
				if move, ok := find[moved](x.Err); ok && move.Stage == account.Gone {
					x.MovedTo, x.Err = move.Other, nil
				}
				if !yield(x, nil) {
					return
				}
			}
		}
	}
}
