package operator_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/operator"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// names are the commands.
var names = strings.Fields("status unlock bypass reset approve refuse move erase sweep reseal check unreadable stats")

// The help names a command for each mishap, every command has a mishap that leads
// there, and each has a help of its own.
func TestHelp(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	help, _ := c.run(operator.ExitOK, "help")
	for _, args := range [][]string{{}, {"-h"}, {"--help"}} {
		if again, _ := c.run(operator.ExitOK, args...); again != help {
			t.Errorf("%q prints another help", args)
		}
	}
	table, commands, ok := strings.Cut(help, "\nCommands:\n")
	if !ok {
		t.Fatal(help)
	}
	for _, name := range names {
		word := regexp.MustCompile(`(?m)^  .*  .*\b` + name + `\b`)
		if !word.MatchString(table) {
			t.Errorf("no mishap leads to %s", name)
		}
		if !regexp.MustCompile(`(?m)^  ` + name + `\b`).MatchString(commands) {
			t.Errorf("%s is not listed", name)
		}
		own, _ := c.run(operator.ExitOK, "help", name)
		if again, _ := c.run(operator.ExitOK, name, "-h"); again != own {
			t.Errorf("%s -h prints another help", name)
		}
		c.contains(own, "usage: operator "+name, "-json")
		_, errs := c.run(operator.ExitUsage, name, "too", "many", "names")
		c.contains(errs, "usage: operator "+name)
	}
	if n := len(regexp.MustCompile(`(?m)^  [a-z]+ `).FindAllString(commands, -1)); n != len(names) {
		t.Errorf("%d commands are listed, want %d", n, len(names))
	}
	for line := range strings.Lines(help) {
		if len([]rune(line)) > 121 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	c.contains(help, "the only administrator", "130 interrupted")
}

// No command prints a secret or a code. The ticket is printed once, by the command
// that issues it.
func TestNothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.Configure(func(config *enrollment.Config) { config.KeepCodes = true })
	u := c.Enroll("alice")
	c.Post().Bound("alice", enrollment.ByReceipt(u.Receipt()))
	u.Trust("laptop")
	c.lock(u)
	secrets := append([]string{u.Key.Secret().Base32(), string(u.Key.Secret().Reveal()), u.Challenge().Reveal(), proving.Phone}, u.Codes...)
	var all strings.Builder
	for _, args := range []string{
		"status alice", "status alice -json", "stats", "stats -json", "unreadable", "check", "reseal -json", "sweep -json", "unlock alice -reason x -json",
		"bypass alice -reason x", "move alice alicia -reason x -json", "move alicia alice -reason x", "status alicia -json", "reset alice -ticket -reason x -n -json",
	} {
		got := operator.Run(t.Context(), strings.Fields(args), operator.Options{
			Guard: c.Guard, Lister: c.Store, Actor: "ops/ann", Now: c.Now, Stdout: &all, Stderr: &all,
		})
		if got != operator.ExitOK && args != "status alicia -json" {
			t.Errorf("%s exits with %d", args, got)
		}
	}
	ticket := c.json(operator.ExitOK, "reset", "alice", "-ticket", "-reason", "x")[0]["ticket"].(string)
	out, errs := c.run(operator.ExitOK, "status", "alice")
	all.WriteString(out + errs)
	for _, secret := range append(secrets, ticket) {
		if secret == "" || strings.Contains(all.String(), secret) || strings.Contains(all.String(), strings.ReplaceAll(secret, "-", "")) {
			t.Errorf("%q was printed", secret)
		}
	}
}

// Names and ids can't control a terminal, and JSON goes to scripts as it is.
func TestTerminal(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	const id = "alice\u202e\u2028"
	c.EnrollWith(id, enrollment.BeginOptions{Name: "pho\u202ene"})
	c.Damage(id)
	for _, args := range [][]string{{"status", id}, {"unreadable"}, {"stats"}, {"unlock", id, "-reason", "x"}, {"sweep"}, {"reseal"}, {"check"}} {
		code := operator.Run(t.Context(), args, operator.Options{Guard: c.Guard, Lister: c.Store, Actor: "a", Now: c.Now, Stdout: &c.out, Stderr: &c.errors})
		if code == operator.ExitUsage {
			t.Errorf("%q", args)
		}
	}
	for _, r := range c.out.String() + c.errors.String() {
		if r == '\u202e' || r == '\u2028' || r < ' ' && r != '\n' {
			t.Fatalf("printed %U:\n%s%s", r, &c.out, &c.errors)
		}
	}
}
