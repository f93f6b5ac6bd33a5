package main

import "math"

// These are the limits of the library, as the documentation of package
// enrollment states them. The test of this program holds them against the Guard:
// if one changes there, what is simulated leaves the bounds.
const (
	budget      = 30 // units that can be spent at once
	refill      = 1  // units that come back in a day
	disabledAt  = 60 // units of debt at which app codes are disabled
	leftGuesses = 5  // guesses that a recovery leaves

	days = 365 // in a year
)

// units bounds what all wrong app codes can cost: the budget, what comes back,
// and what each recovery forgives. A wrong code costs a unit for each
// authenticator. With several, the last one before the codes are disabled can
// go over the limit.
func (s scenario) units() (start, back, forgiven int) {
	start = budget
	if s.Authenticators > 1 {
		start = disabledAt + s.Authenticators
	}
	return start, refill * days * s.Years, (start - s.keptDebt()) * s.Recoveries * s.Years
}

// keptDebt is the most that a recovery leaves of what was spent: so much that
// the last of the guesses still finds a unit.
func (s scenario) keptDebt() int { return budget - 1 - (leftGuesses-1)*s.Authenticators }

// messageUnits is the same for codes in messages, where a guess costs one unit. How
// many messages a day brings does not matter: one is enough for what comes back.
func (s scenario) messageUnits() (start, back, forgiven int) {
	if !s.Messages {
		return 0, 0, 0
	}
	return budget, refill * days * s.Years, leftGuesses * s.Recoveries * s.Years
}

// perGuess is the chance that a guess at the app is right: the account takes
// as many codes of each authenticator at a moment as the window has steps.
func (s scenario) perGuess() float64 {
	return float64(s.Window.Steps()*s.Authenticators) / math.Pow10(s.Digits)
}

// perMessageGuess is the chance that a guess at the code in a message is right:
// one code of six digits is.
const perMessageGuess = 1e-6

// chance is how likely one of the guesses is right.
func (s scenario) chance(app, message float64) float64 {
	return -math.Expm1(app*math.Log1p(-s.perGuess()) + message*math.Log1p(-perMessageGuess))
}

// bound returns the most guesses that the formula allows.
func (s scenario) bound() (app, message float64) {
	a1, a2, a3 := s.units()
	m1, m2, m3 := s.messageUnits()
	return float64(a1+a2+a3) / float64(s.Authenticators), float64(m1 + m2 + m3)
}
