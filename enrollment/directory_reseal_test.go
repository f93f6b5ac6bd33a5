package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// keyOf returns the id of the key that the user's account is sealed under.
func keyOf(t *testing.T, k *proving.Kit, id string) string {
	t.Helper()
	key, err := k.Keys.KeyID(k.Record(id).Data)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A code that is used up stays used up.
func TestResealKeepsMarks(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	k.In(alice.Challenge(), alice.Code())
	for range 4 {
		_, _ = k.Guard.Verify(t.Context(), "alice", "x", alice.Wrong())
	}
	guard, dir := k.Another(k.Store, k.Rotate("second"))
	if done, err := dir.Reseal(t.Context(), enrollment.ResealOptions{}); err != nil || done.Moved != 1 {
		t.Fatal(done, err)
	}
	if _, err := guard.Verify(t.Context(), "alice", "x", alice.Code()); !errors.Is(err, enrollment.ReasonReplayed) {
		t.Errorf("a code that was used: %v", err)
	}
	var denied *enrollment.Denied
	if _, err := guard.Verify(t.Context(), "alice", "x", alice.Wrong()); !errors.As(err, &denied) || denied.RetryAt.IsZero() {
		t.Errorf("the fifth wrong code begins no wait: %v", err)
	}
}

// A run that was interrupted goes on where it was.
func TestResealResumes(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	ids := proving.Users(250)
	k.EnrollAll(ids...)
	ring := k.Rotate("second")

	ctx, cancel := context.WithCancel(t.Context())
	s := proving.NewStore(k.Store.Straight)
	s.Before(proving.Save, func(_ context.Context, c *proving.Call) {
		if c.User == ids[129] {
			cancel() // what has begun is finished
		}
	})
	_, bent := k.Another(s, ring)
	first, err := bent.Reseal(ctx, enrollment.ResealOptions{})
	if !errors.Is(err, context.Canceled) || first.Done || first.Seen != 130 || first.Moved != 130 || first.Cursor == "" || first.Failed.Total != 0 {
		t.Fatalf("%+v, %v", first, err)
	}
	if id := keyOf(t, k, ids[129]); id != "second" {
		t.Errorf("what had begun is under %q", id)
	}
	// Another Directory, in another process perhaps. The page that was begun is
	// looked at again.
	_, other := k.Another(k.Store, ring)
	second, err := other.Reseal(t.Context(), enrollment.ResealOptions{Cursor: first.Cursor})
	if err != nil || !second.Done || second.Seen != 150 || second.Moved != 120 || second.Keys["second"] != 30 {
		t.Errorf("%+v, %v", second, err)
	}
	for name, cursor := range map[string]string{"none": "not a cursor", "long": strings.Repeat("x", 1<<20)} {
		done, err := other.Reseal(t.Context(), enrollment.ResealOptions{Cursor: cursor})
		if !errors.Is(err, store.ErrInvalid) || done.Seen != 0 || done.Done || done.Cursor != cursor {
			t.Errorf("the cursor %s: %v, %v", name, done.Seen, err)
		}
	}
}

// What can't be opened or saved is named, and the rest is moved.
func TestResealGoesOn(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.EnrollAll("a", "b", "c", "d", "e")
	ring := k.Rotate("second")
	second, _ := k.Another(k.Store, ring)
	if _, err := second.Begin(t.Context(), "f", enrollment.BeginOptions{Account: "f", Proof: enrollment.ByReauth("password")}); err != nil {
		t.Fatal(err)
	}
	k.Damage("b", "f") // under the old key and under the new one
	fault := errors.New("the disk is full")
	s := proving.NewStore(k.Store.Straight)
	s.Before(proving.Save, func(_ context.Context, c *proving.Call) {
		if c.User == "d" {
			c.Err = fault
		}
	})
	_, dir := k.Another(s, ring)
	done, err := dir.Reseal(t.Context(), enrollment.ResealOptions{})
	if err != nil || !done.Done || done.Seen != 6 || done.Moved != 3 || !maps.Equal(done.Keys, map[string]int{"first": 3}) {
		t.Errorf("%+v, %v", done, err)
	}
	if f := done.Failed; f.Total != 3 || f.First[0].UserID != "b" || !errors.Is(f.First[0].Err, enrollment.ErrCorrupt) ||
		f.First[1].UserID != "d" || !errors.Is(f.First[1].Err, fault) || f.First[2].UserID != "f" {
		t.Errorf("failed are %+v", f)
	}

	// A ring that lacks the old key moves nothing, and says so.
	_, alone := k.Another(k.Store, proving.Only(t, ring))
	done, err = alone.Reseal(t.Context(), enrollment.ResealOptions{})
	if err != nil || done.Moved != 0 || done.Failed.Total != 3 || !errors.Is(done.Failed.First[1].Err, keyring.ErrUnknownKey) {
		t.Errorf("without the old key: %+v, %v", done, err)
	}
}

// Ids of keys that somebody made up don't fill the memory: only what has opened
// is counted.
func TestResealMadeUpKeys(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	ids := proving.Users(50)
	k.EnrollAll(ids...)
	for i, id := range ids {
		rec := k.Record(id)
		prev := rec.Version
		rec.Version++
		rec.Data = append(fmt.Appendf([]byte{1, 4}, "%04d", i), rec.Data[7:]...)
		if err := k.Store.Straight.Save(t.Context(), rec, prev); err != nil {
			t.Fatal(err)
		}
	}
	if done, err := k.Directory().Reseal(t.Context(), enrollment.ResealOptions{}); err != nil || len(done.Keys) != 0 || done.Failed.Total != 50 {
		t.Errorf("%d keys, %d failures, %v", len(done.Keys), done.Failed.Total, err)
	}
}

// A Sealer that can't tell has every account sealed anew.
func TestResealWithoutKeyNamer(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.EnrollAll("a", "b")
	_, dir := k.Another(k.Store, struct{ enrollment.Sealer }{k.Rotate("second")})
	for range 2 {
		done, err := dir.Reseal(t.Context(), enrollment.ResealOptions{})
		if err != nil || done.Seen != 2 || done.Moved != 2 || !maps.Equal(done.Keys, map[string]int{"": 2}) {
			t.Errorf("%+v, %v", done, err)
		}
	}
	if id := keyOf(t, k, "a"); id != "second" {
		t.Errorf("a is under %q", id)
	}
}

// Events that wait are not delivered by it, and wait as long as they did.
func TestResealLeavesEvents(t *testing.T) {
	t.Parallel()
	told := 0
	k := proving.New(t, func(c *enrollment.Config) {
		c.Notify = func(context.Context, enrollment.Event) error { told++; return errors.New("the queue is full") }
	})
	k.EnrollAll("alice")
	due := k.Record("alice").Due
	k.Pass(time.Hour)
	told = 0
	_, dir := k.Another(k.Store, k.Rotate("second"))
	if done, err := dir.Reseal(t.Context(), enrollment.ResealOptions{}); err != nil || done.Moved != 1 || told != 0 {
		t.Errorf("%+v, %v, told %d times", done, err, told)
	}
	if rec := k.Record("alice"); !rec.Due.Equal(due) || keyOf(t, k, "alice") != "second" {
		t.Errorf("due %v, was %v", rec.Due, due)
	}
}

// A record that was erased, or moved by somebody else, after it was listed is
// not made again and not written once more.
func TestResealMeanwhile(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"erased", "moved"} {
		k := proving.New(t)
		alice := k.Enroll("alice")
		ring := k.Rotate("second")
		guard, _ := k.Another(k.Store, ring)
		s := proving.NewStore(k.Store.Straight)
		s.Nth(proving.Load, 1, func(ctx context.Context, c *proving.Call) {
			if how == "erased" {
				c.Err = k.Store.Erase(ctx, c.User)
				return
			}
			_, c.Err = guard.Verify(ctx, c.User, "x", alice.Code())
		})
		_, dir := k.Another(s, ring)
		done, err := dir.Reseal(t.Context(), enrollment.ResealOptions{})
		want := map[string]int{"second": 1}
		if how == "erased" {
			want = map[string]int{}
		}
		if err != nil || done.Moved != 0 || s.Calls(proving.Save) != 0 || done.Seen != len(want) || !maps.Equal(done.Keys, want) {
			t.Errorf("%s: %+v, %v, %d saves", how, done, err, s.Calls(proving.Save))
		}
		if _, err := k.Store.Straight.Load(t.Context(), "alice"); (how == "erased") != errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", how, err)
		}
	}
}

