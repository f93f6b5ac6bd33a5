// Package guardtest holds package enrollment against the defects of other
// systems, on whatever store it is given. Each test says in a line what went
// wrong elsewhere. The numbers only keep the cases apart; they have gaps.
package guardtest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Open returns a fresh, empty store.
type Open func(t *testing.T) store.Store

// A Case is one test of the suite.
type Case struct {
	Name string
	Run  func(t *testing.T, open Open)

	// Alone says that the case counts what the whole process allocates, and
	// runs while no other does.
	Alone bool
}

// Run runs every case, each on a fresh store. The test that calls it must not
// be parallel to others.
func Run(t *testing.T, open Open) {
	for _, c := range Cases {
		t.Run(c.Name, func(t *testing.T) {
			if !c.Alone {
				t.Parallel()
			}
			c.Run(t, open)
		})
	}
}

// start is when the clock of a test begins: in the middle of a time step.
var start = time.Date(2026, 3, 1, 12, 0, 15, 0, time.UTC)

// A world is a store, a guard over it, and a clock. Its methods fail the test
// if what they set up is refused.
type world struct {
	t      *testing.T
	store  store.Store
	keys   enrollment.Sealer
	config enrollment.Config
	guard  *enrollment.Guard
	clock  atomic.Int64 // nanoseconds since start
}

func newWorld(t *testing.T, s store.Store, adjust ...func(*enrollment.Config)) *world {
	t.Helper()
	keys, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: s, keys: keys}
	w.config = enrollment.Config{Issuer: "Acme", RecoveryScheme: recovery.Fast, AllowSHA1: fips.Enforced(), Now: w.now}
	for _, f := range adjust {
		f(&w.config)
	}
	if w.config.RecoveryScheme == recovery.Argon2id && fips.Enforced() {
		t.Skip("Argon2id is refused, FIPS 140-3 is enforced")
	}
	w.guard = w.guardOver(s)
	return w
}

