package account_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

var root = account.Admin{Actor: "root", Reason: "asked by telephone"}

// waive signs in, and returns what replaced the code.
func (w *world) waive(device account.DeviceHash) (account.Factor, error) {
	w.t.Helper()
	d, err := w.a.SignIn(w.moment(), account.Login{SignIn: true, Device: device})
	return d.Waived, err
}

func (w *world) grant(d time.Duration) {
	w.t.Helper()
	if err := w.a.Grant(w.moment(), w.now.Add(d), root); err != nil {
		w.t.Fatal(err)
	}
	w.reload()
}

func TestBypassBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	if w.waived(account.DeviceHash{}) != account.NoFactor {
		t.Fatal("waived by nothing")
	}
	w.grant(time.Hour)
	from := w.now
	for name, at := range map[string]struct {
		time.Duration
		want account.Factor
	}{
		"before it":             {-time.Microsecond, account.NoFactor},
		"its first instant":     {0, account.ByBypass},
		"its last instant":      {time.Hour - time.Microsecond, account.ByBypass},
		"its end":               {time.Hour, account.NoFactor},
		"a clock a week behind": {-7 * 24 * time.Hour, account.NoFactor},
	} {
		w.now = from.Add(at.Duration)
		if by := w.waived(account.DeviceHash{}); by != at.want {
			t.Errorf("%s: waived by %d", name, by)
		}
		if until := w.a.Bypass(w.now).Until; until.IsZero() == (at.want == account.ByBypass) {
			t.Errorf("%s: until %v", name, until)
		}
		if w.a.MustEnroll(w.now) {
			t.Errorf("%s: enrolment is demanded of somebody who is enrolled", name)
		}
	}
	w.now = from.Add(time.Minute)
	if by, err := w.waive(account.DeviceHash{}); by != account.ByBypass || err != nil || !w.a.Changed() {
		t.Errorf("%d, %v", by, err)
	}
	if last := w.a.LastSignIn(); last != (account.SignIn{At: w.now, Factor: account.ByBypass}) {
		t.Errorf("%+v", last)
	}
	w.grant(time.Minute) // shorter
	w.now = w.now.Add(2 * time.Minute)
	if by := w.waived(account.DeviceHash{}); by != account.NoFactor {
		t.Errorf("after a shorter one: waived by %d", by)
	}
	w.reload()
	if by, err := w.waive(account.DeviceHash{}); by != account.NoFactor || err != nil || w.a.Changed() {
		t.Errorf("%d, %v, changed: %v", by, err, w.a.Changed())
	}
}

// A bypass ends with the first code that is right, whichever it is.
func TestBypassEndsWithSuccess(t *testing.T) {
	t.Parallel()
	for name, succeed := range map[string]func(w *world) error{
		"app code":      func(w *world) error { return w.check(code(w.t, key(w.t, 1), w.now)) },
		"recovery code": func(w *world) error { return w.recover(1, 0) },
		"confirmation": func(w *world) error {
			id := w.begin(60, account.AuthenticatorID{})
			_, err := w.a.Confirm(w.moment(), id, code(w.t, key(w.t, 60), w.now))
			return err
		},
		"disabled": func(w *world) error { return w.a.Disable(w.moment(), w.by(account.TOTP)) },
	} {
		w := newWorld(t)
		w.enroll(1)
		w.grant(time.Hour)
		mustReason(t, w.check(w.wrong()), account.WrongCode)
		if w.waived(account.DeviceHash{}) != account.ByBypass {
			t.Fatal("a wrong code has ended it")
		}
		if err := succeed(w); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		w.reload()
		if by := w.waived(account.DeviceHash{}); by != account.NoFactor || w.a.MustEnroll(w.now) {
			t.Errorf("%s: waived by %d, must enrol: %v", name, by, w.a.MustEnroll(w.now))
		}
	}
}

