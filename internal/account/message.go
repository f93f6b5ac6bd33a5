package account

import (
	"crypto/sha256"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// A DeliveryID names a message.
type DeliveryID [16]byte

// A Delivery is a code on its way.
type Delivery struct {
	ID      DeliveryID
	Digest  [32]byte
	Sent    time.Time
	Expires time.Time
	Failed  int     // wrong codes since
	Binds   Address // the address that the code is to prove; zero at a sign-in
	Purpose string  // what it was asked for at a sign-in; "" if that is not known

	unknown []field
}

// NewDelivery returns a message with that code, as the account keeps it.
func NewDelivery(id DeliveryID, digits string, now time.Time) Delivery {
	return Delivery{ID: id, Digest: deliveredDigest(id, digits), Sent: now, Expires: now.Add(DeliveryTTL)}
}

// deliveredDigest keeps a code that is worth little out of plain sight. What
// protects it is the seal.
func deliveredDigest(id DeliveryID, digits string) [32]byte {
	return sha256.Sum256(append([]byte("twofactor delivered v1\x00"+string(id[:])), digits...))
}

func (d *Delivery) binds() bool { return d.Binds.Channel != "" }

// answers reports whether the code was asked for at a sign-in for that purpose.
func (d *Delivery) answers(purpose string) bool {
	return !d.binds() && d.Purpose != "" && d.Purpose == purpose
}

// live reports whether the code is still good. One that was sent in the future,
// by more than the clocks of nodes are apart, was sent before the clock went
// back, and is refused rather than allowed a longer life.
func (d *Delivery) live(now time.Time) bool {
	return now.Before(d.Expires) && d.Sent.Sub(now) <= floorTolerance
}

// Fields of a message.
const (
	tagDeliveryID = 1
	tagDigest     = 2
	tagSent       = 3
	tagGone       = 4
	tagFailed     = 5
	tagBinds      = 6
	tagPurpose    = 7
)

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
	if d.Purpose != "" {
		w.putBytes(tagPurpose, []byte(d.Purpose))
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
		case tagPurpose:
			d.Purpose = string(v)
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
