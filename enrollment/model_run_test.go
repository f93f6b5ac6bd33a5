package enrollment_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A run drives the model and a Guard side by side.

// A modelUser is one user: the account as it should be stored, and what the
// user holds.
type modelUser struct {
	name    string
	account *modelAccount
	record  store.Record // as it was last seen; the zero Record if there is none

	keys     []totp.Key          // of every setup ever begun
	used     map[int][]int64     // accepted steps, by place in keys
	oldCodes []string            // every recovery code ever handed out
	accepted map[string]struct{} // recovery codes that were accepted
	answered map[int]struct{}    // challenges that were answered

	// What the budget has paid for, checked apart from the model.
	guesses int
	grants  int
}

// A modelRun is one sequence.
type modelRun struct {
	t     *testing.T
	seed  uint64
	rng   *rand.Rand
	log   []string
	tally map[string]int

	real    time.Time // the time as it should be
	shift   int64     // seconds by which the clock is wrong
	shown   time.Time // the latest time that the clock showed
	forward float64   // seconds by which the clock has ever gone forward

	store  *modelStore
	ring   *keyring.Ring
	config enrollment.Config
	guard  *enrollment.Guard

	notify      bool
	notifyFails bool
	notified    []enrollment.Event

	users      []*modelUser
	challenges []modelToken
	receipts   []modelToken
	setups     []modelToken
	number     int // of tokens and epochs
}

// A modelStore counts what is saved.
type modelStore struct {
	*memory.Store
	saves int
}

func (s *modelStore) Save(ctx context.Context, r store.Record, prev int64) error {
	s.saves++
	return s.Store.Save(ctx, r, prev)
}

func (r *modelRun) now() time.Time {
	now := r.real
	if r.shift != 0 {
		now = time.Unix(r.real.Unix()+r.shift, int64(r.real.Nanosecond())).UTC()
	}
	return now
}

func (r *modelRun) next() int {
	r.number++
	return r.number
}

func newModelRun(t *testing.T, seed uint64) *modelRun {
	r := &modelRun{
		t:     t,
		seed:  seed,
		rng:   rand.New(rand.NewPCG(seed, 0x6d6f64656c)),
		tally: map[string]int{},
		real:  modelStart,
		store: &modelStore{Store: memory.New()},
	}
	r.shown = r.real
	var err error
	if r.ring, err = keyring.Generate("model"); err != nil {
		t.Fatal(err)
	}
	r.notify = r.chance(3)
	r.config = enrollment.Config{
		Issuer:         "Acme",
		RecoveryScheme: recovery.Fast,
		RecoveryCodes:  recovery.MinCount + r.rng.IntN(3)*3,
		AllowReauth:    r.chance(2),
		AllowSHA1:      fips.Enforced(),
		Now:            func() time.Time { return r.now() },
	}
	if r.chance(6) {
		r.config.SetupTTL = enrollment.MaxSetupTTL
	}
	if r.notify {
		r.config.Notify = func(_ context.Context, e enrollment.Event) error {
			r.notified = append(r.notified, e)
			if r.notifyFails {
				return errors.New("no mail today")
			}
			return nil
		}
	}
	for _, name := range []string{"alice", "bob"} {
		r.users = append(r.users, &modelUser{
			name: name, account: &modelAccount{}, used: map[int][]int64{},
			accepted: map[string]struct{}{}, answered: map[int]struct{}{},
		})
	}
	r.restart()
	return r
}

func (r *modelRun) restart() {
	var err error
	if r.guard, err = enrollment.New(r.store, r.ring, r.config); err != nil {
		r.t.Fatal(err)
	}
}

func (r *modelRun) fatalf(format string, args ...any) {
	r.t.Helper()
	r.t.Fatalf("seed %d (rerun with -model.seed=%d): %s\noperations:\n%s",
		r.seed, r.seed, fmt.Sprintf(format, args...), strings.Join(r.log, "\n"))
}

// chance is true once in n times.
func (r *modelRun) chance(n int) bool { return r.rng.IntN(n) == 0 }

func modelPick[T any](r *modelRun, list []T) (v T, ok bool) {
	if len(list) == 0 {
		return v, false
	}
	if r.chance(2) { // the latest ones are of more interest
		return list[len(list)-1-r.rng.IntN(min(3, len(list)))], true
	}
	return list[r.rng.IntN(len(list))], true
}

