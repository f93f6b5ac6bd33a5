package interleave

import (
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// guessesBy returns a probe that counts how often an operation with a wrong code is
// evaluated before it is refused for another reason: what is left of a setup, an address or
// a message. A judge counts the guesses of sign-in by itself.
func guessesBy(wrong operation) probe {
	return func(ctx ctx, s st, n node) string {
		for evaluated := range 30 {
			if _, err := wrong.run(ctx, s, n); proving.ReasonOf(err) != enrollment.ReasonWrongCode {
				return fmt.Sprintf("%s: %d times, then %s", wrong.name, evaluated, proving.ReasonOf(err))
			}
		}
		return wrong.name + ": without end"
	}
}
