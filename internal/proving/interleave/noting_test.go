package interleave

import (
	"errors"
	"reflect"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A schedule that begins like one before has the same replies and seals the same, without a
// call of the store, which is made what it was where they part.
func TestNoting(t *testing.T) {
	t.Parallel()
	behind := proving.NewStore(proving.Memory(t).(proving.Full))
	s := &noting{Full: behind}
	s.restore(t, part{stored: map[string]store.Record{}})
	save := func(user string, version, prev int64) error {
		return s.Save(t.Context(), store.Record{UserID: user, Version: version, State: store.Pending, Updated: proving.Start, Data: []byte(user)}, prev)
	}
	begin := func(sealed string) (heard []any) {
		heard = append(heard, save("alice", 1, 0), save("bob", 1, 0), save("alice", 3, 2))
		rec, err := s.Load(t.Context(), "alice")
		page, failed := s.List(t.Context(), store.Query{Limit: 10})
		return append(heard, rec, err, page, failed, s.Erase(t.Context(), "bob"), string(s.seal([]byte(sealed))))
	}
	want := begin("sealed")
	fork := s.now(t)
	if err := save("alice", 2, 1); err != nil || save("carol", 1, 0) != nil {
		t.Fatal(err)
	}
	s.restore(t, fork)
	before := behind.Calls()
	if got := begin("sealed otherwise"); !reflect.DeepEqual(got, want) || behind.Calls() != before {
		t.Errorf("heard %v in %d calls, want %v in none", got, behind.Calls()-before, want)
	}
	if rec := load(t, behind, "alice"); rec.Version != 1 || !reflect.DeepEqual(s.now(t), fork) {
		t.Errorf("where they part, the store holds version %d of alice, and %v", rec.Version, s.now(t).stored)
	}
	for _, user := range []string{"bob", "carol"} {
		if _, err := behind.Load(t.Context(), user); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", user, err)
		}
	}
	if got := string(s.seal([]byte("later"))); got != "later" || save("alice", 2, 1) != nil || load(t, behind, "alice").Version != 2 {
		t.Errorf("behind it, %q was sealed, and the store does not go on", got)
	}
	s.restore(t, fork)
	before = behind.Calls()
	if s.restore(t, fork); behind.Calls() != before {
		t.Error("the store was made what it is already")
	}
	defer func() {
		if recover() == nil {
			t.Error("another call has a reply")
		}
	}()
	_ = save("bob", 1, 0)
}
