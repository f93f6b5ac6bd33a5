package enrollment_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// This file runs every operation of Guard while something around it fails: the
// store, the sealer, the source of randomness, Notify, the caller's patience.
// For each place at which it can fail, the outcome has to be legal: a success
// only if the store holds it, an answer only if it was committed, and after an
// error an account that is as it was or as it should be, never half.
//
// One fault can't be noticed, and is not tested: a store that says ErrNotFound
// for a record that it has. Login.Enrolled is for that.
//
// The tests run in bubbles of testing/synctest, so that a store that hangs
// costs no time.

var errFault = errors.New("fault: something is broken")

// A faultState is an account to start from, and everything that an operation
// could be called with.
type faultState struct {
	name    string
	scheme  recovery.Scheme
	now     time.Time
	ring    *keyring.Ring
	records []store.Record
	older   store.Record // an earlier record of alice; the zero Record if there is none
	foreign store.Record // of another user

	first, second, waiting totp.Key
	firstID, secondID      string
	token, oldToken        string // of setups
	challenge, spent       string
	receipt                string
	codes                  []string // recovery codes; the first one is spent
	never                  string   // a code that none of the keys shows
}

const (
	faultUser  = "alice"
	faultOther = "bob"
)

func (s *faultState) config() enrollment.Config {
	return enrollment.Config{
		Issuer: "Acme", RecoveryScheme: s.scheme, RecoveryCodes: recovery.MinCount,
		Now: func() time.Time { return s.now },
	}
}

func (s *faultState) code() string  { return modelShown(s.first, s.now) }
func (s *faultState) next() string  { return modelShown(s.first, s.now.Add(30*time.Second)) }
func (s *faultState) used() string  { return modelShown(s.first, s.now.Add(-30*time.Second)) }
func (s *faultState) wrong() string { return s.never }

// unknown is a recovery code of the account's scheme that it does not have.
func (s *faultState) unknown() string {
	if s.scheme == recovery.Argon2id {
		return strings.Repeat("7", 16)
	}
	return strings.Repeat("7", 26)
}

