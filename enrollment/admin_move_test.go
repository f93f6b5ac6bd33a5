package enrollment_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

func mover(k *proving.Kit) enrollment.Admin { return k.Guard.Admin("root", "married") }

// interrupted moves until its nth write, and nothing after it.
func interrupted(t *testing.T, k *proving.Kit, from, to string, n int) {
	t.Helper()
	k.Store.NthAfter(proving.Save, n, func(context.Context, *proving.Call) {
		k.Store.Fail(proving.Load, proving.ErrLost)
		k.Store.Fail(proving.Save, proving.ErrLost)
	})
	if err := mover(k).Move(t.Context(), from, to); err == nil {
		t.Fatal("it was not interrupted")
	}
	k.Store.Straighten()
}

// What can't be moved stays where it is, and nothing is written.
func TestMoveRefused(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	k.Enroll("bob")
	k.Begin("pending", enrollment.BeginOptions{})
	k.Enroll("gone")
	k.Must(mover(k).Move(t.Context(), "gone", "there"))
	k.Untouched(func() {
		for _, c := range []struct {
			from, to string
			want     enrollment.Reason
		}{
			{"nobody", "somebody", enrollment.ReasonNotEnrolled},
			{"alice", "bob", enrollment.ReasonUserIDTaken},
			{"bob", "alice", enrollment.ReasonUserIDTaken},
			{"alice", "pending", enrollment.ReasonUserIDTaken},
			{"nobody", "alice", enrollment.ReasonNotEnrolled},
			{"root", "alicia", enrollment.ReasonOwnAccount},
			{"alice", "root", enrollment.ReasonOwnAccount},
			{"alice", "alice", proving.Fault},
			{"alice", "", proving.Fault},
			{"", "alice", proving.Fault},
			{"gone", "elsewhere", proving.Fault},
			{"gone", "there", ""},
		} {
			if got := proving.ReasonOf(mover(k).Move(t.Context(), c.from, c.to)); got != c.want {
				t.Errorf("%q to %q: %q, want %q", c.from, c.to, got, c.want)
			}
		}
		if err := mover(k).Move(t.Context(), "gone", "elsewhere"); !errors.Is(err, enrollment.ErrMoved) || !strings.Contains(err.Error(), `"there"`) {
			t.Errorf("%v does not say where it is", err)
		}
	}, "alice", "bob", "pending", "gone", "there", "root", "nobody", "somebody", "elsewhere", "alicia")
	if err := (enrollment.Admin{}).Move(t.Context(), "a", "b"); err == nil {
		t.Error("a zero Admin moves")
	}
}

// Whether an earlier move has to be finished first can't be known without the record.
func TestMoveStopsAtTheFirstFault(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	k.Store.Reset()
	k.Store.Nth(proving.Load, 1, proving.Fails(proving.ErrLost))
	k.Untouched(func() {
		if err := mover(k).Move(t.Context(), "alice", "alicia"); !errors.Is(err, proving.ErrLost) {
			t.Errorf("%v", err)
		}
	}, "alice", "alicia")
}

// An account can be moved on and back. The ids on the way refuse, until it comes
// there again.
func TestMoveOnAndBack(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	u := k.Enroll("a")
	for _, step := range [][2]string{{"a", "b"}, {"b", "c"}, {"c", "a"}, {"a", "b"}, {"b", "a"}} {
		k.Must(mover(k).Move(t.Context(), step[0], step[1]))
		if d, err := k.Guard.SignIn(t.Context(), step[0], enrollment.SignInOptions{}); !errors.Is(err, enrollment.ErrMoved) {
			t.Errorf("%s: %v, %v", step[0], d.Next, err)
		}
		now := &proving.Person{ID: step[1], Key: u.Key, Kit: k}
		if _, err := now.Answer(k.Code(u.Key)); err != nil {
			t.Errorf("%s: %v", step[1], err)
		}
		k.NextCode(u.Key)
	}
	read, bad, err := proving.Listed(k.Directory().All(t.Context(), enrollment.Filter{}))
	if len(read) != 1 || read[0].UserID != "a" || len(bad) != 0 || err != nil {
		t.Errorf("listed %v, %v, %v", proving.IDsOf(read), bad, err)
	}
}

