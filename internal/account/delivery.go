package account

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"time"
)

// Limits of delivered codes.
const (
	MaxChannel    = 32  // bytes of a channel's name
	MaxAddress    = 254 // bytes of an address
	DeliveryTTL   = 10 * time.Minute
	MessagePause  = time.Minute // between two messages
	MessageWindow = 24 * time.Hour
	MaxMessages   = 5 // in a window
	MaxTries      = 5 // of one code

	// DeliveredDigits is the length of a delivered code, the least that NIST
	// SP 800-63B-4, section 3.1.3.2, allows.
	DeliveredDigits = 6
)

// An Address is where codes are delivered to, and over which channel. What an
// address looks like is the host's affair.
type Address struct {
	Channel, To string
	Added       time.Time // when it was proven
	Used        time.Time // when a code that was sent there was last right

	unknown []field
}

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

// live reports whether the code is still good. One that was sent in the future,
// by more than the clocks of nodes are apart, was sent before the clock went
// back, and is refused rather than allowed a longer life.
func (d *Delivery) live(now time.Time) bool {
	return now.Before(d.Expires) && d.Sent.Sub(now) <= floorTolerance
}

// delivery is what an account holds of delivered codes. Only address and waiting
// go with a change of factor: whoever switches everything off and on again, or
// binds another address, is held back as before.
type delivery struct {
	address  Address
	throttle Throttle
	waiting  *Delivery // the last message, be it for a sign-in or for an address
	last     time.Time // when it was sent
	since    time.Time // when the first of the window was
	sent     int       // how many in the window

	unknown []field
}

func (d *delivery) bound() bool { return d.address.Channel != "" }

func (d *delivery) isZero() bool {
	return !d.bound() && d.throttle == Throttle{} && d.waiting == nil && d.sent == 0 && len(d.unknown) == 0
}

// Address returns where codes are delivered to; the zero Address if nowhere.
func (a *Account) Address() Address { return a.delivery.address }

// blocked holds back messages: they cost money, and their addressee sleep.
func (d *delivery) blocked(now time.Time) error {
	var until time.Time
	if !d.last.IsZero() {
		until = d.last.Add(MessagePause)
	}
	if d.sent >= MaxMessages {
		until = later(until, d.since.Add(MessageWindow))
	}
	if now.Before(until) {
		return &Refusal{Reason: TooManyMessages, RetryAt: until}
	}
	return nil
}

// send counts a message and puts its code in the place of an earlier one.
func (a *Account) send(m Moment, x Delivery) error {
	if err := a.mayMessage(m.Now); err != nil {
		return err
	}
	d := &a.delivery
	if d.sent == 0 || !m.Now.Before(d.since.Add(MessageWindow)) {
		d.since, d.sent = later(d.since, m.Now), 0
	}
	d.sent++
	d.last = later(d.last, m.Now)
	d.waiting = &x
	a.changed = true
	return nil
}

// mayMessage reports whether a message may be sent now.
func (a *Account) mayMessage(now time.Time) error {
	err := a.delivery.throttle.blocked(totpPolicy, now)
	if err == nil {
		err = a.delivery.blocked(now)
	}
	return about(Delivered, err)
}

// delivers reports whether codes can be delivered to a user whose first factor
// came over that channel, "" if that is not known. Case makes no other channel.
func (a *Account) delivers(first string) bool {
	return a.delivery.bound() && !strings.EqualFold(first, a.delivery.address.Channel)
}

// Send counts a message to the account's address at a sign-in. The first factor
// must not have come over the same channel: then one thief would have both.
func (a *Account) Send(m Moment, x Delivery, first string) (Address, error) {
	switch {
	case !a.enrolled():
		return Address{}, refuse(NotEnrolled)
	case !a.delivery.bound():
		return Address{}, refuse(NoAddress)
	case !a.delivers(first):
		return Address{}, refuse(SameChannel)
	}
	return a.delivery.address, a.send(m, x)
}

// Bind counts a message to an address that its code is to prove. Alone says that
// an address may be all that an account has. Where two-factor authentication is
// on, it takes a proof.
func (a *Account) Bind(m Moment, x Delivery, to Address, alone bool, ticket TicketHash, p Proof) error {
	if !a.enrolled() && !alone {
		return refuse(NotEnrolled)
	}
	if err := a.checkTicket(ticket); err != nil {
		return err
	}
	if err := a.mayMessage(m.Now); err != nil {
		return err
	}
	if a.enrolled() {
		if _, err := a.prove(m, p, toAdd); err != nil {
			return err
		}
	}
	x.Binds = to
	return a.send(m, x)
}

// ConfirmAddress takes the address over if the code is right. Like Confirm it
// makes recovery codes where the account has none. What was proven at Bind is
// not asked for again: every change of factor in between drops what waits.
func (a *Account) ConfirmAddress(m Moment, g Guess, alone bool) (Confirmation, error) {
	w, kind := a.delivery.waiting, EventAddressBound
	if !a.enrolled() {
		kind = EventEnabled
	}
	switch {
	case w == nil || !w.binds():
		return Confirmation{}, refuse(NoSetup)
	case w.ID != g.Delivery:
		return Confirmation{}, refuse(SetupSuperseded)
	case !w.live(m.typed()):
		return Confirmation{}, refuse(SetupExpired)
	case !a.enrolled() && !alone:
		return Confirmation{}, refuse(NotEnrolled)
	case !a.takes(Delivered, len(g.Digits)):
		return Confirmation{}, refuse(MalformedCode)
	}
	if err := a.delivery.throttle.blocked(totpPolicy, m.Now); err != nil {
		return Confirmation{}, about(Delivered, err)
	}
	needsCodes, err := a.needsCodes(m)
	if err != nil {
		return Confirmation{}, err
	}
	to := w.Binds
	if err := a.takeDelivered(m, g); err != nil {
		return Confirmation{}, about(Delivered, err)
	}
	if needsCodes && m.Prepared.Set == nil {
		return Confirmation{}, a.ask(Need{Kind: NeedSet})
	}
	to.Added, to.Used = m.Now, m.Now
	a.delivery.address = to
	return a.confirmed(m, Event{Kind: kind, Factor: Delivered, Name: to.Channel}, AuthenticatorID{}, needsCodes)
}

// Unbind takes the address away. What holds back guessing and messages stays, so
// that binding again is no way around it. What is all that an account has is not
// removed but disabled.
func (a *Account) Unbind(m Moment, p Proof) error {
	switch {
	case !a.enrolled():
		return refuse(NotEnrolled)
	case !a.delivery.bound():
		return refuse(NoAddress)
	case len(a.authenticators) == 0:
		return refuse(LastAuthenticator)
	}
	by, err := a.prove(m, p, toRemove)
	if err != nil {
		return err
	}
	name := a.delivery.address.Channel
	a.delivery.address = Address{}
	a.bypass = Bypass{}
	a.rotateEpoch(m)
	return a.record(m, Event{Kind: EventAddressRemoved, Factor: by.factor, Method: by.method, Name: name})
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

// takeDelivered holds a code against the message that waits. The caller has seen
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

func (d *delivery) rebase(now time.Time) (changed bool) {
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
