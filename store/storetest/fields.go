package storetest

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// fieldCases test that Load returns each field as it was saved.
var fieldCases = []testCase{
	{
		name:   "states",
		clause: "A Store keeps every state, and any state can replace any other.",
		check: func(ctx context.Context, s store.Store) error {
			version := int64(0)
			for from := store.None; from <= store.Disabled; from++ {
				for to := store.None; to <= store.Disabled; to++ {
					for _, state := range []store.State{from, to} {
						r := sample("alice", version+1)
						r.State = state
						if err := first(save(ctx, s, r, version), holds(ctx, s, r)); err != nil {
							return err
						}
						version++
					}
				}
			}
			return nil
		},
	},
	{
		name:   "data",
		clause: "A Store keeps Data byte for byte: 0 to MaxData bytes of any value. Nil and empty mean the same.",
		check: func(ctx context.Context, s store.Store) error {
			every := make([]byte, 256)
			for i := range every {
				every[i] = byte(i)
			}
			version := int64(0)
			for _, data := range [][]byte{
				bytes.Repeat(every, store.MaxData/256),
				nil,
				every,
				{},
				{0},
				make([]byte, store.MaxData), // zeros at the end are not padding
				bytes.Repeat([]byte{0xff}, store.MaxData),
				[]byte("trailing space \r\n\t \x00\x00"),
				[]byte(" \x00leading"),
				[]byte(`\x4142 \\ ' " %s $1 ?1`),
				[]byte("\xef\xbb\xbf\xfe\xff\xc3\x28"), // byte order marks, broken UTF-8
			} {
				r := sample("alice", version+1)
				r.Data = data
				if err := first(save(ctx, s, r, version), holds(ctx, s, r)); err != nil {
					return err
				}
				version++
			}
			// In a database, creating a record without data is another path than
			// replacing one.
			for i, data := range [][]byte{nil, {}} {
				r := sample(fmt.Sprintf("empty-%d", i), 1)
				r.Data = data
				if err := first(save(ctx, s, r, 0), holds(ctx, s, r)); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name:   "versions",
		clause: "Version is a token from 1 to 2^53-1 that is compared for exact equality. A new version can be lower than the old one.",
		check: func(ctx context.Context, s store.Store) error {
			version := int64(0)
			for _, next := range []int64{
				1, 1<<24 + 1, 1<<24 + 3, 1<<31 - 1, 1 << 31, 1<<32 + 1, 1<<52 + 1,
				store.MaxVersion, 2, store.MaxVersion - 1, store.MaxVersion, 1,
				1_790_000_000_123_456, 1_790_000_000_123_455, 5,
			} {
				r := sample("alice", next)
				if err := first(save(ctx, s, r, version), holds(ctx, s, r)); err != nil {
					return err
				}
				// A number is another version if it is close, or equal in the
				// lower bits.
				for _, near := range []int64{next - 1, next + 1, next ^ 1<<31, next ^ 1<<32, next ^ 1<<48} {
					if near < 1 || near > store.MaxVersion {
						continue
					}
					other := int64(77)
					if near == other || next == other {
						other++
					}
					if err := refuses(ctx, s, sample("alice", other), near, store.ErrConflict); err != nil {
						return fmt.Errorf("the store holds version %d: %w", next, err)
					}
				}
				if err := holds(ctx, s, r); err != nil {
					return err
				}
				version = next
			}
			return nil
		},
	},
	{
		name:   "times",
		clause: "A Store keeps Due and Updated to the microsecond, in the years 1 to 9999, and returns them in UTC. A zero Due stays zero. A Store sets neither of them itself.",
		check: func(ctx context.Context, s store.Store) error {
			east := time.FixedZone("east", 5*3600+1800)
			version := int64(0)
			for _, at := range []time.Time{
				epoch,
				epoch.Truncate(time.Second),
				epoch.Add(time.Microsecond),
				{},
				epoch.In(east),
				time.Unix(0, 0),
				time.Unix(0, 1000),
				time.Unix(-1, 999999000),
				time.Date(1969, 12, 31, 23, 59, 59, 123456000, time.UTC),
				time.Date(1900, 2, 28, 1, 2, 3, 4000, time.UTC),
				time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC),
				time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC),
				time.Date(2106, 2, 7, 6, 28, 16, 0, time.UTC),
				time.Date(2025, 3, 30, 2, 30, 0, 0, time.UTC), // an hour that some local times lack
				time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
			} {
				for _, pair := range [][2]time.Time{{at, at}, {{}, at}, {at, epoch}} {
					r := sample("alice", version+1)
					r.Due, r.Updated = pair[0], pair[1]
					if err := first(save(ctx, s, r, version), holds(ctx, s, r)); err != nil {
						return err
					}
					version++
				}
			}
			// Only what is finer than a microsecond may be lost.
			r := sample("alice", version+1)
			r.Due, r.Updated = epoch.Add(999), epoch.Add(1)
			if err := save(ctx, s, r, version); err != nil {
				return err
			}
			got, err := s.Load(ctx, "alice")
			if err != nil {
				return fmt.Errorf("Load = %w, want nil", err)
			}
			for _, off := range []time.Duration{got.Due.Sub(r.Due), got.Updated.Sub(r.Updated)} {
				if off.Abs() >= time.Microsecond {
					return fmt.Errorf("a time with nanoseconds came back %v off, want less than 1µs", off)
				}
			}
			return nil
		},
	},
}
