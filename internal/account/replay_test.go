package account_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// twins is an account with two authenticators that another system has proven.
func twins(t *testing.T, a, b totp.Key) *world {
	t.Helper()
	w := newWorld(t)
	must(t, w.a.Import(w.moment(), []account.Authenticator{imported(a, 1), imported(b, 2)}, nil, false, admin))
	w.reload()
	return w
}

// TestCase82_CodesThatCoincide: two authenticators of one account show the same
// code, since HMAC pads its key with zeros, or by chance. Its step is used up on
// both.
func TestCase82_CodesThatCoincide(t *testing.T) {
	t.Parallel()
	padded, err := totp.NewSecret(append(key(t, 1).Secret().Reveal(), 0))
	must(t, err)
	same, err := totp.NewKey(padded, totp.Params{})
	must(t, err)
	tests := []struct {
		name  string
		a, b  totp.Key
		at    time.Time
		later time.Duration // when the second shows the code that the first shows at that time
	}{
		{"always", key(t, 1), same, start.Add(time.Hour), 0},
		{"always, the other way round", same, key(t, 1), start.Add(time.Hour), 0},
		{"by chance", key(t, 1), key(t, 41), time.Unix(60146121*30, 0).UTC(), 0},
		{"by chance, at the next step", key(t, 1), key(t, 41), time.Unix(60884758*30, 0).UTC(), 30 * time.Second},
		{"by chance, at the step before", key(t, 41), key(t, 1), time.Unix(60884759*30, 0).UTC(), -30 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := twins(t, tt.a, tt.b)
			c := code(t, tt.a, tt.at)
			if code(t, tt.b, tt.at.Add(tt.later)) != c {
				t.Fatal("the codes don't coincide")
			}
			w.now = tt.at
			mustReason(t, w.check(c), "")
			for _, after := range []time.Duration{0, 30 * time.Second, 30 * time.Second} {
				w.now = w.now.Add(after)
				w.reload()
				if err := w.check(c); err == nil {
					t.Errorf("%v later the code works again", w.now.Sub(tt.at))
				}
			}
			// What was not used works on each of them, once.
			w.now = w.now.Add(time.Minute)
			shown := map[string]bool{code(t, tt.a, w.now): true, code(t, tt.b, w.now): true}
			for c := range shown {
				mustReason(t, w.check(c), "")
				mustReason(t, w.check(c), account.Replayed)
			}
		})
	}
}

// What an authenticator has used stays used when it is replaced, and its secret
// comes back under a clock that was set back meanwhile.
func TestReplacedAuthenticatorKeepsItsMark(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	w.now = w.now.Add(time.Hour)
	used := code(t, k, w.now.Add(30*time.Second)) // a phone that is ahead
	mustReason(t, w.check(used), "")
	end := k.StepTime(k.Step(w.now) + 2)
	id := w.begin(41, w.a.Authenticators()[0].ID)
	_, err := w.a.Confirm(w.moment(), id, code(t, key(t, 41), w.now))
	must(t, err)
	w.reload()
	if got := account.LastUsed(w.a); got != end.Unix()-1 {
		t.Errorf("used up to %v, want %v", time.Unix(got, 0).UTC(), end)
	}
	mustReason(t, w.a.Reset(w.moment(), root, account.TicketHash{}), "")
	now := w.now
	w.now = now.Add(-time.Hour)
	must(t, w.a.Import(w.moment(), []account.Authenticator{imported(k, 1)}, nil, true, admin))
	w.now = now
	w.reload()
	mustReason(t, w.check(used), account.Replayed)
}
