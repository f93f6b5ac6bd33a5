package interleave

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// A judge describes what a schedule has left behind: what the account shows, what
// it lets in, how many guesses it leaves, and what its owner was told.
type judge struct {
	rig     *rig
	copy    *memory.Store
	keys    *proving.Keys
	guard   *enrollment.Guard     // over the copy
	sweeper *enrollment.Directory // over the store itself, a while later

	known *notes
}

// notes are descriptions, by what they follow from. The judges of a state share them.
type notes struct {
	mu  sync.Mutex
	all map[string]string
}

func newNotes() *notes { return &notes{all: make(map[string]string)} }

func (n *notes) read(from string) (state string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	state, ok = n.all[from]
	return state, ok
}

func (n *notes) write(from, state string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all[from] = state
}

func newJudge(r *rig, known *notes) *judge {
	r.t.Helper()
	j := &judge{rig: r, copy: memory.New(), keys: &proving.Keys{Ring: r.Keys.Ring}, known: known}
	j.guard = r.NodeOver(j.copy, j.keys, func(c *enrollment.Config) { c.Notify = nil })
	later := r.Now().Add(2 * time.Minute) // the lease of every event is over
	g := r.NodeOver(r.Store.Straight, r.Keys, func(c *enrollment.Config) {
		c.Now = func() time.Time { return later }
		c.Notify = func(_ context.Context, e enrollment.Event) error { return r.tell(e) }
	})
	j.sweeper = r.DirectoryOf(g, r.Store.Straight)
	return j
}

// state describes the account and its owner's mail. Both follow from what is
// sealed in the record and from what was told, so each is described once.
func (j *judge) state() string {
	j.rig.t.Helper()
	var sealed string
	j.keys.Opened = func(_, plaintext []byte) []byte { sealed = string(plaintext); return plaintext }
	lines := []string{j.status()}
	j.keys.Opened = nil
	from := fmt.Sprint(sealed, j.record().State, j.record().Due, j.rig.told)
	if state, ok := j.known.read(from); ok {
		return state
	}
	for _, try := range j.rig.scene.probes {
		j.refresh()
		lines = append(lines, try(j.rig.t.Context(), j.rig.State, node{j.guard, j.copy}))
	}
	j.refresh()
	lines = append(lines, j.guesses(), j.mail())
	state := strings.Join(lines, "\n")
	j.known.write(from, state)
	return state
}

// record is what the store holds of the user; the zero Record if it holds nothing.
func (j *judge) record() store.Record {
	j.rig.t.Helper()
	rec, err := j.rig.Store.Straight.Load(j.rig.t.Context(), states.User)
	if !errors.Is(err, store.ErrNotFound) {
		j.rig.Must(err)
	}
	return rec
}

// refresh makes the copy what the store holds.
func (j *judge) refresh() {
	j.rig.t.Helper()
	if rec := j.record(); rec.Version != 0 {
		fill(j.rig.t, j.copy, rec)
	} else {
		fill(j.rig.t, j.copy)
	}
}

// guesses counts how many wrong codes of each kind are evaluated before a lock.
func (j *judge) guesses() string {
	var counts []string
	for _, wrong := range []string{j.rig.Wrong(), j.rig.Unknown()} {
		n, err := 0, error(nil)
		for ; n < 10; n++ {
			if _, err = j.guard.Verify(j.rig.t.Context(), states.User, "x", wrong); proving.ReasonOf(err) != enrollment.ReasonWrongCode {
				break
			}
		}
		counts = append(counts, fmt.Sprintf("%d wrong codes, then %s", n, proving.ReasonOf(err)))
	}
	return strings.Join(counts, "; ")
}

// status is what the owner sees, but for what is drawn at random.
func (j *judge) status() string {
	j.rig.t.Helper()
	j.refresh()
	s, err := j.guard.Status(j.rig.t.Context(), states.User)
	j.rig.Must(err)
	s.Stamp = ""
	for i := range s.Authenticators {
		s.Authenticators[i].ID = ""
	}
	for i := range s.History {
		s.History[i].ID = ""
	}
	text, err := json.Marshal(s)
	j.rig.Must(err)
	return string(text)
}

// mail delivers what is left to be told, and lists what was told in all.
func (j *judge) mail() string {
	j.rig.t.Helper()
	swept, err := j.sweeper.Sweep(j.rig.t.Context())
	if err != nil || swept.Failed.Total != 0 {
		j.rig.t.Fatalf("%v, failed %+v", err, swept.Failed)
	}
	var kinds []string
	for _, k := range j.rig.told {
		// An erasure is no single write. Two at once may each tell of it.
		if k != enrollment.EventErased || !slices.Contains(kinds, string(k)) {
			kinds = append(kinds, string(k))
		}
	}
	slices.Sort(kinds)
	return "told of " + strings.Join(kinds, ", ")
}
