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
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// enroll sets a user up with a fresh app, returns it with its recovery codes,
// and lets a minute pass.
func (r *moveRig) enroll(user string) (totp.Key, []string) {
	r.t.Helper()
	setup, err := r.Begin(r.t.Context(), user, enrollment.BeginOptions{Account: user})
	if err != nil {
		r.t.Fatal(err)
	}
	key := modelKey(r.t, setup)
	done, err := r.Confirm(r.t.Context(), user, setup.Token, r.code(key))
	if err != nil {
		r.t.Fatal(err)
	}
	r.clock.Advance(time.Minute)
	r.told()
	return key, done.Codes.Reveal()
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
		r := newMoveRig(t, scheme, replenish)
		_, codes := r.enroll("alice")
		old, current := codes[1], codes[1]
		for range 3 {
			ok, err := r.answer("alice", current)
			if err != nil {
				t.Fatal(err)
			}
			if ok.CodesLeft != count || ok.NewCode.IsZero() || ok.NewCode.Scheme() != r.config.RecoveryScheme || slices.Contains(codes, ok.NewCode.Reveal()) {
				t.Fatalf("%d codes left, the new one is %q", ok.CodesLeft, ok.NewCode.Reveal())
			}
			if e := r.told(); len(e) != 1 || e[0].Kind != enrollment.EventRecoveryUsed {
				t.Errorf("told: %+v", e)
			}
			current = ok.NewCode.Reveal()
		}
		_, err := r.answer("alice", old)
		r.denied(err, enrollment.ReasonWrongCode)
		// The others are as good as before, also for Verify.
		if ok, err := r.Verify(t.Context(), "alice", "x", codes[0]); err != nil || ok.CodesLeft != count || ok.NewCode.IsZero() {
			t.Errorf("%d codes left, %v", ok.CodesLeft, err)
		}
		if s := r.status("alice"); s.CodesLeft != count || s.CodesTotal != count {
			t.Errorf("%d of %d codes", s.CodesLeft, s.CodesTotal)
		}
	})
}

// Without the option nothing is replaced, and an app's code never is.
func TestNoNewCode(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	key, codes := r.enroll("alice")
	if ok, err := r.answer("alice", codes[0]); err != nil || !ok.NewCode.IsZero() || ok.CodesLeft != 9 {
		t.Errorf("%d codes left, %v", ok.CodesLeft, err)
	}
	_, err := r.answer("alice", codes[0])
	r.denied(err, enrollment.ReasonReplayed)
	r.Guard = r.another(replenish)
	if ok, err := r.answer("alice", r.code(key)); err != nil || !ok.NewCode.IsZero() || ok.CodesLeft != 9 {
		t.Errorf("%d codes left, %v", ok.CodesLeft, err)
	}
}

