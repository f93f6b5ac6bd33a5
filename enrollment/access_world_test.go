package enrollment_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// A bentStore is a memory store whose calls a test can bend.
type bentStore struct {
	*memory.Store
	load  func(user string) (store.Record, error)
	save  func(rec store.Record, prev int64) error
	erase func(user string) error
}

func (s *bentStore) Load(ctx context.Context, user string) (store.Record, error) {
	if f := s.load; f != nil {
		return f(user)
	}
	return s.Store.Load(ctx, user)
}

func (s *bentStore) Save(ctx context.Context, rec store.Record, prev int64) error {
	if f := s.save; f != nil {
		return f(rec, prev)
	}
	return s.Store.Save(ctx, rec, prev)
}

func (s *bentStore) Erase(ctx context.Context, user string) error {
	if f := s.erase; f != nil {
		return f(user)
	}
	return s.Store.Erase(ctx, user)
}

// An office is a Guard over a store that can be bent, with a clock and the
// events that it has told.
type office struct {
	t      *testing.T
	store  *bentStore
	ring   *keyring.Ring
	clock  *enrollmenttest.Clock
	guard  *enrollment.Guard
	notify error // what Notify returns
	told   []enrollment.Event
}

func newOffice(t *testing.T, adjust ...func(*enrollment.Config)) *office {
	t.Helper()
	o := &office{t: t, store: &bentStore{Store: memory.New()}, clock: enrollmenttest.NewClock(modelStart)}
	config := enrollment.Config{
		Issuer: "Acme", RecoveryScheme: recovery.Fast, AllowSHA1: fips.Enforced(), Now: o.clock.Now,
		Notify: func(_ context.Context, e enrollment.Event) error {
			if o.notify == nil {
				o.told = append(o.told, e)
			}
			return o.notify
		},
	}
	for _, f := range adjust {
		f(&config)
	}
	var err error
	if o.ring, err = keyring.Generate("test"); err != nil {
		t.Fatal(err)
	}
	if o.guard, err = enrollment.New(o.store, o.ring, config); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *office) pass(d time.Duration) { o.clock.Advance(d) }

// take returns what was told since the last call, without ids, users and times.
func (o *office) take() []enrollment.Event {
	list := o.told
	o.told = nil
	for i := range list {
		list[i].ID, list[i].UserID, list[i].At = "", "", time.Time{}
	}
	return list
}

// A client is somebody who is enrolled at an office.
type client struct {
	o     *office
	id    string
	app   *enrollmenttest.App
	codes []string
	first enrollment.Success // of the confirmation

	challenge string
}

// enroll enables two-factor authentication, and lets the code's step pass.
func (o *office) enroll(id string) *client { return o.enrollWith(id, "") }

func (o *office) enrollWith(id, ticket string) *client {
	o.t.Helper()
	setup, err := o.guard.Begin(o.t.Context(), id, enrollment.BeginOptions{Account: "a", Ticket: ticket})
	if err != nil {
		o.t.Fatal(err)
	}
	app, err := enrollmenttest.Scan(setup.URI())
	if err != nil {
		o.t.Fatal(err)
	}
	done, err := o.guard.Confirm(o.t.Context(), id, setup.Token, app.Code(o.clock.Now()))
	if err != nil {
		o.t.Fatal(err)
	}
	o.pass(app.Period())
	return &client{o: o, id: id, app: app, codes: done.Codes.Reveal(), first: done.Success}
}

func (c *client) code() string { return c.app.Code(c.o.clock.Now()) }

func (c *client) wrong() string { return c.app.WrongCode(c.o.clock.Now()) }

// verify steps up, and lets the code's step pass.
func (c *client) verify(purpose enrollment.Purpose) enrollment.Success {
	c.o.t.Helper()
	ok, err := c.o.guard.Verify(c.o.t.Context(), c.id, purpose, c.code())
	if err != nil {
		c.o.t.Fatal(err)
	}
	c.o.pass(c.app.Period())
	return ok
}

// trust makes a device a trusted one.
func (c *client) trust(name string) enrollment.TrustedDevice {
	c.o.t.Helper()
	d, err := c.o.guard.Devices().Trust(c.o.t.Context(), c.id, c.verify("trust").Receipt, name)
	if err != nil {
		c.o.t.Fatal(err)
	}
	return d
}

func (o *office) signIn(id string, l enrollment.SignInOptions) enrollment.Decision {
	o.t.Helper()
	d, err := o.guard.SignIn(o.t.Context(), id, l)
	if err != nil {
		o.t.Fatal(err)
	}
	return d
}

func (o *office) status(id string) enrollment.Status {
	o.t.Helper()
	s, err := o.guard.Status(o.t.Context(), id)
	if err != nil {
		o.t.Fatal(err)
	}
	return s
}

// unchanged fails the test if f writes the user's record.
func (o *office) unchanged(id string, f func()) {
	o.t.Helper()
	before, errBefore := o.store.Store.Load(o.t.Context(), id)
	f()
	after, errAfter := o.store.Store.Load(o.t.Context(), id)
	if errors.Is(errBefore, store.ErrNotFound) != errors.Is(errAfter, store.ErrNotFound) ||
		before.Version != after.Version || !bytes.Equal(before.Data, after.Data) {
		o.t.Errorf("the record of %s has changed", id)
	}
}

// wantTold fails the test unless these events were told since the last call.
func (o *office) wantTold(want ...enrollment.Event) {
	o.t.Helper()
	got := o.take()
	if len(got) != len(want) {
		o.t.Fatalf("told of %+v, want %+v", got, want)
	}
	for i := range want {
		want[i].Count = 1
		if got[i] != want[i] {
			o.t.Errorf("told of %+v, want %+v", got[i], want[i])
		}
	}
}

// granted fails the test unless there is no error.
func granted(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
