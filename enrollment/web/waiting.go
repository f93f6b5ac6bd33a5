package web

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// noteNextCode is the key of what the page says after an import, while codes of the app count
// as used.
const noteNextCode = "note.next_code"

// waiting holds what the cookie says of a sign-in before its code. Only the challenge is
// sealed. The rest decides what the page offers, and nothing else.
type waiting struct {
	challenge enrollment.Challenge
	factors   []enrollment.Factor
	three     bool // three consecutive codes are offered
	digits    int  // of an app code; 0 if they differ
	user      string
	account   string // the name of the user's account, if the page shows it
}

// waiting returns the sign-in that this browser has begun, or one without a challenge.
func (c *call) waiting() waiting {
	part := c.cookie(cookieChallenge, 6)
	return waiting{
		challenge: enrollment.ChallengeOf(part[0]), factors: factorsOf(part[1]),
		three: part[2] == withThree, digits: digitsOf(part[3]), user: unpacked(part[4]), account: unpacked(part[5]),
	}
}

func (c *call) setWaiting(s waiting) {
	three := ""
	if s.three {
		three = withThree
	}
	c.setCookie(cookieChallenge, 0, s.challenge.Reveal(), factorList(s.factors), three, strconv.Itoa(s.digits), packed(s.user), packed(s.account))
}

// maxAccount is how much of the name of an account a page for a code shows, in bytes. It
// bounds the cookie.
const maxAccount = 256

// accountOf returns the name of the user's account for a page that asks for a code. It is ""
// if Config.Account is not set, and for a client that speaks JSON. Ask only for a user whose
// first factor was right, or who is signed in. The user in the cookie is not sealed: a browser
// could write anybody there, so the page of a sign-in takes the name from the cookie as well.
func (c *call) accountOf(userID string) (string, error) {
	if !c.named || c.json {
		return "", nil
	}
	name, err := c.config.Account(c.r.Context(), userID)
	return strings.ToValidUTF8(name[:min(len(name), maxAccount)], ""), err
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
