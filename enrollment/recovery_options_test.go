package enrollment_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// enrolled enables two-factor authentication for the user, and returns the app
// and the recovery codes.
func enrolled(k *proving.Kit, user string) (totp.Key, []string) {
	p := k.Enroll(user)
	k.Told()
	return p.Key, p.Codes
}

func replenish(c *enrollment.Config) { c.ReplenishCodes = true }
func keep(c *enrollment.Config)      { c.KeepCodes = true }
func atSetup(c *enrollment.Config)   { c.CodesAtSetup = true }

// schemes runs a test for both kinds of recovery codes.
func schemes(t *testing.T, f func(t *testing.T, scheme func(*enrollment.Config), count int)) {
	for _, s := range []recovery.Scheme{recovery.Fast, recovery.Argon2id} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			count := recovery.DefaultCount
			if s == recovery.Argon2id {
				count = recovery.MinCount // each takes a while
			}
			f(t, func(c *enrollment.Config) { c.RecoveryScheme, c.RecoveryCodes = s, count }, count)
		})
	}
}

// TestFeatureA3_CodesAreReplaced: eight recovery codes; each used one is
// replaced at once, so that there are always eight, and the new one is shown to
// the user who has just used one.
func TestFeatureA3_CodesAreReplaced(t *testing.T) {
	t.Parallel()
	schemes(t, func(t *testing.T, scheme func(*enrollment.Config), count int) {
		k := proving.New(t, scheme, replenish)
		_, codes := enrolled(k, "alice")
		old, current := codes[1], codes[1]
		for range 3 {
			ok, err := k.Answer(k.Challenge("alice"), current)
			if err != nil {
				t.Fatal(err)
			}
			if ok.CodesLeft != count || ok.NewCode.IsZero() || ok.NewCode.Scheme() != k.Config.RecoveryScheme || slices.Contains(codes, ok.NewCode.Reveal()) {
				t.Fatalf("%d codes left, the new one is %q", ok.CodesLeft, ok.NewCode.Reveal())
			}
			if e := k.Told(); len(e) != 1 || e[0].Kind != enrollment.EventRecoveryUsed {
				t.Errorf("told: %+v", e)
			}
			current = ok.NewCode.Reveal()
		}
		_, err := k.Answer(k.Challenge("alice"), old)
		proving.Want(t, err, enrollment.ReasonWrongCode)
		// The others are as good as before, also for Verify.
		if ok, err := k.Guard.Verify(t.Context(), "alice", "x", codes[0]); err != nil || ok.CodesLeft != count || ok.NewCode.IsZero() {
			t.Errorf("%d codes left, %v", ok.CodesLeft, err)
		}
		if s := k.Status("alice"); s.CodesLeft != count || s.CodesTotal != count {
			t.Errorf("%d of %d codes", s.CodesLeft, s.CodesTotal)
		}
	})
}

// Without the option nothing is replaced, and an app's code never is.
func TestNoNewCode(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	key, codes := enrolled(k, "alice")
	if ok, err := k.Answer(k.Challenge("alice"), codes[0]); err != nil || !ok.NewCode.IsZero() || ok.CodesLeft != 9 {
		t.Errorf("%d codes left, %v", ok.CodesLeft, err)
	}
	_, err := k.Answer(k.Challenge("alice"), codes[0])
	proving.Want(t, err, enrollment.ReasonReplayed)
	k.Configure(replenish)
	if ok, err := k.Answer(k.Challenge("alice"), k.Code(key)); err != nil || !ok.NewCode.IsZero() || ok.CodesLeft != 9 {
		t.Errorf("%d codes left, %v", ok.CodesLeft, err)
	}
}

