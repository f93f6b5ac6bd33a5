package storetest

import (
	"context"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// eraseCases test store.Eraser.
var eraseCases = []testCase{
	{
		name:   "erase",
		clause: "Erase deletes the user's record, whatever its version, and no other record. It returns nil if there is none. After that, a Save with prev 0 creates a record.",
		needs:  erases,
		check: func(ctx context.Context, s store.Store) error {
			erase := s.(store.Eraser).Erase
			again := sample("alice", 3)
			return first(
				erase(ctx, "alice"),
				save(ctx, s, sample("alice", 1), 0),
				save(ctx, s, sample("alice", 2), 1),
				save(ctx, s, sample("alice2", 1), 0),
				erase(ctx, "alice"),
				absent(ctx, s, "alice"),
				erase(ctx, "alice"),
				holds(ctx, s, sample("alice2", 1)),
				save(ctx, s, again, 0),
				holds(ctx, s, again),
			)
		},
	},
	{
		name:   "erase-invalid",
		clause: "Erase returns ErrInvalid if no user can have the id.",
		needs:  erases,
		check: func(ctx context.Context, s store.Store) error {
			if err := save(ctx, s, sample("alice", 1), 0); err != nil {
				return err
			}
			for what, id := range invalidIDs() {
				if bad := only(s.(store.Eraser).Erase(ctx, id), store.ErrInvalid); bad != nil {
					return fmt.Errorf("Erase with an id that %s = %w", what, bad)
				}
			}
			return holds(ctx, s, sample("alice", 1))
		},
	},
	{
		name:   "erase-then-stale-save",
		clause: "A Save that replaces an erased version returns ErrConflict and creates nothing.",
		needs:  erases,
		check: func(ctx context.Context, s store.Store) error {
			return first(
				save(ctx, s, sample("alice", 5), 0),
				s.(store.Eraser).Erase(ctx, "alice"),
				refuses(ctx, s, sample("alice", 6), 5, store.ErrConflict),
				absent(ctx, s, "alice"),
			)
		},
	},
	{
		name:   "erase-recreate-stale-save",
		clause: "If a record was erased and created again, a Save that replaces the erased version, for example of a slow node, returns ErrConflict and changes nothing.",
		needs:  erases,
		check: func(ctx context.Context, s store.Store) error {
			again := sample("alice", 9)
			return first(
				save(ctx, s, sample("alice", 5), 0),
				s.(store.Eraser).Erase(ctx, "alice"),
				save(ctx, s, again, 0),
				refuses(ctx, s, sample("alice", 6), 5, store.ErrConflict),
				holds(ctx, s, again),
			)
		},
	},
	{
		name:   "erase-list",
		clause: "After Erase, no query returns the record. A record that is created again is returned once, as it is now.",
		needs:  erases | lists,
		check: func(ctx context.Context, s store.Store) error {
			all, err := fill(ctx, s, 12, nil)
			if err != nil {
				return err
			}
			queries := []store.Query{
				{},
				{Limit: 2},
				{States: []store.State{store.None, store.Pending, store.Confirmed, store.Disabled}},
				{DueBy: epoch.AddDate(1, 0, 0)},
			}
			for _, r := range all {
				queries = append(queries, store.Query{UserIDs: []string{r.UserID}})
			}
			look := func(all []store.Record) error {
				for _, q := range queries {
					if err := listsAll(ctx, s, q, all); err != nil {
						return err
					}
				}
				return nil
			}
			gone, left := all[:6], all[6:]
			for _, r := range gone {
				if err := s.(store.Eraser).Erase(ctx, r.UserID); err != nil {
					return err
				}
			}
			if err := look(left); err != nil {
				return err
			}
			for _, r := range gone[:3] {
				// It had a Due if this one has none.
				again := sample(r.UserID, r.Version+1001)
				if err := save(ctx, s, again, 0); err != nil {
					return err
				}
				left = append(left, again)
			}
			return look(left)
		},
	},
	{
		name:   "race-erase",
		clause: "If an Erase and a replacement run at the same time, one of them comes first. In either order, the record does not exist when both have returned.",
		needs:  erases,
		check: func(ctx context.Context, s store.Store) error {
			const rounds, savers = 20, 6
			for round := range rounds {
				id := fmt.Sprintf("user-%d", round)
				if err := save(ctx, s, sample(id, 1), 0); err != nil {
					return err
				}
				err := together(savers+1, func(i int) error {
					if i == savers/2 {
						return s.(store.Eraser).Erase(ctx, id)
					}
					if err := s.Save(ctx, sample(id, int64(i)+2), 1); err != nil {
						return only(err, store.ErrConflict)
					}
					return nil
				})
				if err := first(err, absent(ctx, s, id)); err != nil {
					return fmt.Errorf("round %d: %w", round, err)
				}
			}
			return nil
		},
	},
}
