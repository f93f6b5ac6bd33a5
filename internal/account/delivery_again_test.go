package account_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// sendFor sends a message of that seed for a challenge.
func (w *world) sendFor(seed byte, purpose string, c account.Challenge) (account.Delivery, error) {
	w.t.Helper()
	x := w.message(seed, "123456")
	x.Purpose = purpose
	d, err := w.a.Send(w.moment(), x, c, "")
	w.reload()
	return d, err
}

// While no message may be sent, the pending one answers a sign-in for its purpose,
// and nothing is written.
func TestPendingMessageAnswersAgain(t *testing.T) {
	t.Parallel()
	first, second := account.DeliveryID{1}, account.DeliveryID{2}
	for name, c := range map[string]struct {
		after   time.Duration
		purpose string
		from    account.DeliveryID // the message that the challenge came with
		most    int                // messages in a day
		between func(w *world)
		want    account.DeliveryID
		refused account.Reason
	}{
		"at once":                          {purpose: "sign_in", most: 5, want: first},
		"from an earlier message":          {purpose: "sign_in", most: 5, from: account.DeliveryID{9}, want: first},
		"at the end of the pause":          {after: account.MessagePause - time.Microsecond, purpose: "sign_in", most: 5, want: first},
		"after the pause":                  {after: account.MessagePause, purpose: "sign_in", most: 5, want: second},
		"at the end of the day":            {after: account.DeliveryTTL - time.Microsecond, purpose: "sign_in", most: 1, want: first},
		"at the end of the day, too late":  {after: account.DeliveryTTL, purpose: "sign_in", most: 1, refused: account.TooManyMessages},
		"another one":                      {purpose: "sign_in", most: 5, from: first, refused: account.TooSoon},
		"another one at the end of a day":  {after: account.MessagePause, purpose: "sign_in", most: 1, from: first, refused: account.TooManyMessages},
		"another purpose":                  {purpose: "step-up", most: 5, refused: account.TooSoon},
		"another purpose, a part of it":    {purpose: "sign_", most: 5, refused: account.TooSoon},
		"no purpose":                       {most: 5, refused: account.TooSoon},
		"answered":                         {purpose: "sign_in", most: 5, between: func(w *world) { mustReason(w.t, w.delivered(1, "123456"), "") }, refused: account.TooSoon},
		"before the clock went back":       {after: -5 * time.Minute, purpose: "sign_in", most: 5, refused: account.TooSoon},
		"refused by the gateway":           {purpose: "sign_in", most: 5, between: func(w *world) { must(w.t, w.a.Refused(w.moment(), first)) }, refused: account.TooSoon},
		"guessed at too often":             {purpose: "sign_in", most: 5, between: tryOut, refused: account.Locked},
		"a recovery code was used":         {purpose: "sign_in", most: 5, between: func(w *world) { mustReason(w.t, w.recover(1, 0), "") }, refused: account.TooSoon},
		"guessed at, and not too often":    {purpose: "sign_in", most: 5, between: func(w *world) { mustReason(w.t, w.delivered(1, "000000"), account.WrongCode) }, want: first},
		"another refusal, of no such code": {purpose: "sign_in", most: 5, between: func(w *world) { must(w.t, w.a.Refused(w.moment(), second)) }, want: first},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.enroll(1)
			w.bind()
			_, err := w.sendFor(1, "sign_in", account.Challenge{})
			mustReason(t, err, "")
			if c.between != nil {
				c.between(w)
				w.reload()
			}
			w.now = w.now.Add(c.after)
			x := w.message(2, "654321")
			x.Purpose = c.purpose
			m := w.moment()
			m.Limits.Messages = c.most
			got, err := w.a.Send(m, x, account.Challenge{Delivery: c.from}, "")
			mustReason(t, err, c.refused)
			if err == nil && got.ID != c.want {
				t.Errorf("message %x, want %x", got.ID, c.want)
			}
			if changed := got.ID == second && err == nil; w.a.Changed() != changed {
				t.Errorf("changed: %t", w.a.Changed())
			}
		})
	}
}

