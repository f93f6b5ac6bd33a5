package operator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/operator"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// keyLost is a service whose first key is lost: of its accounts in every state those
// from after the rotation open.
func keyLost(t *testing.T) *console {
	c := newConsole(t)
	c.Enroll("alice")
	c.Enroll("off")
	_, err := c.Guard.Admin("root", "x").Reset(t.Context(), "off", enrollment.ResetOptions{})
	c.Must(err)
	c.Begin("pending", enrollment.BeginOptions{})
	c.Begin("none", enrollment.BeginOptions{})
	c.Must(c.Guard.Cancel(t.Context(), "none"))
	c.Keys.Ring = proving.Only(t, c.Rotate("second"))
	c.Enroll("later")
	c.Told()
	return c
}

// TestCase70_KeysLost: keys were lost, and accounts that nobody could open were taken
// for accounts without a second factor, or nobody could sign in and nobody knew why
// (mastodon#32375).
func TestCase70_KeysLost(t *testing.T) {
	t.Parallel()
	c := keyLost(t)
	lost := []string{"alice", "none", "off", "pending"}
	if err := c.Directory().CheckKeys(t.Context()); !errors.Is(err, enrollment.ErrCorrupt) {
		t.Errorf("the start is not refused: %v", err)
	}
	// Whatever the state in clear says, it is a fault.
	for _, id := range lost {
		if d, err := c.Guard.SignIn(t.Context(), id, enrollment.SignInOptions{}); !errors.Is(err, enrollment.ErrCorrupt) || d.Next != enrollment.Refuse {
			t.Errorf("%s: %v, %v", id, d.Next, err)
		}
		if _, err := c.Guard.Begin(t.Context(), id, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")}); !errors.Is(err, enrollment.ErrCorrupt) {
			t.Errorf("%s: %v", id, err)
		}
	}

	lines := c.json(operator.ExitSome, "unreadable")
	if len(lines) != 5 || lines[4]["unreadable"] != 4.0 || lines[4]["readable"] != 1.0 {
		t.Fatalf("%v", lines)
	}
	for i, state := range []string{"confirmed", "none", "disabled", "pending"} {
		if x := lines[i]; x["user_id"] != lost[i] || x["state"] != state || x["key"] != "first" || x["error"] == nil {
			t.Errorf("listed %v, want %s", x, lost[i])
		}
	}

	// Only the exact number erases.
	c.Untouched(func() {
		c.run(operator.ExitDenied, "unreadable", "-erase", "-yes", "3", "-reason", "keys lost")
		c.run(operator.ExitDenied, "unreadable", "-erase", "-yes", "5", "-reason", "keys lost")
		c.run(operator.ExitUsage, "unreadable", "-erase", "-yes", "4")
	}, lost...)
	// Those who do not use it can be freed first, while the key is looked for.
	idle := c.json(operator.ExitSome, "unreadable", "-state", "none,pending,disabled")
	if sum := idle[len(idle)-1]; sum["unreadable"] != 3.0 || fmt.Sprint(sum["states"]) != "map[disabled:1 none:1 pending:1]" {
		t.Errorf("%v", sum)
	}
	c.Unchanged("alice", func() {
		c.run(operator.ExitUsage, "unreadable", "-state", "lost")
		c.run(operator.ExitDenied, "unreadable", "-erase", "-state", "pending", "-yes", "3", "-reason", "keys lost")
		c.run(operator.ExitOK, "unreadable", "-erase", "-state", "pending", "-yes", "1", "-reason", "keys lost")
	})
	out, _ := c.run(operator.ExitOK, "unreadable", "-erase", "-yes", "3", "-reason", "keys lost")
	c.contains(out, `erased "alice", which was confirmed`, "3 of 3 erased")
	for _, id := range lost {
		c.SignIn(id, enrollment.SignInOptions{}, enrollment.Proceed)
		told := c.EventsOf(id, enrollment.EventErased)
		if len(told) != 1 || told[0].Actor != "ops/ann" || told[0].Note != "keys lost" {
			t.Errorf("%s was told %+v", id, told)
		}
	}
	if !c.Status("later").Enabled() {
		t.Error("an account that opens was erased")
	}
	c.run(operator.ExitOK, "unreadable")
	c.run(operator.ExitOK, "check")
}

// If no account opens, the keys of this program are more likely wrong than lost.
func TestUnreadableAll(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.Enroll("alice")
	good := c.Keys.Ring
	c.Keys.Ring = proving.Only(t, c.Rotate("second"))
	c.Unchanged("alice", func() {
		_, errs := c.run(operator.ExitDenied, "unreadable", "-erase", "-yes", "1", "-reason", "x")
		c.contains(errs, "-keys-lost")
		c.run(operator.ExitOK, "unreadable", "-erase", "-yes", "1", "-reason", "x", "-keys-lost", "-n")
	})
	c.Keys.Ring = good
	if !c.Status("alice").Enabled() {
		t.Error("it was erased")
	}
	c.Keys.Ring = proving.Only(t, c.Rotate("second"))
	c.run(operator.ExitOK, "unreadable", "-erase", "-yes", "1", "-reason", "x", "-keys-lost")
}

