package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

const day = 24 * time.Hour

// setDue writes past the library: UPDATE … SET due = ….
func setDue(t *testing.T, k *proving.Kit, user string, due time.Time) {
	t.Helper()
	rec := k.Record(user)
	rec.Due = due
	k.Must(k.Store.Straight.Erase(t.Context(), user))
	k.Must(k.Store.Straight.Save(t.Context(), rec, 0))
}

func sweepNow(t *testing.T, d *enrollment.Directory) enrollment.Swept {
	t.Helper()
	got, err := d.Sweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func repairs(k *proving.Kit) (n int) {
	for _, o := range k.Observed() {
		if o == (enrollment.Observation{Operation: "repair_due", Outcome: "ok"}) {
			n++
		}
	}
	return n
}

// TestCase80_DueCleared: somebody who can write to the database cleared Due, or
// moved it away. No event is lost by it, no reminder, and no secret that should
// be gone stays.
func TestCase80_DueCleared(t *testing.T) {
	t.Parallel()
	for name, due := range map[string]time.Time{"cleared": {}, "moved away": proving.Start.Add(1000 * day)} {
		t.Run("an event/"+name, func(t *testing.T) {
			t.Parallel()
			k := proving.New(t)
			k.Enroll("alice")
			k.FailNotify(errors.New("queue down"))
			k.Must(k.Guard.Admin("mallory", "x").Bypass(t.Context(), "alice", k.Now().Add(time.Hour)))
			k.FailNotify(nil)
			k.Pass(time.Hour)
			setDue(t, k, "alice", due)
			if got := sweepNow(t, k.Directory()); got.Seen != 1 || got.Delivered != 1 || got.Repaired != 1 || got.Walked != 1 {
				t.Errorf("%+v", got)
			}
			if told := k.EventsOf("alice", enrollment.EventBypassGranted); len(told) != 1 {
				t.Errorf("told %d times", len(told))
			}
			if n := repairs(k); n != 1 || !strings.Contains(k.Log(), "level=WARN msg=\"twofactor repair_due\" user=alice") {
				t.Errorf("%d repairs were counted", n)
			}
			if got := k.Record("alice").Due; !got.IsZero() {
				t.Errorf("due %v", got)
			}
		})
		t.Run("a setup/"+name, func(t *testing.T) {
			t.Parallel()
			k := proving.New(t)
			k.Begin("alice", enrollment.BeginOptions{})
			k.Pass(time.Hour)
			setDue(t, k, "alice", due)
			if got := sweepNow(t, k.Directory()); got.Seen != 1 || got.Expired != 1 || got.Repaired != 1 {
				t.Errorf("%+v", got)
			}
			if rec := k.Record("alice"); rec.State != store.None || !rec.Due.IsZero() {
				t.Errorf("%v, due %v", rec.State, rec.Due)
			}
		})
		t.Run("reminders/"+name, func(t *testing.T) {
			t.Parallel()
			told := make(map[bool][]time.Time)
			for _, tamper := range []bool{false, true} {
				k := proving.New(t)
				k.Enroll("alice")
				_, err := k.Guard.ResetRequests().Open(t.Context(), k.Challenge("alice"))
				k.Must(err)
				d := k.Directory()
				for range 9 * 24 {
					if tamper {
						setDue(t, k, "alice", due)
					}
					sweepNow(t, d)
					k.Pass(time.Hour)
				}
				for _, e := range k.Events() {
					if e.Kind == enrollment.EventResetReminder || e.Kind == enrollment.EventResetMatured {
						told[tamper] = append(told[tamper], e.At)
					}
				}
			}
			if len(told[false]) < 8 || len(told[true]) < len(told[false])-1 {
				t.Errorf("told %d times, and without somebody who writes %d times", len(told[true]), len(told[false]))
			}
		})
	}
}

// A set of codes that is slow to make is paid for in a write of its own. That
// write puts Due right, and is the one to count.
func TestDueIsRepairedByPaying(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) {
		c.RecoveryScheme, c.RecoveryCodes = recovery.Argon2id, recovery.MinCount
	})
	alice := k.Enroll("alice")
	setDue(t, k, "alice", proving.Start.Add(1000*day))
	k.Observed()
	_, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByReceipt(alice.First.Receipt))
	k.Must(err)
	if n := repairs(k); n != 1 {
		t.Errorf("%d repairs were counted", n)
	}
	if got := k.Record("alice").Due; !got.IsZero() {
		t.Errorf("due %v", got)
	}
}

