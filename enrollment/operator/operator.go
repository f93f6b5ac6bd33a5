// Package operator gives a program of the application the commands that operators of
// the service need: for a user who is locked out or lost everything, for an id that
// changed, for keys that are replaced or lost, and for upkeep.
//
//	func main() {
//		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
//		defer stop()
//		guard, accounts := open() // as the service does
//		os.Exit(operator.Run(ctx, os.Args[1:], operator.Options{
//			Guard: guard, Lister: accounts, Actor: "ops/" + os.Getenv("USER"),
//		}))
//	}
//
// "help" lists what can happen, and the command for it. "help COMMAND" explains
// one.
//
// # Who may run it
//
// The program opens the database with the keys of the service, so anybody who can
// run it can do what the service can. It asks for no password and no code: access to
// the server is what protects it. That is why it can help the only administrator
// if that one is locked out, which no page can. For a lost phone:
//
//	operator bypass ADMIN -reason "phone lost"          # the password alone, for a day
//	operator reset ADMIN -ticket -reason "phone lost"   # off, and a ticket for the next setup
//
// After too many wrong codes, unlock is enough. Where the second factor is mandatory,
// reset with a ticket is the safer one: an attacker with the password can't be the
// first to set it up again. Each of them is an event with the actor and the reason,
// which the user can read. The actor can name the program and a person. It must not
// be the user's own id, for which each command is denied.
//
// # What it prints
//
// Results go to Stdout: text, or with -json one object per line. Errors go to Stderr, and
// if that is a terminal, also how far a long command is, how fast, and how long it will
// take. No secret and no code is printed, with one exception: reset and
// approve with -ticket show the ticket, once. No log of the library has it. Keep it
// out of yours.
//
// # Exit codes
//
// They are the constants of this package, such as [ExitDenied]. A command that works
// on many accounts goes on where one fails, and exits with [ExitSome].
package operator

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// The exit codes that Run returns.
const (
	// ExitOK means that the command did what it says.
	ExitOK = 0

	// ExitFault means that it could not: the store, the keys or the network failed.
	// Nothing was done, or it is not known. Call it again.
	ExitFault = 1

	// ExitUsage means that there is no such command, or that its arguments are wrong.
	ExitUsage = 2

	// ExitDenied means that the answer is no: the account has nothing to unlock, the
	// number to confirm is another one, and so on. Nothing was done.
	ExitDenied = 3

	// ExitSome means that the command is done, but some accounts failed or can't be
	// opened. It names them.
	ExitSome = 4

	// ExitInterrupted means that the context ended first, for example with Ctrl-C. Where a
	// command can continue, it prints the command line for that.
	ExitInterrupted = 130
)

// Options are what the commands work with.
type Options struct {
	// Guard is the Guard of the service, made with the same store, keys and
	// Config, also with the same Config.Notify: users hear of what is done to their
	// accounts. It is required.
	Guard *enrollment.Guard

	// Lister lists the records of the Guard's store, and usually is that store. Do not
	// use a replica. It is required.
	Lister store.Lister

	// Actor is in whose name the commands act; see [enrollment.Guard.Admin]. Defaults
	// to "": then -actor is required.
	Actor string

	// Name is what the program is called in the help. Defaults to "operator".
	Name string

	// Call is how the program was called, up to the command: its path, and flags of its
	// own. An interrupted command repeats it where it prints how to continue, quoted for a
	// shell. Leave out passwords. Defaults to Name.
	Call []string

	// Now returns the current time, as the Config.Now of the Guard does. Defaults to
	// [time.Now].
	Now func() time.Time

	// Stdout and Stderr default to those of the process.
	Stdout, Stderr io.Writer
}

// Run carries out the command in args, which do not include the name of the program,
// and returns the exit code. It reads nothing but its arguments, and writes to
// Stdout and Stderr. When the context ends, it stops at the next account, and says
// how to continue.
func Run(ctx context.Context, args []string, o Options) int {
	if o.Name == "" {
		o.Name = "operator"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Stdout == nil {
		o.Stdout = os.Stdout
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	s := &session{Options: o}
	code := s.run(ctx, args)
	if s.failed != nil && code == ExitOK {
		return s.complain(fmt.Errorf("writing the result: %w", s.failed))
	}
	return code
}

// A session is one run of a command.
type session struct {
	Options
	flags
	command   *command
	given     *flag.FlagSet // what was parsed into flags
	directory *enrollment.Directory
	failed    error // the first error of Stdout
}

func (s *session) run(ctx context.Context, args []string) int {
	if len(args) == 0 || isHelp(args[0]) {
		return s.help(args)
	}
	s.command = find(args[0])
	if s.command == nil {
		return s.misused(fmt.Errorf("there is no command %q", args[0]))
	}
	operands, err := s.parse(args[1:])
	switch {
	case errors.Is(err, errHelp):
		return s.help([]string{"help", s.command.name})
	case err != nil:
		return s.misused(err)
	}
	if s.dry {
		s.Guard = s.Guard.DryRun()
	}
	if s.directory, err = enrollment.NewDirectory(s.Guard, s.Lister); err != nil {
		return s.complain(err)
	}
	return s.command.run(ctx, s, operands)
}

// misused says what is wrong with the arguments.
func (s *session) misused(err error) int {
	fmt.Fprintf(s.Stderr, "%s: %v\n", s.Name, err)
	if s.command != nil {
		fmt.Fprintf(s.Stderr, "usage: %s %s\n", s.Name, s.command.usage())
	} else {
		fmt.Fprintf(s.Stderr, "Run \"%s help\" for what can happen, and the command for it.\n", s.Name)
	}
	return ExitUsage
}

// complain says what went wrong, and returns the exit code for it.
func (s *session) complain(err error) int {
	var denied *enrollment.Denied
	switch {
	case errors.As(err, &denied):
		fmt.Fprintf(s.Stderr, "%s: denied: %s\n", s.Name, explain(denied))
		return ExitDenied
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		fmt.Fprintf(s.Stderr, "%s: interrupted: %v\n", s.Name, err)
		return ExitInterrupted
	}
	fmt.Fprintf(s.Stderr, "%s: %s\n", s.Name, printable(err.Error()))
	return ExitFault
}

// explanations are what the reasons mean that a command can be denied for.
var explanations = map[enrollment.Reason]string{
	enrollment.ReasonNotEnrolled:   "the user has nothing set up, or no such record exists",
	enrollment.ReasonOwnAccount:    "the actor is this very user; another one has to do it",
	enrollment.ReasonNoReset:       "the user has not asked for a reset",
	enrollment.ReasonResetWaiting:  "the owner still has time to cancel the request",
	enrollment.ReasonOwnerNotTold:  "the owner has not heard of the request yet: let sweep deliver the event, and look why Notify failed",
	enrollment.ReasonInvalidBypass: "the bypass is too long, or would end in the past; see Config.MaxBypass",
	enrollment.ReasonUserIDTaken:   "the new id has a record already; if it is not needed, erase it first",
}

func explain(d *enrollment.Denied) string {
	text := string(d.Reason)
	if more := explanations[d.Reason]; more != "" {
		text += ": " + more
	}
	if !d.RetryAt.IsZero() {
		text += ", until " + instant(d.RetryAt)
	}
	return text
}

// printable returns the text without what could control a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) { // no control characters, and none that turn the direction
			return r
		}
		return '\ufffd'
	}, text)
}
