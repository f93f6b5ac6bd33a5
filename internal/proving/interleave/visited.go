package interleave

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// A moment is all that the rest of a schedule depends on: what is stored, what each process
// knows and the owners were told, and whether a call can still fail. What a store has in
// memory besides its records is no part of it.
type moment [sha256.Size]byte

// visited are the moments that were walked on from, each with the steps that slept there.
type visited map[moment][][]step

// before reports whether all that can come of a moment was walked before: no step slept
// there then that is awake now. From now on, it was.
func (v visited) before(m moment, asleep []step) bool {
	for _, slept := range v[m] {
		if !slices.ContainsFunc(slept, func(s step) bool { return !slices.Contains(asleep, s) }) {
			return true
		}
	}
	v[m] = append(v[m], asleep)
	return false
}

// moment returns the present one.
func (r *rig) moment(faults bool) moment {
	r.t.Helper()
	h := sha256.New()
	for _, p := range r.processes {
		fmt.Fprintf(h, "%q\n", p.knows)
	}
	users := maps.Clone(r.behind.written)
	for user := range r.start {
		users[user] = true
	}
	for _, user := range slices.Sorted(maps.Keys(users)) {
		fmt.Fprintf(h, "%q %s\n", user, r.shows(r.judge.record(user)))
	}
	fmt.Fprint(h, r.told, faults)
	return moment(h.Sum(nil))
}

// shows returns all that is in a record, with what is sealed in place of the seal, which
// is different each time.
func (r *rig) shows(rec store.Record) string {
	if rec.Version == 0 {
		return "nothing"
	}
	sealed, known := r.sealed[string(rec.Data)]
	if !known {
		sealed = sha256.Sum256(fmt.Append(nil, r.judge.key(rec), r.judge.sealed(rec.UserID, rec)))
		r.sealed[string(rec.Data)] = sealed
	}
	return fmt.Sprintf("%q %d %v %v %v %x", rec.UserID, rec.Version, rec.State, rec.Due.UnixMicro(), rec.Updated.UnixMicro(), sealed)
}
