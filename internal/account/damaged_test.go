package account_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// parts are the fields that are decoded when something needs them.
var parts = map[string]byte{"codes": 11, "history": 12, "outbox": 13, "kept": 15, "imported": 16, "devices": 17}

// damaged returns the account with nonsense in the place of a part.
func damaged(t *testing.T, from *account.Account, part string) *account.Account {
	t.Helper()
	b := encode(t, from)
	field := binary.BigEndian.AppendUint16([]byte{parts[part]}, 1)
	out, put := b[:1:1], false
	for _, f := range fields(b[1:]) {
		if !put && f[0] >= parts[part] {
			out, put = append(append(out, field...), 7), true
		}
		if f[0] != parts[part] {
			out = append(out, f...)
		}
	}
	if !put {
		out = append(append(out, field...), 7)
	}
	a, err := account.Decode(out)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A part that the seal did not protect and that makes no sense is an error of
// every operation that needs it. It is never taken for an empty part: that would
// be an account without recovery codes, or without imported ones.
func TestDamagedParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	w.begin(9, account.AuthenticatorID{})
	w.reload()
	_, set := codes(t, 1)
	digest := func(a *account.Account, m account.Moment) error {
		m.Prepared.Digest = &account.Derived{From: set.Set.Derivation(), Spare: &account.FreshCode{}}
		_, err := a.Check(m, account.Guess{Factor: account.Recovery, Scheme: recovery.Fast})
		return err
	}
	operations := []struct {
		name  string
		needs string // the parts
		do    func(a *account.Account, m account.Moment) error
	}{
		{"Acknowledge", "outbox", func(a *account.Account, m account.Moment) error {
			return a.Acknowledge(m, []account.EventID{{1}})
		}},
		{"AskReset", "history", func(a *account.Account, m account.Moment) error {
			return second(a.AskReset(m, 3*24*time.Hour, true))
		}},
		{"Begin", "codes imported", func(a *account.Account, m account.Moment) error {
			return a.Begin(m, w.setup(30, account.AuthenticatorID{}), account.TicketHash{}, w.by(account.TOTP))
		}},
		{"Check app", "imported", func(a *account.Account, m account.Moment) error {
			return second(a.Check(m, account.Guess{Factor: account.TOTP, Digits: code(t, k, w.now)}))
		}},
		{"Check recovery", "codes imported", digest},
		{"CodesLeft", "codes imported", func(a *account.Account, _ account.Moment) error {
			_, _, err := a.CodesLeft()
			return err
		}},
		{"Confirm", "codes history imported", func(a *account.Account, m account.Moment) error {
			return second(a.Confirm(m, account.SetupID{9}, code(t, key(t, 9), w.now)))
		}},
		{"Devices", "devices", func(a *account.Account, _ account.Moment) error { return second(a.Devices(w.now)) }},
		{"Disable", "history", func(a *account.Account, m account.Moment) error { return a.Disable(m, w.by(account.TOTP)) }},
		{"Due", "outbox", func(a *account.Account, _ account.Moment) error { return second(a.Due()) }},
		{"Encode", "", func(a *account.Account, _ account.Moment) error { return second(a.Encode()) }},
		{"History", "history", func(a *account.Account, _ account.Moment) error { return second(a.History()) }},
		{"Lease", "outbox", func(a *account.Account, m account.Moment) error { return second(a.Lease(m)) }},
		{"Recall", "outbox", func(a *account.Account, m account.Moment) error { return a.Recall(m) }},
		{"Renew", "history", func(a *account.Account, m account.Moment) error {
			m.Prepared.Set = set
			return second(a.Renew(m, account.Renewal{}, w.by(account.TOTP)))
		}},
		{"Reset", "history", func(a *account.Account, m account.Moment) error { return a.Reset(m, root, account.TicketHash{}) }},
		{"Revoke", "devices", func(a *account.Account, m account.Moment) error { return a.Revoke(m, account.DeviceID{1}) }},
		{"RevokeAll", "devices", func(a *account.Account, m account.Moment) error { return a.RevokeAll(m) }},
		{"Show", "codes kept", func(a *account.Account, m account.Moment) error { return second(a.Show(m, w.by(account.TOTP))) }},
		{"SignIn", "codes imported", func(a *account.Account, m account.Moment) error {
			return second(a.SignIn(m, account.Login{SignIn: true}))
		}},
		{"SignIn by device", "codes devices imported", func(a *account.Account, m account.Moment) error {
			return second(a.SignIn(m, account.Login{SignIn: true, Device: account.DeviceHash{1}}))
		}},
		{"Sweep", "outbox", func(a *account.Account, m account.Moment) error { return second(a.Sweep(m, w.now, true)) }},
		{"Trust", "devices history", func(a *account.Account, m account.Moment) error {
			r := account.Receipt{Epoch: a.Epoch(), At: w.now, Factor: account.TOTP}
			return second(a.Trust(m, account.Device{ID: account.DeviceID{1}, Hash: account.DeviceHash{1}}, r))
		}},
		{"Untold", "outbox", func(a *account.Account, _ account.Moment) error { return second(a.Untold()) }},
	}
	for _, o := range operations {
		var needs []string
		for part := range parts {
			if err := o.do(damaged(t, w.a, part), w.moment()); errors.Is(err, account.ErrDamaged) {
				needs = append(needs, part)
			}
		}
		slices.Sort(needs)
		if got := strings.Join(needs, " "); got != o.needs {
			t.Errorf("%s needs %q, want %q", o.name, got, o.needs)
		}
	}
}
