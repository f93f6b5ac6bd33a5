package account_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// hardware is a setup of a hardware token, whose secret comes from the seed.
func (w *world) hardware(seed byte, replaces account.AuthenticatorID) account.Setup {
	w.t.Helper()
	s := w.setup(seed, replaces)
	s.Label = totp.Label{}
	s.Authenticator.Hardware = true
	return s
}

// stageHardware begins it with the proof of the owner.
func (w *world) stageHardware(s account.Setup) {
	w.t.Helper()
	must(w.t, w.a.Begin(w.at(), s, w.ticket, w.by(account.TOTP)))
	w.reload()
}

// give gives a code for the setup, and returns the refusal.
func (w *world) give(s account.Setup, digits string) error {
	w.t.Helper()
	_, set := codes(w.t, s.ID[0])
	_, err := w.a.Confirm(w.with(set), s.ID, digits)
	w.reload()
	return err
}

func TestGoldenHardware(t *testing.T) {
	w := newWorld(t)
	w.enroll(1)
	s := w.hardware(41, account.AuthenticatorID{})
	w.stageHardware(s)
	mustReason(t, w.give(s, code(t, key(t, 41), w.now)), "")
	w.now = w.now.Add(time.Minute)
	w.stageHardware(w.hardware(61, account.AuthenticatorID{}))
	w.a.Stamp(w.moment())
	golden(t, "v1-hardware", w.a)
}

// The account remembers which authenticator is a hardware token, with its kind of
// code, and gives it no label.
func TestHardwareIsMarked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	s := w.hardware(41, account.AuthenticatorID{})
	var err error
	params := totp.Params{Algorithm: totp.SHA256, Digits: 8, Period: time.Minute}
	s.Authenticator.Key, err = totp.NewKey(s.Authenticator.Key.Secret(), params)
	must(t, err)
	w.stageHardware(s)
	mustReason(t, w.give(s, code(t, s.Authenticator.Key, w.now)), "")
	apps := w.a.Authenticators()
	if len(apps) != 2 || apps[0].Hardware || !apps[1].Hardware || apps[1].Number != 0 || apps[1].Key.Params() != params {
		t.Fatalf("%+v", apps)
	}
	// The next app is the second one that shows a label.
	must(t, w.a.Begin(w.at(), w.setup(61, account.AuthenticatorID{}), w.ticket, w.by(account.TOTP)))
	if n := w.a.Setup().Authenticator.Number; n != 2 {
		t.Errorf("the next app has the number %d", n)
	}
	// A token shows none, so the first app beside it has no number.
	w = newWorld(t)
	s = w.hardware(41, account.AuthenticatorID{})
	w.stageHardware(s)
	mustReason(t, w.give(s, code(t, key(t, 41), w.now)), "")
	must(t, w.a.Begin(w.at(), w.setup(61, account.AuthenticatorID{}), w.ticket, w.by(account.TOTP)))
	if x := w.a.Setup(); x.Authenticator.Number != 0 || x.Label != plainLabel {
		t.Errorf("the app beside a token is labelled %+v", x.Label)
	}
}

// A token is once on an account, and its own pending setup is not in its way.
func TestHardwareTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	s := w.hardware(41, account.AuthenticatorID{})
	w.stageHardware(s)
	again := w.hardware(41, account.AuthenticatorID{})
	again.ID = account.SetupID{42}
	w.stageHardware(again)
	mustReason(t, w.give(s, code(t, key(t, 41), w.now)), account.SetupSuperseded)
	mustReason(t, w.give(again, code(t, key(t, 41), w.now)), "")
	w.now = w.now.Add(time.Minute)

	before := encode(t, w.a)
	for name, replaces := range map[string]account.AuthenticatorID{"another": {}, "itself": {41}, "the app": {1}} {
		third := w.hardware(41, replaces)
		third.ID = account.SetupID{43}
		// The proof is not looked at, so no code is used up.
		err := w.a.Begin(w.at(), third, w.ticket, account.Proof{Kind: account.CodeProof, Guess: account.Guess{Factor: account.TOTP, Digits: code(t, key(t, 1), w.now)}})
		mustReason(t, err, account.DuplicateSecret)
		if !bytes.Equal(encode(t, w.a), before) {
			t.Errorf("to replace %s: the refusal has changed the account", name)
		}
	}
	// The secret of an app is none for a token either.
	mustReason(t, w.a.Begin(w.at(), w.hardware(1, account.AuthenticatorID{}), w.ticket, w.by(account.TOTP)), account.DuplicateSecret)
}

