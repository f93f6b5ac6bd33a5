package features

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// X10: the status of many users costs one call of the store, and says what
// Status says of each.
func TestFeatureX10_Statuses(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
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
	_, dir := k.Another(s, k.Keys)

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

	proving.Crumbs(s)
	got, err := dir.Statuses(t.Context(), ids)
	if err != nil || len(got) != 6 || !got["dave"].Enabled() {
		t.Errorf("from short pages: %d users, %v", len(got), err)
	}
}

// A7: the list can be filtered by where accounts stand now.
func TestFeatureA7_Filter(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
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
		read, bad, end := proving.Listed(k.Directory().All(t.Context(), enrollment.Filter{States: tt.filter}))
		if got := proving.IDsOf(read); !slices.Equal(got, tt.want) || len(bad) != 0 || end != nil {
			t.Errorf("%s: %q, %v, %v, want %q", name, got, bad, end, tt.want)
		}
	}
	for _, bad := range []store.State{0, 9} {
		if _, _, end := proving.Listed(k.Directory().All(t.Context(), enrollment.Filter{States: states{store.None, bad}})); !errors.Is(end, store.ErrInvalid) {
			t.Errorf("the state %v is %v", bad, end)
		}
	}
}

// A7: the list says when a user last signed in, and whether that went through
// the second step, also for users who have none.
func TestFeatureA7_LastSignIn(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	all := k.EnrollAll("app", "bypass", "codes", "device", "never", "off")
	app, bypass, codes, device, off := all[0], all[1], all[2], all[3], all[5]

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
	k.Must(k.Guard.Disable(t.Context(), off.ID, enrollment.ByCode(off.Code())))
	k.SignIn(off.ID, enrollment.SignInOptions{}, enrollment.Proceed)
	note(off, "")
	k.SignIn("nobody", enrollment.SignInOptions{}, enrollment.Proceed) // makes no record

	read, bad, end := proving.Listed(k.Directory().All(t.Context(), enrollment.Filter{}))
	if len(read) != 6 || len(bad) != 0 || end != nil {
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

// T4: the host's own list of members, with those who never had anything to do
// with two-factor authentication.
func TestFeatureT4_Members(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	k.EnrollAll("alice", "bob", "carol")
	k.Damage("bob")
	s := proving.NewStore(k.Store.Straight)
	_, dir := k.Another(s, k.Keys)

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
	if read, _, end := proving.Listed(dir.Members(t.Context(), endless)); len(read) != 0 || !errors.Is(end, fault) {
		t.Errorf("of a broken store: %v, %v", read, end)
	}
	s.Straighten()
	if read, bad, end := proving.Listed(dir.Members(t.Context(), slices.Values([]string{"alice", "", "carol"}))); !slices.Equal(proving.IDsOf(read), []string{"alice"}) || len(bad) != 0 || !errors.Is(end, store.ErrInvalid) {
		t.Errorf("of somebody without an id: %v, %v, %v", read, bad, end)
	}
	if read, bad, end := proving.Listed(dir.Members(t.Context(), slices.Values([]string(nil)))); len(read) != 0 || len(bad) != 0 || end != nil {
		t.Errorf("of nobody: %v, %v, %v", read, bad, end)
	}
}

// X7: accounts move to the new key, and then the old one can be dropped. Nothing
// else about them changes, and nobody is told of anything.
func TestFeatureX7_Reseal(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	ids := proving.Users(230)
	all := k.EnrollAll(ids...)
	ring := k.Rotate("second")
	guard, dir := k.Another(k.Store, ring)
	for _, c := range all[:30] { // these move as they are used
		if _, err := guard.Verify(t.Context(), c.ID, "x", c.Code()); err != nil {
			t.Fatal(err)
		}
	}
	before := make(map[string]enrollment.Status)
	for _, id := range ids {
		before[id], _ = guard.Status(t.Context(), id)
	}
	challenge := k.Challenge(ids[200])
	k.Told()

	var progress []enrollment.Resealed
	k.Untouched(func() {
		done, err := dir.Reseal(t.Context(), enrollment.ResealOptions{Progress: func(r enrollment.Resealed) { progress = append(progress, r) }})
		if err != nil || !done.Done || done.Cursor != "" || done.Seen != 230 || done.Moved != 200 || done.Failed.Total != 0 ||
			!maps.Equal(done.Keys, map[string]int{"first": 200, "second": 30}) {
			t.Fatalf("%+v, %v", done, err)
		}
	}, ids[:30]...)
	if len(progress) != 3 {
		t.Fatalf("%d pages, want 3", len(progress))
	}
	for i, want := range []enrollment.Resealed{
		{Seen: 100, Moved: 70, Keys: map[string]int{"first": 70, "second": 30}},
		{Seen: 200, Moved: 170, Keys: map[string]int{"first": 170, "second": 30}},
		{Seen: 230, Moved: 200, Keys: map[string]int{"first": 200, "second": 30}, Done: true},
	} {
		got := progress[i]
		if (got.Cursor == "") != got.Done {
			t.Errorf("page %d: the cursor is %q", i, got.Cursor)
		}
		if got.Cursor = ""; !reflect.DeepEqual(got, want) {
			t.Errorf("page %d: %+v, want %+v", i, got, want)
		}
	}

	if told := proving.Kinds(k.Told()); len(told) != 0 {
		t.Errorf("was told %q", told)
	}
	fresh, _ := k.Another(k.Store, proving.Only(t, ring))
	for _, id := range ids {
		status, err := fresh.Status(t.Context(), id)
		if err != nil || !reflect.DeepEqual(status, before[id]) {
			t.Fatalf("%s: %+v, %v, was %+v", id, status, err, before[id])
		}
	}
	if _, err := guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, all[200].Code()); err != nil {
		t.Errorf("a challenge that was out: %v", err)
	}
	// What is under the primary key is not even loaded again.
	listed := proving.NewStore(k.Store.Straight)
	listed.Fail(proving.Load, errors.New("loaded"))
	_, newDir := k.Another(listed, proving.Only(t, ring))
	k.Untouched(func() {
		done, err := newDir.Reseal(t.Context(), enrollment.ResealOptions{})
		if err != nil || done.Moved != 0 || !maps.Equal(done.Keys, map[string]int{"second": 230}) {
			t.Errorf("once more: %+v, %v", done, err)
		}
	}, ids...)
}