// A proof has no Success that could show a new code. So none is made.
func TestProofsAreNotReplenished(t *testing.T) {
	t.Parallel()
	k := proving.New(t, replenish)
	_, codes := enrolled(k, "alice")
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
	k := proving.New(t, replenish)
	_, codes := enrolled(k, "alice")
	_, others := enrolled(k, "bob")
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
	k := proving.New(t, replenish, func(c *enrollment.Config) {
		c.RecoveryScheme, c.RecoveryCodes = recovery.Argon2id, recovery.MinCount
	})
	_, codes := enrolled(k, "alice")
	_, others := enrolled(k, "bob")
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

// TestCase19_ReplenishRace: one code, thirty callers, one new code.
func TestCase19_ReplenishRace(t *testing.T) {
	t.Parallel()
	k := proving.New(t, replenish)
	_, codes := enrolled(k, "alice")
	fresh := make(chan string, 30)
	k.Store.Gather(30)
	got := proving.Together(30, func(int) error {
		ok, err := k.Guard.Verify(t.Context(), "alice", "x", codes[0])
		if !ok.NewCode.IsZero() {
			fresh <- ok.NewCode.Reveal()
		}
		return err
	})
	if got[""] != 1 || got[enrollment.ReasonWrongCode] != 5 || got[enrollment.ReasonLocked] != 24 || len(fresh) != 1 {
		t.Fatalf("outcomes %v, %d new codes", got, len(fresh))
	}
	k.Pass(time.Minute)
	if ok, err := k.Guard.Verify(t.Context(), "alice", "x", <-fresh); err != nil || ok.CodesLeft != 10 {
		t.Errorf("the new code: %d left, %v", ok.CodesLeft, err)
	}
}

// TestCase49_ReplenishLostReply: the new code is not lost with the reply.
func TestCase49_ReplenishLostReply(t *testing.T) {
	t.Parallel()
	schemes(t, func(t *testing.T, scheme func(*enrollment.Config), count int) {
		k := proving.New(t, scheme, replenish)
		_, codes := enrolled(k, "alice")
		k.Store.LoseReply(proving.Save)
		ok, err := k.Guard.Verify(t.Context(), "alice", "x", codes[0])
		if err != nil || ok.NewCode.IsZero() || ok.CodesLeft != count {
			t.Fatalf("%d codes left, %v", ok.CodesLeft, err)
		}
		if ok, err = k.Guard.Verify(t.Context(), "alice", "x", ok.NewCode.Reveal()); err != nil || ok.CodesLeft != count {
			t.Errorf("%d codes left, %v", ok.CodesLeft, err)
		}
	})
}

// Sets keep the scheme they were made with, and so does what is put into them.
func TestReplenishAnotherScheme(t *testing.T) {
	t.Parallel()
	for _, from := range []recovery.Scheme{recovery.Argon2id, recovery.Fast} {
		k := proving.New(t, keep, func(c *enrollment.Config) { c.RecoveryScheme, c.RecoveryCodes = from, recovery.MinCount })
		key, codes := enrolled(k, "alice")
		k.Configure(replenish, func(c *enrollment.Config) { c.RecoveryScheme, c.RecoveryCodes = recovery.Fast-from, 32 })
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

// TestFeatureA4_CodesAgain: recovery codes can be shown again at any time, and
// each time is noted and told.
func TestFeatureA4_CodesAgain(t *testing.T) {
	t.Parallel()
	schemes(t, func(t *testing.T, scheme func(*enrollment.Config), count int) {
		k := proving.New(t, scheme, keep)
		key, codes := enrolled(k, "alice")
		show := func(p enrollment.Proof, want ...string) {
			t.Helper()
			got, err := k.Guard.RecoveryCodes(t.Context(), "alice", p)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Reveal(), want) {
				t.Errorf("shown are %v, want %v", got.Reveal(), want)
			}
			if e := k.Told(); len(e) != 1 || e[0].Kind != enrollment.EventCodesShown || e[0].Factor != enrollment.FactorTOTP || e[0].UserID != "alice" {
				t.Errorf("told: %+v", e)
			}
			if h := k.Status("alice").History; h[0].Kind != enrollment.EventCodesShown {
				t.Errorf("the history begins with %+v", h[0])
			}
		}
		show(enrollment.ByCode(k.Code(key)), codes...)
		k.Pass(time.Minute)
		byApp, err := k.Guard.Verify(t.Context(), "alice", "x", k.Code(key))
		if err != nil {
			t.Fatal(err)
		}
		show(enrollment.ByReceipt(byApp.Receipt), codes...)
		show(enrollment.ByReceipt(byApp.Receipt), codes...)

		refused := func(p enrollment.Proof, want enrollment.Reason) {
			t.Helper()
			got, err := k.Guard.RecoveryCodes(t.Context(), "alice", p)
			proving.Want(t, err, want)
			if got.Len() > 0 || len(k.Told()) > 0 {
				t.Error("something was shown or told")
			}
		}
		before := k.Record("alice")
		refused(enrollment.Proof{}, enrollment.ReasonProofRequired)
		refused(enrollment.ByCode(codes[0]), enrollment.ReasonProofNotAllowed)
		refused(enrollment.ByCode("no code at all"), enrollment.ReasonMalformedCode)
		refused(enrollment.ByCode("hello"), enrollment.ReasonMalformedCode)
		refused(enrollment.ByReauth("password"), enrollment.ReasonProofNotAllowed)
		refused(enrollment.ByReceipt("nothing"), enrollment.ReasonProofInvalid)
		refused(enrollment.ByCode(k.Code(key)), enrollment.ReasonReplayed)
		if k.Record("alice").Version != before.Version {
			t.Error("a refusal was written, or has used a code up")
		}

		// Only what is unspent is shown. The receipt of a recovery code shows
		// nothing.
		byCode, err := k.Guard.Verify(t.Context(), "alice", "x", codes[1])
		if err != nil {
			t.Fatal(err)
		}
		k.Told()
		refused(enrollment.ByReceipt(byCode.Receipt), enrollment.ReasonProofNotAllowed)
		refused(enrollment.ByReceipt(byApp.Receipt), enrollment.ReasonProofInvalid)
		k.Pass(time.Minute)
		show(enrollment.ByCode(k.Code(key)), slices.Delete(slices.Clone(codes), 1, 2)...)

		// A new set takes the place of all.
		k.Pass(time.Minute)
		renewed, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(k.Code(key)))
		if err != nil {
			t.Fatal(err)
		}
		k.Told()
		show(enrollment.ByReceipt(renewed.Receipt), renewed.Codes.Reveal()...)
		if err := k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(renewed.Receipt)); err != nil {
			t.Fatal(err)
		}
		k.Told()
		refused(enrollment.ByReceipt(renewed.Receipt), enrollment.ReasonNotEnrolled)
	})
}

