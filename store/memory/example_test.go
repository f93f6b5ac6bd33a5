package memory_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

func Example() {
	ctx := context.Background()
	s := memory.New()

	alice := store.Record{
		UserID:  "alice",
		Version: 1,
		State:   store.Pending,
		Updated: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Data:    []byte("sealed"),
	}
	fmt.Println("create:", s.Save(ctx, alice, 0))

	// Two sessions loaded version 1, and both want to replace it.
	first, second := alice, alice
	first.Version, first.State = 2, store.Confirmed
	second.Version, second.State = 3, store.None
	fmt.Println("first:", s.Save(ctx, first, 1))
	fmt.Println("second:", s.Save(ctx, second, 1))

	r, err := s.Load(ctx, "alice")
	fmt.Println(r.State, r.Version, err)
	_, err = s.Load(ctx, "Alice")
	fmt.Println(errors.Is(err, store.ErrNotFound))
	// Output:
	// create: <nil>
	// first: <nil>
	// second: store: version conflict
	// confirmed 2 <nil>
	// true
}
