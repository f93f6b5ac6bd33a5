package account_test

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// three returns the codes that an app shows up to an instant, by its clock.
func three(t *testing.T, k totp.Key, at time.Time) (codes account.Consecutive) {
	t.Helper()
	for i := range codes {
		codes[i] = code(t, k, at.Add(time.Duration(i+1-len(codes))*k.Params().Period))
	}
	return codes
}

// missed returns the codes with one of them wrong.
func missed(codes account.Consecutive, i int) account.Consecutive {
	first := "0"
	if codes[i][0] == '0' {
		first = "1"
	}
	codes[i] = first + codes[i][1:]
	return codes
}

// checkThree tries the codes, and stores what came of it.
func (w *world) checkThree(codes account.Consecutive) (account.Match, error) {
	w.t.Helper()
	match, err := w.a.CheckConsecutive(w.moment(), codes)
	if w.a.Changed() {
		w.reload()
	}
	return match, err
}

// lock guesses until app codes are locked.
func (w *world) lock() {
	w.t.Helper()
	for range 5 {
		mustReason(w.t, w.check(w.wrong()), account.WrongCode)
		w.reload()
	}
	mustReason(w.t, w.check(w.wrong()), account.Locked)
}

// disable guesses until app codes are disabled.
func (w *world) disable() {
	w.t.Helper()
	for range 100 {
		mustReason(w.t, w.check(w.wrong()), account.WrongCode)
		w.reload()
		w.now = w.now.Add(2 * day)
	}
	mustReason(w.t, w.check(w.wrong()), account.FactorDisabled)
}

// Three codes are evaluated whatever the lock says, and end the run of failures.
func TestConsecutiveGetsIn(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*world){
		"not locked": func(*world) {},
		"locked":     (*world).lock,
		"disabled":   (*world).disable,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			k := w.enroll(1)
			w.now = w.now.Add(time.Hour)
			prepare(w)
			match, err := w.checkThree(three(t, k, w.now))
			must(t, err)
			want := account.Match{Factor: account.TOTP, Authenticator: account.AuthenticatorID{1}}
			if match != want || w.a.Authenticators()[0].Last != k.Step(w.now) || !w.a.Authenticators()[0].Used.Equal(w.now) {
				t.Errorf("%+v, used up to %d", match, w.a.Authenticators()[0].Last-k.Step(w.now))
			}
			w.now = w.now.Add(30 * time.Second)
			mustReason(t, w.check(code(t, k, w.now)), "") // nothing is locked any more
		})
	}
}

// The offer follows from the lock alone.
func TestConsecutiveIsOffered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	w.now = w.now.Add(time.Hour)
	offered := func(err error, want bool) {
		t.Helper()
		d, errSignIn := w.a.SignIn(w.moment(), account.Login{SignIn: true})
		must(t, errSignIn)
		r, ok := err.(*account.Refusal)
		if !ok || r.Consecutive != want || d.Consecutive != want || w.a.OffersConsecutive(w.now) != want {
			t.Errorf("offered: %+v, %t at the sign-in, %t; want %t", r, d.Consecutive, w.a.OffersConsecutive(w.now), want)
		}
	}
	for range 4 {
		offered(w.check(w.wrong()), false)
		w.reload()
	}
	offered(w.check("1234567"), false)
	_, err := w.checkThree(account.Consecutive{"000000", "000000", "000000"})
	offered(err, false)
	offered(w.check(w.wrong()), true) // it begins the lock
	w.reload()
	offered(w.check(code(t, k, w.now)), true)
	offered(w.check("1234567"), true)
	_, set := codes(t, 1)
	_, err = w.a.Check(w.derived(set, recovery.Digest{}, nil), account.Guess{Factor: account.Recovery, Scheme: recovery.Fast})
	offered(err, true)
	w.reload()
	_, err = w.checkThree(account.Consecutive{"000000", "000000", "000000"})
	offered(err, true)
	_, err = w.checkThree(account.Consecutive{"0000000", "000000", "000000"})
	offered(err, true)
	_, err = w.checkThree(three(t, k, w.now.Add(5*time.Minute)))
	must(t, err)
	_, err = w.checkThree(three(t, k, w.now.Add(5*time.Minute)))
	mustReason(t, err, account.Replayed)
	offered(err, false)
}

