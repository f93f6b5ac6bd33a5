package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// swept sweeps, and fails the test unless that is what was done. Failed is not
// compared but for its total, and the walk over all accounts is left out.
func swept(t *testing.T, k *proving.Kit, d *enrollment.Directory, want enrollment.Swept) enrollment.Swept {
	t.Helper()
	got, err := d.Sweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	compared := got
	compared.Failed.First = nil
	compared.Walked, compared.Walk = 0, ""
	if fmt.Sprintf("%+v", compared) != fmt.Sprintf("%+v", want) {
		t.Errorf("swept %+v\nwant  %+v", compared, want)
	}
	return got
}

// Sweep deletes a setup that was not confirmed in time from the record of a user
// enrolled as well, and with it the secret that it had.
func TestSweepExpired(t *testing.T) {
	t.Parallel()
	for name, notify := range map[string]bool{"with Notify": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := proving.New(t, func(c *enrollment.Config) {
				if !notify {
					c.Notify = nil
				}
			})
			bob := k.EnrollAll("bob", "calm")[0]
			k.Begin("alice", enrollment.BeginOptions{})
			k.Begin("bob", enrollment.BeginOptions{Proof: enrollment.ByCode(bob.Code())})
			k.Untouched(func() { swept(t, k, k.Directory(), enrollment.Swept{}) }, "alice", "bob", "calm")

			k.Pass(15 * time.Minute)
			if rec := k.Record("alice"); rec.State != store.Pending {
				t.Fatal(rec.State)
			}
			k.Untouched(func() { swept(t, k, k.Directory(), enrollment.Swept{Seen: 2, Expired: 2}) }, "calm")
			if rec := k.Record("alice"); rec.State != store.None || !rec.Due.IsZero() {
				t.Errorf("alice is %v, due %v", rec.State, rec.Due)
			}
			if rec := k.Record("bob"); rec.State != store.Confirmed || !rec.Due.IsZero() {
				t.Errorf("bob is %v, due %v", rec.State, rec.Due)
			}
			k.Untouched(func() { swept(t, k, k.Directory(), enrollment.Swept{}) }, "alice", "bob", "calm")
		})
	}
}

// A request for a reset is told again every day, then that it has matured, and
// then every day until it lapses.
func TestSweepReminds(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	alice.AskReset()
	k.Told()
	const day = 24 * time.Hour
	for n := 1; n <= 34; n++ {
		k.Pass(day)
		want := enrollment.Swept{Seen: 1, Delivered: 1}
		var told enrollment.EventKind
		switch {
		case n < 3:
			want.Reminded, told = 1, enrollment.EventResetReminder
		case n == 3:
			want.Matured, told = 1, enrollment.EventResetMatured
		case n < 33:
			want.Reminded, told = 1, enrollment.EventResetReminder
		case n == 33:
			want = enrollment.Swept{Seen: 1, Lapsed: 1}
		default:
			want = enrollment.Swept{}
		}
		swept(t, k, k.Directory(), want)
		if got := proving.Kinds(k.Told()); told != "" && !slices.Equal(got, []enrollment.EventKind{told}) || told == "" && len(got) != 0 {
			t.Errorf("on day %d was told %q", n, got)
		}
		k.Untouched(func() { swept(t, k, k.Directory(), enrollment.Swept{}) }, "alice")
	}
	if status, err := k.Guard.Status(t.Context(), "alice"); err != nil || !status.Enabled() || status.Reset != nil {
		t.Errorf("in the end: %v, %v, %v", status.State, status.Reset, err)
	}
}

// A sweep that comes late makes up for it once.
func TestSweepLate(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	alice.AskReset()
	k.Told()
	k.Pass(10 * 24 * time.Hour)
	swept(t, k, k.Directory(), enrollment.Swept{Seen: 1, Matured: 1, Delivered: 1})
	swept(t, k, k.Directory(), enrollment.Swept{})
}

// A request that needs no approval is carried out when it has matured, and the
// owner hears of it.
func TestSweepCompletes(t *testing.T) {
	t.Parallel()
	k := proving.New(t, automatic)
	alice := k.Enroll("alice")
	r := alice.AskReset()
	k.Told()
	k.Pass(r.Matures.Sub(k.Now()) - time.Microsecond)
	swept(t, k, k.Directory(), enrollment.Swept{Seen: 1, Reminded: 1, Delivered: 1})
	if status, err := k.Guard.Status(t.Context(), "alice"); err != nil || !status.Enabled() {
		t.Fatalf("before it has matured: %v, %v", status.State, err)
	}
	k.Told()
	k.Pass(time.Microsecond)
	swept(t, k, k.Directory(), enrollment.Swept{Seen: 1, Completed: 1, Delivered: 1})
	if got := proving.Kinds(k.Told()); !slices.Equal(got, []enrollment.EventKind{enrollment.EventReset}) {
		t.Errorf("was told %q", got)
	}
	status, err := k.Guard.Status(t.Context(), "alice")
	if err != nil || status.State != store.Disabled || status.Reset != nil || status.History[0].Method != "self-service" {
		t.Errorf("afterwards: %+v, %v", status, err)
	}
	swept(t, k, k.Directory(), enrollment.Swept{})
}

