package proving

import (
	"context"
	"iter"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Crumbs has a store list one record at a time, with an empty page before each.
func Crumbs(s *Store) {
	s.Before(List, func(_ context.Context, c *Call) {
		cursor, ready := strings.CutPrefix(c.Query.Cursor, "full ")
		if !ready {
			c.Answered, c.Page = true, store.Page{Next: "full " + c.Query.Cursor}
			return
		}
		c.Query.Cursor, c.Query.Limit = cursor, 1
	})
}

// Listed ranges over a sequence, and returns the members that were read, the
// users that could not be, and the error that ended it.
func Listed(seq iter.Seq2[enrollment.Member, error]) (read []enrollment.Member, bad map[string]error, end error) {
	bad = make(map[string]error)
	for m, err := range seq {
		switch {
		case end != nil:
			panic("the sequence goes on behind its end")
		case err == nil:
			read = append(read, m)
		case m.UserID != "":
			bad[m.UserID] = err
		default:
			end = err
		}
	}
	return read, bad, end
}

// IDsOf returns the users' ids.
func IDsOf(members []enrollment.Member) []string {
	ids := []string{}
	for _, m := range members {
		ids = append(ids, m.UserID)
	}
	return ids
}
