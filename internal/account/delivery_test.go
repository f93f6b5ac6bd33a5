package account_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// phone is an address.
var phone = account.Address{Channel: "sms", To: "+41441234567"}

// message returns a message whose code is digits.
func (w *world) message(seed byte, digits string) account.Delivery {
	return account.NewDelivery(account.DeliveryID{seed}, digits, w.now)
}

func (w *world) send(seed byte, digits string) error {
	w.t.Helper()
	_, err := w.a.Send(w.moment(), w.message(seed, digits), account.Challenge{}, "")
	w.reload()
	return err
}

// delivered tries a code for a message at a sign-in.
func (w *world) delivered(seed byte, digits string) error {
	w.t.Helper()
	_, err := w.a.Check(w.moment(), account.Guess{
		Factor: account.Delivered, Digits: digits, Delivery: account.DeliveryID{seed},
	})
	w.reload()
	return err
}

func (w *world) confirmAddress(seed byte, digits string, alone bool, set *account.FreshSet) error {
	w.t.Helper()
	g := account.Guess{Factor: account.Delivered, Digits: digits, Delivery: account.DeliveryID{seed}}
	_, err := w.a.ConfirmAddress(w.with(set), g, alone)
	w.reload()
	return err
}

// bind binds the phone and lets the messages of the day be forgotten.
func (w *world) bind() {
	w.t.Helper()
	if err := w.a.Bind(w.moment(), w.message(200, "000200"), phone, true, account.TicketHash{}, w.by(account.TOTP)); err != nil {
		w.t.Fatal(err)
	}
	w.reload()
	_, set := codes(w.t, 200)
	mustReason(w.t, w.confirmAddress(200, "000200", true, set), "")
	w.now = w.now.Add(account.MessageWindow)
}

// delivering is an account in which every field of this slice is set.
func delivering(t *testing.T) *world {
	w := newWorld(t)
	w.enroll(1)
	w.bind()
	mustReason(t, w.send(1, "123456"), "")
	mustReason(t, w.delivered(1, "123456"), "")
	w.now = w.now.Add(account.MessagePause)
	if err := w.a.Bind(w.moment(), w.message(2, "654321"), account.Address{Channel: "e-mail", To: "alice@example.com"}, true, account.TicketHash{}, w.by(account.TOTP)); err != nil {
		t.Fatal(err)
	}
	mustReason(t, w.confirmAddress(2, "000000", false, nil), account.WrongCode)
	w.a.Stamp(w.moment())
	return w
}

// tagDelivery is the field of an account that holds all of this.
const tagDelivery = 21

// inDelivery replaces that field by what f makes of it.
func inDelivery(b []byte, f func([]byte) []byte) []byte {
	out := []byte{b[0]}
	return append(out, mapFields(b[1:], map[byte]func([]byte) []byte{tagDelivery: f})...)
}

// mapFields replaces the values of fields.
func mapFields(fields []byte, by map[byte]func([]byte) []byte) (out []byte) {
	for len(fields) > 0 {
		n := int(binary.BigEndian.Uint16(fields[1:]))
		v := fields[3 : 3+n]
		if f := by[fields[0]]; f != nil {
			v = f(v)
		}
		out = append(out, fields[0])
		out = binary.BigEndian.AppendUint16(out, uint16(len(v)))
		out = append(out, v...)
		fields = fields[3+n:]
	}
	return out
}

