package enrollment_test

import (
	"crypto/rand"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Without the option nothing is replaced, and an app's code never is.
func TestNoNewCode(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	key, codes := alice.Key, alice.Codes
	k.Told()
	if ok, err := k.Answer(k.Challenge("alice"), codes[0]); err != nil || !ok.NewCode.IsZero() || ok.CodesLeft != 9 {
		t.Errorf("%d codes left, %v", ok.CodesLeft, err)
	}
	_, err := k.Answer(k.Challenge("alice"), codes[0])
	proving.Want(t, err, enrollment.ReasonReplayed)
	k.Configure(proving.ReplenishCodes)
	if ok, err := k.Answer(k.Challenge("alice"), k.Code(key)); err != nil || !ok.NewCode.IsZero() || ok.CodesLeft != 9 {
		t.Errorf("%d codes left, %v", ok.CodesLeft, err)
	}
}

// A proof has no Success that could show a new code. So none is made.
func TestProofsAreNotReplenished(t *testing.T) {
	t.Parallel()
	k := proving.New(t, proving.ReplenishCodes)
	codes := k.Enroll("alice").Codes
	k.Told()
	setup, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice", Proof: enrollment.ByCode(codes[0])})
	if err != nil {
		t.Fatal(err)
	}
	key := proving.KeyOf(t, setup)
	done, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(key))
	if err != nil {
		t.Fatal(err)
	}
	if left := k.Status("alice").CodesLeft; left != 9 || done.Success.CodesLeft != 9 {
		t.Errorf("after Begin %d codes are left", left)
	}
	if err := k.Guard.Remove(t.Context(), "alice", done.Success.Authenticator, enrollment.ByCode(codes[1])); err != nil {
		t.Fatal(err)
	}
	if left := k.Status("alice").CodesLeft; left != 8 {
		t.Errorf("after Remove %d codes are left", left)
	}
	_, err = k.Answer(k.Challenge("alice"), codes[1])
	proving.Want(t, err, enrollment.ReasonReplayed)
	renewed, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(codes[2]))
	if err != nil || renewed.Codes.Len() != 10 {
		t.Fatal(err)
	}
	if left := k.Status("alice").CodesLeft; left != 10 {
		t.Errorf("after RenewCodes %d codes are left", left)
	}
}

// A drawn is a source of randomness that counts.
type drawn struct{ n atomic.Int64 }

func (d *drawn) Read(b []byte) (int, error) {
	d.n.Add(int64(len(b)))
	return rand.Read(b)
}

// A wrong code has no spare drawn for it, and neither has a used one.
func TestWrongCodeCostsNoSpare(t *testing.T) {
	t.Parallel()
	k := proving.New(t, proving.ReplenishCodes)
	codes := k.Enroll("alice").Codes
	k.Told()
	others := k.Enroll("bob").Codes
	k.Told()
	source := new(drawn)
	k.Keys.Random = source
	verify := func(code string) (int64, enrollment.Reason) {
		before := source.n.Load()
		_, err := k.Guard.Verify(t.Context(), "alice", "x", code)
		return source.n.Load() - before, proving.ReasonOf(err)
	}
	wrong, reason := verify(others[0])
	right, reason2 := verify(codes[0])
	used, reason3 := verify(codes[0])
	if reason != enrollment.ReasonWrongCode || reason2 != "" || reason3 != enrollment.ReasonWrongCode {
		t.Fatal(reason, reason2, reason3)
	}
	if wrong != used || right <= wrong {
		t.Errorf("%d bytes were drawn for a wrong code, %d for a right one, %d for a used one", wrong, right, used)
	}
}

// A spare is derived in the slot of the code itself: two derivations for a
// right code, one for a wrong one. It counts what the process allocates.
func TestReplenishDerivations(t *testing.T) {
	k := proving.New(t, proving.ReplenishCodes, func(c *enrollment.Config) {
		c.RecoveryScheme, c.RecoveryCodes = recovery.Argon2id, recovery.MinCount
	})
	codes := k.Enroll("alice").Codes
	k.Told()
	others := k.Enroll("bob").Codes
	k.Told()
	derived := func(code string, want enrollment.Reason) float64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := k.Guard.Verify(t.Context(), "alice", "x", code)
		runtime.ReadMemStats(&after)
		proving.Want(t, err, want)
		return float64(after.TotalAlloc-before.TotalAlloc) / (19 << 20)
	}
	if n := derived(others[0], enrollment.ReasonWrongCode); n > 1.5 {
		t.Errorf("%.1f derivations for a wrong code", n)
	}
	if n := derived(codes[0], ""); n > 2.5 {
		t.Errorf("%.1f derivations for a right code", n)
	}
}

