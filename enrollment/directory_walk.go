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

const (
	// walkEvery is how often Sweep walks over all accounts.
	walkEvery = 24 * time.Hour

	// walkPause is how long a walk goes on before Sweep does what has become due meanwhile.
	walkPause = time.Minute
)

// A walk is how far a Directory has come in looking at all accounts. It is in
// memory only: a new process starts again.
type walk struct {
	mu     sync.Mutex
	busy   bool      // a Sweep is walking
	begun  time.Time // when the present walk began, or else the last one
	cursor string    // where to continue; "" if that walk is over
}

// begin returns where to continue. It reports false if no walk is due, or if
// another Sweep is walking.
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

// end stores where the next Sweep continues if the walk is not over.
func (w *walk) end(cursor string, over bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy, w.cursor = false, cursor
	if cursor == "" && !over {
		w.begun = time.Time{}
	}
}

// text returns what ResumeWalk reads.
func (w *walk) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun.IsZero() {
		return ""
	}
	return strconv.FormatInt(w.begun.Unix(), 10) + "," + w.cursor
}

// ResumeWalk makes Sweep continue the walk over all accounts that another Directory
// has begun. The argument is Swept.Walk of that Directory's last Sweep. It is for
// programs that end after each Sweep, such as one that cron starts. Without it,
// each of them walks over all accounts. Call it before the first Sweep.
//
// The text holds no secret. Do not keep it in the database of the accounts: an
// attacker who can write there could postpone the walk. An empty text, or one from
// another version, starts a new walk.
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

// walkAll looks at the accounts that are not due according to the store. It sweeps
// those that are due according to their sealed data, and those that become due by what the
// store says: with very many accounts, a walk takes hours.
func (d *Directory) walkAll(ctx context.Context, now time.Time, done *Swept) error {
	cursor, ok := d.walk.begin(now)
	if !ok {
		return nil
	}
	over, paused := false, now
	defer func() { d.walk.end(cursor, over) }()
	for page, err := range d.pages(ctx, store.Query{Limit: listPage, Cursor: cursor}) {
		if errors.Is(err, store.ErrInvalid) {
			cursor = "" // the store no longer accepts it
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
		if later := d.guard.Now(); cursor != "" && later.Sub(paused) >= walkPause {
			if err := d.sweepDue(ctx, now, later, done); err != nil {
				return err
			}
			now, paused = later, d.guard.Now() // the walk gets its time, however long that took
		}
	}
	over = true
	return nil
}

// misfiled reports whether a listed record can't be opened, or has another Due than
// the store says. It skips records that are due according to the store: those have
// been swept.
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
