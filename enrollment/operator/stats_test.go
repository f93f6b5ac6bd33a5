package operator_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/operator"
	"github.com/seed-1b6a03a1/twofactor/store"
)

func TestStats(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	alice := c.Enroll("alice")
	c.Enroll("bob")
	c.Must(c.Guard.Admin("root", "x").Bypass(t.Context(), "bob", c.Now().Add(time.Hour)))
	c.Begin("carol", enrollment.BeginOptions{})
	c.Keys.Ring = c.Rotate("second")
	c.Enroll("dora")
	c.lock(alice)
	c.Damage("carol")
	object := c.json(operator.ExitSome, "stats")[0]
	for key, want := range map[string]string{
		"accounts": "3", "states": "map[confirmed:3]", "keys": "map[first:1 second:2]", "locks": "map[totp:1]", "bypasses": "1", "unreadable": "1",
		"due": "0", "no_codes": "0", "resets": "0", "moved": "0",
	} {
		if got := fmt.Sprint(object[key]); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	out, errs := c.run(operator.ExitSome, "stats")
	c.contains(out, "accounts: 3", "state confirmed: 3", "sealed by key first: 1", "locked totp: 1", "can't be opened: 1")
	c.contains(errs, "unreadable")
}

// A crowd lists one record under many ids, without holding them. None of them opens.
type crowd struct {
	record store.Record
	size   int
	most   *uint64 // memory in use at the most
}

func (c crowd) List(_ context.Context, q store.Query) (page store.Page, _ error) {
	at := 0
	if q.Cursor != "" {
		fmt.Sscan(q.Cursor, &at)
	}
	for range min(q.Limit, c.size-at) {
		rec := c.record
		rec.UserID = fmt.Sprintf("user-%09d", at)
		rec.Data = append([]byte(nil), rec.Data...)
		page.Records = append(page.Records, rec)
		at++
	}
	if at < c.size {
		page.Next = fmt.Sprint(at)
	}
	if at%50_000 == 0 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		*c.most = max(*c.most, m.HeapAlloc)
	}
	return page, nil
}

// However many accounts there are, readable or not, counting them takes the same
// memory.
func TestStatsInConstantMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("so many accounts take some seconds")
	}
	c := newConsole(t)
	c.Enroll("alice")
	used := func(size int) (most uint64) {
		for _, args := range [][]string{{"stats"}, {"unreadable", "-erase", "-yes", "7", "-reason", "x"}} {
			operator.Run(t.Context(), args, operator.Options{
				Guard: c.Guard, Lister: crowd{c.Record("alice"), size, &most}, Actor: "ops", Now: c.Now, Stdout: io.Discard, Stderr: io.Discard,
			})
		}
		return most
	}
	few, many := used(50_000), used(250_000)
	t.Logf("%d KiB for 50,000 accounts, %d KiB for 250,000", few>>10, many>>10)
	if many > few+4<<20 {
		t.Errorf("%d bytes for 250,000 accounts, and %d for 50,000", many, few)
	}
}