// An account that has arrived can't arrive again: before it leaves or is erased,
// the record that still holds it is emptied.
func TestMoveBeforeTheLastWasFinished(t *testing.T) {
	t.Parallel()
	const arrivedNotEmptied = 3
	for name, leave := range map[string]func(k *proving.Kit) error{
		"moved on": func(k *proving.Kit) error { return mover(k).Move(t.Context(), "b", "c") },
		"erased":   func(k *proving.Kit) error { return mover(k).Erase(t.Context(), "b") },
	} {
		k := proving.New(t)
		k.Enroll("a")
		interrupted(t, k, "a", "b", arrivedNotEmptied)
		k.Must(leave(k))
		if left := k.Record("a"); left.State != store.None {
			t.Errorf("%s: the first record still holds the account: %v", name, left.State)
		}
		k.Must(mover(k).Move(t.Context(), "a", "b"))
		if s, err := k.Guard.Status(t.Context(), "b"); err == nil && s.Enabled() {
			t.Errorf("%s: it has arrived twice", name)
		}
	}
}

// A move can be given up by erasing the new id, as long as the old one works. After
// that it goes on. Erasing the old id deletes the account that is there still.
func TestMoveGivenUp(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	u := k.Enroll("a")
	k.Told()
	interrupted(t, k, "a", "b", 1)
	k.Must(mover(k).Erase(t.Context(), "b"))
	if told := k.Told(); len(told) != 0 {
		t.Errorf("told %+v of a claim", told)
	}
	if _, err := u.Answer(k.Code(u.Key)); err != nil {
		t.Errorf("the old id: %v", err)
	}
	k.SignIn("b", enrollment.SignInOptions{}, enrollment.Proceed)

	interrupted(t, k, "a", "b", 2)
	k.Must(mover(k).Erase(t.Context(), "b")) // by mistake
	k.Must(mover(k).Move(t.Context(), "a", "b"))
	if !k.Status("b").Enabled() {
		t.Error("it has not arrived")
	}
	k.Must(mover(k).Erase(t.Context(), "a")) // what is left
	if told := proving.Kinds(k.Told()); len(told) != 1 || told[0] != enrollment.EventMoved {
		t.Errorf("told %v", told)
	}
	k.SignIn("a", enrollment.SignInOptions{}, enrollment.Proceed)

	interrupted(t, k, "b", "c", 2)
	k.Must(mover(k).Erase(t.Context(), "b"))
	if told := k.EventsOf("b", enrollment.EventErased); len(told) != 1 {
		t.Errorf("told %+v", told)
	}
	if err := mover(k).Move(t.Context(), "b", "c"); proving.ReasonOf(err) != enrollment.ReasonNotEnrolled {
		t.Errorf("moving what was erased: %v", err)
	}
	k.SignIn("c", enrollment.SignInOptions{}, enrollment.Proceed)
	k.Begin("c", enrollment.BeginOptions{})
}

