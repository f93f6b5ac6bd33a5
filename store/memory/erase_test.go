package memory

import (
	"fmt"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// TestEraseLeavesNothing looks for what a store keeps of users it forgot.
func TestEraseLeavesNothing(t *testing.T) {
	t.Parallel()
	s := New()
	for i := range 1000 {
		id := fmt.Sprint(i)
		if err := s.Save(t.Context(), store.Record{UserID: id, Version: 1, State: store.None}, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.List(t.Context(), store.Query{}); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if err := s.Erase(t.Context(), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.records) != 0 || len(s.order) != 0 {
		t.Errorf("%d records and %d ids are left, want none", len(s.records), len(s.order))
	}
}