// view is the account as the Guard sees it now, and as it would be stored.
func (u *modelUser) view(now time.Time) *modelAccount {
	a := u.account.clone()
	a.rebase(now, -1) // an epoch that is never stored
	a.tidy(now)
	return a
}

// do carries out an operation: decide on the model, act on the Guard. fill
// gives the model what only the Guard can know, such as a fresh secret.
func (r *modelRun) do(u *modelUser, what string, decide func(a *modelAccount, turn int) *modelNo,
	act func(ctx context.Context) error, fill func(a *modelAccount),
) *modelNo {
	now := r.now()
	a := u.account.clone()
	turn := r.next()
	back := a.rebase(now, turn)
	a.tidy(now)
	guessers := len(a.apps)
	no := decide(a, turn)
	r.tick(now)

	r.notifyFails = r.notify && r.chance(4)
	r.notified = nil
	saves := r.store.saves
	err := act(r.t.Context())

	name, _, _ := strings.Cut(what, " ")
	r.tally[name+": "+cmp.Or(string(modelReason(err)), "yes")]++
	r.log = append(r.log, fmt.Sprintf("%3d %s %s %s → %v (model: %v)", len(r.log), now.Format(time.RFC3339Nano), u.name, what, err, no))
	r.compare(err, no)
	if no == nil && fill != nil {
		fill(a)
	}

	wantSaves := 0
	if a.dirty {
		wantSaves = 1
		r.commit(u, a, back, now)
		if len(r.notified) > 0 && !r.notifyFails {
			wantSaves = 2 // the acknowledgement
		}
	}
	if got := r.store.saves - saves; got != wantSaves {
		r.fatalf("%s was saved %d times, want %d", u.name, got, wantSaves)
	}
	if denied := new(enrollment.Denied); errors.As(err, &denied) && denied.Reason == enrollment.WrongCode &&
		denied.Factor == enrollment.TOTP && name != "Confirm" { // a setup has a count of its own
		u.guesses += guessers
	}
	r.inspect()
	return no
}

func (r *modelRun) compare(err error, no *modelNo) {
	r.t.Helper()
	var denied *enrollment.Denied
	switch {
	case no == nil && err != nil:
		r.fatalf("the Guard says %v, the model says yes", err)
	case no == nil:
	case !errors.As(err, &denied):
		r.fatalf("the Guard says %v, the model denies: %v", err, no)
	case denied.Reason != no.reason || denied.Factor != no.factor || !denied.RetryAt.Equal(no.retry) || denied.Skew != no.skew:
		r.fatalf("the Guard denies: %s factor=%q retry=%v skew=%v\nthe model denies: %v",
			denied.Reason, denied.Factor, denied.RetryAt, denied.Skew, no)
	}
}

// commit makes what the model decided the stored account.
func (r *modelRun) commit(u *modelUser, a *modelAccount, back []int, now time.Time) {
	// What a broken clock has burned is given back, by the documentation.
	for _, i := range back {
		x := u.account.apps[i]
		for k := range u.keys {
			if u.keys[k].Secret().Equal(x.key.Secret()) {
				limit := modelStep(now) + 1
				u.used[k] = slices.DeleteFunc(u.used[k], func(s int64) bool { return s > limit })
			}
		}
	}
	if r.notify {
		leased := a.lease(now)
		if len(r.notified) != len(leased) {
			r.fatalf("%d events were handed to Notify, want %d", len(r.notified), len(leased))
		}
		for i, e := range r.notified {
			if q := leased[i]; e.Kind != q.kind || e.UserID != u.name || e.Count != q.count {
				r.fatalf("event %+v was handed to Notify, want %+v", e, q)
			}
		}
		if !r.notifyFails && len(leased) > 0 {
			a.queue = slices.DeleteFunc(a.queue, func(q modelQueued) bool {
				return slices.ContainsFunc(leased, func(l modelQueued) bool { return l.at == q.at })
			})
			a.rebase(now, r.next()) // the acknowledgement is an edit of its own
		}
	}
	u.account = a
	u.account.stored, u.account.fresh = true, nil
}

