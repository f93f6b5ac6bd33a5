package enrollment

import (
	"context"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// Open is what an application calls when it starts: it makes a Guard and its Directory,
// prepares the store, and checks the keys.
//
//	guard, directory, err := enrollment.Open(ctx, accounts, keys, enrollment.Config{Issuer: "Acme"})
//	if err != nil {
//		return err
//	}
//	go directory.SweepEvery(ctx, 5*time.Minute)
//
// Open calls [New] and [NewDirectory]. Then it calls Migrate if the store has a method
// Migrate(context.Context) error, which creates what is missing in the database, or else
// Check if the store has Check(context.Context) error, which looks at its settings. Last, it
// calls [Directory.CheckKeys]. An error of the store or of CheckKeys, such as [ErrWrongKeys],
// is wrapped, and its text says which step failed. Then Open returns no Guard, and the
// application must not start. Open starts no goroutine.
//
// On an up-to-date database, Migrate of package sqlstore needs no more rights than Check. So
// an application that creates its tables itself, with Schema of that package, can call Open
// as a role that may not create tables. Such a role is safer: with the wrong database, Open
// then fails. With that right, it creates an empty table there, in which no user has a second
// factor.
//
// Call New, NewDirectory, Check and CheckKeys yourself if a step does not suit you, for
// example with a Redis service that does not tell its settings.
func Open(ctx context.Context, accounts interface {
	store.Store
	store.Lister
}, sealer Sealer, config Config) (*Guard, *Directory, error) {
	guard, err := New(accounts, sealer, config)
	if err != nil {
		return nil, nil, err
	}
	directory, err := NewDirectory(guard, accounts)
	if err != nil {
		return nil, nil, err
	}
	switch s := accounts.(type) {
	case interface{ Migrate(context.Context) error }:
		if err := s.Migrate(ctx); err != nil {
			return nil, nil, fmt.Errorf("enrollment: migrating the store: %w", err)
		}
	case interface{ Check(context.Context) error }:
		if err := s.Check(ctx); err != nil {
			return nil, nil, fmt.Errorf("enrollment: checking the store: %w", err)
		}
	}
	if err := directory.CheckKeys(ctx); err != nil {
		return nil, nil, fmt.Errorf("enrollment: checking the keys: %w", err)
	}
	return guard, directory, nil
}