// A Guard that tells nobody neither reminds in silence nor carries anything out
// that the owner would not hear of, and leaves alone what it can't change.
func TestSweepWithoutNotify(t *testing.T) {
	t.Parallel()
	k := proving.New(t, automatic)
	fault := errors.New("the queue is full")
	failing, _ := k.Another(k.Store, k.Keys, func(c *enrollment.Config) {
		c.Notify = func(context.Context, enrollment.Event) error { return fault }
	})
	both := k.EnrollAll("alice", "bob")
	alice, bob := both[0], both[1]
	r := alice.AskReset()
	if _, err := failing.RenewCodes(t.Context(), "bob", enrollment.ByCode(bob.Code())); err != nil {
		t.Fatal(err)
	}
	k.Told()
	silent, mute := k.Another(k.Store, k.Keys, func(c *enrollment.Config) { c.Notify, c.AutoReset = nil, false })
	k.Pass(r.Matures.Sub(k.Now()))
	k.Untouched(func() {
		for range 3 {
			swept(t, k, mute, enrollment.Swept{Seen: 2, Waiting: 2})
		}
	}, "alice", "bob")

	// What has expired goes all the same, although an event that is due earlier
	// stays.
	setup := enrollment.BeginOptions{Account: "bob", Proof: enrollment.ByCode(bob.Code())}
	if _, err := silent.Begin(t.Context(), "bob", setup); err != nil {
		t.Fatal(err)
	}
	k.Pass(15 * time.Minute)
	swept(t, k, mute, enrollment.Swept{Seen: 2, Expired: 1, Waiting: 2})
	k.Untouched(func() { swept(t, k, mute, enrollment.Swept{Seen: 2, Waiting: 2}) }, "alice", "bob")
	if got := proving.Kinds(k.Told()); len(got) != 0 {
		t.Errorf("was told %q", got)
	}

	swept(t, k, k.Directory(), enrollment.Swept{Seen: 2, Completed: 1, Delivered: 2})
	if got := proving.Kinds(k.Told()); !slices.Equal(got, []enrollment.EventKind{enrollment.EventReset, enrollment.EventCodesRenewed}) {
		t.Errorf("was told %q", got)
	}
}

// A request that nobody has approved in time is closed also by a Guard that tells
// nobody, although an event that is due earlier stays.
func TestSweepLapsedWithoutNotify(t *testing.T) {
	t.Parallel()
	fail := false
	k := proving.New(t, func(c *enrollment.Config) {
		c.Notify = func(context.Context, enrollment.Event) error {
			if fail {
				return errors.New("the queue is full")
			}
			return nil
		}
	})
	alice := k.Enroll("alice")
	fail = true
	r := alice.AskReset()
	_, mute := k.Another(k.Store, k.Keys, func(c *enrollment.Config) { c.Notify = nil })
	k.Pass(r.Matures.Add(30 * 24 * time.Hour).Sub(k.Now()))
	swept(t, k, mute, enrollment.Swept{Seen: 1, Lapsed: 1, Waiting: 1})
	k.Untouched(func() { swept(t, k, mute, enrollment.Swept{Seen: 1, Waiting: 1}) }, "alice")
}

// A record that is due for no reason is written, so that it does not come again,
// and counts as repaired: the store says so of every record until that is written
// anew, and what the column says is not sealed.
func TestSweepDueForNothing(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) { c.Notify = nil })
	k.EnrollAll("alice")
	k.Pass(time.Hour)
	overdue := func(r *store.Record) {
		if r.Updated.Before(proving.Start.Add(time.Hour)) {
			r.Due = proving.Start
		}
	}
	k.Store.After(proving.Load, func(_ context.Context, c *proving.Call) { overdue(&c.Record) })
	k.Store.Before(proving.List, func(_ context.Context, c *proving.Call) { c.Query = store.Query{} })
	k.Store.After(proving.List, func(_ context.Context, c *proving.Call) {
		for i := range c.Page.Records {
			overdue(&c.Page.Records[i])
		}
	})
	dir := k.Directory()
	swept(t, k, dir, enrollment.Swept{Repaired: 1})
	swept(t, k, dir, enrollment.Swept{})
}