// inspect compares the stored records and the Status of every user with the
// model.
func (r *modelRun) inspect() {
	r.t.Helper()
	now := r.now()
	for _, u := range r.users {
		rec, err := r.store.Load(r.t.Context(), u.name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			r.fatalf("loading %s: %v", u.name, err)
		}
		written := rec.Version != u.record.Version
		switch {
		case written != u.account.dirty:
			r.fatalf("%s: the record was written: %t, want %t", u.name, written, u.account.dirty)
		case written && rec.Version <= u.record.Version:
			r.fatalf("%s: version %d follows %d", u.name, rec.Version, u.record.Version)
		case !written && (!bytes.Equal(rec.Data, u.record.Data) || rec.State != u.record.State || !rec.Due.Equal(u.record.Due)):
			r.fatalf("%s: the record has changed under the same version", u.name)
		case rec.Version == 0:
		case rec.State != u.account.state():
			r.fatalf("%s: the record says %v, the model %v", u.name, rec.State, u.account.state())
		case !rec.Due.Equal(u.account.due()):
			r.fatalf("%s: the record is due %v, in the model %v", u.name, rec.Due, u.account.due())
		case written && !rec.Updated.Equal(now):
			r.fatalf("%s: the record was updated %v, want now", u.name, rec.Updated)
		}
		u.record = rec
		u.account.dirty = false
		r.compareStatus(u, now)

		// Whatever the throttles do in detail: 30 units, one more for each day
		// that the clock went forward, and at most five for each grant.
		if paid := 30 + r.forward/modelDay.Seconds() + 5*float64(u.grants); float64(u.guesses) > paid {
			r.fatalf("%s: wrong guesses worth %d units were evaluated, more than %.1f", u.name, u.guesses, paid)
		}
	}
}

func (r *modelRun) compareStatus(u *modelUser, now time.Time) {
	r.t.Helper()
	s, err := r.guard.Status(r.t.Context(), u.name)
	if err != nil {
		r.fatalf("Status of %s: %v", u.name, err)
	}
	a := u.view(now)
	want := enrollment.Status{State: a.state(), CodesLeft: a.codesLeft(), CodesTotal: len(a.codes), LastSignIn: a.lastSignIn, LastFactor: a.lastFactor}
	for _, x := range a.apps {
		want.Authenticators = append(want.Authenticators, enrollment.Authenticator{ID: x.id, Name: x.name, Added: x.added, Used: x.used})
	}
	if a.setup != nil {
		want.SetupExpires = a.setup.expires
	}
	if len(a.apps) > 0 {
		if no := a.totp.refuses(true, len(a.apps), now); no != nil {
			want.Locks = append(want.Locks, enrollment.Lock{Factor: enrollment.TOTP, Until: no.retry})
		}
		if no := a.recovery.refuses(false, 1, now); no != nil {
			want.Locks = append(want.Locks, enrollment.Lock{Factor: enrollment.Recovery, Until: no.retry})
		}
	}
	got := s
	got.History = nil
	if !reflect.DeepEqual(got, want) {
		r.fatalf("Status of %s:\n%+v\nthe model:\n%+v", u.name, got, want)
	}
	if len(s.History) != len(a.history) {
		r.fatalf("%s: history of %d events, want %d", u.name, len(s.History), len(a.history))
	}
	for i, e := range s.History {
		w := a.history[len(a.history)-1-i]
		if e.ID == "" || e.UserID != u.name {
			r.fatalf("%s: event %+v", u.name, e)
		}
		e.ID, e.UserID = "", ""
		if e != w {
			r.fatalf("%s: event %+v, want %+v", u.name, e, w)
		}
	}
}

// tick keeps account of how the clock has moved.
func (r *modelRun) tick(now time.Time) {
	if now.After(r.shown) {
		r.forward += float64(now.Unix()-r.shown.Unix()) + 1e-6
	}
	r.shown = now
}

// accept checks, apart from the model, that a code which was accepted never
// was before.
func (r *modelRun) accept(u *modelUser, text string) {
	r.t.Helper()
	normal, factor := modelRead(text)
	if factor == enrollment.Recovery {
		if _, again := u.accepted[normal]; again {
			r.fatalf("a recovery code of %s was accepted twice", u.name)
		}
		u.accepted[normal] = struct{}{}
		u.grants++
		return
	}
	fresh := false
	for k, key := range u.keys {
		x := modelApp{key: key}
		step := x.match(normal, r.now())
		if step == 0 || slices.ContainsFunc(u.used[k], func(s int64) bool { return s >= step }) {
			continue
		}
		fresh = true
		u.used[k] = append(u.used[k], step)
	}
	if !fresh {
		r.fatalf("%s: %q was accepted, and every step it belongs to had been used", u.name, text)
	}
}

