package storekit

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/internal/listing"
)

// perPage bounds how many rows a List looks at. If few of them match, the page is
// short and has a Next, and no call takes long. perScan is the least that it scans
// at once, if some may not match. perFind is the most ids of a Find, as its
// documentation says.
const (
	perPage = 2 * store.MaxPage
	perScan = 100
	perFind = 100
)

// lister adds List.
type lister struct {
	base    base
	scanner Scanner
}

// eraser adds Erase.
type eraser struct {
	base    base
	deleter Deleter
}

// List implements store.Lister.
func (s lister) List(ctx context.Context, q store.Query) (store.Page, error) {
	const doing = "listing records"
	if err := ctx.Err(); err != nil {
		return store.Page{}, s.base.failed(ctx, doing, err)
	}
	if err := q.Validate(); err != nil {
		return store.Page{}, err
	}
	after, err := listing.Parse(q.Cursor)
	if err != nil {
		return store.Page{}, err
	}
	if q.Limit == 0 {
		q.Limit = store.DefaultPage
	}
	next := s.scan
	if q.UserIDs != nil {
		ids := slices.Clone(q.UserIDs)
		slices.Sort(ids)
		next = s.among(slices.Compact(ids))
	}

	var page store.Page
	for looked := 0; ; {
		// One more than fits shows whether there is another page.
		limit := q.Limit + 1 - len(page.Records)
		if len(q.States) > 0 || !q.DueBy.IsZero() {
			limit = max(limit, perScan) // many may not match
		}
		rows, err := next(ctx, after, limit)
		if err != nil {
			return store.Page{}, s.base.failed(ctx, doing, err)
		}
		for _, r := range rows {
			if r, err = kept(r); err != nil {
				return store.Page{}, s.base.failed(ctx, doing, err)
			}
			if r.UserID <= after {
				return store.Page{}, s.base.failed(ctx, doing, errors.New("the rows are not in order"))
			}
			if listing.Matches(q, r) {
				if len(page.Records) == q.Limit {
					page.Next = listing.After(page.Records[q.Limit-1].UserID)
					return page, nil
				}
				page.Records = append(page.Records, r)
			}
			after = r.UserID
		}
		if len(rows) < limit {
			return page, nil
		}
		if looked += len(rows); looked >= perPage {
			page.Next = listing.After(after)
			return page, nil
		}
	}
}

func (s lister) scan(ctx context.Context, after string, limit int) ([]store.Record, error) {
	return s.scanner.Scan(ctx, after, limit)
}

// among is a Scan of the users with these ids, which are sorted. It can return more rows
// than limit.
func (s lister) among(ids []string) func(ctx context.Context, after string, limit int) ([]store.Record, error) {
	get, most := s.one, 1
	if finder, ok := s.base.rows.(Finder); ok {
		get, most = found(finder), perFind
	}
	return func(ctx context.Context, after string, limit int) ([]store.Record, error) {
		var rows []store.Record
		i, _ := slices.BinarySearch(ids, after+"\x00") // the first id after it
		for part := range slices.Chunk(ids[i:], most) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			some, err := get(ctx, part)
			if err != nil {
				return nil, err
			}
			if rows = append(rows, some...); len(rows) >= limit {
				break
			}
		}
		return rows, nil
	}
}

// one returns the row of one user, if there is one.
func (s lister) one(ctx context.Context, ids []string) ([]store.Record, error) {
	r, err := s.base.Load(ctx, ids[0])
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []store.Record{r}, nil
}

// found returns a function that returns the rows of some users in the order of their ids,
// which are sorted.
func found(finder Finder) func(ctx context.Context, ids []string) ([]store.Record, error) {
	return func(ctx context.Context, ids []string) ([]store.Record, error) {
		rows, err := finder.Find(ctx, slices.Clone(ids))
		if err != nil {
			return nil, err
		}
		rows = slices.SortedFunc(slices.Values(rows), func(a, b store.Record) int { return strings.Compare(a.UserID, b.UserID) })
		for _, r := range rows {
			if _, asked := slices.BinarySearch(ids, r.UserID); !asked {
				return nil, errors.New("a row is another user's")
			}
		}
		return rows, nil
	}
}

// Erase implements store.Eraser.
func (s eraser) Erase(ctx context.Context, userID string) error {
	const doing = "erasing a record"
	if err := ctx.Err(); err != nil {
		return s.base.failed(ctx, doing, err)
	}
	if err := store.ValidateUserID(userID); err != nil {
		return err
	}
	if err := s.deleter.Delete(ctx, userID); err != nil {
		return s.base.failed(ctx, doing, err)
	}
	return nil
}
