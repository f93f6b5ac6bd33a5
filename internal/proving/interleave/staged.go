package interleave

import (
	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// replacingScene has a pending setup that is to replace the second app.
func replacingScene() scene {
	return scene{
		state:  "replacing",
		core:   []operation{confirm, replaceSecond, beginToken},
		others: []operation{begin, remove, cancel, verifyRecovery, disable, sweep},
		short:  []operation{replaceSecond, beginToken, cancel},
		probes: []probe{tryApp, trySetup, tries("token", errorOf(beginToken))},
	}
}

// bindingScene has an address that is not confirmed yet.
func bindingScene() scene {
	return scene{
		state:  "binding",
		core:   []operation{confirmAddress, confirmWrongAddress, verifyRecovery},
		others: []operation{bind, unbind, send, cancel, disable, sweep},
		short:  []operation{confirmWrongAddress, cancel},
		probes: []probe{tries("address", errorOf(confirmAddress)), guessesBy(confirmWrongAddress), tryRecovery},
	}
}

func confirmAddressWith(name string, code func(s st) string) operation {
	return change(name, func(ctx ctx, s st, g gd) error {
		_, err := g.Messages().Confirm(ctx, g.user, s.Binding, code(s))
		return err
	})
}

var (
	replaceSecond = change("replace", func(ctx ctx, s st, g gd) error {
		_, err := g.Begin(ctx, g.user, enrollment.BeginOptions{Account: "a", Replace: s.SecondID, Proof: byReceipt(s)})
		return err
	})
	beginToken = change("begin token", func(ctx ctx, s st, g gd) error {
		_, err := g.Begin(ctx, g.user, enrollment.BeginOptions{HardwareToken: s.Hardware(), Proof: byReceipt(s)})
		return err
	})

	confirmAddress      = confirmAddressWith("confirm address", func(s st) string { return s.Message })
	confirmWrongAddress = confirmAddressWith("confirm address wrong", st.WrongMessage)

	signInImport = operation{name: "import at sign-in", run: func(ctx ctx, s st, g gd) (string, error) {
		im := s.Imported(false)
		d, err := g.SignIn(ctx, g.user, enrollment.SignInOptions{Import: &im})
		return d.Next.String(), err
	}}
)
