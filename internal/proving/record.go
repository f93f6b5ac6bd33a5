package proving

import (
	"bytes"
	"errors"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// Record returns what the store holds of the user. There has to be something.
func (k *Kit) Record(user string) store.Record {
	k.t.Helper()
	rec, err := k.Store.Straight.Load(k.t.Context(), user)
	k.Must(err)
	return rec
}

// Unchanged fails the test if f writes the user's record.
func (k *Kit) Unchanged(user string, f func()) {
	k.t.Helper()
	before, errBefore := k.Store.Straight.Load(k.t.Context(), user)
	f()
	after, errAfter := k.Store.Straight.Load(k.t.Context(), user)
	for _, err := range []error{errBefore, errAfter} {
		if !errors.Is(err, store.ErrNotFound) {
			k.Must(err)
		}
	}
	if errors.Is(errBefore, store.ErrNotFound) != errors.Is(errAfter, store.ErrNotFound) ||
		before.Version != after.Version || !bytes.Equal(before.Data, after.Data) {
		k.t.Errorf("the record of %s has changed", user)
	}
}

// Untouched is Unchanged of all of them.
func (k *Kit) Untouched(f func(), users ...string) {
	k.t.Helper()
	for _, user := range users {
		inner := f
		f = func() { k.t.Helper(); k.Unchanged(user, inner) }
	}
	f()
}

// Damage flips a bit of what is stored for the users.
func (k *Kit) Damage(users ...string) {
	k.t.Helper()
	for _, user := range users {
		rec := k.Record(user)
		rec.Data[len(rec.Data)/2] ^= 1
		prev := rec.Version
		rec.Version++
		if err := k.Store.Straight.Save(k.t.Context(), rec, prev); err != nil {
			k.t.Fatal(err)
		}
	}
}
