package cases

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// TestCase67_WrongClock: with a wrong clock of the server, everybody's codes were
// wrong, and it looked like an attack (komari#546). The operator sees the
// difference, and a user whose phone drifts hears of it (openproject#11978).
func TestCase67_WrongClock(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	crowd := k.EnrollAll(proving.Users(12)...)
	k.Pass(time.Hour)
	grown := func(code func(*proving.Person) string, want enrollment.Reason) enrollment.ClockHints {
		t.Helper()
		before := k.Guard.ClockHints()
		for _, p := range crowd {
			proving.Want(t, signIn(p, code(p)), want)
			k.Pass(time.Second)
		}
		k.Pass(16 * time.Minute)
		now := k.Guard.ClockHints()
		return enrollment.ClockHints{
			WrongCodes: now.WrongCodes - before.WrongCodes, RightAtOtherTime: now.RightAtOtherTime - before.RightAtOtherTime,
		}
	}
	attack := grown((*proving.Person).Wrong, enrollment.ReasonWrongCode)
	if want := (enrollment.ClockHints{WrongCodes: 12}); attack != want {
		t.Errorf("guesses are counted as %+v, want %+v", attack, want)
	}
	k.Pass(-4 * time.Minute) // the clock of the server is slow
	slow := grown(func(p *proving.Person) string { return p.Code(+8) }, enrollment.ReasonWrongCode)
	if want := (enrollment.ClockHints{WrongCodes: 12, RightAtOtherTime: 12}); slow != want {
		t.Errorf("codes of a server that is slow are counted as %+v, want %+v", slow, want)
	}
	k.Pass(4 * time.Minute)
	right := grown(func(p *proving.Person) string { return p.Code(+1) }, "")
	if right != (enrollment.ClockHints{}) {
		t.Errorf("right codes are counted as %+v", right)
	}
	ok, err := crowd[0].Answer(crowd[0].Code(-1))
	k.Must(err)
	if ok.Drift != -30*time.Second {
		t.Errorf("a phone that is slow drifts by %v", ok.Drift)
	}
}
