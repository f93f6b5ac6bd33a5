package interleave

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// A moment is a hash of all that the rest of a schedule depends on: what is stored and what
// is on its way there, what each process knows, what the owners were told, and whether a
// call can still fail. What a store or a Guard has in memory is no part of it, and may decide
// nothing.
//
// Each moment is walked on from only once. A schedule that comes to one again ends there: the
// walk goes depth first, and no schedule comes to one moment twice, so all that follows was
// walked. That holds for the steps that slept there, too: they were taken at an earlier
// moment, and what follows them was walked from there.
type moment [sha256.Size]byte

// moment returns the present one.
func (r *rig) moment(faults bool) moment {
	r.t.Helper()
	h := sha256.New()
	for _, p := range r.processes {
		fmt.Fprintf(h, "%q\n", p.knows)
		if p.late != nil {
			fmt.Fprintf(h, "late: %s, over version %d\n", r.shows(p.late.saves), p.late.prev)
		}
	}
	stored := r.behind.now(r.t).stored
	for _, user := range slices.Sorted(maps.Keys(stored)) {
		fmt.Fprintf(h, "%q %s\n", user, r.shows(stored[user]))
	}
	fmt.Fprint(h, r.told, faults)
	return moment(h.Sum(nil))
}

// shows returns all of a record. In place of its Data, which are sealed differently each
// time, it has what they hold.
func (r *rig) shows(rec store.Record) string {
	if rec.Version == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%q %d %v %v %v %x", rec.UserID, rec.Version, rec.State, rec.Due.UnixMicro(), rec.Updated.UnixMicro(), r.plain(rec))
}

// plain returns a hash of what the Data of a record hold, and of the id of their key.
func (r *rig) plain(rec store.Record) [sha256.Size]byte {
	if rec.Version == 0 {
		return [sha256.Size]byte{}
	}
	sealed := rec.UserID + "\x00" + string(rec.Data)
	plain, known := r.opened[sealed]
	if !known {
		plain = sha256.Sum256(fmt.Append(nil, r.judge.key(rec), r.judge.plain(rec.UserID, rec)))
		r.opened[sealed] = plain
	}
	return plain
}
