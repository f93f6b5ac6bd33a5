package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
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

// over returns a Guard and a Directory of another node, over another store or
// with other keys.
func over(k *proving.Kit, s *proving.Store, keys enrollment.Sealer, adjust ...func(*enrollment.Config)) (*enrollment.Guard, *enrollment.Directory) {
	g := k.NodeOver(s, keys, adjust...)
	return g, k.DirectoryOf(g, s)
}

// A lie is what a store returns in place of a page.
type lie = func(q store.Query, p store.Page, err error) (store.Page, error)

// lying returns another store over the records of a kit, whose List lies.
func lying(k *proving.Kit, l lie) *proving.Store {
	s := proving.NewStore(k.Store.Straight)
	s.After(proving.List, func(_ context.Context, c *proving.Call) { c.Page, c.Err = l(c.Query, c.Page, c.Err) })
	return s
}

// crumbs has a store list one record at a time, with an empty page before each.
func crumbs(s *proving.Store) {
	s.Before(proving.List, func(_ context.Context, c *proving.Call) {
		cursor, ready := strings.CutPrefix(c.Query.Cursor, "full ")
		if !ready {
			c.Answered, c.Page = true, store.Page{Next: "full " + c.Query.Cursor}
			return
		}
		c.Query.Cursor, c.Query.Limit = cursor, 1
	})
}

