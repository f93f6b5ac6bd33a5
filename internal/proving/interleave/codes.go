package interleave

import (
	"strings"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// shownScene has just shown the recovery codes of a setup, and has a token to renew them
// with.
func shownScene() scene {
	return scene{
		state:  "shown",
		core:   []operation{renewOnce, renew, verifyRecovery},
		others: []operation{setupCodes, renewalCodes, verifyApp, verifySecondRecovery, verifyWrongRecovery, disable, sweep},
		probes: []probe{tryRecovery, tryReceipt, tries("codes of the setup", errorOf(setupCodes)), tryRenewed},
	}
}

// list is what a caller sees of recovery codes that follow from a token.
func list(codes recovery.Codes) string { return strings.Join(codes.Reveal(), " ") }

var (
	renewOnce = operation{"renew once", func(ctx ctx, s st, g gd) (string, error) {
		done, err := g.RenewCodesOnce(ctx, states.User, s.Renewal, byReceipt(s))
		return list(done.Codes), err
	}}
	setupCodes = operation{"setup codes", func(ctx ctx, s st, g gd) (string, error) {
		codes, err := g.SetupCodes(ctx, states.User, s.Shown)
		return list(codes), err
	}}
	renewalCodes = operation{"renewal codes", func(ctx ctx, s st, g gd) (string, error) {
		codes, err := g.RenewalCodes(ctx, states.User, s.Renewal)
		return list(codes), err
	}}
)

// tryRenewed shows the codes of the renewal again, and uses one.
func tryRenewed(ctx ctx, s st, n node) string {
	codes, err := n.RenewalCodes(ctx, states.User, s.Renewal)
	if err != nil {
		return "codes of the renewal: " + string(proving.ReasonOf(err))
	}
	_, err = n.Verify(ctx, states.User, "x", codes.Reveal()[0])
	return "code of the renewal: " + string(proving.ReasonOf(err))
}