// Sets that were made before the option, or after it, can't be shown, and what
// was kept is gone once the option is.
func TestKeepCodesIsSwitched(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	key, codes := enrolled(k, "alice")
	k.Configure(keep)
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
	k.Configure(keep)
	codesOf("") // nothing was written meanwhile
	k.Configure(off)
	if _, err := k.Guard.Verify(t.Context(), "alice", "x", proving.WrongCode(k.Now(), key)); proving.ReasonOf(err) != enrollment.ReasonWrongCode {
		t.Fatal(err)
	}
	if n := len(k.Record("alice").Data); n > withKept-100 { // 175 of them, and a throttle came in
		t.Errorf("%d bytes, with the codes there were %d", n, withKept)
	}
	k.Configure(keep)
	codesOf(enrollment.ReasonCodesNotKept)
	if _, err := k.Answer(k.Challenge("alice"), codes[0]); err != nil {
		t.Error("the codes themselves don't work any more")
	}
}

// TestCase32_KeptCodes: codes in clear are nowhere but where they are asked for.
func TestCase32_KeptCodes(t *testing.T) {
	t.Parallel()
	k := proving.New(t, keep, replenish, atSetup)
	setup, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %x", setup, setup, setup, setup)
	key := proving.KeyOf(t, setup)
	done, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(key))
	if err != nil {
		t.Fatal(err)
	}
	codes := done.Codes.Reveal()
	ok, err := k.Answer(k.Challenge("alice"), codes[0])
	if err != nil {
		t.Fatal(err)
	}
	codes = append(codes, ok.NewCode.Reveal())
	k.Pass(time.Minute)
	if _, err := k.Guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(k.Code(key))); err != nil {
		t.Fatal(err)
	}
	status, err := json.Marshal(k.Status("alice"))
	if err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(k.Told())
	if err != nil {
		t.Fatal(err)
	}
	text := printed + fmt.Sprintf("%v %+v %#v", done, ok, k.Status("alice")) + string(status) + string(told) + k.Log() + string(k.Record("alice").Data)
	for i, c := range codes {
		if strings.Contains(text, c) || strings.Contains(text, strings.ReplaceAll(c, "-", "")) {
			t.Errorf("code %d shows", i)
		}
	}
}

