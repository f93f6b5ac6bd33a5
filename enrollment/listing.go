package enrollment

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// listPage is how many records a listing holds at a time. Operations that take
// longer for each record use [store.DefaultPage].
const listPage = 500

// status returns the status of the account in a listed record. If it can't be
// opened, it returns the zero Status and the reason.
func (d *Directory) status(ctx context.Context, rec store.Record) (Status, error) {
	a, err := d.guard.read(ctx, rec)
	if err != nil {
		return Status{}, err
	}
	// Nothing is written, so no random bytes are needed.
	m := account.Moment{Now: d.guard.now()}
	a.ClampFuture(m)
	a.Tidy(m)
	s, err := statusOf(rec.UserID, a, m.Now)
	return s, outward(err)
}

// pages follows a query through the store, one page at a time. An error ends the
// sequence.
//
// A store that lists a user twice or out of order is broken. Going on could count
// users twice, or never end.
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
