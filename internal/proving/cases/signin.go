// Package cases holds package enrollment against the defects of other systems,
// on whatever store it is given. Each test says in a line what went wrong
// elsewhere. The numbers only keep the cases apart; they have gaps.
package cases

import (
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// signIn signs in with both factors.
func signIn(p *proving.Person, code string) error {
	_, err := p.Answer(code)
	return err
}

// signInOn is signIn with the code answered on another node.
func signInOn(g *enrollment.Guard, p *proving.Person, code string) error {
	_, err := p.AnswerOn(g, code)
	return err
}

// answer answers the challenge of a sign-in.
func answer(k *proving.Kit, challenge enrollment.Challenge, code string) error {
	_, err := k.Answer(challenge, code)
	return err
}

// begin begins a setup and returns who has scanned it, and its token.
func begin(k *proving.Kit, user string, p enrollment.Proof, replace string) (*proving.Person, enrollment.SetupToken) {
	setup, app := k.Begin(user, enrollment.BeginOptions{Proof: p, Replace: replace})
	return &proving.Person{Kit: k, ID: user, Key: app}, setup.Token
}

// lockedUntil returns when the lock of a factor ends.
func lockedUntil(k *proving.Kit, user string, f enrollment.Factor) time.Time {
	for _, l := range k.Status(user).Locks {
		if l.Factor == f {
			return l.Until
		}
	}
	return time.Time{}
}