// Whatever writes an account next puts Due right, and counts it once. What only
// reads does not.
func TestDueIsRepaired(t *testing.T) {
	t.Parallel()
	for name, due := range map[string]time.Time{"cleared": {}, "brought forward": proving.Start, "moved away": proving.Start.Add(1000 * day)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := proving.New(t)
			alice := k.Enroll("alice")
			k.Begin("alice", enrollment.BeginOptions{Proof: enrollment.ByReceipt(alice.First.Receipt)})
			was := k.Record("alice").Due
			wrong := func() {
				_, err := k.Guard.Verify(t.Context(), "alice", "x", alice.Wrong())
				proving.Want(t, err, enrollment.ReasonWrongCode)
			}
			setDue(t, k, "alice", due)
			k.Observed()
			k.Unchanged("alice", func() {
				k.Status("alice")
				k.Challenge("alice")
			})
			if n := repairs(k); n != 0 {
				t.Errorf("reading has repaired %d", n)
			}
			wrong()
			if got := k.Record("alice").Due; !got.Equal(was) || repairs(k) != 1 {
				t.Errorf("due %v, want %v", got, was)
			}
			wrong()
			if n := repairs(k); n != 0 {
				t.Errorf("%d more repairs", n)
			}
		})
	}
}

// walkers enrolls some users.
func walkers(t *testing.T, n int) (k *proving.Kit, ids []string) {
	t.Helper()
	k = proving.New(t)
	for i := range n {
		ids = append(ids, fmt.Sprintf("user-%02d", i))
	}
	k.EnrollAll(ids...)
	// A page holds one record, and nothing is due.
	k.Store.Before(proving.List, func(_ context.Context, c *proving.Call) { c.Query.Limit = 1 })
	return k, ids
}

// Sweep walks over all accounts once in a day.
func TestWalkEveryDay(t *testing.T) {
	t.Parallel()
	k, ids := walkers(t, 5)
	d := k.Directory()
	walked := 0
	for hour := range 3 * 24 {
		got := sweepNow(t, d).Walked
		if got != 0 && got != len(ids) || (got > 0) != (hour%24 == 0) {
			t.Errorf("in hour %d it walked over %d accounts", hour, got)
		}
		walked += got
		k.Pass(time.Hour)
	}
	if walked != 3*len(ids) {
		t.Errorf("%d accounts in three days", walked)
	}
	// A clock that went back says nothing about when that was.
	k.Pass(-100 * day)
	if got := sweepNow(t, d).Walked; got != len(ids) {
		t.Errorf("after the clock went back it walked over %d accounts", got)
	}
}

// What becomes due while a walk goes on does not wait for its end, and is tried once.
func TestSweepDuringWalk(t *testing.T) {
	t.Parallel()
	for _, damaged := range []bool{false, true} { // one that can't be opened stays due
		t.Run(fmt.Sprintf("damaged %t", damaged), func(t *testing.T) {
			t.Parallel()
			k, ids := walkers(t, 5)
			k.Begin("zoe", enrollment.BeginOptions{})
			k.Store.After(proving.List, func(_ context.Context, c *proving.Call) {
				if c.Query.DueBy.IsZero() {
					k.Pass(time.Hour) // for each page of the walk
				}
			})
			if damaged {
				k.Damage("zoe")
			}
			if got := sweepNow(t, k.Directory()); got.Seen != 1 || got.Expired+got.Failed.Total != 1 || (got.Expired == 1) == damaged || got.Walked != len(ids)+1 {
				t.Errorf("swept %+v", got)
			}
		})
	}
}

// A walk goes on, however long it takes to do what is due.
func TestSlowSweepDuringWalk(t *testing.T) {
	t.Parallel()
	k, ids := walkers(t, 5)
	k.Store.After(proving.List, func(_ context.Context, c *proving.Call) {
		if !c.Query.DueBy.IsZero() {
			k.Pass(2 * time.Minute)
		}
	})
	k.Store.Reset()
	if got := sweepNow(t, k.Directory()); got.Walked != len(ids) {
		t.Errorf("swept %+v", got)
	}
	if pages := k.Store.Calls(proving.List); pages != 1+len(ids)+1 {
		t.Errorf("%d pages, want one more after the slow first", pages)
	}
}