func faultMust[T any](tb testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

// newFaultState leads an account into a state: none, pending, confirmed,
// staged, locked or disabled.
func newFaultState(t *testing.T, name string, scheme recovery.Scheme) *faultState {
	t.Helper()
	ctx := t.Context()
	s := &faultState{name: name, scheme: scheme, now: modelStart, ring: faultMust[*keyring.Ring](t)(keyring.Generate("fault"))}
	mem := memory.New()
	g := faultMust[*enrollment.Guard](t)(enrollment.New(mem, s.ring, s.config()))
	begin := func(p enrollment.Proof) (totp.Key, string) {
		setup := faultMust[enrollment.Setup](t)(g.Begin(ctx, faultUser, enrollment.Options{Account: "a", Proof: p}))
		return modelKey(t, setup), setup.Token
	}
	confirm := func(key totp.Key, token string) enrollment.Confirmed {
		return faultMust[enrollment.Confirmed](t)(g.Confirm(ctx, faultUser, token, modelShown(key, s.now)))
	}
	keep := func() { s.older = faultMust[store.Record](t)(mem.Load(ctx, faultUser)) }

	// Keys that belong to nobody, so that a code of them is well formed.
	other := faultMust[*enrollment.Guard](t)(enrollment.New(memory.New(), s.ring, s.config()))
	for _, key := range []*totp.Key{&s.first, &s.second, &s.waiting} {
		*key = modelKey(t, faultMust[enrollment.Setup](t)(other.Begin(ctx, faultUser, enrollment.Options{Account: "a"})))
	}
	if _, err := g.Begin(ctx, faultOther, enrollment.Options{Account: "b"}); err != nil {
		t.Fatal(err)
	}
	s.foreign = faultMust[store.Record](t)(mem.Load(ctx, faultOther))

	switch name {
	case "none":
	case "pending":
		_, s.oldToken = begin(enrollment.Proof{})
		keep()
		s.waiting, s.token = begin(enrollment.Proof{})
	default:
		key, token := begin(enrollment.Proof{})
		s.first = key
		done := confirm(key, token)
		s.firstID, s.codes = done.Success.Authenticator, done.Codes.Reveal()
		s.now = s.now.Add(time.Minute)
		key, token = begin(enrollment.ByCode(s.code()))
		s.second = key
		s.secondID = confirm(key, token).Success.Authenticator
		if _, err := g.Verify(ctx, faultUser, "x", s.codes[0]); err != nil {
			t.Fatal(err)
		}
		s.now = s.now.Add(time.Minute)
		d := faultMust[enrollment.Decision](t)(g.SignIn(ctx, faultUser, enrollment.Login{}))
		keep()
		s.spent = d.Challenge
		s.receipt = faultMust[enrollment.Success](t)(g.Answer(ctx, enrollment.SignInPurpose, d.Challenge, s.code())).Receipt
		s.now = s.now.Add(30 * time.Second)
		s.challenge = faultMust[enrollment.Decision](t)(g.SignIn(ctx, faultUser, enrollment.Login{})).Challenge
		switch name {
		case "staged":
			_, s.oldToken = begin(enrollment.ByReceipt(s.receipt))
			s.waiting, s.token = begin(enrollment.ByReceipt(s.receipt))
		case "replacing":
			setup := faultMust[enrollment.Setup](t)(g.Begin(ctx, faultUser, enrollment.Options{
				Account: "a", Replace: s.secondID, Proof: enrollment.ByReceipt(s.receipt),
			}))
			s.waiting, s.token = modelKey(t, setup), setup.Token
		case "locked":
			for range 5 {
				if _, err := g.Verify(ctx, faultUser, "x", modelWrong(s.now, s.first, s.second)); err == nil {
					t.Fatal("a wrong code was right")
				}
			}
		case "disabled":
			if err := g.Disable(ctx, faultUser, enrollment.ByReceipt(s.receipt)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.never = modelWrong(s.now, s.first, s.second, s.waiting)
	for _, user := range []string{faultUser, faultOther} {
		if rec, err := mem.Load(ctx, user); err == nil {
			s.records = append(s.records, rec)
		}
	}
	return s
}

// A faultOut is what an operation returned.
type faultOut struct {
	token   string // of a setup
	receipt string
	codes   []string
}

// A faultOp is an operation in a state, with its outcome when nothing fails.
type faultOp struct {
	name, state string
	run         func(ctx context.Context, s *faultState, g *enrollment.Guard) (faultOut, error)

	want   enrollment.Reason // "" for success
	writes bool              // whether that outcome is written
	counts string            // where a failure is counted: totp, recovery, setup
	once   bool              // a success that nobody may have twice
	reads  bool              // an operation that never writes

	// held returns an error unless the operation has taken effect. It is given
	// what the operation returned, or nil if that is not known.
	held func(ctx context.Context, s *faultState, g *enrollment.Guard, out *faultOut) error
}

// faultExpect returns an error unless err denies for that reason.
func faultExpect(err error, want enrollment.Reason) error {
	if got := modelReason(err); got != want {
		return fmt.Errorf("got %q (%w), want %q", got, errors.Join(err, errors.New("…")), want)
	}
	return nil
}

func faultStatus(ctx context.Context, g *enrollment.Guard) (enrollment.Status, string) {
	s, err := g.Status(ctx, faultUser)
	if err != nil {
		return s, err.Error()
	}
	var kinds []string
	for _, e := range s.History {
		kinds = append(kinds, string(e.Kind))
	}
	return s, fmt.Sprintf("%v, %d apps, %d of %d codes, setup %t, %v", s.State, len(s.Authenticators), s.CodesLeft, s.Codes, !s.SetupExpires.IsZero(), kinds)
}

// faultCodesWork returns an error unless the first of the codes is right, once.
func faultCodesWork(ctx context.Context, g *enrollment.Guard, out *faultOut) error {
	if out == nil {
		return nil
	}
	if len(out.codes) == 0 {
		return errors.New("no recovery codes were returned")
	}
	if _, err := g.Verify(ctx, faultUser, "x", out.codes[0]); err != nil {
		return fmt.Errorf("a returned recovery code: %w", err)
	}
	_, err := g.Verify(ctx, faultUser, "x", out.codes[0])
	return faultExpect(err, enrollment.Replayed)
}

func faultOps() []faultOp {
	type (
		S = *faultState
		G = *enrollment.Guard
	)
	begin := func(o func(s S) enrollment.Options) func(context.Context, S, G) (faultOut, error) {
		return func(ctx context.Context, s S, g G) (faultOut, error) {
			opts := o(s)
			opts.Account = "a"
			setup, err := g.Begin(ctx, faultUser, opts)
			return faultOut{token: setup.Token}, err
		}
	}
	proven := func(p func(s S) enrollment.Proof) func(s S) enrollment.Options {
		return func(s S) enrollment.Options { return enrollment.Options{Proof: p(s)} }
	}
	byCode := func(s S) enrollment.Proof { return enrollment.ByCode(s.code()) }
	byWrong := func(s S) enrollment.Proof { return enrollment.ByCode(s.wrong()) }
	byUsed := func(s S) enrollment.Proof { return enrollment.ByCode(s.used()) }
	byReceipt := func(s S) enrollment.Proof { return enrollment.ByReceipt(s.receipt) }
	byRecovery := func(s S) enrollment.Proof { return enrollment.ByCode(s.codes[1]) }
	byNothing := func(S) enrollment.Proof { return enrollment.Proof{} }

	resume := func(ctx context.Context, _ S, g G, out *faultOut) error {
		if out == nil {
			return nil
		}
		_, err := g.Resume(ctx, faultUser, out.token)
		return err
	}
	confirm := func(token, code func(s S) string) func(context.Context, S, G) (faultOut, error) {
		return func(ctx context.Context, s S, g G) (faultOut, error) {
			done, err := g.Confirm(ctx, faultUser, token(s), code(s))
			if err == nil && (done.Success.Receipt == "" || done.Success.UserID != faultUser) {
				err = errors.New("a Confirm without a Success")
			}
			if err != nil && (done.Codes.Len() > 0 || done.Success != enrollment.Success{}) {
				err = errors.New("an error that comes with a result")
			}
			return faultOut{codes: done.Codes.Reveal()}, err
		}
	}
	token := func(s S) string { return s.token }
	oldToken := func(s S) string { return s.oldToken }
	waiting := func(s S) string { return modelShown(s.waiting, s.now) }
	slow := func(s S) string { return modelShown(s.waiting, s.now.Add(-4*time.Minute)) }
	wrong := S.wrong
	// confirmed: the code was burned, and the setup is gone.
	confirmed := func(ctx context.Context, s S, g G, _ *faultOut) error {
		_, err := g.Verify(ctx, faultUser, "x", waiting(s))
		if err := faultExpect(err, enrollment.Replayed); err != nil {
			return err
		}
		_, err = g.Confirm(ctx, faultUser, s.token, waiting(s))
		return faultExpect(err, enrollment.NoSetup)
	}
	answer := func(challenge, code func(s S) string) func(context.Context, S, G) (faultOut, error) {
		return func(ctx context.Context, s S, g G) (faultOut, error) {
			ok, err := g.Answer(ctx, enrollment.SignInPurpose, challenge(s), code(s))
			if (err == nil) != (ok.UserID == faultUser) {
				err = fmt.Errorf("a Success for %q with the error %w", ok.UserID, err)
			}
			return faultOut{}, err
		}
	}
	challenge := func(s S) string { return s.challenge }
	spent := func(s S) string { return s.spent }
	recoveryCode := func(s S) string { return s.codes[1] }
	spentCode := func(s S) string { return s.codes[0] }
	verify := func(code func(s S) string) func(context.Context, S, G) (faultOut, error) {
		return func(ctx context.Context, s S, g G) (faultOut, error) {
			_, err := g.Verify(ctx, faultUser, "x", code(s))
			return faultOut{}, err
		}
	}
	// replayed: the code is used up.
	replayed := func(code func(s S) string) func(context.Context, S, G, *faultOut) error {
		return func(ctx context.Context, s S, g G, _ *faultOut) error {
			_, err := g.Verify(ctx, faultUser, "x", code(s))
			return faultExpect(err, enrollment.Replayed)
		}
	}
	answered := func(code func(s S) string, reason enrollment.Reason) func(context.Context, S, G, *faultOut) error {
		return func(ctx context.Context, s S, g G, out *faultOut) error {
			if err := replayed(code)(ctx, s, g, out); err != nil {
				return err
			}
			_, err := g.Answer(ctx, enrollment.SignInPurpose, s.challenge, s.next())
			return faultExpect(err, reason)
		}
	}
	state := func(want store.State, apps int) func(context.Context, S, G, *faultOut) error {
		return func(ctx context.Context, _ S, g G, _ *faultOut) error {
			s, text := faultStatus(ctx, g)
			if s.State != want || len(s.Authenticators) != apps || !s.SetupExpires.IsZero() {
				return errors.New(text)
			}
			return nil
		}
	}
	disable := func(p func(s S) enrollment.Proof) func(context.Context, S, G) (faultOut, error) {
		return func(ctx context.Context, s S, g G) (faultOut, error) {
			return faultOut{}, g.Disable(ctx, faultUser, p(s))
		}
	}
	remove := func(p func(s S) enrollment.Proof) func(context.Context, S, G) (faultOut, error) {
		return func(ctx context.Context, s S, g G) (faultOut, error) {
			return faultOut{}, g.Remove(ctx, faultUser, s.secondID, p(s))
		}
	}
	newCodes := func(p func(s S) enrollment.Proof) func(context.Context, S, G) (faultOut, error) {
		return func(ctx context.Context, s S, g G) (faultOut, error) {
			done, err := g.NewCodes(ctx, faultUser, p(s))
			if err != nil && (done.Codes.Len() > 0 || done.Receipt != "") {
				err = errors.New("an error that comes with a result")
			}
			return faultOut{codes: done.Codes.Reveal(), receipt: done.Receipt}, err
		}
	}
	// renewed: the earlier codes are void, the new ones are right, and the
	// receipt that comes with them proves something.
	renewed := func(ctx context.Context, s S, g G, out *faultOut) error {
		if out != nil {
			if _, err := g.Begin(ctx, faultUser, enrollment.Options{Account: "a", Proof: enrollment.ByReceipt(out.receipt)}); err != nil {
				return fmt.Errorf("the returned receipt: %w", err)
			}
		}
		_, err := g.Verify(ctx, faultUser, "x", s.codes[2])
		if err := faultExpect(err, enrollment.WrongCode); err != nil {
			return err
		}
		return faultCodesWork(ctx, g, out)
	}
	both := func(held ...func(context.Context, S, G, *faultOut) error) func(context.Context, S, G, *faultOut) error {
		return func(ctx context.Context, s S, g G, out *faultOut) error {
			for _, h := range held {
				if err := h(ctx, s, g, out); err != nil {
					return err
				}
			}
			return nil
		}
	}

	return []faultOp{
		{name: "Begin", state: "none", run: begin(proven(byNothing)), writes: true, held: resume},
		{name: "Begin again", state: "pending", run: begin(proven(byNothing)), writes: true, held: resume},
		{name: "Begin after all", state: "disabled", run: begin(proven(byNothing)), writes: true, held: resume},
		{name: "Begin by code", state: "confirmed", run: begin(proven(byCode)), writes: true, once: true, held: both(resume, replayed(S.code))},
		{name: "Begin by recovery code", state: "confirmed", run: begin(proven(byRecovery)), writes: true, once: true, held: both(resume, replayed(recoveryCode))},
		{name: "Begin by receipt", state: "confirmed", run: begin(proven(byReceipt)), writes: true, held: resume},
		{name: "Begin by wrong code", state: "confirmed", run: begin(proven(byWrong)), want: enrollment.WrongCode, writes: true, counts: "totp"},
		{name: "Begin by used code", state: "confirmed", run: begin(proven(byUsed)), want: enrollment.Replayed},
		{name: "Begin without proof", state: "confirmed", run: begin(proven(byNothing)), want: enrollment.ProofRequired},
		{name: "Begin to replace", state: "confirmed", writes: true, once: true, held: both(resume, replayed(S.code)), run: begin(func(s S) enrollment.Options {
			return enrollment.Options{Replace: s.secondID, Proof: byCode(s)}
		})},
		{name: "Resume", state: "pending", reads: true, run: func(ctx context.Context, s S, g G) (faultOut, error) {
			_, err := g.Resume(ctx, faultUser, s.token)
			return faultOut{}, err
		}},
		{name: "Resume superseded", state: "staged", reads: true, want: enrollment.SetupSuperseded, run: func(ctx context.Context, s S, g G) (faultOut, error) {
			_, err := g.Resume(ctx, faultUser, s.oldToken)
			return faultOut{}, err
		}},
		{name: "Confirm", state: "pending", run: confirm(token, waiting), writes: true, once: true, held: both(confirmed, state(store.Confirmed, 1), func(ctx context.Context, _ S, g G, out *faultOut) error {
			return faultCodesWork(ctx, g, out)
		})},
		{name: "Confirm with wrong code", state: "pending", run: confirm(token, wrong), want: enrollment.WrongCode, writes: true, counts: "setup"},
		{name: "Confirm with slow clock", state: "pending", run: confirm(token, slow), want: enrollment.ClockSkew, writes: true, counts: "setup"},
		{name: "Confirm superseded", state: "pending", run: confirm(oldToken, waiting), want: enrollment.SetupSuperseded},
		{name: "Confirm another", state: "staged", run: confirm(token, waiting), writes: true, once: true, held: both(confirmed, state(store.Confirmed, 3))},
		{name: "Confirm replacement", state: "replacing", run: confirm(token, waiting), writes: true, once: true, held: both(confirmed, state(store.Confirmed, 2))},
		{name: "Cancel", state: "pending", writes: true, once: true, held: state(store.None, 0), run: func(ctx context.Context, _ S, g G) (faultOut, error) {
			return faultOut{}, g.Cancel(ctx, faultUser)
		}},
		{name: "Cancel nothing", state: "confirmed", want: enrollment.NoSetup, run: func(ctx context.Context, _ S, g G) (faultOut, error) {
			return faultOut{}, g.Cancel(ctx, faultUser)
		}},
		{name: "SignIn", state: "confirmed", reads: true, run: func(ctx context.Context, _ S, g G) (faultOut, error) {
			d, err := g.SignIn(ctx, faultUser, enrollment.Login{})
			if (err == nil) != (d.Next == enrollment.AskCode) || (err == nil) != (d.Challenge != "") {
				err = fmt.Errorf("SignIn says %v with %w", d.Next, err)
			}
			return faultOut{}, err
		}},
		{name: "SignIn without", state: "none", reads: true, run: func(ctx context.Context, _ S, g G) (faultOut, error) {
			d, err := g.SignIn(ctx, faultUser, enrollment.Login{})
			if (err == nil) != (d.Next == enrollment.Proceed) {
				err = fmt.Errorf("SignIn says %v with %w", d.Next, err)
			}
			return faultOut{}, err
		}},
		{name: "Answer", state: "confirmed", run: answer(challenge, S.code), writes: true, once: true, held: answered(S.code, enrollment.ChallengeSpent)},
		{name: "Answer with wrong code", state: "confirmed", run: answer(challenge, wrong), want: enrollment.WrongCode, writes: true, counts: "totp"},
		{name: "Answer with used code", state: "confirmed", run: answer(challenge, S.used), want: enrollment.Replayed},
		{name: "Answer while locked", state: "locked", run: answer(challenge, S.code), want: enrollment.Locked},
		{name: "Answer spent", state: "confirmed", run: answer(spent, S.code), want: enrollment.ChallengeSpent},
		{name: "Answer with recovery code", state: "confirmed", run: answer(challenge, recoveryCode), writes: true, once: true, held: answered(recoveryCode, enrollment.ChallengeVoid)},
		{name: "Answer with recovery code while locked", state: "locked", run: answer(challenge, recoveryCode), writes: true, once: true, held: answered(recoveryCode, enrollment.ChallengeVoid)},
		{name: "Answer with unknown recovery code", state: "confirmed", run: answer(challenge, S.unknown), want: enrollment.WrongCode, writes: true, counts: "recovery"},
		{name: "Answer with spent recovery code", state: "confirmed", run: answer(challenge, spentCode), want: enrollment.Replayed, writes: true, counts: "recovery"},
		{name: "Verify", state: "confirmed", run: verify(S.code), writes: true, once: true, held: replayed(S.code)},
		{name: "Verify with recovery code", state: "staged", run: verify(recoveryCode), writes: true, once: true, held: replayed(recoveryCode)},
		{name: "Verify with wrong code", state: "confirmed", run: verify(wrong), want: enrollment.WrongCode, writes: true, counts: "totp"},
		{name: "Verify without", state: "disabled", run: verify(wrong), want: enrollment.NotEnrolled},
		{name: "Disable by code", state: "confirmed", run: disable(byCode), writes: true, once: true, held: state(store.Disabled, 0)},
		{name: "Disable by receipt", state: "staged", run: disable(byReceipt), writes: true, once: true, held: state(store.Disabled, 0)},
		{name: "Disable by wrong code", state: "confirmed", run: disable(byWrong), want: enrollment.WrongCode, writes: true, counts: "totp"},
		{name: "Disable by used code", state: "confirmed", run: disable(byUsed), want: enrollment.Replayed},
		{name: "Remove by code", state: "confirmed", run: remove(byCode), writes: true, once: true, held: both(state(store.Confirmed, 1), replayed(S.code))},
		{name: "Remove by receipt", state: "confirmed", run: remove(byReceipt), writes: true, once: true, held: state(store.Confirmed, 1)},
		{name: "Remove by wrong code", state: "confirmed", run: remove(byWrong), want: enrollment.WrongCode, writes: true, counts: "totp"},
		{name: "NewCodes by code", state: "confirmed", run: newCodes(byCode), writes: true, once: true, held: both(renewed, replayed(S.code))},
		{name: "NewCodes by receipt", state: "confirmed", run: newCodes(byReceipt), writes: true, once: true, held: renewed},
		{name: "NewCodes by recovery code", state: "confirmed", run: newCodes(byRecovery), writes: true, once: true, held: renewed},
		{name: "NewCodes by wrong code", state: "confirmed", run: newCodes(byWrong), want: enrollment.WrongCode, writes: true, counts: "totp"},
		{name: "NewCodes without proof", state: "confirmed", run: newCodes(byNothing), want: enrollment.ProofRequired},
		{name: "Status", state: "confirmed", reads: true, run: func(ctx context.Context, _ S, g G) (faultOut, error) {
			_, err := g.Status(ctx, faultUser)
			return faultOut{}, err
		}},
	}
}

// A faultMode is a way for one call of the store to fail.
type faultMode struct {
	name string
	on   string // load or save
	// call takes the place of the call. f.inner does what was asked for.
	load func(ctx context.Context, f *faultStore, user string) (store.Record, error)
	save func(ctx context.Context, f *faultStore, r store.Record, prev int64) error

	sticky  bool // every later call of the kind fails alike
	legal   faultLegal
	isError error // what the error has to match
}

// faultLegal is what the outcome may be if the fault came before the decision
// was stored. Once it is stored, nothing may change the answer.
type faultLegal int

const (
	faultSame      faultLegal = iota // the same as without the fault
	faultNothing                     // an error, and nothing has happened
	faultUnknown                     // an error, and all or nothing has happened
	faultDenied                      // nothing, or the same, or a denial
	faultRival                       // somebody else may have had it
	faultOvertaken                   // unknown if somebody else has written, the same if not
)

// A faultStore fails at one call.
type faultStore struct {
	*memory.Store
	t     *testing.T
	state *faultState
	op    *faultOp
	mode  *faultMode
	at    int // which call fails
	rival *enrollment.Guard

	calls   int
	landed  int          // saves of ours that were stored
	late    bool         // the fault came when the decision was stored already
	hit     bool         // the fault came at all
	base    store.Record // what stood there before anything of ours
	foreign int          // writes of somebody else
	rivalOK bool
	cancel  context.CancelFunc
}

func (f *faultStore) Load(ctx context.Context, user string) (store.Record, error) {
	f.calls++
	if user == faultUser && f.due("load") {
		return f.mode.load(ctx, f, user)
	}
	return f.Store.Load(ctx, user)
}

func (f *faultStore) Save(ctx context.Context, r store.Record, prev int64) error {
	f.calls++
	if r.UserID == faultUser && f.due("save") {
		return f.mode.save(ctx, f, r, prev)
	}
	return f.commit(ctx, r, prev)
}

func (f *faultStore) due(kind string) bool {
	if f.mode == nil || f.mode.on != kind || f.calls < f.at || f.calls > f.at && !f.mode.sticky {
		return false
	}
	if !f.hit {
		f.hit, f.late = true, f.landed > 0
	}
	return true
}

// commit saves, and keeps account of it.
func (f *faultStore) commit(ctx context.Context, r store.Record, prev int64) error {
	err := f.Store.Save(ctx, r, prev)
	if err == nil && r.UserID == faultUser {
		f.landed++
	}
	return err
}

// hang waits until the context ends, which it has to.
func (f *faultStore) hang(ctx context.Context) error {
	if ctx.Done() == nil {
		f.t.Errorf("%s in state %s, %s, call %d: the call has no deadline and would hang for ever", f.op.name, f.state.name, f.mode.name, f.at)
		return errFault
	}
	<-ctx.Done()
	return ctx.Err()
}

func (f *faultStore) record() store.Record {
	rec, err := f.Store.Load(context.Background(), faultUser)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		f.t.Fatal(err)
	}
	return rec
}

// somebodyElse changes the account in a way that leaves the outcome as it is.
func (f *faultStore) somebodyElse() {
	before := f.record().Version
	ctx := context.Background()
	var err error
	switch f.state.name {
	case "none", "disabled":
		_, err = f.rival.Begin(ctx, faultUser, enrollment.Options{Account: "else"})
	case "pending":
		_, err = f.rival.Confirm(ctx, faultUser, f.state.token, f.state.wrong())
	default:
		_, err = f.rival.Verify(ctx, faultUser, "else", f.state.wrong())
	}
	if modelReason(err) == "fault" {
		f.t.Fatal(err)
	}
	if f.record().Version != before {
		f.foreign++
		f.base = f.record()
	}
}

// theSame lets somebody else do the same first.
func (f *faultStore) theSame() {
	_, err := f.op.run(context.Background(), f.state, f.rival)
	if modelReason(err) == "fault" {
		f.t.Fatalf("the rival: %v", err)
	}
	f.rivalOK = err == nil
}

const faultAfterLoad = "the caller hangs up after Load"

func faultModes() []faultMode {
	type (
		F = *faultStore
		R = store.Record
		C = context.Context
	)
	load := func(name string, legal faultLegal, do func(C, F, string) (R, error)) faultMode {
		return faultMode{name: name, on: "load", legal: legal, load: do}
	}
	save := func(name string, legal faultLegal, do func(C, F, R, int64) error) faultMode {
		return faultMode{name: name, on: "save", legal: legal, save: do}
	}
	sticky := func(m faultMode) faultMode {
		m.name, m.sticky = m.name+", from then on", true
		return m
	}
	as := func(m faultMode, err error) faultMode {
		m.isError = err
		return m
	}
	// edited returns the record after a change that no store should make.
	edited := func(name string, edit func(f F, r *R)) faultMode {
		m := load("Load returns "+name, faultNothing, func(ctx C, f F, user string) (R, error) {
			r, err := f.Store.Load(ctx, user)
			if err == nil {
				edit(f, &r)
			}
			return r, err
		})
		m.isError = enrollment.ErrCorrupt
		return m
	}

	loadError := as(load("Load fails", faultNothing, func(C, F, string) (R, error) { return R{}, errFault }), errFault)
	loadConflict := load("Load says conflict", faultNothing, func(C, F, string) (R, error) { return R{}, store.ErrConflict })
	loadBlocks := load("Load hangs", faultNothing, func(ctx C, f F, _ string) (R, error) { return R{}, f.hang(ctx) })
	saveError := as(save("Save fails", faultNothing, func(C, F, R, int64) error { return errFault }), errFault)
	saveConflict := save("Save says conflict", faultSame, func(C, F, R, int64) error { return store.ErrConflict })
	saveBlocks := as(save("Save hangs", faultNothing, func(ctx C, f F, _ R, _ int64) error { return f.hang(ctx) }), context.DeadlineExceeded)
	saveLost := save("Save's reply is lost", faultSame, func(ctx C, f F, r R, prev int64) error {
		if err := f.commit(ctx, r, prev); err != nil {
			return err
		}
		return errFault
	})
	saveTwice := save("Save was tried twice by the driver", faultSame, func(ctx C, f F, r R, prev int64) error {
		if err := f.commit(ctx, r, prev); err != nil {
			return err
		}
		return store.ErrConflict
	})
	down := save("the store goes down after Save", faultUnknown, func(ctx C, f F, r R, prev int64) error {
		_ = f.commit(ctx, r, prev)
		f.mode = &faultMode{on: "load", sticky: true, load: loadError.load}
		return errFault
	})
	downConflict := save("the store goes down after Save's conflict", faultUnknown, func(ctx C, f F, r R, prev int64) error {
		_ = f.commit(ctx, r, prev)
		f.mode = &faultMode{on: "load", sticky: true, load: loadError.load}
		return store.ErrConflict
	})

	return []faultMode{
		loadError, sticky(loadError), loadConflict, sticky(loadConflict), loadBlocks,
		load("somebody writes before Load", faultSame, func(ctx C, f F, user string) (R, error) {
			f.somebodyElse()
			return f.Store.Load(ctx, user)
		}),
		load("somebody writes after Load", faultSame, func(ctx C, f F, user string) (R, error) {
			r, err := f.Store.Load(ctx, user)
			f.somebodyElse()
			return r, err
		}),
		load("Load returns an old record", faultDenied, func(ctx C, f F, user string) (R, error) {
			if f.state.older.Version == 0 {
				return f.Store.Load(ctx, user)
			}
			return f.state.older, nil
		}),
		edited("the record of another user", func(f F, r *R) { *r = f.state.foreign }),
		edited("the data of another user", func(f F, r *R) { r.Data = f.state.foreign.Data }),
		edited("truncated data", func(_ F, r *R) { r.Data = r.Data[:len(r.Data)-1] }),
		edited("no data", func(_ F, r *R) { r.Data = nil }),
		edited("data with a flipped bit", func(f F, r *R) { r.Data = bytes.Clone(r.Data); r.Data[len(r.Data)/2] ^= 0x10 }),
		edited("another state", func(_ F, r *R) { r.State = r.State%store.Disabled + 1 }),
		edited("an invalid state", func(_ F, r *R) { r.State = 0 }),
		edited("another version", func(_ F, r *R) { r.Version++ }),
		edited("version 0", func(_ F, r *R) { r.Version = 0 }),

		saveError, sticky(saveError), saveConflict, as(func() faultMode {
			m := sticky(saveConflict)
			m.legal = faultNothing
			return m
		}(), enrollment.ErrBusy), saveBlocks, saveLost, sticky(saveLost), saveTwice, sticky(saveTwice),
		save("Save hangs after it has stored", faultSame, func(ctx C, f F, r R, prev int64) error {
			if err := f.commit(ctx, r, prev); err != nil {
				return err
			}
			return f.hang(ctx)
		}),
		down, downConflict,
		save("Save's reply is lost and somebody writes at once", faultOvertaken, func(ctx C, f F, r R, prev int64) error {
			if err := f.commit(ctx, r, prev); err != nil {
				return err
			}
			f.somebodyElse()
			return errFault
		}),
		save("somebody writes before Save", faultSame, func(ctx C, f F, r R, prev int64) error {
			f.somebodyElse()
			return f.commit(ctx, r, prev)
		}),
		load("somebody does the same before Load", faultRival, func(ctx C, f F, user string) (R, error) {
			f.theSame()
			return f.Store.Load(ctx, user)
		}),
		save("somebody does the same before Save", faultRival, func(ctx C, f F, r R, prev int64) error {
			f.theSame()
			return f.commit(ctx, r, prev)
		}),

		// The caller hangs up.
		load("the caller hangs up at Load", faultNothing, func(ctx C, f F, user string) (R, error) {
			f.cancel()
			return f.Store.Load(ctx, user)
		}),
		load(faultAfterLoad, faultNothing, func(ctx C, f F, user string) (R, error) {
			r, err := f.Store.Load(ctx, user)
			f.cancel()
			return r, err
		}),
		save("the caller hangs up at Save", faultSame, func(ctx C, f F, r R, prev int64) error {
			f.cancel()
			return f.commit(ctx, r, prev)
		}),
		save("the caller hangs up at Save, which says conflict", faultSame, func(_ C, f F, _ R, _ int64) error {
			f.cancel()
			return store.ErrConflict
		}),
		save("the caller hangs up at Save, whose reply is lost", faultSame, func(ctx C, f F, r R, prev int64) error {
			f.cancel()
			if err := f.commit(ctx, r, prev); err != nil {
				return err
			}
			return errFault
		}),
	}
}

// A faultRig is one run of an operation.
type faultRig struct {
	t       *testing.T
	where   string
	state   *faultState
	op      *faultOp
	store   *faultStore
	healthy *enrollment.Guard
	ref     *faultRef
}

// A faultRef is the outcome when nothing fails.
type faultRef struct {
	status string
	calls  int
}

func newFaultRig(t *testing.T, s *faultState, op *faultOp, mode *faultMode, at int) *faultRig {
	t.Helper()
	r := &faultRig{t: t, state: s, op: op, where: fmt.Sprintf("%s in state %s", op.name, s.name)}
	mem := memory.New()
	for _, rec := range s.records {
		if err := mem.Save(t.Context(), rec, 0); err != nil {
			t.Fatal(err)
		}
	}
	r.healthy = faultMust[*enrollment.Guard](t)(enrollment.New(mem, s.ring, s.config()))
	r.store = &faultStore{Store: mem, t: t, state: s, op: op, mode: mode, at: at, rival: r.healthy}
	r.store.base = r.store.record()
	if mode != nil {
		r.where += fmt.Sprintf(", %s, call %d", mode.name, at)
	}
	return r
}

// run carries the operation out over the faulty store, and returns whatever a
// host may have changed in it.
func (r *faultRig) run(sealer enrollment.Sealer, notify func(context.Context, enrollment.Event) error, adjust func(*enrollment.Guard)) (faultOut, error) {
	r.t.Helper()
	config := r.state.config()
	config.Notify = notify
	if sealer == nil {
		sealer = r.state.ring
	}
	g := faultMust[*enrollment.Guard](r.t)(enrollment.New(r.store, sealer, config))
	if adjust != nil {
		adjust(g)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	r.store.cancel = cancel
	return r.op.run(ctx, r.state, g)
}

// reference runs the operation without a fault, and holds it against what the
// table of operations says.
func (r *faultRig) reference(notify func(context.Context, enrollment.Event) error) *faultRef {
	r.t.Helper()
	out, err := r.run(nil, notify, nil)
	if got := modelReason(err); got != r.op.want {
		r.t.Fatalf("%s: %v, want %q", r.where, err, r.op.want)
	}
	if wrote := r.store.landed > 0; wrote != r.op.writes {
		r.t.Fatalf("%s: written: %t, want %t", r.where, wrote, r.op.writes)
	}
	_, status := faultStatus(context.Background(), r.healthy)
	ref := &faultRef{status: status, calls: r.store.calls}
	r.effect(&out, err)
	return ref
}

// effect checks that what was answered is what the store holds.
func (r *faultRig) effect(out *faultOut, err error) {
	r.t.Helper()
	if err == nil && r.op.held != nil {
		if err := r.op.held(context.Background(), r.state, r.healthy, out); err != nil {
			r.t.Errorf("%s: a success that does not hold: %v", r.where, err)
		}
	}
	if err != nil && r.op.counts != "" {
		r.counted(1)
	}
}

// counted checks that n failures were counted, besides those of somebody else.
func (r *faultRig) counted(n int) {
	r.t.Helper()
	if elsewhere := r.store.foreign; elsewhere > 0 && (r.op.counts == "totp" || r.op.counts == "setup" && r.state.name == "pending") {
		n += elsewhere
	}
	ctx := context.Background()
	for i := range 5 {
		var err error
		switch r.op.counts {
		case "totp":
			_, err = r.healthy.Verify(ctx, faultUser, "count", r.state.wrong())
		case "recovery":
			_, err = r.healthy.Verify(ctx, faultUser, "count", r.state.unknown())
		case "setup":
			_, err = r.healthy.Confirm(ctx, faultUser, r.state.token, r.state.wrong())
		}
		var denied *enrollment.Denied
		if !errors.As(err, &denied) || denied.Reason != enrollment.WrongCode {
			r.t.Errorf("%s: counting: %v", r.where, err)
			return
		}
		if !denied.RetryAt.IsZero() {
			if got := 4 - i; got != n {
				r.t.Errorf("%s: %d failures were counted, want %d", r.where, got, n)
			}
			return
		}
	}
	r.t.Errorf("%s: five wrong codes do not lock", r.where)
}

// same checks that the outcome is the one without the fault.
func (r *faultRig) same(out *faultOut, err error) {
	r.t.Helper()
	if got := modelReason(err); got != r.op.want {
		r.t.Errorf("%s: %v, want %q", r.where, err, r.op.want)
		return
	}
	if r.op.writes && r.store.landed == 0 {
		r.t.Errorf("%s: answered %v, and nothing was stored", r.where, err)
	}
	if _, status := faultStatus(context.Background(), r.healthy); status != r.ref.status && !r.lockedByOthers() {
		r.t.Errorf("%s: the account is %s\nwant %s", r.where, status, r.ref.status)
	}
	r.effect(out, err)
}

// lockedByOthers reports whether somebody else has made Status differ.
func (r *faultRig) lockedByOthers() bool {
	return r.store.foreign > 0 && (r.state.name == "none" || r.state.name == "disabled")
}

// nothing checks that the outcome is an error and the account is as it was,
// and that trying again works.
func (r *faultRig) nothing(err, match error) {
	r.t.Helper()
	if got := modelReason(err); got != "fault" {
		r.t.Errorf("%s: %v, want an error that is no answer", r.where, err)
		return
	}
	if match != nil && !errors.Is(err, match) {
		r.t.Errorf("%s: %v, want one that matches %v", r.where, err, match)
	}
	if corrupt := errors.Is(err, enrollment.ErrCorrupt); corrupt != (match == enrollment.ErrCorrupt) {
		r.t.Errorf("%s: %v matches ErrCorrupt: %t", r.where, err, corrupt)
	}
	if got := r.store.record(); !faultEqual(got, r.store.base) {
		r.t.Errorf("%s: the record has changed", r.where)
	}
	out, err := r.op.run(context.Background(), r.state, r.healthy)
	if got := modelReason(err); got != r.op.want {
		r.t.Errorf("%s: the second try: %v, want %q", r.where, err, r.op.want)
		return
	}
	r.effect(&out, err)
}

func faultEqual(a, b store.Record) bool {
	return a.UserID == b.UserID && a.Version == b.Version && a.State == b.State && a.Due.Equal(b.Due) &&
		a.Updated.Equal(b.Updated) && bytes.Equal(a.Data, b.Data)
}

// judge holds the outcome against what is legal.
func (r *faultRig) judge(legal faultLegal, match error, out *faultOut, err error) {
	r.t.Helper()
	if legal == faultOvertaken {
		if legal = faultSame; r.store.foreign > 0 {
			legal = faultUnknown
		}
	}
	switch {
	case !r.store.hit, r.store.late && legal != faultRival:
		r.same(out, err)
	case legal == faultSame:
		r.same(out, err)
	case legal == faultNothing:
		r.nothing(err, match)
	case legal == faultUnknown && r.store.landed == 0:
		r.nothing(err, match)
	case legal == faultUnknown:
		if modelReason(err) != "fault" {
			r.t.Errorf("%s: %v, want an error that is no answer", r.where, err)
		}
		if _, status := faultStatus(context.Background(), r.healthy); status != r.ref.status && !r.lockedByOthers() {
			r.t.Errorf("%s: the account is %s\nwant %s", r.where, status, r.ref.status)
		}
		if r.op.want == "" && r.op.held != nil {
			if err := r.op.held(context.Background(), r.state, r.healthy, nil); err != nil {
				r.t.Errorf("%s: half of it was stored: %v", r.where, err)
			}
		}
		if r.op.counts != "" {
			r.counted(1)
		}
	case legal == faultDenied:
		// A stale record: the conditional write protects everything that is
		// granted. A mere denial may be that of the old record.
		if err == nil && r.op.want != "" {
			r.t.Errorf("%s: granted, want %q", r.where, r.op.want)
		}
		if got := modelReason(err); got == r.op.want && r.op.writes {
			r.same(out, err)
		} else if got == "fault" || r.store.landed > 0 {
			r.t.Errorf("%s: %v, saved %d times", r.where, err, r.store.landed)
		}
	case legal == faultRival && r.op.once:
		if err == nil && r.store.rivalOK {
			r.t.Errorf("%s: two had it", r.where)
		}
		if err != nil && !r.store.rivalOK || modelReason(err) == "fault" {
			r.t.Errorf("%s: nobody had it: %v", r.where, err)
		}
	}
}

// faultEach runs f for every operation, each in a bubble of its own.
func faultEach(t *testing.T, scheme recovery.Scheme, pick func(op *faultOp) bool, f func(t *testing.T, s *faultState, op *faultOp)) {
	t.Helper()
	states := map[string]*faultState{}
	ops := faultOps()
	for i := range ops {
		if pick != nil && !pick(&ops[i]) {
			continue
		}
		if states[ops[i].state] == nil {
			states[ops[i].state] = newFaultState(t, ops[i].state, scheme)
		}
	}
	for i := range ops {
		op := &ops[i]
		if pick != nil && !pick(op) {
			continue
		}
		s := states[op.state]
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { f(t, s, op) })
		})
	}
}

func faultTaken(context.Context, enrollment.Event) error { return nil }

// Each call of the store fails in each way.
func TestFaultsOfStore(t *testing.T) {
	t.Parallel()
	faultEach(t, recovery.Fast, nil, func(t *testing.T, s *faultState, op *faultOp) {
		for _, notify := range []func(context.Context, enrollment.Event) error{nil, faultTaken} {
			faultSweep(t, s, op, notify, faultModes())
		}
	})
}

// faultSweep lets each call fail in each of the modes.
func faultSweep(t *testing.T, s *faultState, op *faultOp, notify func(context.Context, enrollment.Event) error, modes []faultMode) {
	t.Helper()
	ref := newFaultRig(t, s, op, nil, 0).reference(notify)
	for i := range modes {
		m := &modes[i]
		if m.legal == faultDenied && op.reads {
			continue // what is read from a stale store is stale
		}
		hits := 0
		for at := 1; at <= ref.calls; at++ {
			r := newFaultRig(t, s, op, m, at)
			r.ref = ref
			if m.isError == enrollment.ErrCorrupt && r.store.base.Version == 0 {
				continue // there is no record to damage
			}
			out, err := r.run(nil, notify, nil)
			if !r.store.hit {
				continue
			}
			hits++
			if op.reads && m.name == faultAfterLoad {
				r.same(&out, err) // reading was over
				continue
			}
			r.judge(m.legal, m.isError, &out, err)
		}
		if hits == 0 && m.on == "save" && op.writes {
			t.Errorf("%s, %s: the fault never came", op.name, m.name)
		}
	}
}

// The same with recovery codes that are derived slowly, for what derives.
func TestFaultsOfStoreWithSlowCodes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow derivations")
	}
	tried := map[string][]string{
		"Confirm":                   {"Save's reply is lost"},
		"Answer with recovery code": {"Load fails", "Save says conflict", "Save's reply is lost", "somebody does the same before Save", "the caller hangs up at Save"},
	}
	faultEach(t, recovery.Argon2id, func(op *faultOp) bool { return tried[op.name] != nil }, func(t *testing.T, s *faultState, op *faultOp) {
		modes := slices.DeleteFunc(faultModes(), func(m faultMode) bool { return !slices.Contains(tried[op.name], m.name) })
		if len(modes) != len(tried[op.name]) {
			t.Fatalf("%d of %d faults are known", len(modes), len(tried[op.name]))
		}
		faultSweep(t, s, op, nil, modes)
	})
}

