package cases

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// TestCase65_ConfirmTwice: autofill and Enter sent the confirmation twice, or the page
// was loaded again. The second answer was "no setup", the same as for a setup that was
// cancelled, and the recovery codes were lost (gitea#27427, sentry#3765,
// coolify#10731).
func TestCase65_ConfirmTwice(t *testing.T, open proving.Open) {
	proving.Schemes(t, func(t *testing.T, scheme func(*enrollment.Config), count int) {
		k := proving.Over(t, open(t), scheme)
		u, token := begin(k, "alice", enrollment.Proof{}, "")
		code := u.Code()
		first, err := k.Guard.Confirm(t.Context(), "alice", token, code)
		k.Must(err)
		k.Unchanged("alice", func() {
			again, err := k.Guard.Confirm(t.Context(), "alice", token, code)
			proving.Want(t, err, enrollment.ReasonAlreadyConfirmed)
			if !again.Success.Receipt.IsZero() || again.Codes.Len() != 0 {
				t.Error("a denial comes with a receipt or codes")
			}
			codes, err := k.Guard.SetupCodes(t.Context(), "alice", token)
			if err != nil || codes.Len() != count || !slices.Equal(codes.Reveal(), first.Codes.Reveal()) {
				t.Errorf("%d codes are shown again, %v", codes.Len(), err)
			}
		})
		_, cancelled := begin(k, "bob", enrollment.Proof{}, "")
		k.Must(k.Guard.Cancel(t.Context(), "bob"))
		_, err = k.Guard.Confirm(t.Context(), "bob", cancelled, code)
		proving.Want(t, err, enrollment.ReasonNoSetup)
		_, err = k.Guard.Confirm(t.Context(), "bob", token, code)
		proving.Want(t, err, enrollment.ReasonSetupInvalid)
	})
}

// TestCase65_ConfirmRace: the two requests came at the same time.
func TestCase65_ConfirmRace(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u, token := begin(k, "alice", enrollment.Proof{}, "")
	code := u.Code()
	shown := make([][]string, 64)
	got := proving.Together(len(shown), func(i int) error {
		done, err := k.Guard.Confirm(t.Context(), "alice", token, code)
		if err == nil {
			shown[i] = done.Codes.Reveal()
			return nil
		}
		if proving.ReasonOf(err) != enrollment.ReasonAlreadyConfirmed {
			return err
		}
		codes, again := k.Guard.SetupCodes(t.Context(), "alice", token)
		if again != nil {
			return again
		}
		shown[i] = codes.Reveal()
		return err
	})
	if got[""] != 1 || got[enrollment.ReasonAlreadyConfirmed] != len(shown)-1 {
		t.Errorf("outcomes %v, want 1 confirmed and the others told so", got)
	}
	for _, codes := range shown {
		if len(codes) != recovery.DefaultCount || !slices.Equal(codes, shown[0]) {
			t.Fatalf("some were shown %d other codes", len(codes))
		}
	}
}

// TestCase84_ConfirmPressedSixTimes: each press of the button hangs up the request
// before, while its recovery codes are made. Every one of them counted as a set of
// codes, none was finished, and enrolment was blocked for a day.
func TestCase84_ConfirmPressedSixTimes(t *testing.T, open proving.Open) {
	for name, together := range map[string]bool{"one after the other": false, "at the same time": true} {
		t.Run(name, func(t *testing.T) {
			k := proving.Over(t, open(t), func(c *enrollment.Config) {
				c.RecoveryScheme = recovery.Argon2id
				c.RecoveryCodes = recovery.MinCount
			})
			u, token := begin(k, "alice", enrollment.Proof{}, "")
			code := u.Code()
			press := func(int) error {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				k.Store.Nth(proving.Save, 1, func(context.Context, *proving.Call) { cancel() })
				_, err := k.Guard.Confirm(ctx, "alice", token, code)
				return err // nobody reads it
			}
			if together {
				proving.Together(5, press)
			} else {
				for i := range 5 {
					press(i)
				}
			}
			k.Store.Straighten()
			_, err := k.Guard.Confirm(t.Context(), "alice", token, code)
			proving.Want(t, err, enrollment.ReasonAlreadyConfirmed)
			codes, err := k.Guard.SetupCodes(t.Context(), "alice", token)
			if err != nil || codes.Len() != recovery.MinCount {
				t.Errorf("%d codes are shown, %v", codes.Len(), err)
			}
			for range 4 { // one set was counted
				k.Pass(time.Minute)
				_, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(u.Code()))
				proving.Want(t, err, "")
			}
			k.Pass(time.Minute)
			_, err = k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(u.Code()))
			proving.Want(t, err, enrollment.ReasonTooManyCodeSets)
		})
	}
}
