package account

import (
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// FieldTag is the tag from which on a reader must understand a field.
const FieldTag = mustUnderstand

// LastUsed returns the mark of codes used by authenticators that are gone.
func LastUsed(a *Account) int64 { return a.lastUsed }

// TouchAll makes the next encoding write every part anew that was decoded.
func TouchAll(a *Account) {
	a.codes.dirty = a.codes.known
	a.history.dirty = a.history.known
	a.outbox.dirty = a.outbox.known
	a.kept.dirty = a.kept.known
	a.imported.dirty = a.imported.known
	a.devices.dirty = a.devices.known
}

// ReadKept reads the recovery codes that are kept in clear.
func ReadKept(a *Account) error {
	_, err := a.kept.get(recovery.DecodeCodes)
	return err
}

// Kept returns how many recovery codes are kept in clear.
func Kept(a *Account) int {
	kept, err := a.kept.get(recovery.DecodeCodes)
	if err != nil {
		return -1
	}
	return kept.Len()
}

// Replace stores a set and an event as long as it gets, without the limits on
// how often that happens.
func (a *Account) Replace(m Moment, set *FreshSet, name string) error {
	a.codes.set(set.Set)
	if err := a.record(m, Event{Kind: EventAuthenticatorReplaced, Factor: TOTP, Name: name, Method: name[:32]}); err != nil {
		return err
	}
	return nil
}

// DropDevices ends the trust in all devices, and nobody hears of it.
func DropDevices(a *Account) { a.devices.set(nil) }

// EventKinds is one more than the highest kind of an event.
const EventKinds = lastEventKind

// PutImported puts codes of another system into the place of a set.
func PutImported(a *Account, codes []ImportedCode) {
	a.codes.set(recovery.Set{})
	a.kept.set(recovery.Codes{})
	a.imported.set(codes)
}

// WholeLen returns how long the encoding is without anything making room.
func WholeLen(a *Account) int {
	b, err := a.encode(nil)
	if err != nil {
		return -1
	}
	return len(b)
}

// ShedAll makes all the room there is.
func ShedAll(a *Account) {
	for {
		if shed, err := a.shed(); !shed || err != nil {
			return
		}
	}
}

// Outbox returns the events whose delivery is not acknowledged, oldest first.
func (a *Account) Outbox() ([]Undelivered, error) {
	outbox, err := a.outbox.get(decodeOutbox)
	if err != nil {
		return nil, err
	}
	return slices.Clone(*outbox), nil
}

// ImportedCodes returns the codes that were taken over from another system.
func ImportedCodes(a *Account) ([]ImportedCode, error) {
	codes, err := a.imported.get(decodeImported)
	if err != nil {
		return nil, err
	}
	return slices.Clone(*codes), nil
}

// Waived returns what replaces a code at a sign-in.
func Waived(a *Account, now time.Time, device DeviceHash) (Factor, error) {
	by, _, err := a.waived(now, device)
	return by, err
}

// CheckTicket reports whether a setup may begin with that ticket.
func CheckTicket(a *Account, ticket TicketHash) error { return a.checkTicket(ticket) }

// MayMessage reports whether a message may be sent now.
func MayMessage(a *Account, m Moment) error { return a.mayMessage(m) }

// Throttles returns what holds back guessing at the factors.
func Throttles(a *Account) map[Factor]*Throttle {
	return map[Factor]*Throttle{TOTP: &a.totp, Recovery: &a.recovery, Delivered: &a.delivery.throttle}
}

// UseImported marks the codes of another system as used.
func UseImported(a *Account, now time.Time) error {
	codes, err := a.imported.get(decodeImported)
	if err != nil {
		return err
	}
	for i := range *codes {
		(*codes)[i].Used = now
	}
	a.imported.touch()
	return nil
}

// ForgetCompleted takes away what accounts did not have when the first golden files
// were written.
func ForgetCompleted(a *Account) { a.setUp, a.renewed = completed{}, completed{} }

// AlertField returns what the account stores of alerts.
func AlertField(a *Account) []byte {
	b, err := a.alert.append(nil)
	if err != nil || a.alert == (alert{}) {
		return nil
	}
	return b
}

// CountWrong counts a wrong answer for the alert alone.
func CountWrong(a *Account, m Moment) {
	m.Tells = false
	_ = a.missedAnswer(m, answerer{})
}

// PutHistory puts events into the place of the history.
func PutHistory(a *Account, events []Event) { a.history.set(events) }

// PutOutbox puts events into the place of those that wait.
func PutOutbox(a *Account, events []Undelivered) { a.outbox.set(events) }

// DamageHistory makes the history one that can't be read.
func DamageHistory(a *Account) { a.history = lazy[[]Event]{raw: []byte{0xff}} }
