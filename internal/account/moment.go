package account

import (
	"encoding/binary"
	"time"
)

// A Moment is everything that a decision takes from outside: the time, random bytes
// that were drawn for this one write, what the application allows, and what was
// prepared for it.
type Moment struct {
	// Now is the current time, in UTC, to the microsecond. See [CanKeep].
	Now time.Time

	// Typed is when the caller came with what it brings: a code, the proof of a
	// change. It is judged as of then, also if the caller had to wait since. The
	// zero time stands for Now.
	Typed time.Time

	// Fresh is unpredictable bytes that no other write uses: 16 for a new
	// epoch, 12 for the ids of events, 12 for the id of the write, 8 for the
	// version of its record.
	Fresh [48]byte

	// AllowSHA1 lets codes with SHA-1 be computed where the Go runtime enforces
	// FIPS 140-3. Without it they are totp.ErrNotApproved there.
	AllowSHA1 bool

	// ReauthDisables lets re-authentication authorise what takes something away.
	ReauthDisables bool

	// UnprovenSetup lets the first factor be set up without a proof.
	UnprovenSetup bool

	// Origin is where the call comes from, in the application's words: at most MaxOrigin
	// bytes. What is recorded has it.
	Origin string

	// Tells says that somebody tells the owner what happens.
	Tells bool

	// Unanswered says that the owner is to hear of challenges without an answer, too.
	Unanswered bool

	// Limits are what the application has fitted.
	Limits Limits

	// Prepared is what was done because the account has asked for it.
	Prepared Prepared
}

// typed returns as of when to judge what was typed.
func (m Moment) typed() time.Time {
	if m.Typed.IsZero() {
		return m.Now
	}
	return m.Typed
}

// CanKeep reports whether an account can keep what is decided at that time. The zero
// time, and the first instant of 1970, are how a clock looks that shows nothing, and in
// the encoding they mean that there is no time. A year is left on both sides of the years
// 2 to 9998 for the times that are computed, because a store holds the years 1 to 9999.
func CanKeep(now time.Time) bool {
	return now.Year() >= 2 && now.Year() <= 9998 && now.UnixMicro() != 0
}

func (m Moment) epoch() Epoch {
	return Epoch(m.Fresh[:16])
}

func (m Moment) writeID() WriteID {
	return WriteID(m.Fresh[28:40])
}

// Version returns a number from 1 to most for the record that replaces
// version prev: any other than that with the same chance. Most is a power of two,
// less one.
func (m Moment) Version(prev, most int64) int64 {
	v := int64(binary.BigEndian.Uint64(m.Fresh[40:])) & most
	for v == 0 || v == prev {
		v = (v + 1) & most
	}
	return v
}

func (m Moment) eventID(n int) EventID {
	var id EventID
	copy(id[:], m.Fresh[16:28])
	id[12] = byte(n)
	return id
}

// clockSlack is how far ahead of the clock something may have been issued: by
// another node, whose clock runs ahead.
const clockSlack = time.Minute

// fresh reports whether an instant lies within the last ttl. One that lies in
// the future by more than nodes differ was stamped by a clock that has jumped
// back since, and is not fresh: it would live longer.
func fresh(at, now time.Time, ttl time.Duration) bool {
	age := now.Sub(at)
	return age >= -clockSlack && age <= ttl
}

// MaxWait is how long ago something may have been typed.
const MaxWait = 5 * time.Minute

// Late reports whether the caller has waited for too long: nobody should be let
// in by what was typed so long ago.
func (m Moment) Late() bool { return !fresh(m.typed(), m.Now, MaxWait) }

// clockTolerance is how far ahead of the clock a stored instant may lie before
// it is taken to come from a clock that was broken.
const clockTolerance = 24 * time.Hour

// clampFuture returns mark, or now if mark lies implausibly far ahead of it.
func clampFuture(mark, now time.Time) (time.Time, bool) {
	if mark.After(now.Add(clockTolerance)) {
		return now, true
	}
	return mark, false
}

// later returns the later of two instants: marks never move back.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// earlier returns the earlier of two instants, of which the zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