// Sets keep the scheme they were made with, and so does what is put into them.
func TestReplenishAnotherScheme(t *testing.T) {
	t.Parallel()
	for _, from := range []recovery.Scheme{recovery.Argon2id, recovery.Fast} {
		k := proving.New(t, proving.KeepCodes, func(c *enrollment.Config) { c.RecoveryScheme, c.RecoveryCodes = from, recovery.MinCount })
		alice := k.Enroll("alice")
		key, codes := alice.Key, alice.Codes
		k.Told()
		k.Configure(proving.ReplenishCodes, func(c *enrollment.Config) { c.RecoveryScheme, c.RecoveryCodes = recovery.Fast-from, 32 })
		ok, err := k.Guard.Verify(t.Context(), "alice", "x", codes[3])
		if err != nil || ok.NewCode.Scheme() != from || ok.CodesLeft != recovery.MinCount {
			t.Fatalf("%v: %d left, %v", ok.NewCode.Scheme(), ok.CodesLeft, err)
		}
		// It stands in the place of the used one.
		shown, err := k.Guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(k.Code(key)))
		if err != nil {
			t.Fatal(err)
		}
		if want := append(codes[:3:3], ok.NewCode.Reveal()); !slices.Equal(shown.Reveal(), want) {
			t.Errorf("shown are %v, want %v", shown.Reveal(), want)
		}
		if _, err = k.Guard.Verify(t.Context(), "alice", "x", ok.NewCode.Reveal()); err != nil {
			t.Error(err)
		}
	}
}

// Sets that were made before the option, or after it, can't be shown, and what
// was kept is gone once the option is.
func TestKeepCodesIsSwitched(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	key, codes := alice.Key, alice.Codes
	k.Told()
	k.Configure(proving.KeepCodes)
	codesOf := func(want enrollment.Reason) {
		t.Helper()
		k.Pass(time.Minute)
		got, err := k.Guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(k.Code(key)))
		proving.Want(t, err, want)
		if (want == "") != (got.Len() > 0) {
			t.Errorf("%d codes are shown", got.Len())
		}
	}
	codesOf(enrollment.ReasonCodesNotKept)
	renew := func() {
		t.Helper()
		k.Pass(24 * time.Hour)
		renewed, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(k.Code(key)))
		if err != nil {
			t.Fatal(err)
		}
		codes = renewed.Codes.Reveal()
	}
	renew()
	codesOf("")
	withKept := len(k.Record("alice").Data)
	off := func(c *enrollment.Config) { c.KeepCodes = false }
	k.Configure(off)
	codesOf(enrollment.ReasonCodesNotKept)
	k.Configure(proving.KeepCodes)
	codesOf("") // nothing was written meanwhile
	k.Configure(off)
	if _, err := k.Guard.Verify(t.Context(), "alice", "x", proving.WrongCode(k.Now(), key)); proving.ReasonOf(err) != enrollment.ReasonWrongCode {
		t.Fatal(err)
	}
	if n := len(k.Record("alice").Data); n > withKept-100 { // 175 of them, and a throttle came in
		t.Errorf("%d bytes, with the codes there were %d", n, withKept)
	}
	k.Configure(proving.KeepCodes)
	codesOf(enrollment.ReasonCodesNotKept)
	if _, err := k.Answer(k.Challenge("alice"), codes[0]); err != nil {
		t.Error("the codes themselves don't work any more")
	}
}

// Only where Confirm would make codes does a setup show some, and those of one
// that came to nothing never work.
func TestSetupCodesOnlyWhereNone(t *testing.T) {
	t.Parallel()
	k := proving.New(t, proving.CodesAtSetup)
	begin := func(user string, p enrollment.Proof) enrollment.Setup {
		t.Helper()
		setup, err := k.Guard.Begin(t.Context(), user, enrollment.BeginOptions{Account: user, Proof: p})
		if err != nil {
			t.Fatal(err)
		}
		return setup
	}
	superseded := begin("alice", enrollment.ByReauth("password"))
	cancelled := begin("alice", enrollment.ByReauth("password"))
	if err := k.Guard.Cancel(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	expired := begin("alice", enrollment.ByReauth("password"))
	k.Pass(15 * time.Minute)
	for want, s := range map[enrollment.Reason]enrollment.Setup{enrollment.ReasonSetupExpired: expired, enrollment.ReasonNoSetup: begin("bob", enrollment.ByReauth("password"))} {
		user := "alice"
		if want == enrollment.ReasonNoSetup {
			if user = "bob"; k.Guard.Cancel(t.Context(), user) != nil {
				t.Fatal("not cancelled")
			}
		}
		_, err := k.Guard.Confirm(t.Context(), user, s.Token, k.Code(proving.KeyOf(t, s)))
		proving.Want(t, err, want)
	}
	setup := begin("alice", enrollment.ByReauth("password"))
	key := proving.KeyOf(t, setup)
	done, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(key))
	if err != nil || !slices.Equal(done.Codes.Reveal(), setup.Codes().Reveal()) {
		t.Fatal(err)
	}
	var seen []string
	for _, s := range []enrollment.Setup{superseded, cancelled, expired} {
		if s.Codes().Len() != 10 || slices.Contains(seen, s.Codes().Reveal()[0]) {
			t.Error("the same codes were shown twice")
		}
		seen = append(seen, s.Codes().Reveal()...)
		_, err := k.Guard.Verify(t.Context(), "alice", "x", s.Codes().Reveal()[0])
		proving.Want(t, err, enrollment.ReasonWrongCode)
	}
	k.Pass(time.Minute)

	// A second phone shows none, and keeps those there are.
	second := begin("alice", enrollment.ByCode(k.Code(key)))
	if second.Codes().Len() != 0 {
		t.Error("a second setup shows codes")
	}
	if done, err = k.Guard.Confirm(t.Context(), "alice", second.Token, k.Code(proving.KeyOf(t, second))); err != nil || done.Codes.Len() != 0 || done.Success.CodesLeft != 10 {
		t.Errorf("%d codes, %d left, %v", done.Codes.Len(), done.Success.CodesLeft, err)
	}
	// An imported account has none, unless it brought some.
	for user, hashes := range map[string][][]byte{"carl": nil, "dora": proving.Summed("first code")} {
		key := k.TakeOver(user, hashes...).Key
		if n := begin(user, enrollment.ByCode(k.Code(key))).Codes().Len(); (n == 10) != (len(hashes) == 0) {
			t.Errorf("%s is shown %d codes", user, n)
		}
	}
}

