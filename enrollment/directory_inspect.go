package enrollment

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

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

	// Key is the id of the key that the record names, or "" if the [Sealer] is no
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
	// that the Sealer has will never open it. Any other error is the Sealer's.
	Err error
}

// Inspect returns every record, ordered by the bytes of the user ids, also those
// that can't be opened and those that a move has left behind. Like [Directory.All],
// it reads them page by page, in constant memory, and writes nothing. An error ends
// the sequence. It comes from the store or the context.
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
