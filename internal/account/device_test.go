package account_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// trust adds a device whose id and hash are made of the seed.
func (w *world) trust(seed byte) account.DeviceHash {
	w.t.Helper()
	hash := account.DeviceHash{seed, 0xdd}
	d := account.Device{ID: account.DeviceID{seed}, Hash: hash, Name: "Firefox"}
	if _, err := w.a.Trust(w.moment(), d, w.by(account.TOTP).Receipt); err != nil {
		w.t.Fatal(err)
	}
	w.reload()
	return hash
}

// waived returns what replaces a code now.
func (w *world) waived(device account.DeviceHash) account.Factor {
	w.t.Helper()
	by, err := account.Waived(w.a, w.now, device)
	if err != nil {
		w.t.Fatal(err)
	}
	return by
}

func (w *world) devices() []account.Device {
	w.t.Helper()
	list, err := w.a.Devices(w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// kinds returns the kinds of the events since decoding.
func kinds(a *account.Account) []account.EventKind {
	var list []account.EventKind
	for _, e := range a.Recorded() {
		list = append(list, e.Kind)
	}
	return list
}

func TestTrustIsForThirtyDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	hash := w.trust(1)
	added := w.now
	for _, other := range []account.DeviceHash{{}, {2, 0xdd}, {1, 0xde}} {
		if by := w.waived(other); by != account.NoFactor {
			t.Errorf("%x waives the code by %d", other[:2], by)
		}
	}
	// Use does not prolong it.
	for range 29 {
		w.now = w.now.Add(24 * time.Hour)
		if by, err := w.waive(hash); by != account.TrustedDevice || err != nil {
			t.Fatalf("after %v: %d, %v", w.now.Sub(added), by, err)
		}
		w.reload()
	}
	if d := w.devices()[0]; !d.Added.Equal(added) || !d.Used.Equal(w.now) || !d.Expires.Equal(added.Add(account.DefaultDeviceTTL)) {
		t.Errorf("%+v", d)
	}
	if last := w.a.LastSignIn(); !last.At.Equal(w.now) || last.Factor != account.TrustedDevice {
		t.Errorf("last sign-in %+v", last)
	}
	w.now = added.Add(account.DefaultDeviceTTL - time.Microsecond)
	if by := w.waived(hash); by != account.TrustedDevice {
		t.Errorf("a moment before its end: %d", by)
	}
	w.now = added.Add(account.DefaultDeviceTTL)
	if by := w.waived(hash); by != account.NoFactor || len(w.devices()) != 0 {
		t.Errorf("at its end: %d, %d devices", by, len(w.devices()))
	}
	mustReason(t, w.a.Revoke(w.moment(), account.DeviceID{1}), account.UnknownDevice)
}

func TestTrustNeedsAFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mustReason(t, second(w.a.Trust(w.moment(), account.Device{ID: account.DeviceID{1}, Hash: account.DeviceHash{1}}, w.by(account.TOTP).Receipt)), account.NotEnrolled)
	if w.a.Changed() {
		t.Error("the account has changed")
	}
}

func TestOldestDeviceMakesRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	var hashes []account.DeviceHash
	for seed := range byte(account.DefaultDevices + 2) {
		hashes = append(hashes, w.trust(seed+1))
		w.now = w.now.Add(time.Minute)
	}
	if n := len(w.devices()); n != account.DefaultDevices {
		t.Errorf("%d devices", n)
	}
	for i, hash := range hashes {
		if got, want := w.waived(hash) == account.TrustedDevice, i >= 2; got != want {
			t.Errorf("device %d is trusted: %v", i, got)
		}
	}
	// One that has expired makes room before one that has not.
	w.now = hashesEnd(w)
	w.trust(50)
	if n := len(w.devices()); n != account.DefaultDevices || w.waived(hashes[3]) != account.TrustedDevice {
		t.Errorf("%d devices", n)
	}
}

// hashesEnd is when the oldest device ends.
func hashesEnd(w *world) time.Time { return w.devices()[0].Expires }

func TestRevoke(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	first, second := w.trust(1), w.trust(2)
	mustReason(t, w.a.Revoke(w.moment(), account.DeviceID{9}), account.UnknownDevice)
	if w.a.Changed() {
		t.Error("an unknown device has changed the account")
	}
	mustReason(t, w.a.Revoke(w.moment(), account.DeviceID{1}), "")
	if e := w.a.Recorded(); len(e) != 1 || e[0].Kind != account.EventDeviceRevoked || e[0].Name != "Firefox" {
		t.Errorf("%+v", e)
	}
	w.reload()
	if w.waived(first) != account.NoFactor || w.waived(second) != account.TrustedDevice {
		t.Error("not the device that was meant")
	}
	mustReason(t, w.a.RevokeAll(w.moment()), "")
	if e := w.a.Recorded(); len(e) != 1 || e[0].Kind != account.EventDeviceRevoked || e[0].Name != "" {
		t.Errorf("%+v", e)
	}
	w.reload()
	if w.waived(second) != account.NoFactor {
		t.Error("it is trusted still")
	}
	mustReason(t, w.a.RevokeAll(w.moment()), "")
	if w.a.Changed() {
		t.Error("there was nothing to revoke")
	}
}

