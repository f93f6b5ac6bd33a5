package account

import (
	"slices"

	"github.com/seed-1b6a03a1/twofactor/recovery"
	"golang.org/x/crypto/cryptobyte"
)

// formatVersion is the first byte of an encoded account. It changes only if
// the field lists themselves do.
const formatVersion = 1

// MaxEncoded is the length of the longest encoding, in bytes. A store must hold
// what sealing adds, at most 128 bytes, and the 4 bytes that mark the namespace.
const MaxEncoded = 16<<10 - 128 - 4

// maxFailures and maxCount are what the encoding holds of counters that only
// ever grow.
const (
	maxFailures = 1<<16 - 1
	maxCount    = 1<<16 - 1
)

// maxDebt bounds what is believed of a stored throttle.
const maxDebt = 366 * refill

// Fields of an account. What every check needs comes first.
const (
	tagEpoch          = 1
	tagWasConfirmed   = 2
	tagTOTP           = 3
	tagRecovery       = 4
	tagAuthenticators = 5
	tagChallenges     = 6
	tagLastSignIn     = 7
	tagSetup          = 8
	tagLastUsed       = 9
	tagSets           = 10
	tagCodes          = 11
	tagHistory        = 12
	tagOutbox         = 13
	tagWrite          = 14
	tagKept           = 15
	tagImported       = 16
	tagDevices        = 17
	tagBypass         = 18
	tagTicket         = 19
	tagReset          = 20
	tagDelivery       = 21
	tagSetUp          = 22
	tagRenewed        = 23
	tagArrived        = 29
	tagAlert          = 31
	tagUnanswered     = 32

	// A node that does not know it would ask for no second factor, or would change
	// an account that has a copy elsewhere.
	tagMove = mustUnderstand + 28
)

