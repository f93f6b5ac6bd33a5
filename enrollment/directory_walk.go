package enrollment

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// walkEvery is how often Sweep walks over all accounts.
const walkEvery = 24 * time.Hour

// A walk is how far a Directory has come in looking at all accounts. It lives in
// memory: a process that starts begins anew.
type walk struct {
	mu     sync.Mutex
	busy   bool      // some Sweep is at it
	begun  time.Time // the walk that goes on, or else the last one
	cursor string    // where to go on; "" if that walk is over
}

// begin returns where to go on. It reports false if no walk is due, or if
// another Sweep is at it.
func (w *walk) begin(now time.Time) (cursor string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if age := now.Sub(w.begun); w.busy || w.cursor == "" && age >= 0 && age < walkEvery {
		return "", false
	}
	if w.cursor == "" {
		w.begun = now
	}
	w.busy = true
	return w.cursor, true
}

// end says where the next Sweep goes on if the walk is not over.
func (w *walk) end(cursor string, over bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy, w.cursor = false, cursor
	if cursor == "" && !over {
		w.begun = time.Time{}
	}
}

// text is what ResumeWalk reads.
func (w *walk) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun.IsZero() {
		return ""
	}
	return strconv.FormatInt(w.begun.Unix(), 10) + "," + w.cursor
}

// ResumeWalk has Sweep go on with the walk over all accounts that another
// Directory has begun: walk is Swept.Walk of its last Sweep. It is for programs
// that end after each Sweep, such as one that cron starts. Without it each of
// them walks over all accounts. Call it before the first Sweep.
//
// The text holds no secret. Do not keep it in the database whose accounts are
// walked over: whoever can write there could put the walk off. A text that
// another version has written, or none at all, begins a new walk.
func (d *Directory) ResumeWalk(walk string) {
	seconds, cursor, ok := strings.Cut(walk, ",")
	begun, err := strconv.ParseInt(seconds, 10, 64)
	d.walk.mu.Lock()
	defer d.walk.mu.Unlock()
	d.walk.begun, d.walk.cursor = time.Time{}, ""
	if ok && err == nil {
		d.walk.begun, d.walk.cursor = time.Unix(begun, 0), cursor
	}
}

// walkAll looks at the accounts that are not due by what the store says, and
// sweeps those that are by what is sealed.
func (d *Directory) walkAll(ctx context.Context, now time.Time, done *Swept) error {
	cursor, ok := d.walk.begin(now)
	if !ok {
		return nil
	}
	over := false
	defer func() { d.walk.end(cursor, over) }()
	for page, err := range d.pages(ctx, store.Query{Limit: listPage, Cursor: cursor}) {
		if errors.Is(err, store.ErrInvalid) {
			cursor = "" // the store does not take it any more
		}
		if err != nil {
			return err
		}
		for _, rec := range page.Records {
			wrong := d.misfiled(ctx, rec, now)
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("enrollment: sweeping: %w", err)
			}
			if done.Walked++; wrong {
				d.sweep(ctx, rec.UserID, done)
			}
		}
		cursor = page.Next
	}
	over = true
	return nil
}

// misfiled reports whether a listed record can't be opened, or is due at another
// time than the store says. Those that are due by the store have been swept.
func (d *Directory) misfiled(ctx context.Context, rec store.Record, now time.Time) bool {
	if !rec.Due.IsZero() && !rec.Due.After(now) {
		return false
	}
	b := &base{record: rec, found: true}
	err := d.guard.open(ctx, rec.UserID, b)
	if err == nil {
		_, err = b.account(account.Moment{})
	}
	return err != nil || b.misfiled
}
