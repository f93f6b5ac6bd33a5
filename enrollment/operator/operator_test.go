package operator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/operator"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Each reason that the documentation of an Admin names for a command is explained.
func TestExplanations(t *testing.T) {
	t.Parallel()
	commands := []string{"Unlock", "Reset", "ApproveReset", "RefuseReset", "Bypass", "Erase", "Move"}
	source, err := os.ReadFile("operator.go")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../admin*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			method, ok := d.(*ast.FuncDecl)
			if !ok || method.Recv == nil || !slices.Contains(commands, method.Name.Name) {
				continue
			}
			for _, reason := range regexp.MustCompile(`Reason[A-Z]\w+`).FindAllString(method.Doc.Text(), -1) {
				found++
				if !strings.Contains(string(source), "enrollment."+reason+":") {
					t.Errorf("%s can be denied for %s, which is not explained", method.Name.Name, reason)
				}
			}
		}
	}
	if found < len(commands) {
		t.Errorf("only %d reasons are documented", found)
	}
}

// A console is a kit with the commands of an operator.
type console struct {
	*proving.Kit
	t           *testing.T
	out, errors bytes.Buffer
}

func newConsole(t *testing.T) *console {
	t.Helper()
	return &console{Kit: proving.New(t), t: t}
}

// run runs a command, and checks its exit code. It returns what it printed.
func (c *console) run(want int, args ...string) (out, errors string) {
	c.t.Helper()
	return c.runIn(c.t.Context(), want, args...)
}

func (c *console) runIn(ctx context.Context, want int, args ...string) (out, errors string) {
	c.t.Helper()
	c.out.Reset()
	c.errors.Reset()
	got := operator.Run(ctx, args, operator.Options{
		Guard: c.Guard, Lister: c.Store, Actor: "ops/ann", Now: c.Now, Stdout: &c.out, Stderr: &c.errors,
	})
	if got != want {
		c.t.Errorf("%q exits with %d, want %d\n%s%s", args, got, want, &c.out, &c.errors)
	}
	return c.out.String(), c.errors.String()
}

// json runs a command with -json, and decodes each line into an object.
func (c *console) json(want int, args ...string) (lines []map[string]any) {
	c.t.Helper()
	out, _ := c.run(want, append(args, "-json")...)
	for line := range strings.Lines(out) {
		object := map[string]any{}
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			c.t.Errorf("%q printed %q: %v", args, line, err)
		}
		lines = append(lines, object)
	}
	if len(lines) == 0 {
		c.t.Fatalf("%q printed nothing", args)
	}
	return lines
}

// contains checks that a text has all the others in it.
func (c *console) contains(text string, others ...string) {
	c.t.Helper()
	for _, x := range others {
		if !strings.Contains(text, x) {
			c.t.Errorf("%q is not in\n%s", x, text)
		}
	}
}

// lock types wrong codes until app codes are locked.
func (c *console) lock(u *proving.Person) {
	c.t.Helper()
	for range 5 {
		_, err := c.Guard.Verify(c.t.Context(), u.ID, "x", u.Wrong())
		proving.Want(c.t, err, enrollment.ReasonWrongCode)
	}
}

