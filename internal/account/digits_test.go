package account_test

import (
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Digits that no code of the kind can have are malformed: they are not counted,
// and say so also while codes are locked. At a setup, six digits can come from an
// app that ignores how many are asked for.
func TestDigitsThatNoCodeHas(t *testing.T) {
	t.Parallel()
	eight := keyWith(t, 90, totp.Params{Digits: 8})
	places := map[string]struct {
		digits []int // what codes have there
		try    func(w *world, digits string) error
	}{
		"an app": {[]int{6}, (*world).check},
		"two apps": {[]int{6, 8}, func(w *world, digits string) error {
			if len(w.a.Authenticators()) == 1 {
				must(t, w.a.Begin(w.at(), account.Setup{ID: account.SetupID{90}, Expires: w.now.Add(day), Authenticator: imported(eight, 90)}, account.TicketHash{}, w.by(account.TOTP)))
				_, err := w.a.Confirm(w.moment(), account.SetupID{90}, code(t, eight, w.now))
				must(t, err)
				w.reload()
			}
			return w.check(digits)
		}},
		"a setup": {[]int{6, 8}, func(w *world, digits string) error {
			if w.a.Setup() == nil {
				must(t, w.a.Begin(w.at(), account.Setup{ID: account.SetupID{90}, Expires: w.now.Add(day), Authenticator: imported(eight, 90)}, account.TicketHash{}, w.by(account.TOTP)))
				w.reload()
			}
			_, err := w.a.Confirm(w.moment(), account.SetupID{90}, digits)
			return err
		}},
		"a message": {[]int{6}, func(w *world, digits string) error {
			if w.a.Address().To == "" {
				w.bind()
				must(t, w.send(1, "123456"))
			}
			_, err := w.a.Check(w.moment(), account.Guess{Factor: account.Delivered, Digits: digits, Delivery: account.DeliveryID{1}})
			return err
		}},
		"an address": {[]int{6}, func(w *world, digits string) error {
			if m := w.message(7, "123456"); account.MayMessage(w.a, w.at()) == nil {
				must(t, w.a.Bind(w.moment(), m, phone, true, account.TicketHash{}, w.by(account.TOTP)))
				w.reload()
			}
			_, err := w.a.ConfirmAddress(w.moment(), account.Guess{Factor: account.Delivered, Digits: digits, Delivery: account.DeliveryID{7}}, false)
			return err
		}},
	}
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.enroll(1)
			rounds := 6 // the last one finds codes locked
			if name == "an address" {
				rounds = 4 // the fifth wrong one drops the message
			}
			for round := range rounds {
				for _, n := range []int{6, 7, 8} {
					want := account.MalformedCode
					for _, has := range place.digits {
						switch {
						case has == n && round < 5:
							want = account.WrongCode
						case has == n:
							want = account.Locked
						}
					}
					if len(place.digits) > 1 && n == 8 { // one kind is enough to be locked by
						continue
					}
					err := place.try(w, strings.Repeat("0", n))
					if mustReason(t, err, want); w.a.Changed() != (want == account.WrongCode) {
						t.Errorf("round %d, %d digits: the account has changed: %t", round, n, w.a.Changed())
					}
					w.reload()
				}
			}
		})
	}
}
