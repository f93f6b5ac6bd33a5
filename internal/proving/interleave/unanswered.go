package interleave

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

// watchedScene has sign-ins that write, because the owner is to hear of those without an
// answer.
func watchedScene() scene {
	signInElsewhere := elsewhere(signIn)
	answerElsewhere := elsewhere(answerApp)
	wrongElsewhere := elsewhere(answer("answer wrong", challenge, st.Wrong))
	return scene{
		state:  "watched",
		alerts: true,
		core:   []operation{signIn, signInElsewhere, answerElsewhere, wrongElsewhere},
		others: []operation{answerRecovery, disable, sweep},
		short:  []operation{signIn, signInElsewhere, answerElsewhere},
		probes: []probe{tryApp, tryUnanswered},
	}
}

// elsewhere is an operation that is called from elsewhere.
func elsewhere(op operation) operation {
	return operation{name: op.name + " elsewhere", run: func(ctx ctx, s st, g gd) (string, error) {
		return op.run(enrollment.WithOrigin(ctx, states.Elsewhere), s, g)
	}}
}

// tryUnanswered is what the owner hears of ten minutes later, besides what has happened
// already.
func tryUnanswered(ctx ctx, s st, n node) string {
	text := "ten minutes later"
	status, err := n.Status(ctx, n.user)
	if err != nil {
		return err.Error()
	}
	g := s.NodeOver(n.store, s.Keys, func(c *enrollment.Config) {
		later := s.Now().Add(10 * time.Minute)
		c.Now = func() time.Time { return later }
		c.Notify = func(_ context.Context, e enrollment.Event) error {
			if slices.ContainsFunc(status.History, func(was enrollment.Event) bool { return was.ID == e.ID }) {
				return nil
			}
			text += fmt.Sprintf(", %s after %d wrong codes from %q", e.Kind, e.WrongCodes, e.Origin)
			return nil
		}
	})
	swept, err := s.DirectoryOf(g, n.store).Sweep(ctx)
	if err != nil || swept.Failed.Total != 0 {
		text += fmt.Sprintf(", %v, failed %+v", err, swept.Failed)
	}
	return text
}