// A caller who has hung up before has done nothing.
func TestFaultsCancelledBefore(t *testing.T) {
	t.Parallel()
	faultEach(t, recovery.Fast, nil, func(t *testing.T, s *faultState, op *faultOp) {
		r := newFaultRig(t, s, op, nil, 0)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		g := faultMust[*enrollment.Guard](t)(enrollment.New(r.store, s.ring, s.config()))
		_, err := op.run(ctx, s, g)
		r.nothing(err, context.Canceled)
	})
}

// A faultSealer fails at one call.
type faultSealer struct {
	*keyring.Ring
	store *faultStore
	on    string // seal or open
	at    int
	err   error

	calls  int
	record bool // the call that failed was about a stored account
}

func (f *faultSealer) fails(on string, scope []byte) error {
	f.calls++
	if f.on != on || f.calls != f.at {
		return nil
	}
	f.store.hit, f.store.late = true, f.store.landed > 0
	f.record = bytes.Contains(scope, []byte("record"))
	return f.err
}

func (f *faultSealer) Seal(ctx context.Context, scope, binding, plaintext []byte) ([]byte, error) {
	if err := f.fails("seal", scope); err != nil {
		return nil, err
	}
	return f.Ring.Seal(ctx, scope, binding, plaintext)
}

func (f *faultSealer) Open(ctx context.Context, scope, binding, sealed []byte) ([]byte, error) {
	if err := f.fails("open", scope); err != nil {
		return nil, err
	}
	return f.Ring.Open(ctx, scope, binding, sealed)
}

