package account

import (
	"crypto/subtle"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// Limits of delivered codes.
const (
	MaxChannel    = 32  // bytes of a channel's name
	MaxAddress    = 254 // bytes of an address
	DeliveryTTL   = 10 * time.Minute
	MessagePause  = time.Minute // between two messages
	MessageWindow = 24 * time.Hour
	MaxTries      = 5 // of one code

	// DeliveredDigits is the length of a delivered code, the least that NIST
	// SP 800-63B-4, section 3.1.3.2, allows.
	DeliveredDigits = 6
)

// delivery is what an account holds of delivered codes. Only address and waiting
// are dropped on a change of factor. The limits stay, so that switching everything
// off and on again, or binding another address, does not reset them.
type delivery struct {
	address  Address
	throttle Throttle
	waiting  *Delivery // the last message, be it for a sign-in or for an address
	last     time.Time // when it was sent
	since    time.Time // when the first of the window was
	sent     int       // how many in the window
	refused  int       // how many of those the gateway has refused for certain

	unknown []field
}

func (d *delivery) bound() bool { return d.address.Channel != "" }

func (d *delivery) isZero() bool {
	return !d.bound() && d.throttle == Throttle{} && d.waiting == nil && d.sent == 0 && len(d.unknown) == 0
}

// blocked limits the rate of messages: they cost money and disturb users.
func (d *delivery) blocked(m Moment) error {
	var until time.Time
	reason := TooSoon
	if !d.last.IsZero() {
		until = d.last.Add(MessagePause)
	}
	if d.sent-d.refused >= m.Limits.Messages {
		if day := d.since.Add(MessageWindow); day.After(until) {
			until, reason = day, TooManyMessages
		}
	}
	if m.Now.Before(until) {
		return &Refusal{Reason: reason, RetryAt: until}
	}
	return nil
}

// Refused takes a message back that the gateway has refused for certain: nobody has
// its code, and it is not one of the day's. The pause stays. No more messages are
// taken back in a window than may be sent in it: a gateway that always refuses is not
// asked for ever. So does a message stay counted that another one has followed, or
// that went with a change of factor.
func (a *Account) Refused(m Moment, id DeliveryID) error {
	d := &a.delivery
	if d.waiting == nil || d.waiting.ID != id {
		return nil
	}
	d.waiting = nil
	if d.refused < m.Limits.Messages {
		d.refused++
	}
	a.changed = true
	return nil
}

// send counts a message and puts its code in the place of an earlier one.
func (a *Account) send(m Moment, x Delivery) error {
	if err := a.mayMessage(m); err != nil {
		return err
	}
	d := &a.delivery
	if d.sent == 0 || !m.Now.Before(d.since.Add(MessageWindow)) {
		d.since, d.sent, d.refused = later(d.since, m.Now), 0, 0
	}
	d.sent++
	d.last = later(d.last, m.Now)
	d.waiting = &x
	a.changed = true
	return nil
}

// mayMessage reports whether a message may be sent now.
func (a *Account) mayMessage(m Moment) error {
	err := a.delivery.throttle.blocked(totpPolicy, m.Now)
	if err == nil {
		err = a.delivery.blocked(m)
	}
	return about(Delivered, err)
}

// delivers reports whether codes can be delivered to a user whose first factor
// came over that channel, "" if that is not known. Case makes no other channel.
func (a *Account) delivers(first string) bool {
	return a.delivery.bound() && !strings.EqualFold(first, a.delivery.address.Channel)
}

// Send counts a message to the account's address at a sign-in, and returns it. The
// first factor must not have come over the same channel: then one thief would have
// both.
//
// While no message may be sent, it returns the pending one instead, and changes
// nothing: the code in hand answers that sign-in as well, under the same tries. Not
// so if the challenge is that of the pending one already, which asks for another,
// nor for another purpose: the person who got the code was told what it is for.
func (a *Account) Send(m Moment, x Delivery, c Challenge, first string) (Delivery, error) {
	switch {
	case !a.enrolled():
		return Delivery{}, refuse(NotEnrolled)
	case !a.delivery.bound():
		return Delivery{}, refuse(NoAddress)
	case !a.delivers(first):
		return Delivery{}, refuse(SameChannel)
	}
	err := a.send(m, x)
	if r := refusalIn(err); r != nil && (r.Reason == TooSoon || r.Reason == TooManyMessages) {
		if w := a.delivery.waiting; w != nil && w.answers(x.Purpose) && w.live(m.Now) && w.ID != c.Delivery {
			return *w, nil
		}
	}
	return x, err
}

// checkDelivered evaluates a code that was sent at a sign-in. It is held against
// that message alone, never against an app: a guess is evaluated once.
func (a *Account) checkDelivered(m Moment, g Guess) (Match, error) {
	d := &a.delivery
	if err := d.throttle.blocked(totpPolicy, m.Now); err != nil {
		return Match{}, err // also where the message was guessed at too often
	}
	w := d.waiting
	switch {
	case !d.bound() || w == nil || w.binds() || w.ID != g.Delivery:
		return Match{}, refuse(ChallengeVoid)
	case !w.live(m.typed()):
		return Match{}, refuse(ChallengeExpired)
	}
	if err := a.takeDelivered(m, g); err != nil {
		return Match{}, err
	}
	d.address.Used = m.Now
	return Match{Factor: Delivered}, nil
}

// takeDelivered holds a code against the pending message. The caller has seen
// that it is the right one, and that nothing holds guessing back. A right code is
// gone with it, and so is one that was guessed at too often.
func (a *Account) takeDelivered(m Moment, g Guess) error {
	d := &a.delivery
	got := deliveredDigest(d.waiting.ID, g.Digits)
	if subtle.ConstantTimeCompare(got[:], d.waiting.Digest[:]) == 1 {
		d.waiting = nil
		d.throttle.succeed()
		a.changed = true
		return nil
	}
	if d.waiting.Failed++; d.waiting.Failed >= MaxTries {
		d.waiting = nil
	}
	return a.fail(m, &d.throttle, totpPolicy, Delivered, 1)
}

func (d *delivery) tidy(now time.Time) {
	if d.waiting != nil && !now.Before(d.waiting.Expires) {
		d.waiting = nil
	}
}

func (d *delivery) clampFuture(now time.Time) (changed bool) {
	changed = d.throttle.clampFuture(now)
	for _, t := range []*time.Time{&d.last, &d.since, &d.address.Used} {
		at, broken := clampFuture(*t, now)
		*t = at
		changed = changed || broken
	}
	if d.waiting != nil {
		if _, broken := clampFuture(d.waiting.Sent, now); broken {
			d.waiting, changed = nil, true
		}
	}
	return changed
}

// Fields of what an account holds of delivered codes.
const (
	tagAddress          = 1
	tagDeliveryThrottle = 2
	tagWaiting          = 3
	tagMessages         = 4
	tagRefused          = 5
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
	if d.sent > 0 && d.refused > 0 {
		w.put(tagRefused, func(b []byte) ([]byte, error) {
			return append(appendInt(b, micros(d.since)), byte(d.refused)), nil
		})
	}
	return w.finish()
}

func readDelivery(in cryptobyte.String) (d delivery, err error) {
	var refusedSince time.Time
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
		case tagRefused:
			var since int64
			var refused uint8
			if !readInt(&v, &since) || !v.ReadUint8(&refused) || !v.Empty() || refused == 0 {
				return false, ErrDamaged
			}
			refusedSince, d.refused = fromMicros(since), int(refused)
		default:
			return false, nil
		}
		return true, err
	})
	if !refusedSince.Equal(d.since) || d.refused > d.sent {
		d.refused = 0 // of a window that a node which does not know the field has ended
	}
	return d, err
}