// Secrets of less than 128 bits are taken while they sign in, and not to replace one
// whose time is over.
func TestHardwareWithShortSecret(t *testing.T) {
	t.Parallel()
	secret, err := totp.ShortSecrets{}.NewSecret([]byte("0123456789"))
	must(t, err)
	short, err := totp.NewKey(secret, totp.Params{})
	must(t, err)
	for name, c := range map[string]struct {
		until time.Time
		want  account.Reason
	}{
		"never":   {time.Time{}, account.ShortSecret},
		"over":    {start, account.ShortSecret},
		"not yet": {start.Add(time.Microsecond), ""},
	} {
		w := newWorld(t)
		s := w.hardware(41, account.AuthenticatorID{})
		s.Authenticator.Key = short
		m := w.at()
		m.Limits.ShortUntil = c.until
		if err := w.a.Begin(m, s, w.ticket, w.reauth("password")); reason(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Who confirms a token has not seen its secret: a wrong code is a guess. A new setup
// brings no new ones, and an answer tells nothing but that it was wrong.
func TestHardwareIsNotGuessed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	guesses := 0
	for day := range 50 {
		for i := range 40 {
			s := w.hardware(41, account.AuthenticatorID{})
			s.ID = account.SetupID{byte(day), byte(i), 1}
			w.stageHardware(s)
			guess := code(t, key(t, 41), w.now.Add(time.Duration(2+i%18)*30*time.Second)) // right soon
			err := w.give(s, guess)
			var r *account.Refusal
			if !errors.As(err, &r) || r.Factor != account.TOTP || r.Skew != 0 {
				t.Fatalf("%+v", err)
			}
			switch r.Reason {
			case account.WrongCode:
				guesses++
			case account.Locked:
			default:
				t.Fatal(err)
			}
			if r.Reason == account.Locked && i < 30 { // the right one is not looked at
				mustReason(t, w.give(s, code(t, key(t, 41), w.now)), account.Locked)
			}
			must(t, w.a.Cancel())
			w.reload()
			w.now = w.now.Add(time.Minute)
		}
		w.now = w.now.Add(24*time.Hour - 40*time.Minute)
	}
	if guesses > 30+50 {
		t.Errorf("%d guesses in 50 days, want 80 at most", guesses)
	}
	history, err := w.a.History()
	must(t, err)
	if !slices.ContainsFunc(history, func(e account.Event) bool { return e.Kind == account.EventLocked && e.Factor == account.TOTP }) {
		t.Error("nobody hears of it")
	}

	// An administrator can end the wait, and an app can be set up at once, which is
	// not locked then.
	locked := w.copied()
	w.a = locked
	must(t, w.a.Unlock(w.moment(), account.Admin{Actor: "root", Reason: "x"}))
	s := w.hardware(41, account.AuthenticatorID{})
	w.stageHardware(s)
	mustReason(t, w.give(s, code(t, key(t, 41), w.now)), "")
}

// What was spent on guessing a token does not lock the first app.
func TestHardwareLocksNoApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.hardware(41, account.AuthenticatorID{})
	w.stageHardware(s)
	for range 9 {
		err := w.give(s, "000000")
		mustReason(t, err, account.WrongCode)
		if next := retryAt(err); !next.IsZero() {
			w.now = next
			s.Expires = next.Add(15 * time.Minute)
			w.stageHardware(s)
		}
	}
	w.now = w.now.Add(-time.Minute)
	mustReason(t, w.give(s, "000000"), account.Locked)
	app := w.enroll(1)
	for range 4 {
		mustReason(t, w.check(w.wrong()), account.WrongCode)
	}
	mustReason(t, w.check(code(t, app, w.now)), "")
}

// A right code of a token ends the run of wrong ones, as at a sign-in.
func TestHardwareEndsTheRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	s := w.hardware(41, account.AuthenticatorID{})
	w.stageHardware(s)
	for range 4 {
		mustReason(t, w.give(s, "000000"), account.WrongCode)
	}
	mustReason(t, w.give(s, code(t, key(t, 41), w.now)), "")
	if n := account.Throttles(w.a)[account.TOTP].Failures; n != 0 {
		t.Errorf("%d failures in a row", n)
	}
}

