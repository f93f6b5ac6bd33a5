package operator_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/operator"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// interrupt ends the context with the nth call of the store.
func (c *console) interrupt(op proving.Op, n int) context.Context {
	ctx, cancel := context.WithCancel(c.t.Context())
	c.t.Cleanup(cancel)
	c.Store.Nth(op, n, func(context.Context, *proving.Call) { cancel() })
	return ctx
}

// between returns what stands between two texts.
func (c *console) between(text, before, after string) string {
	c.t.Helper()
	_, rest, ok := strings.Cut(text, before)
	found, _, closed := strings.Cut(rest, after)
	if !ok || !closed {
		c.t.Fatalf("%q is not in %q", before, text)
	}
	return found
}

// Reseal continues where it was interrupted.
func TestResealContinues(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.EnrollAll(proving.Users(250)...)
	c.Keys.Ring = c.Rotate("second")
	ctx := c.interrupt(proving.Save, 130)
	out, errs := c.runIn(ctx, operator.ExitInterrupted, "reseal")
	c.contains(out, "130 seen, 130 moved")
	c.contains(errs, "continue with: operator reseal -cursor ")
	cursor := c.between(errs, "-cursor ", "\n")
	object := c.json(operator.ExitOK, "reseal", "-cursor", cursor)[0]
	if object["seen"] != 150.0 || object["moved"] != 120.0 || object["done"] != true || fmt.Sprint(object["keys"]) != "map[first:120 second:30]" {
		t.Errorf("%v", object)
	}
	if object = c.json(operator.ExitOK, "reseal")[0]; object["seen"] != 250.0 || object["moved"] != 0.0 {
		t.Errorf("%v", object)
	}
	c.run(operator.ExitFault, "reseal", "-cursor", "nonsense")
}

// words are those that a shell makes of a line.
func words(t *testing.T, line string) []string {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell")
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", `printf '%s\n' `+line).Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// The line that says how to continue is the whole call, with the flags of the program and
// of the command: a dry run stays one.
func TestLineToContinue(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.EnrollAll(proving.Users(250)...)
	c.Keys.Ring = c.Rotate("second")
	call := []string{"./acme-operator", "-data", "it's $HOME; here"}
	interrupted := func(ctx context.Context, want int, args ...string) []string {
		t.Helper()
		c.errors.Reset()
		code := operator.Run(ctx, args, operator.Options{
			Guard: c.Guard, Lister: c.Store, Actor: "ops/ann", Name: "acme", Call: call, Now: c.Now, Stdout: &c.out, Stderr: &c.errors,
		})
		if code != want {
			t.Errorf("%q exits with %d: %s", args, code, &c.errors)
		}
		again := words(t, c.between(c.errors.String(), " with: ", "\n"))
		if !slices.Equal(again[:len(call)], call) {
			t.Fatalf("it is called as %q", again)
		}
		return again[len(call):]
	}
	before, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{"reseal"}, {"reseal", "-json=true"}} {
		if again := interrupted(before, operator.ExitInterrupted, args...); !slices.Equal(again, args) {
			t.Errorf("interrupted before the first account, %q continues with %q", args, again)
		}
	}
	again := interrupted(c.interrupt(proving.List, 2), operator.ExitInterrupted, "reseal", "--dry-run", "-json")
	if len(again) != 5 || again[1] != "-dry-run=true" || again[2] != "-json=true" || again[3] != "-cursor" {
		t.Fatalf("a dry run continues with %q", again)
	}
	c.contains(func() string { out, _ := c.run(operator.ExitOK, again...); return out }(), `"dry_run":true`, `"done":true`)
	if other := interrupted(before, operator.ExitInterrupted, again...); !slices.Equal(other, again) {
		t.Errorf("interrupted again at once, %q continues with %q", again, other)
	}
	swept := interrupted(t.Context(), operator.ExitOK, "sweep", "-json")
	if len(swept) != 4 || swept[0] != "sweep" || swept[1] != "-json=true" || swept[2] != "-walk" {
		t.Errorf("a sweep continues with %q", swept)
	}
	c.run(operator.ExitOK, swept...)
}

// A sweep that is interrupted says how to continue, and one that another program has
// begun is continued.
func TestSweepContinues(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.EnrollAll(proving.Users(600)...)
	ctx := c.interrupt(proving.List, 3)
	_, errs := c.runIn(ctx, operator.ExitInterrupted, "sweep")
	walk := c.between(errs, "sweep -walk ", "\n")
	object := c.json(operator.ExitOK, "sweep", "-walk", walk)[0]
	if object["walked"] != 100.0 {
		t.Errorf("%v", object)
	}
	out, _ := c.run(operator.ExitOK, "sweep", "-walk", fmt.Sprint(object["walk"]))
	if strings.Contains(out, "walked") {
		t.Errorf("it walks again at once: %s", out)
	}
}

// With -every it goes on until it is told to stop, which is no error, and a fault
// of the store does not end it.
func TestSweepEvery(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("in FIPS 140-3 mode crypto/rand can't be seeded by the clock of a bubble")
	}
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t)
		c.Begin("alice", enrollment.BeginOptions{})
		c.Pass(time.Hour)
		c.Store.Nth(proving.List, 3, proving.Fails(errors.New("restarting")))
		ctx, cancel := context.WithTimeout(t.Context(), 16*time.Minute)
		defer cancel()
		out, errs := c.runIn(ctx, operator.ExitOK, "sweep", "-every", "5m")
		if n := strings.Count(out, " due: "); n != 4 {
			t.Errorf("%d sweeps in a quarter of an hour:\n%s", n, out)
		}
		c.contains(out, "1 setups expired", "walked over 1 accounts")
		c.contains(errs, "restarting")
	})
}

// Check says whether the keys fit, and which do not.
func TestCheck(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.Enroll("alice")
	out, _ := c.run(operator.ExitOK, "check")
	c.contains(out, "the keys fit")
	c.Keys.Ring = proving.Only(t, c.Rotate("second"))
	_, errs := c.run(operator.ExitSome, "check")
	c.contains(errs, `"first"`, `"alice"`)
	if object := c.json(operator.ExitSome, "check")[0]; object["fit"] != false || object["error"] == nil {
		t.Errorf("%v", object)
	}
}
