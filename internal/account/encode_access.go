package account

import (
	"time"

	"golang.org/x/crypto/cryptobyte"
)

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

func appendBypass(b []byte, x Bypass) ([]byte, error) {
	return appendInt(appendInt(b, micros(x.From)), micros(x.Until)), nil
}

func readBypass(in cryptobyte.String) (Bypass, error) {
	var from, until int64
	if !readInt(&in, &from) || !readInt(&in, &until) || !in.Empty() {
		return Bypass{}, ErrDamaged
	}
	return Bypass{From: fromMicros(from), Until: fromMicros(until)}, nil
}

// Flags of a request for a reset.
const (
	resetOpen = 1 << iota
	resetAuto
	resetTold
)

func appendReset(b []byte, r ResetRequest) ([]byte, error) {
	for _, t := range []time.Time{r.Asked, r.Matures, r.Next} {
		b = appendInt(b, micros(t))
	}
	var flags byte
	if r.Open {
		flags |= resetOpen
	}
	if r.Auto {
		flags |= resetAuto
	}
	if r.Told {
		flags |= resetTold
	}
	return append(b, flags), nil
}

func readReset(in cryptobyte.String) (ResetRequest, error) {
	var asked, matures, next int64
	var flags uint8
	if !readInt(&in, &asked) || !readInt(&in, &matures) || !readInt(&in, &next) || !in.ReadUint8(&flags) || !in.Empty() {
		return ResetRequest{}, ErrDamaged
	}
	r := ResetRequest{
		Asked:   fromMicros(asked),
		Matures: fromMicros(matures),
		Next:    fromMicros(next),
		Open:    flags&resetOpen != 0,
		Auto:    flags&resetAuto != 0,
		Told:    flags&resetTold != 0,
	}
	known := flags&^(resetOpen|resetAuto|resetTold) == 0
	if !known || r.Asked.IsZero() || r.Open && (r.Matures.IsZero() || r.Next.IsZero()) {
		return ResetRequest{}, ErrDamaged
	}
	return r, nil
}

func appendImported(b []byte, c *ImportedCode) ([]byte, error) {
	b = appendInt(append(b, byte(c.Scheme)), micros(c.Used))
	return append(b, c.Hash...), nil
}

func decodeImported(b []byte) ([]ImportedCode, error) {
	codes, err := readList(b, MaxImported, func(in cryptobyte.String) (c ImportedCode, err error) {
		var used int64
		if !in.ReadUint8((*uint8)(&c.Scheme)) || !readInt(&in, &used) {
			return c, ErrDamaged
		}
		c.Used, c.Hash = fromMicros(used), in
		return c, nil
	})
	if err == nil && CheckImported(codes) != nil {
		err = ErrDamaged
	}
	return codes, err
}