// A proof has no Success that could show a new code. So none is made.
func TestProofsAreNotReplenished(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t, replenish)
	_, codes := r.enroll("alice")
	setup, err := r.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice", Proof: enrollment.ByCode(codes[0])})
	if err != nil {
		t.Fatal(err)
	}
	key := modelKey(t, setup)
	done, err := r.Confirm(t.Context(), "alice", setup.Token, r.code(key))
	if err != nil {
		t.Fatal(err)
	}
	if left := r.status("alice").CodesLeft; left != 9 || done.Success.CodesLeft != 9 {
		t.Errorf("after Begin %d codes are left", left)
	}
	if err := r.Remove(t.Context(), "alice", done.Success.Authenticator, enrollment.ByCode(codes[1])); err != nil {
		t.Fatal(err)
	}
	if left := r.status("alice").CodesLeft; left != 8 {
		t.Errorf("after Remove %d codes are left", left)
	}
	_, err = r.answer("alice", codes[1])
	r.denied(err, enrollment.ReasonReplayed)
	renewed, err := r.RenewCodes(t.Context(), "alice", enrollment.ByCode(codes[2]))
	if err != nil || renewed.Codes.Len() != 10 {
		t.Fatal(err)
	}
	if left := r.status("alice").CodesLeft; left != 10 {
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
	r := newMoveRig(t, replenish)
	_, codes := r.enroll("alice")
	_, others := r.enroll("bob")
	source := new(drawn)
	r.SetRandom(source)
	verify := func(code string) (int64, enrollment.Reason) {
		before := source.n.Load()
		_, err := r.Verify(t.Context(), "alice", "x", code)
		return source.n.Load() - before, modelReason(err)
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
	r := newMoveRig(t, replenish, func(c *enrollment.Config) {
		c.RecoveryScheme, c.RecoveryCodes = recovery.Argon2id, recovery.MinCount
	})
	_, codes := r.enroll("alice")
	_, others := r.enroll("bob")
	derived := func(code string, want enrollment.Reason) float64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := r.Verify(t.Context(), "alice", "x", code)
		runtime.ReadMemStats(&after)
		r.denied(err, want)
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
	r := newMoveRig(t, replenish)
	_, codes := r.enroll("alice")
	fresh := make(chan string, 30)
	r.store.barrier(30)
	got := moveRace(30, func() error {
		ok, err := r.Verify(t.Context(), "alice", "x", codes[0])
		if !ok.NewCode.IsZero() {
			fresh <- ok.NewCode.Reveal()
		}
		return err
	})
	if got[""] != 1 || got[enrollment.ReasonWrongCode] != 5 || got[enrollment.ReasonLocked] != 24 || len(fresh) != 1 {
		t.Fatalf("outcomes %v, %d new codes", got, len(fresh))
	}
	r.clock.Advance(time.Minute)
	if ok, err := r.Verify(t.Context(), "alice", "x", <-fresh); err != nil || ok.CodesLeft != 10 {
		t.Errorf("the new code: %d left, %v", ok.CodesLeft, err)
	}
}

// TestCase49_ReplenishLostReply: the new code is not lost with the reply.
func TestCase49_ReplenishLostReply(t *testing.T) {
	t.Parallel()
	schemes(t, func(t *testing.T, scheme func(*enrollment.Config), count int) {
		r := newMoveRig(t, scheme, replenish)
		_, codes := r.enroll("alice")
		r.store.loseReply()
		ok, err := r.Verify(t.Context(), "alice", "x", codes[0])
		if err != nil || ok.NewCode.IsZero() || ok.CodesLeft != count {
			t.Fatalf("%d codes left, %v", ok.CodesLeft, err)
		}
		if ok, err = r.Verify(t.Context(), "alice", "x", ok.NewCode.Reveal()); err != nil || ok.CodesLeft != count {
			t.Errorf("%d codes left, %v", ok.CodesLeft, err)
		}
	})
}

// Sets keep the scheme they were made with, and so does what is put into them.
func TestReplenishAnotherScheme(t *testing.T) {
	t.Parallel()
	for _, from := range []recovery.Scheme{recovery.Argon2id, recovery.Fast} {
		r := newMoveRig(t, keep, func(c *enrollment.Config) { c.RecoveryScheme, c.RecoveryCodes = from, recovery.MinCount })
		key, codes := r.enroll("alice")
		r.Guard = r.another(replenish, func(c *enrollment.Config) { c.RecoveryScheme, c.RecoveryCodes = recovery.Fast-from, 32 })
		ok, err := r.Verify(t.Context(), "alice", "x", codes[3])
		if err != nil || ok.NewCode.Scheme() != from || ok.CodesLeft != recovery.MinCount {
			t.Fatalf("%v: %d left, %v", ok.NewCode.Scheme(), ok.CodesLeft, err)
		}
		// It stands in the place of the used one.
		shown, err := r.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(r.code(key)))
		if err != nil {
			t.Fatal(err)
		}
		if want := append(codes[:3:3], ok.NewCode.Reveal()); !slices.Equal(shown.Reveal(), want) {
			t.Errorf("shown are %v, want %v", shown.Reveal(), want)
		}
		if _, err = r.Verify(t.Context(), "alice", "x", ok.NewCode.Reveal()); err != nil {
			t.Error(err)
		}
	}
}