// A sealer that fails for a while says nothing about the account.
func TestFaultsOfSealer(t *testing.T) {
	t.Parallel()
	faultEach(t, recovery.Fast, nil, func(t *testing.T, s *faultState, op *faultOp) {
		for _, notify := range []func(context.Context, enrollment.Event) error{nil, faultTaken} {
			ref := newFaultRig(t, s, op, nil, 0).reference(notify)
			for _, on := range []string{"seal", "open"} {
				for at := 1; ; at++ {
					r := newFaultRig(t, s, op, nil, 0)
					r.ref = ref
					r.where += fmt.Sprintf(", %s fails at call %d", on, at)
					sealer := &faultSealer{Ring: s.ring, store: r.store, on: on, at: at, err: errFault}
					out, err := r.run(sealer, notify, nil)
					if sealer.calls < at {
						break
					}
					r.judge(faultNothing, errFault, &out, err)
				}
			}
			// What can't be opened for good is corrupt, or a token of nobody.
			for at := 1; ; at++ {
				r := newFaultRig(t, s, op, nil, 0)
				r.ref = ref
				r.where += fmt.Sprintf(", open refuses at call %d", at)
				sealer := &faultSealer{Ring: s.ring, store: r.store, on: "open", at: at, err: keyring.ErrUnknownKey}
				out, err := r.run(sealer, notify, nil)
				if sealer.calls < at {
					break
				}
				if !r.store.hit || sealer.record || r.store.late {
					r.judge(faultNothing, enrollment.ErrCorrupt, &out, err)
					continue
				}
				switch modelReason(err) {
				case enrollment.ChallengeInvalid, enrollment.SetupInvalid, enrollment.ProofInvalid:
				default:
					t.Errorf("%s: %v, want a token that is refused", r.where, err)
				}
				if r.store.landed > 0 {
					t.Errorf("%s: something was written", r.where)
				}
			}
		}
	})
}

