package storetest_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// listFaults are faults of List.
var listFaults = []fault{
	{"lists in the order of its map", []string{"list-order"}, func(l *lab) {
		l.order = func(a, b string) int { return strings.Compare(reversed(a), reversed(b)) }
	}},
	{"lists in the order of a language", []string{"list-order"}, func(l *lab) {
		l.order = func(a, b string) int {
			if c := strings.Compare(strings.ToLower(a), strings.ToLower(b)); c != 0 {
				return c
			}
			return strings.Compare(a, b)
		}
	}},
	{"lists in the order of UTF-16", []string{"list-order"}, func(l *lab) {
		l.order = func(a, b string) int { return slices.Compare(utf16(a), utf16(b)) }
	}},
	{"an empty table is an error", []string{"list-empty"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			p, err := l.list0(ctx, q)
			if err == nil && len(p.Records) == 0 {
				err = store.ErrNotFound
			}
			return p, err
		}
	}},
	{"never says that a page is the last", []string{"list-empty", "list-pages"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			p, err := l.list0(ctx, q)
			if err == nil && p.Next == "" {
				p.Next = hex.EncodeToString([]byte("\U0010ffff"))
			}
			return p, err
		}
	}},
	{"forgets the rest", []string{"list-pages"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			p, err := l.list0(ctx, q)
			p.Next = ""
			return p, err
		}
	}},
	{"begins a page with the last record of the one before", []string{"list-pages"}, func(l *lab) {
		l.list = paged(l, func(all []store.Record, cursor string) int {
			return slices.IndexFunc(all, func(r store.Record) bool { return r.UserID >= cursor })
		})
	}},
	{"pages one too large", []string{"list-pages"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			if err := q.Validate(); err != nil {
				return store.Page{}, err
			}
			q.Limit = min(limit(q)+1, store.MaxPage)
			return l.list0(ctx, q)
		}
	}},
	{"no limit by default", []string{"list-pages"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			if q.Limit == 0 {
				q.Limit = store.MaxPage
			}
			return l.list0(ctx, q)
		}
	}},
	{"pages by offset", []string{"list-while-changing"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			at, err := strconv.Atoi(cmp.Or(q.Cursor, "0"))
			if err != nil {
				return store.Page{}, store.ErrInvalid
			}
			if err := errors.Join(ctx.Err(), q.Validate()); err != nil {
				return store.Page{}, err
			}
			all := l.all(q)
			all = all[min(at, len(all)):]
			if len(all) <= limit(q) {
				return store.Page{Records: all}, nil
			}
			return store.Page{Records: all[:limit(q)], Next: strconv.Itoa(at + limit(q))}, nil
		}
	}},
	{"goes on only behind a record that is still there", []string{"list-while-changing"}, func(l *lab) {
		l.list = paged(l, func(all []store.Record, cursor string) int {
			i := slices.IndexFunc(all, func(r store.Record) bool { return r.UserID == cursor })
			if i < 0 {
				return len(all)
			}
			return i + 1
		})
	}},
	{"reads the records of a list twice", []string{"list-while-saving"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			p, err := l.list0(ctx, q)
			pause()
			for i := range p.Records {
				if r, ok := l.get(p.Records[i].UserID); ok {
					p.Records[i].Data = bytes.Clone(r.Data)
				}
			}
			return p, err
		}
	}},
	{"fails to list while somebody saves", []string{"list-while-saving"}, func(l *lab) {
		var rw sync.RWMutex
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			rw.RLock()
			defer rw.RUnlock()
			pause()
			return l.save0(ctx, r, prev)
		}
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			if !rw.TryLock() {
				return store.Page{}, errors.New("database is locked")
			}
			defer rw.Unlock()
			return l.list0(ctx, q)
		}
	}},
	{"an empty list of ids is all users", []string{"list-ids"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			if len(q.UserIDs) == 0 {
				q.UserIDs = nil
			}
			return l.list0(ctx, q)
		}
	}},
	{"an id named twice is returned twice", []string{"list-ids"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			p, err := l.list0(ctx, q)
			if len(q.UserIDs) > 1 && len(p.Records) > 0 && len(p.Records) < limit(q) {
				p.Records = slices.Insert(p.Records, 0, p.Records[0])
			}
			return p, err
		}
	}},
	{"sorts the caller's ids", []string{"list-ids"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			slices.Sort(q.UserIDs)
			return l.list0(ctx, q)
		}
	}},
	{"an unknown id fails the list", []string{"list-ids"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			for _, id := range q.UserIDs {
				if _, ok := l.get(id); !ok && q.Validate() == nil {
					return store.Page{}, store.ErrNotFound
				}
			}
			return l.list0(ctx, q)
		}
	}},
	{"ids are patterns", []string{"list-ids"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			if slices.Contains(q.UserIDs, "%") {
				q.UserIDs = nil
			}
			return l.list0(ctx, q)
		}
	}},
	{"ignores States", []string{"list-states", "list-combined"}, func(l *lab) {
		l.match = func(q store.Query, r store.Record) bool { q.States = nil; return matches(q, r) }
	}},
	{"looks at the first of States", []string{"list-states"}, func(l *lab) {
		l.match = func(q store.Query, r store.Record) bool {
			q.States = q.States[:min(len(q.States), 1)]
			return matches(q, r)
		}
	}},
	{"what is never due is due", []string{"list-due"}, func(l *lab) {
		l.match = func(q store.Query, r store.Record) bool {
			due := q.DueBy.IsZero() || !r.Due.After(q.DueBy)
			q.DueBy = time.Time{}
			return due && matches(q, r)
		}
	}},
	{"what is due now is not yet due", []string{"list-due"}, func(l *lab) {
		l.match = func(q store.Query, r store.Record) bool {
			return matches(q, r) && (q.DueBy.IsZero() || r.Due.Before(q.DueBy))
		}
	}},
	{"is due by the second", []string{"list-due"}, func(l *lab) {
		l.match = func(q store.Query, r store.Record) bool {
			if !q.DueBy.IsZero() {
				q.DueBy = q.DueBy.Truncate(time.Second).Add(time.Second)
			}
			return matches(q, r)
		}
	}},
	{"combines conditions by or", []string{"list-combined"}, func(l *lab) {
		l.match = func(q store.Query, r store.Record) bool {
			if len(q.States) == 0 || q.DueBy.IsZero() {
				return matches(q, r)
			}
			return matches(store.Query{States: q.States}, r) || matches(store.Query{DueBy: q.DueBy}, r)
		}
	}},
	{"applies the limit before the conditions", []string{"list-combined"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			p, err := l.list0(ctx, store.Query{UserIDs: q.UserIDs, Limit: q.Limit, Cursor: q.Cursor})
			if err := q.Validate(); err != nil {
				return store.Page{}, err
			}
			p.Records = slices.DeleteFunc(p.Records, func(r store.Record) bool { return !matches(q, r) })
			if len(p.Records) == 0 {
				p.Next = ""
			}
			return p, err
		}
	}},
	{"lists whatever is asked", []string{"list-invalid"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			if q.Validate() != nil {
				q = store.Query{Cursor: q.Cursor}
			}
			return l.list0(ctx, q)
		}
	}},
	{"a foreign cursor begins anew", []string{"list-foreign-cursor"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			p, err := l.list0(ctx, q)
			if errors.Is(err, store.ErrInvalid) && q.Validate() == nil {
				q.Cursor = ""
				return l.list0(ctx, q)
			}
			return p, err
		}
	}},
	{"a foreign cursor is the end", []string{"list-foreign-cursor"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			p, err := l.list0(ctx, q)
			if errors.Is(err, store.ErrInvalid) && q.Validate() == nil {
				return store.Page{}, nil
			}
			return p, err
		}
	}},
}

// paged is a List whose pages begin at the record that from finds.
func paged(l *lab, from func(all []store.Record, cursor string) int) func(context.Context, store.Query) (store.Page, error) {
	return func(ctx context.Context, q store.Query) (store.Page, error) {
		if err := errors.Join(ctx.Err(), q.Validate()); err != nil {
			return store.Page{}, err
		}
		if q.Cursor != "" && store.ValidateUserID(q.Cursor) != nil {
			return store.Page{}, store.ErrInvalid
		}
		all := l.all(q)
		if q.Cursor != "" {
			if i := from(all, q.Cursor); i >= 0 {
				all = all[i:]
			} else {
				all = nil
			}
		}
		if len(all) <= limit(q) {
			return store.Page{Records: all}, nil
		}
		all = all[:limit(q)]
		return store.Page{Records: all, Next: all[len(all)-1].UserID}, nil
	}
}
