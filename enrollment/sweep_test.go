package enrollment_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// swept sweeps, and fails the test unless that is what was done. Failed is not
// compared but for its total.
func (o *registry) swept(d *enrollment.Directory, want enrollment.Swept) enrollment.Swept {
	o.t.Helper()
	got, err := d.Sweep(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	compared := got
	compared.Failed.First = nil
	if fmt.Sprintf("%+v", compared) != fmt.Sprintf("%+v", want) {
		o.t.Errorf("swept %+v\nwant  %+v", compared, want)
	}
	return got
}

// untouched fails the test if f changes what the store holds for the users.
func (o *registry) untouched(f func(), ids ...string) {
	o.t.Helper()
	before := make(map[string]store.Record)
	for _, id := range ids {
		before[id] = o.record(id)
	}
	f()
	for _, id := range ids {
		if now := o.record(id); now.Version != before[id].Version || !bytes.Equal(now.Data, before[id].Data) {
			o.t.Errorf("the record of %s has changed", id)
		}
	}
}

// A setup that was not confirmed in time goes from the record, of whoever is
// enrolled as well, and with it the secret that it had.
func TestSweepExpired(t *testing.T) {
	t.Parallel()
	for name, notify := range map[string]bool{"with Notify": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newRegistry(t, func(c *enrollment.Config) {
				if !notify {
					c.Notify = nil
				}
			})
			bob := o.enroll("bob", "calm")[0]
			o.begin("alice", enrollment.BeginOptions{})
			o.begin("bob", enrollment.BeginOptions{Proof: enrollment.ByCode(bob.app.Code(o.clock.Now()))})
			o.untouched(func() { o.swept(o.dir, enrollment.Swept{}) }, "alice", "bob", "calm")

			o.clock.Advance(15 * time.Minute)
			if rec := o.record("alice"); rec.State != store.Pending {
				t.Fatal(rec.State)
			}
			o.untouched(func() { o.swept(o.dir, enrollment.Swept{Seen: 2, Expired: 2}) }, "calm")
			if rec := o.record("alice"); rec.State != store.None || !rec.Due.IsZero() {
				t.Errorf("alice is %v, due %v", rec.State, rec.Due)
			}
			if rec := o.record("bob"); rec.State != store.Confirmed || !rec.Due.IsZero() {
				t.Errorf("bob is %v, due %v", rec.State, rec.Due)
			}
			o.untouched(func() { o.swept(o.dir, enrollment.Swept{}) }, "alice", "bob", "calm")
		})
	}
}

// request asks for a reset in the name of the user.
func (o *registry) request(c *clerk) enrollment.ResetRequest {
	o.t.Helper()
	r, err := o.guard.ResetRequests().Open(o.t.Context(), o.challenge(c.id))
	if err != nil {
		o.t.Fatal(err)
	}
	return r
}

// A request for a reset is told again every day, then that it has matured, and
// then every day until it lapses.
func TestSweepReminds(t *testing.T) {
	t.Parallel()
	o := newRegistry(t)
	alice := o.enroll("alice")[0]
	o.request(alice)
	o.told()
	const day = 24 * time.Hour
	for n := 1; n <= 34; n++ {
		o.clock.Advance(day)
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
		o.swept(o.dir, want)
		if got := o.told(); told != "" && !slices.Equal(got, []enrollment.EventKind{told}) || told == "" && len(got) != 0 {
			t.Errorf("on day %d was told %q", n, got)
		}
		o.untouched(func() { o.swept(o.dir, enrollment.Swept{}) }, "alice")
	}
	if status, err := o.guard.Status(t.Context(), "alice"); err != nil || !status.Enabled() || status.Reset != nil {
		t.Errorf("in the end: %v, %v, %v", status.State, status.Reset, err)
	}
}

// A sweep that comes late makes up for it once.
func TestSweepLate(t *testing.T) {
	t.Parallel()
	o := newRegistry(t)
	alice := o.enroll("alice")[0]
	o.request(alice)
	o.told()
	o.clock.Advance(10 * 24 * time.Hour)
	o.swept(o.dir, enrollment.Swept{Seen: 1, Matured: 1, Delivered: 1})
	o.swept(o.dir, enrollment.Swept{})
}