// A faultRandom is a source of randomness that fails at one read.
type faultRandom struct {
	store *faultStore
	at    int
	calls int
}

func (f *faultRandom) Read(b []byte) (int, error) {
	if f.calls++; f.calls == f.at {
		f.store.hit, f.store.late = true, f.store.landed > 0
		return 0, errFault
	}
	return rand.Read(b)
}

// Without randomness nothing happens.
func TestFaultsOfRandomness(t *testing.T) {
	t.Parallel()
	faultEach(t, recovery.Fast, nil, func(t *testing.T, s *faultState, op *faultOp) {
		for _, notify := range []func(context.Context, enrollment.Event) error{nil, faultTaken} {
			ref := newFaultRig(t, s, op, nil, 0).reference(notify)
			for at := 1; ; at++ {
				r := newFaultRig(t, s, op, nil, 0)
				r.ref = ref
				r.where += fmt.Sprintf(", randomness fails at read %d", at)
				source := &faultRandom{store: r.store, at: at}
				out, err := r.run(nil, notify, func(g *enrollment.Guard) { g.SetRandom(source) })
				if source.calls < at {
					break
				}
				r.judge(faultNothing, errFault, &out, err)
			}
		}
	})
}

// Whatever Notify does, the answer stays, and so does the event until it is
// taken.
func TestFaultsOfNotify(t *testing.T) {
	t.Parallel()
	bad := map[string]func(context.Context, enrollment.Event) error{
		"fails":  func(context.Context, enrollment.Event) error { return errFault },
		"panics": func(context.Context, enrollment.Event) error { panic(errFault) },
		"hangs":  func(ctx context.Context, _ enrollment.Event) error { <-ctx.Done(); return ctx.Err() },
	}
	events := func(op *faultOp) bool {
		return op.once && op.state != "none" && !strings.HasPrefix(op.name, "Begin by code") && op.name != "Begin to replace" &&
			op.name != "Cancel" && op.name != "Answer" && op.name != "Verify"
	}
	faultEach(t, recovery.Fast, events, func(t *testing.T, s *faultState, op *faultOp) {
		ref := newFaultRig(t, s, op, nil, 0).reference(faultTaken)
		for name, notify := range bad {
			r := newFaultRig(t, s, op, nil, 0)
			r.ref = ref
			r.where += ", Notify " + name
			told := 0
			_, err := r.run(nil, func(ctx context.Context, e enrollment.Event) error {
				told++
				if !s.now.Equal(e.At) || e.UserID != faultUser {
					t.Errorf("%s: event %+v", r.where, e)
				}
				return notify(ctx, e)
			}, nil)
			due := r.store.record().Due
			if told == 0 || !due.Equal(s.now.Add(time.Minute)) {
				t.Errorf("%s: told %d events, due %v, want the end of the lease", r.where, told, due)
			}

			// Another event that is taken leaves this one where it is.
			taken := 0
			config := s.config()
			config.Notify = func(context.Context, enrollment.Event) error { taken++; return nil }
			g := faultMust[*enrollment.Guard](t)(enrollment.New(r.store.Store, s.ring, config))
			for range 5 {
				_, _ = g.Verify(t.Context(), faultUser, "x", s.wrong())
			}
			if after := r.store.record().Due; !after.Equal(due) {
				t.Errorf("%s: due %v after %d other events were taken, want %v", r.where, after, taken, due)
			}
			if modelReason(err) != op.want || r.store.landed != 1 {
				t.Errorf("%s: %v, saved %d times", r.where, err, r.store.landed)
			}

			// Once the lease is over, whoever writes next delivers it: once.
			config.Now = func() time.Time { return s.now.Add(time.Minute) }
			g = faultMust[*enrollment.Guard](t)(enrollment.New(r.store.Store, s.ring, config))
			for want := range 2 {
				taken = 0
				// One of the two is written, whatever the operation has led to.
				_, begin := g.Begin(t.Context(), faultUser, enrollment.Options{Account: "a"})
				_, verify := g.Verify(t.Context(), faultUser, "x", s.unknown())
				if modelReason(begin) == "fault" || modelReason(verify) == "fault" {
					t.Fatal(begin, verify)
				}
				if want == 0 && taken < told || want == 1 && taken > 0 {
					t.Errorf("%s: %d events were delivered later, at write %d; %d were not at first", r.where, taken, want+1, told)
				}
			}
		}

		// An acknowledgement that can't be stored costs nothing either.
		r := newFaultRig(t, s, op, &faultMode{on: "save", save: func(context.Context, *faultStore, store.Record, int64) error { return errFault }}, ref.calls)
		r.ref = ref
		r.where += ", the acknowledgement fails"
		out, err := r.run(nil, faultTaken, nil)
		if !r.store.hit || !r.store.late || r.store.record().Due.IsZero() {
			t.Errorf("%s: due %v", r.where, r.store.record().Due)
		}
		r.same(&out, err)
	})
}