// Codes are used and accounts are moved at the same time, by several of each,
// and nothing of either is lost.
func TestResealBesideTraffic(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	ids := proving.Users(12)
	all := k.EnrollAll(ids...)
	ring := k.Rotate("second")
	var wg sync.WaitGroup
	for i, c := range all {
		g := k.Guard // a node that still seals under the old key
		if i%2 == 0 {
			g, _ = k.Another(k.Store, ring)
		} else {
			// It must be able to open what is moved.
			old, err := keyring.Parse(reversed(ring.Reveal()))
			if err != nil {
				t.Fatal(err)
			}
			g, _ = k.Another(k.Store, old)
		}
		wg.Go(func() {
			for i := range 6 {
				if _, err := g.Verify(t.Context(), c.ID, "x", c.Codes[i]); err != nil {
					t.Error(c.ID, err)
				}
			}
		})
	}
	_, dir := k.Another(k.Store, ring)
	for range 3 {
		wg.Go(func() {
			for range 5 {
				if done, err := dir.Reseal(t.Context(), enrollment.ResealOptions{}); err != nil || done.Failed.Total != 0 || done.Seen != 12 {
					t.Errorf("%+v, %v", done, err)
				}
			}
		})
	}
	wg.Wait()
	if done, err := dir.Reseal(t.Context(), enrollment.ResealOptions{}); err != nil || done.Failed.Total != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	fresh, _ := k.Another(k.Store, proving.Only(t, ring))
	for _, c := range all {
		if status, err := fresh.Status(t.Context(), c.ID); err != nil || status.CodesLeft != 4 {
			t.Errorf("%s: %d codes left, %v", c.ID, status.CodesLeft, err)
		}
	}
}

