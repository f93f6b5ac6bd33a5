package enrollment

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// DryRun returns a Guard that decides like this one and changes nothing: it loads from
// the same store, and keeps to itself what it would save or erase. So each method
// returns what it would return, a second call sees what the first one decided, and the
// database does not change. Config.Notify and Config.Sender are not called, but count as
// having accepted everything. Config.Logger and Config.Observe are not called either.
//
// It is for programs of operators, with a [Directory] made from it for what works on
// many accounts. Do not give it codes that users have typed: a right one stays unused, and
// a wrong one is not counted. Tokens, tickets and codes that a dry run makes are void: no
// other Guard accepts them. [Admin.Export] and [Guard.RecoveryCodes] return an error, because
// what they reveal would be real, and nobody would be told. [Guard.SetupCodes],
// [Guard.RenewalCodes] and [Guard.NewCode] show only codes that the dry run has made. A dry
// run remembers the 64 accounts that it has changed last, in memory.
func (g *Guard) DryRun() *Guard {
	if g.check() != nil {
		return &Guard{}
	}
	dry := *g
	dry.store = newRehearsal(g.store)
	dry.hints = new(clockHints)
	dry.dry = rand.Text()
	if dry.config.Sender != nil {
		dry.config.Sender = nowhere{}
	}
	dry.config.Logger = slog.New(slog.DiscardHandler)
	dry.config.Observe = func(Observation) {}
	if dry.config.Notify != nil {
		dry.config.Notify = func(context.Context, Event) error { return nil }
	}
	return &dry
}

// reveals returns an error in a dry run: what is revealed there is real, and nobody is told.
func (g *Guard) reveals() error {
	if g.dry != "" {
		return errors.New("enrollment: a dry run reveals no secrets and no codes")
	}
	return nil
}

// nowhere takes every message.
type nowhere struct{}

// Send implements Sender.
func (nowhere) Send(context.Context, Message) error { return nil }

// rehearsed is how many records a rehearsal keeps.
const rehearsed = 64

// A rehearsal is a store that writes nothing to the store behind it.
type rehearsal struct {
	behind store.Store

	mu      sync.Mutex
	records map[string]store.Record // the zero Record of one that was erased
	order   []string                // the users in records, the one that changed last at the end
}

// newRehearsal returns a rehearsal that can erase if the store behind it can.
func newRehearsal(behind store.Store) store.Store {
	r := &rehearsal{behind: behind, records: make(map[string]store.Record)}
	if _, ok := behind.(store.Eraser); ok {
		return rehearsingEraser{r}
	}
	return r
}

// Load implements store.Store.
func (r *rehearsal) Load(ctx context.Context, userID string) (store.Record, error) {
	r.mu.Lock()
	rec, ok := r.records[userID]
	r.mu.Unlock()
	switch {
	case !ok:
		return r.behind.Load(ctx, userID)
	case rec.Version == 0:
		return rec, store.ErrNotFound
	}
	rec.Data = append([]byte(nil), rec.Data...)
	return rec, nil
}

// Save implements store.Store.
func (r *rehearsal) Save(ctx context.Context, rec store.Record, prev int64) error {
	if err := store.ValidateSave(rec, prev); err != nil {
		return err
	}
	now, err := r.Load(ctx, rec.UserID)
	if errors.Is(err, store.ErrNotFound) {
		now, err = store.Record{}, nil
	}
	if err != nil {
		return err
	}
	rec.Data = append([]byte(nil), rec.Data...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if kept, ok := r.records[rec.UserID]; ok {
		now = kept // somebody else may have saved it meanwhile
	}
	if now.Version != prev {
		return store.ErrConflict
	}
	r.keep(rec.UserID, rec)
	return nil
}

// keep keeps the record. The caller has the lock.
func (r *rehearsal) keep(userID string, rec store.Record) {
	if i := slices.Index(r.order, userID); i >= 0 {
		r.order = slices.Delete(r.order, i, i+1)
	}
	r.order = append(r.order, userID)
	r.records[userID] = rec
	if len(r.order) > rehearsed {
		delete(r.records, r.order[0])
		r.order = r.order[1:]
	}
}

type rehearsingEraser struct{ *rehearsal }

// Erase implements store.Eraser.
func (r rehearsingEraser) Erase(_ context.Context, userID string) error {
	if err := store.ValidateUserID(userID); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(userID, store.Record{})
	return nil
}
