package states

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// The states of an account whose key is too short, and whose time for that is over.

func (s *State) shortKey() totp.Key {
	secret, err := totp.ShortSecrets{}.NewSecret([]byte("eighty bit"))
	s.Must(err)
	key, err := totp.NewKey(secret, totp.Params{})
	s.Must(err)
	return key
}

// outdate takes an account with such a key over from another system, and begins to
// replace the key where the state is that of a replacement.
func (s *State) outdate() {
	s.t.Helper()
	s.App = s.shortKey()
	s.takeOver()
	if s.Name == "outdated" {
		return
	}
	_, err := s.Answer(s.Challenge, s.Right())
	s.Spent, s.Replace = s.Challenge, *proving.Want(s.t, err, enrollment.ReasonMustReplace).Replace
	setup, key := s.Begin(User, s.Replacing())
	s.Waits, s.Token = key, setup.Token
	s.Pass(30 * time.Second)
	s.Challenge = s.Kit.Challenge(User)
}

// Replacing is what begins the setup that replaces the key.
func (s *State) Replacing() enrollment.BeginOptions {
	return enrollment.BeginOptions{Account: "a", Replace: s.Replace.Authenticator, Proof: enrollment.ByEnrollToken(s.Replace.EnrollToken, "")}
}

// shorten replaces the second app of a confirmed account by a token with a short key,
// whose time is over at once.
func shorten(s *State) {
	s.Configure(func(c *enrollment.Config) { c.ShortSecretsUntil = s.Now().Add(time.Hour) })
	setup, key := s.Begin(User, enrollment.BeginOptions{
		HardwareToken: s.shortKey(), Replace: s.Status(User).Authenticators[1].ID, Proof: enrollment.ByReceipt(s.Receipt),
	})
	_, err := s.Guard.Confirm(s.t.Context(), User, setup.Token, s.Code(key))
	s.Must(err)
	s.Second = key
	s.tick()
	s.refresh()
	s.tick()
	s.Configure(func(c *enrollment.Config) { c.ShortSecretsUntil = time.Time{} })
}

// An account with a key that is too short is walked like any other, but for the answer to
// a challenge: that only leads to the replacement.
func TestStateTableOutdated(t *testing.T, open proving.Open) {
	lead := func(t *testing.T, open proving.Open, state string, r needs) *State {
		prepare := r.prepare
		r.prepare = func(s *State) {
			shorten(s)
			if prepare != nil {
				prepare(s)
			}
		}
		return tabled(t, open, state, r)
	}
	states, rows := docTable(t, "none", "pending", "confirmed")
	for _, row := range rows {
		t.Run(row[0], func(t *testing.T) {
			t.Parallel()
			if row[0] != "Answer" && row[0] != "ThreeCodes.Answer" {
				walk(t, open, lead, row[0], "confirmed", row[1+slices.Index(states, "confirmed")])
				return
			}
			o := operations[row[0]]
			s := o.ready(lead(t, open, "confirmed", o.needs))
			s.expect(o.call(s, enrollment.Proof{}), string(enrollment.ReasonMustReplace))
			s.expect(o.call(s, enrollment.Proof{}), string(enrollment.ReasonChallengeSpent))
		})
	}
}
