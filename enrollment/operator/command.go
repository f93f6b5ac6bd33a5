package operator

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A command is one of those that Run knows.
type command struct {
	name     string
	operands string // as they stand in the usage
	count    int    // how many there are
	about    string // one line
	more     string // what "help COMMAND" says besides
	flags    string // the names of the flags that it takes, with spaces between them
	run      func(ctx context.Context, s *session, operands []string) int
}

// changes are the flags of commands that write.
const changes = " n reason actor"

// flags are the flags of all commands.
type flags struct {
	json    bool
	dry     bool
	reason  string
	actor   string
	ticket  bool
	lasts   time.Duration
	every   time.Duration
	walk    string
	cursor  string
	erase   bool
	confirm int
	lost    bool
	states  states
}

// set returns the flags of the command.
func (c *command) set(f *flags, actor string) *flag.FlagSet {
	set := flag.NewFlagSet(c.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.BoolVar(&f.json, "json", false, "print one JSON object per line")
	for _, x := range []struct {
		name string
		add  func(name string)
	}{
		{"n", func(name string) {
			set.BoolVar(&f.dry, name, false, "dry run: say what would happen, and change nothing")
			set.BoolVar(&f.dry, "dry-run", false, "the same as -n")
		}},
		{"reason", func(name string) {
			set.StringVar(&f.reason, name, "", "why, as a `text` that the user can read; required")
		}},
		{"actor", func(name string) {
			set.StringVar(&f.actor, name, actor, "`who` does this, for the history; required if the program has no default")
		}},
		{"ticket", func(name string) {
			set.BoolVar(&f.ticket, name, false, "show a ticket, once; the next setup asks for it")
		}},
		{"for", func(name string) {
			set.DurationVar(&f.lasts, name, 24*time.Hour, "how `long` the password alone signs in")
		}},
		{"every", func(name string) {
			set.DurationVar(&f.every, name, 0, "sweep again and again, with a pause of this `time`, for example 5m; the default is to sweep once")
		}},
		{"walk", func(name string) {
			set.StringVar(&f.walk, name, "", "continue the walk over all accounts at this `text`, which an earlier sweep has printed")
		}},
		{"cursor", func(name string) {
			set.StringVar(&f.cursor, name, "", "continue at this `text`, which an interrupted run has printed")
		}},
		{"erase", func(name string) {
			set.BoolVar(&f.erase, name, false, "erase them; needs -yes and -reason")
		}},
		{"yes", func(name string) {
			set.IntVar(&f.confirm, name, 0, "the `number` of accounts that are to be erased, exactly")
		}},
		{"keys-lost", func(name string) {
			set.BoolVar(&f.lost, name, false, "erase even if not a single account can be opened")
		}},
		{"state", func(name string) {
			set.TextVar(&f.states, name, states(nil), "only those that the database has in these `states`, such as none,pending,disabled")
		}},
	} {
		if c.takes(x.name) {
			x.add(x.name)
		}
	}
	return set
}

// takes reports whether the command has the flag of that name.
func (c *command) takes(name string) bool { return slices.Contains(strings.Fields(c.flags), name) }

// errHelp says that the help was asked for.
var errHelp = errors.New("help")

// parse reads the arguments behind the command: flags and operands in any order. What
// follows "--" is an operand.
func (s *session) parse(args []string) (operands []string, err error) {
	set := s.command.set(&s.flags, s.Actor)
	s.given = set
	for len(args) > 0 {
		if err := set.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, errHelp
		} else if err != nil {
			return nil, err
		}
		rest := set.Args()
		if n := len(args) - len(rest); n > 0 && args[n-1] == "--" {
			operands, rest = append(operands, rest...), nil
		}
		if len(rest) > 0 {
			operands, rest = append(operands, rest[0]), rest[1:]
		}
		args = rest
	}
	switch {
	case len(operands) != s.command.count:
		wants := s.command.operands
		if wants == "" {
			wants = "no user id"
		}
		return nil, fmt.Errorf("%s takes %s, and got %d words", s.command.name, wants, len(operands))
	case s.every < 0 || s.every > 0 && s.every < time.Second:
		return nil, errors.New("-every is at least a second")
	case s.every > 0 && s.dry:
		return nil, errors.New("-every does not end, so it can't be a dry run")
	case s.confirm != 0 && !s.erase, s.lost && !s.erase:
		return nil, errors.New("-yes and -keys-lost need -erase")
	}
	acts := s.command.takes("reason") && (s.erase || !s.command.takes("erase"))
	if acts && s.reason == "" {
		return nil, errors.New("-reason is required: the user can read it")
	}
	if acts && s.actor == "" {
		return nil, errors.New("-actor is required: who does this")
	}
	return operands, nil
}

// again returns the line for a shell that calls the same command once more, with the same
// flags but for one, which has that value.
func (s *session) again(name, value string) string {
	var words []string
	for _, word := range s.Call {
		words = append(words, shell(word))
	}
	if words == nil {
		words = []string{s.Name} // which can be several words, such as "acme operator"
	}
	words = append(words, s.command.name)
	s.given.Visit(func(f *flag.Flag) {
		if f.Name != name {
			words = append(words, shell("-"+f.Name+"="+f.Value.String()))
		}
	})
	if value != "" { // otherwise it continues at the beginning
		words = append(words, "-"+name, shell(value))
	}
	return strings.Join(words, " ")
}

// shell quotes a word for a shell if it has to be.
func shell(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_=./:@%+,", r)
	}
	if word != "" && strings.TrimFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(printable(word), "'", `'\''`) + "'"
}