// reversed returns the text of a ring of two keys with the other one first.
func reversed(text string) string {
	a, b, _ := strings.Cut(text, ",")
	return b + "," + a
}

// Whatever Save does, no account is lost, and another run ends well.
func TestResealFaults(t *testing.T) {
	t.Parallel()
	fault := errors.New("a fault")
	for name, saved := range map[string]bool{"not saved": false, "saved, and the reply is lost": true} {
		k := proving.New(t)
		ids := proving.Users(5)
		k.EnrollAll(ids...)
		ring := k.Rotate("second")
		s := proving.NewStore(k.Store.Straight)
		s.Fail(proving.Save, fault)
		if saved {
			s.Straighten()
			s.After(proving.Save, proving.Fails(fault))
		}
		_, dir := k.Another(s, ring)
		done, err := dir.Reseal(t.Context(), enrollment.ResealOptions{})
		moved := 0
		if saved {
			moved = 5
		}
		if err != nil || done.Moved != moved || done.Failed.Total != 5-moved {
			t.Errorf("%s: %+v, %v", name, done, err)
		}
		s.Straighten()
		if done, err = dir.Reseal(t.Context(), enrollment.ResealOptions{}); err != nil || done.Moved != 5-moved || done.Failed.Total != 0 {
			t.Errorf("%s, again: %+v, %v", name, done, err)
		}
	}
}