// Where there is no factor, the end of a bypass leaves a demand behind, until a
// setup is confirmed.
func TestBypassLeavesADemand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	mustReason(t, w.a.Reset(w.moment(), root, account.TicketHash{}), "")
	w.reload()
	if w.a.MustEnroll(w.now) {
		t.Error("demanded without a bypass")
	}
	w.grant(time.Hour)
	if w.a.MustEnroll(w.now) || w.waived(account.DeviceHash{}) != account.ByBypass {
		t.Error("demanded while it lasts")
	}
	w.now = w.now.Add(time.Hour)
	for range 2 {
		w.reload()
		if !w.a.MustEnroll(w.now) || w.waived(account.DeviceHash{}) != account.NoFactor {
			t.Error("not demanded after its end")
		}
		w.now = w.now.Add(1000 * time.Hour)
	}
	w.begin(60, account.AuthenticatorID{})
	if w.reload(); !w.a.MustEnroll(w.now) {
		t.Error("not demanded while a setup waits")
	}
	id := w.begin(61, account.AuthenticatorID{})
	_, set := codes(t, 61)
	if _, err := w.a.Confirm(w.with(set), id, code(t, key(t, 61), w.now)); err != nil {
		t.Fatal(err)
	}
	if w.reload(); w.a.MustEnroll(w.now) {
		t.Error("demanded after a confirmation")
	}
	mustReason(t, w.a.Disable(w.moment(), w.by(account.TOTP)), "")
	if w.reload(); w.a.MustEnroll(w.now) {
		t.Error("demanded again after the user has disabled it")
	}
}

// A Reset that ends a bypass early does not end the demand.
func TestResetLeavesTheDemand(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"while it lasts": time.Minute, "after its end": 2 * time.Hour} {
		w := newWorld(t)
		w.grant(time.Hour)
		from := w.now
		w.now = from.Add(after)
		mustReason(t, w.a.Reset(w.moment(), root, account.TicketHash{1}), "")
		w.reload()
		for _, at := range []time.Time{w.now, from.Add(30 * time.Minute), from} {
			w.now = at // however the clock jumps
			if by := w.waived(account.DeviceHash{}); by != account.NoFactor || !w.a.MustEnroll(w.now) {
				t.Errorf("%s: waived by %d, must enrol: %v", name, by, w.a.MustEnroll(w.now))
			}
		}
	}
}

// What a broken clock has granted ends when the clock is mended.
func TestBypassUnderBrokenClock(t *testing.T) {
	t.Parallel()
	for _, enrolled := range []bool{true, false} {
		w := newWorld(t)
		if enrolled {
			w.enroll(1)
		}
		w.now = w.now.Add(30 * 24 * time.Hour)
		w.grant(24 * time.Hour)
		w.now = w.now.Add(-30 * 24 * time.Hour)
		w.reload()
		if !w.a.Changed() {
			t.Error("the repair does not count as a change")
		}
		for range 2 {
			if by := w.waived(account.DeviceHash{}); by != account.NoFactor || w.a.MustEnroll(w.now) == enrolled {
				t.Errorf("enrolled %v: waived by %d, must enrol: %v", enrolled, by, w.a.MustEnroll(w.now))
			}
			w.now = w.now.Add(30*24*time.Hour + time.Minute)
			w.reload()
		}
	}
}