// Who waits for the gate can leave, and has decided nothing. Those who come
// after them are served.
func TestFaultsHangUpAtGate(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow derivations")
	}
	pick := func(op *faultOp) bool {
		return op.name == "Answer with recovery code" || op.name == "NewCodes by receipt"
	}
	faultEach(t, recovery.Argon2id, pick, func(t *testing.T, s *faultState, op *faultOp) {
		// The first caller holds the account's turn while its Save hangs.
		entered, release := make(chan struct{}), make(chan struct{})
		hold := &faultMode{on: "save", sticky: true, save: func(ctx context.Context, f *faultStore, _ store.Record, _ int64) error {
			close(entered)
			<-release
			return errFault
		}}
		r := newFaultRig(t, s, op, nil, 0)
		r.store.mode, r.store.at = hold, 1
		g := faultMust[*enrollment.Guard](t)(enrollment.New(r.store, s.ring, s.config()))
		first := make(chan error, 1)
		go func() {
			_, err := g.Verify(context.Background(), faultUser, "first", s.unknown())
			first <- err
		}()
		<-entered
		r.store.mode = nil

		ctx, cancel := context.WithCancel(context.Background())
		second := make(chan error, 1)
		go func() {
			_, err := op.run(ctx, s, g)
			second <- err
		}()
		synctest.Wait()
		select {
		case err := <-second:
			t.Fatalf("%s: did not wait: %v", r.where, err)
		default:
		}
		cancel()
		if err := <-second; !errors.Is(err, enrollment.ErrBusy) || !errors.Is(err, context.Canceled) || modelReason(err) != "fault" {
			t.Errorf("%s: %v, want ErrBusy and the context's error", r.where, err)
		}
		close(release)
		if err := <-first; modelReason(err) != "fault" {
			t.Errorf("%s: the first caller: %v", r.where, err)
		}
		if !faultEqual(r.store.record(), r.store.base) {
			t.Errorf("%s: the record has changed", r.where)
		}
		// The same Guard: its gate is free again.
		out, err := op.run(context.Background(), s, g)
		if modelReason(err) != op.want {
			t.Errorf("%s: afterwards: %v, want %q", r.where, err, op.want)
		}
		r.effect(&out, err)
	})
}
