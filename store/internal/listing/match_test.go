package listing_test

import (
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store/internal/listing"
)

func TestRemaining(t *testing.T) {
	t.Parallel()
	ids := []string{"b", "a ", "c", "b", "a", "a"}
	given := slices.Clone(ids)
	for after, want := range map[string][]string{
		"":   {"a", "a ", "b", "c"},
		"a":  {"a ", "b", "c"},
		"aa": {"b", "c"},
		"b":  {"c"},
		"c":  {},
	} {
		if got := listing.Remaining(ids, after); !slices.Equal(got, want) {
			t.Errorf("after %q: %q, want %q", after, got, want)
		}
	}
	if !slices.Equal(ids, given) {
		t.Errorf("the ids are %q now", ids)
	}
}