// What the budget has spent stays spent: a thief of the password gets no guess for
// it that the owner comes.
func TestConsecutiveLeavesTheBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	guesses := 0
	for range 60 {
		w.now = w.now.Add(2 * time.Minute)
		for reason(w.check(w.wrong())) == account.WrongCode {
			guesses++
			w.reload()
		}
		_, err := w.checkThree(three(t, k, w.now))
		must(t, err)
	}
	if guesses != 30 {
		t.Errorf("%d guesses were evaluated in two hours, want 30", guesses)
	}
}

// Every place within ten minutes is found, the drift is told, and only a code that
// is accepted by itself makes a receipt that proves a change.
func TestConsecutiveTellsTheOffset(t *testing.T) {
	t.Parallel()
	for _, p := range []totp.Params{{}, {Algorithm: totp.SHA256, Digits: 8, Period: 60 * time.Second}} {
		most := int(10 * time.Minute / p.WithDefaults().Period)
		for shift := -most - 1; shift <= most+1; shift++ {
			w := newWorld(t)
			k := keyWith(t, 7, p)
			must(t, w.a.Import(w.moment(), []account.Authenticator{imported(k, 7)}, nil, false, admin))
			w.now = w.now.Add(time.Hour)
			drift := time.Duration(shift) * k.Params().Period
			match, err := w.checkThree(three(t, k, w.now.Add(drift)))
			if shift < -most || shift > most {
				mustReason(t, err, account.WrongCode)
				continue
			}
			must(t, err)
			current := shift >= -1 && shift <= 1
			if match.Drift != drift || match.Elsewhen == current || (match.Receipt() == account.TOTP) != current {
				t.Errorf("%v: %+v", drift, match)
			}
		}
	}
}

// The configured window says what is current.
func TestConsecutiveElsewhenByTheWindow(t *testing.T) {
	t.Parallel()
	for window, want := range map[totp.Window][]int{
		totp.LookBothWays: {-1, 0, 1}, totp.LookBehind: {-1, 0}, totp.LookAhead: {0, 1}, totp.LookAtCurrent: {0},
	} {
		var current []int
		for shift := -2; shift <= 2; shift++ {
			w := newWorld(t)
			k := w.enroll(1)
			w.now = w.now.Add(time.Hour)
			m := w.moment()
			m.Limits.Window = window
			match, err := w.a.CheckConsecutive(m, three(t, k, w.now.Add(time.Duration(shift)*30*time.Second)))
			must(t, err)
			if !match.Elsewhen {
				current = append(current, shift)
			}
		}
		if !slices.Equal(current, want) {
			t.Errorf("window %d: %v, want %v", window, current, want)
		}
	}
}

// A receipt of codes of another time proves no change and earns no trust.
func TestElsewhenProvesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	w.enroll(41)
	for name, change := range map[string]func() error{
		"begin": func() error {
			return w.a.Begin(w.at(), w.setup(9, account.AuthenticatorID{}), w.ticket, w.by(account.ElsewhenTOTP))
		},
		"remove":  func() error { return w.a.Remove(w.moment(), account.AuthenticatorID{41}, w.by(account.ElsewhenTOTP)) },
		"disable": func() error { return w.a.Disable(w.moment(), w.by(account.ElsewhenTOTP)) },
		"trust": func() error {
			return second(w.a.Trust(w.moment(), account.Device{}, w.by(account.ElsewhenTOTP).Receipt))
		},
	} {
		if mustReason(t, change(), account.ProofNotAllowed); w.a.Changed() {
			t.Errorf("%s has changed the account", name)
		}
	}
	if err := w.a.CheckReceipt(w.by(account.ElsewhenTOTP).Receipt, w.now, time.Minute); err != nil {
		t.Errorf("it is not even a receipt: %v", err)
	}
}

