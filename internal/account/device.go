package account

import (
	"crypto/subtle"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// A DeviceID names a trusted device within its account.
type DeviceID [8]byte

// A DeviceHash stands for the token that a trusted device keeps.
type DeviceHash [32]byte

// A Device is a browser or an installation that signs in without a code. It
// lasts as long as the epoch, and no longer than its time.
type Device struct {
	ID      DeviceID
	Hash    DeviceHash
	Name    string
	Added   time.Time
	Expires time.Time
	Used    time.Time // when it last signed in; zero if never

	unknown []field
}

func (d Device) expired(now time.Time) bool { return !now.Before(d.Expires) }

// Devices returns copies of the trusted devices, oldest first.
func (a *Account) Devices(now time.Time) ([]Device, error) {
	devices, err := a.devices.get(decodeDevices)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(*devices), func(d Device) bool { return d.expired(now) }), nil
}

// Trust adds a device on which the user has just answered. The oldest makes room
// if there are as many as there may be. If there are more, since the limit was
// higher, the others stay: trust ends at the time that it was given for.
func (a *Account) Trust(m Moment, d Device, r Receipt) (Device, error) {
	if !a.enrolled() {
		return Device{}, refuse(NotEnrolled)
	}
	if m.Limits.Devices == 0 {
		return Device{}, refuse(TrustNotAllowed)
	}
	if err := a.CheckReceipt(r, m.typed(), ReceiptTTL); err != nil {
		return Device{}, err
	}
	if r.Factor == ElsewhenTOTP {
		return Device{}, refuse(ProofNotAllowed)
	}
	devices, err := a.tidyDevices(m.Now)
	if err != nil {
		return Device{}, err
	}
	if len(*devices) >= m.Limits.Devices {
		*devices = slices.Delete(*devices, 0, 1)
	}
	d.Added, d.Expires = m.Now, m.Now.Add(m.Limits.DeviceTTL)
	*devices = append(*devices, d)
	a.devices.touch()
	return d, a.record(m, Event{Kind: EventDeviceTrusted, Factor: r.Factor, Name: d.Name})
}

// Revoke ends the trust in one device.
func (a *Account) Revoke(m Moment, id DeviceID) error {
	devices, err := a.tidyDevices(m.Now)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(*devices, func(d Device) bool { return d.ID == id })
	if i < 0 {
		return refuse(UnknownDevice)
	}
	name := (*devices)[i].Name
	*devices = slices.Delete(*devices, i, i+1)
	a.devices.touch()
	return a.record(m, Event{Kind: EventDeviceRevoked, Name: name})
}

// RevokeAll ends the trust in every device. It changes nothing if there is
// none.
func (a *Account) RevokeAll(m Moment) error {
	devices, err := a.tidyDevices(m.Now)
	if err != nil || len(*devices) == 0 {
		return err
	}
	a.devices.set(nil)
	return a.record(m, Event{Kind: EventDeviceRevoked})
}

// forgetDevices ends the trust in every device, because a factor has changed. If one
// was still trusted, the next event that is recorded is followed by one of that.
func (a *Account) forgetDevices(now time.Time) {
	devices, err := a.Devices(now)
	a.forgotten = a.forgotten || err == nil && len(devices) > 0
	a.devices.set(nil)
}

// tidyDevices returns the devices that have not expired. What has expired is
// deleted with the next write.
func (a *Account) tidyDevices(now time.Time) (*[]Device, error) {
	devices, err := a.devices.get(decodeDevices)
	if err != nil {
		return nil, err
	}
	before := len(*devices)
	*devices = slices.DeleteFunc(*devices, func(d Device) bool { return d.expired(now) })
	if len(*devices) != before {
		a.devices.touch()
	}
	return devices, nil
}

// clampDevices drops what was trusted while a clock was broken and ran ahead: it
// would be trusted for longer than its time. Losing it costs the user a code.
func (a *Account) clampDevices(now time.Time) (changed bool) {
	if !a.devices.known && len(a.devices.raw) == 0 {
		return false
	}
	devices, err := a.devices.get(decodeDevices)
	if err != nil {
		return false // an operation that needs them returns the error
	}
	before := len(*devices)
	*devices = slices.DeleteFunc(*devices, func(d Device) bool {
		_, broken := clampFuture(d.Added, now)
		return broken
	})
	changed = len(*devices) != before
	for i := range *devices {
		d := &(*devices)[i]
		if used, broken := clampFuture(d.Used, now); broken {
			d.Used, changed = used, true
		}
	}
	if changed {
		a.devices.touch()
	}
	return changed
}

// findDevice returns the device that the hash belongs to, or nil.
func (a *Account) findDevice(hash DeviceHash, now time.Time) (*Device, error) {
	devices, err := a.devices.get(decodeDevices)
	if err != nil {
		return nil, err
	}
	var found *Device
	for i := range *devices {
		d := &(*devices)[i]
		same := subtle.ConstantTimeCompare(d.Hash[:], hash[:]) == 1
		if same && !d.expired(now) {
			found = d
		}
	}
	return found, nil
}

// Fields of a trusted device.
const (
	tagDeviceID      = 1
	tagDeviceHash    = 2
	tagDeviceName    = 3
	tagDeviceAdded   = 4
	tagDeviceExpires = 5
	tagDeviceUsed    = 6
)

func appendDevice(b []byte, d *Device) ([]byte, error) {
	w := fieldWriter{b: b, unknown: d.unknown}
	w.putBytes(tagDeviceID, d.ID[:])
	w.putBytes(tagDeviceHash, d.Hash[:])
	w.putBytes(tagDeviceName, []byte(d.Name))
	w.putTime(tagDeviceAdded, d.Added)
	w.putTime(tagDeviceExpires, d.Expires)
	if !d.Used.IsZero() {
		w.putTime(tagDeviceUsed, d.Used)
	}
	return w.finish()
}

func readDevice(in cryptobyte.String) (d Device, err error) {
	d.unknown, err = readFields(in, func(tag uint8, v cryptobyte.String) (bool, error) {
		var err error
		switch tag {
		case tagDeviceID:
			err = readArray(v, d.ID[:])
		case tagDeviceHash:
			err = readArray(v, d.Hash[:])
		case tagDeviceName:
			d.Name = string(v)
		case tagDeviceAdded:
			err = readTime(v, &d.Added)
		case tagDeviceExpires:
			err = readTime(v, &d.Expires)
		case tagDeviceUsed:
			err = readTime(v, &d.Used)
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && (d.ID == DeviceID{} || d.Hash == DeviceHash{} || d.Expires.IsZero()) {
		err = ErrDamaged
	}
	return d, err
}

func decodeDevices(b []byte) ([]Device, error) { return readList(b, MaxDevices, readDevice) }
