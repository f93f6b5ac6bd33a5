package listing

import (
	"slices"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// Matches reports whether the record meets the conditions of the query other than
// UserIDs.
func Matches(q store.Query, r store.Record) bool {
	if len(q.States) > 0 && !slices.Contains(q.States, r.State) {
		return false
	}
	return q.DueBy.IsZero() || !r.Due.IsZero() && !r.Due.After(q.DueBy)
}

// Remaining returns the user ids after that one, each once and in order. It leaves ids as
// they are.
func Remaining(ids []string, after string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	i, _ := slices.BinarySearch(ids, after+"\x00") // no id is between the two
	return ids[i:]
}
