package model

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Trusted devices: the rules, and the operations of the driver.

type modelDevice struct {
	id, name, token      string
	added, expires, used time.Time
}

// trusted returns the devices that have not expired.
func (a *modelAccount) trusted(now time.Time) []modelDevice {
	return slices.DeleteFunc(slices.Clone(a.devices), func(d modelDevice) bool { return !now.Before(d.expires) })
}

// clampDevices drops what was trusted under a clock that ran ahead.
func (a *modelAccount) clampDevices(now time.Time) {
	before := len(a.devices)
	a.devices = slices.DeleteFunc(a.devices, func(d modelDevice) bool { return modelFuture(d.added, now) })
	a.dirty = a.dirty || len(a.devices) != before
	for i := range a.devices {
		if d := &a.devices[i]; modelFuture(d.used, now) {
			d.used, a.dirty = now, true
		}
	}
}

// holder returns the device of that token, or nil.
func (a *modelAccount) holder(token string, now time.Time) *modelDevice {
	for i := range a.devices {
		if d := &a.devices[i]; token != "" && d.token == token && now.Before(d.expires) {
			return d
		}
	}
	return nil
}

// A modelCookie is the token of a device, as the browser keeps it.
type modelCookie struct {
	user, text, id string
}

func (r *modelRun) receipt(u *modelUser) modelToken {
	own := slices.DeleteFunc(slices.Clone(r.receipts), func(t modelToken) bool { return t.user != u.name })
	if t, ok := modelPick(r, own); ok && !r.chance(10) {
		return t
	}
	if t, ok := modelPick(r, r.receipts); ok && r.chance(2) {
		return t
	}
	return modelToken{text: "bm8gcmVjZWlwdCBhdCBhbGw", user: "nobody"}
}

func (r *modelRun) trust(u *modelUser) { r.trustWith(u, r.receipt(u)) }

func (r *modelRun) trustWith(u *modelUser, t modelToken) {
	name := []string{"", "Firefox", strings.Repeat("n", 64), strings.Repeat("n", 65), "a\x00b"}[r.rng.IntN(5)*r.rng.IntN(2)]
	var got enrollment.TrustedDevice
	r.do(u, fmt.Sprintf("Trust %q by receipt %d", name, t.number), func(a *modelAccount, _ int) *modelNo {
		switch {
		case len(name) > 64 || strings.Contains(name, "\x00"):
			return modelForm(enrollment.ReasonInvalidName)
		case t.user != u.name:
			return modelForm(enrollment.ReasonProofInvalid)
		case !a.enrolled():
			return modelDeny(enrollment.ReasonNotEnrolled)
		case a.limits.devices == 0:
			return modelDeny(enrollment.ReasonTrustNotAllowed)
		case t.epoch != a.epoch:
			return modelDeny(enrollment.ReasonProofInvalid)
		case !modelFresh(t.issued, r.now(), 5*time.Minute):
			return modelDeny(enrollment.ReasonProofStale)
		case t.elsewhen:
			return modelDeny(enrollment.ReasonProofNotAllowed)
		}
		d := modelDevice{name: name, added: r.now(), expires: r.now().Add(a.limits.trust)}
		if name == "" {
			d.name = "Device"
		}
		a.devices = a.trusted(r.now())
		if len(a.devices) >= a.limits.devices {
			a.devices = a.devices[1:] // one for the one that comes, however many there are
		}
		a.devices = append(a.devices, d)
		a.record(r.now(), enrollment.Event{Kind: enrollment.EventDeviceTrusted, Factor: t.factor, Name: d.name})
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.Devices().Trust(ctx, u.name, enrollment.ReceiptOf(t.text), name)
		return err
	}, func(a *modelAccount) {
		d := &a.devices[len(a.devices)-1]
		d.id, d.token = got.Device.ID, got.Token.Reveal()
		if want := d.public(); got.Device != want || d.token == "" || got.Device.ID == "" {
			r.fatalf("Trust returned %+v, want %+v", got.Device, want)
		}
		r.cookies = append(r.cookies, modelCookie{u.name, d.token, got.Device.ID})
		u.secrets = append(u.secrets, d.token)
	})
}

func (d modelDevice) public() enrollment.Device {
	return enrollment.Device{ID: d.id, Name: d.name, Added: d.added, Expires: d.expires, Used: d.used}
}

