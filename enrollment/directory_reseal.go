package enrollment

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// ResealOptions configure [Directory.Reseal].
type ResealOptions struct {
	// Cursor is Resealed.Cursor of an interrupted run, to continue there. Defaults
	// to "": from the beginning.
	Cursor string

	// Progress is called after each page of accounts with what was done so far
	// in this run, in the goroutine of the call. Defaults to nil.
	Progress func(Resealed)
}

// Resealed is what a [Directory.Reseal] has done.
type Resealed struct {
	// Seen is how many accounts were looked at, and Moved how many of them are
	// under the primary key now and were not before.
	Seen, Moved int

	// Keys is how many accounts each key sealed when they were looked at, by its
	// id; those in Failed are not counted. A Sealer that is not a [KeyNamer] has
	// only the id "".
	Keys map[string]int

	// Failed are the accounts that can't be opened or saved. Their key is still
	// the old one.
	Failed Failures

	// Cursor is where to continue if the run is interrupted after this. The
	// accounts of an unfinished page are then looked at again.
	Cursor string

	// Done says that all accounts have been looked at.
	Done bool
}

// snapshot returns a copy that the run does not change any more.
func (r Resealed) snapshot() Resealed {
	r.Keys = maps.Clone(r.Keys)
	r.Failed.First = slices.Clone(r.Failed.First)
	return r
}

// Reseal opens every account. It seals those that are under another key anew,
// under the primary key of the [Sealer], so that an old key can be dropped. It is
// safe beside live traffic, and can run twice or in several processes: an account
// is saved only if nobody else has written it meanwhile. Several runs do not share
// the work, because each looks at all accounts. Nothing else about an account
// changes, no event is recorded, and Config.Notify is not called. If the Sealer is
// not a [KeyNamer], all accounts are sealed anew.
//
// A node that still seals under the old key moves accounts back as they are used.
// Drop the key only when all nodes have the new one, and a later run over the
// database itself, not a replica, has nothing under the old key in Resealed.Keys
// and nothing in Resealed.Failed. An account that was left out is lost with the
// key. Wait one more day: clients may hold challenges, setups and receipts under
// the old key. Keep its text as long as any backup of the database in which
// accounts are under it.
//
// Accounts are processed one after another, about as fast as the store saves. An
// account that can't be opened or saved is in Resealed.Failed, and the others are
// processed all the same. Reseal returns what was done so far. It also returns an
// error if the context ends, which is checked before each account, or if the
// accounts can't be listed. An invalid cursor is an error that matches
// [store.ErrInvalid].
func (d *Directory) Reseal(ctx context.Context, o ResealOptions) (Resealed, error) {
	if err := d.check(); err != nil {
		return Resealed{}, err
	}
	done := Resealed{Cursor: o.Cursor, Keys: make(map[string]int)}
	for page, err := range d.pages(ctx, store.Query{Cursor: o.Cursor}) {
		if err != nil {
			return done, err
		}
		for _, rec := range page.Records {
			if err := ctx.Err(); err != nil {
				return done, fmt.Errorf("enrollment: resealing: %w", err)
			}
			d.reseal(ctx, rec, &done)
		}
		done.Cursor, done.Done = page.Next, page.Next == ""
		if o.Progress != nil {
			o.Progress(done.snapshot())
		}
	}
	return done, nil
}

// reseal looks at one account.
func (d *Directory) reseal(ctx context.Context, rec store.Record, done *Resealed) {
	g := d.guard
	key, primary := g.sealedBy(rec.Data)
	// The id is in clear, so anybody who writes to the database can change it. It
	// is counted after the bytes have opened, which also bounds how many ids there
	// can be.
	if _, err := g.read(ctx, rec); err != nil {
		done.Seen++
		done.Failed.add(rec.UserID, err)
		return
	}
	if primary {
		done.Seen++
		done.Keys[key]++
		return
	}
	gone := false
	e := edit{guard: g, user: rec.UserID, asItIs: true, moves: true}
	err := e.run(ctx, func(a *account.Account, _ account.Moment) error {
		if gone = !e.base.found; gone {
			return nil
		}
		if key, primary = g.sealedBy(e.base.record.Data); !primary {
			a.Touch()
		}
		return nil
	})
	switch {
	case err != nil:
		done.Failed.add(rec.UserID, err)
	case gone:
		return // erased meanwhile
	default:
		done.Keys[key]++
		if !primary {
			done.Moved++
		}
	}
	done.Seen++
}

// sealedBy returns the id of the key that sealed the data of an unopened record,
// and whether that is the primary key. It returns "" and false if the Sealer does
// not say.
func (g *Guard) sealedBy(data []byte) (id string, primary bool) {
	namer, ok := g.sealer.(KeyNamer)
	if !ok {
		return "", false
	}
	// The Sealer gets what it has sealed, without the mark of any namespace.
	id, err := namer.KeyID(data[:max(0, len(data)-len(g.mark))])
	if err != nil {
		return "", false
	}
	return id, id == namer.PrimaryID()
}