// A key service that is down makes no account unreadable.
func TestUnreadableIsNotOutOfOrder(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.Enroll("alice")
	c.Keys.Opening = func(_, _ []byte) error { return errors.New("the key service is down") }
	c.Unchanged("alice", func() {
		c.run(operator.ExitFault, "unreadable")
		c.run(operator.ExitFault, "unreadable", "-erase", "-yes", "1", "-keys-lost", "-reason", "x")
		if erased, err := c.Guard.Admin("root", "x").EraseUnreadable(t.Context(), "alice"); erased || err == nil {
			t.Errorf("%t, %v", erased, err)
		}
	})
}

// An account that was repaired after the listing is not erased, whenever that was.
func TestUnreadableRepairedMeanwhile(t *testing.T) {
	t.Parallel()
	for n, op := range []proving.Op{proving.Load, proving.Save} {
		c := newConsole(t)
		c.Enroll("alice")
		c.Enroll("bob")
		whole := c.Record("alice")
		c.Damage("alice")
		repaired := whole
		repaired.Version = c.Record("alice").Version
		c.Store.Nth(op, 1, func(context.Context, *proving.Call) {
			c.Must(c.Store.Straight.Erase(t.Context(), "alice"))
			c.Must(c.Store.Straight.Save(t.Context(), whole, 0))
		})
		out, _ := c.run([]int{operator.ExitOK, operator.ExitSome}[n], "unreadable", "-erase", "-yes", "1", "-reason", "x")
		c.contains(out, "0 of 1 erased")
		if !c.Status("alice").Enabled() {
			t.Errorf("%s: it was erased", op)
		}
		if told := c.EventsOf("alice", enrollment.EventErased); len(told) != 0 {
			t.Errorf("%s: told %+v", op, told)
		}
	}
}

// If nobody can be told, the account has given way to an empty one, which Sweep
// tells of.
func TestUnreadableUntold(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.Enroll("alice")
	c.Enroll("bob")
	c.Damage("alice")
	c.FailNotify(errors.New("down"))
	c.run(operator.ExitOK, "unreadable", "-erase", "-yes", "1", "-reason", "x")
	if s := c.Status("alice"); s.Enabled() || len(s.History) != 1 {
		t.Errorf("%+v", s)
	}
	c.FailNotify(nil)
	c.Pass(enrollment.NotifyTimeout * 10)
	c.Sweep()
	if told := c.EventsOf("alice", enrollment.EventErased); len(told) != 1 {
		t.Errorf("told %+v", told)
	}
}

// Both parts of an unfinished move are named, and are not erased.
func TestUnreadableNamesMoves(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.Enroll("alice")
	c.Store.Nth(proving.Save, 3, proving.Fails(proving.ErrLost))
	c.run(operator.ExitFault, "move", "alice", "alicia", "-reason", "x")
	lines := c.json(operator.ExitSome, "unreadable")
	if len(lines) != 3 || lines[2]["moving"] != 2.0 || lines[2]["unreadable"] != 0.0 {
		t.Errorf("%v", lines)
	}
	c.Untouched(func() { c.run(operator.ExitOK, "unreadable", "-erase", "-reason", "x") }, "alice", "alicia")
	if object := c.json(operator.ExitSome, "stats")[0]; object["moving"] != 2.0 {
		t.Errorf("%v", object)
	}
	c.run(operator.ExitOK, "move", "alice", "alicia", "-reason", "x")
	object := c.json(operator.ExitOK, "stats")[0]
	if object["moved"] != 1.0 || fmt.Sprint(object["states"]) != "map[confirmed:1]" {
		t.Errorf("%v", object)
	}
}

// What becomes unreadable after the count was confirmed is not erased with the rest.
func TestUnreadableMoreThanConfirmed(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	for _, id := range []string{"alice", "bob", "carol"} {
		c.Enroll(id)
	}
	c.Damage("alice")
	c.Store.Nth(proving.List, 2, func(context.Context, *proving.Call) { c.Damage("bob") })
	c.Unchanged("carol", func() {
		out, _ := c.run(operator.ExitOK, "unreadable", "-erase", "-yes", "1", "-reason", "x")
		c.contains(out, "1 of 1 erased")
	})
	if _, err := c.Store.Load(t.Context(), "bob"); err != nil {
		t.Errorf("one was erased that nobody has confirmed: %v", err)
	}
}

// An account that a later version of the library has written is listed, and neither counted
// among those that can't be opened nor erased with them.
func TestUnreadableBesideNewer(t *testing.T) {
	t.Parallel()
	c := keyLost(t)
	c.Keys.Opened = func(_, plaintext []byte) []byte { return append(bytes.Clone(plaintext), 255, 0, 1, 7) }
	lines := c.json(operator.ExitSome, "unreadable")
	if sum := lines[len(lines)-1]; sum["unreadable"] != 4.0 || sum["newer"] != 1.0 || sum["readable"] != 0.0 {
		t.Errorf("%v", sum)
	}
	if x := lines[1]; x["user_id"] != "later" || x["erased"] != nil {
		t.Errorf("listed %v, want later", x)
	}
	c.Unchanged("later", func() {
		c.run(operator.ExitDenied, "unreadable", "-erase", "-yes", "5", "-reason", "keys lost")
		c.run(operator.ExitOK, "unreadable", "-erase", "-yes", "4", "-reason", "keys lost")
	})
	c.Keys.Opened = nil
	c.json(operator.ExitOK, "unreadable")
}
