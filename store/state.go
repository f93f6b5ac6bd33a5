package store

import "fmt"

// A State is what two-factor authentication is for a user at the moment. The
// zero State is invalid, so that a forgotten column or field is noticed.
type State uint8

// The states of an account.
const (
	// None means that a record exists, but two-factor authentication was never
	// on, for example because a first setup was given up.
	None State = iota + 1

	// Pending means that a setup waits for its first code. Sign-in does not ask
	// for a code. If the setup has expired, a record in the state Pending means
	// the same as None, or as Disabled if two-factor authentication was on
	// before.
	Pending

	// Confirmed means that two-factor authentication is on.
	Confirmed

	// Disabled means that it was on and has been switched off. The record stays
	// for its history and holds no secret.
	Disabled
)

var stateNames = [...]string{None: "none", Pending: "pending", Confirmed: "confirmed", Disabled: "disabled"}

// Valid reports whether s is a defined state.
func (s State) Valid() bool {
	return s >= None && s <= Disabled
}

// String returns the name of the state, which stores keep: "none", "pending",
// "confirmed" or "disabled". These names never change. String returns "State(n)"
// for an invalid state.
func (s State) String() string {
	if !s.Valid() {
		return fmt.Sprintf("State(%d)", uint8(s))
	}
	return stateNames[s]
}

// MarshalText returns the name of the state, so that JSON shows it. It returns
// [ErrInvalid] for an invalid state.
func (s State) MarshalText() ([]byte, error) {
	if !s.Valid() {
		return nil, fmt.Errorf("%w: State is not a defined state", ErrInvalid)
	}
	return []byte(stateNames[s]), nil
}

// UnmarshalText sets s to the state with that name. It returns the errors of
// [ParseState].
func (s *State) UnmarshalText(text []byte) (err error) {
	*s, err = ParseState(string(text))
	return err
}

// ParseState returns the state with that name. It returns [ErrInvalid] for any
// other text and does not quote it.
func ParseState(name string) (State, error) {
	for s := None; s <= Disabled; s++ {
		if stateNames[s] == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%w: no state has that name", ErrInvalid)
}