// A request that needs no approval is carried out when it has matured, and the
// owner hears of it.
func TestSweepCompletes(t *testing.T) {
	t.Parallel()
	o := newRegistry(t, automatic)
	alice := o.enroll("alice")[0]
	r := o.request(alice)
	o.told()
	o.clock.Advance(r.Matures.Sub(o.clock.Now()) - time.Microsecond)
	o.swept(o.dir, enrollment.Swept{Seen: 1, Reminded: 1, Delivered: 1})
	if status, err := o.guard.Status(t.Context(), "alice"); err != nil || !status.Enabled() {
		t.Fatalf("before it has matured: %v, %v", status.State, err)
	}
	o.told()
	o.clock.Advance(time.Microsecond)
	o.swept(o.dir, enrollment.Swept{Seen: 1, Completed: 1, Delivered: 1})
	if got := o.told(); !slices.Equal(got, []enrollment.EventKind{enrollment.EventReset}) {
		t.Errorf("was told %q", got)
	}
	status, err := o.guard.Status(t.Context(), "alice")
	if err != nil || status.State != store.Disabled || status.Reset != nil || status.History[0].Method != "self-service" {
		t.Errorf("afterwards: %+v, %v", status, err)
	}
	o.swept(o.dir, enrollment.Swept{})
}

// A Guard that tells nobody neither reminds in silence nor carries anything out
// that the owner would not hear of, and leaves alone what it can't change.
func TestSweepWithoutNotify(t *testing.T) {
	t.Parallel()
	o := newRegistry(t, automatic)
	fault := errors.New("the queue is full")
	failing, _ := o.over(o.mem, o.ring, func(c *enrollment.Config) {
		c.Notify = func(context.Context, enrollment.Event) error { return fault }
	})
	both := o.enroll("alice", "bob")
	alice, bob := both[0], both[1]
	r := o.request(alice)
	if _, err := failing.RenewCodes(t.Context(), "bob", enrollment.ByCode(bob.app.Code(o.clock.Now()))); err != nil {
		t.Fatal(err)
	}
	o.told()
	silent, mute := o.over(o.mem, o.ring, func(c *enrollment.Config) { c.Notify, c.AutoReset = nil, false })
	o.clock.Advance(r.Matures.Sub(o.clock.Now()))
	o.untouched(func() {
		for range 3 {
			o.swept(mute, enrollment.Swept{Seen: 2, Waiting: 2})
		}
	}, "alice", "bob")

	// What has expired goes all the same, although an event that is due earlier
	// stays.
	setup := enrollment.BeginOptions{Account: "bob", Proof: enrollment.ByCode(bob.app.Code(o.clock.Now()))}
	if _, err := silent.Begin(t.Context(), "bob", setup); err != nil {
		t.Fatal(err)
	}
	o.clock.Advance(15 * time.Minute)
	o.swept(mute, enrollment.Swept{Seen: 2, Expired: 1, Waiting: 2})
	o.untouched(func() { o.swept(mute, enrollment.Swept{Seen: 2, Waiting: 2}) }, "alice", "bob")
	if got := o.told(); len(got) != 0 {
		t.Errorf("was told %q", got)
	}

	o.swept(o.dir, enrollment.Swept{Seen: 2, Completed: 1, Delivered: 2})
	if got := o.told(); !slices.Equal(got, []enrollment.EventKind{enrollment.EventReset, enrollment.EventCodesRenewed}) {
		t.Errorf("was told %q", got)
	}
}

// A request that nobody has approved in time is closed also by a Guard that tells
// nobody, although an event that is due earlier stays.
func TestSweepLapsedWithoutNotify(t *testing.T) {
	t.Parallel()
	fail := false
	o := newRegistry(t, func(c *enrollment.Config) {
		c.Notify = func(context.Context, enrollment.Event) error {
			if fail {
				return errors.New("the queue is full")
			}
			return nil
		}
	})
	alice := o.enroll("alice")[0]
	fail = true
	r := o.request(alice)
	_, mute := o.over(o.mem, o.ring, func(c *enrollment.Config) { c.Notify = nil })
	o.clock.Advance(r.Matures.Add(30 * 24 * time.Hour).Sub(o.clock.Now()))
	o.swept(mute, enrollment.Swept{Seen: 1, Lapsed: 1, Waiting: 1})
	o.untouched(func() { o.swept(mute, enrollment.Swept{Seen: 1, Waiting: 1}) }, "alice")
}

// An overdueStore says of every record that it has been due for a while, until
// that is written anew: what the column says is not sealed.
type overdueStore struct{ *memory.Store }

func (s overdueStore) overdue(r store.Record) store.Record {
	if r.Updated.Before(modelStart.Add(time.Hour)) {
		r.Due = modelStart
	}
	return r
}

func (s overdueStore) Load(ctx context.Context, id string) (store.Record, error) {
	r, err := s.Store.Load(ctx, id)
	return s.overdue(r), err
}