// Setting up a token gives nothing back of what wrong codes have spent, also where it
// replaces the only app.
func TestHardwareKeepsTheBudget(t *testing.T) {
	t.Parallel()
	for name, replaces := range map[string]account.AuthenticatorID{"beside": {}, "instead": {1}} {
		w := newWorld(t)
		app := w.enroll(1)
		for range 28 {
			mustReason(t, w.check(w.wrong()), account.WrongCode)
			w.now = account.Throttles(w.a)[account.TOTP].Mark.Add(time.Hour)
			mustReason(t, w.check(code(t, app, w.now)), "")
			w.reload()
		}
		before := *account.Throttles(w.a)[account.TOTP]
		s := w.hardware(41, replaces)
		w.stageHardware(s)
		mustReason(t, w.give(s, code(t, key(t, 41), w.now)), "")
		if after := *account.Throttles(w.a)[account.TOTP]; after != before {
			t.Errorf("%s: %+v, before %+v", name, after, before)
		}
	}
}

// A token that comes back takes no code that was used with it before.
func TestHardwareComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	s := w.hardware(41, account.AuthenticatorID{})
	w.stageHardware(s)
	mustReason(t, w.give(s, code(t, key(t, 41), w.now)), "")
	next := w.now.Add(30 * time.Second)
	mustReason(t, w.check(code(t, key(t, 41), next)), "")
	must(t, w.a.Remove(w.moment(), account.AuthenticatorID{41}, w.by(account.TOTP)))

	s.ID = account.SetupID{42}
	w.stageHardware(s)
	before := *account.Throttles(w.a)[account.TOTP]
	for _, at := range []time.Time{w.now, next} {
		err := w.give(s, code(t, key(t, 41), at))
		mustReason(t, err, account.Replayed)
		if w.a.Changed() || *account.Throttles(w.a)[account.TOTP] != before {
			t.Error("it was counted")
		}
		if want := next.Truncate(30 * time.Second).Add(30 * time.Second); !retryAt(err).Equal(want) {
			t.Errorf("the next code comes %v, want %v", retryAt(err), want)
		}
	}
	w.now = retryAt(w.give(s, code(t, key(t, 41), w.now)))
	mustReason(t, w.give(s, code(t, key(t, 41), w.now)), "")
}

// Only codes of the token's own length are looked at, and no other kind of code.
func TestHardwareParamsAreExact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.hardware(41, account.AuthenticatorID{})
	long, err := totp.NewKey(s.Authenticator.Key.Secret(), totp.Params{Digits: 8})
	must(t, err)
	s.Authenticator.Key = long
	w.stageHardware(s)
	mustReason(t, w.give(s, code(t, key(t, 41), w.now)), account.MalformedCode)
	if account.Throttles(w.a)[account.TOTP].Failures != 0 {
		t.Error("what can't be right is counted")
	}
	mustReason(t, w.give(s, "00000000"), account.WrongCode)
	if s.Authenticator.Key, err = totp.NewKey(long.Secret(), totp.Params{Algorithm: totp.SHA256}); err != nil {
		t.Fatal(err)
	}
	s.ID = account.SetupID{42}
	w.stageHardware(s)
	mustReason(t, w.give(s, code(t, key(t, 41), w.now)), account.WrongCode) // of a SHA-1 key
}

// A node that does not know the mark must not read the setup. The mark of a confirmed
// token is one that it may ignore.
func TestHardwareEncoding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stageHardware(w.hardware(41, account.AuthenticatorID{}))
	b := encode(t, w.a)
	hidden, mark := []byte{account.FieldTag + 10, 0, 0}, []byte{9, 0, 0}
	if bytes.Count(b, hidden) != 1 || bytes.Count(b, mark) != 1 {
		t.Fatalf("% x", b)
	}
	unknown := bytes.Replace(b, hidden, []byte{account.FieldTag + 11, 0, 0}, 1)
	if _, err := account.Decode(unknown); !errors.Is(err, account.ErrNewer) {
		t.Errorf("an unknown tag in a setup: %v", err)
	}
	// The two belong together.
	if _, err := account.Decode(bytes.Replace(b, mark, []byte{99, 0, 0}, 1)); !errors.Is(err, account.ErrDamaged) {
		t.Errorf("a hidden setup without a token: %v", err)
	}
	if _, err := account.Decode(bytes.Replace(b, hidden, []byte{99, 0, 0}, 1)); !errors.Is(err, account.ErrDamaged) {
		t.Errorf("a token in a setup that is shown: %v", err)
	}
}