// What Notify did not take is handed to it again when the lease is over, with
// the same id, until it takes it.
func TestSweepDelivers(t *testing.T) {
	t.Parallel()
	fault := errors.New("the queue is full")
	fail := fault
	ids := make(map[string]int)
	k := proving.New(t, func(c *enrollment.Config) {
		c.Notify = func(_ context.Context, e enrollment.Event) error {
			ids[e.ID]++
			return fail
		}
	})
	k.EnrollAll("alice", "bob") // and half a minute
	k.Untouched(func() { swept(t, k, k.Directory(), enrollment.Swept{}) }, "alice", "bob")
	for range 3 {
		k.Pass(time.Minute)
		swept(t, k, k.Directory(), enrollment.Swept{Seen: 2, Undelivered: 2})
		swept(t, k, k.Directory(), enrollment.Swept{})
	}
	k.Pass(time.Minute)
	fail = nil
	swept(t, k, k.Directory(), enrollment.Swept{Seen: 2, Delivered: 2})
	k.Pass(time.Minute)
	k.Untouched(func() { swept(t, k, k.Directory(), enrollment.Swept{}) }, "alice", "bob")
	if len(ids) != 2 {
		t.Errorf("%d events were told of, want 2", len(ids))
	}
	for id, n := range ids {
		if n != 5 {
			t.Errorf("%s was told %d times, want 5", id, n)
		}
	}
}

// A process that ends between a change and its delivery leaves the event to the
// next sweep after the lease.
func TestSweepAfterCrash(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	k.Told()
	s := proving.NewStore(k.Store.Straight)
	// After this write nothing of the process is left that could answer.
	s.After(proving.Save, func(_ context.Context, c *proving.Call) {
		if c.Err == nil {
			panic("the power is gone")
		}
	})
	crashing, sweeper := k.Another(s, k.Keys)
	crash := func(f func()) {
		defer func() {
			if recover() == nil {
				t.Error("it did not crash")
			}
		}()
		f()
	}
	crash(func() {
		_, _ = crashing.RenewCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
	})
	swept(t, k, k.Directory(), enrollment.Swept{})
	k.Pass(time.Minute)
	// The sweeper itself crashes when it has leased the event, and the next one
	// makes up for that as well.
	crash(func() { _, _ = sweeper.Sweep(t.Context()) })
	swept(t, k, k.Directory(), enrollment.Swept{})
	if got := proving.Kinds(k.Told()); len(got) != 0 {
		t.Fatalf("was told %q", got)
	}
	k.Pass(time.Minute)
	swept(t, k, k.Directory(), enrollment.Swept{Seen: 1, Delivered: 1})
	if got := proving.Kinds(k.Told()); !slices.Equal(got, []enrollment.EventKind{enrollment.EventCodesRenewed}) {
		t.Errorf("was told %q", got)
	}
}

// A database can have to read all that is due for each page, so Sweep asks for as few
// pages as a store allows.
func TestSweepAsksForFewPages(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	const due = store.MaxPage + 1
	for i := range due {
		k.Begin(fmt.Sprintf("user-%d", i), enrollment.BeginOptions{})
	}
	k.Pass(15 * time.Minute)
	pages := 0
	_, dir := k.Another(lying(k, func(q store.Query, p store.Page, err error) (store.Page, error) {
		if !q.DueBy.IsZero() {
			pages++
		}
		return p, err
	}), k.Keys)
	swept(t, k, dir, enrollment.Swept{Seen: due, Expired: due})
	if pages != 2 {
		t.Errorf("Sweep of %d accounts asked for %d pages", due, pages)
	}
}

// Accounts that fail are counted and named, and the others are swept.
func TestSweepGoesOn(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	ids := []string{"a", "b", "c", "d", "e"}
	for _, id := range ids {
		k.Begin(id, enrollment.BeginOptions{})
	}
	k.Damage("b")
	k.Pass(15 * time.Minute)
	fault := errors.New("the disk is full")
	s := proving.NewStore(k.Store.Straight)
	s.Before(proving.Save, func(_ context.Context, c *proving.Call) {
		if c.User == "d" {
			c.Err = fault
		}
	})
	_, dir := k.Another(s, k.Keys)
	want := enrollment.Swept{Seen: 5, Expired: 3}
	want.Failed.Total = 2
	got := swept(t, k, dir, want)
	if f := got.Failed.First; len(f) != 2 || f[0].UserID != "b" || !errors.Is(f[0].Err, enrollment.ErrCorrupt) ||
		f[1].UserID != "d" || !errors.Is(f[1].Err, fault) {
		t.Errorf("failed are %+v", f)
	}

	// The damaged one fails again, and the other one is made up for.
	want = enrollment.Swept{Seen: 2, Expired: 1}
	want.Failed.Total = 1
	swept(t, k, k.Directory(), want)
}