func (s overdueStore) List(ctx context.Context, _ store.Query) (store.Page, error) {
	p, err := s.Store.List(ctx, store.Query{})
	for i := range p.Records {
		p.Records[i] = s.overdue(p.Records[i])
	}
	return p, err
}

// A record that is due for no reason is written, so that it does not come again.
func TestSweepDueForNothing(t *testing.T) {
	t.Parallel()
	o := newRegistry(t, func(c *enrollment.Config) { c.Notify = nil })
	o.enroll("alice")
	o.clock.Advance(time.Hour)
	_, dir := o.over(overdueStore{o.mem}, o.ring)
	o.swept(dir, enrollment.Swept{Seen: 1})
	o.swept(dir, enrollment.Swept{})
}

// What Notify did not take is handed to it again when the lease is over, with
// the same id, until it takes it.
func TestSweepDelivers(t *testing.T) {
	t.Parallel()
	fault := errors.New("the queue is full")
	fail := fault
	ids := make(map[string]int)
	o := newRegistry(t, func(c *enrollment.Config) {
		c.Notify = func(_ context.Context, e enrollment.Event) error {
			ids[e.ID]++
			return fail
		}
	})
	o.enroll("alice", "bob") // and half a minute
	o.untouched(func() { o.swept(o.dir, enrollment.Swept{}) }, "alice", "bob")
	for range 3 {
		o.clock.Advance(time.Minute)
		o.swept(o.dir, enrollment.Swept{Seen: 2, Undelivered: 2})
		o.swept(o.dir, enrollment.Swept{})
	}
	o.clock.Advance(time.Minute)
	fail = nil
	o.swept(o.dir, enrollment.Swept{Seen: 2, Delivered: 2})
	o.clock.Advance(time.Minute)
	o.untouched(func() { o.swept(o.dir, enrollment.Swept{}) }, "alice", "bob")
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
	o := newRegistry(t)
	alice := o.enroll("alice")[0]
	o.told()
	s := &lyingStore{Store: o.mem}
	// After this write nothing of the process is left that could answer.
	s.save = func(r store.Record, prev int64) error {
		if err := o.mem.Save(context.Background(), r, prev); err != nil {
			return err
		}
		panic("the power is gone")
	}
	crashing, sweeper := o.over(s, o.ring)
	crash := func(f func()) {
		defer func() {
			if recover() == nil {
				t.Error("it did not crash")
			}
		}()
		f()
	}
	crash(func() {
		_, _ = crashing.RenewCodes(t.Context(), "alice", enrollment.ByCode(alice.app.Code(o.clock.Now())))
	})
	o.swept(o.dir, enrollment.Swept{})
	o.clock.Advance(time.Minute)
	// The sweeper itself crashes when it has leased the event, and the next one
	// makes up for that as well.
	crash(func() { _, _ = sweeper.Sweep(t.Context()) })
	o.swept(o.dir, enrollment.Swept{})
	if got := o.told(); len(got) != 0 {
		t.Fatalf("was told %q", got)
	}
	o.clock.Advance(time.Minute)
	o.swept(o.dir, enrollment.Swept{Seen: 1, Delivered: 1})
	if got := o.told(); !slices.Equal(got, []enrollment.EventKind{enrollment.EventCodesRenewed}) {
		t.Errorf("was told %q", got)
	}
}

// Accounts that fail are counted and named, and the others are swept.
func TestSweepGoesOn(t *testing.T) {
	t.Parallel()
	o := newRegistry(t)
	ids := []string{"a", "b", "c", "d", "e"}
	for _, id := range ids {
		o.begin(id, enrollment.BeginOptions{})
	}
	o.damage("b")
	o.clock.Advance(15 * time.Minute)
	fault := errors.New("the disk is full")
	s := &lyingStore{Store: o.mem}
	s.save = func(r store.Record, _ int64) error {
		if r.UserID == "d" {
			return fault
		}
		return nil
	}
	_, dir := o.over(s, o.ring)
	want := enrollment.Swept{Seen: 5, Expired: 3}
	want.Failed.Total = 2
	got := o.swept(dir, want)
	if f := got.Failed.First; len(f) != 2 || f[0].UserID != "b" || !errors.Is(f[0].Err, enrollment.ErrCorrupt) ||
		f[1].UserID != "d" || !errors.Is(f[1].Err, fault) {
		t.Errorf("failed are %+v", f)
	}

	// The damaged one fails again, and the other one is made up for.
	want = enrollment.Swept{Seen: 2, Expired: 1}
	want.Failed.Total = 1
	o.swept(o.dir, want)
}