func tryOut(w *world) {
	for range account.MaxTries {
		mustReason(w.t, w.delivered(1, "000000"), account.WrongCode)
	}
}

// What the gateway refused is not one of the day's, up to as many again.
func TestRefusedMessagesAreTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	w.bind()
	for day := range 2 {
		for i := range 2 * account.DefaultMessages {
			seed := byte(1 + i)
			_, err := w.sendFor(seed, "sign_in", account.Challenge{})
			mustReason(t, err, "")
			must(t, w.a.Refused(w.moment(), account.DeliveryID{seed}))
			must(t, w.a.Refused(w.moment(), account.DeliveryID{seed})) // once
			w.reload()
			_, err = w.sendFor(99, "sign_in", account.Challenge{})
			want := account.TooSoon // the pause stays
			if i == 2*account.DefaultMessages-1 {
				want = account.TooManyMessages
			}
			mustReason(t, err, want)
			w.now = w.now.Add(account.MessagePause)
		}
		_, err := w.sendFor(99, "sign_in", account.Challenge{})
		mustReason(t, err, account.TooManyMessages)
		if day == 0 {
			w.now = w.now.Add(account.MessageWindow)
		}
	}
}

// again is an account in which the fields of this file are set.
func again(t *testing.T) *world {
	w := newWorld(t)
	w.enroll(1)
	w.bind()
	_, err := w.sendFor(1, "sign_in", account.Challenge{})
	mustReason(t, err, "")
	must(t, w.a.Refused(w.moment(), account.DeliveryID{1}))
	w.now = w.now.Add(account.MessagePause)
	_, err = w.sendFor(2, "sign_in", account.Challenge{})
	mustReason(t, err, "")
	w.a.Stamp(w.moment())
	return w
}

// What hosts have stored must stay readable: the file never changes.
func TestGoldenDeliveryAgain(t *testing.T) { golden(t, "v1-delivered-again", again(t).a) }

// A node that does not know of refusals counts them, and keeps the field. The window
// that it begins is another one.
func TestRefusalsOfAnotherWindow(t *testing.T) {
	t.Parallel()
	w := again(t)
	b := encode(t, w.a)
	left := func(b []byte) (n int) {
		a, err := account.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		for at := w.now.Add(account.DeliveryTTL); ; at = at.Add(account.MessagePause) {
			m := w.at()
			m.Now = at
			a.Tidy(m)
			if _, err := a.Send(m, account.NewDelivery(account.DeliveryID{3, byte(n)}, "123456", at), account.Challenge{}, ""); err != nil {
				mustReason(t, err, account.TooManyMessages)
				return n
			}
			n++
		}
	}
	if n := left(b); n != account.DefaultMessages-1 {
		t.Errorf("%d messages are left", n)
	}
	other := inDelivery(b, func(b []byte) []byte {
		return mapFields(b, map[byte]func([]byte) []byte{5: func(v []byte) []byte {
			v = bytes.Clone(v)
			v[7]++ // of another window
			return v
		}})
	})
	if n := left(other); n != account.DefaultMessages-2 {
		t.Errorf("%d messages are left, and the refusal was of another window", n)
	}
	many := inDelivery(b, func(b []byte) []byte {
		return mapFields(b, map[byte]func([]byte) []byte{5: func(v []byte) []byte { return append(slices.Clone(v[:8]), 200) }})
	})
	if n := left(many); n != account.DefaultMessages-2 {
		t.Errorf("%d messages are left, and more were refused than sent", n)
	}
	for _, v := range [][]byte{nil, make([]byte, 8), make([]byte, 9), make([]byte, 10)} {
		damaged := inDelivery(b, func(b []byte) []byte {
			return mapFields(b, map[byte]func([]byte) []byte{5: func([]byte) []byte { return v }})
		})
		if _, err := account.Decode(damaged); !errors.Is(err, account.ErrDamaged) {
			t.Errorf("%x: %v, want ErrDamaged", v, err)
		}
	}
}