// TestFeatureA4_CodesAgain: recovery codes can be shown again at any time, and
// each time is noted and told.
func TestFeatureA4_CodesAgain(t *testing.T) {
	t.Parallel()
	schemes(t, func(t *testing.T, scheme func(*enrollment.Config), count int) {
		r := newMoveRig(t, scheme, keep)
		key, codes := r.enroll("alice")
		show := func(p enrollment.Proof, want ...string) {
			t.Helper()
			got, err := r.RecoveryCodes(t.Context(), "alice", p)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Reveal(), want) {
				t.Errorf("shown are %v, want %v", got.Reveal(), want)
			}
			if e := r.told(); len(e) != 1 || e[0].Kind != enrollment.EventCodesShown || e[0].Factor != enrollment.FactorTOTP || e[0].UserID != "alice" {
				t.Errorf("told: %+v", e)
			}
			if h := r.status("alice").History; h[0].Kind != enrollment.EventCodesShown {
				t.Errorf("the history begins with %+v", h[0])
			}
		}
		show(enrollment.ByCode(r.code(key)), codes...)
		r.clock.Advance(time.Minute)
		byApp, err := r.Verify(t.Context(), "alice", "x", r.code(key))
		if err != nil {
			t.Fatal(err)
		}
		show(enrollment.ByReceipt(byApp.Receipt), codes...)
		show(enrollment.ByReceipt(byApp.Receipt), codes...)

		refused := func(p enrollment.Proof, want enrollment.Reason) {
			t.Helper()
			got, err := r.RecoveryCodes(t.Context(), "alice", p)
			r.denied(err, want)
			if got.Len() > 0 || len(r.told()) > 0 {
				t.Error("something was shown or told")
			}
		}
		before := r.record("alice")
		refused(enrollment.Proof{}, enrollment.ReasonProofRequired)
		refused(enrollment.ByCode(codes[0]), enrollment.ReasonProofNotAllowed)
		refused(enrollment.ByCode("no code at all"), enrollment.ReasonMalformedCode)
		refused(enrollment.ByCode("hello"), enrollment.ReasonMalformedCode)
		refused(enrollment.ByReauth("password"), enrollment.ReasonProofNotAllowed)
		refused(enrollment.ByReceipt("nothing"), enrollment.ReasonProofInvalid)
		refused(enrollment.ByCode(r.code(key)), enrollment.ReasonReplayed)
		if r.record("alice").Version != before.Version {
			t.Error("a refusal was written, or has used a code up")
		}

		// Only what is unspent is shown. The receipt of a recovery code shows
		// nothing.
		byCode, err := r.Verify(t.Context(), "alice", "x", codes[1])
		if err != nil {
			t.Fatal(err)
		}
		r.told()
		refused(enrollment.ByReceipt(byCode.Receipt), enrollment.ReasonProofNotAllowed)
		refused(enrollment.ByReceipt(byApp.Receipt), enrollment.ReasonProofInvalid)
		r.clock.Advance(time.Minute)
		show(enrollment.ByCode(r.code(key)), slices.Delete(slices.Clone(codes), 1, 2)...)

		// A new set takes the place of all.
		r.clock.Advance(time.Minute)
		renewed, err := r.RenewCodes(t.Context(), "alice", enrollment.ByCode(r.code(key)))
		if err != nil {
			t.Fatal(err)
		}
		r.told()
		show(enrollment.ByReceipt(renewed.Receipt), renewed.Codes.Reveal()...)
		if err := r.Disable(t.Context(), "alice", enrollment.ByReceipt(renewed.Receipt)); err != nil {
			t.Fatal(err)
		}
		r.told()
		refused(enrollment.ByReceipt(renewed.Receipt), enrollment.ReasonNotEnrolled)
	})
}