// Each command for one account does what the Admin does, in the name of the actor.
func TestCommandsForOneAccount(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	u := c.Enroll("alice")
	latest := func(want enrollment.EventKind) {
		t.Helper()
		e := c.Status("alice").History[0]
		if e.Kind != want || e.Actor != "ops/ann" || e.Note != "ticket 7" {
			t.Errorf("the latest event is %+v, want %s", e, want)
		}
	}
	c.lock(u)
	out, _ := c.run(operator.ExitOK, "status", "alice")
	c.contains(out, `user "alice": confirmed`, "totp codes are locked until", "10 of 10 recovery codes left", "locked")
	c.run(operator.ExitOK, "unlock", "alice", "-reason", "ticket 7")
	latest(enrollment.EventUnlocked)
	if len(c.Status("alice").Locks) != 0 {
		t.Error("it is still locked")
	}
	c.run(operator.ExitOK, "bypass", "-reason", "ticket 7", "-for", "2h", "alice")
	latest(enrollment.EventBypassGranted)
	if got := c.Status("alice").BypassUntil; !got.Equal(c.Now().Add(2 * time.Hour)) {
		t.Errorf("the bypass ends %v", got)
	}
	for _, long := range []string{"25h", "-1h", "0s"} {
		if _, says := c.run(operator.ExitDenied, "bypass", "alice", "-for", long, "-reason", "ticket 7"); !strings.Contains(says, "too long, or would end in the past") {
			t.Errorf("for %s: %s", long, says)
		}
	}
	c.run(operator.ExitDenied, "approve", "alice", "-reason", "ticket 7")
	c.run(operator.ExitDenied, "refuse", "alice", "-reason", "ticket 7")

	c.Pass(3 * time.Hour)
	u.AskReset()
	c.run(operator.ExitDenied, "approve", "alice", "-reason", "ticket 7") // too early
	c.contains(c.errors.String(), "reset_waiting", "until 20")
	c.run(operator.ExitOK, "refuse", "alice", "-reason", "ticket 7")
	latest(enrollment.EventResetRefused)
	c.Pass(25 * time.Hour)
	u.AskReset()
	c.Pass(73 * time.Hour)
	out, _ = c.run(operator.ExitOK, "approve", "alice", "-ticket", "-reason", "ticket 7")
	latest(enrollment.EventReset)
	c.contains(out, "The ticket, shown this once: ")

	object := c.json(operator.ExitOK, "reset", "alice", "-ticket", "-reason", "ticket 7")[0]
	_, err := c.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")})
	proving.Want(t, err, enrollment.ReasonTicketRequired)
	_, err = c.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Ticket: enrollment.TicketOf(fmt.Sprint(object["ticket"])), Proof: enrollment.ByReauth("password")})
	proving.Want(t, err, "")

	c.run(operator.ExitOK, "move", "alice", "alicia", "-reason", "ticket 7")
	out, errs := c.run(operator.ExitFault, "status", "alice")
	c.contains(errs, "alicia")
	if out != "" {
		t.Errorf("printed %q", out)
	}
	c.run(operator.ExitOK, "erase", "alicia", "-reason", "ticket 7")
	if s := c.Status("alicia"); s.State != store.None || len(s.History) != 0 {
		t.Errorf("%+v", s)
	}
}

// With -n nothing is written, nobody is told, and the answer is the one that there
// would be.
func TestDryRun(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	u := c.Enroll("alice")
	c.Enroll("bob")
	c.Begin("pending", enrollment.BeginOptions{})
	c.lock(u)
	c.Damage("bob")
	c.Pass(time.Hour)
	c.Keys.Ring = c.Rotate("second")
	c.Told()
	c.Untouched(func() {
		for _, x := range []struct {
			want int
			args string
		}{
			{operator.ExitOK, "unlock alice"},
			{operator.ExitDenied, "unlock nobody"},
			{operator.ExitOK, "bypass alice"},
			{operator.ExitOK, "reset alice -ticket"},
			{operator.ExitDenied, "approve alice"},
			{operator.ExitDenied, "refuse alice"},
			{operator.ExitOK, "move alice alicia"},
			{operator.ExitDenied, "move alice pending"},
			{operator.ExitOK, "erase alice"},
			{operator.ExitOK, "unreadable -erase -yes 1"},
			{operator.ExitDenied, "unreadable -erase -yes 2"},
		} {
			for _, n := range []string{"-n", "-dry-run"} {
				out, errs := c.run(x.want, append(strings.Fields(x.args), n, "-reason", "r")...)
				if x.want == operator.ExitOK && !strings.Contains(out, "dry run, nothing was changed") {
					t.Errorf("%s: %s%s", x.args, out, errs)
				}
				if strings.Contains(out, "ticket, shown") {
					t.Errorf("%s shows a ticket that is none", x.args)
				}
			}
		}
		object := c.json(operator.ExitSome, "sweep", "-n")[0]
		if object["expired"] != 1.0 || object["failed"] != 1.0 {
			t.Errorf("sweep -n: %v", object)
		}
		object = c.json(operator.ExitSome, "reseal", "-n")[0]
		if object["moved"] != 2.0 || object["failed"] != 1.0 || object["dry_run"] != true {
			t.Errorf("reseal -n: %v", object)
		}
	}, "alice", "bob", "pending", "alicia", "nobody")
	if told := c.Told(); len(told) != 0 {
		t.Errorf("told %+v", told)
	}
}

