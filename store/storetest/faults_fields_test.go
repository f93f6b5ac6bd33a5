package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// idFaults are faults of ids.
var idFaults = []fault{
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
}

// fieldFaults are faults of the fields of a record.
var fieldFaults = []fault{
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

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}
