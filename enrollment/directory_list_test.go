package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A lie is what a store returns in place of a page.
type lie = func(q store.Query, p store.Page, err error) (store.Page, error)

// lying returns another store over the records of a kit, whose List lies.
func lying(k *proving.Kit, l lie) *proving.Store {
	s := proving.NewStore(k.Store.Straight)
	s.After(proving.List, func(_ context.Context, c *proving.Call) { c.Page, c.Err = l(c.Query, c.Page, c.Err) })
	return s
}

func TestNewDirectory(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	if _, err := enrollment.NewDirectory(nil, k.Store.Straight); err == nil {
		t.Error("no guard was accepted")
	}
	if _, err := enrollment.NewDirectory(k.Guard, nil); err == nil {
		t.Error("no lister was accepted")
	}
}

// No ids are nobody, and not everybody.
func TestStatusesOfNobody(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.EnrollAll("alice")
	for _, ids := range [][]string{nil, {}} {
		if got, err := k.Directory().Statuses(t.Context(), ids); err != nil || len(got) != 0 {
			t.Errorf("Statuses(%#v) = %v, %v", ids, got, err)
		}
	}
}

func TestStatusesRefuses(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	many := make([]string, store.MaxPage+1)
	for i := range many {
		many[i] = fmt.Sprint("user-", i)
	}
	for name, ids := range map[string][]string{"too many": many, "empty": {"alice", ""}, "control": {"a\x00"}} {
		if got, err := k.Directory().Statuses(t.Context(), ids); !errors.Is(err, store.ErrInvalid) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := k.Directory().Statuses(t.Context(), many[1:]); err != nil || len(got) != store.MaxPage {
		t.Errorf("as many as can be: %d, %v", len(got), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Directory().Statuses(ctx, many[:1]); !errors.Is(err, context.Canceled) {
		t.Errorf("after its context: %v", err)
	}
}

// Accounts that can't be opened are named, and hold nothing else up.
func TestStatusesNamesUnreadable(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.EnrollAll("alice", "bob", "carol")
	k.Damage("carol", "alice")
	got, err := k.Directory().Statuses(t.Context(), []string{"alice", "bob", "carol", "dave"})
	var bad *enrollment.UnreadableError
	if !errors.As(err, &bad) || !errors.Is(err, enrollment.ErrCorrupt) || !errors.Is(err, keyring.ErrDamaged) {
		t.Fatalf("the error is %v", err)
	}
	if ids := slices.Sorted(maps.Keys(bad.Users)); !slices.Equal(ids, []string{"alice", "carol"}) {
		t.Errorf("named are %q", ids)
	}
	if ids := slices.Sorted(maps.Keys(got)); !slices.Equal(ids, []string{"bob", "dave"}) || !got["bob"].Enabled() {
		t.Errorf("read were %q", ids)
	}
	if !strings.Contains(err.Error(), `2 of the accounts`) || !strings.Contains(err.Error(), `"alice"`) {
		t.Errorf("the text is %q", err)
	}
}

// What can't be opened is named in its place, and the others follow.
func TestAllNamesUnreadable(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.EnrollAll("a", "b", "c", "d")
	k.Damage("a", "c")
	var got []string
	for m, err := range k.Directory().All(t.Context(), enrollment.Filter{}) {
		if (err == nil) != m.Status.Enabled() || err != nil && !errors.Is(err, enrollment.ErrCorrupt) {
			t.Errorf("%s: %v, %v", m.UserID, m.Status.State, err)
		}
		got = append(got, m.UserID)
	}
	if want := []string{"a", "b", "c", "d"}; !slices.Equal(got, want) {
		t.Errorf("listed were %q, want %q", got, want)
	}
	// Also where the filter asks for the state that the store holds it for.
	_, bad, end := proving.Listed(k.Directory().All(t.Context(), enrollment.Filter{States: []store.State{store.Confirmed}}))
	if len(bad) != 2 || end != nil {
		t.Errorf("filtered: %v, %v", bad, end)
	}
}

// More accounts than fit on a page come once each and in order, and no more
// pages are read than are asked for.
func TestAllStreams(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	var want []string
	for i := range 1201 {
		want = append(want, fmt.Sprintf("user-%05d", i))
	}
	k.EnrollAll(want...)
	s := proving.NewStore(k.Store.Straight)
	_, dir := k.Another(s, k.Keys)
	seq := dir.All(t.Context(), enrollment.Filter{})
	for range 2 { // a sequence can be ranged over again
		s.Reset()
		read, bad, end := proving.Listed(seq)
		if got := proving.IDsOf(read); !slices.Equal(got, want) || len(bad) != 0 || end != nil {
			t.Fatalf("%d were listed, %v, %v", len(got), bad, end)
		}
		if n := s.Calls(proving.List); n != 3 {
			t.Errorf("%d pages were read, want 3", n)
		}
	}
	s.Reset()
	n := 0
	for range seq {
		if n++; n == 501 {
			break
		}
	}
	if n := s.Calls(proving.List); n != 2 {
		t.Errorf("%d pages were read for 501 accounts, want 2", n)
	}
	proving.Crumbs(s)
	if read, bad, end := proving.Listed(seq); !slices.Equal(proving.IDsOf(read), want) || len(bad) != 0 || end != nil {
		t.Errorf("from short pages %d, %v, %v", len(read), bad, end)
	}
}

func TestAllEnds(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.EnrollAll("a", "b", "c")
	fault := errors.New("the database is gone")
	s := lying(k, func(q store.Query, p store.Page, err error) (store.Page, error) {
		if q.Cursor != "" {
			return store.Page{}, fault
		}
		q.Limit = 2
		return k.Store.Straight.List(context.Background(), q)
	})
	_, dir := k.Another(s, k.Keys)
	read, bad, end := proving.Listed(dir.All(t.Context(), enrollment.Filter{}))
	if !slices.Equal(proving.IDsOf(read), []string{"a", "b"}) || len(bad) != 0 || !errors.Is(end, fault) {
		t.Errorf("of a broken store: %q, %v, %v", proving.IDsOf(read), bad, end)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for m, err := range k.Directory().All(ctx, enrollment.Filter{}) {
		n++
		if n == 1 {
			cancel()
			continue
		}
		if m.UserID != "" || !errors.Is(err, context.Canceled) {
			t.Errorf("after its context: %q, %v", m.UserID, err)
		}
	}
	if n != 2 {
		t.Errorf("%d were listed, want one and the error", n)
	}
}

// A sealer whose fault may pass is no damage, and ends nothing.
func TestAllSealerFails(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.EnrollAll("a", "b")
	fault := errors.New("the key service is busy")
	_, dir := k.Another(k.Store, &proving.Keys{Ring: k.Keys.Ring, Opening: func(_, _ []byte) error { return fault }})
	read, bad, end := proving.Listed(dir.All(t.Context(), enrollment.Filter{}))
	if len(read) != 0 || end != nil || len(bad) != 2 || !errors.Is(bad["a"], fault) || errors.Is(bad["a"], enrollment.ErrCorrupt) {
		t.Errorf("%v, %v, %v", read, bad, end)
	}
}

// A store that lies neither passes one account off for another nor keeps a
// listing from ending.
func TestListersThatLie(t *testing.T) {
	t.Parallel()
	swapped := func(_ store.Query, p store.Page, err error) (store.Page, error) {
		if len(p.Records) > 1 {
			p.Records[0].Data, p.Records[1].Data = p.Records[1].Data, p.Records[0].Data
		}
		return p, err
	}
	renamed := func(_ store.Query, p store.Page, err error) (store.Page, error) {
		for i := range p.Records {
			p.Records[i].UserID += "x"
		}
		return p, err
	}
	anotherState := func(_ store.Query, p store.Page, err error) (store.Page, error) {
		for i := range p.Records {
			p.Records[i].State = store.None
		}
		return p, err
	}
	for name, l := range map[string]lie{"data of another": swapped, "another name": renamed, "another state": anotherState} {
		k := proving.New(t)
		k.EnrollAll("a", "b", "c")
		_, dir := k.Another(lying(k, l), k.Keys)
		read, bad, end := proving.Listed(dir.All(t.Context(), enrollment.Filter{}))
		wrong := 3
		if name == "data of another" {
			wrong = 2
		}
		if len(read) != 3-wrong || len(bad) != wrong || end != nil {
			t.Errorf("%s: %d read, %v, %v", name, len(read), bad, end)
		}
		for _, err := range bad {
			if !errors.Is(err, enrollment.ErrCorrupt) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}

	for name, l := range map[string]lie{
		"twice on a page": func(_ store.Query, p store.Page, err error) (store.Page, error) {
			return store.Page{Records: append(p.Records, p.Records...)}, err
		},
		"out of order": func(_ store.Query, p store.Page, err error) (store.Page, error) {
			slices.Reverse(p.Records)
			return p, err
		},
		"the first page for ever": func(_ store.Query, p store.Page, err error) (store.Page, error) {
			p.Next = "again"
			return p, err
		},
		"nothing for ever": func(store.Query, store.Page, error) (store.Page, error) {
			return store.Page{Next: "again"}, nil
		},
		"without a name": func(_ store.Query, p store.Page, err error) (store.Page, error) {
			p.Records[0].UserID = ""
			return p, err
		},
	} {
		k := proving.New(t)
		k.EnrollAll("a", "b", "c")
		s := lying(k, func(q store.Query, _ store.Page, _ error) (store.Page, error) {
			q.Cursor, q.DueBy = "", time.Time{}
			p, err := k.Store.Straight.List(context.Background(), q)
			return l(q, p, err)
		})
		_, dir := k.Another(s, k.Keys)
		if read, bad, end := proving.Listed(dir.All(t.Context(), enrollment.Filter{})); end == nil || len(read) > 3 || len(bad) != 0 {
			t.Errorf("%s: All reads %d, %v, %v", name, len(read), bad, end)
		}
		if got, err := dir.Statuses(t.Context(), []string{"a", "b", "c"}); err == nil || got != nil {
			t.Errorf("%s: Statuses = %v, %v", name, got, err)
		}
		if done, err := dir.Reseal(t.Context(), enrollment.ResealOptions{}); err == nil || done.Done || done.Seen > 3 {
			t.Errorf("%s: Reseal = %+v, %v", name, done, err)
		}
		if _, err := dir.Sweep(t.Context()); err == nil {
			t.Errorf("%s: Sweep ends well", name)
		}
	}
}

// Where the store's keys fold case, the record of another user comes back. The
// one who was asked for must not be None then.
func TestStatusesOfMergedUsers(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.EnrollAll("alice")
	_, dir := k.Another(lying(k, func(store.Query, store.Page, error) (store.Page, error) {
		return k.Store.Straight.List(context.Background(), store.Query{UserIDs: []string{"alice"}})
	}), k.Keys)
	if got, err := dir.Statuses(t.Context(), []string{"Alice"}); !errors.Is(err, enrollment.ErrCorrupt) || got != nil {
		t.Errorf("Statuses = %v, %v", got, err)
	}
}

// Listing goes on beside people who sign in.
func TestListBesideTraffic(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	var ids []string
	for i := range 40 {
		ids = append(ids, fmt.Sprintf("user-%02d", i))
	}
	all := k.EnrollAll(ids...)
	var wg sync.WaitGroup
	for _, c := range all {
		wg.Go(func() {
			for i := range 5 {
				if _, err := k.Guard.Verify(t.Context(), c.ID, "x", c.Codes[i]); err != nil {
					t.Error(c.ID, err)
				}
			}
		})
	}
	for range 20 {
		read, bad, end := proving.Listed(k.Directory().All(t.Context(), enrollment.Filter{States: []store.State{store.Confirmed}}))
		if !slices.Equal(proving.IDsOf(read), ids) || len(bad) != 0 || end != nil {
			t.Errorf("%d were listed, %v, %v", len(read), bad, end)
		}
		if got, err := k.Directory().Statuses(t.Context(), ids); err != nil || len(got) != len(ids) {
			t.Errorf("%d, %v", len(got), err)
		}
	}
	wg.Wait()
}