// Used codes are told as such, with the time by which the app has shown three new
// ones, and nothing is written.
func TestConsecutiveReplayed(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{0, 3 * time.Minute, -3 * time.Minute} {
		w := newWorld(t)
		k := w.enroll(1)
		w.now = w.now.Add(time.Hour)
		codes := three(t, k, w.now.Add(ahead))
		_, err := w.checkThree(codes)
		must(t, err)
		for range 3 {
			_, err = w.checkThree(codes)
			if mustReason(t, err, account.Replayed); w.a.Changed() {
				t.Error("a replay is written")
			}
			// Two of them are new a step later, and all three only by then.
			w.now = w.now.Add(30 * time.Second)
			codes = three(t, k, w.now.Add(ahead))
		}
		w.now = retryAt(err)
		_, err = w.checkThree(three(t, k, w.now.Add(ahead)))
		mustReason(t, err, "")
	}
	w := newWorld(t)
	k := w.enroll(1)
	w.now = w.now.Add(time.Hour)
	mustReason(t, w.check(code(t, k, w.now)), "")
	w.now = w.now.Add(time.Minute)
	_, err := w.checkThree(three(t, k, w.now))
	if mustReason(t, err, account.Replayed); retryAt(err).Sub(w.now) > 2*time.Minute {
		t.Errorf("to be tried again in %v", retryAt(err).Sub(w.now))
	}
	w.now = w.now.Add(30 * time.Second)
	_, err = w.checkThree(three(t, k, w.now))
	mustReason(t, err, "")
}

// Three codes are of one authenticator, are held against all, and are used up on all
// that they match.
func TestConsecutiveOfSeveralAuthenticators(t *testing.T) {
	t.Parallel()
	padded, err := totp.NewSecret(append(key(t, 1).Secret().Reveal(), 0)) // HMAC makes the same of it
	must(t, err)
	twin, err := totp.NewKey(padded, totp.Params{})
	must(t, err)
	eight := keyWith(t, 90, totp.Params{Digits: 8})
	w := newWorld(t)
	must(t, w.a.Import(w.moment(), []account.Authenticator{imported(key(t, 1), 1), imported(eight, 2), imported(twin, 3)}, nil, false, admin))
	w.now = w.now.Add(time.Hour)

	a, b := three(t, key(t, 1), w.now), three(t, eight, w.now)
	_, err = w.checkThree(account.Consecutive{a[0], b[1], a[2]})
	mustReason(t, err, account.MalformedCode)
	_, err = w.checkThree(account.Consecutive{"1234567", "1234567", "1234567"})
	mustReason(t, err, account.MalformedCode)
	if w.a.Changed() {
		t.Error("a slip is written")
	}
	match, err := w.checkThree(b)
	if must(t, err); match.Authenticator != (account.AuthenticatorID{2}) {
		t.Errorf("%+v", match)
	}
	_, err = w.checkThree(a)
	must(t, err)
	for i, x := range w.a.Authenticators() {
		if x.Last != x.Key.Step(w.now) {
			t.Errorf("authenticator %d has used the steps up to %d", i, x.Last-x.Key.Step(w.now))
		}
	}
	_, err = w.checkThree(a)
	mustReason(t, err, account.Replayed)
}

// Without an app nothing is evaluated, and nothing counted.
func TestConsecutiveWithoutAnApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	codes := account.Consecutive{"123456", "123456", "123456"}
	_, err := w.a.CheckConsecutive(w.moment(), codes)
	mustReason(t, err, account.NotEnrolled)
	w.bind()
	_, err = w.a.CheckConsecutive(w.moment(), codes)
	if mustReason(t, err, account.WrongCode); w.a.Changed() {
		t.Error("it is counted")
	}
}

// A success ends a bypass and an open request, as any other code does.
func TestConsecutiveEndsWhatASuccessEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	w.grant(12 * time.Hour)
	must(t, second(w.a.AskReset(w.moment(), 3*day, true)))
	w.now = w.now.Add(time.Hour)
	_, err := w.a.CheckConsecutive(w.moment(), three(t, k, w.now))
	must(t, err)
	if w.a.Bypass(w.now) != (account.Bypass{}) || w.a.ResetRequest().Open || w.a.Matched() != account.TOTP {
		t.Errorf("%+v, %+v, %v", w.a.Bypass(w.now), w.a.ResetRequest(), w.a.Matched())
	}
}
