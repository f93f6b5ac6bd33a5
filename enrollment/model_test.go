package enrollment_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// This file holds the rules of Guard a second time, as naive as can be and
// written from the documentation, and drives both with random operations. They
// have to agree on every answer, on Status, on whether the record was written,
// and on what stands in it. What must hold whatever the rules are (a step
// works once, guesses stay within the budget) is checked apart from the model.

var (
	modelSeed      = flag.Uint64("model.seed", 0, "run only the sequence of this `seed`")
	modelSequences = flag.Int("model.sequences", 3000, "how many random sequences to run; a tenth with -short")
	modelFirst     = flag.Uint64("model.first", 1, "the `seed` of the first sequence")
	modelSteps     = flag.Int("model.steps", 40, "how many operations a sequence has")
	modelTally     = flag.Bool("model.tally", false, "print how often each operation ended how")
)

const modelDay = 24 * time.Hour

// A modelThrottle holds back guessing at one factor.
type modelThrottle struct {
	failures int       // in a row
	mark     time.Time // of the last failure that was counted
	full     time.Time // when the budget will be full again
}

func modelLater(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// modelFuture reports whether an instant was stored by a broken clock.
func modelFuture(at, now time.Time) bool { return at.Sub(now) > modelDay }

func (th *modelThrottle) rebase(now time.Time) bool {
	if !modelFuture(th.mark, now) {
		return false
	}
	// What is spent stays spent, counted from now.
	th.full = now.Add(th.full.Sub(th.mark))
	th.mark = now
	return true
}

// opens returns when a guess of that cost is evaluated again. App codes double
// their wait up to a day and have a budget of 30; recovery codes wait at most
// a minute.
func (th *modelThrottle) opens(app bool, cost int) time.Time {
	var at time.Time
	if th.failures >= 5 {
		wait, ceiling := time.Minute, modelDay
		if !app {
			wait, ceiling = 15*time.Second, time.Minute
		}
		for range min(th.failures-5, 20) {
			wait = min(2*wait, ceiling)
		}
		at = th.mark.Add(wait)
	}
	if th.broke(app, cost) {
		at = modelLater(at, th.full.Add(-time.Duration(30-cost)*modelDay))
	}
	return at
}

// broke reports whether the budget, as of the last failure, can't pay for
// another guess.
func (th *modelThrottle) broke(app bool, cost int) bool {
	return app && th.full.Sub(th.mark) > time.Duration(30-cost)*modelDay
}

func (th *modelThrottle) refuses(app bool, cost int, now time.Time) *modelNo {
	switch at := th.opens(app, cost); {
	case app && th.failures >= 100:
		return &modelNo{reason: enrollment.FactorDisabled}
	case now.Before(at):
		return &modelNo{reason: enrollment.Locked, retry: at}
	}
	return nil
}

func (th *modelThrottle) fail(app bool, cost int, now time.Time) {
	th.failures++
	th.mark = modelLater(th.mark, now)
	if app {
		th.full = modelLater(th.full, th.mark).Add(time.Duration(cost) * modelDay)
	}
}

// forgive ends the run of failures and leaves five units at least.
func (th *modelThrottle) forgive(now time.Time) {
	th.failures = 0
	th.mark = modelLater(th.mark, now)
	if most := th.mark.Add(25 * modelDay); th.full.After(most) {
		th.full = most
	}
}

// A modelNo is what a Denied should be.
type modelNo struct {
	reason enrollment.Reason
	factor enrollment.Factor
	retry  time.Time
	skew   time.Duration
}

func modelDeny(r enrollment.Reason) *modelNo { return &modelNo{reason: r} }

func (n *modelNo) String() string {
	if n == nil {
		return "yes"
	}
	text := string(n.reason)
	if !n.retry.IsZero() {
		text += " retry " + n.retry.Format(time.RFC3339Nano)
	}
	if n.skew != 0 {
		text += " skew " + n.skew.String()
	}
	return text
}

// A modelApp is an authenticator.
type modelApp struct {
	id, name    string
	key         totp.Key
	added, used time.Time
	last        int64 // highest step used
}

const modelPeriod = 30

func modelStep(at time.Time) int64 {
	step := at.Unix() / modelPeriod
	if at.Unix()%modelPeriod < 0 {
		step--
	}
	return step
}

// match returns the highest step of the window that the code belongs to, 0 if
// none.
func (x *modelApp) match(digits string, now time.Time) int64 {
	for d := int64(1); d >= -1; d-- {
		step := modelStep(now) + d
		if step > 0 && modelShown(x.key, time.Unix(step*modelPeriod, 0)) == digits {
			return step
		}
	}
	return 0
}

type modelSetup struct {
	number   int
	expires  time.Time
	replaces string
	app      modelApp
	throttle modelThrottle
}

type modelSpent struct {
	number          int
	issued, expires time.Time
}

// A modelQueued is an event that Notify has not taken yet.
type modelQueued struct {
	kind  enrollment.EventKind
	lease time.Time // until then, somebody is delivering it
	at    int       // its place among all events of the user
	count int       // how many events it stands for
}

// A modelAccount is what one user's record should amount to.
type modelAccount struct {
	stored         bool
	epoch          int
	was            bool
	apps           []modelApp
	setup          *modelSetup
	totp, recovery modelThrottle
	codes          []string // of the set, in their order
	spentCodes     map[string]bool
	spent          []modelSpent
	floor          time.Time
	sets           int
	setsSince      time.Time
	burned         int64
	lastSignIn     time.Time
	lastFactor     enrollment.Factor
	history        []enrollment.Event // newest last
	queue          []modelQueued
	events         int

	dirty bool
	fresh []modelQueued
}

func (a *modelAccount) clone() *modelAccount {
	b := *a
	b.apps = slices.Clone(a.apps)
	if a.setup != nil {
		s := *a.setup
		b.setup = &s
	}
	b.spentCodes = maps.Clone(a.spentCodes)
	b.spent = slices.Clone(a.spent)
	b.history = slices.Clone(a.history)
	b.queue = slices.Clone(a.queue)
	b.dirty, b.fresh = false, nil
	return &b
}

func (a *modelAccount) state() store.State {
	switch {
	case len(a.apps) > 0:
		return store.Confirmed
	case a.setup != nil:
		return store.Pending
	case a.was:
		return store.Disabled
	}
	return store.None
}

// rebase sets what a broken clock stored more than a day ahead to now. It
// returns the authenticators whose steps it has taken back.
func (a *modelAccount) rebase(now time.Time, turn int) (back []int) {
	if !a.stored {
		return nil
	}
	fix := func(at *time.Time) {
		if modelFuture(*at, now) {
			*at, a.dirty = now, true
		}
	}
	a.dirty = a.totp.rebase(now) || a.dirty
	a.dirty = a.recovery.rebase(now) || a.dirty
	for i := range a.apps {
		x := &a.apps[i]
		if x.last == 0 {
			continue // never used; nothing to repair
		}
		if modelFuture(time.Unix(x.last*modelPeriod, 0), now) {
			x.last, a.dirty = max(0, modelStep(now)+1), true // the window reaches one further
			back = append(back, i)
		}
		fix(&x.used)
	}
	if s := a.setup; s != nil {
		// A setup may last for a day by itself.
		if s.expires.Sub(now) > 2*modelDay {
			s.expires, a.dirty = now, true
		}
		a.dirty = s.throttle.rebase(now) || a.dirty
	}
	fix(&a.setsSince)
	// What was spent ahead of the time must not be open when that comes.
	future := func(s modelSpent) bool { return modelFuture(s.issued, now) }
	if a.floor.Sub(now) > 2*time.Minute || slices.ContainsFunc(a.spent, future) {
		a.turn(turn)
		a.dirty = true
	}
	if a.burned != 0 && a.burned > now.Add(modelDay).Unix() {
		a.burned, a.dirty = now.Unix(), true
	}
	return back
}

// turn voids what was handed out or begun before.
func (a *modelAccount) turn(turn int) {
	a.epoch, a.setup, a.spent, a.floor = turn, nil, nil, time.Time{}
}

// tidy takes away what has expired. Alone it is no reason to write.
func (a *modelAccount) tidy(now time.Time) {
	if a.setup != nil && !now.Before(a.setup.expires) {
		a.setup = nil
	}
	for _, s := range a.spent {
		if !now.Before(s.expires) {
			a.floor = modelLater(a.floor, s.issued)
		}
	}
	a.spent = slices.DeleteFunc(a.spent, func(s modelSpent) bool { return !now.Before(s.expires) })
}

func (a *modelAccount) due() time.Time {
	var due time.Time
	if a.setup != nil {
		due = a.setup.expires
	}
	for _, q := range a.queue {
		if due.IsZero() || q.lease.Before(due) {
			due = q.lease
		}
	}
	return due
}

func (a *modelAccount) find(id string) int {
	return slices.IndexFunc(a.apps, func(x modelApp) bool { return x.id == id })
}

func (a *modelAccount) drop(i int) {
	if last := a.apps[i].last; last != 0 {
		a.burned = max(a.burned, (last+1)*modelPeriod-1)
	}
	a.apps = slices.Delete(a.apps, i, i+1)
}

func (a *modelAccount) record(now time.Time, e enrollment.Event) {
	e.At, e.Count = now, 1
	a.history = append(a.history, e)
	if len(a.history) > 20 {
		a.history = a.history[1:]
	}
	a.events++
	a.fresh = append(a.fresh, modelQueued{kind: e.Kind, lease: now.Add(time.Minute), at: a.events, count: 1})
	a.dirty = true
}

// enqueue keeps 16 undelivered events; a further one takes the place of one of
// its kind, or of the oldest.
func (a *modelAccount) enqueue(q modelQueued) {
	a.queue = append(a.queue, q)
	for i := 0; i < len(a.queue) && len(a.queue) > 16; i++ {
		for j := i + 1; j < len(a.queue); j++ {
			if a.queue[j].kind == a.queue[i].kind {
				a.queue[j].count += a.queue[i].count
				a.queue = slices.Delete(a.queue, i, i+1)
				break
			}
		}
	}
}

// lease returns what the writer has to deliver: what happened with the write,
// and what somebody else has not delivered in time. A lease of more than a
// minute was given by a broken clock.
func (a *modelAccount) lease(now time.Time) []modelQueued {
	var leased []modelQueued
	until := now.Add(time.Minute)
	for i := range a.queue {
		if q := &a.queue[i]; !now.Before(q.lease) || q.lease.After(until) {
			q.lease = until
			leased = append(leased, *q)
		}
	}
	for _, q := range a.fresh {
		a.enqueue(q)
		leased = append(leased, a.queue[len(a.queue)-1])
	}
	return leased
}

func (a *modelAccount) codesLeft() int { return len(a.codes) - len(a.spentCodes) }

// modelRead says what a typed text looks like: an app's code, a recovery code
// of one of the two schemes, or neither. The driver types only ASCII.
func modelRead(text string) (normal string, factor enrollment.Factor) {
	if len(text) > 64 {
		return "", ""
	}
	normal = strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\n", "").Replace(text))
	digits := strings.Trim(normal, "0123456789") == ""
	switch {
	case digits && len(normal) >= 6 && len(normal) <= 8:
		return normal, enrollment.TOTP
	case (len(normal) == 16 || len(normal) == 26) && strings.Trim(normal, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == "":
		return normal, enrollment.Recovery
	}
	return "", ""
}

// A modelMatch is what a right code matched.
type modelMatch struct {
	factor enrollment.Factor
	id     string
}

// check evaluates a code. turn is the epoch that a recovery code starts.
func (a *modelAccount) check(text string, now time.Time, turn int) (modelMatch, *modelNo) {
	if len(a.apps) == 0 {
		return modelMatch{}, modelDeny(enrollment.NotEnrolled)
	}
	normal, factor := modelRead(text)
	if factor == enrollment.TOTP {
		m, no := a.checkApp(normal, now)
		if no != nil {
			no.factor = enrollment.TOTP
		}
		return m, no
	}
	if no := a.recovery.refuses(false, 1, now); no != nil {
		no.factor = enrollment.Recovery
		return modelMatch{}, no
	}
	known := slices.Contains(a.codes, normal)
	if !known || a.spentCodes[normal] {
		no := a.miss(&a.recovery, enrollment.Recovery, 1, now)
		if known {
			no.reason = enrollment.Replayed
		}
		return modelMatch{}, no
	}
	a.spentCodes[normal] = true
	a.recovery.failures = 0
	a.totp.forgive(now)
	a.turn(turn)
	a.record(now, enrollment.Event{Kind: enrollment.RecoveryUsed, Factor: enrollment.Recovery})
	return modelMatch{factor: enrollment.Recovery}, nil
}

func (a *modelAccount) checkApp(digits string, now time.Time) (modelMatch, *modelNo) {
	cost := len(a.apps)
	if no := a.totp.refuses(true, cost, now); no != nil {
		return modelMatch{}, no
	}
	var m modelMatch
	replayed := false
	for i := range a.apps {
		x := &a.apps[i]
		switch step := x.match(digits, now); {
		case step == 0:
		case step <= x.last:
			replayed = true
		default:
			x.last, x.used = step, now
			m = modelMatch{factor: enrollment.TOTP, id: x.id}
		}
	}
	switch {
	case m.id != "":
		a.totp.failures = 0 // and not the budget
		a.dirty = true
		return m, nil
	case replayed:
		return m, modelDeny(enrollment.Replayed)
	}
	return m, a.miss(&a.totp, enrollment.TOTP, cost, now)
}

func (a *modelAccount) miss(th *modelThrottle, f enrollment.Factor, cost int, now time.Time) *modelNo {
	app := f == enrollment.TOTP
	th.fail(app, cost, now)
	a.dirty = true
	no := &modelNo{reason: enrollment.WrongCode, factor: f}
	if at := th.opens(app, cost); now.Before(at) && !(app && th.failures >= 100) {
		no.retry = at
	}
	switch {
	case app && th.failures == 100:
		a.record(now, enrollment.Event{Kind: enrollment.FactorOff, Factor: f})
	case th.failures == 5 || th.broke(app, cost):
		a.record(now, enrollment.Event{Kind: enrollment.LockedOut, Factor: f})
	}
	return no
}

// confirm holds a code against the setup that waits. needs says whether a set
// of recovery codes is made.
func (a *modelAccount) confirm(number int, digits string, now time.Time, turn int) (needs bool, no *modelNo) {
	switch {
	case a.setup == nil:
		return false, modelDeny(enrollment.NoSetup)
	case a.setup.number != number:
		return false, modelDeny(enrollment.SetupSuperseded)
	}
	s := a.setup
	replaced := -1
	if s.replaces != "" {
		replaced = a.find(s.replaces)
	}
	if replaced < 0 && len(a.apps) == 3 {
		return false, modelDeny(enrollment.TooManyAuthenticators)
	}
	if needs = a.codesLeft() == 0; needs {
		if no := a.mayMakeSet(now); no != nil {
			if len(a.apps) == 0 {
				return false, no
			}
			needs = false
		}
	}
	if no := s.throttle.refuses(true, 1, now); no != nil {
		no.factor = enrollment.TOTP
		return false, no
	}
	step := s.app.match(digits, now)
	if step == 0 {
		s.throttle.fail(true, 1, now)
		a.dirty = true
		no := &modelNo{reason: enrollment.WrongCode, factor: enrollment.TOTP}
		if skew, found := s.app.skew(digits, now); found {
			no.reason, no.skew = enrollment.ClockSkew, skew
		}
		if at := s.throttle.opens(true, 1); now.Before(at) {
			no.retry = at
		}
		return false, no
	}
	if needs {
		a.madeSet(now)
	}
	kind := enrollment.AuthenticatorAdded
	switch {
	case len(a.apps) == 0:
		kind = enrollment.Enabled
	case replaced >= 0:
		kind = enrollment.AuthenticatorReplaced
		a.drop(replaced)
	}
	x := s.app
	x.last, x.added, x.used = step, now, now
	a.apps = append(a.apps, x)
	a.was = true
	a.turn(turn)
	a.record(now, enrollment.Event{Kind: kind, Factor: enrollment.TOTP, Authenticator: x.name})
	if needs && kind != enrollment.Enabled {
		a.record(now, enrollment.Event{Kind: enrollment.CodesRenewed, Factor: enrollment.TOTP})
	}
	return needs, nil
}

// skew measures the app's clock by a code within ten minutes: the nearest
// counts, and of two the earlier.
func (x *modelApp) skew(digits string, now time.Time) (time.Duration, bool) {
	for d := int64(0); d <= 20; d++ {
		for _, step := range []int64{modelStep(now) - d, modelStep(now) + d} {
			if modelStep(now) >= 0 && step > 0 && modelShown(x.key, time.Unix(step*modelPeriod, 0)) == digits {
				return time.Duration(step-modelStep(now)) * modelPeriod * time.Second, true
			}
		}
	}
	return 0, false
}

func (a *modelAccount) mayMakeSet(now time.Time) *modelNo {
	if at := a.setsSince.Add(modelDay); a.sets >= 5 && now.Before(at) {
		return &modelNo{reason: enrollment.TooManyCodeSets, retry: at}
	}
	return nil
}

func (a *modelAccount) madeSet(now time.Time) {
	if a.sets == 0 || !now.Before(a.setsSince.Add(modelDay)) {
		a.sets, a.setsSince = 0, modelLater(a.setsSince, now)
	}
	a.sets++
	a.codes, a.spentCodes = nil, map[string]bool{} // the driver fills them in
	a.dirty = true
}

// A modelToken is a challenge, a receipt or the token of a setup.
type modelToken struct {
	number  int
	text    string
	user    string
	purpose enrollment.Purpose
	epoch   int
	issued  time.Time
	expires time.Time
	factor  enrollment.Factor // of a receipt
}

// modelFresh reports whether the instant lies within the ttl; one minute is
// forgiven to a clock that runs ahead.
func modelFresh(at, now time.Time, ttl time.Duration) bool {
	age := now.Sub(at)
	return age >= -time.Minute && age <= ttl
}

func (a *modelAccount) challenge(c modelToken) *modelNo {
	switch {
	case c.epoch != a.epoch:
		return modelDeny(enrollment.ChallengeVoid)
	case slices.ContainsFunc(a.spent, func(s modelSpent) bool { return s.number == c.number }):
		return modelDeny(enrollment.ChallengeSpent)
	case !a.floor.IsZero() && !c.issued.After(a.floor):
		return modelDeny(enrollment.ChallengeVoid)
	}
	return nil
}

func (a *modelAccount) spend(c modelToken) {
	a.dirty = true
	a.spent = append(a.spent, modelSpent{c.number, c.issued, c.expires})
	if len(a.spent) > 16 {
		oldest := slices.MinFunc(a.spent, func(x, y modelSpent) int { return x.issued.Compare(y.issued) })
		a.floor = modelLater(a.floor, oldest.issued)
		i := slices.Index(a.spent, oldest)
		a.spent = slices.Delete(a.spent, i, i+1)
	}
}

// A modelProof is a Proof and what the model has to know of it.
type modelProof struct {
	kind    string // none, code, receipt, reauth
	code    string
	receipt modelToken
	text    string // of a receipt that is none
}

func (p modelProof) proof() enrollment.Proof {
	switch p.kind {
	case "code":
		return enrollment.ByCode(p.code)
	case "receipt":
		return enrollment.ByReceipt(cmp.Or(p.text, p.receipt.text))
	case "reauth":
		return enrollment.ByReauth("password")
	}
	return enrollment.Proof{}
}

func (p modelProof) String() string {
	switch p.kind {
	case "code":
		return fmt.Sprintf("code %q", p.code)
	case "receipt":
		if p.text != "" {
			return "receipt of nobody"
		}
		return fmt.Sprintf("receipt %d", p.receipt.number)
	}
	return p.kind
}

// glance denies what no account could make right.
func (p modelProof) glance(user string) *modelNo {
	switch p.kind {
	case "code":
		if _, f := modelRead(p.code); f == "" {
			return modelDeny(enrollment.MalformedCode)
		}
	case "receipt":
		if p.text != "" || p.receipt.user != user {
			return modelDeny(enrollment.ProofInvalid)
		}
	}
	return nil
}

type modelAuthority struct {
	factor enrollment.Factor
	at     time.Time
	method string
}

func (a *modelAccount) prove(p modelProof, user string, now time.Time, turn int, reauth bool) (modelAuthority, *modelNo) {
	if len(a.apps) == 0 {
		return modelAuthority{}, modelDeny(enrollment.NotEnrolled)
	}
	if no := p.glance(user); no != nil {
		return modelAuthority{}, no
	}
	switch p.kind {
	case "code":
		m, no := a.check(p.code, now, turn)
		return modelAuthority{factor: m.factor, at: now}, no
	case "receipt":
		switch {
		case p.receipt.epoch != a.epoch:
			return modelAuthority{}, modelDeny(enrollment.ProofInvalid)
		case !modelFresh(p.receipt.issued, now, 5*time.Minute):
			return modelAuthority{}, modelDeny(enrollment.ProofStale)
		}
		return modelAuthority{factor: p.receipt.factor, at: p.receipt.issued}, nil
	case "reauth":
		if !reauth {
			return modelAuthority{}, modelDeny(enrollment.ProofNotAllowed)
		}
		return modelAuthority{at: now, method: "password"}, nil
	}
	return modelAuthority{}, modelDeny(enrollment.ProofRequired)
}

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
	want := enrollment.Status{State: a.state(), CodesLeft: a.codesLeft(), Codes: len(a.codes), LastSignIn: a.lastSignIn, LastFactor: a.lastFactor}
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

func (r *modelRun) begin(u *modelUser) {
	var replace string
	if r.chance(3) {
		replace = []string{"00ff00ff00ff00ff", ""}[r.rng.IntN(2)]
		if x, ok := modelPick(r, u.account.apps); ok && !r.chance(4) {
			replace = x.id
		}
	}
	r.beginWith(u, replace, []string{"", "phone", "tablet"}[r.rng.IntN(3)], r.proof(u))
}

func (r *modelRun) beginWith(u *modelUser, replace, name string, p modelProof) {
	var got enrollment.Setup
	var s *modelSetup
	proven := false
	no := r.do(u, fmt.Sprintf("Begin replace=%q by %v", replace, p), func(a *modelAccount, turn int) *modelNo {
		switch {
		case replace != "" && len(a.apps) == 0:
			return modelDeny(enrollment.NotEnrolled)
		case replace != "" && a.find(replace) < 0:
			return modelDeny(enrollment.UnknownAuthenticator)
		case replace == "" && len(a.apps) == 3:
			return modelDeny(enrollment.TooManyAuthenticators)
		}
		if len(a.apps) > 0 {
			if _, no := a.prove(p, u.name, r.now(), turn, false); no != nil {
				return no
			}
			proven = p.kind == "code"
		}
		s = &modelSetup{number: r.next(), expires: r.now().Add(cmp.Or(r.config.SetupTTL, 15*time.Minute)), replaces: replace}
		s.app.name = name
		if i := a.find(replace); name == "" && i >= 0 {
			s.app.name = a.apps[i].name
		}
		s.app.name = cmp.Or(s.app.name, "Authenticator")
		a.setup = s
		a.dirty = true
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.Begin(ctx, u.name, enrollment.Options{Account: u.name + "@example.com", Name: name, Replace: replace, Proof: p.proof()})
		return err
	}, func(a *modelAccount) {
		if !got.Expires.Equal(s.expires) {
			r.fatalf("the setup expires %v, want %v", got.Expires, s.expires)
		}
		s.app.key = modelKey(r.t, got)
		r.setups = append(r.setups, modelToken{number: s.number, text: got.Token, user: u.name, expires: s.expires})
	})
	if no != nil {
		return
	}
	if proven {
		r.accept(u, p.code)
	}
	u.keys = append(u.keys, s.app.key)
}

// setupToken picks a token of a setup, mostly the latest of the user.
func (r *modelRun) setupToken(u *modelUser) modelToken {
	own := slices.DeleteFunc(slices.Clone(r.setups), func(t modelToken) bool { return t.user != u.name })
	if len(own) > 0 && !r.chance(5) {
		return own[len(own)-1]
	}
	if t, ok := modelPick(r, r.setups); ok {
		return t
	}
	return modelToken{text: "c2V0dXA", user: "nobody"}
}

// glanceSetup denies what the token alone tells.
func (r *modelRun) glanceSetup(u *modelUser, t modelToken) *modelNo {
	switch {
	case t.user != u.name:
		return modelDeny(enrollment.SetupInvalid)
	case !r.now().Before(t.expires):
		return modelDeny(enrollment.SetupExpired)
	}
	return nil
}

func (r *modelRun) resume(u *modelUser) {
	t := r.setupToken(u)
	var got enrollment.Setup
	var s *modelSetup
	r.do(u, fmt.Sprintf("Resume setup %d", t.number), func(a *modelAccount, _ int) *modelNo {
		a.dirty = false // reading repairs nothing
		if no := r.glanceSetup(u, t); no != nil {
			return no
		}
		switch {
		case a.setup == nil:
			return modelDeny(enrollment.NoSetup)
		case a.setup.number != t.number:
			return modelDeny(enrollment.SetupSuperseded)
		}
		s = a.setup
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.Resume(ctx, u.name, t.text)
		return err
	}, func(*modelAccount) {
		if !modelKey(r.t, got).Secret().Equal(s.app.key.Secret()) || !got.Expires.Equal(s.expires) {
			r.fatalf("Resume returned another setup")
		}
		r.setups = append(r.setups, modelToken{number: s.number, text: got.Token, user: u.name, expires: s.expires})
	})
}

func (r *modelRun) confirm(u *modelUser) {
	t := r.setupToken(u)
	code := r.typed(u)
	if s := u.account.setup; s != nil && !r.chance(8) {
		switch n := r.rng.IntN(12); {
		case n < 8:
			code = modelShown(s.app.key, r.now())
		case n < 9:
			code = modelShown(s.app.key, r.now().Add(30*time.Second))
		case n < 11:
			code = modelShown(s.app.key, r.now().Add(time.Duration(r.rng.IntN(1400)-700)*time.Second))
		}
	}
	r.confirmWith(u, t, code)
}

func (r *modelRun) confirmWith(u *modelUser, t modelToken, code string) {
	var got enrollment.Confirmed
	var needs bool
	no := r.do(u, fmt.Sprintf("Confirm setup %d with %q", t.number, code), func(a *modelAccount, turn int) (no *modelNo) {
		glance := func() *modelNo {
			if no := r.glanceSetup(u, t); no != nil {
				return no
			}
			if _, f := modelRead(code); f != enrollment.TOTP {
				return modelDeny(enrollment.MalformedCode)
			}
			return nil
		}
		if no := glance(); no != nil {
			a.dirty = false
			return no
		}
		normal, _ := modelRead(code)
		needs, no = a.confirm(t.number, normal, r.now(), turn)
		return no
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.Confirm(ctx, u.name, t.text, code)
		return err
	}, func(a *modelAccount) {
		r.takeCodes(u, a, needs, got.Codes)
		a.apps[len(a.apps)-1].id = got.Success.Authenticator
		if got.Success.Authenticator == "" {
			r.fatalf("Confirm does not name the authenticator")
		}
		r.checkSuccess(u, got.Success, enrollment.SetupPurpose, modelMatch{enrollment.TOTP, got.Success.Authenticator}, a)
		r.keep(u, got.Success, a)
	})
	if no == nil {
		r.accept(u, code)
	}
}

// takeCodes gives the model the codes that were made.
func (r *modelRun) takeCodes(u *modelUser, a *modelAccount, made bool, codes recovery.Codes) {
	r.t.Helper()
	want := 0
	if made {
		want = r.config.RecoveryCodes
	}
	if codes.Len() != want {
		r.fatalf("%d recovery codes, want %d", codes.Len(), want)
	}
	if !made {
		return
	}
	for _, c := range codes.Reveal() {
		c = strings.ReplaceAll(c, "-", "")
		a.codes = append(a.codes, c)
		u.oldCodes = append(u.oldCodes, c)
	}
}

func (r *modelRun) cancel(u *modelUser) {
	r.do(u, "Cancel", func(a *modelAccount, _ int) *modelNo {
		if a.setup == nil {
			return modelDeny(enrollment.NoSetup)
		}
		a.setup, a.dirty = nil, true
		return nil
	}, func(ctx context.Context) error { return r.guard.Cancel(ctx, u.name) }, nil)
}

func (r *modelRun) signIn(u *modelUser) {
	l := enrollment.Login{Require: r.chance(3), Enrolled: r.chance(4)}
	if r.chance(4) {
		l.Purpose = "password-reset"
	}
	if r.chance(4) {
		l.Channel = "email"
	}
	var d enrollment.Decision
	var err error
	r.do(u, fmt.Sprintf("SignIn %+v", l), func(a *modelAccount, _ int) *modelNo {
		a.dirty = false
		return nil
	}, func(ctx context.Context) error {
		d, err = r.guard.SignIn(ctx, u.name, l)
		return nil
	}, func(a *modelAccount) {
		want := enrollment.Proceed
		switch {
		case len(a.apps) > 0:
			want = enrollment.AskCode
		case l.Enrolled:
			want = enrollment.Refuse
		case l.Require:
			want = enrollment.MustEnroll
		}
		if d.Next != want || errors.Is(err, enrollment.ErrMissing) != (want == enrollment.Refuse) || err != nil && want != enrollment.Refuse {
			r.fatalf("SignIn says %v, %v; want %v", d.Next, err, want)
		}
		if (d.Challenge != "") != (want == enrollment.AskCode) {
			r.fatalf("SignIn says %v with the challenge %q", d.Next, d.Challenge)
		}
		if want != enrollment.AskCode {
			return
		}
		if !d.Expires.Equal(r.now().Add(10 * time.Minute)) {
			r.fatalf("the challenge expires %v", d.Expires)
		}
		r.challenges = append(r.challenges, modelToken{
			number: r.next(), text: d.Challenge, user: u.name, epoch: a.epoch,
			purpose: cmp.Or(l.Purpose, enrollment.SignInPurpose), issued: r.now(), expires: d.Expires,
		})
	})
}

func (r *modelRun) answer(u *modelUser) {
	own := slices.DeleteFunc(slices.Clone(r.challenges), func(t modelToken) bool { return t.user != u.name })
	c, ok := modelPick(r, own)
	if !ok && !r.chance(4) {
		r.signIn(u)
		return
	}
	if !ok || r.chance(12) {
		if c, ok = modelPick(r, r.challenges); !ok {
			c = modelToken{text: "Y2hhbGxlbmdl"}
		}
	}
	p := cmp.Or(c.purpose, enrollment.SignInPurpose)
	if r.chance(12) {
		p = "password-reset"
	}
	r.answerWith(u, c, p, r.typed(u))
}

// answerWith answers the challenge with what u typed. Whose account it concerns
// stands in the challenge.
func (r *modelRun) answerWith(u *modelUser, c modelToken, p enrollment.Purpose, code string) {
	for _, x := range r.users {
		if x.name == c.user {
			u = x
		}
	}
	var got enrollment.Success
	var m modelMatch
	no := r.do(u, fmt.Sprintf("Answer challenge %d for %q with %q", c.number, p, code), func(a *modelAccount, turn int) (no *modelNo) {
		glance := func() *modelNo {
			switch {
			case c.user == "" || c.purpose != p:
				return modelDeny(enrollment.ChallengeInvalid)
			case !modelFresh(c.issued, r.now(), 10*time.Minute), !r.now().Before(c.expires):
				return modelDeny(enrollment.ChallengeExpired)
			}
			if _, f := modelRead(code); f == "" {
				return modelDeny(enrollment.MalformedCode)
			}
			return nil
		}
		if no := glance(); no != nil {
			a.dirty = false
			return no
		}
		if no := a.challenge(c); no != nil {
			return no
		}
		if m, no = a.check(code, r.now(), turn); no != nil {
			return no
		}
		a.spend(c)
		if p == enrollment.SignInPurpose {
			a.lastSignIn, a.lastFactor = r.now(), m.factor
		}
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.Answer(ctx, p, c.text, code)
		return err
	}, func(a *modelAccount) {
		r.checkSuccess(u, got, p, m, a)
		r.keep(u, got, a)
	})
	if no != nil {
		return
	}
	r.accept(u, code)
	if _, again := u.answered[c.number]; again {
		r.fatalf("challenge %d was answered twice", c.number)
	}
	u.answered[c.number] = struct{}{}
}

func (r *modelRun) verify(u *modelUser, code string) *modelNo {
	p := []enrollment.Purpose{"delete-project", enrollment.SignInPurpose}[r.rng.IntN(2)]
	var got enrollment.Success
	var m modelMatch
	no := r.do(u, fmt.Sprintf("Verify %q with %q", p, code), func(a *modelAccount, turn int) (no *modelNo) {
		if _, f := modelRead(code); f == "" {
			a.dirty = false
			return modelDeny(enrollment.MalformedCode)
		}
		m, no = a.check(code, r.now(), turn)
		return no
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.Verify(ctx, u.name, p, code)
		return err
	}, func(a *modelAccount) {
		r.checkSuccess(u, got, p, m, a)
		r.keep(u, got, a)
	})
	if no == nil {
		r.accept(u, code)
	}
	return no
}

func (r *modelRun) disable(u *modelUser) {
	p := r.proof(u)
	no := r.do(u, fmt.Sprintf("Disable by %v", p), func(a *modelAccount, turn int) *modelNo {
		by, no := a.prove(p, u.name, r.now(), turn, r.config.AllowReauth)
		if no != nil {
			return no
		}
		for len(a.apps) > 0 {
			a.drop(0)
		}
		a.was, a.setup, a.codes, a.spentCodes = true, nil, nil, nil
		a.spent, a.floor = nil, time.Time{}
		a.totp.forgive(r.now())
		a.recovery = modelThrottle{}
		a.turn(turn)
		a.record(r.now(), enrollment.Event{Kind: enrollment.Disabled, Factor: by.factor, Method: by.method})
		return nil
	}, func(ctx context.Context) error { return r.guard.Disable(ctx, u.name, p.proof()) }, nil)
	if no == nil {
		u.grants++
		if p.kind == "code" {
			r.accept(u, p.code)
		}
	}
}

func (r *modelRun) remove(u *modelUser) {
	id := "00ff00ff00ff00ff"
	if x, ok := modelPick(r, u.account.apps); ok && !r.chance(8) {
		id = x.id
	}
	p := r.proof(u)
	no := r.do(u, fmt.Sprintf("Remove %s by %v", id, p), func(a *modelAccount, turn int) *modelNo {
		switch {
		case len(a.apps) == 0:
			return modelDeny(enrollment.NotEnrolled)
		case a.find(id) < 0:
			return modelDeny(enrollment.UnknownAuthenticator)
		case len(a.apps) == 1:
			return modelDeny(enrollment.LastAuthenticator)
		}
		by, no := a.prove(p, u.name, r.now(), turn, r.config.AllowReauth)
		if no != nil {
			return no
		}
		i := a.find(id)
		name := a.apps[i].name
		a.drop(i)
		a.turn(turn)
		a.record(r.now(), enrollment.Event{Kind: enrollment.AuthenticatorRemoved, Factor: by.factor, Method: by.method, Authenticator: name})
		return nil
	}, func(ctx context.Context) error { return r.guard.Remove(ctx, u.name, id, p.proof()) }, nil)
	if no == nil && p.kind == "code" {
		r.accept(u, p.code)
	}
}

func (r *modelRun) newCodes(u *modelUser) { r.newCodesBy(u, r.proof(u)) }

func (r *modelRun) newCodesBy(u *modelUser, p modelProof) {
	var got enrollment.Renewed
	var by modelAuthority
	no := r.do(u, fmt.Sprintf("NewCodes by %v", p), func(a *modelAccount, turn int) (no *modelNo) {
		if len(a.apps) == 0 {
			return modelDeny(enrollment.NotEnrolled)
		}
		if no := a.mayMakeSet(r.now()); no != nil {
			return no
		}
		if by, no = a.prove(p, u.name, r.now(), turn, false); no != nil {
			return no
		}
		a.madeSet(r.now())
		a.recovery = modelThrottle{}
		a.turn(turn)
		a.record(r.now(), enrollment.Event{Kind: enrollment.CodesRenewed, Factor: by.factor})
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.NewCodes(ctx, u.name, p.proof())
		return err
	}, func(a *modelAccount) {
		r.takeCodes(u, a, true, got.Codes)
		r.receipts = append(r.receipts, modelToken{
			number: r.next(), text: got.Receipt, user: u.name, epoch: a.epoch, issued: by.at, factor: by.factor,
		})
	})
	if no == nil && p.kind == "code" {
		r.accept(u, p.code)
	}
}

// enroll begins and confirms as an honest user does.
func (r *modelRun) enroll(u *modelUser) {
	before := len(r.setups)
	x, ok := modelPick(r, u.account.apps)
	if ok && r.chance(2) {
		r.beginWith(u, "", "", modelProof{kind: "code", code: modelShown(x.key, r.now())})
	} else {
		r.begin(u)
	}
	if len(r.setups) > before {
		r.confirmWith(u, r.setups[len(r.setups)-1], modelShown(u.keys[len(u.keys)-1], r.now()))
	}
}

// grind guesses as often as it can for a while, and sometimes the owner comes
// in between with a recovery code.
func (r *modelRun) grind(u *modelUser) {
	rounds := 5 + r.rng.IntN(35)
	if r.chance(12) {
		rounds = 120 // until app codes are disabled
	}
	r.guess(u, rounds, r.chance(5))
	unspent := slices.DeleteFunc(slices.Clone(u.account.codes), func(c string) bool { return u.account.spentCodes[c] })
	if c, ok := modelPick(r, unspent); ok && r.chance(2) {
		r.verify(u, c)
		r.guess(u, 6+r.rng.IntN(3), false)
	}
}

// guess types that many wrong codes, each as soon as it is evaluated.
func (r *modelRun) guess(u *modelUser, rounds int, recoveryCodes bool) {
	for range rounds {
		code := fmt.Sprintf("%06d", r.rng.IntN(1_000_000))
		if recoveryCodes {
			code = r.symbols(26)
		}
		no := r.verify(u, code)
		if no == nil || no.reason != enrollment.WrongCode && no.reason != enrollment.Locked {
			return
		}
		if r.chance(25) {
			r.shift -= int64(r.rng.IntN(7200)) // the clock jumps back meanwhile
		}
		if no.retry.IsZero() {
			continue
		}
		wait := no.retry.Sub(r.now())
		if wait > 40*modelDay {
			return
		}
		if r.chance(3) && wait > time.Microsecond {
			r.real = r.real.Add(wait - time.Microsecond)
			r.verify(u, code) // still locked, by a microsecond
			wait = time.Microsecond
		}
		r.real = r.real.Add(wait)
	}
}

// fumble types wrong codes for a setup until it is locked.
func (r *modelRun) fumble(u *modelUser) {
	if u.account.setup == nil {
		r.begin(u)
	}
	for range 4 + r.rng.IntN(6) {
		r.confirmWith(u, r.setupToken(u), fmt.Sprintf("%06d", r.rng.IntN(1_000_000)))
	}
	if r.chance(2) {
		r.real = r.real.Add(time.Minute)
		r.confirmWith(u, r.setupToken(u), fmt.Sprintf("%06d", r.rng.IntN(1_000_000)))
	}
	r.confirm(u)
}

// renew makes sets of recovery codes until it may not any more.
func (r *modelRun) renew(u *modelUser) {
	x, ok := modelPick(r, u.account.apps)
	if !ok {
		return
	}
	p := modelProof{kind: "code", code: modelShown(x.key, r.now())}
	for range 5 {
		before := len(r.receipts)
		r.newCodesBy(u, p)
		if len(r.receipts) == before {
			return
		}
		p = modelProof{kind: "receipt", receipt: r.receipts[before]}
		r.real = r.real.Add(time.Duration(r.rng.IntN(120)) * time.Second)
	}
	if r.chance(2) {
		// Whoever has spent all codes and enables anew finds the limit there.
		for _, c := range u.account.codes {
			r.verify(u, c)
		}
		r.enroll(u)
	}
}

// marathon signs in more often within the life of a challenge than the list of
// spent ones is long.
func (r *modelRun) marathon(u *modelUser) {
	r.signIn(u) // left open for later
	for range 18 {
		x, ok := modelPick(r, u.account.apps)
		if !ok {
			return
		}
		before := len(r.challenges)
		r.signIn(u)
		if len(r.challenges) == before {
			return
		}
		c := r.challenges[before]
		code := modelShown(x.key, r.now())
		if x.last >= modelStep(r.now()) {
			code = modelShown(x.key, r.now().Add(30*time.Second))
		}
		r.answerWith(u, c, c.purpose, code)
		r.real = r.real.Add(time.Duration(10+r.rng.IntN(21)) * time.Second)
	}
	r.answer(u)
}

// wait lets time pass, or moves the clock.
func (r *modelRun) wait() {
	u := r.users[r.rng.IntN(len(r.users))]
	before := r.now()
	switch n := r.rng.IntN(32); {
	case n < 12:
		r.real = r.real.Add(time.Duration(r.rng.IntN(60_000_000)) * time.Microsecond)
	case n < 16:
		r.real = r.real.Add(time.Duration(r.rng.IntN(600)) * time.Second)
	case n < 18:
		r.real = r.real.Add(time.Duration(r.rng.IntN(48)) * time.Hour / 2)
	case n < 19:
		r.real = r.real.Add(time.Duration(r.rng.IntN(40)) * modelDay)
	case n < 23: // to the very instant at which something ends, or beside it
		var ends []time.Time
		for _, t := range append(slices.Clone(r.challenges), r.setups...) {
			ends = append(ends, t.expires)
		}
		for _, t := range r.receipts {
			ends = append(ends, t.issued.Add(5*time.Minute))
		}
		ends = append(ends, u.account.totp.opens(true, max(1, len(u.account.apps))), u.account.recovery.opens(false, 1),
			u.account.setsSince.Add(modelDay), u.account.totp.mark.Add(-modelDay), u.account.recovery.mark.Add(-modelDay))
		end, _ := modelPick(r, ends)
		end = end.Add(time.Duration(r.rng.IntN(3)-1) * time.Microsecond)
		if d := end.Sub(r.now()); d > -2*modelDay && d < 50*modelDay && !end.IsZero() {
			r.real = r.real.Add(d)
		}
	case n < 26: // back a little
		r.shift -= []int64{1, 29, 30, 59, 61, 300, 3600, 23 * 3600}[r.rng.IntN(8)]
	case n < 27:
		r.shift += []int64{1, 30, 300, 3600, 23 * 3600}[r.rng.IntN(5)]
	case n < 29: // broken
		to := []time.Time{
			r.real.Add(3 * modelDay), r.real.Add(25 * time.Hour), r.real.Add(47 * time.Hour), r.real.Add(-26 * time.Hour),
			time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1970, 1, 1, 0, 0, 40, 0, time.UTC),
			time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC), time.Date(2250, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC), r.real.AddDate(1, 0, 0), r.real.AddDate(0, 0, -40),
		}[r.rng.IntN(11)]
		r.shift = to.Unix() - r.real.Unix()
	default: // mended
		r.shift = 0
	}
	if !r.now().Equal(before) {
		r.log = append(r.log, fmt.Sprintf("%3d the clock goes by %v", len(r.log), r.now().Sub(before)))
		r.tick(r.now())
	}
}