// What follows after the first factor was right, and whether that is noted.
func TestSignInDecides(t *testing.T) {
	t.Parallel()
	hash := account.DeviceHash{3, 0xdd}
	enrolled := func(w *world) { w.enroll(1) }
	trusting := func(w *world) { w.enroll(1); w.trust(3) }
	passed := func(w *world) { w.grant(time.Hour) }
	over := func(w *world) { w.grant(time.Hour); w.now = w.now.Add(time.Hour) }
	addressed := func(w *world) { w.bind() }
	grace := start.Add(10 * 24 * time.Hour)
	for name, tt := range map[string]struct {
		state func(w *world)
		login account.Login
		next  account.Next
		by    account.Factor
		until time.Duration // EnrollBy, from now
	}{
		"nothing":                          {next: account.Proceed},
		"demanded":                         {login: account.Login{Require: true}, next: account.MustEnroll},
		"demanded, and put off":            {login: account.Login{Require: true, Grace: grace}, next: account.Proceed, until: grace.Sub(start)},
		"demanded, and put off until now":  {login: account.Login{Require: true, Grace: start}, next: account.MustEnroll},
		"grace without a demand":           {login: account.Login{Grace: grace}, next: account.Proceed},
		"should be enrolled":               {login: account.Login{Enrolled: true}, next: account.Refuse},
		"should be enrolled, and demanded": {login: account.Login{Enrolled: true, Require: true, Grace: grace}, next: account.Refuse},
		"enrolled":                         {state: enrolled, next: account.AskCode},
		"enrolled as it should be":         {state: enrolled, login: account.Login{Enrolled: true, Require: true, Grace: grace}, next: account.AskCode},
		"an unknown device":                {state: trusting, login: account.Login{Device: account.DeviceHash{9}}, next: account.AskCode},
		"no device":                        {state: trusting, next: account.AskCode},
		"a device":                         {state: trusting, login: account.Login{Device: hash, Enrolled: true}, next: account.Proceed, by: account.TrustedDevice},
		"a bypass":                         {state: func(w *world) { enrolled(w); passed(w) }, next: account.Proceed, by: account.ByBypass},
		"a bypass without anything":        {state: passed, login: account.Login{Require: true}, next: account.Proceed, by: account.ByBypass, until: time.Hour},
		"a bypass, but should be enrolled": {state: passed, login: account.Login{Enrolled: true}, next: account.Refuse},
		"a bypass that is over":            {state: over, login: account.Login{Grace: grace}, next: account.MustEnroll},
		"a device and a bypass":            {state: func(w *world) { trusting(w); passed(w) }, login: account.Login{Device: hash}, next: account.Proceed, by: account.TrustedDevice},
		"an address alone":                 {state: addressed, next: account.AskCode},
	} {
		for _, signIn := range []bool{true, false} {
			w := newWorld(t)
			if tt.state != nil {
				tt.state(w)
				w.reload() // the others are of users who have no account
			}
			tt.login.SignIn, tt.login.Challenge = signIn, account.ChallengeID{7}
			d, err := w.a.SignIn(w.moment(), tt.login)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			next, by, until := tt.next, tt.by, tt.until
			if !signIn { // where nothing replaces a code, and no bypass has ended
				switch by, until = account.NoFactor, 0; {
				case w.a.State() == account.Confirmed:
					next = account.AskCode
				case tt.login.Enrolled:
				case tt.login.Require && w.now.Before(tt.login.Grace):
					until = tt.until
				case tt.login.Require:
					next = account.MustEnroll
				default:
					next = account.Proceed
				}
			}
			var enrollBy time.Time
			if until > 0 {
				enrollBy = w.now.Add(until)
			}
			if d.Next != next || d.Waived != by || !d.EnrollBy.Equal(enrollBy) {
				t.Errorf("%s, at a sign-in %t: %+v, want %d by %d until %v", name, signIn, d, next, by, enrollBy)
			}
			if w.a.Changed() != (by != account.NoFactor) {
				t.Errorf("%s, at a sign-in %t: changed: %t", name, signIn, w.a.Changed())
			}
			if asked := d.Challenge.ID == (account.ChallengeID{7}); asked != (next == account.AskCode) || asked && w.a.CheckChallenge(d.Challenge, w.now) != nil {
				t.Errorf("%s, at a sign-in %t: challenge %+v", name, signIn, d.Challenge)
			}
			if w.reload(); by != account.NoFactor && w.a.LastSignIn() != (account.SignIn{At: w.now, Factor: by}) {
				t.Errorf("%s: noted %+v", name, w.a.LastSignIn())
			}
		}
	}
}

// A challenge is answered with what the account has and the host can send.
func TestSignInSaysWhatAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	w.bind()
	all := []account.Factor{account.TOTP, account.Delivered, account.Recovery}
	without := []account.Factor{account.TOTP, account.Recovery}
	for name, tt := range map[string]struct {
		login account.Login
		want  []account.Factor
	}{
		"a host that sends":         {account.Login{Delivers: true, Channel: "email"}, all},
		"an unknown first factor":   {account.Login{Delivers: true}, all},
		"over the same channel":     {account.Login{Delivers: true, Channel: strings.ToUpper(phone.Channel)}, without},
		"a host that sends nothing": {account.Login{}, without},
	} {
		if d, err := w.a.SignIn(w.moment(), tt.login); err != nil || !slices.Equal(d.Factors, tt.want) {
			t.Errorf("%s: %v, %v", name, d.Factors, err)
		}
	}
}
