package features

import (
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// N1: the setup screen tells a user whose phone clock is wrong by how much.
func TestFeatureN1_PhoneClockIsWrong(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	setup, app := k.Begin("alice", enrollment.BeginOptions{})
	for _, off := range []time.Duration{-4 * time.Minute, 4 * time.Minute, -10 * time.Minute, 10 * time.Minute} {
		shown := proving.Shown(app, k.Now().Add(off))
		_, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, shown)
		denied := proving.Want(t, err, enrollment.ReasonClockSkew)
		if d := (denied.Skew - off).Abs(); d > 30*time.Second {
			t.Errorf("told %v, the clock is off by %v", denied.Skew, off)
		}
		if !errors.Is(err, enrollment.ErrWrongCode) {
			t.Error("that is no wrong code")
		}
	}
	if k.Status("alice").Enabled() {
		t.Error("enabled by a phone that will not sign in")
	}
	k.Confirm("alice", setup, app)       // the clock is set right
	for _, steps := range []int{0, +1} { // and drifts
		ok := k.In(k.Challenge("alice"), k.Code(app, steps))
		if want := time.Duration(steps) * 30 * time.Second; ok.Drift != want {
			t.Errorf("told a drift of %v, want %v", ok.Drift, want)
		}
	}
}

// N1, where the clock is right and the app ignores what the setup asks for.
func TestFeatureN1_AppIgnoresParams(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.Params = totp.Params{Algorithm: totp.SHA256} })
	setup, asked := k.Begin("alice", enrollment.BeginOptions{})
	app, err := totp.NewKey(asked.Secret(), totp.Params{})
	k.Must(err)
	_, err = k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(app))
	proving.Want(t, err, enrollment.ReasonParamsIgnored)
	if !errors.Is(err, enrollment.ErrWrongCode) || k.Status("alice").Enabled() {
		t.Error("that is no wrong code")
	}
	k.Confirm("alice", setup, asked) // an app that does not
}