// Decode reads an encoded account. It keeps b.
func Decode(b []byte) (*Account, error) {
	in := cryptobyte.String(b)
	var version uint8
	switch {
	case !in.ReadUint8(&version), version < formatVersion:
		return nil, ErrDamaged
	case version > formatVersion:
		return nil, ErrNewer
	}
	a := new(Account)
	seen := false
	unknown, err := readFields(in, func(tag uint8, v cryptobyte.String) (bool, error) {
		var err error
		switch tag {
		case tagEpoch:
			seen, err = true, readArray(v, a.epoch[:])
		case tagWasConfirmed:
			a.wasConfirmed, err = true, readFlag(v)
		case tagTOTP:
			a.totp, err = readThrottle(v)
		case tagRecovery:
			a.recovery, err = readThrottle(v)
		case tagAuthenticators:
			a.authenticators, err = readList(v, MaxAuthenticators, readAuthenticator)
		case tagChallenges:
			a.challenges, err = readChallenges(v)
		case tagLastSignIn:
			a.lastSignIn, err = readSignIn(v)
		case tagSetup:
			a.setup, err = readSetup(v)
		case tagLastUsed:
			err = readWhole(v, &a.lastUsed)
		case tagSets:
			a.sets, err = readSets(v)
		case tagCodes:
			a.codes.raw = v
		case tagHistory:
			a.history.raw = v
		case tagOutbox:
			a.outbox.raw = v
		case tagWrite:
			err = readArray(v, a.write[:])
		case tagKept:
			a.kept.raw = v
		case tagImported:
			a.imported.raw = v
		case tagDevices:
			a.devices.raw = v
		case tagBypass:
			a.bypass, err = readBypass(v)
		case tagTicket:
			err = readArray(v, a.ticket[:])
		case tagReset:
			a.reset, err = readReset(v)
		case tagDelivery:
			a.delivery, err = readDelivery(v)
		case tagSetUp:
			a.setUp, err = readCompleted(v)
		case tagRenewed:
			a.renewed, err = readCompleted(v)
		case tagArrived:
			a.arrived.id, a.arrived.from, err = readMoveEnd(v)
		case tagAlert:
			a.alert, err = readAlert(v)
		case tagUnanswered:
			a.unanswered, err = readUnanswered(v)
		case tagMove:
			a.move, err = readMove(v)
		default:
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return nil, err
	}
	if !seen {
		return nil, ErrDamaged
	}
	a.unknown = unknown
	return a, nil
}

// Encode returns the account's encoding. Should it be too long, texts make room
// that nothing depends on: the oldest history, and then what undelivered events
// say beyond what happened. No decision is ever lost for lack of room.
func (a *Account) Encode() ([]byte, error) {
	for {
		b, err := a.encode(make([]byte, 0, 1024))
		if err != nil || len(b) <= MaxEncoded {
			return b, err
		}
		shed, err := a.shed()
		if err != nil {
			return nil, err
		}
		if !shed {
			return nil, ErrTooLarge
		}
	}
}

// shed makes the encoding shorter by what can be spared first, and reports
// whether there was anything.
func (a *Account) shed() (bool, error) {
	history, err := a.history.get(decodeHistory)
	if err != nil {
		return false, err
	}
	if len(*history) > 0 {
		*history = slices.Delete(*history, 0, 1)
		a.history.touch()
		return true, nil
	}
	outbox, err := a.outbox.get(decodeOutbox)
	if err != nil {
		return false, err
	}
	for i := range *outbox {
		e := &(*outbox)[i].Event
		if e.Reason != "" || e.Actor != "" || e.Name != "" || e.Method != "" || e.Origin != "" {
			e.Reason, e.Actor, e.Name, e.Method, e.Origin = "", "", "", "", ""
			a.outbox.touch()
			return true, nil
		}
	}
	return false, nil
}

func (a *Account) encode(b []byte) ([]byte, error) {
	w := fieldWriter{b: append(b, formatVersion), unknown: a.unknown}
	w.putBytes(tagEpoch, a.epoch[:])
	if a.wasConfirmed {
		w.putBytes(tagWasConfirmed, nil)
	}
	putThrottle(&w, tagTOTP, a.totp)
	putThrottle(&w, tagRecovery, a.recovery)
	if len(a.authenticators) > 0 {
		w.put(tagAuthenticators, func(b []byte) ([]byte, error) {
			return appendList(b, a.authenticators, appendAuthenticator)
		})
	}
	if len(a.challenges.list) > 0 || !a.challenges.floor.IsZero() {
		w.put(tagChallenges, a.challenges.append)
	}
	if !a.lastSignIn.At.IsZero() {
		w.put(tagLastSignIn, func(b []byte) ([]byte, error) {
			return append(appendInt(b, micros(a.lastSignIn.At)), byte(a.lastSignIn.Factor)), nil
		})
	}
	if a.setup != nil {
		w.put(tagSetup, a.setup.append)
	}
	if a.lastUsed != 0 {
		w.putInt(tagLastUsed, a.lastUsed)
	}
	if a.sets.made > 0 {
		w.put(tagSets, func(b []byte) ([]byte, error) {
			return append(appendInt(b, micros(a.sets.since)), byte(a.sets.made)), nil
		})
	}
	putLazy(&w, tagCodes, &a.codes, func(b []byte, set recovery.Set) ([]byte, error) {
		if set.IsZero() {
			return b, nil
		}
		return set.AppendBinary(b)
	})
	putLazy(&w, tagHistory, &a.history, func(b []byte, events []Event) ([]byte, error) {
		return appendList(b, events, appendEvent)
	})
	putLazy(&w, tagOutbox, &a.outbox, func(b []byte, outbox []Undelivered) ([]byte, error) {
		return appendList(b, outbox, appendUndelivered)
	})
	if a.write != (WriteID{}) {
		w.putBytes(tagWrite, a.write[:])
	}
	putLazy(&w, tagKept, &a.kept, func(b []byte, codes recovery.Codes) ([]byte, error) {
		if codes.Len() == 0 {
			return b, nil
		}
		return codes.AppendRevealed(b)
	})
	putLazy(&w, tagImported, &a.imported, func(b []byte, codes []ImportedCode) ([]byte, error) {
		return appendList(b, codes, appendImported)
	})
	putLazy(&w, tagDevices, &a.devices, func(b []byte, devices []Device) ([]byte, error) {
		return appendList(b, devices, appendDevice)
	})
	if a.bypass != (Bypass{}) {
		w.put(tagBypass, func(b []byte) ([]byte, error) { return appendBypass(b, a.bypass) })
	}
	if a.ticket != (TicketHash{}) {
		w.putBytes(tagTicket, a.ticket[:])
	}
	if !a.reset.Asked.IsZero() {
		w.put(tagReset, func(b []byte) ([]byte, error) { return appendReset(b, a.reset) })
	}
	if !a.delivery.isZero() {
		w.put(tagDelivery, a.delivery.append)
	}
	putCompleted(&w, tagSetUp, a.setUp)
	putCompleted(&w, tagRenewed, a.renewed)
	if a.arrived != (arrival{}) {
		w.putBytes(tagArrived, append(a.arrived.id[:], a.arrived.from...))
	}
	if a.alert != (alert{}) {
		w.put(tagAlert, a.alert.append)
	}
	if len(a.unanswered.list) > 0 {
		w.put(tagUnanswered, a.unanswered.append)
	}
	if a.move != (Move{}) {
		w.putBytes(tagMove, appendMove(nil, a.move))
	}
	return w.finish()
}

// putLazy writes a part that may still be encoded. An empty one is left out.
func putLazy[T any](w *fieldWriter, tag uint8, l *lazy[T], appendValue func(b []byte, v T) ([]byte, error)) {
	raw := l.raw
	if l.dirty {
		var err error
		if raw, err = appendValue(nil, l.value); err != nil && w.err == nil {
			w.err = err
		}
	}
	if len(raw) > 0 {
		w.putBytes(tag, raw)
	}
}