// Erasing the old id during a move leaves nothing behind that refuses everything, or that
// arrives later.
func TestOldIDErasedDuringMove(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		loads int // before the erasure
		is    enrollment.Reason
		free  bool // the new id
	}{
		{"before the claim", 2, enrollment.ReasonNotEnrolled, true},
		{"before it departs", 3, enrollment.ReasonNotEnrolled, true},
		{"before it arrives", 4, proving.Fault, true},
		{"as it arrives", 5, proving.Fault, true},
		{"before the old record is emptied", 6, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := proving.New(t)
			u := k.Enroll("a")
			k.Told()
			other := k.NodeOver(k.Store.Straight, k.Keys).Admin("root", "left")
			k.Store.NthAfter(proving.Load, c.loads, func(context.Context, *proving.Call) { k.Must(other.Erase(t.Context(), "a")) })
			if err := mover(k).Move(t.Context(), "a", "b"); proving.ReasonOf(err) != c.is {
				t.Errorf("Move = %v, want %q", err, c.is)
			}
			k.Store.Straighten()
			erased := k.EventsOf("a", enrollment.EventErased)
			if err := mover(k).Move(t.Context(), "a", "b"); proving.ReasonOf(err) != enrollment.ReasonNotEnrolled {
				t.Errorf("Move once more = %v", err)
			}
			if k.SignIn("a", enrollment.SignInOptions{}, enrollment.Proceed); c.free {
				k.SignIn("b", enrollment.SignInOptions{}, enrollment.Proceed)
				k.Begin("b", enrollment.BeginOptions{})
			} else if _, err := (&proving.Person{ID: "b", Key: u.Key, Kit: k}).Answer(k.Code(u.Key)); err != nil {
				t.Errorf("the account that has arrived: %v", err)
			}
			if (len(erased) == 1) != c.free {
				t.Errorf("told %+v", erased)
			}
		})
	}
}

// After an erasure that has failed, the account can still be moved, once what is left of the
// move is erased. An erasure that can't tell whether the account has arrived does not call it
// erased.
func TestEraseFailsDuringMove(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("a")
	interrupted(t, k, "a", "b", 2)
	k.FailNotify(errors.New("down"))
	if err := mover(k).Erase(t.Context(), "a"); !errors.Is(err, enrollment.ErrUndelivered) {
		t.Errorf("Erase = %v, want ErrUndelivered", err)
	}
	k.FailNotify(nil)
	k.SignIn("b", enrollment.SignInOptions{}, enrollment.Proceed)
	if err := mover(k).Move(t.Context(), "a", "b"); proving.ReasonOf(err) != enrollment.ReasonUserIDTaken {
		t.Errorf("Move = %v, want that the id is taken", err)
	}
	k.Must(mover(k).Erase(t.Context(), "b"))
	k.Must(mover(k).Move(t.Context(), "a", "b"))
	if !k.Status("b").Enabled() {
		t.Error("it has not arrived")
	}

	interrupted(t, k, "b", "c", 3)
	k.Told()
	k.Damage("c")
	if err := mover(k).Erase(t.Context(), "b"); !errors.Is(err, enrollment.ErrCorrupt) || len(k.Told()) != 0 {
		t.Errorf("Erase = %v, want ErrCorrupt, and nobody told", err)
	}
	if err := mover(k).Move(t.Context(), "nobody", "c"); proving.ReasonOf(err) != enrollment.ReasonNotEnrolled {
		t.Errorf("Move of nobody = %v, want not enrolled", err)
	}
}

// A Move begins just before the erasure is saved, and stops on the way. Erase does not leave
// the new id claimed.
func TestEraseWhileItDeparts(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("a")
	s := proving.NewStore(k.Store.Straight)
	s.Nth(proving.Save, 1, func(context.Context, *proving.Call) { interrupted(t, k, "a", "b", 2) })
	admin := k.NodeOver(s, k.Keys).Admin("root", "left")
	if err := admin.Erase(t.Context(), "a"); !errors.Is(err, enrollment.ErrBusy) {
		t.Errorf("Erase = %v, want ErrBusy", err)
	}
	k.Must(admin.Erase(t.Context(), "a"))
	for _, id := range []string{"a", "b"} {
		k.SignIn(id, enrollment.SignInOptions{}, enrollment.Proceed)
	}
	if told := k.EventsOf("a", enrollment.EventErased); len(told) != 1 {
		t.Errorf("told %+v", told)
	}
}

