package races

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

// tokens are those of as many sign-ins that demand the setup.
func tokens(t *testing.T, s *states.State) []enrollment.EnrollToken {
	t.Helper()
	all := make([]enrollment.EnrollToken, racers)
	for i := range all {
		all[i] = s.SignIn(states.User, enrollment.SignInOptions{Require: true}, enrollment.MustEnroll).EnrollToken
	}
	return all
}

// beginBy begins the setup that was demanded.
func beginBy(t *testing.T, s *states.State, token enrollment.EnrollToken) (enrollment.Setup, error) {
	return s.Guard.Begin(t.Context(), states.User, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByEnrollToken(token, "")})
}

// Of a user who has no account, each browser has a token with an epoch of its own. One of
// them begins the setup, and only that one can complete the sign-in.
func TestRaceOfEnrollTokens(t *testing.T, open proving.Open) {
	s := begin(t, open, "none")
	all := tokens(t, s)
	setups := make([]enrollment.Setup, racers)
	s.Store.Gather(racers) // nobody has an account when they load it
	got := race(func(i int) (err error) {
		setups[i], err = beginBy(t, s, all[i])
		return err
	})
	one(t, got, enrollment.ReasonEnrollTokenInvalid)
	for i, reason := range got {
		_, err := beginBy(t, s, all[i])
		proving.Want(t, err, reason) // the next time it is the same
		if reason != "" {
			continue
		}
		_, err = s.Guard.Resume(t.Context(), states.User, setups[i].Token)
		proving.Want(t, err, enrollment.ReasonSetupSuperseded)
	}
}

// Who begins with a token while the setup that it began is confirmed undoes nothing: the
// account has the app that was confirmed, and no other setup is pending.
func TestRaceOfEnrollTokenAndConfirm(t *testing.T, open proving.Open) {
	s := begin(t, open, "none")
	token := tokens(t, s)[0]
	setup, err := beginBy(t, s, token)
	s.Must(err)
	code := s.Code(proving.KeyOf(t, setup))
	purposes := make([]enrollment.Purpose, racers)
	s.Store.Gather(racers)
	got := race(func(i int) error {
		if i%2 == 0 {
			done, err := s.Guard.Confirm(t.Context(), states.User, setup.Token, code)
			purposes[i] = done.Success.Purpose
			return err
		}
		_, err := beginBy(t, s, token)
		return err
	})
	status, confirmed := s.Status(states.User), 0
	for i, reason := range got {
		switch {
		case i%2 == 0 && reason == "":
			confirmed++
			if purposes[i] != enrollment.PurposeSignIn {
				t.Errorf("the purpose is %q", purposes[i])
			}
		case i%2 == 0 && reason != enrollment.ReasonAlreadyConfirmed && reason != enrollment.ReasonSetupSuperseded:
			t.Errorf("Confirm is denied as %q", reason)
		case i%2 == 1 && reason != "" && reason != enrollment.ReasonEnrollTokenInvalid:
			t.Errorf("Begin is denied as %q", reason)
		}
	}
	if confirmed > 1 || status.Enabled() != (confirmed == 1) || status.SetupExpires.IsZero() != status.Enabled() {
		t.Errorf("%d have confirmed, enabled %t, a setup until %v: %q", confirmed, status.Enabled(), status.SetupExpires, got)
	}
	s.Pass(time.Minute)
	if _, err := beginBy(t, s, token); proving.ReasonOf(err) != map[bool]enrollment.Reason{true: enrollment.ReasonEnrollTokenInvalid}[status.Enabled()] {
		t.Errorf("afterwards: %v", err)
	}
}
