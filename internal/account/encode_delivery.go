package account

import (
	"golang.org/x/crypto/cryptobyte"
)

// Fields of what an account holds of delivered codes, of an address and of a
// message.
const (
	tagAddress          = 1
	tagDeliveryThrottle = 2
	tagWaiting          = 3
	tagMessages         = 4

	tagChannel      = 1
	tagTo           = 2
	tagAddressAdded = 3
	tagAddressUsed  = 4

	tagDeliveryID = 1
	tagDigest     = 2
	tagSent       = 3
	tagGone       = 4
	tagFailed     = 5
	tagBinds      = 6
)

func (d *delivery) append(b []byte) ([]byte, error) {
	w := fieldWriter{b: b, unknown: d.unknown}
	if d.bound() {
		w.put(tagAddress, d.address.append)
	}
	putThrottle(&w, tagDeliveryThrottle, d.throttle)
	if d.waiting != nil {
		w.put(tagWaiting, d.waiting.append)
	}
	if d.sent > 0 {
		w.put(tagMessages, func(b []byte) ([]byte, error) {
			b = appendInt(appendInt(b, micros(d.last)), micros(d.since))
			return append(b, byte(d.sent)), nil
		})
	}
	return w.finish()
}

func readDelivery(in cryptobyte.String) (d delivery, err error) {
	d.unknown, err = readFields(in, func(tag uint8, v cryptobyte.String) (bool, error) {
		var err error
		switch tag {
		case tagAddress:
			d.address, err = readAddress(v)
		case tagDeliveryThrottle:
			d.throttle, err = readThrottle(v)
		case tagWaiting:
			d.waiting, err = readWaiting(v)
		case tagMessages:
			var last, since int64
			var sent uint8
			if !readInt(&v, &last) || !readInt(&v, &since) || !v.ReadUint8(&sent) || !v.Empty() || sent == 0 {
				return false, ErrDamaged
			}
			d.last, d.since, d.sent = fromMicros(last), fromMicros(since), int(sent)
		default:
			return false, nil
		}
		return true, err
	})
	return d, err
}

func (x Address) append(b []byte) ([]byte, error) {
	w := fieldWriter{b: b, unknown: x.unknown}
	w.putBytes(tagChannel, []byte(x.Channel))
	w.putBytes(tagTo, []byte(x.To))
	if !x.Added.IsZero() {
		w.putTime(tagAddressAdded, x.Added)
	}
	if !x.Used.IsZero() {
		w.putTime(tagAddressUsed, x.Used)
	}
	return w.finish()
}

func readAddress(in cryptobyte.String) (x Address, err error) {
	x.unknown, err = readFields(in, func(tag uint8, v cryptobyte.String) (bool, error) {
		var err error
		switch tag {
		case tagChannel:
			x.Channel = string(v)
		case tagTo:
			x.To = string(v)
		case tagAddressAdded:
			err = readTime(v, &x.Added)
		case tagAddressUsed:
			err = readTime(v, &x.Used)
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && (x.Channel == "" || x.To == "") {
		err = ErrDamaged
	}
	return x, err
}

func (d *Delivery) append(b []byte) ([]byte, error) {
	w := fieldWriter{b: b, unknown: d.unknown}
	w.putBytes(tagDeliveryID, d.ID[:])
	w.putBytes(tagDigest, d.Digest[:])
	w.putTime(tagSent, d.Sent)
	w.putTime(tagGone, d.Expires)
	if d.Failed > 0 {
		w.putBytes(tagFailed, []byte{byte(d.Failed)})
	}
	if d.binds() {
		w.put(tagBinds, d.Binds.append)
	}
	return w.finish()
}

func readWaiting(in cryptobyte.String) (*Delivery, error) {
	d := new(Delivery)
	var failed uint8
	var err error
	d.unknown, err = readFields(in, func(tag uint8, v cryptobyte.String) (bool, error) {
		var err error
		switch tag {
		case tagDeliveryID:
			err = readArray(v, d.ID[:])
		case tagDigest:
			err = readArray(v, d.Digest[:])
		case tagSent:
			err = readTime(v, &d.Sent)
		case tagGone:
			err = readTime(v, &d.Expires)
		case tagFailed:
			err = readByte(v, &failed)
		case tagBinds:
			d.Binds, err = readAddress(v)
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && (d.ID == DeliveryID{} || d.Expires.IsZero() || failed >= MaxTries) {
		err = ErrDamaged
	}
	d.Failed = int(failed)
	return d, err
}
