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

	ticket account.TicketHash // what the owner was handed
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
	m := w.at()
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

// at is the moment of a decision that draws nothing.
func (w *world) at() account.Moment {
	return account.Moment{Now: w.now, AllowSHA1: fips.Enforced(), ReauthDisables: true, Limits: account.DefaultLimits(), Tells: true}
}

// by is the proof that the owner has just answered with that factor. For the first
// setup it is that of the host.
func (w *world) by(f account.Factor) account.Proof {
	if w.a.State() != account.Confirmed {
		return w.reauth("password")
	}
	return account.Proof{Kind: account.ReceiptProof, Receipt: account.Receipt{Epoch: w.a.Epoch(), At: w.now, Factor: f}}
}

// reauth is the word of the host, which is allowed to give it.
func (w *world) reauth(method string) account.Proof {
	return account.Proof{Kind: account.ReauthProof, Method: method}
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
	raw := make([]byte, 20)
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

// setup is an authenticator that has been drawn.
func (w *world) setup(seed byte, replaces account.AuthenticatorID) account.Setup {
	w.t.Helper()
	return account.Setup{
		ID:            account.SetupID{seed},
		Expires:       w.now.Add(15 * time.Minute),
		Replaces:      replaces,
		Label:         plainLabel,
		Authenticator: account.Authenticator{ID: account.AuthenticatorID{seed}, Key: key(w.t, seed), Name: "phone"},
	}
}

var plainLabel = totp.Label{Issuer: "Acme", Account: "alice@example.com"}

// begin begins a setup by a proof and the ticket. Its label has no number.
func (w *world) begin(seed byte, replaces account.AuthenticatorID) account.SetupID {
	w.t.Helper()
	if err := w.a.Begin(w.at(), w.setup(seed, replaces), w.ticket, w.by(account.TOTP)); err != nil {
		w.t.Fatal(err)
	}
	w.a.Setup().Label, w.a.Setup().Authenticator.Number = plainLabel, 0
	return account.SetupID{seed}
}

// copied is the account once more, to try something out.
func (w *world) copied() *account.Account {
	w.t.Helper()
	a, err := account.Decode(encode(w.t, w.a))
	if err != nil {
		w.t.Fatal(err)
	}
	return a
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

// second is the error of what returns something besides.
func second[T any](_ T, err error) error { return err }

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