// An id that no user can have is named, and is no error of the caller's.
func TestSweepOfNobody(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Begin("alice", enrollment.BeginOptions{})
	k.Pass(15 * time.Minute)
	_, dir := k.Another(lying(k, func(_ store.Query, p store.Page, err error) (store.Page, error) {
		p.Records[0].UserID = "a\nb"
		return p, err
	}), k.Keys)
	want := enrollment.Swept{Seen: 1}
	want.Failed.Total = 1
	got := swept(t, k, dir, want)
	if err := got.Failed.First[0].Err; !errors.Is(err, enrollment.ErrCorrupt) || errors.Is(err, store.ErrInvalid) {
		t.Error(err)
	}
}

// A record that is not due any more when it is loaded is left alone: somebody
// else was faster, or the store lists what was not asked for.
func TestSweepNotDue(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.EnrollAll("alice")
	k.Begin("bob", enrollment.BeginOptions{})
	_, dir := k.Another(lying(k, func(store.Query, store.Page, error) (store.Page, error) {
		return k.Store.Straight.List(context.Background(), store.Query{})
	}), k.Keys)
	k.Untouched(func() { swept(t, k, dir, enrollment.Swept{}) }, "alice", "bob")
}

// A record that was erased after it was listed is not made again.
func TestSweepErased(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Begin("alice", enrollment.BeginOptions{})
	k.Pass(15 * time.Minute)
	s := proving.NewStore(k.Store.Straight)
	s.Before(proving.Load, func(ctx context.Context, c *proving.Call) { c.Err = k.Store.Erase(ctx, c.User) })
	_, dir := k.Another(s, k.Keys)
	swept(t, k, dir, enrollment.Swept{})
	if _, err := k.Store.Straight.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the record is back: %v", err)
	}
}

// The context is looked at before each account, and what was done is reported.
func TestSweepStops(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	for _, id := range []string{"a", "b", "c"} {
		k.Begin(id, enrollment.BeginOptions{})
	}
	k.Pass(15 * time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	s := proving.NewStore(k.Store.Straight)
	s.Before(proving.Save, func(_ context.Context, c *proving.Call) {
		if c.User == "b" {
			cancel() // what has begun is finished
		}
	})
	_, dir := k.Another(s, k.Keys)
	got, err := dir.Sweep(ctx)
	if !errors.Is(err, context.Canceled) || got.Seen != 2 || got.Expired != 2 || got.Failed.Total != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Whatever the store does at whatever call, a second sweep ends with what one
// without faults ends with, and nothing is told that is not stored.
func TestSweepFaults(t *testing.T) {
	t.Parallel()
	fault := errors.New("a fault")
	faults := map[string]func(s *proving.Store, at int){
		"not saved":                    func(s *proving.Store, at int) { s.Nth(proving.Save, at, proving.Fails(fault)) },
		"saved, and the reply is lost": func(s *proving.Store, at int) { s.NthAfter(proving.Save, at, proving.Fails(fault)) },
		"somebody was faster":          func(s *proving.Store, at int) { s.Nth(proving.Save, at, proving.Fails(store.ErrConflict)) },
	}
	for name, f := range faults {
		for at := 1; at <= 6; at++ {
			k := proving.New(t, automatic)
			for _, c := range k.EnrollAll("a", "b") {
				c.AskReset()
			}
			k.Begin("c", enrollment.BeginOptions{})
			k.Told()
			k.Pass(3 * 24 * time.Hour)
			s := proving.NewStore(k.Store.Straight)
			f(s, at)
			_, dir := k.Another(s, k.Keys)
			if _, err := dir.Sweep(t.Context()); err != nil {
				t.Errorf("%s, save %d: %v", name, at, err)
			}
			k.Pass(2 * time.Minute)
			if again, err := k.Directory().Sweep(t.Context()); err != nil || again.Failed.Total != 0 {
				t.Errorf("%s, save %d: %+v, %v", name, at, again, err)
			}
			for id, want := range map[string]store.State{"a": store.Disabled, "b": store.Disabled, "c": store.None} {
				if rec := k.Record(id); rec.State != want || !rec.Due.IsZero() {
					t.Errorf("%s, save %d: %s is %v, due %v", name, at, id, rec.State, rec.Due)
				}
			}
			resets := make(map[string]bool)
			for _, e := range k.Events() {
				if e.Kind == enrollment.EventReset {
					resets[e.ID] = true
				}
			}
			if len(resets) != 2 {
				t.Errorf("%s, save %d: told of %d resets, want 2", name, at, len(resets))
			}
			if s.Calls(proving.Save) < min(at, 5) {
				t.Errorf("%s, save %d: there were only %d", name, at, s.Calls(proving.Save))
			}
		}
	}
}