// RenewCodes while a setup waits drops the setup, so that never two sets are
// promised.
func TestSetupCodesAndNewCodes(t *testing.T) {
	t.Parallel()
	k := proving.New(t, proving.CodesAtSetup)
	key := k.TakeOver("alice").Key
	setup, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice", Proof: enrollment.ByCode(k.Code(key))})
	if err != nil || setup.Codes().Len() != 10 {
		t.Fatal(err)
	}
	k.Pass(time.Minute)
	renewed, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(k.Code(key)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(proving.KeyOf(t, setup)))
	proving.Want(t, err, enrollment.ReasonNoSetup)
	_, err = k.Answer(k.Challenge("alice"), setup.Codes().Reveal()[0])
	proving.Want(t, err, enrollment.ReasonWrongCode)
	if _, err = k.Answer(k.Challenge("alice"), renewed.Codes.Reveal()[0]); err != nil {
		t.Error(err)
	}
}

// Begin derives nothing, however slow the scheme is: who opens the page and
// walks away costs nothing. Confirm makes the set once, and it counts.
func TestSetupCodesCostNothing(t *testing.T) {
	k := proving.New(t, proving.CodesAtSetup, func(c *enrollment.Config) { c.RecoveryScheme = recovery.Argon2id })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var setup enrollment.Setup
	for range 20 {
		var err error
		if setup, err = k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice", Proof: enrollment.ByReauth("password")}); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := float64(after.TotalAlloc-before.TotalAlloc) / (19 << 20); n > 0.9 {
		t.Errorf("%.1f derivations for 20 setups", n)
	}
	key := proving.KeyOf(t, setup)
	if _, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(key)); err != nil {
		t.Fatal(err)
	}
	k.Configure(func(c *enrollment.Config) { c.RecoveryScheme = recovery.Fast })
	for range 4 {
		k.Pass(time.Minute)
		if _, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(k.Code(key))); err != nil {
			t.Fatal(err)
		}
	}
	k.Pass(time.Minute)
	_, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(k.Code(key)))
	proving.Want(t, err, enrollment.ReasonTooManyCodeSets)
}

// The number of codes is the host's choice, within bounds.
func TestNumberOfCodes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, recovery.MinCount, 8, recovery.MaxCount} {
		k := proving.New(t, proving.KeepCodes, proving.CodesAtSetup, proving.ReplenishCodes, func(c *enrollment.Config) { c.RecoveryCodes = n })
		if n == 0 {
			n = recovery.DefaultCount
		}
		if codes := k.Enroll("alice").Codes; len(codes) != n {
			t.Errorf("%d codes, want %d", len(codes), n)
		}
	}
}

// A typical record stays below 1 KiB as the store sees it.
func TestTypicalRecord(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	key, codes := alice.Key, alice.Codes
	k.Told()
	for range 5 {
		if _, err := k.Answer(k.Challenge("alice"), k.Code(key)); err != nil {
			t.Fatal(err)
		}
		k.Pass(time.Minute)
	}
	if _, err := k.Answer(k.Challenge("alice"), codes[0]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(k.Code(key))); err != nil {
			t.Fatal(err)
		}
		k.Pass(time.Minute)
	}
	n, events := len(k.Record("alice").Data), len(k.Status("alice").History)
	t.Logf("one app, ten codes, %d events: %d bytes", events, n)
	if n >= 1024 {
		t.Errorf("a typical record has %d bytes", n)
	}
}
