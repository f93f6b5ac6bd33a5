package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// listCases test store.Lister.
var listCases = []testCase{
	{
		name:   "list-order",
		clause: "List returns whole records in ascending order of the bytes of UserID, whatever language the database is set to.",
		needs:  lists,
		check: func(ctx context.Context, s store.Store) error {
			ids := []string{
				"b", "B", "a", "A", "Z", "z", "é", "e", "f", "É", "ﬀ", "\uffee", "😀", "10", "9", "1", " a", "a ", "a b", "a-b", "a_b", "ab", "aB",
				"_", "-", "~", "!", "%", "ß", "ss", "ä", "ö", "я", "Я", "中", "a\u0301", "á", "\u200b", "co-op", "coop", "co op", "ch", "cz", "h",
			}
			all := make([]store.Record, len(ids))
			for i, id := range ids {
				all[i] = sample(id, int64(i)+1)
				if err := save(ctx, s, all[i], 0); err != nil {
					return err
				}
			}
			for _, limit := range []int{0, 1, 7, len(ids) - 1, len(ids), store.MaxPage} {
				if err := listsAll(ctx, s, store.Query{Limit: limit}, all); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name:   "list-empty",
		clause: "If no record matches, List returns one page without records and without Next.",
		needs:  lists,
		check: func(ctx context.Context, s store.Store) error {
			for _, q := range []store.Query{
				{}, {Limit: 1}, {UserIDs: []string{"alice"}}, {UserIDs: []string{}},
				{States: []store.State{store.None}}, {DueBy: epoch},
			} {
				if err := listsAll(ctx, s, q, nil); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name:   "list-pages",
		clause: "A page holds at most Limit records, or 100 if Limit is 0. The pages end, and return every record exactly once.",
		needs:  lists,
		check: func(ctx context.Context, s store.Store) error {
			all, err := fill(ctx, s, 2*store.DefaultPage+1, nil)
			if err != nil {
				return err
			}
			for _, limit := range []int{0, 3, store.DefaultPage, len(all) - 1, len(all), len(all) + 1} {
				if err := listsAll(ctx, s, store.Query{Limit: limit}, all); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name:   "list-ids",
		clause: "UserIDs selects these users. An id without a record is left out, and an id that is named twice is returned once. An empty slice that is not nil selects none. List does not change the slice.",
		needs:  lists,
		check:  checkListIDs,
	},
	{
		name:   "list-states",
		clause: "States selects the records in one of these states. No states select all records.",
		needs:  lists,
		check: func(ctx context.Context, s store.Store) error {
			all, err := fill(ctx, s, 24, func(i int, r *store.Record) { r.State = store.State(i%4) + store.None })
			if err != nil {
				return err
			}
			for _, states := range [][]store.State{
				nil, {},
				{store.None}, {store.Pending}, {store.Confirmed}, {store.Disabled},
				{store.Disabled, store.Pending}, {store.Confirmed, store.Confirmed},
				{store.None, store.Pending, store.Confirmed, store.Disabled},
			} {
				for _, limit := range []int{0, 1, 5} {
					if err := listsAll(ctx, s, store.Query{States: states, Limit: limit}, all); err != nil {
						return err
					}
				}
			}
			// A record with a new state moves to the other list.
			all[0].State, all[0].Version = store.Disabled, all[0].Version+1000
			if err := save(ctx, s, all[0], all[0].Version-1000); err != nil {
				return err
			}
			return first(
				listsAll(ctx, s, store.Query{States: []store.State{store.None}}, all),
				listsAll(ctx, s, store.Query{States: []store.State{store.Disabled}}, all),
			)
		},
	},
	{
		name:   "list-due",
		clause: "DueBy selects the records whose Due is set and not after DueBy, to the microsecond. The zero time selects all records.",
		needs:  lists,
		check: func(ctx context.Context, s store.Store) error {
			dues := []time.Time{
				{}, epoch, {}, epoch.Add(time.Microsecond), epoch.Add(-time.Microsecond), epoch.Add(time.Second),
				epoch.AddDate(-100, 0, 0), {}, epoch.AddDate(1000, 0, 0), epoch.Add(-time.Hour), time.Unix(0, 0), epoch,
			}
			all, err := fill(ctx, s, len(dues), func(i int, r *store.Record) { r.Due = dues[i] })
			if err != nil {
				return err
			}
			for _, by := range slices.Concat(dues, []time.Time{
				epoch.Add(500 * time.Nanosecond),
				epoch.In(time.FixedZone("west", -8*3600)),
				time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC),
				time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
			}) {
				for _, limit := range []int{0, 2} {
					if err := listsAll(ctx, s, store.Query{DueBy: by, Limit: limit}, all); err != nil {
						return err
					}
				}
			}
			// A record without a Due is no longer due.
			all[1].Due, all[1].Version = time.Time{}, all[1].Version+1000
			return first(
				save(ctx, s, all[1], all[1].Version-1000),
				listsAll(ctx, s, store.Query{DueBy: epoch}, all),
			)
		},
	},
	{
		name:   "list-combined",
		clause: "A query selects the records that meet all of its conditions.",
		needs:  lists,
		check: func(ctx context.Context, s store.Store) error {
			all, err := fill(ctx, s, 48, func(i int, r *store.Record) {
				r.State = store.State(i%4) + store.None
				if r.Due = epoch.Add(time.Duration(i/4%3-1) * time.Minute); i/12%2 == 0 {
					r.Due = time.Time{}
				}
			})
			if err != nil {
				return err
			}
			var some []string
			for i := 0; i < len(all); i += 3 {
				some = append(some, all[i].UserID)
			}
			for _, ids := range [][]string{nil, some} {
				for _, states := range [][]store.State{nil, {store.Confirmed}, {store.None, store.Pending}} {
					for _, by := range []time.Time{{}, epoch} {
						for _, limit := range []int{0, 2} {
							q := store.Query{UserIDs: ids, States: states, DueBy: by, Limit: limit}
							if err := listsAll(ctx, s, q, all); err != nil {
								return err
							}
						}
					}
				}
			}
			return nil
		},
	},
	{
		name:   "list-invalid",
		clause: "List returns ErrInvalid if the contract does not allow the query.",
		needs:  lists,
		check: func(ctx context.Context, s store.Store) error {
			if err := save(ctx, s, sample("alice", 1), 0); err != nil {
				return err
			}
			many := make([]string, store.MaxPage+1)
			for i := range many {
				many[i] = "alice"
			}
			queries := map[string]store.Query{
				"a negative Limit":               {Limit: -1},
				"a Limit above MaxPage":          {Limit: store.MaxPage + 1},
				"more than MaxPage UserIDs":      {UserIDs: many},
				"the zero State":                 {States: []store.State{0}},
				"an undefined State":             {States: []store.State{store.None, store.Disabled + 1}},
				"a DueBy that no database holds": {DueBy: epoch.AddDate(10_000, 0, 0)},
				"a DueBy before the zero time":   {DueBy: time.Time{}.Add(-time.Hour)},
				"a very negative Limit":          {Limit: -1 << 31},
			}
			for what, id := range invalidIDs() {
				queries["a UserID that "+what] = store.Query{UserIDs: []string{"alice", id}}
			}
			for what, q := range queries {
				_, err := s.(store.Lister).List(ctx, q)
				if bad := only(err, store.ErrInvalid); bad != nil {
					return fmt.Errorf("List with %s = %w", what, bad)
				}
			}
			return nil
		},
	},
	{
		name:   "list-foreign-cursor",
		clause: "List returns ErrInvalid for a cursor that no List returned.",
		needs:  lists,
		check: func(ctx context.Context, s store.Store) error {
			if _, err := fill(ctx, s, 3, nil); err != nil {
				return err
			}
			// No store makes such cursors, but a browser can send them.
			for _, c := range []string{"\x00", "a\nb", "\xff\xfe", "x\x1b[31m", strings.Repeat("A", 1<<16)} {
				page, err := s.(store.Lister).List(ctx, store.Query{Limit: 1, Cursor: c})
				if bad := only(err, store.ErrInvalid); bad != nil {
					return fmt.Errorf("List with a cursor that begins with %q = %d records, %w", c[:1], len(page.Records), bad)
				}
			}
			return nil
		},
	},
	{
		name:   "list-copies-out",
		clause: "A Store does not go on using a page that it has returned. The caller may change it, and the records stay the same.",
		needs:  lists,
		check: func(ctx context.Context, s store.Store) error {
			all, err := fill(ctx, s, 5, nil)
			if err != nil {
				return err
			}
			page, err := s.(store.Lister).List(ctx, store.Query{})
			if err != nil {
				return fmt.Errorf("List = %w, want nil", err)
			}
			for i := range page.Records {
				data := page.Records[i].Data
				clear(data[:cap(data)])
				page.Records[i] = store.Record{}
			}
			return listsAll(ctx, s, store.Query{}, all)
		},
	},
	{
		name:   "list-while-changing",
		clause: "A caller that follows Next to the end gets no record twice, and gets every record that matches throughout, however many records are created, changed or erased between the pages.",
		needs:  lists,
		check:  checkListChanging,
	},
	{
		name:   "list-while-saving",
		clause: "List is safe for concurrent use, and returns each record as one Save wrote it.",
		needs:  lists,
		check:  checkListSaving,
	},
}

func checkListIDs(ctx context.Context, s store.Store) error {
	all, err := fill(ctx, s, 60, nil)
	if err != nil {
		return err
	}
	var every, many []string
	for _, r := range all {
		every = append(every, r.UserID)
	}
	for i := range store.MaxPage { // most without a record, and some twice
		many = append(many, fmt.Sprintf("u%04d", i*3%900))
	}
	for _, ids := range [][]string{
		{},
		{"u0007"},
		{"unknown"},
		{"u0007", "u0003", "u0007", "unknown", "u0003", "U0003", "u0003 ", "u"},
		{"%", "u%", "u____", "'", `u0001' OR '1'='1`},
		every,
		many,
	} {
		for _, limit := range []int{0, 1, 2, 59, 60, store.MaxPage} {
			if limit == 1 && len(ids) == store.MaxPage {
				continue // little new for many pages
			}
			given := slices.Clone(ids)
			if err := listsAll(ctx, s, store.Query{UserIDs: given, Limit: limit}, all); err != nil {
				return err
			}
			if !slices.Equal(given, ids) {
				return errors.New("List reordered or changed the caller's UserIDs")
			}
		}
	}
	return nil
}