// listed ranges over a sequence, and returns the members that were read, the
// users that could not be, and the error that ended it.
func listed(seq iter.Seq2[enrollment.Member, error]) (read []enrollment.Member, bad map[string]error, end error) {
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

func idsOf(members []enrollment.Member) []string {
	ids := []string{}
	for _, m := range members {
		ids = append(ids, m.UserID)
	}
	return ids
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

// X10: the status of many users costs one call of the store, and says what
// Status says of each.
func TestFeatureX10_Statuses(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	all := k.EnrollAll("alice", "bob", "carol", "dave")
	k.Begin("erin", enrollment.BeginOptions{})
	if err := k.Guard.Disable(t.Context(), "bob", enrollment.ByCode(all[1].Code())); err != nil {
		t.Fatal(err)
	}
	k.In(all[2].Challenge(), all[2].Codes[0])
	for range 5 {
		_, _ = k.Guard.Verify(t.Context(), "dave", "x", all[3].Wrong())
	}
	s := proving.NewStore(k.Store.Straight)
	_, dir := over(k, s, k.Keys)

	ids := []string{"dave", "alice", "bob", "carol", "erin", "frank", "alice"}
	for _, later := range []time.Duration{0, 15 * time.Minute} {
		k.Pass(later)
		s.Reset()
		got, err := dir.Statuses(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		if n := s.Calls(proving.List); n != 1 {
			t.Errorf("%d calls of the store, want 1", n)
		}
		if len(got) != 6 {
			t.Errorf("%d users, want 6", len(got))
		}
		for _, id := range ids {
			want, err := k.Guard.Status(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got[id], want) {
				t.Errorf("after %v, of %s: %+v\nwant %+v", later, id, got[id], want)
			}
		}
	}

	crumbs(s)
	got, err := dir.Statuses(t.Context(), ids)
	if err != nil || len(got) != 6 || !got["dave"].Enabled() {
		t.Errorf("from short pages: %d users, %v", len(got), err)
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

// A7: the list can be filtered by where accounts stand now.
func TestFeatureA7_Filter(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	off := k.EnrollAll("off", "on", "again")
	for _, c := range []*proving.Person{off[0], off[2]} {
		if err := k.Guard.Disable(t.Context(), c.ID, enrollment.ByCode(c.Code())); err != nil {
			t.Fatal(err)
		}
	}
	k.Begin("never", enrollment.BeginOptions{}) // falls back to none
	k.Begin("again", enrollment.BeginOptions{}) // falls back to disabled
	k.Pass(15 * time.Minute)
	k.Begin("waits", enrollment.BeginOptions{})

	type states = []store.State
	for name, tt := range map[string]struct {
		filter states
		want   []string
	}{
		"all":         {nil, []string{"again", "never", "off", "on", "waits"}},
		"on":          {states{store.Confirmed}, []string{"on"}},
		"off":         {states{store.None, store.Pending, store.Disabled}, []string{"again", "never", "off", "waits"}},
		"none":        {states{store.None}, []string{"never"}},
		"pending":     {states{store.Pending}, []string{"waits"}},
		"disabled":    {states{store.Disabled}, []string{"again", "off"}},
		"named twice": {states{store.Confirmed, store.Confirmed}, []string{"on"}},
	} {
		read, bad, end := listed(k.Directory().All(t.Context(), enrollment.Filter{States: tt.filter}))
		if got := idsOf(read); !slices.Equal(got, tt.want) || len(bad) != 0 || end != nil {
			t.Errorf("%s: %q, %v, %v, want %q", name, got, bad, end, tt.want)
		}
	}
	for _, bad := range []store.State{0, 9} {
		if _, _, end := listed(k.Directory().All(t.Context(), enrollment.Filter{States: states{store.None, bad}})); !errors.Is(end, store.ErrInvalid) {
			t.Errorf("the state %v is %v", bad, end)
		}
	}
}

// A7: the list says when a user last signed in, and whether that went through
// the second step.
func TestFeatureA7_LastSignIn(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	all := k.EnrollAll("app", "bypass", "codes", "device", "never")
	app, bypass, codes, device := all[0], all[1], all[2], all[3]

	want := make(map[string]enrollment.Factor)
	at := make(map[string]time.Time)
	note := func(c *proving.Person, f enrollment.Factor) {
		want[c.ID], at[c.ID] = f, k.Now()
		k.Pass(time.Minute)
	}
	ok := k.In(device.Challenge(), device.Code())
	trusted, err := k.Guard.Devices().Trust(t.Context(), device.ID, ok.Receipt, "laptop")
	if err != nil {
		t.Fatal(err)
	}
	k.Pass(time.Minute)
	k.In(app.Challenge(), app.Code())
	note(app, enrollment.FactorTOTP)
	k.In(codes.Challenge(), codes.Codes[0])
	note(codes, enrollment.FactorRecovery)
	if d, err := k.Guard.SignIn(t.Context(), device.ID, enrollment.SignInOptions{Device: trusted.Token}); err != nil || d.Next != enrollment.Proceed {
		t.Fatal(d.Next, err)
	}
	note(device, enrollment.FactorTrustedDevice)
	if err := k.Guard.Admin("root", "lost phone").Bypass(t.Context(), bypass.ID, k.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if d, err := k.Guard.SignIn(t.Context(), bypass.ID, enrollment.SignInOptions{}); err != nil || d.Next != enrollment.Proceed {
		t.Fatal(d.Next, err)
	}
	note(bypass, enrollment.FactorBypass)

	read, bad, end := listed(k.Directory().All(t.Context(), enrollment.Filter{}))
	if len(read) != 5 || len(bad) != 0 || end != nil {
		t.Fatal(read, bad, end)
	}
	for _, m := range read {
		if m.UserID == "never" {
			// The code that confirmed the setup was a second step, not a sign-in.
			want[m.UserID], at[m.UserID] = m.Status.LastFactor, m.Status.LastSignIn
		}
		if m.Status.LastFactor != want[m.UserID] || !m.Status.LastSignIn.Equal(at[m.UserID]) {
			t.Errorf("%s signed in at %v by %q, want %v by %q", m.UserID, m.Status.LastSignIn, m.Status.LastFactor, at[m.UserID], want[m.UserID])
		}
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
	_, bad, end := listed(k.Directory().All(t.Context(), enrollment.Filter{States: []store.State{store.Confirmed}}))
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
	_, dir := over(k, s, k.Keys)
	seq := dir.All(t.Context(), enrollment.Filter{})
	for range 2 { // a sequence can be ranged over again
		s.Reset()
		read, bad, end := listed(seq)
		if got := idsOf(read); !slices.Equal(got, want) || len(bad) != 0 || end != nil {
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
	crumbs(s)
	if read, bad, end := listed(seq); !slices.Equal(idsOf(read), want) || len(bad) != 0 || end != nil {
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
	_, dir := over(k, s, k.Keys)
	read, bad, end := listed(dir.All(t.Context(), enrollment.Filter{}))
	if !slices.Equal(idsOf(read), []string{"a", "b"}) || len(bad) != 0 || !errors.Is(end, fault) {
		t.Errorf("of a broken store: %q, %v, %v", idsOf(read), bad, end)
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
	_, dir := over(k, k.Store, &proving.Keys{Ring: k.Keys.Ring, Opening: func(_, _ []byte) error { return fault }})
	read, bad, end := listed(dir.All(t.Context(), enrollment.Filter{}))
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
		_, dir := over(k, lying(k, l), k.Keys)
		read, bad, end := listed(dir.All(t.Context(), enrollment.Filter{}))
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
		_, dir := over(k, s, k.Keys)
		if read, bad, end := listed(dir.All(t.Context(), enrollment.Filter{})); end == nil || len(read) > 3 || len(bad) != 0 {
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
	_, dir := over(k, lying(k, func(store.Query, store.Page, error) (store.Page, error) {
		return k.Store.Straight.List(context.Background(), store.Query{UserIDs: []string{"alice"}})
	}), k.Keys)
	if got, err := dir.Statuses(t.Context(), []string{"Alice"}); !errors.Is(err, enrollment.ErrCorrupt) || got != nil {
		t.Errorf("Statuses = %v, %v", got, err)
	}
}

// T4: the host's own list of members, with those who never had anything to do
// with two-factor authentication.
func TestFeatureT4_Members(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.EnrollAll("alice", "bob", "carol")
	k.Damage("bob")
	s := proving.NewStore(k.Store.Straight)
	_, dir := over(k, s, k.Keys)

	ids := []string{"zoe", "carol", "bob", "alice", "carol", "a\nb"}
	want := map[string]store.State{"zoe": store.None, "carol": store.Confirmed, "alice": store.Confirmed}
	i := 0
	for m, err := range dir.Members(t.Context(), slices.Values(ids)) {
		if m.UserID != ids[i] {
			t.Fatalf("member %d is %q, want %q", i, m.UserID, ids[i])
		}
		i++
		switch m.UserID {
		case "bob":
			if !errors.Is(err, enrollment.ErrCorrupt) {
				t.Errorf("bob: %v", err)
			}
		case "a\nb":
			if !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%q: %v", m.UserID, err)
			}
		default:
			if err != nil || m.Status.State != want[m.UserID] {
				t.Errorf("%s: %v, %v", m.UserID, m.Status.State, err)
			}
		}
	}
	if n := s.Calls(proving.List); i != len(ids) || n != 1 {
		t.Errorf("%d members from %d calls of the store", i, n)
	}

	s.Reset()
	taken := 0
	endless := func(yield func(string) bool) {
		for yield(fmt.Sprint("user-", taken)) {
			taken++
		}
	}
	n := 0
	for m, err := range dir.Members(t.Context(), endless) {
		if err != nil || m.UserID != fmt.Sprint("user-", n) || m.Status.State != store.None {
			t.Fatal(m, err)
		}
		if n++; n == 1500 {
			break
		}
	}
	if calls := s.Calls(proving.List); calls != 2 || taken > 2*store.MaxPage {
		t.Errorf("%d calls of the store for %d ids", calls, taken)
	}
	fault := errors.New("the database is gone")
	s.Fail(proving.List, fault)
	if read, _, end := listed(dir.Members(t.Context(), endless)); len(read) != 0 || !errors.Is(end, fault) {
		t.Errorf("of a broken store: %v, %v", read, end)
	}
	s.Straighten()
	if read, bad, end := listed(dir.Members(t.Context(), slices.Values([]string{"alice", "", "carol"}))); !slices.Equal(idsOf(read), []string{"alice"}) || len(bad) != 0 || !errors.Is(end, store.ErrInvalid) {
		t.Errorf("of somebody without an id: %v, %v, %v", read, bad, end)
	}
	if read, bad, end := listed(dir.Members(t.Context(), slices.Values([]string(nil)))); len(read) != 0 || len(bad) != 0 || end != nil {
		t.Errorf("of nobody: %v, %v, %v", read, bad, end)
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
		read, bad, end := listed(k.Directory().All(t.Context(), enrollment.Filter{States: []store.State{store.Confirmed}}))
		if !slices.Equal(idsOf(read), ids) || len(bad) != 0 || end != nil {
			t.Errorf("%d were listed, %v, %v", len(read), bad, end)
		}
		if got, err := k.Directory().Statuses(t.Context(), ids); err != nil || len(got) != len(ids) {
			t.Errorf("%d, %v", len(got), err)
		}
	}
	wg.Wait()
}
