package totp

import (
	"fmt"
)

// LookAround is the number of time steps before and after the current one that
// [Key.Check] accepts. RFC 6238, section 5.2, recommends at most one step for
// the delay of the network. The step after the current one is for clocks that
// run ahead. A [Window] accepts fewer steps, never more.
const LookAround = 1

// A Window says which time steps [Key.CheckWithin] accepts. The zero Window is the
// one of [Key.Check]. It is the right one for most services: each step that is left
// out makes a guess less likely to be right by a third, and refuses the right codes
// of some users.
type Window uint8

// The windows.
const (
	// LookBothWays accepts the current step, the one before and the one after. One
	// guess at six digits is right with a chance of 3 in a million.
	LookBothWays Window = iota

	// LookBehind accepts the current step and the one before, but does not look ahead: if
	// the clock of the phone is some seconds ahead, its codes are refused for the last
	// seconds of each step. One guess at six digits is right with a chance of 2 in a
	// million.
	LookBehind

	// LookAhead accepts the current step and the one after, but does not look
	// behind: a code that the app has just replaced is refused, and so is each code
	// of a phone whose clock is a step behind. One guess at six digits is right with
	// a chance of 2 in a million.
	LookAhead

	// LookAtCurrent accepts the current step alone: a user who types a code in its
	// last second is refused. One guess at six digits is right with a chance of 1 in
	// a million.
	LookAtCurrent

	windows
)

// Validate returns an error that matches [ErrParams] if w is not a defined Window.
func (w Window) Validate() error {
	if w >= windows {
		return fmt.Errorf("%w: Window is not a defined window", ErrParams)
	}
	return nil
}

// Steps returns how many time steps the window accepts: 3, 2 or 1, and 0 for a Window
// that is not defined. That many codes of a key are right at a time, or fewer if two of
// them are equal.
func (w Window) Steps() int {
	if w >= windows {
		return 0
	}
	n := 0
	for d := int64(-LookAround); d <= LookAround; d++ {
		if w.accepts(d) {
			n++
		}
	}
	return n
}

// accepts reports whether the window has the step at that distance from the
// current one, which is at most LookAround.
func (w Window) accepts(distance int64) bool {
	switch {
	case distance < 0:
		return w == LookBothWays || w == LookBehind
	case distance > 0:
		return w == LookBothWays || w == LookAhead
	}
	return true
}
