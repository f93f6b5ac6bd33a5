package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/seed-1b6a03a1/twofactor/store"
)

func checkListChanging(ctx context.Context, s store.Store) error {
	const n = 60
	eraser, _ := s.(store.Eraser)
	all, err := fill(ctx, s, n, func(_ int, r *store.Record) { r.State = store.Confirmed })
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b store.Record) int { return strings.Compare(a.UserID, b.UserID) })

	for _, q := range []store.Query{
		{Limit: 7},
		{Limit: 7, States: []store.State{store.Confirmed}},
	} {
		version := make(map[string]int64)
		for _, r := range all {
			version[r.UserID] = r.Version
		}
		gone := make(map[string]bool) // no longer a match, or not throughout
		update := func(r store.Record, state store.State) error {
			next := sample(r.UserID, version[r.UserID]+1000)
			next.State = state
			if err := save(ctx, s, next, version[r.UserID]); err != nil {
				return err
			}
			version[r.UserID] = next.Version
			return nil
		}
		pages := 0
		got, err := walk(ctx, s, q, func(sofar []store.Record) error {
			pages++
			// New records come before all others and after them. They would shift
			// pages that are counted from the beginning.
			for _, id := range []string{fmt.Sprintf("a-%d-%d", len(q.States), pages), fmt.Sprintf("z-%d-%d", len(q.States), pages)} {
				r := sample(id, 1)
				r.State = store.Confirmed
				if err := save(ctx, s, r, 0); err != nil {
					return err
				}
			}
			// Records that were returned change, and some that were not, but
			// they still match.
			for i := pages % 3; i < n; i += 3 {
				if gone[all[i].UserID] {
					continue
				}
				if err := update(all[i], store.Confirmed); err != nil {
					return err
				}
			}
			// A record that was returned disappears, perhaps the one that the
			// cursor points to, and one that was not.
			for _, i := range []int{min(len(sofar), n) - 1, n - pages} {
				r := all[max(i, 0)]
				if gone[r.UserID] {
					continue
				}
				gone[r.UserID] = true
				if eraser != nil {
					if err := eraser.Erase(ctx, r.UserID); err != nil {
						return fmt.Errorf("Erase = %w, want nil", err)
					}
				} else if err := update(r, store.Disabled); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", describe(q), err)
		}
		times := make(map[string]int)
		for _, r := range got {
			times[r.UserID]++
		}
		for _, r := range all {
			if times[r.UserID] == 0 && !gone[r.UserID] {
				return fmt.Errorf("%s: %q matched throughout and was not returned", describe(q), r.UserID)
			}
			if times[r.UserID] > 1 {
				return fmt.Errorf("%s: %q was returned %d times", describe(q), r.UserID, times[r.UserID])
			}
		}
		// The second round begins with all records.
		for _, r := range all {
			if !gone[r.UserID] {
				continue
			}
			next := sample(r.UserID, version[r.UserID]+1000)
			next.State = store.Confirmed
			prev := version[r.UserID]
			if eraser != nil {
				prev = 0
			}
			if err := save(ctx, s, next, prev); err != nil {
				return err
			}
			version[r.UserID] = next.Version
		}
		for i := range all {
			all[i].Version = version[all[i].UserID]
		}
	}
	return nil
}

func checkListSaving(ctx context.Context, s store.Store) error {
	const users, listers, walks, maxWalks = 6, 2, 20, 500
	for u := range users {
		if err := save(ctx, s, sample(fmt.Sprintf("user-%d", u), 1), 0); err != nil {
			return err
		}
	}
	var listing, saves atomic.Int64
	listing.Store(listers)
	// Listing begins when all are saving. On a busy machine it would otherwise
	// end before the first Save.
	var saving sync.WaitGroup
	saving.Add(users)
	return together(users+listers, func(i int) error {
		if i < users {
			id := fmt.Sprintf("user-%d", i)
			begun := sync.OnceFunc(saving.Done)
			defer begun()
			for v := int64(2); listing.Load() > 0; v++ {
				if err := save(ctx, s, sample(id, v), v-1); err != nil {
					return err
				}
				saves.Add(1)
				begun()
			}
			return nil
		}
		defer listing.Add(-1)
		saving.Wait()
		// On a busy machine, some walks see no Save. They do not count, up to maxWalks.
		for n, all := 0, 0; n < walks && all < maxWalks; all++ {
			before := saves.Load()
			got, err := walk(ctx, s, store.Query{Limit: 4}, nil)
			if err != nil {
				return err
			}
			if len(got) != users {
				return fmt.Errorf("List while records were being replaced: %d records, want %d", len(got), users)
			}
			for _, r := range got {
				if err := diff(r, sample(r.UserID, r.Version)); err != nil {
					return fmt.Errorf("List while records were being replaced: %w", err)
				}
			}
			if saves.Load() > before {
				n++
			}
		}
		return nil
	})
}
