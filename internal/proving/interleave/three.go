package interleave

import (
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// tokenScene has an app and a hardware token, and three consecutive codes of each, none
// of which was used.
func tokenScene() scene {
	return scene{
		state:  "token",
		alerts: true,
		core:   []operation{answerThree, verifyNear, answerNear, resynchronize},
		others: []operation{
			verifyThree, resynchronizeNear, resynchronizeByCode, verifyApp, verifyWrong, answerApp, removeToken, disable, sweep,
		},
		short:  []operation{answerThree, verifyThree, verifyWrong},
		probes: []probe{tryApp, tryChallenge, tryNear("app", shownSoon), tryNear("token", tokenShows), tryThree},
	}
}

// shownSoon is what the app shows next.
func shownSoon(s st) []string { return proving.Three(s.App, s.Now().Add(time.Minute)) }

// tokenShows is what the token shows, by a clock that is five minutes ahead.
func tokenShows(s st) []string { return proving.Three(s.Hardware(), s.Now().Add(5*time.Minute)) }

func verifyThreeOf(name string, codes func(s st) []string) operation {
	return operation{name: name, run: func(ctx ctx, s st, g gd) (string, error) {
		ok, err := g.ThreeCodes().Verify(ctx, g.user, "x", codes(s))
		return told(ok), err
	}}
}

func answerThreeOf(name string, codes func(s st) []string) operation {
	return operation{name: name, run: func(ctx ctx, s st, g gd) (string, error) {
		ok, err := g.ThreeCodes().Answer(ctx, enrollment.PurposeSignIn, s.Challenge, codes(s))
		return told(ok), err
	}}
}

func resynchronizeBy(name string, codes func(s st) []string, p func(s st) enrollment.Proof) operation {
	return change(name, func(ctx ctx, s st, g gd) error {
		return g.ThreeCodes().Resynchronize(ctx, g.user, s.TokenID, codes(s), p(s))
	})
}

// near are the codes with the last one wrong.
func near(codes func(s st) []string) func(s st) []string {
	return func(s st) []string { return proving.NearMiss(codes(s), 2) }
}

var (
	verifyThree = verifyThreeOf("verify three", shownSoon)
	verifyNear  = verifyThreeOf("verify near", near(shownSoon))
	answerThree = answerThreeOf("answer three", shownSoon)
	answerNear  = answerThreeOf("answer near", near(shownSoon))

	resynchronize       = resynchronizeBy("resynchronize", tokenShows, byReceipt)
	resynchronizeNear   = resynchronizeBy("resynchronize near", near(tokenShows), byReceipt)
	resynchronizeByCode = resynchronizeBy("resynchronize by code", tokenShows, func(s st) enrollment.Proof { return enrollment.ByCode(s.Right()) })

	removeToken = change("remove token", func(ctx ctx, s st, g gd) error { return g.Remove(ctx, g.user, s.TokenID, byReceipt(s)) })

	tryThree = tries("three codes", errorOf(verifyThree), errorOf(resynchronize),
		errorOf(verify("", func(s st) string { return proving.Shown(s.Hardware(), s.Now().Add(5*time.Minute+30*time.Second)) })))
)

// tryNear returns a probe that counts how many near misses are left before the codes are
// used up: those that are written.
func tryNear(name string, codes func(s st) []string) probe {
	return func(ctx ctx, s st, n node) string {
		version := func() int64 {
			rec, err := n.store.Load(ctx, n.user)
			if err != nil {
				return 0
			}
			return rec.Version
		}
		counted := 0
		for before := version(); counted < 10; counted++ {
			_, err := n.ThreeCodes().Verify(ctx, n.user, "x", near(codes)(s))
			after := version()
			if proving.ReasonOf(err) != enrollment.ReasonWrongCode || after == before {
				return fmt.Sprintf("%d near misses of the %s, then %s", counted, name, proving.ReasonOf(err))
			}
			before = after
		}
		return fmt.Sprintf("%d near misses of the %s", counted, name)
	}
}
