package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
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
	texts    []string            // recovery codes of other systems, and delivered codes
	accepted map[string]struct{} // recovery codes that were accepted
	answered map[int]struct{}    // challenges that were answered
	posts    []float64           // when messages were sent, as motion of the clock
	asked    []float64           // the same, with those that were refused
	secrets  []string            // what must stand in no log and no Status
	raw      [][]byte            // what must not be stored once nothing is set up
	packed   [][]byte            // sets of recovery codes in clear, as they are kept
	status   enrollment.Status   // as it was last seen
	stamps   map[enrollment.Stamp]int

	// What the budget has paid for, checked apart from the model.
	guesses   int // at app codes
	delivered int // at delivered codes
	others    int // at recovery codes of another system
	grants    int
	fresh     int // how often it began anew, after an erasure
}

// A modelRun is one sequence.
type modelRun struct {
	t     *testing.T
	seed  uint64
	rng   *rand.Rand
	where *rand.Rand // for the origins of requests
	log   []string
	tally map[string]int

	real    time.Time // the time as it should be
	shift   int64     // seconds by which the clock is wrong
	shown   time.Time // the latest time that the clock showed
	forward float64   // seconds by which the clock has ever gone forward
	motion  float64   // the same, with their fractions

	store  *proving.Store
	ring   *proving.Keys
	sealed []byte // the account that was sealed last, in clear
	config enrollment.Config
	guard  *enrollment.Guard

	notify      bool
	notifyFails bool
	notifyDown  bool // it fails all the time
	quiet       bool // whether what is done now tells nobody
	failed      bool // whether the operation failed after what was decided was stored
	refused     bool // whether the gateway has refused a message
	notified    []enrollment.Event
	observed    []enrollment.Observation
	logged      *strings.Builder // nil where it is not looked at

	post     *modelPost
	messages enrollment.Messages
	limits   modelLimits
	alone    bool // whether an address may be all
	resets   enrollment.ResetRequests
	wordy    bool // whether administrators give reasons as long as can be

	users      []*modelUser
	left       map[string]bool // user ids from which an account has moved away
	challenges []modelToken
	receipts   []modelToken
	setups     []modelToken
	bindings   []modelToken
	renewals   []modelToken
	replaced   []modelNewCode
	enrolls    []modelToken // of setups that a sign-in demands
	cookies    []modelCookie
	tickets    []string
	number     int // of tokens and epochs
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

func newModelRun(t *testing.T, open proving.Open, seed uint64) *modelRun {
	r := &modelRun{
		t:     t,
		seed:  seed,
		rng:   rand.New(rand.NewPCG(seed, 0x6d6f64656c)),
		where: rand.New(rand.NewPCG(seed, 0x7768657265)),
		tally: map[string]int{},
		left:  map[string]bool{},
		real:  proving.Start,
		store: proving.NewStore(open(t).(proving.Full)),
	}
	r.shown = r.real
	ring, err := keyring.Generate("model")
	if err != nil {
		t.Fatal(err)
	}
	r.ring = &proving.Keys{Ring: ring, Sealing: func(scope, plaintext []byte) error {
		if bytes.Contains(scope, []byte("twofactor record v1")) {
			r.sealed = bytes.Clone(plaintext)
		}
		return nil
	}}
	r.notify, r.wordy = r.chance(2), r.chance(12)
	r.notifyDown = r.chance(5)
	auto, wait := r.chance(2), []time.Duration{0, modelDay, 30 * modelDay, 36 * time.Hour}[r.rng.IntN(4)]
	r.post = &modelPost{run: r}
	r.config = enrollment.Config{
		Issuer:         "Acme",
		RecoveryScheme: recovery.Fast,
		RecoveryCodes:  recovery.MinCount + r.rng.IntN(3)*3,
		ReauthDisables: r.chance(2),
		AllowSHA1:      fips.Enforced(),
		Sender:         r.post,
		ResetWait:      wait,
		AutoReset:      auto && r.notify,
		MaxBypass:      []time.Duration{0, 2 * time.Hour, 7 * 24 * time.Hour}[r.rng.IntN(3)],
		Now:            func() time.Time { return r.now() },
		Observe:        func(o enrollment.Observation) { r.observed = append(r.observed, o) },
	}
	if r.chance(8) {
		r.logged = new(strings.Builder)
		r.config.Logger = slog.New(slog.NewTextHandler(r.logged, nil))
	}
	if r.chance(6) {
		r.config.SetupTTL = 24 * time.Hour
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
	// Some things may be configured anew meanwhile.
	r.alone = r.chance(2)
	r.config.AddressAlone, r.config.UnprovenSetup = r.alone, r.chance(4)
	r.config.AlertUnanswered = r.chance(3)
	r.limit(&r.config)
	r.config.CodesAtSetup, r.config.ReplenishCodes, r.config.KeepCodes = r.chance(3), r.chance(3), r.chance(2)
	var err error
	if r.guard, err = enrollment.New(r.store, r.ring, r.config); err != nil {
		r.t.Fatal(err)
	}
	r.messages, r.resets = r.guard.Messages(), r.guard.ResetRequests()
	r.log = append(r.log, fmt.Sprintf("%3d a Guard: at setup %t, replenish %t, keep %t, alone %t, unproven %t, limits %+v", len(r.log),
		r.config.CodesAtSetup, r.config.ReplenishCodes, r.config.KeepCodes, r.alone, r.config.UnprovenSetup, r.limits))
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
	a.clampFuture(now, -1) // an epoch that is never stored
	a.tidy(now)
	return a
}
