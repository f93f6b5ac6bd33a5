package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// saveCases test the two methods while nothing else happens.
var saveCases = []testCase{
	{
		name:   "absence",
		clause: "Load returns ErrNotFound, and matches no other error of the contract, for a user without a record, even if other users have one.",
		check: func(ctx context.Context, s store.Store) error {
			return first(
				absent(ctx, s, "alice"),
				save(ctx, s, sample("bob", 1), 0),
				absent(ctx, s, "alice"),
				holds(ctx, s, sample("bob", 1)),
			)
		},
	},
	{
		name:   "create",
		clause: "Save with prev 0 creates the record of a user who has none. Load then returns each of its fields.",
		check: func(ctx context.Context, s store.Store) error {
			// A new record can have any version, not only 1.
			for i, v := range []int64{1, 2, 1_790_000_000_123_456} {
				r := sample(fmt.Sprintf("user-%d", i), v)
				if err := first(save(ctx, s, r, 0), holds(ctx, s, r), holds(ctx, s, r)); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name:   "create-existing",
		clause: "Save with prev 0 returns ErrConflict and changes nothing if the user has a record, even if it is the same record.",
		check: func(ctx context.Context, s store.Store) error {
			r := sample("alice", 4)
			return first(
				save(ctx, s, r, 0),
				refuses(ctx, s, sample("alice", 7), 0, store.ErrConflict),
				holds(ctx, s, r),
				refuses(ctx, s, r, 0, store.ErrConflict),
				holds(ctx, s, r),
			)
		},
	},
	{
		name:   "conflict-leaves-nothing",
		clause: "A Save that returned ErrConflict leaves nothing behind, not even a second row: its version can't be replaced later.",
		check: func(ctx context.Context, s store.Store) error {
			return first(
				save(ctx, s, sample("alice", 4), 0),
				refuses(ctx, s, sample("alice", 7), 0, store.ErrConflict),
				refuses(ctx, s, sample("alice", 9), 5, store.ErrConflict),
				refuses(ctx, s, sample("alice", 8), 7, store.ErrConflict),
				refuses(ctx, s, sample("alice", 8), 9, store.ErrConflict),
				save(ctx, s, sample("alice", 8), 4),
				refuses(ctx, s, sample("alice", 10), 7, store.ErrConflict),
				holds(ctx, s, sample("alice", 8)),
			)
		},
	},
	{
		name:   "replace",
		clause: "Save replaces the whole record if its version equals prev, and changes no other record.",
		check: func(ctx context.Context, s store.Store) error {
			if err := first(save(ctx, s, sample("alice", 1), 0), save(ctx, s, sample("bob", 1), 0)); err != nil {
				return err
			}
			for v := int64(2); v <= 20; v++ {
				if err := first(
					save(ctx, s, sample("alice", v), v-1),
					holds(ctx, s, sample("alice", v)),
				); err != nil {
					return err
				}
			}
			return holds(ctx, s, sample("bob", 1))
		},
	},
	{
		name:   "conflict-wrong-version",
		clause: "Save returns ErrConflict and changes nothing if prev is not the version of the record, but a lower or higher one, one that the record had before, or the new one.",
		check: func(ctx context.Context, s store.Store) error {
			held := sample("alice", 20)
			if err := first(
				save(ctx, s, sample("alice", 10), 0),
				save(ctx, s, held, 10),
			); err != nil {
				return err
			}
			for _, prev := range []int64{1, 9, 10, 11, 19, 21, store.MaxVersion} {
				if err := first(
					refuses(ctx, s, sample("alice", 31), prev, store.ErrConflict),
					holds(ctx, s, held),
				); err != nil {
					return err
				}
			}
			// If a reply was lost and the caller tries the same again, the second
			// Save must not succeed.
			return first(
				refuses(ctx, s, held, 10, store.ErrConflict),
				holds(ctx, s, held),
			)
		},
	},
	{
		name:   "conflict-absent",
		clause: "Save returns ErrConflict and creates nothing if prev is not 0 and the user has no record.",
		check: func(ctx context.Context, s store.Store) error {
			for _, prev := range []int64{1, 2, store.MaxVersion} {
				if err := first(
					refuses(ctx, s, sample("alice", 3), prev, store.ErrConflict),
					absent(ctx, s, "alice"),
				); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name:   "invalid",
		clause: "Load and Save return ErrInvalid and change nothing if the contract does not allow an id, a record or prev, or if a version would replace itself.",
		check:  checkInvalid,
	},
	{
		name:   "copies-in",
		clause: "A Store does not keep Record.Data. The caller may change these bytes after Save, and the record stays the same.",
		check: func(ctx context.Context, s store.Store) error {
			for v := int64(1); v <= 2; v++ { // a creation, then a replacement
				r := sample("alice", v)
				mine := clone(r)
				if err := s.Save(ctx, mine, v-1); err != nil {
					return fmt.Errorf("Save = %w, want nil", err)
				}
				clear(mine.Data)
				if err := holds(ctx, s, r); err != nil {
					return fmt.Errorf("after the caller overwrote the bytes that it had saved: %w", err)
				}
			}
			return nil
		},
	},
	{
		name:   "copies-out",
		clause: "A Store does not go on using bytes that it has returned. The caller may change them, and the record stays the same.",
		check: func(ctx context.Context, s store.Store) error {
			r := sample("alice", 1)
			if err := save(ctx, s, r, 0); err != nil {
				return err
			}
			one, err := s.Load(ctx, "alice")
			if err != nil {
				return fmt.Errorf("Load = %w, want nil", err)
			}
			clear(one.Data)
			if err := holds(ctx, s, r); err != nil {
				return fmt.Errorf("after the caller overwrote the bytes that Load returned: %w", err)
			}
			// The bytes behind the slice, which append writes, are the caller's, too.
			two, err := s.Load(ctx, "alice")
			if err != nil {
				return fmt.Errorf("Load = %w, want nil", err)
			}
			clear(append(two.Data[:0], make([]byte, cap(two.Data))...))
			return holds(ctx, s, r)
		},
	},
	{
		name:   "errors-hold-no-data",
		clause: "Errors say what failed and never contain Record.Data, because errors are written to logs.",
		check: func(ctx context.Context, s store.Store) error {
			const canary = "CANARY-DATA"
			r := sample("alice", 5)
			r.Data = []byte(canary)
			if err := save(ctx, s, r, 0); err != nil {
				return err
			}
			ended, cancel := context.WithCancel(ctx)
			cancel()
			tooLong := clone(r)
			tooLong.Data = []byte(strings.Repeat(canary, 1000))
			for _, err := range []error{
				s.Save(ctx, clone(r), 0),
				s.Save(ctx, clone(r), 4),
				s.Save(ctx, tooLong, 4),
				s.Save(ended, clone(r), 4),
			} {
				if err == nil {
					return errors.New("Save = nil, want an error")
				}
				// As text, as Go prints byte slices, and in hexadecimal.
				for _, form := range []string{canary, "67 65 78 65 82 89", "43414e415259"} {
					if strings.Contains(strings.ToLower(fmt.Sprintf("%v %+v", err, err)), strings.ToLower(form)) {
						return errors.New("an error of Save holds the record's Data")
					}
				}
			}
			return nil
		},
	},
}

func checkInvalid(ctx context.Context, s store.Store) error {
	held := sample("alice", 10)
	if err := save(ctx, s, held, 0); err != nil {
		return err
	}
	// Except for one field, each could replace the record of alice.
	for _, c := range []struct {
		what string
		prev int64
		edit func(r *store.Record)
	}{
		{"a negative prev", -1, func(*store.Record) {}},
		{"a very negative prev", -1 << 63, func(*store.Record) {}},
		{"a prev above 2^53-1", store.MaxVersion + 1, func(*store.Record) {}},
		{"version 0", 10, func(r *store.Record) { r.Version = 0 }},
		{"a negative version", 10, func(r *store.Record) { r.Version = -11 }},
		{"a version above 2^53-1", 10, func(r *store.Record) { r.Version = store.MaxVersion + 1 }},
		{"a version that replaces itself", 10, func(r *store.Record) { r.Version = 10 }},
		{"the zero State", 10, func(r *store.Record) { r.State = 0 }},
		{"an undefined State", 10, func(r *store.Record) { r.State = store.Disabled + 1 }},
		{"Data longer than MaxData", 10, func(r *store.Record) { r.Data = make([]byte, store.MaxData+1) }},
		{"a Due after the year 9999", 10, func(r *store.Record) { r.Due = epoch.AddDate(8000, 0, 0) }},
		{"an Updated before the year 1", 10, func(r *store.Record) { r.Updated = epoch.AddDate(-2100, 0, 0) }},
	} {
		r := sample("alice", 11)
		c.edit(&r)
		if err := refuses(ctx, s, r, c.prev, store.ErrInvalid); err != nil {
			return fmt.Errorf("with %s: %w", c.what, err)
		}
		if err := holds(ctx, s, held); err != nil {
			return fmt.Errorf("after a Save with %s was refused: %w", c.what, err)
		}
	}
	for what, id := range invalidIDs() {
		r := sample("alice", 1)
		r.UserID = id
		if err := refuses(ctx, s, r, 0, store.ErrInvalid); err != nil {
			return fmt.Errorf("with an id that %s: %w", what, err)
		}
		_, err := s.Load(ctx, id)
		if bad := only(err, store.ErrInvalid); bad != nil {
			return fmt.Errorf("Load with an id that %s = %w", what, bad)
		}
	}
	return holds(ctx, s, held)
}

// invalidIDs returns ids that no user can have, with what is wrong with each.
func invalidIDs() map[string]string {
	return map[string]string{
		"is empty":                   "",
		"is longer than 255 bytes":   strings.Repeat("x", store.MaxUserID+1),
		"is longer in bytes":         strings.Repeat("é", store.MaxUserID/2+1),
		"is not UTF-8":               "alice\xff",
		"is cut inside a character":  "alic\xc3",
		"has a NUL":                  "alice\x00",
		"has a line break":           "ali\nce",
		"has a C1 control character": "ali\u0085ce",
		"has a DEL":                  "alice\x7f",
	}
}