// typed returns something that the user, or somebody else, could type.
func (r *modelRun) typed(u *modelUser) string {
	if a := u.view(r.now()); a.totp.refuses(true, 1, r.now()) != nil && len(a.codes) > 0 && r.chance(4) {
		return r.code(u, 70+r.rng.IntN(10)) // who is locked out takes a recovery code
	}
	return r.code(u, r.rng.IntN(104))
}

func (r *modelRun) code(u *modelUser, kind int) string {
	now := r.now()
	digits := func() string { return fmt.Sprintf("%06d", r.rng.IntN(1_000_000)) }
	app, has := modelPick(r, u.account.apps)
	switch {
	case kind < 34 && has: // the code of now
		return modelShown(app.key, now)
	case kind < 42 && has:
		return modelShown(app.key, now.Add(-30*time.Second))
	case kind < 50 && has:
		return modelShown(app.key, now.Add(30*time.Second))
	case kind < 55 && has: // the last used one
		return modelShown(app.key, time.Unix(app.last*modelPeriod, 0))
	case kind < 57 && has: // out of the window
		return modelShown(app.key, now.Add(time.Duration(r.rng.IntN(9)-4)*time.Minute))
	case kind < 59 && has:
		c := modelShown(app.key, now)
		return " " + c[:min(3, len(c))] + " - " + c[min(3, len(c)):] + "\n"
	case kind < 70:
		return digits()
	case kind < 78: // a code of the set, spent or not
		if c, ok := modelPick(r, u.account.codes); ok {
			return c
		}
	case kind < 80: // one of any set, in lower case
		if c, ok := modelPick(r, u.oldCodes); ok {
			return strings.ToLower(c)
		}
	case kind < 84: // unknown, of the right scheme
		return r.symbols(26)
	case kind < 86: // of the other scheme
		return r.symbols(16)
	case kind < 94:
		return []string{"", "12345", "123456789", "hello", strings.Repeat(" ", 60) + "123456", "UUUUUUUUUUUUUUUU"}[r.rng.IntN(6)]
	case kind < 97: // of somebody else, of a setup, of what is gone
		if key, ok := modelPick(r, r.users[r.rng.IntN(2)].keys); ok {
			return modelShown(key, now)
		}
	case kind < 99:
		return digits() + "7"
	}
	return digits()
}

func (r *modelRun) symbols(n int) string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.rng.IntN(len(alphabet))]
	}
	return string(b)
}

func (r *modelRun) proof(u *modelUser) modelProof {
	switch n := r.rng.IntN(20); {
	case n < 8:
		return modelProof{kind: "code", code: r.typed(u)}
	case n < 15:
		own := slices.DeleteFunc(slices.Clone(r.receipts), func(t modelToken) bool { return t.user != u.name })
		if t, ok := modelPick(r, own); ok {
			return modelProof{kind: "receipt", receipt: t}
		}
	case n < 16: // of any user
		if t, ok := modelPick(r, r.receipts); ok {
			return modelProof{kind: "receipt", receipt: t}
		}
	case n < 17: // a token of another kind, or none at all
		if t, ok := modelPick(r, append(slices.Clone(r.challenges), r.setups...)); ok && r.chance(2) {
			return modelProof{kind: "receipt", text: t.text}
		}
		return modelProof{kind: "receipt", text: "bm8gcmVjZWlwdCBhdCBhbGw"}
	case n < 19:
		return modelProof{kind: "reauth"}
	}
	return modelProof{kind: "none"}
}

// keep remembers the receipt of a Success.
func (r *modelRun) keep(u *modelUser, s enrollment.Success, a *modelAccount) {
	r.t.Helper()
	if s.Receipt == "" {
		r.fatalf("a Success without a receipt")
	}
	r.receipts = append(r.receipts, modelToken{
		number: r.next(), text: s.Receipt, user: u.name, epoch: a.epoch, issued: r.now(), factor: s.Factor,
	})
}

func (r *modelRun) checkSuccess(u *modelUser, got enrollment.Success, p enrollment.Purpose, m modelMatch, a *modelAccount) {
	r.t.Helper()
	got.Receipt = ""
	want := enrollment.Success{UserID: u.name, Purpose: p, Factor: m.factor, Authenticator: m.id, At: r.now(), CodesLeft: a.codesLeft()}
	if got != want {
		r.fatalf("Success %+v, want %+v", got, want)
	}
}
