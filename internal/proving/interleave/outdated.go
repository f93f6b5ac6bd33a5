package interleave

import (
	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// mendingScene has a key that is too short, and the setup that replaces it: the answer to
// a challenge only leads there.
func mendingScene() scene {
	system := func(i int) func(s st) string { return func(s st) string { return s.System[i] } }
	replace := change("replace", func(ctx ctx, s st, g gd) error {
		_, err := g.Begin(ctx, g.user, s.Replacing())
		return err
	})
	return scene{
		state:  "mending",
		core:   []operation{answerApp, answer("answer recovery", challenge, system(1)), confirm, replace},
		others: []operation{verifyApp, confirmWrong, cancel, signIn, reset, sweep},
		short:  []operation{answerApp, replace, cancel},
		probes: []probe{
			tryApp, trySetup, tries("replacement", errorOf(replace)),
			tries("challenge", errorOf(answer("", challenge, st.Next))),
			tries("used challenge", errorOf(answer("", func(s st) enrollment.Challenge { return s.Spent }, st.Next))),
			tries("recovery codes", errorOf(verify("", system(1))), errorOf(verify("", system(2)))),
		},
	}
}
