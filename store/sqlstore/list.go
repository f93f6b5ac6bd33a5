package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/internal/listing"
)

// chunk is the most user ids in one statement. It is far below the limits of the
// databases, and keeps the number of different statements small, for the caches
// of drivers.
const chunk = 100

// List returns a page of the records that match the query, ordered by the bytes
// of their user ids. Each page is a SELECT that starts after the last id of the
// previous page, so that later pages cost no more than the first. With UserIDs it
// is a SELECT for each hundred ids.
//
// List returns [store.ErrInvalid] for an invalid query or a cursor that no List
// returned, an error that matches the context's error if the context ends, and
// otherwise an error that wraps the driver's.
func (s *Store) List(ctx context.Context, q store.Query) (store.Page, error) {
	const doing = "listing records"
	if err := ctx.Err(); err != nil {
		return store.Page{}, failed(ctx, doing, err)
	}
	if err := q.Validate(); err != nil {
		return store.Page{}, err
	}
	after, err := listing.Parse(q.Cursor)
	if err != nil {
		return store.Page{}, err
	}
	limit := q.Limit
	if limit == 0 {
		limit = store.DefaultPage
	}

	var found []store.Record // up to limit, and one more if there is another
	read := func(after string, ids []string, most int) (rows []row, err error) {
		statement, args := s.selectPage(q, after, ids, most)
		if rows, err = query(ctx, s.db, statement, args...); err != nil {
			return nil, failed(ctx, doing, err)
		}
		for _, row := range rows {
			if r, listed := listing.Row(row.record, row.err); listed {
				found = append(found, r)
			}
		}
		return rows, nil
	}
	if q.UserIDs == nil {
		for more := true; more && len(found) <= limit; { // once, if all rows are of users
			rows, err := read(after, nil, limit+1)
			if err != nil {
				return store.Page{}, err
			}
			if more = len(rows) > limit; more {
				after = rows[limit].record.UserID
			}
		}
	} else {
		for part := range slices.Chunk(listing.Remaining(q.UserIDs, after), chunk) {
			if _, err := read("", part, limit+1-len(found)); err != nil {
				return store.Page{}, err
			}
			if len(found) > limit {
				break
			}
		}
	}

	page := store.Page{Records: found}
	if len(found) > limit {
		page.Records = found[:limit:limit]
		page.Next = listing.After(found[limit-1].UserID)
	}
	return page, nil
}

// selectPage returns the statement for up to limit records that match the query.
// If after is not empty, they come after that user. If ids is not empty, they are
// among these.
func (s *Store) selectPage(q store.Query, after string, ids []string, limit int) (string, []any) {
	var where []string
	var args []any
	bind := func(v any) string {
		args = append(args, v)
		return s.grammar.param(len(args))
	}
	if after != "" {
		where = append(where, "user_id > "+bind(after))
	}
	if len(ids) > 0 {
		marks := make([]string, len(ids))
		for i, id := range ids {
			marks[i] = bind(id)
		}
		where = append(where, "user_id IN ("+strings.Join(marks, ", ")+")")
	}
	if len(q.States) > 0 {
		states := slices.Clone(q.States)
		slices.Sort(states)
		states = slices.Compact(states)
		marks := make([]string, len(states))
		for i, state := range states {
			marks[i] = bind(state.String())
		}
		where = append(where, "state IN ("+strings.Join(marks, ", ")+")")
	}
	if !q.DueBy.IsZero() {
		// A planner that does not know the argument sees from the first half
		// that few rows are meant.
		where = append(where, "due IS NOT NULL AND due <= "+bind(q.DueBy.UnixMicro()))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "SELECT %s FROM %s", columns, s.table.quoted(""))
	if len(where) > 0 {
		b.WriteString(" WHERE " + strings.Join(where, " AND "))
	}
	// The limit is not an argument, because planners use it.
	fmt.Fprintf(&b, " ORDER BY user_id LIMIT %d", limit)
	return b.String(), args
}