// Sets that were made before the option, or after it, can't be shown, and what
// was kept is gone once the option is.
func TestKeepCodesIsSwitched(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	key, codes := r.enroll("alice")
	r.Guard = r.another(keep)
	codesOf := func(want enrollment.Reason) {
		t.Helper()
		r.clock.Advance(time.Minute)
		got, err := r.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(r.code(key)))
		r.denied(err, want)
		if (want == "") != (got.Len() > 0) {
			t.Errorf("%d codes are shown", got.Len())
		}
	}
	codesOf(enrollment.ReasonCodesNotKept)
	renew := func() {
		t.Helper()
		r.clock.Advance(24 * time.Hour)
		renewed, err := r.RenewCodes(t.Context(), "alice", enrollment.ByCode(r.code(key)))
		if err != nil {
			t.Fatal(err)
		}
		codes = renewed.Codes.Reveal()
	}
	renew()
	codesOf("")
	withKept := len(r.record("alice").Data)
	off := func(c *enrollment.Config) { c.KeepCodes = false }
	r.Guard = r.another(off)
	codesOf(enrollment.ReasonCodesNotKept)
	r.Guard = r.another(keep)
	codesOf("") // nothing was written meanwhile
	r.Guard = r.another(off)
	if _, err := r.Verify(t.Context(), "alice", "x", modelWrong(r.clock.Now(), key)); modelReason(err) != enrollment.ReasonWrongCode {
		t.Fatal(err)
	}
	if n := len(r.record("alice").Data); n > withKept-100 { // 175 of them, and a throttle came in
		t.Errorf("%d bytes, with the codes there were %d", n, withKept)
	}
	r.Guard = r.another(keep)
	codesOf(enrollment.ReasonCodesNotKept)
	if _, err := r.answer("alice", codes[0]); err != nil {
		t.Error("the codes themselves don't work any more")
	}
}

// TestCase32_KeptCodes: codes in clear are nowhere but where they are asked for.
func TestCase32_KeptCodes(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t, keep, replenish, atSetup)
	setup, err := r.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %x", setup, setup, setup, setup)
	key := modelKey(t, setup)
	done, err := r.Confirm(t.Context(), "alice", setup.Token, r.code(key))
	if err != nil {
		t.Fatal(err)
	}
	codes := done.Codes.Reveal()
	ok, err := r.answer("alice", codes[0])
	if err != nil {
		t.Fatal(err)
	}
	codes = append(codes, ok.NewCode.Reveal())
	r.clock.Advance(time.Minute)
	if _, err := r.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(r.code(key))); err != nil {
		t.Fatal(err)
	}
	status, err := json.Marshal(r.status("alice"))
	if err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(r.told())
	if err != nil {
		t.Fatal(err)
	}
	text := printed + fmt.Sprintf("%v %+v %#v", done, ok, r.status("alice")) + string(status) + string(told) + r.lines() + string(r.record("alice").Data)
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
		r := newMoveRig(t, scheme, atSetup)
		setup, err := r.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		shown := setup.Codes().Reveal()
		if len(shown) != count || setup.Codes().Scheme() != r.config.RecoveryScheme {
			t.Fatalf("%d codes of %v", len(shown), setup.Codes().Scheme())
		}
		again, err := r.Resume(t.Context(), "alice", setup.Token)
		if err != nil || !slices.Equal(again.Codes().Reveal(), shown) {
			t.Errorf("after a reload: %v, %v", again.Codes().Reveal(), err)
		}
		// They are good for nothing yet.
		_, err = r.Verify(t.Context(), "alice", "x", shown[0])
		r.denied(err, enrollment.ReasonNotEnrolled)
		if s := r.status("alice"); s.CodesLeft != 0 || s.CodesTotal != 0 {
			t.Errorf("%d of %d codes before the confirmation", s.CodesLeft, s.CodesTotal)
		}
		_, err = r.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(shown[0]))
		r.denied(err, enrollment.ReasonNotEnrolled)

		// What the configuration says by then does not matter.
		r.Guard = r.another(func(c *enrollment.Config) {
			c.RecoveryScheme, c.RecoveryCodes, c.CodesAtSetup = recovery.Fast-c.RecoveryScheme, recovery.MaxCount, false
		})
		key := modelKey(t, setup)
		done, err := r.Confirm(t.Context(), "alice", setup.Token, r.code(key))
		if err != nil || !slices.Equal(done.Codes.Reveal(), shown) || done.Success.CodesLeft != count {
			t.Fatalf("confirmed: %v, %d left, %v", done.Codes.Reveal(), done.Success.CodesLeft, err)
		}
		for i, c := range shown {
			if ok, err := r.answer("alice", c); err != nil || ok.CodesLeft != count-1-i {
				t.Errorf("code %d: %d left, %v", i, ok.CodesLeft, err)
			}
		}
	})
}

