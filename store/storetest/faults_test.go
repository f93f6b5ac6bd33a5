package storetest_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// A fault is a way in which real stores are wrong. All cases in caught are
// meant for it and must fail; others may fail too.
type fault struct {
	name   string
	caught []string
	do     func(l *lab)
}

var faults = []fault{
	// The conditional write.
	{"last write wins: looks, then writes", []string{"race-replace"}, func(l *lab) {
		l.save = l.saveTorn
	}},
	{"lost create race: looks, then inserts", []string{"race-create"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if prev == 0 {
				return l.saveTorn(ctx, r, prev)
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"no version in the WHERE clause", []string{"conflict-wrong-version", "erase-recreate-stale-save"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if old, ok := l.get(r.UserID); ok && prev != 0 {
				prev = old.Version
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"creating is an upsert", []string{"create-existing", "race-create"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if prev == 0 && l.valid(r, prev) == nil && ctx.Err() == nil {
				l.put(r)
				return nil
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"creating what exists unchanged is a success", []string{"create-existing"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			err := l.save0(ctx, r, prev)
			if old, _ := l.get(r.UserID); errors.Is(err, store.ErrConflict) && prev == 0 && old.Version == r.Version {
				return nil
			}
			return err
		}
	}},
	{"replacing is an upsert", []string{"conflict-absent", "erase-then-stale-save"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if _, ok := l.get(r.UserID); !ok {
				if prev == r.Version {
					return store.ErrInvalid
				}
				prev = min(prev, 0)
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"an update of no row is a success", []string{"conflict-wrong-version", "conflict-absent", "race-replace"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if err := l.save0(ctx, r, prev); !errors.Is(err, store.ErrConflict) || prev == 0 {
				return err
			}
			return nil
		}
	}},
	{"reports the conflict after writing", []string{"conflict-wrong-version"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			err := l.save0(ctx, r, prev)
			if errors.Is(err, store.ErrConflict) && prev != 0 {
				l.put(r)
			}
			return err
		}
	}},
	{"versions must rise", []string{"versions"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if err := l.valid(r, prev); err == nil && r.Version < prev {
				return store.ErrConflict
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"one version for all users", []string{"replace"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			err := l.save0(ctx, r, prev)
			if err == nil && prev != 0 {
				l.mu.Lock()
				defer l.mu.Unlock()
				for id, other := range l.rows {
					other.Version = r.Version
					l.rows[id] = other
				}
			}
			return err
		}
	}},
	{"a try-lock over all users", []string{"race-users"}, func(l *lab) {
		var busy sync.Mutex
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if !busy.TryLock() {
				return store.ErrConflict
			}
			defer busy.Unlock()
			pause()
			return l.save0(ctx, r, prev)
		}
	}},
	{"a busy database instead of a conflict", []string{"race-replace", "race-create"}, func(l *lab) {
		var busy sync.Mutex
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if !busy.TryLock() {
				return errors.New("database is locked")
			}
			defer busy.Unlock()
			pause()
			return l.save0(ctx, r, prev)
		}
	}},
	{"takes every version for 1 at creation", []string{"create"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if err := l.valid(r, prev); err == nil && prev == 0 {
				r.Version = 1
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"validates nothing", []string{"invalid", "erase-invalid"}, func(l *lab) {
		l.valid = func(store.Record, int64) error { return nil }
		l.id = func(string) error { return nil }
	}},
	{"takes a version that replaces itself", []string{"invalid"}, func(l *lab) {
		l.valid = func(r store.Record, prev int64) error {
			if r.Version == prev {
				return nil
			}
			return store.ValidateSave(r, prev)
		}
	}},
	{"takes a negative prev for 0", []string{"invalid"}, func(l *lab) {
		l.valid = func(r store.Record, prev int64) error { return store.ValidateSave(r, max(prev, 0)) }
	}},
	{"an invalid id is not found", []string{"invalid"}, func(l *lab) {
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			r, err := l.load0(ctx, userID)
			if errors.Is(err, store.ErrInvalid) {
				err = store.ErrNotFound
			}
			return r, err
		}
	}},

	// Reading.
	{"nothing found is the zero record", []string{"absence"}, func(l *lab) {
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			r, err := l.load0(ctx, userID)
			if errors.Is(err, store.ErrNotFound) {
				err = nil
			}
			return r, err
		}
	}},
	{"nothing found is the driver's error", []string{"absence"}, func(l *lab) {
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			r, err := l.load0(ctx, userID)
			if errors.Is(err, store.ErrNotFound) {
				err = errors.New("sql: no rows in result set")
			}
			return r, err
		}
	}},
	{"reads from a replica that lags", []string{"replace"}, func(l *lab) {
		var replica sync.Map
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			old, ok := l.get(r.UserID)
			err := l.save0(ctx, r, prev)
			if err == nil && ok {
				replica.Store(r.UserID, old)
			}
			return err
		}
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			if old, ok := replica.LoadAndDelete(userID); ok && ctx.Err() == nil {
				return l.read(old.(store.Record)), nil
			}
			return l.load0(ctx, userID)
		}
	}},
	{"reads the columns one by one", []string{"race-load"}, func(l *lab) {
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			r, err := l.load0(ctx, userID)
			pause()
			if again, ok := l.get(userID); ok && err == nil {
				r.Data = bytes.Clone(again.Data)
			}
			return r, err
		}
	}},
	{"replaces by deleting and inserting", []string{"race-load"}, func(l *lab) {
		var one sync.Mutex
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			one.Lock()
			defer one.Unlock()
			if old, _ := l.get(r.UserID); prev == 0 || old.Version != prev || l.valid(r, prev) != nil || ctx.Err() != nil {
				return l.save0(ctx, r, prev)
			}
			if err := l.erase0(ctx, r.UserID); err != nil {
				return err
			}
			pause()
			l.put(r)
			return nil
		}
	}},

	// Ids.
	{"a collation that ignores case", []string{"ids-case"}, func(l *lab) { l.key = strings.ToLower }},
	{"a collation that pads", []string{"ids-space"}, func(l *lab) {
		l.key = func(id string) string { return strings.TrimRight(id, " ") }
	}},
	{"trims ids", []string{"ids-space"}, func(l *lab) { l.key = strings.TrimSpace }},
	{"a collation that ignores accents", []string{"ids-accents"}, func(l *lab) {
		l.key = strings.NewReplacer("á", "a", "à", "a", "é", "e", "Á", "A").Replace
	}},
	{"a collation that ignores what is invisible", []string{"ids-accents"}, func(l *lab) {
		l.key = strings.NewReplacer("\u200b", "", "\u200d", "", "\u202e", "").Replace
	}},
	{"two bytes per character, and one for the rest", []string{"ids-accents"}, func(l *lab) {
		l.key = func(id string) string {
			return strings.Map(func(r rune) rune { return min(r, 0xffff) }, id)
		}
	}},
	{"normalises ids", []string{"ids-normalisation"}, func(l *lab) {
		l.key = strings.NewReplacer("A\u0301", "\u00c1", "e\u0301", "\u00e9", "\u212b", "\u00c5", "A\u030a", "\u00c5").Replace
	}},
	{"cuts ids off at 191 bytes", []string{"ids-long"}, func(l *lab) {
		l.key = func(id string) string { return id[:min(len(id), 191)] }
	}},
	{"cuts ids off at 254 bytes", []string{"ids-long"}, func(l *lab) {
		l.key = func(id string) string { return id[:min(len(id), 254)] }
	}},
	{"unescapes ids", []string{"ids-syntax"}, func(l *lab) {
		l.key = strings.NewReplacer(`\\`, `\`, "''", "'").Replace
	}},
	{"keeps numbers as numbers", []string{"ids-syntax"}, func(l *lab) {
		l.key = func(id string) string {
			if f, err := strconv.ParseFloat(id, 64); err == nil {
				return strconv.FormatFloat(f, 'g', -1, 64)
			}
			return id
		}
	}},

	// Fields.
	{"keeps the caller's bytes", []string{"copies-in"}, func(l *lab) {
		l.write = func(r store.Record) store.Record {
			data := r.Data
			r = copied(r)
			r.Data = data
			return r
		}
	}},
	{"gives its own bytes away", []string{"copies-out", "list-copies-out"}, func(l *lab) {
		l.read = func(r store.Record) store.Record { return r }
	}},
	{"gives its own bytes away in lists", []string{"list-copies-out"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			p, err := l.list0(ctx, q)
			for i := range p.Records {
				p.Records[i], _ = l.get(p.Records[i].UserID)
			}
			return p, err
		}
	}},
	data("cuts data off at 4 KiB", func(b []byte) []byte { return b[:min(len(b), 4096)] }),
	data("keeps data as text", func(b []byte) []byte { return bytes.ToValidUTF8(b, []byte("?")) }),
	data("takes zeros at the end for padding", func(b []byte) []byte { return bytes.TrimRight(b, "\x00") }),
	data("ends data at the first zero", func(b []byte) []byte { b, _, _ = bytes.Cut(b, []byte{0}); return b }),
	data("trims data", bytes.TrimSpace),
	{"refuses no data", []string{"data"}, func(l *lab) {
		l.valid = func(r store.Record, prev int64) error {
			if r.Data == nil {
				return errors.New("null value in column data")
			}
			return store.ValidateSave(r, prev)
		}
	}},
	times("keeps seconds", func(t time.Time) time.Time { return t.Truncate(time.Second) }),
	times("keeps milliseconds", func(t time.Time) time.Time { return t.Truncate(time.Millisecond) }),
	times("returns local times", func(t time.Time) time.Time { return t.In(time.FixedZone("", 3600)) }),
	times("returns local times of a server in UTC", func(t time.Time) time.Time { return t.In(time.FixedZone("Local", 0)) }),
	times("drops the location", func(t time.Time) time.Time {
		t = t.In(time.FixedZone("", 3600))
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	}),
	times("keeps 64-bit nanoseconds", func(t time.Time) time.Time { return time.Unix(0, t.UnixNano()).UTC() }),
	times("keeps 32-bit seconds", func(t time.Time) time.Time {
		return time.Unix(int64(int32(t.Unix())), int64(t.Nanosecond())).UTC()
	}),
	times("takes the zero time for 1970", func(t time.Time) time.Time {
		if t.IsZero() {
			return time.Unix(0, 0).UTC()
		}
		return t
	}),
	times("takes 1970 for the zero time", func(t time.Time) time.Time {
		if t.Unix() == 0 && t.Nanosecond() == 0 {
			return time.Time{}
		}
		return t
	}),
	times("rounds towards zero before 1970", func(t time.Time) time.Time {
		if t.Unix() < 0 && t.Nanosecond() != 0 && !t.IsZero() {
			return t.Truncate(time.Second).Add(time.Second)
		}
		return t
	}),
	{"sets Updated itself", []string{"times", "create"}, func(l *lab) {
		l.write = func(r store.Record) store.Record { r = copied(r); r.Updated = time.Now().UTC(); return r }
	}},
	{"keeps an old Due", []string{"times", "list-due"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if old, _ := l.get(r.UserID); r.Due.IsZero() {
				r.Due = old.Due
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"keeps versions as 32-bit floats", []string{"versions"}, func(l *lab) {
		l.write = func(r store.Record) store.Record { r = copied(r); r.Version = int64(float32(r.Version)); return r }
	}},
	{"compares versions as 32-bit floats", []string{"versions"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if old, ok := l.get(r.UserID); ok && prev > 0 && prev <= store.MaxVersion && prev != r.Version && float32(old.Version) == float32(prev) {
				prev = old.Version
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"keeps versions in 32 bits", []string{"versions"}, func(l *lab) {
		l.write = func(r store.Record) store.Record { r = copied(r); r.Version = int64(int32(r.Version)); return r }
	}},
	{"compares versions in 32 bits", []string{"versions"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if old, ok := l.get(r.UserID); ok && prev > 0 && prev <= store.MaxVersion && prev != r.Version && int32(old.Version) == int32(prev) {
				prev = old.Version
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"knows on and off only", []string{"states"}, func(l *lab) {
		l.write = func(r store.Record) store.Record {
			if r = copied(r); r.State != store.Confirmed {
				r.State = store.None
			}
			return r
		}
	}},
	{"puts the row into its errors", []string{"errors-hold-no-data"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if err := l.save0(ctx, r, prev); err != nil {
				return fmt.Errorf("%w: failing row %+v", err, r)
			}
			return nil
		}
	}},

	// Contexts.
	{"ignores contexts", []string{"context-ended"}, func(l *lab) {
		l.ended = func(context.Context) error { return nil }
	}},
	{"ignores contexts in Save", []string{"context-ended"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			return l.save0(context.WithoutCancel(ctx), r, prev)
		}
	}},
	{"ignores contexts in Erase", []string{"context-ended"}, func(l *lab) {
		l.erase = func(ctx context.Context, userID string) error { return l.erase0(context.WithoutCancel(ctx), userID) }
	}},
	{"ignores contexts in List", []string{"context-ended"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			return l.list0(context.WithoutCancel(ctx), q)
		}
	}},
	{"any failure to load is not found", []string{"context-ended"}, func(l *lab) {
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			r, err := l.load0(ctx, userID)
			if err != nil && !errors.Is(err, store.ErrInvalid) {
				err = store.ErrNotFound
			}
			return r, err
		}
	}},
	{"returns the cause of a context", []string{"context-ended"}, func(l *lab) { l.ended = context.Cause }},
	{"returns the driver's word for it", []string{"context-ended"}, func(l *lab) {
		l.ended = func(ctx context.Context) error {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			return nil
		}
	}},
	{"wraps the context's error as text", []string{"context-ended"}, func(l *lab) {
		l.ended = func(ctx context.Context) error {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("saving: %v", err)
			}
			return nil
		}
	}},
	{"stops half-way when the context ends", []string{"context-ends"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			old, _ := l.get(r.UserID)
			if err := l.save0(ctx, r, prev); err != nil {
				return err
			}
			half := copied(r)
			half.Data = bytes.Clone(old.Data)
			l.put(half)
			pause()
			if err := ctx.Err(); err != nil {
				return err
			}
			l.put(r)
			return nil
		}
	}},
	{"gives up silently when the context ends", []string{"context-ends"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if err := l.ended(ctx); err != nil {
				return err
			}
			pause()
			if ctx.Err() != nil {
				return nil
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"a late end of the context is a conflict", []string{"context-ends"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if err := l.ended(ctx); err != nil {
				return err
			}
			pause()
			if ctx.Err() != nil {
				return store.ErrConflict
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"takes the end of the context for absence", []string{"context-ends-reading"}, func(l *lab) {
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			r, err := l.load0(ctx, userID)
			if pause(); err == nil && ctx.Err() != nil {
				return store.Record{}, store.ErrNotFound
			}
			return r, err
		}
	}},
	{"lists what it had when the context ended", []string{"context-ends-reading"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			page, err := l.list0(ctx, q)
			if pause(); err == nil && ctx.Err() != nil {
				return store.Page{}, nil
			}
			return page, err
		}
	}},
	{"gives up erasing silently", []string{"context-ends-reading"}, func(l *lab) {
		l.erase = func(ctx context.Context, userID string) error {
			if err := l.ended(ctx); err != nil {
				return err
			}
			if pause(); ctx.Err() != nil {
				return nil
			}
			return l.erase0(ctx, userID)
		}
	}},
	{"is broken once a context has ended", []string{"context-ends"}, func(l *lab) {
		var mu sync.Mutex
		broken := false
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			mu.Lock()
			defer mu.Unlock()
			pause()
			if broken && ctx.Err() == nil {
				return errors.New("the connection is in a failed transaction")
			}
			if err := ctx.Err(); err != nil {
				broken = true
				return err
			}
			return l.save0(ctx, r, prev)
		}
	}},

	// Listing.
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

	// Erasing.
	{"erasing nothing is an error", []string{"erase"}, func(l *lab) {
		l.erase = func(ctx context.Context, userID string) error {
			if _, ok := l.get(userID); !ok && l.id(userID) == nil {
				return store.ErrNotFound
			}
			return l.erase0(ctx, userID)
		}
	}},
	{"erases by prefix", []string{"erase"}, func(l *lab) {
		l.erase = func(ctx context.Context, userID string) error {
			err := l.erase0(ctx, userID)
			l.mu.Lock()
			defer l.mu.Unlock()
			for id := range l.rows {
				if err == nil && strings.HasPrefix(id, userID) {
					delete(l.rows, id)
				}
			}
			return err
		}
	}},
	{"erasing leaves the version", []string{"erase", "erase-then-stale-save"}, func(l *lab) {
		l.erase = func(ctx context.Context, userID string) error {
			if r, ok := l.get(userID); ok && l.ended(ctx) == nil {
				r.Data, r.State = nil, store.None
				l.put(r)
				return nil
			}
			return l.erase0(ctx, userID)
		}
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			r, err := l.load0(ctx, userID)
			if err == nil && r.Data == nil && r.State == store.None {
				return store.Record{}, store.ErrNotFound
			}
			return r, err
		}
	}},
	{"numbers versions anew after erasing", []string{"erase-recreate-stale-save"}, func(l *lab) {
		// The store compares a counter of its own that it begins again.
		count := make(map[string]int)
		seen := make(map[string]map[int64]int)
		var mu sync.Mutex
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			mu.Lock()
			defer mu.Unlock()
			old, ok := l.get(r.UserID)
			if n, known := seen[r.UserID][prev]; known && ok && prev != r.Version && n == count[r.UserID] {
				prev = old.Version
			}
			err := l.save0(ctx, r, prev)
			if err == nil {
				if seen[r.UserID] == nil {
					seen[r.UserID] = make(map[int64]int)
				}
				count[r.UserID]++
				seen[r.UserID][r.Version] = count[r.UserID]
			}
			return err
		}
		l.erase = func(ctx context.Context, userID string) error {
			mu.Lock()
			defer mu.Unlock()
			if err := l.erase0(ctx, userID); err != nil {
				return err
			}
			delete(count, userID)
			return nil
		}
	}},
	{"erasing does not wait for a replacement", []string{"race-erase"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if prev != 0 {
				return l.saveTorn(ctx, r, prev)
			}
			return l.save0(ctx, r, prev)
		}
	}},
}

// data is a store that keeps something else than the bytes it was given.
func data(name string, f func([]byte) []byte) fault {
	return fault{name, []string{"data"}, func(l *lab) {
		l.write = func(r store.Record) store.Record { r = copied(r); r.Data = f(r.Data); return r }
	}}
}

// times is a store that returns other times than it was given.
func times(name string, f func(time.Time) time.Time) fault {
	return fault{name, []string{"times"}, func(l *lab) {
		l.read = func(r store.Record) store.Record {
			r = copied(r)
			if !r.Due.IsZero() {
				r.Due = f(r.Due)
			}
			r.Updated = f(r.Updated)
			return r
		}
	}}
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

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}