// A walk that is interrupted goes on where it was, in this process or, with
// ResumeWalk, in the next one, and looks at every account once.
func TestWalkGoesOn(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	interrupt := map[string]func(cancel func(), c *proving.Call){
		"the context ends": func(cancel func(), _ *proving.Call) { cancel() },
		"the store fails":  func(_ func(), c *proving.Call) { c.Err = failed },
		"the store panics": func(func(), *proving.Call) { panic(failed) },
	}
	for how, stop := range interrupt {
		for _, same := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, the same process %t", how, same), func(t *testing.T) {
				t.Parallel()
				k, ids := walkers(t, 7)
				d := k.Directory()
				seen := 0
				var last enrollment.Swept
				run := func(pages int) (err error) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					defer func() {
						if recover() != nil {
							err = failed
						}
					}()
					// The first call asks for what is due.
					k.Store.Nth(proving.List, 1+pages+1, func(_ context.Context, c *proving.Call) { stop(cancel, c) })
					last, err = d.Sweep(ctx)
					seen += last.Walked
					return err
				}
				for i, pages := range []int{0, 2, 0, 3} {
					if err := run(pages); err == nil {
						t.Fatalf("run %d was not interrupted", i)
					}
					k.Pass([]time.Duration{time.Hour, 40 * time.Hour}[i%2])
					if how == "the store panics" {
						seen += pages // Sweep has not returned to say so
					}
					if !same && how != "the store panics" {
						d = k.Directory()
						d.ResumeWalk(last.Walk)
					}
				}
				k.Store.Before(proving.List, nil)
				if last = sweepNow(t, d); seen != 5 || last.Walked != len(ids)-seen {
					t.Errorf("%d accounts and %d", seen, last.Walked)
				}
			})
		}
	}
}

// What ResumeWalk is given says when the last walk was, too. What says nothing
// begins a new one.
func TestResumeWalk(t *testing.T) {
	t.Parallel()
	k, ids := walkers(t, 3)
	d := k.Directory()
	over := sweepNow(t, d).Walk
	k.Pass(time.Hour)
	for name, tt := range map[string]struct {
		walk string
		want int
	}{
		"over":          {over, 0},
		"nothing":       {"", len(ids)},
		"no text of it": {"hello", len(ids)},
		"no number":     {"hello,", len(ids)},
		"ahead":         {strings.Replace(over, "1", "2", 1), len(ids)},
		"an old one":    {"1," + strings.SplitN(over, ",", 2)[1], len(ids)},
	} {
		d := k.Directory()
		d.ResumeWalk(tt.walk)
		if got := sweepNow(t, d); got.Walked != tt.want || got.Walk == "" {
			t.Errorf("%s: it walked over %d accounts, and is at %q", name, got.Walked, got.Walk)
		}
	}

	// A cursor that the store does not take is given up.
	d.ResumeWalk("1,not a cursor")
	if _, err := d.Sweep(t.Context()); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("with a cursor that is none: %v", err)
	}
	if got := sweepNow(t, d).Walked; got != len(ids) {
		t.Errorf("after that it walked over %d accounts", got)
	}
}

// Of several Sweeps of a Directory at the same time, one walks, also where a
// walk goes on.
func TestWalkOnce(t *testing.T) {
	t.Parallel()
	k, ids := walkers(t, 6)
	d := k.Directory()
	k.Store.Nth(proving.List, 5, proving.Fails(errors.New("failed")))
	if got, err := d.Sweep(t.Context()); err == nil || got.Walked != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	in, on := make(chan struct{}), make(chan struct{})
	k.Store.Nth(proving.List, 2, func(context.Context, *proving.Call) {
		close(in)
		<-on
	})
	first := make(chan enrollment.Swept)
	go func() {
		got, _ := d.Sweep(context.Background())
		first <- got
	}()
	<-in
	second := sweepNow(t, d)
	close(on)
	if got := (<-first).Walked; second.Walked != 0 || got != len(ids)-3 {
		t.Errorf("%d and %d accounts, want none and the others of %d", second.Walked, got, len(ids))
	}
}

// An account that can't be opened is named once in each walk, whatever the store
// says that it is due.
func TestWalkNamesTheUnreadable(t *testing.T) {
	t.Parallel()
	k, ids := walkers(t, 4)
	k.Damage(ids[1], ids[2])
	setDue(t, k, ids[2], k.Now())
	got := sweepNow(t, k.Directory())
	var named []string
	for _, f := range got.Failed.First {
		named = append(named, f.UserID)
		if !errors.Is(f.Err, enrollment.ErrCorrupt) {
			t.Error(f.Err)
		}
	}
	slices.Sort(named)
	if !slices.Equal(named, ids[1:3]) || got.Walked != 4 || got.Seen != 2 {
		t.Errorf("named %q: %+v", named, got)
	}
}
