package storekit

import (
	"context"
	"errors"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/internal/listing"
)

// perPage bounds how many rows a List looks at. If few of them match, the page is
// short and has a Next, and no call takes long. perScan is the least that it scans
// at once, if some may not match.
const (
	perPage = 2 * store.MaxPage
	perScan = 100
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

// List implements store.Lister. With UserIDs it gets one row after another.
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

// among is a Scan of the users with these ids, which are sorted.
func (s lister) among(ids []string) func(ctx context.Context, after string, limit int) ([]store.Record, error) {
	return func(ctx context.Context, after string, limit int) ([]store.Record, error) {
		var rows []store.Record
		i, found := slices.BinarySearch(ids, after)
		if found {
			i++
		}
		for _, id := range ids[i:] {
			r, err := s.base.Load(ctx, id)
			switch {
			case errors.Is(err, store.ErrNotFound):
				continue
			case err != nil:
				return nil, err
			}
			if rows = append(rows, r); len(rows) == limit {
				break
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
