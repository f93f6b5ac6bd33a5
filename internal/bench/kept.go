package bench

import (
	"context"
	"sync"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// KeptSignIns is SignIns, with the record that SignIn loads kept in memory for Answer.
// The library does not do that; it is how much it could gain at the most.
func (c *Crew) KeptSignIns(ids []string) (*Load, error) {
	s := &keeping{Store: c.accounts, kept: make(map[string]store.Record)}
	g, err := enrollment.New(s, c.population.ring, c.population.config(recovery.Argon2id))
	if err != nil {
		return nil, err
	}
	return c.signIns("the record kept between the two", g, ids), nil
}

// A keeping store returns what it has loaded once more at the next Load, and saves one
// call of the store behind it. It is no store for anything else than measuring: what it
// has kept may be stale.
type keeping struct {
	store.Store

	mu   sync.Mutex
	kept map[string]store.Record
}

// Load implements store.Store.
func (k *keeping) Load(ctx context.Context, userID string) (store.Record, error) {
	k.mu.Lock()
	r, ok := k.kept[userID]
	delete(k.kept, userID)
	k.mu.Unlock()
	if ok {
		return r, nil
	}
	r, err := k.Store.Load(ctx, userID)
	if err != nil {
		return r, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept[userID] = r
	r.Data = append([]byte(nil), r.Data...)
	return r, nil
}
