// Command odds prints how likely somebody who knows the password of an account
// guesses its second factor: by formula, and by letting a guesser loose on the
// real Guard. It also shows an owner who gets in all the same, on every day, by three
// consecutive codes of the app.
//
//	go run ./examples/odds                                    one app, one year
//	go run ./examples/odds -authenticators 3 -recoveries 2
//	go run ./examples/odds -digits 8 -messages -years 10
//	go run ./examples/odds -window current                    a narrower window
//	go run ./examples/odds -messages -daily 1                 one message a day
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "odds:", err)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var s scenario
	var seed uint64
	var window string
	flags := flag.NewFlagSet("odds", flag.ContinueOnError)
	flags.IntVar(&s.Authenticators, "authenticators", 1, "how many apps the account has, 1 to 3")
	flags.IntVar(&s.Digits, "digits", 6, "how many digits their codes have, 6 to 8")
	flags.BoolVar(&s.Messages, "messages", false, "whether the account also takes codes in messages")
	flags.IntVar(&s.Daily, "daily", enrollment.DefaultMaxMessages, "how many messages a day may bring, 1 to 10")
	flags.StringVar(&window, "window", "both", "which neighbours of the current code are right: both, behind, ahead, current")
	flags.IntVar(&s.Recoveries, "recoveries", 0, "how many recovery codes the owner uses in a year")
	flags.IntVar(&s.Years, "years", 1, "how long the guesser goes on, 1 to 100")
	flags.Uint64Var(&seed, "seed", 1, "for the codes that the guesser tries")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var ok bool
	if s.Window, ok = windows[window]; !ok {
		return errors.New("-window is not both, behind, ahead or current")
	}
	if err := s.validate(); err != nil {
		return err
	}
	found, err := simulate(ctx, s, seed)
	if err != nil {
		return err
	}
	owner, err := simulateOwner(ctx, s, seed)
	if err != nil {
		return err
	}
	right, err := countRight(s.Window)
	if err != nil {
		return err
	}
	triples, err := countPlaces()
	if err != nil {
		return err
	}
	return s.print(out, found, owner, right, triples)
}

// A scenario is an account and what its owner does.
type scenario struct {
	Authenticators int
	Digits         int
	Messages       bool
	Daily          int // messages in a day, 0 for the default
	Window         totp.Window
	Recoveries     int // in a year
	Years          int
}

// windows are the windows by their names on the command line.
var windows = map[string]totp.Window{
	"both": totp.LookBothWays, "behind": totp.LookBehind, "ahead": totp.LookAhead, "current": totp.LookAtCurrent,
}

func (s scenario) validate() error {
	switch {
	case s.Authenticators < 1 || s.Authenticators > 3:
		return errors.New("-authenticators is not 1 to 3")
	case s.Digits < 6 || s.Digits > 8:
		return errors.New("-digits is not 6 to 8")
	case s.Daily < 0 || s.Daily > 10:
		return errors.New("-daily is not 1 to 10")
	case s.Recoveries < 0 || s.Recoveries > 365:
		return errors.New("-recoveries is not 0 to 365")
	case s.Years < 1 || s.Years > 100:
		return errors.New("-years is not 1 to 100")
	}
	return nil
}
