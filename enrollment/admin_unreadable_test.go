package enrollment_test

import (
	"context"
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Only what can't be opened is erased.
func TestEraseUnreadable(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	k.Enroll("bob")
	k.Damage("bob")
	k.Told()
	admin := k.Guard.Admin("root", "damaged")
	for _, id := range []string{"alice", "nobody"} {
		k.Unchanged(id, func() {
			if erased, err := admin.EraseUnreadable(t.Context(), id); erased || err != nil {
				t.Errorf("%s: %t, %v", id, erased, err)
			}
		})
	}
	if erased, err := admin.EraseUnreadable(t.Context(), "root"); erased || proving.ReasonOf(err) != enrollment.ReasonOwnAccount {
		t.Errorf("their own: %t, %v", erased, err)
	}
	if erased, err := admin.EraseUnreadable(t.Context(), "bob"); !erased || err != nil {
		t.Errorf("%t, %v", erased, err)
	}
	told := k.Told()
	if len(told) != 1 || told[0].Kind != enrollment.EventErased || told[0].UserID != "bob" || told[0].Actor != "root" || told[0].Note != "damaged" {
		t.Errorf("told %+v", told)
	}
	k.SignIn("bob", enrollment.SignInOptions{}, enrollment.Proceed)
}

// What the user sets up while the event is delivered stays.
func TestEraseUnreadableWhileTheUserSetsUp(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	k.Damage("alice")
	enrolls := true
	k.Configure(func(c *enrollment.Config) {
		c.Notify = func(context.Context, enrollment.Event) error {
			if enrolls {
				enrolls = false
				k.Enroll("alice")
			}
			return nil
		}
	})
	if erased, err := k.Guard.Admin("root", "x").EraseUnreadable(t.Context(), "alice"); !erased || err != nil {
		t.Errorf("%t, %v", erased, err)
	}
	if enrolls || !k.Status("alice").Enabled() {
		t.Error("the new factor is gone")
	}
}

// What opens but holds no account can't be read either.
func TestEraseUnreadableContent(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	k.Keys.Opened = func(_, plaintext []byte) []byte { return plaintext[:len(plaintext)/2] }
	if erased, err := k.Guard.Admin("root", "x").EraseUnreadable(t.Context(), "alice"); !erased || err != nil {
		t.Errorf("%t, %v", erased, err)
	}
	k.Keys.Opened = nil
	k.SignIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
}

// A key service that is down makes no account unreadable.
func TestEraseUnreadableWithoutKeys(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	down := errors.New("the key service is down")
	k.Keys.Opening = func(_, _ []byte) error { return down }
	k.Unchanged("alice", func() {
		if erased, err := k.Guard.Admin("root", "x").EraseUnreadable(t.Context(), "alice"); erased || !errors.Is(err, down) {
			t.Errorf("%t, %v", erased, err)
		}
	})
}

// Whichever call fails, the account is as it was, or the user has nothing and is
// told. A rival that repairs it first wins.
func TestFaultsOfEraseUnreadable(t *testing.T) {
	t.Parallel()
	for name, bend := range map[string]func(s *proving.Store){
		"Load fails":           func(s *proving.Store) { s.Nth(proving.Load, 1, proving.Fails(proving.ErrLost)) },
		"Save fails":           func(s *proving.Store) { s.Nth(proving.Save, 1, proving.Fails(proving.ErrLost)) },
		"Save loses its reply": func(s *proving.Store) { s.LoseReply(proving.Save) },
	} {
		k := proving.New(t)
		k.Enroll("alice")
		k.Damage("alice")
		bend(k.Store)
		before := k.Record("alice")
		erased, err := k.Guard.Admin("root", "x").EraseUnreadable(t.Context(), "alice")
		if kept := name == "Load fails" || name == "Save fails"; erased == kept {
			t.Errorf("%s: erased is %t", name, erased)
		}
		now := k.Record("alice")
		switch {
		case erased && err == nil && now.State == store.None:
		case !erased && err != nil && now.Version == before.Version:
		default:
			t.Errorf("%s: %t, %v; the store holds %+v", name, erased, err, now)
		}
		if told := k.EventsOf("alice", enrollment.EventErased); erased != (len(told) == 1) {
			t.Errorf("%s: told %+v", name, told)
		}
	}
	k := proving.New(t)
	k.Enroll("alice")
	whole := k.Record("alice")
	k.Damage("alice")
	k.Store.Nth(proving.Save, 1, func(context.Context, *proving.Call) {
		k.Must(k.Store.Straight.Erase(t.Context(), "alice"))
		k.Must(k.Store.Straight.Save(t.Context(), whole, 0))
	})
	if erased, err := k.Guard.Admin("root", "x").EraseUnreadable(t.Context(), "alice"); erased || err == nil || !k.Status("alice").Enabled() {
		t.Errorf("what was repaired: %t, %v", erased, err)
	}
}

// Inspect leaves nothing out: what opens, what does not, and what a move has left.
func TestInspect(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	for _, id := range []string{"a", "b", "c", "d"} {
		k.Enroll(id)
	}
	k.Damage("b")
	k.Must(mover(k).Move(t.Context(), "c", "z"))
	interrupted(t, k, "d", "e", 2)
	proving.Crumbs(k.Store)
	var got []enrollment.Inspection
	for x, err := range k.Directory().Inspect(t.Context()) {
		k.Must(err)
		got = append(got, x)
	}
	if len(got) != 6 {
		t.Fatalf("%d records: %+v", len(got), got)
	}
	for i, want := range []struct {
		id    string
		state store.State
		moved string
		err   error
	}{
		{"a", store.Confirmed, "", nil},
		{"b", store.Confirmed, "", enrollment.ErrCorrupt},
		{"c", store.None, "z", nil},
		{"d", store.Confirmed, "", enrollment.ErrMoved},
		{"e", store.None, "", enrollment.ErrMoved},
		{"z", store.Confirmed, "", nil},
	} {
		x := got[i]
		if x.UserID != want.id || x.State != want.state || x.MovedTo != want.moved || !errors.Is(x.Err, want.err) || x.Key != "first" || x.Updated.IsZero() {
			t.Errorf("%+v, want %+v", x, want)
		}
		if opens := want.err == nil && want.moved == ""; x.Status.Enabled() != opens {
			t.Errorf("%s: %+v", x.UserID, x.Status)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range k.Directory().Inspect(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
	k.Store.Fail(proving.List, proving.ErrLost)
	for _, err := range k.Directory().Inspect(t.Context()) {
		if !errors.Is(err, proving.ErrLost) {
			t.Errorf("%v", err)
		}
	}
}

// Where no events are told, the record that replaces it is never due.
func TestEraseUnreadableWithoutNotify(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) { c.Notify = nil })
	k.Enroll("alice")
	k.Damage("alice")
	if erased, err := k.Guard.Admin("root", "x").EraseUnreadable(t.Context(), "alice"); !erased || err != nil {
		t.Fatal(erased, err)
	}
	if r := k.Record("alice"); r.State != store.None || !r.Due.IsZero() {
		t.Errorf("the record is %+v", r)
	}
}