func (r *modelRun) listDevices(u *modelUser) {
	list, err := r.guard.Devices().List(r.t.Context(), u.name)
	r.log = append(r.log, fmt.Sprintf("%3d %s ListDevices → %d, %v", len(r.log), u.name, len(list), err))
	var want []enrollment.Device
	for _, d := range u.view(r.now()).trusted(r.now()) {
		want = append(want, d.public())
	}
	if err != nil || !reflect.DeepEqual(list, want) {
		r.fatalf("the devices of %s: %+v, %v; want %+v", u.name, list, err, want)
	}
}

func (r *modelRun) revoke(u *modelUser) {
	id := []string{"00ff00ff00ff00ff", "nonsense"}[r.rng.IntN(2)]
	if d, ok := modelPick(r, u.account.devices); ok && !r.chance(5) {
		id = d.id
	} else if c, ok := modelPick(r, r.cookies); ok && r.chance(2) {
		id = c.id
	}
	r.do(u, "Revoke "+id, func(a *modelAccount, _ int) *modelNo {
		if id == "nonsense" {
			return modelForm(enrollment.ReasonUnknownDevice)
		}
		a.devices = a.trusted(r.now())
		i := slices.IndexFunc(a.devices, func(d modelDevice) bool { return d.id == id })
		if i < 0 {
			return modelDeny(enrollment.ReasonUnknownDevice)
		}
		a.record(r.now(), enrollment.Event{Kind: enrollment.EventDeviceRevoked, Name: a.devices[i].name})
		a.devices = slices.Delete(a.devices, i, i+1)
		return nil
	}, func(ctx context.Context) error { return r.guard.Devices().Revoke(ctx, u.name, id) }, nil)
}

func (r *modelRun) revokeAll(u *modelUser) {
	r.do(u, "RevokeAll", func(a *modelAccount, _ int) *modelNo {
		if a.devices = a.trusted(r.now()); len(a.devices) > 0 {
			a.devices = nil
			a.record(r.now(), enrollment.Event{Kind: enrollment.EventDeviceRevoked})
		}
		return nil
	}, func(ctx context.Context) error { return r.guard.Devices().RevokeAll(ctx, u.name) }, nil)
}

// device returns what a browser brings to a sign-in.
func (r *modelRun) device(u *modelUser) string {
	own := slices.DeleteFunc(slices.Clone(r.cookies), func(c modelCookie) bool { return c.user != u.name })
	switch n := r.rng.IntN(12); {
	case n < 6:
		if c, ok := modelPick(r, own); ok {
			return c.text
		}
	case n < 7: // of any user
		if c, ok := modelPick(r, r.cookies); ok {
			return c.text
		}
	case n < 8:
		return []string{"x", strings.Repeat("A", 43), strings.Repeat("A", 1<<16)}[r.rng.IntN(3)]
	}
	return ""
}

// roam trusts the device of a user who has just answered, and comes back with
// it.
func (r *modelRun) roam(u *modelUser) {
	for range 1 + r.rng.IntN(7) {
		x, ok := modelPick(r, u.account.apps)
		if !ok {
			return
		}
		before := len(r.receipts)
		r.verify(u, modelNext(x, r.now()))
		if len(r.receipts) == before {
			return
		}
		r.trustWith(u, r.receipts[before])
		r.real = r.real.Add(time.Duration(30+r.rng.IntN(60)) * time.Second)
		if own := u.account.devices; len(own) > 0 && r.chance(2) {
			r.signInWith(u, enrollment.SignInOptions{Device: enrollment.DeviceTokenOf(own[r.rng.IntN(len(own))].token)})
		}
	}
	r.listDevices(u)
	for range r.rng.IntN(5) {
		r.rename(u)
		r.renameDevice(u)
	}
	switch r.rng.IntN(5) {
	case 0:
		r.real = r.real.Add(30*modelDay - time.Duration(r.rng.IntN(300))*time.Second)
	case 1:
		r.revokeAll(u)
	case 2:
		r.revoke(u)
	case 3:
		r.remove(u)
	}
	for _, d := range u.account.devices {
		r.signInWith(u, enrollment.SignInOptions{Device: enrollment.DeviceTokenOf(d.token)})
	}
}