// Only where Confirm would make codes does a setup show some, and those of one
// that came to nothing never work.
func TestSetupCodesOnlyWhereNone(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t, atSetup)
	begin := func(user string, p enrollment.Proof) enrollment.Setup {
		t.Helper()
		setup, err := r.Begin(t.Context(), user, enrollment.BeginOptions{Account: user, Proof: p})
		if err != nil {
			t.Fatal(err)
		}
		return setup
	}
	superseded := begin("alice", enrollment.Proof{})
	cancelled := begin("alice", enrollment.Proof{})
	if err := r.Cancel(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	expired := begin("alice", enrollment.Proof{})
	r.clock.Advance(15 * time.Minute)
	for want, s := range map[enrollment.Reason]enrollment.Setup{enrollment.ReasonSetupExpired: expired, enrollment.ReasonNoSetup: begin("bob", enrollment.Proof{})} {
		user := "alice"
		if want == enrollment.ReasonNoSetup {
			if user = "bob"; r.Cancel(t.Context(), user) != nil {
				t.Fatal("not cancelled")
			}
		}
		_, err := r.Confirm(t.Context(), user, s.Token, r.code(modelKey(t, s)))
		r.denied(err, want)
	}
	setup := begin("alice", enrollment.Proof{})
	key := modelKey(t, setup)
	done, err := r.Confirm(t.Context(), "alice", setup.Token, r.code(key))
	if err != nil || !slices.Equal(done.Codes.Reveal(), setup.Codes().Reveal()) {
		t.Fatal(err)
	}
	var seen []string
	for _, s := range []enrollment.Setup{superseded, cancelled, expired} {
		if s.Codes().Len() != 10 || slices.Contains(seen, s.Codes().Reveal()[0]) {
			t.Error("the same codes were shown twice")
		}
		seen = append(seen, s.Codes().Reveal()...)
		_, err := r.Verify(t.Context(), "alice", "x", s.Codes().Reveal()[0])
		r.denied(err, enrollment.ReasonWrongCode)
	}
	r.clock.Advance(time.Minute)

	// A second phone shows none, and keeps those there are.
	second := begin("alice", enrollment.ByCode(r.code(key)))
	if second.Codes().Len() != 0 {
		t.Error("a second setup shows codes")
	}
	if done, err = r.Confirm(t.Context(), "alice", second.Token, r.code(modelKey(t, second))); err != nil || done.Codes.Len() != 0 || done.Success.CodesLeft != 10 {
		t.Errorf("%d codes, %d left, %v", done.Codes.Len(), done.Success.CodesLeft, err)
	}
	// An imported account has none, unless it brought some.
	for user, hashes := range map[string][][]byte{"carl": nil, "dora": summed("first code")} {
		key := r.move(user, hashes...)
		if n := begin(user, enrollment.ByCode(r.code(key))).Codes().Len(); (n == 10) != (len(hashes) == 0) {
			t.Errorf("%s is shown %d codes", user, n)
		}
	}
}

