package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// fill saves n records, each changed by edit, and returns them. The order is not
// the order of their ids.
func fill(ctx context.Context, s store.Store, n int, edit func(i int, r *store.Record)) ([]store.Record, error) {
	all := make([]store.Record, n)
	for i := range all {
		all[i] = sample(fmt.Sprintf("u%04d", i*7919%n), int64(i)+1)
		if edit != nil {
			edit(i, &all[i])
		}
	}
	const at = 10 // goroutines
	return all, together(at, func(k int) error {
		for i := k; i < n; i += at {
			if err := save(ctx, s, all[i], 0); err != nil {
				return err
			}
		}
		return nil
	})
}

// listsAll returns an error unless the pages of the query have exactly those of
// all records that match it, once and in order.
func listsAll(ctx context.Context, s store.Store, q store.Query, all []store.Record) error {
	var want []store.Record
	for _, r := range all {
		if (q.UserIDs == nil || slices.Contains(q.UserIDs, r.UserID)) &&
			(len(q.States) == 0 || slices.Contains(q.States, r.State)) &&
			(q.DueBy.IsZero() || !r.Due.IsZero() && !r.Due.After(q.DueBy)) {
			want = append(want, r)
		}
	}
	slices.SortFunc(want, func(a, b store.Record) int { return strings.Compare(a.UserID, b.UserID) })

	got, err := walk(ctx, s, q, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", describe(q), err)
	}
	for i := range min(len(got), len(want)) {
		if err := diff(got[i], want[i]); err != nil {
			return fmt.Errorf("%s: record %d of %d: %w", describe(q), i, len(got), err)
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("%s: %d records, want %d", describe(q), len(got), len(want))
	}
	return nil
}

// describe returns the query as text for an error.
func describe(q store.Query) string {
	var b strings.Builder
	fmt.Fprintf(&b, "List(Limit %d", q.Limit)
	if q.UserIDs != nil {
		fmt.Fprintf(&b, ", %d UserIDs", len(q.UserIDs))
	}
	if len(q.States) > 0 {
		fmt.Fprintf(&b, ", States %v", q.States)
	}
	if !q.DueBy.IsZero() {
		fmt.Fprintf(&b, ", DueBy %s", q.DueBy.Format(time.RFC3339Nano))
	}
	return b.String() + ")"
}

// walk returns the records of all pages of the query. After each page except the
// last, it calls between, if that is not nil, with the records so far.
func walk(ctx context.Context, s store.Store, q store.Query, between func(sofar []store.Record) error) ([]store.Record, error) {
	const maxPages = 5000
	limit := q.Limit
	if limit == 0 {
		limit = store.DefaultPage
	}
	var all []store.Record
	for range maxPages {
		page, err := s.(store.Lister).List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("after %d records: %w, want a page", len(all), err)
		}
		if len(page.Records) > limit {
			return nil, fmt.Errorf("a page has %d records, want at most %d", len(page.Records), limit)
		}
		for _, r := range page.Records {
			if len(all) > 0 {
				switch last := all[len(all)-1].UserID; {
				case r.UserID == last:
					return nil, fmt.Errorf("%q is returned twice", last)
				case r.UserID < last:
					return nil, fmt.Errorf("%q comes after %q, want ascending bytewise order", r.UserID, last)
				}
			}
			all = append(all, r)
		}
		if page.Next == "" {
			return all, nil
		}
		q.Cursor = page.Next
		if between != nil {
			if err := between(all); err != nil {
				return nil, err
			}
		}
	}
	return nil, fmt.Errorf("%d pages, %d records, and no end", maxPages, len(all))
}
