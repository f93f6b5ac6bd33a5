package listing

import "github.com/seed-1b6a03a1/twofactor/store"

// Row returns what a List has of a row: the record, or, after an error of reading it, a
// Record with only its UserID. It reports false for a user id that no user can have: no
// cursor stands behind it.
func Row(r store.Record, err error) (store.Record, bool) {
	if err != nil {
		r = store.Record{UserID: r.UserID}
	}
	return r, store.ValidateUserID(r.UserID) == nil
}