// TestFeatureT1_CodesAtSetup: recovery codes are shown on the setup page, before
// the first code is verified; they become valid with it.
func TestFeatureT1_CodesAtSetup(t *testing.T) {
	t.Parallel()
	schemes(t, func(t *testing.T, scheme func(*enrollment.Config), count int) {
		k := proving.New(t, scheme, atSetup)
		setup, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		shown := setup.Codes().Reveal()
		if len(shown) != count || setup.Codes().Scheme() != k.Config.RecoveryScheme {
			t.Fatalf("%d codes of %v", len(shown), setup.Codes().Scheme())
		}
		again, err := k.Guard.Resume(t.Context(), "alice", setup.Token)
		if err != nil || !slices.Equal(again.Codes().Reveal(), shown) {
			t.Errorf("after a reload: %v, %v", again.Codes().Reveal(), err)
		}
		// They are good for nothing yet.
		_, err = k.Guard.Verify(t.Context(), "alice", "x", shown[0])
		proving.Want(t, err, enrollment.ReasonNotEnrolled)
		if s := k.Status("alice"); s.CodesLeft != 0 || s.CodesTotal != 0 {
			t.Errorf("%d of %d codes before the confirmation", s.CodesLeft, s.CodesTotal)
		}
		_, err = k.Guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(shown[0]))
		proving.Want(t, err, enrollment.ReasonNotEnrolled)

		// What the configuration says by then does not matter.
		k.Guard = k.Node(func(c *enrollment.Config) {
			c.RecoveryScheme, c.RecoveryCodes, c.CodesAtSetup = recovery.Fast-c.RecoveryScheme, recovery.MaxCount, false
		})
		key := proving.KeyOf(t, setup)
		done, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(key))
		if err != nil || !slices.Equal(done.Codes.Reveal(), shown) || done.Success.CodesLeft != count {
			t.Fatalf("confirmed: %v, %d left, %v", done.Codes.Reveal(), done.Success.CodesLeft, err)
		}
		for i, c := range shown {
			if ok, err := k.Answer(k.Challenge("alice"), c); err != nil || ok.CodesLeft != count-1-i {
				t.Errorf("code %d: %d left, %v", i, ok.CodesLeft, err)
			}
		}
	})
}

// Only where Confirm would make codes does a setup show some, and those of one
// that came to nothing never work.
func TestSetupCodesOnlyWhereNone(t *testing.T) {
	t.Parallel()
	k := proving.New(t, atSetup)
	begin := func(user string, p enrollment.Proof) enrollment.Setup {
		t.Helper()
		setup, err := k.Guard.Begin(t.Context(), user, enrollment.BeginOptions{Account: user, Proof: p})
		if err != nil {
			t.Fatal(err)
		}
		return setup
	}
	superseded := begin("alice", enrollment.Proof{})
	cancelled := begin("alice", enrollment.Proof{})
	if err := k.Guard.Cancel(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	expired := begin("alice", enrollment.Proof{})
	k.Pass(15 * time.Minute)
	for want, s := range map[enrollment.Reason]enrollment.Setup{enrollment.ReasonSetupExpired: expired, enrollment.ReasonNoSetup: begin("bob", enrollment.Proof{})} {
		user := "alice"
		if want == enrollment.ReasonNoSetup {
			if user = "bob"; k.Guard.Cancel(t.Context(), user) != nil {
				t.Fatal("not cancelled")
			}
		}
		_, err := k.Guard.Confirm(t.Context(), user, s.Token, k.Code(proving.KeyOf(t, s)))
		proving.Want(t, err, want)
	}
	setup := begin("alice", enrollment.Proof{})
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
	k := proving.New(t, atSetup)
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
	k := proving.New(t, atSetup, func(c *enrollment.Config) { c.RecoveryScheme = recovery.Argon2id })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var setup enrollment.Setup
	for range 20 {
		var err error
		if setup, err = k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice"}); err != nil {
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

// TestCase49_SetupCodesLostReply: what was shown is what is valid, also when
// the reply to its confirmation is lost.
func TestCase49_SetupCodesLostReply(t *testing.T) {
	t.Parallel()
	k := proving.New(t, atSetup)
	k.Store.LoseReply(proving.Save)
	setup, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	k.Store.LoseReply(proving.Save)
	done, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(proving.KeyOf(t, setup)))
	if err != nil || !slices.Equal(done.Codes.Reveal(), setup.Codes().Reveal()) {
		t.Fatal(err)
	}
	if _, err := k.Answer(k.Challenge("alice"), setup.Codes().Reveal()[9]); err != nil {
		t.Error(err)
	}
}

// The number of codes is the host's choice, within bounds.
func TestNumberOfCodes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, recovery.MinCount, 8, recovery.MaxCount} {
		k := proving.New(t, keep, atSetup, replenish, func(c *enrollment.Config) { c.RecoveryCodes = n })
		if n == 0 {
			n = recovery.DefaultCount
		}
		if _, codes := enrolled(k, "alice"); len(codes) != n {
			t.Errorf("%d codes, want %d", len(codes), n)
		}
	}
}

// A typical record stays below 1 KiB as the store sees it.
func TestTypicalRecord(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	key, codes := enrolled(k, "alice")
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
