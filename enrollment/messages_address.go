package enrollment

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// An Address is where codes are delivered to. It shows only a part of it.
type Address struct {
	// Channel is the application's name for the channel, for example "sms".
	Channel string `json:"channel"`

	// Hint is a part of the address by which its owner recognises it, for example
	// "…42" or "a…@example.com". A hint is never the whole address, and a short
	// address has a shorter hint.
	Hint string `json:"hint"`

	// Added is when the user proved it with a code that was sent there.
	Added time.Time `json:"added"`

	// Used is when a code that was sent there was last right, or the zero time.
	Used time.Time `json:"used,omitzero"`
}

// BindOptions are what [Messages.Bind] needs beyond the user.
type BindOptions struct {
	// Channel is the application's name for how the code travels, for example "sms" or
	// "email": 1 to [MaxChannel] printable bytes. SignInOptions.Channel is compared with
	// it, whatever the case of the letters.
	Channel string

	// To is the address: 1 to [MaxAddress] printable bytes. The application validates and
	// normalises it, for example as E.164 for phone numbers.
	To string

	// Ticket is what an administrator gave the user; see [ResetOptions]. Defaults
	// to none.
	Ticket Ticket

	// Proof authorises the change, like BeginOptions.Proof.
	Proof Proof
}

// A Binding is the result of [Messages.Bind].
type Binding struct {
	// Token identifies the address whose code is pending; see Confirm.
	Token SetupToken `json:"token,omitzero"`

	// Expires is when the code expires.
	Expires time.Time `json:"expires"`
}

// Bind sends a code to an address. Confirm with that code makes it the address of
// the account; an earlier address stays until then. A later message to any address
// voids the code, and so does every change of factor. A proof by code is used up
// even if the message can't be sent. The next message, also one for a sign-in, can
// be sent after [MessagePause].
//
// It returns a [Denied] of reason ReasonNoAuthenticator, ReasonTooSoon,
// ReasonTooManyMessages, ReasonTicketRequired or ReasonTicketInvalid, one that matches
// [ErrLocked] or [ErrProof], or an error that matches [ErrNotSent].
func (x Messages) Bind(ctx context.Context, userID string, o BindOptions) (_ Binding, err error) {
	if err := x.guard.check(); err != nil {
		return Binding{}, err
	}
	e := edit{guard: x.guard, op: opBind, user: userID}
	defer e.conclude(ctx, &err)
	g := x.guard
	switch {
	case g.config.Sender == nil:
		return Binding{}, errNoSender
	case len(o.Channel) == 0 || len(o.Channel) > MaxChannel || !typed.Printable(o.Channel):
		return Binding{}, fmt.Errorf("enrollment: BindOptions.Channel is not 1 to %d printable bytes", MaxChannel)
	case len(o.To) == 0 || len(o.To) > MaxAddress || !typed.Printable(o.To):
		return Binding{}, fmt.Errorf("enrollment: BindOptions.To is not 1 to %d printable bytes", MaxAddress)
	}
	ticket := g.ticketHash(userID, o.Ticket)
	proof, err := e.readProof(ctx, o.Proof)
	if err != nil {
		return Binding{}, err
	}
	fresh, err := g.newMessage()
	if err != nil {
		return Binding{}, err
	}
	from, err := g.newSeed()
	if err != nil {
		return Binding{}, err
	}
	done, err := issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[Binding], error) {
		d := account.NewDelivery(fresh.id, fresh.digits, m.Now)
		return func(ctx context.Context) (Binding, error) {
			token, err := g.sealSetup(ctx, labelAddress, setupToken{
				id: account.SetupID(d.ID), expires: d.Expires, user: userID, seed: from, mandate: e.mandate,
			})
			return Binding{Token: token, Expires: d.Expires}, err
		}, a.Bind(m, d, account.Address{Channel: o.Channel, To: o.To}, g.config.AddressAlone, ticket, proof)
	})
	if err != nil {
		return Binding{}, err
	}
	err = x.send(ctx, fresh, Message{
		UserID: userID, Purpose: PurposeSetup, Channel: o.Channel, To: o.To, Expires: done.Expires,
	})
	if err != nil {
		return Binding{}, err
	}
	return done, nil
}

// Confirm makes the address that of the account, if the code is the one that was
// sent there. It switches two-factor authentication on if it was off, and makes
// recovery codes if [Guard.Confirm] would. The event is [EventEnabled] or
// [EventAddressBound]. The same request again is denied as ReasonAlreadyConfirmed:
// show the codes with [Guard.SetupCodes] then.
//
// It returns a [Denied] that matches [ErrSetup], [ErrWrongCode] or [ErrLocked], or one
// of reason ReasonNoAuthenticator or ReasonTooManyCodeSets. ReasonNoSetup also says
// that a code has been sent for a sign-in since, or that five codes were wrong.
func (x Messages) Confirm(ctx context.Context, userID string, token SetupToken, code string) (_ Confirmed, err error) {
	if err := x.guard.check(); err != nil {
		return Confirmed{}, err
	}
	e := edit{guard: x.guard, op: opConfirmAddress}
	defer e.conclude(ctx, &err)
	g := x.guard
	t, err := g.readSetupToken(ctx, labelAddress, userID, token)
	if err != nil {
		return Confirmed{}, err
	}
	digits, _, ok := readDigits(code)
	if !ok {
		return Confirmed{}, deny(ReasonMalformedCode)
	}
	q := account.Guess{Factor: account.Delivered, Digits: digits, Delivery: account.DeliveryID(t.id)}
	e.user, e.via = userID, account.Delivered
	e.draw = g.drawFrom(t.seed, labelAddress, userID, t.id)
	return issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[Confirmed], error) {
		done, err := a.ConfirmAddress(m, q, g.config.AddressAlone)
		if err != nil {
			return nil, t.outcome(err)
		}
		return g.confirmed(t, a, m, done)
	})
}

// Unbind removes the address. The proofs are those of [Guard.Remove]. It returns a
// [Denied] of reason ReasonNotEnrolled, ReasonNoAddress, ReasonLastAuthenticator
// if the address is all that the account has, or a reason of Remove about proofs.
func (x Messages) Unbind(ctx context.Context, userID string, p Proof) (err error) {
	if err := x.guard.check(); err != nil {
		return err
	}
	e := edit{guard: x.guard, op: opUnbind, user: userID}
	defer e.conclude(ctx, &err)
	proof, err := e.readProof(ctx, p)
	if err != nil {
		return err
	}
	return e.run(ctx, func(a *account.Account, m account.Moment) error { return a.Unbind(m, proof) })
}

func addressOf(x account.Address) Address {
	return Address{Channel: x.Channel, Hint: hint(x.To), Added: x.Added, Used: x.Used}
}

// hint returns the part of an address by which its owner recognises it: the first
// letter and the domain of an e-mail address, and the last two characters of
// anything else, such as a phone number. It shows less of a short address.
func hint(to string) string {
	const (
		shortLocal = 3 // runes before the @
		shortTo    = 6 // runes in all
	)
	if at := strings.LastIndexByte(to, '@'); at > 0 {
		local := []rune(to[:at])
		if len(local) < shortLocal {
			local = nil
		}
		return string(local[:min(len(local), 1)]) + "…" + to[at:]
	}
	runes := []rune(to)
	if len(runes) < shortTo {
		return "…"
	}
	return "…" + string(runes[len(runes)-2:])
}