// RenewCodes while a setup waits drops the setup, so that never two sets are
// promised.
func TestSetupCodesAndNewCodes(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t, atSetup)
	key := r.move("alice")
	setup, err := r.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice", Proof: enrollment.ByCode(r.code(key))})
	if err != nil || setup.Codes().Len() != 10 {
		t.Fatal(err)
	}
	r.clock.Advance(time.Minute)
	renewed, err := r.RenewCodes(t.Context(), "alice", enrollment.ByCode(r.code(key)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Confirm(t.Context(), "alice", setup.Token, r.code(modelKey(t, setup)))
	r.denied(err, enrollment.ReasonNoSetup)
	_, err = r.answer("alice", setup.Codes().Reveal()[0])
	r.denied(err, enrollment.ReasonWrongCode)
	if _, err = r.answer("alice", renewed.Codes.Reveal()[0]); err != nil {
		t.Error(err)
	}
}

// Begin derives nothing, however slow the scheme is: who opens the page and
// walks away costs nothing. Confirm makes the set once, and it counts.
func TestSetupCodesCostNothing(t *testing.T) {
	r := newMoveRig(t, atSetup, func(c *enrollment.Config) { c.RecoveryScheme = recovery.Argon2id })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var setup enrollment.Setup
	for range 20 {
		var err error
		if setup, err = r.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice"}); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := float64(after.TotalAlloc-before.TotalAlloc) / (19 << 20); n > 0.9 {
		t.Errorf("%.1f derivations for 20 setups", n)
	}
	key := modelKey(t, setup)
	if _, err := r.Confirm(t.Context(), "alice", setup.Token, r.code(key)); err != nil {
		t.Fatal(err)
	}
	r.Guard = r.another(func(c *enrollment.Config) { c.RecoveryScheme = recovery.Fast })
	for range 4 {
		r.clock.Advance(time.Minute)
		if _, err := r.RenewCodes(t.Context(), "alice", enrollment.ByCode(r.code(key))); err != nil {
			t.Fatal(err)
		}
	}
	r.clock.Advance(time.Minute)
	_, err := r.RenewCodes(t.Context(), "alice", enrollment.ByCode(r.code(key)))
	r.denied(err, enrollment.ReasonTooManyCodeSets)
}

// TestCase49_SetupCodesLostReply: what was shown is what is valid, also when
// the reply to its confirmation is lost.
func TestCase49_SetupCodesLostReply(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t, atSetup)
	r.store.loseReply()
	setup, err := r.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	r.store.loseReply()
	done, err := r.Confirm(t.Context(), "alice", setup.Token, r.code(modelKey(t, setup)))
	if err != nil || !slices.Equal(done.Codes.Reveal(), setup.Codes().Reveal()) {
		t.Fatal(err)
	}
	if _, err := r.answer("alice", setup.Codes().Reveal()[9]); err != nil {
		t.Error(err)
	}
}

// The number of codes is the host's choice, within bounds.
func TestNumberOfCodes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, recovery.MinCount, 8, recovery.MaxCount} {
		r := newMoveRig(t, keep, atSetup, replenish, func(c *enrollment.Config) { c.RecoveryCodes = n })
		if n == 0 {
			n = recovery.DefaultCount
		}
		if _, codes := r.enroll("alice"); len(codes) != n {
			t.Errorf("%d codes, want %d", len(codes), n)
		}
	}
}

// A typical record stays below 1 KiB as the store sees it.
func TestTypicalRecord(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	key, codes := r.enroll("alice")
	for range 5 {
		if _, err := r.answer("alice", r.code(key)); err != nil {
			t.Fatal(err)
		}
		r.clock.Advance(time.Minute)
	}
	if _, err := r.answer("alice", codes[0]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := r.RenewCodes(t.Context(), "alice", enrollment.ByCode(r.code(key))); err != nil {
			t.Fatal(err)
		}
		r.clock.Advance(time.Minute)
	}
	n, events := len(r.record("alice").Data), len(r.status("alice").History)
	t.Logf("one app, ten codes, %d events: %d bytes", events, n)
	if n >= 1024 {
		t.Errorf("a typical record has %d bytes", n)
	}
}