// step does one random operation.
func (r *modelRun) step() {
	u := r.users[min(1, r.rng.IntN(3))] // one of them is busier
	switch n := r.rng.IntN(100); {
	case n < 24:
		r.wait()
	case n < 32:
		r.begin(u)
	case n < 34:
		r.resume(u)
	case n < 42:
		r.confirm(u)
	case n < 50:
		if len(u.account.apps) < 3 {
			r.enroll(u)
		} else {
			r.answer(u)
		}
	case n < 52:
		r.cancel(u)
	case n < 60:
		r.signIn(u)
	case n < 72:
		r.answer(u)
	case n < 82:
		r.verify(u, r.typed(u))
	case n < 85:
		r.disable(u)
	case n < 89:
		r.remove(u)
	case n < 94:
		r.newCodes(u)
	case n < 96:
		r.restart()
	case n < 97:
		r.grind(u)
	case n < 98:
		r.marathon(u)
	case n < 99:
		r.fumble(u)
	default:
		r.renew(u)
	}
}

// TestGuardAgreesWithModel runs random sequences of operations, each on its own
// store.
func TestGuardAgreesWithModel(t *testing.T) {
	t.Parallel()
	first, last := *modelFirst, *modelFirst+uint64(*modelSequences)
	if testing.Short() {
		last = first + uint64(*modelSequences)/10
	}
	if *modelSeed != 0 {
		first, last = *modelSeed, *modelSeed+1
	}
	tally := map[string]int{}
	for seed := first; seed < last; seed++ {
		r := newModelRun(t, seed)
		if !r.chance(3) {
			r.enroll(r.users[0])
		}
		for range *modelSteps {
			r.step()
		}
		for k, n := range r.tally {
			tally[k] += n
		}
	}
	if *modelTally {
		for _, k := range slices.Sorted(maps.Keys(tally)) {
			t.Logf("%8d %s", tally[k], k)
		}
	}
	if *modelSeed != 0 || testing.Short() {
		return
	}
	// A sequence that never gets anywhere proves nothing.
	for _, k := range []string{
		"Answer: yes", "Answer: code_already_used", "Answer: wrong_code", "Answer: locked", "Answer: challenge_spent",
		"Answer: challenge_void", "Answer: challenge_expired", "Answer: challenge_invalid", "Verify: factor_disabled",
		"Begin: yes", "Begin: too_many_authenticators", "Begin: proof_stale", "Begin: proof_invalid", "Begin: proof_required",
		"Begin: proof_not_allowed", "Confirm: yes", "Confirm: clock_skew", "Confirm: setup_superseded", "Confirm: locked",
		"Cancel: yes", "Disable: yes", "Disable: proof_not_allowed", "Remove: yes", "Remove: last_authenticator",
		"NewCodes: yes", "NewCodes: too_many_code_sets", "Resume: yes", "Resume: setup_superseded", "Resume: setup_expired",
	} {
		if *modelSequences >= 3000 && tally[k] == 0 {
			t.Errorf("no sequence came to %q", k)
		}
	}
}
