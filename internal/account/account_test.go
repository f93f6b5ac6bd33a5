package account_test

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

var start = time.Date(2026, 3, 1, 12, 0, 10, 0, time.UTC)

// A world is one account, the clock and the apps of its owner.
type world struct {
	t     *testing.T
	a     *account.Account
	now   time.Time
	drawn uint64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: start}
	w.a = account.New(w.moment())
	return w
}

// moment returns fresh bytes each time, without randomness, so that encodings
// can be compared with files.
func (w *world) moment() account.Moment {
	w.drawn++
	m := account.Moment{Now: w.now, AllowSHA1: fips.Enforced()}
	for i := range m.Fresh {
		m.Fresh[i] = byte(i)
	}
	binary.BigEndian.PutUint64(m.Fresh[:], w.drawn)
	binary.BigEndian.PutUint64(m.Fresh[16:], w.drawn)
	return m
}

// reload encodes and decodes the account, as if it had been stored.
func (w *world) reload() {
	w.t.Helper()
	b, err := w.a.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	if w.a, err = account.Decode(b); err != nil {
		w.t.Fatal(err)
	}
	w.a.ClampFuture(w.moment())
	w.a.Tidy(account.Moment{Now: w.now})
}

// with is the moment of a decision for which a set was made.
func (w *world) with(set *account.FreshSet) account.Moment {
	m := w.moment()
	m.Prepared.Set = set
	return m
}

// derived is the moment of a decision for which a code was derived as those of
// the set are.
func (w *world) derived(set *account.FreshSet, digest recovery.Digest, spare *account.FreshCode) account.Moment {
	m := w.moment()
	m.Prepared.Digest = &account.Derived{From: set.Set.Derivation(), Digest: digest, Spare: spare}
	return m
}

// needs checks that a decision has ended because it needs something.
func (w *world) needs(err error, kind account.NeedKind) account.Need {
	w.t.Helper()
	need := w.a.Need()
	if err == nil || reason(err) != "" || need.Kind != kind {
		w.t.Fatalf("got %v and the need %d, want %d", err, need.Kind, kind)
	}
	return need
}

func key(t *testing.T, seed byte) totp.Key {
	t.Helper()
	raw := make([]byte, totp.GeneratedSecretSize)
	for i := range raw {
		raw[i] = seed + byte(i)
	}
	secret, err := totp.NewSecret(raw)
	if err != nil {
		t.Fatal(err)
	}
	k, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func code(t *testing.T, k totp.Key, at time.Time) string {
	t.Helper()
	var c string
	var err error
	fips.WithoutEnforcement(func() { c, err = k.Code(at) }) // a phone's
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// constant is a source of "randomness" that counts up from a seed.
type constant byte

func (c *constant) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(*c)
		*c = *c*5 + 17
	}
	return len(b), nil
}