// A program that reseals is configured by somebody who thinks of keys. Whatever
// else its configuration and its clock say, nothing about the accounts changes.
func TestResealChangesNothingElse(t *testing.T) {
	t.Parallel()
	for name, adjust := range map[string]func(k *proving.Kit) func(*enrollment.Config){
		"without KeepCodes": func(*proving.Kit) func(*enrollment.Config) {
			return func(c *enrollment.Config) { c.KeepCodes = false }
		},
		"a clock that is behind": func(k *proving.Kit) func(*enrollment.Config) {
			return func(c *enrollment.Config) {
				c.Now = func() time.Time { return k.Now().Add(-49 * time.Hour) }
			}
		},
		"a clock that is ahead": func(k *proving.Kit) func(*enrollment.Config) {
			return func(c *enrollment.Config) {
				c.Now = func() time.Time { return k.Now().Add(49 * time.Hour) }
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := proving.New(t, func(c *enrollment.Config) { c.KeepCodes = true })
			alice := k.Enroll("alice")
			k.Pass(time.Minute)
			used := alice.Code()
			spent := k.Challenge("alice")
			if _, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, spent, used); err != nil {
				t.Fatal(err)
			}
			open := k.Challenge("alice")
			for range 5 {
				_, _ = k.Guard.Verify(t.Context(), "alice", "x", "0000000000000000")
			}
			k.Begin("bob", enrollment.BeginOptions{})
			before := map[string]store.Record{"alice": k.Record("alice"), "bob": k.Record("bob")}
			status, err := k.Guard.Status(t.Context(), "alice")
			if err != nil || len(status.Locks) != 1 {
				t.Fatal(status, err)
			}

			ring := k.Rotate("second")
			_, dir := k.Another(k.Store, ring, adjust(k))
			if done, err := dir.Reseal(t.Context(), enrollment.ResealOptions{}); err != nil || done.Moved != 2 {
				t.Fatal(done, err)
			}
			for user, old := range before {
				rec := k.Record(user)
				if rec.State != old.State || !rec.Due.Equal(old.Due) || rec.Version == old.Version {
					t.Errorf("%s: %v, due %v, version %d; was %v, %v, %d",
						user, rec.State, rec.Due, rec.Version, old.State, old.Due, old.Version)
				}
			}
			guard, _ := k.Another(k.Store, ring)
			if after, err := guard.Status(t.Context(), "alice"); err != nil || !reflect.DeepEqual(after, status) {
				t.Errorf("%+v, %v, was %+v", after, err, status)
			}
			if _, err := guard.Answer(t.Context(), enrollment.PurposeSignIn, open, used); proving.ReasonOf(err) != enrollment.ReasonReplayed {
				t.Errorf("the code that was used: %v", err)
			}
			k.Pass(30 * time.Second)
			if _, err := guard.Answer(t.Context(), enrollment.PurposeSignIn, spent, alice.Code()); proving.ReasonOf(err) != enrollment.ReasonChallengeSpent {
				t.Errorf("the challenge that was spent: %v", err)
			}
			if _, err := guard.Answer(t.Context(), enrollment.PurposeSignIn, open, alice.Code()); err != nil {
				t.Errorf("the challenge that is open: %v", err)
			}
			k.Pass(30 * time.Second)
			kept, err := guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
			if err != nil || kept.Len() != len(alice.Codes) {
				t.Errorf("the codes that are kept: %d, %v", kept.Len(), err)
			}
		})
	}
}

// No more failures are named than somebody reads, and all are counted.
func TestFailuresAreBounded(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	for i := range 103 {
		k.EnrollAll(fmt.Sprintf("user-%03d", i))
	}
	stranger, err := keyring.Generate("stranger")
	if err != nil {
		t.Fatal(err)
	}
	_, dir := k.Another(k.Store, stranger)
	done, err := dir.Reseal(t.Context(), enrollment.ResealOptions{})
	if f := done.Failed; err != nil || f.Total != 103 || len(f.First) != 100 || f.First[99].UserID != "user-099" {
		t.Errorf("%d failures, %d of them named, %v", f.Total, len(f.First), err)
	}
}