// One message in a minute and five in a day, whatever they are for and whatever
// is done to the account meanwhile.
func TestMessagesAreLimited(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]func(w *world){
		"nothing": func(*world) {},
		"unbinding": func(w *world) {
			must(w.t, w.a.Unbind(w.moment(), w.by(account.TOTP)))
		},
		"disabling": func(w *world) {
			must(w.t, w.a.Disable(w.moment(), w.by(account.TOTP)))
		},
		"a reset": func(w *world) {
			must(w.t, w.a.Reset(w.moment(), account.Admin{Actor: "bob"}, account.TicketHash{}))
		},
		"a recovery code": func(w *world) { mustReason(w.t, w.recover(1, 0), "") },
		"an app's code":   func(w *world) { mustReason(w.t, w.check(code(w.t, key(w.t, 1), w.now)), "") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.enroll(1)
			w.bind()
			first := w.now
			mustReason(t, w.send(1, "000001"), "")
			between(w)
			w.reload()
			bind := func(seed byte) error {
				err := w.a.Bind(w.moment(), w.message(seed, "000000"), phone, true, account.TicketHash{}, w.by(account.TOTP))
				w.reload()
				return err
			}
			w.now = first.Add(account.MessagePause - time.Microsecond)
			err := bind(2)
			mustReason(t, err, account.TooSoon)
			if want := first.Add(account.MessagePause); !retryAt(err).Equal(want) || w.a.Changed() {
				t.Fatalf("the next may go at %v, want %v; changed: %t", retryAt(err), want, w.a.Changed())
			}
			for i := range 4 {
				w.now = first.Add(time.Duration(i+1) * account.MessagePause)
				mustReason(t, bind(byte(i+2)), "")
			}
			w.now = first.Add(account.MessageWindow - time.Microsecond)
			err = bind(9)
			mustReason(t, err, account.TooManyMessages)
			if want := first.Add(account.MessageWindow); !retryAt(err).Equal(want) {
				t.Fatalf("the next may go at %v, want %v", retryAt(err), want)
			}
			w.now = first.Add(account.MessageWindow)
			mustReason(t, bind(9), "")
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The fifth wrong code begins a wait, and the message is dead when it is over.
func TestMessageIsTriedFiveTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	w.bind()
	mustReason(t, w.send(1, "123456"), "")
	for range account.MaxTries {
		mustReason(t, w.delivered(1, "000000"), account.WrongCode)
	}
	err := w.delivered(1, "123456")
	mustReason(t, err, account.Locked)
	if want := w.now.Add(time.Minute); !retryAt(err).Equal(want) {
		t.Errorf("locked until %v, want %v", retryAt(err), want)
	}
	mustReason(t, w.send(2, "123456"), account.Locked)
	w.now = w.now.Add(time.Minute)
	mustReason(t, w.delivered(1, "123456"), account.ChallengeVoid)
	mustReason(t, w.send(2, "123456"), "")
	mustReason(t, w.delivered(1, "123456"), account.ChallengeVoid)
	mustReason(t, w.delivered(2, "123456"), "")
	mustReason(t, w.delivered(2, "123456"), account.ChallengeVoid)
}

// Tries count for the message also where a recovery code ends the wait.
func TestTriesOutliveTheLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	w.bind()
	mustReason(t, w.send(1, "123456"), "")
	for range 4 {
		mustReason(t, w.delivered(1, "000000"), account.WrongCode)
	}
	must(t, w.a.Unlock(w.moment(), account.Admin{Actor: "bob"})) // the run is over, the tries are not
	mustReason(t, w.check(code(t, key(t, 1), w.now)), "")        // nor does another factor end them
	mustReason(t, w.delivered(1, "000000"), account.WrongCode)
	must(t, w.a.Unlock(w.moment(), account.Admin{Actor: "bob"}))
	if _, locked := w.a.LockedUntil(account.Delivered, w.now); locked {
		t.Fatal("unlocked it is locked")
	}
	mustReason(t, w.delivered(1, "123456"), account.ChallengeVoid)
}

