package store_test

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// A background sweep walks all records that are due, page by page.
func ExampleLister() {
	ctx := context.Background()
	s := memory.New()
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for i, id := range []string{"carol", "alice", "bob"} {
		r := store.Record{UserID: id, Version: 1, State: store.Confirmed, Due: now.Add(time.Duration(i-1) * time.Hour)}
		if err := s.Save(ctx, r, 0); err != nil {
			fmt.Println(err)
		}
	}

	query := store.Query{DueBy: now, Limit: 1}
	for {
		page, err := s.List(ctx, query)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, r := range page.Records {
			fmt.Println(r.UserID, "is due since", r.Due.Format(time.TimeOnly))
		}
		if query.Cursor = page.Next; query.Cursor == "" {
			break
		}
	}
	// Output:
	// alice is due since 12:00:00
	// carol is due since 11:00:00
}
