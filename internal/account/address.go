package account

import (
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// An Address is where codes are delivered to, and over which channel. What an address
// looks like is the application's affair.
type Address struct {
	Channel, To string
	Added       time.Time // when it was proven
	Used        time.Time // when a code that was sent there was last right

	unknown []field
}

// Address returns where codes are delivered to; the zero Address if nowhere.
func (a *Account) Address() Address { return a.delivery.address }

// Bind counts a message to an address that its code is to prove. Alone says that
// an address may be all that an account has. It takes a proof.
func (a *Account) Bind(m Moment, x Delivery, to Address, alone bool, ticket TicketHash, p Proof) error {
	if !a.enrolled() && !alone {
		return refuse(NoAuthenticator)
	}
	if err := a.checkTicket(ticket); err != nil {
		return err
	}
	if err := a.mayMessage(m); err != nil {
		return err
	}
	if err := a.proveAdding(m, p, toAdd); err != nil {
		return err
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
	case a.setUp.is(SetupID(g.Delivery)):
		return Confirmation{}, refuse(AlreadyConfirmed)
	case w == nil || !w.binds():
		return Confirmation{}, refuse(NoSetup)
	case w.ID != g.Delivery:
		return Confirmation{}, refuse(SetupSuperseded)
	case !w.live(m.typed()):
		return Confirmation{}, refuse(SetupExpired)
	case !a.enrolled() && !alone:
		return Confirmation{}, refuse(NoAuthenticator)
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
	to, expires := w.Binds, w.Expires
	if err := a.takeDelivered(m, g); err != nil {
		return Confirmation{}, about(Delivered, err)
	}
	if needsCodes && m.Prepared.Set == nil {
		return Confirmation{}, a.ask(Need{Kind: NeedSet})
	}
	to.Added, to.Used = m.Now, m.Now
	a.delivery.address = to
	return a.confirmed(m, Event{Kind: kind, Factor: Delivered, Name: to.Channel}, AuthenticatorID{}, needsCodes, SetupID(g.Delivery), expires)
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

// Fields of an address.
const (
	tagChannel      = 1
	tagTo           = 2
	tagAddressAdded = 3
	tagAddressUsed  = 4
)

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