// An id that no user can have is named, and is no error of the caller's.
func TestSweepOfNobody(t *testing.T) {
	t.Parallel()
	o := newRegistry(t)
	o.begin("alice", enrollment.BeginOptions{})
	o.clock.Advance(15 * time.Minute)
	_, dir := o.over(&lyingStore{Store: o.mem, list: func(_ store.Query, p store.Page, err error) (store.Page, error) {
		p.Records[0].UserID = "a\nb"
		return p, err
	}}, o.ring)
	want := enrollment.Swept{Seen: 1}
	want.Failed.Total = 1
	got := o.swept(dir, want)
	if err := got.Failed.First[0].Err; !errors.Is(err, enrollment.ErrCorrupt) || errors.Is(err, store.ErrInvalid) {
		t.Error(err)
	}
}

// A record that is not due any more when it is loaded is left alone: somebody
// else was faster, or the store lists what was not asked for.
func TestSweepNotDue(t *testing.T) {
	t.Parallel()
	o := newRegistry(t)
	o.enroll("alice")
	o.begin("bob", enrollment.BeginOptions{})
	_, dir := o.over(&lyingStore{Store: o.mem, list: func(store.Query, store.Page, error) (store.Page, error) {
		return o.mem.List(context.Background(), store.Query{})
	}}, o.ring)
	o.untouched(func() { o.swept(dir, enrollment.Swept{}) }, "alice", "bob")
}

// A record that was erased after it was listed is not made again.
func TestSweepErased(t *testing.T) {
	t.Parallel()
	o := newRegistry(t)
	o.begin("alice", enrollment.BeginOptions{})
	o.clock.Advance(15 * time.Minute)
	s := &lyingStore{Store: o.mem, load: func(id string) error { return o.mem.Erase(context.Background(), id) }}
	_, dir := o.over(s, o.ring)
	o.swept(dir, enrollment.Swept{})
	if _, err := o.mem.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the record is back: %v", err)
	}
}

// The context is looked at before each account, and what was done is reported.
func TestSweepStops(t *testing.T) {
	t.Parallel()
	o := newRegistry(t)
	for _, id := range []string{"a", "b", "c"} {
		o.begin(id, enrollment.BeginOptions{})
	}
	o.clock.Advance(15 * time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	s := &lyingStore{Store: o.mem}
	s.save = func(r store.Record, _ int64) error {
		if r.UserID == "b" {
			cancel() // what has begun is finished
		}
		return nil
	}
	_, dir := o.over(s, o.ring)
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
	faults := map[string]func(ctx context.Context, s *memory.Store, r store.Record, prev int64) error{
		"not saved": func(context.Context, *memory.Store, store.Record, int64) error { return fault },
		"saved, and the reply is lost": func(ctx context.Context, s *memory.Store, r store.Record, prev int64) error {
			if err := s.Save(ctx, r, prev); err != nil {
				return err
			}
			return fault
		},
		"somebody was faster": func(context.Context, *memory.Store, store.Record, int64) error { return store.ErrConflict },
	}
	for name, f := range faults {
		for at := int64(1); at <= 6; at++ {
			o := newRegistry(t, automatic)
			for _, c := range o.enroll("a", "b") {
				o.request(c)
			}
			o.begin("c", enrollment.BeginOptions{})
			o.told()
			o.clock.Advance(3 * 24 * time.Hour)
			var calls atomic.Int64
			s := &lyingStore{Store: o.mem}
			s.save = func(r store.Record, prev int64) error {
				if calls.Add(1) != at {
					return nil
				}
				return f(context.Background(), o.mem, r, prev)
			}
			_, dir := o.over(s, o.ring)
			if _, err := dir.Sweep(t.Context()); err != nil {
				t.Errorf("%s, save %d: %v", name, at, err)
			}
			o.clock.Advance(2 * time.Minute)
			if again, err := o.dir.Sweep(t.Context()); err != nil || again.Failed.Total != 0 {
				t.Errorf("%s, save %d: %+v, %v", name, at, again, err)
			}
			for id, want := range map[string]store.State{"a": store.Disabled, "b": store.Disabled, "c": store.None} {
				if rec := o.record(id); rec.State != want || !rec.Due.IsZero() {
					t.Errorf("%s, save %d: %s is %v, due %v", name, at, id, rec.State, rec.Due)
				}
			}
			resets := make(map[string]bool)
			for _, e := range o.events {
				if e.Kind == enrollment.EventReset {
					resets[e.ID] = true
				}
			}
			if len(resets) != 2 {
				t.Errorf("%s, save %d: told of %d resets, want 2", name, at, len(resets))
			}
			if calls.Load() < min(at, 5) {
				t.Errorf("%s, save %d: there were only %d", name, at, calls.Load())
			}
		}
	}
}
