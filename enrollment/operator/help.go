package operator

import (
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"
)

// find returns the command with that name, or nil.
func find(name string) *command {
	for _, c := range all() {
		if c.name == name {
			return c
		}
	}
	return nil
}

func isHelp(word string) bool {
	switch word {
	case "help", "-h", "-help", "--help":
		return true
	}
	return false
}

// A mishap is what can happen, and the command for it.
type mishap struct{ happened, command string }

var mishaps = []mishap{
	{"a user left the phone at home", `bypass USER -reason "…"`},
	{"a user lost the phone, but has recovery codes", "none: a recovery code signs in"},
	{"a user lost everything", `reset USER -ticket -reason "…"`},
	{"a user, or an attacker, typed too many wrong codes", `unlock USER -reason "…"`},
	{"a user has asked for a reset, and was identified", `approve USER -ticket -reason "…"`},
	{"a user has asked for a reset, and it is an attack", `refuse USER -reason "…"`},
	{"a user says that signing in does not work", "status USER"},
	{"the only administrator is locked out", `bypass or reset, as for another user`},
	{"a user's id has changed", `move OLD NEW -reason "…"`},
	{"a user was deleted, or a move has to be given up", `erase USER -reason "…"`},
	{"users get no notifications, setups stay pending", "sweep -every 5m"},
	{"a key has to be replaced", "reseal, then stats"},
	{"the service does not start: the keys do not fit", "check, then unreadable"},
	{"sign-ins fail: the account is corrupt", "unreadable"},
	{"keys are lost for good", `unreadable -erase -yes NUMBER -reason "…"`},
	{"how many users have it on, are locked, or have an old key", "stats"},
}

// help prints the help, of all commands or of one.
func (s *session) help(args []string) int {
	out := s.Stdout
	if len(args) > 1 {
		c := find(args[1])
		if c == nil {
			return s.misused(fmt.Errorf("there is no command %q", args[1]))
		}
		s.printf("usage: %s %s\n\n%s.\n", s.Name, c.usage(), c.about)
		if c.more != "" {
			s.printf("\n%s\n", c.more)
		}
		s.printf("\n")
		set := c.set(new(flags), s.Actor)
		set.SetOutput(out)
		set.PrintDefaults()
		return ExitOK
	}
	s.printf("%s does what the pages of the service can't. Users are told about each change.\n\nWhat happened, and the command for it:\n\n", s.Name)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, m := range mishaps {
		fmt.Fprintf(w, "  %s\t%s\n", m.happened, m.command)
	}
	s.note(w.Flush())
	s.printf("\nCommands:\n\n")
	for _, c := range all() {
		fmt.Fprintf(w, "  %s\t%s\n", strings.TrimSpace(c.name+" "+c.operands), c.about)
	}
	s.note(w.Flush())
	s.printf(`
With -n (or -dry-run), a command that writes says what would happen and changes
nothing. With -json, results are one JSON object per line. "%s help COMMAND" shows
the flags of a command.

Exit codes: 0 done, 1 a fault, 2 wrong arguments, 3 denied, 4 done except for some
accounts, 130 interrupted.
`, s.Name)
	return ExitOK
}

// usage is the command with its operands and flags.
func (c *command) usage() string {
	words := []string{c.name}
	if c.operands != "" {
		words = append(words, c.operands)
	}
	c.set(new(flags), "").VisitAll(func(f *flag.Flag) {
		if f.Name == "dry-run" {
			return
		}
		value, _ := flag.UnquoteUsage(f)
		word := strings.TrimSpace("-" + f.Name + " " + strings.ToUpper(value))
		if f.Name != "reason" || c.name == "unreadable" {
			word = "[" + word + "]"
		}
		words = append(words, word)
	})
	return strings.Join(words, " ")
}