func codes(t *testing.T, seed byte) (recovery.Codes, *account.FreshSet) {
	t.Helper()
	source := constant(seed)
	list, err := recovery.Generate(&source, 0, recovery.Fast)
	if err != nil {
		t.Fatal(err)
	}
	from, err := recovery.NewDerivation(&source, recovery.Fast)
	if err != nil {
		t.Fatal(err)
	}
	set, err := from.DeriveAll(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	return list, &account.FreshSet{Set: set}
}

func (w *world) begin(seed byte, replaces account.AuthenticatorID) account.SetupID {
	w.t.Helper()
	id := account.SetupID{seed}
	err := w.a.Begin(account.Setup{
		ID:            id,
		Expires:       w.now.Add(15 * time.Minute),
		Replaces:      replaces,
		Label:         totp.Label{Issuer: "Acme", Account: "alice@example.com"},
		Authenticator: account.Authenticator{ID: account.AuthenticatorID{seed}, Key: key(w.t, seed), Name: "phone"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// enroll confirms an authenticator and lets its first code pass.
func (w *world) enroll(seed byte) totp.Key {
	w.t.Helper()
	id := w.begin(seed, account.AuthenticatorID{})
	_, set := codes(w.t, seed)
	k := key(w.t, seed)
	if _, err := w.a.Confirm(w.with(set), id, code(w.t, k, w.now)); err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	w.reload()
	return k
}

func (w *world) check(digits string) error {
	_, err := w.a.Check(w.moment(), account.Guess{Factor: account.TOTP, Digits: digits})
	return err
}

// wrong returns a code that no authenticator of the account shows.
func (w *world) wrong() string {
	w.t.Helper()
	for _, c := range []string{"000000", "111111", "222222", "333333"} {
		right := false
		for _, x := range w.a.Authenticators() {
			fips.WithoutEnforcement(func() {
				_, err := x.Key.Check(c, w.now, 0)
				right = right || err == nil
			})
		}
		if !right {
			return c
		}
	}
	w.t.Fatal("every code is right")
	return ""
}

// recover tries recovery code i of the set that was made from the seed.
func (w *world) recover(seed byte, i int) error {
	w.t.Helper()
	list, set := codes(w.t, seed)
	c, err := recovery.ParseCode(list.Reveal()[i])
	if err != nil {
		w.t.Fatal(err)
	}
	digest, err := set.Set.Derivation().Derive(c)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = w.a.Check(w.derived(set, digest, nil), account.Guess{Factor: account.Recovery, Scheme: c.Scheme()})
	return err
}

// reason returns why err refuses, or "" if it does not.
func reason(err error) account.Reason {
	var r *account.Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return ""
}

func retryAt(err error) time.Time {
	var r *account.Refusal
	if errors.As(err, &r) {
		return r.RetryAt
	}
	return time.Time{}
}

func mustReason(t *testing.T, err error, want account.Reason) {
	t.Helper()
	if got := reason(err); got != want || (want == "" && err != nil) {
		t.Fatalf("got %v, want reason %q", err, want)
	}
}

func TestRecoveryOfAnotherScheme(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	// Counted and answered without a derivation.
	_, err := w.a.Check(w.moment(), account.Guess{Factor: account.Recovery, Scheme: recovery.Argon2id})
	mustReason(t, err, account.WrongCode)
	if !w.a.Changed() {
		t.Error("the failure was not counted")
	}
}

func TestSpentRecoveryCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	mustReason(t, w.recover(1, 3), "")
	w.reload()
	if left, of, _ := w.a.CodesLeft(); left != 9 || of != 10 {
		t.Errorf("%d of %d codes are left, want 9 of 10", left, of)
	}
	mustReason(t, w.recover(1, 3), account.Replayed)
	w.reload()
	if left, _, _ := w.a.CodesLeft(); left != 9 {
		t.Errorf("%d codes are left, want 9", left)
	}
}

// Times that a broken clock has left behind do not lock anybody for longer
// than a day and the wait in force once it is mended, and the repair is stored.
func TestBrokenClockIsRebased(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{25 * time.Hour, 365 * 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
		w := newWorld(t)
		k := w.enroll(1)
		right := w.now
		w.now = right.Add(ahead)
		mustReason(t, w.check(code(t, k, w.now)), "") // burns a step far ahead
		for range 6 {
			_ = w.check(w.wrong())
		}
		w.reload()

		w.now = right
		w.reload()
		if !w.a.Changed() {
			t.Fatalf("%v ahead: the repair is not stored", ahead)
		}
		err := w.check(code(t, k, w.now))
		mustReason(t, err, account.Locked)
		if wait := retryAt(err).Sub(w.now); wait > 2*time.Minute {
			t.Errorf("%v ahead: locked for %v", ahead, wait)
		}
		w.now = retryAt(err).Add(time.Minute)
		w.reload()
		if w.a.Changed() {
			t.Errorf("%v ahead: repaired twice", ahead)
		}
		mustReason(t, w.check(code(t, k, w.now)), "")
	}
}

// A clock that goes back a little, as between nodes, gives nothing away.
func TestClockGoesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	for range 5 {
		_ = w.check(w.wrong())
	}
	end := w.now.Add(time.Minute)
	for _, back := range []time.Duration{time.Second, time.Minute, time.Hour, 23 * time.Hour} {
		w.now = end.Add(-time.Minute - back)
		w.reload()
		err := w.check(w.wrong())
		mustReason(t, err, account.Locked)
		if !retryAt(err).Equal(end) {
			t.Errorf("%v back: the lock ends at %v, want %v", back, retryAt(err), end)
		}
	}
	w.now = end.Add(time.Minute)
	mustReason(t, w.check(code(t, k, w.now)), "")
	w.now = w.now.Add(-time.Hour)
	mustReason(t, w.check(code(t, k, w.now)), account.Replayed)
}

func TestDisableForgets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	used := w.now
	mustReason(t, w.check(code(t, k, w.now)), "")
	w.begin(7, account.AuthenticatorID{})
	epoch := w.a.Epoch()
	if err := w.a.Disable(w.moment(), account.TOTP, ""); err != nil {
		t.Fatal(err)
	}
	w.reload()
	left, of, _ := w.a.CodesLeft()
	if w.a.State() != account.Disabled || w.a.Setup() != nil || left != 0 || of != 0 || w.a.Epoch() == epoch {
		t.Errorf("state %v, setup %v, %d of %d codes, same epoch %v", w.a.State(), w.a.Setup(), left, of, w.a.Epoch() == epoch)
	}
	if got, want := account.Burned(w.a), used.Truncate(30*time.Second).Unix()+29; got != want {
		t.Errorf("codes are marked as used up to %d, want %d", got, want)
	}
	history, _ := w.a.History()
	if len(history) != 2 || history[1].Kind != account.EventDisabled {
		t.Errorf("history %v", history)
	}
	mustReason(t, w.a.Disable(w.moment(), account.TOTP, ""), account.NotEnrolled)
	mustReason(t, w.check("123456"), account.NotEnrolled)
	w.enroll(7)
	if w.a.State() != account.Confirmed {
		t.Errorf("state %v after a new start", w.a.State())
	}
}

func TestDuplicateSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	for _, seed := range []byte{1, 2} {
		if seed == 2 {
			w.begin(2, account.AuthenticatorID{})
		}
		err := w.a.Begin(account.Setup{
			ID: account.SetupID{9}, Expires: w.now.Add(time.Minute),
			Authenticator: account.Authenticator{ID: account.AuthenticatorID{9}, Key: key(t, seed)},
		})
		mustReason(t, err, account.DuplicateSecret)
	}
}

func TestReplaceSwapsInOneStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.enroll(1)
	id := w.begin(2, w.a.Authenticators()[0].ID)
	fresh := key(t, 2)
	mustReason(t, w.check(code(t, fresh, w.now)), account.WrongCode)
	mustReason(t, w.check(code(t, old, w.now)), "")
	if _, err := w.a.Confirm(w.moment(), id, code(t, fresh, w.now)); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	w.reload()
	if n := len(w.a.Authenticators()); n != 1 {
		t.Fatalf("%d authenticators", n)
	}
	mustReason(t, w.check(code(t, old, w.now)), account.WrongCode)
	mustReason(t, w.check(code(t, fresh, w.now)), "")
	if left, of, _ := w.a.CodesLeft(); left != 10 || of != 10 {
		t.Errorf("%d of %d recovery codes survived", left, of)
	}
}

func TestSetsAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1) // the first set of the day
	_, set := codes(t, 50)
	for i := range 4 {
		if err := w.a.Renew(w.with(set), account.TOTP); err != nil {
			t.Fatalf("set %d: %v", i+2, err)
		}
		w.reload()
	}
	err := w.a.Renew(w.with(set), account.TOTP)
	mustReason(t, err, account.TooManyCodeSets)
	w.now = retryAt(err)
	w.reload()
	mustReason(t, w.a.Renew(w.with(set), account.TOTP), "")
}

// Without codes left and without a set to be had, a new phone is confirmed all
// the same; a first enrolment without codes is not.
func TestConfirmWithoutRoomForASet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	_, set := codes(t, 50)
	for range 4 {
		if err := w.a.Renew(w.with(set), account.TOTP); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		mustReason(t, w.recover(50, i), "")
	}
	id := w.begin(2, account.AuthenticatorID{})
	stored, err := w.a.Confirm(w.moment(), id, code(t, key(t, 2), w.now))
	if stored || err != nil {
		t.Fatalf("Confirm = %v, %v", stored, err)
	}
	if err := w.a.Disable(w.moment(), account.TOTP, ""); err != nil {
		t.Fatal(err)
	}
	id = w.begin(3, account.AuthenticatorID{})
	_, err = w.a.Confirm(w.moment(), id, code(t, key(t, 3), w.now))
	mustReason(t, err, account.TooManyCodeSets)
}

func TestSpentChallengesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	challenge := func(i int) account.Challenge {
		issued := w.now.Add(time.Duration(i) * time.Second)
		return account.Challenge{
			ID: account.ChallengeID{byte(i), byte(i >> 8)}, Epoch: w.a.Epoch(),
			Issued: issued, Expires: issued.Add(10 * time.Minute),
		}
	}
	for i := range 100 {
		if err := w.a.CheckChallenge(challenge(i), challenge(i).Issued); err != nil {
			t.Fatalf("challenge %d: %v", i, err)
		}
		w.a.SpendChallenge(w.moment(), challenge(i), account.TOTP, true)
		w.reload()
		for j := range i + 1 {
			if err := w.a.CheckChallenge(challenge(j), challenge(i).Issued); err == nil {
				t.Fatalf("after %d spent ones, challenge %d is open again", i+1, j)
			}
		}
	}
	other := challenge(200)
	other.Epoch[0]++
	mustReason(t, w.a.CheckChallenge(other, other.Issued), account.ChallengeVoid)
}

// manyCodes returns the largest set there is.
func manyCodes(t *testing.T, seed byte) *account.FreshSet {
	t.Helper()
	source := constant(seed)
	list, err := recovery.Generate(&source, recovery.MaxCount, recovery.Fast)
	if err != nil {
		t.Fatal(err)
	}
	from, err := recovery.NewDerivation(&source, recovery.Fast)
	if err != nil {
		t.Fatal(err)
	}
	set, err := from.DeriveAll(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	return &account.FreshSet{Set: set}
}