// What is wrong with the arguments is said, and nothing is done.
func TestUsage(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.Enroll("alice")
	c.Unchanged("alice", func() {
		for _, args := range []string{
			"nonsense", "unlock", "unlock alice", "unlock alice bob -reason x", "unlock alice -reason", "unlock alice -reason x -ticket",
			"move alice -reason x", "bypass alice -for never -reason x", "unreadable -yes 3", "unreadable -erase -yes 0", "unreadable -keys-lost",
			"sweep -every -1s", "sweep -every 1ms", "sweep -every 5m -n", "stats alice", "help nonsense", "check -n",
		} {
			if args == "unreadable -erase -yes 0" {
				args = "unreadable -erase" // without a reason
			}
			_, errs := c.run(operator.ExitUsage, strings.Fields(args)...)
			if !strings.HasPrefix(errs, "operator: ") {
				t.Errorf("%s: %s", args, errs)
			}
		}
	})
	// What follows -- is a name, whatever it looks like.
	c.run(operator.ExitDenied, "unlock", "-reason", "x", "--", "-reason")
	c.contains(c.errors.String(), "not_enrolled")
	got := operator.Run(t.Context(), []string{"unlock", "alice", "-reason", "x"}, operator.Options{
		Guard: c.Guard, Lister: c.Store, Stdout: &c.out, Stderr: &c.errors,
	})
	if got != operator.ExitUsage {
		t.Errorf("without an actor: %d", got)
	}
	c.contains(c.errors.String(), "-actor is required")
	// A Guard that was forgotten is a fault.
	if got := operator.Run(t.Context(), []string{"stats"}, operator.Options{Stdout: &c.out, Stderr: &c.errors}); got != operator.ExitFault {
		t.Errorf("without a Guard: %d", got)
	}
	if got := operator.Run(t.Context(), []string{"reset", "-n", "-actor", "a", "-reason", "r", "x"}, operator.Options{Stdout: &c.out, Stderr: &c.errors}); got != operator.ExitFault {
		t.Errorf("a dry run without a Guard: %d", got)
	}
}

// A fault of the store is neither done nor denied, and with -json it is an object.
func TestFault(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.Enroll("alice")
	c.Store.Fail(proving.Load, errors.New("the database\x1b[2J \u202eis down"))
	c.Store.Fail(proving.List, errors.New("the database is down"))
	object := c.json(operator.ExitFault, "unlock", "alice", "-reason", "x")[0]
	if object["outcome"] != "error" || !strings.Contains(fmt.Sprint(object["error"]), "is down") {
		t.Errorf("%v", object)
	}
	if strings.ContainsAny(c.errors.String(), "\x1b\u202e") {
		t.Errorf("a terminal would obey %q", c.errors.String())
	}
	for _, args := range []string{"status alice", "sweep", "reseal", "check", "stats", "unreadable", "unreadable -erase -yes 1 -reason x"} {
		c.run(operator.ExitFault, strings.Fields(args)...)
	}
	c.Store.Straighten()
	object = c.json(operator.ExitDenied, "unlock", "nobody", "-reason", "x")[0]
	if object["outcome"] != "denied" || object["reason"] != "not_enrolled" || object["user_id"] != "nobody" {
		t.Errorf("%v", object)
	}
}