// Waits, budgets, messages, requests, a bypass and what was not delivered go along.
func TestMoveTakesAlong(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	u := k.Enroll("a")
	post := k.Post()
	post.Bound("a", enrollment.ByReceipt(u.Receipt()))
	u.AskReset()
	k.Must(mover(k).Bypass(t.Context(), "a", k.Now().Add(time.Hour)))
	for range 5 {
		_, _ = k.Guard.Verify(t.Context(), "a", "x", u.Wrong())
	}
	k.FailNotify(errors.New("down"))
	_, err := mover(k).Export(t.Context(), "a")
	k.Must(err)
	before := k.Status("a")
	k.Must(mover(k).Move(t.Context(), "a", "b"))
	after := k.Status("b")
	after.History = after.History[1:]
	for i := range after.History {
		after.History[i].UserID = "a"
	}
	if len(before.Locks) == 0 || before.Reset == nil || before.Address == nil || before.BypassUntil.IsZero() {
		t.Fatalf("there is too little to move: %+v", before)
	}
	if after.Stamp == before.Stamp {
		t.Error("sessions of the old user id go on")
	}
	after.Stamp = before.Stamp
	if !reflect.DeepEqual(after, before) {
		t.Errorf("after the move\n%+v\nbefore it\n%+v", after, before)
	}

	k.FailNotify(nil)
	k.Pass(2 * time.Minute)
	k.Told()
	k.Sweep()
	kinds := proving.Kinds(k.EventsOf("b", enrollment.EventExported))
	if len(kinds) != 1 || len(k.EventsOf("b", enrollment.EventMoved)) != 1 {
		t.Errorf("delivered after the move: %+v", k.Told())
	}
}

// Listings name what is part of an unfinished move. Keys are changed everywhere,
// also where a record holds an account that has not arrived.
func TestMoveInListings(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	u := k.Enroll("a")
	k.Enroll("z")
	interrupted(t, k, "a", "b", 2)
	read, bad, err := proving.Listed(k.Directory().All(t.Context(), enrollment.Filter{}))
	if len(read) != 1 || len(bad) != 2 || !errors.Is(bad["a"], enrollment.ErrMoved) || !errors.Is(bad["b"], enrollment.ErrMoved) || err != nil {
		t.Errorf("listed %v, %v, %v", proving.IDsOf(read), bad, err)
	}
	var unreadable *enrollment.UnreadableError
	if _, err := k.Directory().Statuses(t.Context(), []string{"a", "z"}); !errors.As(err, &unreadable) || !errors.Is(err, enrollment.ErrMoved) {
		t.Errorf("%v", err)
	}
	k.Must(k.Directory().CheckKeys(t.Context()))

	k.Keys.Ring = k.Rotate("second")
	done, err := k.Directory().Reseal(t.Context(), enrollment.ResealOptions{})
	if err != nil || done.Moved != 3 || done.Failed.Total != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	k.Keys.Ring = proving.Only(t, k.Keys.Ring)
	k.Must(mover(k).Move(t.Context(), "a", "b"))
	now := &proving.Person{ID: "b", Key: u.Key, Kit: k}
	if _, err := now.Answer(k.Code(u.Key)); err != nil {
		t.Error(err)
	}

	// Due is in clear. What somebody writes there is put right, and nothing is done.
	rec := k.Record("a")
	rec.Due = k.Now().Add(-time.Hour)
	k.Must(k.Store.Straight.Erase(t.Context(), "a"))
	k.Must(k.Store.Straight.Save(t.Context(), rec, 0))
	if swept := k.Sweep(); swept.Repaired != 1 {
		t.Errorf("%+v", swept)
	}
	if left := k.Record("a"); !left.Due.IsZero() || left.State != store.None {
		t.Errorf("%+v", left)
	}
}

