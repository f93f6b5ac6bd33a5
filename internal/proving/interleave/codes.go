package interleave

import (
	"strings"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
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
	renewOnce = operation{name: "renew once", run: func(ctx ctx, s st, g gd) (string, error) {
		done, err := g.RenewCodesOnce(ctx, g.user, s.Renewal, byReceipt(s))
		return list(done.Codes), err
	}}
	setupCodes = operation{name: "setup codes", run: func(ctx ctx, s st, g gd) (string, error) {
		codes, err := g.SetupCodes(ctx, g.user, s.Shown)
		return list(codes), err
	}}
	renewalCodes = operation{name: "renewal codes", run: func(ctx ctx, s st, g gd) (string, error) {
		codes, err := g.RenewalCodes(ctx, g.user, s.Renewal)
		return list(codes), err
	}}
)

// tryRenewed shows the codes of the renewal again, and uses one.
func tryRenewed(ctx ctx, s st, n node) string {
	codes, err := n.RenewalCodes(ctx, n.user, s.Renewal)
	if err != nil {
		return "codes of the renewal: " + string(proving.ReasonOf(err))
	}
	_, err = n.Verify(ctx, n.user, "x", codes.Reveal()[0])
	return "code of the renewal: " + string(proving.ReasonOf(err))
}