// guardOver returns another guard with the same keys and clock: another
// process, or the same one after a restart.
func (w *world) guardOver(s store.Store) *enrollment.Guard {
	w.t.Helper()
	g, err := enrollment.New(s, w.keys, w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

func (w *world) now() time.Time { return start.Add(time.Duration(w.clock.Load())) }

func (w *world) advance(d time.Duration) { w.clock.Add(int64(d)) }

// A user is somebody who is enrolled, with the app and the recovery codes.
type user struct {
	w     *world
	id    string
	app   totp.Key
	codes []string
	done  enrollment.Success
}

// begin begins a setup and returns the app that scanned it.
func (w *world) begin(id string, p enrollment.Proof, replace string) (totp.Key, string) {
	w.t.Helper()
	setup, err := w.guard.Begin(w.t.Context(), id, enrollment.BeginOptions{Account: "user", Proof: p, Replace: replace})
	if err != nil {
		w.t.Fatal(err)
	}
	k, _, err := totp.ParseURI(setup.URI())
	if err != nil {
		w.t.Fatal(err)
	}
	return k, setup.Token
}

// enroll enables two-factor authentication and lets the code's step pass.
func (w *world) enroll(id string) *user {
	w.t.Helper()
	u := &user{w: w, id: id}
	var token string
	u.app, token = w.begin(id, enrollment.Proof{}, "")
	done, err := w.guard.Confirm(w.t.Context(), id, token, u.code())
	if err != nil {
		w.t.Fatal(err)
	}
	u.codes, u.done = done.Codes.Reveal(), done.Success
	w.advance(30 * time.Second)
	return u
}

// code returns the code of some steps from now; of this one without an
// argument.
func (u *user) code(steps ...int) string {
	u.w.t.Helper()
	at := u.w.now()
	for _, n := range steps {
		at = at.Add(time.Duration(n) * 30 * time.Second)
	}
	var c string
	var err error
	fips.WithoutEnforcement(func() { c, err = u.app.Code(at) }) // a phone's
	if err != nil {
		u.w.t.Fatal(err)
	}
	return c
}

// wrong returns a code that is none of the app's for a quarter of an hour
// around now.
func (u *user) wrong() string {
	for n := range 1000 {
		c := strconv.Itoa(917_000 + n)
		if len(u.code()) > len(c) {
			c = "42" + c
		}
		var err error
		fips.WithoutEnforcement(func() { _, err = u.app.ClockOffset(c, u.w.now()) })
		if err != nil {
			return c
		}
	}
	u.w.t.Fatal("every code is right")
	return ""
}

// challenge signs in with the first factor.
func (u *user) challenge() string {
	u.w.t.Helper()
	d, err := u.w.guard.SignIn(u.w.t.Context(), u.id, enrollment.SignInOptions{})
	if err != nil || d.Next != enrollment.AskCode {
		u.w.t.Fatalf("SignIn = %v, %v", d.Next, err)
	}
	return d.Challenge
}

// answer signs in with both factors.
func (u *user) answer(code string) error {
	u.w.t.Helper()
	return u.answerOn(u.w.guard, code)
}

func (u *user) answerOn(g *enrollment.Guard, code string) error {
	u.w.t.Helper()
	ok, err := g.Answer(u.w.t.Context(), enrollment.PurposeSignIn, u.challenge(), code)
	if (err == nil) != (ok.UserID == u.id) {
		u.w.t.Errorf("Answer = %q, %v", ok.UserID, err)
	}
	return err
}

func (w *world) status(id string) enrollment.Status {
	w.t.Helper()
	s, err := w.guard.Status(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// record returns what the store holds for the user.
func (w *world) record(id string) store.Record {
	w.t.Helper()
	rec, err := w.store.Load(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return rec
}

// unchanged fails the test if f changes the user's record.
func (w *world) unchanged(id string, f func()) {
	w.t.Helper()
	before := w.record(id)
	f()
	if after := w.record(id); after.Version != before.Version || string(after.Data) != string(before.Data) {
		w.t.Error("the record has changed")
	}
}

// reason returns why an error denies: "" for success, "error" for an error
// that is no Denied.
func reason(err error) enrollment.Reason {
	var denied *enrollment.Denied
	switch {
	case err == nil:
		return ""
	case errors.As(err, &denied):
		return denied.Reason
	}
	return "error"
}

// want fails the test unless the error denies for that reason; "" is success.
func want(t *testing.T, err error, r enrollment.Reason) {
	t.Helper()
	if got := reason(err); got != r {
		t.Fatalf("got %q (%v), want %q", got, err, r)
	}
}

// lockedUntil returns when the lock of a factor ends.
func (w *world) lockedUntil(id string, f enrollment.Factor) time.Time {
	w.t.Helper()
	for _, l := range w.status(id).Locks {
		if l.Factor == f {
			return l.Until
		}
	}
	return time.Time{}
}

// together calls f n times at once and returns how often each outcome came.
func together(n int, f func(i int) error) map[enrollment.Reason]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	outcomes := make(map[enrollment.Reason]int)
	for i := range n {
		all.Go(func() {
			r := reason(f(i))
			mu.Lock()
			defer mu.Unlock()
			outcomes[r]++
		})
	}
	all.Wait()
	return outcomes
}

// A barrier holds the first n Loads until all of them have loaded, so that
// their Saves race.
type barrier struct {
	store.Store
	left atomic.Int64
	open chan struct{}
}

func newBarrier(s store.Store, n int) *barrier {
	b := &barrier{Store: s, open: make(chan struct{})}
	b.left.Store(int64(n))
	return b
}

func (b *barrier) Load(ctx context.Context, id string) (store.Record, error) {
	rec, err := b.Store.Load(ctx, id)
	if b.left.Add(-1) == 0 {
		close(b.open)
	}
	<-b.open
	return rec, err
}

// hooked is a store whose calls a test can watch and bend.
type hooked struct {
	store.Store
	load func(rec store.Record, err error) (store.Record, error)
	save func(ctx context.Context, rec store.Record, prev int64) error
}

func (h *hooked) Load(ctx context.Context, id string) (store.Record, error) {
	rec, err := h.Store.Load(ctx, id)
	if h.load != nil {
		return h.load(rec, err)
	}
	return rec, err
}

func (h *hooked) Save(ctx context.Context, rec store.Record, prev int64) error {
	if h.save != nil {
		return h.save(ctx, rec, prev)
	}
	return h.Store.Save(ctx, rec, prev)
}