// Between its steps, somebody may erase what it works on. It notices, and nothing
// arrives that is not there.
func TestMoveWhileErased(t *testing.T) {
	t.Parallel()
	const claimLoaded, accountLoaded = 4, 5 // by the step in which it arrives
	k := proving.New(t)
	k.Enroll("a")
	k.Store.Nth(proving.Load, claimLoaded, func(context.Context, *proving.Call) {
		k.Must(k.Store.Straight.Erase(t.Context(), "b"))
	})
	if err := mover(k).Move(t.Context(), "a", "b"); !errors.Is(err, enrollment.ErrBusy) {
		t.Errorf("the claim was erased: %v", err)
	}
	if k.Record("a").State != store.Confirmed {
		t.Error("the account is lost")
	}
	k.Must(mover(k).Move(t.Context(), "a", "b"))
	if !k.Status("b").Enabled() {
		t.Error("it has not arrived")
	}

	k.Store.Nth(proving.Load, accountLoaded, func(context.Context, *proving.Call) {
		k.Must(k.Store.Straight.Erase(t.Context(), "b"))
	})
	if err := mover(k).Move(t.Context(), "b", "c"); !errors.Is(err, enrollment.ErrBusy) {
		t.Errorf("the account was erased: %v", err)
	}
	if _, err := k.Guard.Status(t.Context(), "c"); !errors.Is(err, enrollment.ErrMoved) {
		t.Errorf("an account has come from nowhere: %v", err)
	}
}

// An account that comes back while a move of it goes on is not closed by that move, and is
// not lost: the new id has seen it arrive, and it is not there any more.
func TestMoveWhileMovedBack(t *testing.T) {
	t.Parallel()
	const accountToLeave = 3 // the load of the step in which it departs
	for _, arrived := range []bool{false, true} {
		k := proving.New(t)
		u := k.Enroll("a")
		other := k.NodeOver(k.Store.Straight, k.Keys).Admin("root", "married")
		if arrived {
			interrupted(t, k, "a", "b", 3)
		}
		k.Store.Nth(proving.Load, accountToLeave, func(context.Context, *proving.Call) {
			k.Must(other.Move(t.Context(), "a", "b"))
			k.Must(other.Move(t.Context(), "b", "a"))
		})
		if err := mover(k).Move(t.Context(), "a", "b"); !errors.Is(err, enrollment.ErrBusy) {
			t.Errorf("it had arrived before: %t: %v", arrived, err)
		}
		if s, err := k.Guard.Status(t.Context(), "a"); err != nil || !s.Enabled() {
			t.Errorf("it had arrived before: %t: the account is lost: %v", arrived, err)
			continue
		}
		k.Must(mover(k).Move(t.Context(), "a", "b"))
		now := &proving.Person{ID: "b", Key: u.Key, Kit: k}
		if _, err := now.Answer(k.Code(u.Key)); err != nil {
			t.Error(err)
		}
	}
}

// A move that is repeated does not claim the new id forever if the account was erased there
// meanwhile.
func TestMoveRepeatedWhileErased(t *testing.T) {
	t.Parallel()
	const claimToMake = 2
	for _, again := range []bool{false, true} {
		k := proving.New(t)
		k.Enroll("a")
		interrupted(t, k, "a", "b", 3)
		other := k.NodeOver(k.Store.Straight, k.Keys).Admin("root", "left")
		k.Store.Nth(proving.Load, claimToMake, func(context.Context, *proving.Call) {
			k.Must(other.Erase(t.Context(), "b"))
		})
		if again {
			interrupted(t, k, "a", "b", 1)
		}
		k.Must(mover(k).Move(t.Context(), "a", "b"))
		k.SignIn("b", enrollment.SignInOptions{}, enrollment.Proceed)
		k.Begin("b", enrollment.BeginOptions{})
	}
}

// What stands under the new id can't be told from this account while the store fails.
func TestMoveDoesNotTakeAFaultForAnAccount(t *testing.T) {
	t.Parallel()
	const claimToMake, accountAgain = 2, 3
	k := proving.New(t)
	k.Enroll("a")
	other := k.NodeOver(k.Store.Straight, k.Keys).Admin("root", "married")
	k.Store.Nth(proving.Load, claimToMake, func(context.Context, *proving.Call) {
		k.Must(other.Move(t.Context(), "a", "b"))
	})
	k.Store.Nth(proving.Load, accountAgain, proving.Fails(proving.ErrLost))
	if err := mover(k).Move(t.Context(), "a", "b"); !errors.Is(err, proving.ErrLost) {
		t.Errorf("%v", err)
	}
	k.Must(mover(k).Move(t.Context(), "a", "b"))
}
