package store

import "fmt"

// State is where an account stands. The zero State is invalid, so that a
// forgotten column or field can't pass for one.
type State uint8

// The states of an account.
const (
	// None: a record exists, but two-factor authentication was never enabled,
	// for example after a first setup was abandoned.
	None State = iota + 1

	// Pending: a first setup waits for its confirming code. Sign-in does not
	// ask for a code. A pending setup may be past its time, and is then the
	// same as None.
	Pending

	// Confirmed: two-factor authentication is on.
	Confirmed

	// Disabled: it was on and has been switched off. The record stays for its
	// history, and holds no secret.
	Disabled
)

var stateNames = [...]string{None: "none", Pending: "pending", Confirmed: "confirmed", Disabled: "disabled"}

// Valid reports whether s is one of the defined states.
func (s State) Valid() bool {
	return s >= None && s <= Disabled
}

// String returns the stable lower-case name of the state, as stores keep it:
// "none", "pending", "confirmed" or "disabled"; for an invalid one, "State(n)".
func (s State) String() string {
	if !s.Valid() {
		return fmt.Sprintf("State(%d)", uint8(s))
	}
	return stateNames[s]
}

// MarshalText returns the name of the state, so that JSON shows it. It returns
// ErrInvalid for an invalid one.
func (s State) MarshalText() ([]byte, error) {
	if !s.Valid() {
		return nil, fmt.Errorf("%w: State is none of the defined states", ErrInvalid)
	}
	return []byte(stateNames[s]), nil
}

// UnmarshalText sets s to the state of that name, as [ParseState] reads it.
func (s *State) UnmarshalText(text []byte) (err error) {
	*s, err = ParseState(string(text))
	return err
}

// ParseState returns the state of that name. It returns ErrInvalid for any
// other text, which it does not quote.
func ParseState(name string) (State, error) {
	for s := None; s <= Disabled; s++ {
		if stateNames[s] == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%w: no state of that name", ErrInvalid)
}
