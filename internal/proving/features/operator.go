package features

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/operator"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// N15: operator commands as a package. A program of the host has a command for each
// mishap, with a dry run for each that writes.
func TestFeatureN15_OperatorCommands(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	run := func(want int, args string) string {
		t.Helper()
		var out bytes.Buffer
		code := operator.Run(t.Context(), strings.Fields(args), operator.Options{
			Guard: k.Guard, Lister: k.Store, Actor: "ops", Now: k.Now, Stdout: &out, Stderr: &out,
		})
		if code != want {
			t.Errorf("%s: exits with %d, want %d: %s", args, code, want, &out)
		}
		return out.String()
	}
	for range 5 {
		_, err := u.Answer(u.Wrong())
		proving.Want(t, err, enrollment.ReasonWrongCode)
	}
	k.Unchanged("alice", func() {
		run(operator.ExitOK, "unlock alice -reason telephone -n")
		run(operator.ExitOK, "status alice")
		run(operator.ExitOK, "stats")
		run(operator.ExitOK, "unreadable")
		run(operator.ExitOK, "check")
	})
	run(operator.ExitOK, "unlock alice -reason telephone")
	k.NextCode(u.Key)
	_, err := u.Answer(u.Code())
	proving.Want(t, err, "")
	run(operator.ExitOK, "bypass alice -reason telephone -for 1h")
	k.SignIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
	run(operator.ExitOK, "move alice alicia -reason married")
	run(operator.ExitDenied, "approve alicia -reason telephone")
	run(operator.ExitDenied, "refuse alicia -reason telephone")
	run(operator.ExitOK, "sweep")
	run(operator.ExitOK, "reseal")
	if out := run(operator.ExitOK, "reset alicia -ticket -reason lost"); !strings.Contains(out, "ticket") {
		t.Error(out)
	}
	run(operator.ExitOK, "help")
}
