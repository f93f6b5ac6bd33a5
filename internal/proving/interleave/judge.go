package interleave

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
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
	all map[string]description
}

// A description is what the accounts are.
type description struct {
	text string
	open map[string]int // how many user ids let in what can be used once, by what that is
}

// after is a description with an earlier one in front.
func (d description) after(before description) description {
	d.text = before.text + "\nthen " + d.text
	for what, n := range before.open {
		d.open[what] = max(d.open[what], n)
	}
	return d
}

func newNotes() *notes { return &notes{all: make(map[string]description)} }

func (n *notes) read(from string) (d description, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	d, ok = n.all[from]
	d.open = maps.Clone(d.open)
	return d, ok
}

func (n *notes) write(from string, d description) {
	n.mu.Lock()
	defer n.mu.Unlock()
	d.open = maps.Clone(d.open)
	n.all[from] = d
}

func newJudge(r *rig, known *notes) *judge {
	r.t.Helper()
	j := &judge{rig: r, copy: memory.New(), keys: &proving.Keys{Ring: r.Keys.Ring}, known: known}
	j.guard = r.NodeOver(j.copy, j.keys, func(c *enrollment.Config) { c.Notify = nil })
	later := r.Now().Add(2 * time.Minute) // the lease of every event is over
	g := r.NodeOver(r.behind, r.Keys, func(c *enrollment.Config) {
		c.Now = func() time.Time { return later }
		c.Notify = func(_ context.Context, e enrollment.Event) error { return r.tell(e) }
	})
	j.sweeper = r.DirectoryOf(g, r.behind)
	return j
}

// describe describes the accounts, and what their owners were told. Both follow from what
// is sealed in the records and from what was told, so each is described once. With mail,
// what is left to be told is delivered first.
func (j *judge) describe(mail bool) description {
	j.rig.t.Helper()
	d := description{open: make(map[string]int)}
	from := fmt.Sprint(mail, j.rig.told)
	var records []store.Record
	for _, user := range j.rig.scene.judged() {
		rec := load(j.rig.t, j.rig.behind.Full, user)
		from += fmt.Sprintf("%s %x %v %v\n", user, j.rig.plain(rec), rec.State, rec.Due)
		records = append(records, rec)
	}
	if known, ok := j.known.read(from); ok {
		return known
	}
	for i, user := range j.rig.scene.judged() {
		d.text += user + ": " + j.status(user, records[i]) + "\n"
	}
	for i, user := range j.rig.scene.judged() {
		d.text += j.try(user, records[i], d.open) + "\n"
	}
	if mail {
		d.text += j.mail()
	}
	j.known.write(from, d)
	return d
}

// try tries what the scene tries. It counts in open what lets in.
func (j *judge) try(user string, rec store.Record, open map[string]int) string {
	j.rig.t.Helper()
	n := node{j.guard, j.copy, user}
	lines := []string{user + ": "}
	// Of several accounts, a node with the old key may seal one again that Reseal is past.
	if len(j.rig.scene.judged()) == 1 {
		lines[0] += j.key(rec)
	}
	for _, try := range j.rig.scene.probes {
		j.refresh(user, rec)
		lines = append(lines, try(j.rig.t.Context(), j.rig.State, n))
	}
	j.refresh(user, rec)
	lines = append(lines, j.guesses(user))
	for _, op := range j.spending() {
		j.refresh(user, rec)
		if _, err := op.run(j.rig.t.Context(), j.rig.State, n); err == nil {
			open[op.spends]++
		}
	}
	return strings.Join(lines, "\n")
}

// spending are operations that use what can be used once over several user ids.
func (j *judge) spending() []operation {
	switch {
	case len(j.rig.scene.judged()) == 1:
		return nil
	case len(j.rig.Codes) == 0:
		return []operation{verifyApp}
	}
	return []operation{verifyApp, verifyRecovery}
}

// key is the id of the key that seals the record, during a rollout.
func (j *judge) key(rec store.Record) string {
	if !j.rig.scene.rollout || rec.Version == 0 {
		return ""
	}
	id, err := j.keys.KeyID(rec.Data)
	if err != nil {
		return err.Error()
	}
	return "sealed under the key " + id
}

// refresh makes the copy what the store holds of a user.
func (j *judge) refresh(user string, rec store.Record) {
	j.rig.t.Helper()
	put(j.rig.t, j.copy, user, rec)
}

// guesses counts how many wrong codes of each kind are evaluated before a lock.
func (j *judge) guesses(user string) string {
	var counts []string
	for _, wrong := range []string{j.rig.Wrong(), j.rig.Unknown()} {
		n, err := 0, error(nil)
		for ; n < 10; n++ {
			if _, err = j.guard.Verify(j.rig.t.Context(), user, "x", wrong); proving.ReasonOf(err) != enrollment.ReasonWrongCode {
				break
			}
		}
		counts = append(counts, fmt.Sprintf("%d wrong codes, then %s", n, proving.ReasonOf(err)))
	}
	return strings.Join(counts, "; ")
}

// plain is what the record holds, opened; if that fails, the error.
func (j *judge) plain(user string, rec store.Record) (account string) {
	j.rig.t.Helper()
	j.refresh(user, rec)
	defer j.refresh(user, store.Record{})
	j.keys.Opened = func(_, plaintext []byte) []byte { account = string(plaintext); return plaintext }
	defer func() { j.keys.Opened = nil }()
	_, err := j.guard.Status(j.rig.t.Context(), user)
	return cmp.Or(account, fmt.Sprint(err))
}

// status is what the owner sees, but for what is drawn at random.
func (j *judge) status(user string, rec store.Record) string {
	j.rig.t.Helper()
	j.refresh(user, rec)
	s, err := j.guard.Status(j.rig.t.Context(), user)
	if errors.Is(err, enrollment.ErrMoved) {
		return err.Error()
	}
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
