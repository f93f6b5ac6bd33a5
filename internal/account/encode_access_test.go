package account_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// access is an account with trusted devices, a bypass and a request for a reset.
func access(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.enroll(1)
	w.trust(3)
	w.trust(4)
	if _, err := w.waive(account.DeviceHash{3, 0xdd}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.a.AskReset(w.moment(), 3*24*time.Hour, true); err != nil {
		t.Fatal(err)
	}
	if err := w.a.Grant(w.moment(), w.now.Add(12*time.Hour), account.Admin{Actor: "root", Reason: "phone left at home"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.a.Lease(w.moment()); err != nil {
		t.Fatal(err)
	}
	w.a.Stamp(w.moment())
	return w
}

// afterReset is an account that waits for a setup with a ticket, under a bypass.
func afterReset(t *testing.T) *world {
	t.Helper()
	w := access(t)
	account.DropDevices(w.a) // the file is from before EventDevicesForgotten
	if err := w.a.Reset(w.moment(), account.Admin{Actor: "root", Reason: "phone lost"}, account.TicketHash{7, 7, 7}); err != nil {
		t.Fatal(err)
	}
	if err := w.a.Grant(w.moment(), w.now.Add(24*time.Hour), account.Admin{Actor: "root", Reason: "until then"}); err != nil {
		t.Fatal(err)
	}
	return w
}

// What hosts have stored must stay readable: these files never change.
func TestGoldenFilesOfAccess(t *testing.T) {
	for name, a := range map[string]*account.Account{"v1-access": access(t).a, "v1-reset": afterReset(t).a} {
		t.Run(name, func(t *testing.T) { golden(t, name, a) })
	}
}

// What the file of an earlier version says is read as what it meant.
func TestGoldenAccessIsRead(t *testing.T) {
	t.Parallel()
	w := access(t)
	w.reload()
	if by := w.waived(account.DeviceHash{3, 0xdd}); by != account.TrustedDevice {
		t.Errorf("waived by %d", by)
	}
	if list := w.devices(); len(list) != 2 || list[0].Name != "Firefox" || !list[0].Used.Equal(w.now) || !list[1].Used.IsZero() {
		t.Errorf("%+v", list)
	}
	if b := w.a.Bypass(w.now); !b.From.Equal(w.now) || !b.Until.Equal(w.now.Add(12*time.Hour)) {
		t.Errorf("%+v", b)
	}
	r := w.a.ResetRequest()
	if !r.Open || !r.Auto || r.Told || !r.Asked.Equal(w.now) || !r.Matures.Equal(w.now.Add(72*time.Hour)) || !r.Next.Equal(w.now.Add(24*time.Hour)) {
		t.Errorf("%+v", r)
	}
	w = afterReset(t)
	w.reload()
	err := account.CheckTicket(w.a, account.TicketHash{7, 7, 7})
	mustReason(t, err, "")
	err = account.CheckTicket(w.a, account.TicketHash{7, 7, 8})
	mustReason(t, err, account.TicketInvalid)
}

func TestUnknownFieldsOfDevicesSurvive(t *testing.T) {
	t.Parallel()
	future := []byte("from the future")
	plain := encode(t, access(t).a)
	for _, tag := range []byte{0, 77, account.FieldTag - 1} {
		extended := insertEverywhere(t, plain, tag, future)
		a, err := account.Decode(extended)
		if err != nil {
			t.Fatal(err)
		}
		if err := touch(t, a); err != nil {
			t.Fatal(err)
		}
		if got := encode(t, a); !bytes.Equal(got, extended) {
			t.Errorf("tag %d: written back as\n%x\nwant\n%x", tag, got, extended)
		}
		// Also by a write that changes another device.
		if err := a.Revoke(account.Moment{Now: start}, account.DeviceID{4}); err != nil {
			t.Fatal(err)
		}
		if n, before := bytes.Count(encode(t, a), future), bytes.Count(extended, future); n != before-1 {
			t.Errorf("tag %d: %d places are left of %d", tag, n, before)
		}
	}
}

func TestDamagedAccess(t *testing.T) {
	t.Parallel()
	stamp := []byte{0, 6, 0, 0, 0, 0, 0, 1}
	zero := make([]byte, 8)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, x := range map[string]struct {
		tag   byte
		value []byte
	}{
		"short bypass":               {18, join(stamp)},
		"long bypass":                {18, join(stamp, stamp, []byte{1})},
		"short ticket":               {19, make([]byte, 31)},
		"long ticket":                {19, make([]byte, 33)},
		"short reset":                {20, join(stamp, stamp, stamp)},
		"long reset":                 {20, join(stamp, stamp, stamp, []byte{1, 1})},
		"reset that nobody asked":    {20, join(zero, stamp, stamp, []byte{1})},
		"reset that never matures":   {20, join(stamp, zero, stamp, []byte{1})},
		"reset that nobody hears of": {20, join(stamp, stamp, zero, []byte{1})},
		"unknown flag":               {20, join(stamp, stamp, stamp, []byte{9})},
	} {
		b := append(encode(t, newWorld(t).a), x.tag, 0, byte(len(x.value)))
		if _, err := account.Decode(append(b, x.value...)); !errors.Is(err, account.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
	}
	device := func(fields ...[]byte) []byte {
		item := join(fields...)
		list := append([]byte{0, byte(len(item))}, item...)
		return append([]byte{17, 0, byte(len(list))}, list...)
	}
	id := append([]byte{1, 0, 8}, 1, 2, 3, 4, 5, 6, 7, 8)
	hash := append([]byte{2, 0, 32}, bytes.Repeat([]byte{7}, 32)...)
	expires := append([]byte{5, 0, 8}, stamp...)
	for name, x := range map[string]struct {
		value []byte
		ok    bool
	}{
		"device":                  {device(id, hash, expires), true},
		"device without an id":    {device(hash, expires), false},
		"device without a hash":   {device(id, expires), false},
		"device without an end":   {device(id, hash), false},
		"device with a zero hash": {device(id, append([]byte{2, 0, 32}, make([]byte, 32)...), expires), false},
		"device with a short id":  {device([]byte{1, 0, 1, 1}, hash, expires), false},
	} {
		a, err := account.Decode(append(encode(t, newWorld(t).a), x.value...))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Devices(start); (err == nil) != x.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
