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
		next = s.among(listing.Remaining(q.UserIDs, after))
	}

	var page store.Page
	listed := false  // whether a cursor can stand behind the last row
	unnamed := false // whether a row without a user id was seen, which comes first
	for looked := 0; ; {
		// One more than fits shows whether there is another page.
		limit := q.Limit + 1 - len(page.Records)
		if len(q.States) > 0 || !q.DueBy.IsZero() || looked > 0 {
			limit = max(limit, perScan) // many may not match, or be nobody's
		}
		rows, err := next(ctx, after, limit)
		if err != nil {
			return store.Page{}, s.base.failed(ctx, doing, err)
		}
		for _, r := range rows {
			if r.UserID <= after && (r.UserID != "" || unnamed) {
				return store.Page{}, s.base.failed(ctx, doing, errors.New("the rows are not in order"))
			}
			unnamed = unnamed || r.UserID == ""
			r, listed = listing.Row(r, r.Validate())
			if r = copied(r); listed && listing.Matches(q, r) {
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
		if looked += len(rows); looked >= perPage && listed {
			page.Next = listing.After(after)
			return page, nil
		}
	}
}

func (s lister) scan(ctx context.Context, after string, limit int) ([]store.Record, error) {
	return s.scanner.Scan(ctx, after, limit)
}

// among is a Scan of the users with these ids, which are sorted. It begins where the last
// call has ended, and can return more rows than limit.
func (s lister) among(ids []string) func(ctx context.Context, after string, limit int) ([]store.Record, error) {
	find, most := s.one, 1
	if finder, ok := s.base.rows.(Finder); ok {
		find, most = finder.Find, perFind
	}
	return func(ctx context.Context, _ string, limit int) (rows []store.Record, err error) {
		for len(ids) > 0 && len(rows) < limit {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			part := ids[:min(most, len(ids))]
			ids = ids[len(part):]
			some, err := find(ctx, slices.Clone(part))
			if err != nil {
				return nil, err
			}
			for _, r := range some {
				if _, asked := slices.BinarySearch(part, r.UserID); !asked {
					return nil, errors.New("a row is another user's")
				}
			}
			rows = append(rows, slices.SortedFunc(slices.Values(some), byUserID)...)
		}
		return rows, nil
	}
}

func byUserID(a, b store.Record) int { return strings.Compare(a.UserID, b.UserID) }

// one is a Find of one user.
func (s lister) one(ctx context.Context, ids []string) ([]store.Record, error) {
	r, err := s.base.rows.Get(ctx, ids[0])
	switch {
	case errors.Is(err, store.ErrNotFound) && ctx.Err() == nil:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []store.Record{r}, nil
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