// 30 wrong codes and one a day is all there is, however often a code is right,
// the address is bound again, or everything is switched off and on.
func TestDeliveredBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	w.bind()
	failures := 0
	for round := byte(1); ; round++ {
		w.now = w.now.Add(account.MessagePause)
		err := w.send(round, "123456")
		if reason(err) == account.TooManyMessages {
			w.now = retryAt(err)
			continue
		}
		if reason(err) == account.Locked {
			break
		}
		mustReason(t, err, "")
		for range 3 {
			if err = w.delivered(round, "000000"); reason(err) == account.Locked {
				break
			}
			mustReason(t, err, account.WrongCode)
			failures++
		}
		if reason(err) != account.Locked {
			err = w.delivered(round, "123456")
		}
		if reason(err) == account.Locked {
			break
		}
		mustReason(t, err, "")
		if failures > 60 {
			break
		}
	}
	// Two days of messages pass meanwhile: 30 and what came back.
	if failures < 30 || failures > 33 {
		t.Fatalf("the budget let %d failures through", failures)
	}
	must(t, w.a.Unbind(w.moment(), w.by(account.TOTP)))
	w.reload()
	until, locked := w.a.LockedUntil(account.Delivered, w.now)
	if !locked || !until.After(w.now.Add(time.Hour)) {
		t.Fatalf("without an address, locked %t until %v", locked, until)
	}
	mustReason(t, w.a.Bind(w.moment(), w.message(99, "123456"), phone, true, account.TicketHash{}, w.by(account.TOTP)), account.Locked)
	// What a recovery code is worth: five guesses, and no more than those.
	mustReason(t, w.recover(1, 0), "")
	w.now = w.now.Add(account.MessageWindow)
	w.reload()
	must(t, w.a.Bind(w.moment(), w.message(100, "123456"), phone, true, account.TicketHash{}, w.by(account.TOTP)))
	got := 0
	for range 20 {
		err := w.confirmAddress(100, "000000", false, nil)
		if reason(err) != account.WrongCode {
			break
		}
		got++
	}
	if got != 5 {
		t.Errorf("%d guesses after a recovery code", got)
	}
}

// Every change of factor drops the pending message: what was proven, or did
// not have to be proven, when it was sent may not hold any more.
func TestChangeOfFactorDropsMessage(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world){
		"recovery code": func(w *world) { mustReason(w.t, w.recover(1, 0), "") },
		"renew_codes": func(w *world) {
			_, set := codes(w.t, 7)
			must(w.t, second(w.a.Renew(w.with(set), account.Renewal{}, w.by(account.TOTP))))
		},
		"another app":    func(w *world) { w.enroll(9) },
		"one app less":   func(w *world) { must(w.t, w.a.Remove(w.moment(), account.AuthenticatorID{2}, w.by(account.TOTP))) },
		"another phone":  func(w *world) { must(w.t, w.a.Unbind(w.moment(), w.by(account.TOTP))) },
		"disabling":      func(w *world) { must(w.t, w.a.Disable(w.moment(), w.by(account.TOTP))) },
		"a reset":        func(w *world) { must(w.t, w.a.Reset(w.moment(), account.Admin{}, account.TicketHash{})) },
		"reset and turn": func(w *world) { must(w.t, w.a.Reset(w.moment(), account.Admin{}, account.TicketHash{1})) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.enroll(1)
			w.enroll(2)
			w.bind()
			must(t, w.a.Bind(w.moment(), w.message(3, "123456"), account.Address{Channel: "sms", To: "the thief's"}, true, account.TicketHash{}, w.by(account.TOTP)))
			change(w)
			w.reload()
			_, set := codes(t, 8)
			mustReason(t, w.confirmAddress(3, "123456", true, set), account.NoSetup)
			if to := w.a.Address().To; to == "the thief's" {
				t.Error("the address was bound")
			}
		})
	}
}

// The kinds of guesses don't mix.
func TestDeliveredIsNoApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bind()
	mustReason(t, w.send(1, "123456"), "")
	before := encode(t, w.a)
	for range 50 { // an account without an app: nothing to guess at
		mustReason(t, w.check("123456"), account.WrongCode)
	}
	if w.a.Changed() || !bytes.Equal(encode(t, w.a), before) {
		t.Error("a guess at an app that is not there was counted")
	}
	mustReason(t, w.delivered(1, "123456"), "")

	w = newWorld(t)
	k := w.enroll(1)
	w.bind()
	mustReason(t, w.send(1, "123456"), "")
	c := code(t, k, w.now)
	mustReason(t, w.delivered(1, c), account.WrongCode) // the app's code in the place of the message's
	mustReason(t, w.check(c), "")                       // was not used up by it
	mustReason(t, w.check("123456"), account.WrongCode) // and the other way round
	mustReason(t, w.delivered(1, "123456"), "")
}

func TestSendIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mustReason(t, w.send(1, "123456"), account.NotEnrolled)
	w.enroll(1)
	mustReason(t, w.send(1, "123456"), account.NoAddress)
	w.bind()
	for _, channel := range []string{"sms", "SMS", "Sms"} {
		_, err := w.a.Send(w.moment(), w.message(1, "123456"), account.Challenge{}, channel)
		mustReason(t, err, account.SameChannel)
	}
	if w.a.Changed() {
		t.Error("a refused message was counted")
	}
	_, err := w.a.Send(w.moment(), w.message(1, "123456"), account.Challenge{}, "email")
	to := w.a.Address()
	if err != nil || to.To != phone.To {
		t.Errorf("%+v, %v", to, err)
	}
	mustReason(t, w.a.Remove(w.moment(), account.AuthenticatorID{2}, w.by(account.TOTP)), account.UnknownAuthenticator)
	mustReason(t, w.a.Remove(w.moment(), account.AuthenticatorID{1}, w.by(account.TOTP)), account.LastAuthenticator)
}

// A clock that goes back does not make a code good for longer, and one that was
// far ahead leaves no lock for ever.
func TestDeliveryAndClocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	w.bind()
	mustReason(t, w.send(1, "123456"), "")
	sent := w.now
	w.now = sent.Add(-5 * time.Hour)
	mustReason(t, w.delivered(1, "123456"), account.ChallengeExpired)
	mustReason(t, w.send(2, "123456"), account.TooSoon)
	w.now = sent.Add(-time.Minute) // a node that is a little behind
	mustReason(t, w.delivered(1, "123456"), "")

	w = newWorld(t)
	w.enroll(1)
	w.bind()
	good := w.now
	w.now = good.Add(1000 * time.Hour)
	for i := range byte(5) {
		mustReason(t, w.send(i+1, "123456"), "")
		w.now = w.now.Add(account.MessagePause)
	}
	for range 4 {
		mustReason(t, w.delivered(5, "000000"), account.WrongCode)
	}
	w.now = good
	w.reload()
	if !w.a.Changed() {
		t.Error("the repair is not stored")
	}
	mustReason(t, w.delivered(5, "123456"), account.ChallengeVoid)
	err := w.send(6, "123456")
	mustReason(t, err, account.TooManyMessages)
	if until := retryAt(err); until.After(good.Add(account.MessageWindow)) {
		t.Errorf("held back until %v", until)
	}
	w.now = good.Add(account.MessageWindow)
	mustReason(t, w.send(6, "123456"), "")
}

// The challenge of a message has the id of the one it came from and lives
// longer: who has answered one has answered both, also once one is forgotten.
func TestSpentChallengeOfMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	w.bind()
	const ttl = account.ChallengeTTL
	older := w.a.NewChallenge(account.ChallengeID{1}, w.now)
	w.now = w.now.Add(time.Minute)
	spent := w.a.NewChallenge(account.ChallengeID{2}, w.now)
	w.a.SpendChallenge(w.moment(), spent, account.TOTP, true)
	for _, at := range []time.Duration{0, ttl - 1, ttl, 2*ttl - 1, 2 * ttl, 3 * ttl} {
		w.now = spent.Issued.Add(at)
		w.reload()
		if r := reason(w.a.CheckChallenge(spent, w.now)); r != account.ChallengeSpent && r != account.ChallengeVoid {
			t.Errorf("after %v the spent one is %q", at, r)
		}
		older := older.Delivered(account.NewDelivery(account.DeliveryID{3}, "123456", older.Issued.Add(ttl)))
		if r := reason(w.a.CheckChallenge(older, w.now)); r != "" && at < 2*ttl-time.Minute {
			t.Errorf("after %v the older one, which a message may have prolonged, is %q", at, r)
		}
	}
}

// Whether or not what has expired was tidied away before.
func TestExpiredMessageIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	w.bind()
	mustReason(t, w.send(1, "123456"), "")
	w.now = w.now.Add(account.DeliveryTTL)
	g := account.Guess{Factor: account.Delivered, Digits: "123456", Delivery: account.DeliveryID{1}}
	_, err := w.a.Check(w.moment(), g)
	mustReason(t, err, account.ChallengeExpired)
	must(t, w.a.Bind(w.moment(), w.message(1, "123456"), phone, true, account.TicketHash{}, w.by(account.TOTP)))
	w.now = w.now.Add(account.DeliveryTTL)
	_, err = w.a.ConfirmAddress(w.moment(), g, false)
	mustReason(t, err, account.SetupExpired)
}