// Trust ends with whatever changes a factor.
func TestTrustEndsWithEveryChange(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world) error{
		"disable": func(w *world) error { return w.a.Disable(w.moment(), w.by(account.TOTP)) },
		"reset": func(w *world) error {
			return w.a.Reset(w.moment(), account.Admin{Actor: "root", Reason: "x"}, account.TicketHash{})
		},
		"codes renewed": func(w *world) error {
			_, set := codes(w.t, 7)
			return second(w.a.Renew(w.with(set), account.Renewal{}, w.by(account.TOTP)))
		},
		"recovery code": func(w *world) error { return w.recover(1, 0) },
		"removed":       func(w *world) error { return w.a.Remove(w.moment(), account.AuthenticatorID{41}, w.by(account.TOTP)) },
		"added": func(w *world) error {
			id := w.begin(60, account.AuthenticatorID{})
			_, err := w.a.Confirm(w.moment(), id, code(w.t, key(w.t, 60), w.now))
			return err
		},
		"replaced": func(w *world) error {
			id := w.begin(60, account.AuthenticatorID{1})
			_, err := w.a.Confirm(w.moment(), id, code(w.t, key(w.t, 60), w.now))
			return err
		},
		"reset that matured": func(w *world) error {
			if _, err := w.a.AskReset(w.moment(), 24*time.Hour, true); err != nil {
				return err
			}
			w.now = w.now.Add(24 * time.Hour)
			return second(w.a.Sweep(w.moment(), w.now, true))
		},
	} {
		w := newWorld(t)
		w.enroll(1)
		w.enroll(41)
		hash := w.trust(1)
		if w.waived(hash) != account.TrustedDevice {
			t.Fatal("it is not trusted to begin with")
		}
		if err := change(w); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if by := w.waived(hash); by != account.NoFactor {
			t.Errorf("%s: waived by %d", name, by)
		}
		w.reload()
		if w.a.State() != account.Confirmed {
			w.enroll(80)
		}
		if by, n := w.waived(hash), len(w.devices()); by != account.NoFactor || n != 0 {
			t.Errorf("%s: stored, waived by %d, %d devices", name, by, n)
		}
	}
}

// What was trusted under a clock that ran ahead is not trusted for that much
// longer: it is gone, and does not come back when its time has come.
func TestTrustUnderBrokenClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	honest := w.trust(1)
	w.now = w.now.Add(20 * 24 * time.Hour)
	if _, err := w.waive(honest); err != nil {
		t.Fatal(err)
	}
	broken := w.trust(2)
	w.now = w.now.Add(-20 * 24 * time.Hour)
	w.reload()
	if !w.a.Changed() {
		t.Error("the repair does not count as a change")
	}
	if by := w.waived(broken); by != account.NoFactor {
		t.Errorf("waived by %d", by)
	}
	if list := w.devices(); len(list) != 1 || list[0].Hash != honest || list[0].Used.After(w.now) {
		t.Errorf("%+v", list)
	}
	w.reload()
	if w.a.Changed() {
		t.Error("it was repaired twice")
	}
	w.now = w.now.Add(21 * 24 * time.Hour)
	w.reload()
	if w.waived(broken) != account.NoFactor || w.waived(honest) != account.TrustedDevice {
		t.Error("it has come back")
	}
	// Nodes are apart by less than a day.
	w.now = w.now.Add(23 * time.Hour)
	ahead := w.trust(3)
	w.now = w.now.Add(-23 * time.Hour)
	w.reload()
	if w.waived(ahead) != account.TrustedDevice {
		t.Error("a node that runs a little ahead has lost its device")
	}
}

// Damage that the seal did not catch is an error for each call that needs the devices.
func TestDamagedDevices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	account.ForgetCompleted(w.a) // tags ascend
	b := append(encode(t, w.a), 17, 0, 3, 0, 1, 7)
	a, err := account.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	a.ClampFuture(w.moment())
	if by, err := account.Waived(a, w.now, account.DeviceHash{1}); err == nil || by != account.NoFactor {
		t.Errorf("waived by %d, %v", by, err)
	}
	if d, err := a.SignIn(w.moment(), account.Login{SignIn: true, Device: account.DeviceHash{1}}); err == nil || d.Next != account.Refuse {
		t.Errorf("%+v, %v", d, err)
	}
	r := account.Receipt{Epoch: a.Epoch(), At: w.now, Factor: account.TOTP}
	if _, err := a.Trust(w.moment(), account.Device{ID: account.DeviceID{1}, Hash: account.DeviceHash{1}}, r); err == nil {
		t.Error("a device was added to damage")
	}
}
