package enrollment

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// listPage is how many records are held at a time while all are listed. Where
// each is worked on for longer, it is [store.DefaultPage].
const listPage = 500

// status returns where the account in a listed record stands, or the zero Status
// and why it can't be opened.
func (d *Directory) status(ctx context.Context, rec store.Record) (Status, error) {
	a, err := d.guard.read(ctx, rec)
	if err != nil {
		return Status{}, err
	}
	// Nothing is written, so that no random bytes are needed.
	m := account.Moment{Now: d.guard.now()}
	a.ClampFuture(m)
	a.Tidy(m)
	s, err := statusOf(rec.UserID, a, m.Now)
	return s, outward(err)
}

// pages follows a query through the store, one page at a time. An error ends the
// sequence.
//
// A store that lists a user twice or out of order has lost its way. To go on
// would be to count twice, or never to end.
func (d *Directory) pages(ctx context.Context, first store.Query) iter.Seq2[store.Page, error] {
	return func(yield func(store.Page, error) bool) {
		if err := d.check(); err != nil {
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
					yield(store.Page{}, errors.New("enrollment: listing accounts: the store does not list in the order of user ids"))
					return
				}
				last = rec.UserID
			}
			if !yield(page, nil) || page.Next == "" {
				return
			}
			if len(page.Records) == 0 && page.Next == q.Cursor {
				yield(store.Page{}, errors.New("enrollment: listing accounts: the store does not get on"))
				return
			}
			q.Cursor = page.Next
		}
	}
}

// maxFailures is how many accounts a [Failures] names.
const maxFailures = 100

// Failures are the accounts that something could not be done with.
type Failures struct {
	// Total is how many there were.
	Total int

	// First are the first of them, at most 100, in the order they were met.
	First []Failure
}

// A Failure is one of the accounts of Failures.
type Failure struct {
	// UserID is whose account it is.
	UserID string

	// Err is why. It matches [ErrCorrupt] if the account can't be believed.
	Err error
}

func (f *Failures) add(userID string, err error) {
	if f.Total++; len(f.First) < maxFailures {
		f.First = append(f.First, Failure{userID, err})
	}
}
