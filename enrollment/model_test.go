package enrollment_test

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
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
