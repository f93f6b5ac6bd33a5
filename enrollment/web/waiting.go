package web

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// waiting holds what the cookie says of a sign-in before its code. Only the challenge is
// sealed. The rest decides what the page offers, and nothing else.
type waiting struct {
	challenge enrollment.Challenge
	factors   []enrollment.Factor
	three     bool // three consecutive codes are offered
	digits    int  // of an app code; 0 if they differ
	user      string
}

// waiting returns the sign-in that this browser has begun, or one without a challenge.
func (c *call) waiting() waiting {
	part := c.cookie(cookieChallenge, 5)
	return waiting{
		challenge: enrollment.ChallengeOf(part[0]), factors: factorsOf(part[1]),
		three: part[2] == withThree, digits: digitsOf(part[3]), user: unpacked(part[4]),
	}
}

func (c *call) setWaiting(s waiting) {
	three := ""
	if s.three {
		three = withThree
	}
	c.setCookie(cookieChallenge, 0, s.challenge.Reveal(), factorList(s.factors), three, strconv.Itoa(s.digits), packed(s.user))
}

// factorList writes factors as part of a cookie.
func factorList(factors []enrollment.Factor) string {
	var list []string
	for _, f := range factors {
		list = append(list, string(f))
	}
	return strings.Join(list, ".")
}

// factorsOf reads them.
func factorsOf(list string) []enrollment.Factor {
	var factors []enrollment.Factor
	for _, f := range []enrollment.Factor{enrollment.FactorTOTP, enrollment.FactorDelivered, enrollment.FactorRecovery} {
		if slices.Contains(strings.Split(list, "."), string(f)) {
			factors = append(factors, f)
		}
	}
	return factors
}

// digitsOf reads how many digits a code has. What no code has is 0.
func digitsOf(part string) int {
	n, err := strconv.Atoi(part)
	if err != nil || n < 6 || n > 8 {
		return 0
	}
	return n
}
