package cases

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Cases about errors that say more than they should.

// errDown is what fails while something is down.
var errDown = errors.New("down")

// nothingDrawn is a source of randomness that is broken.
type nothingDrawn struct{}

func (nothingDrawn) Read([]byte) (int, error) { return 0, errDown }

// An evaluation is an operation that evaluates a code, in some state.
type evaluation struct {
	name, state  string
	scheme       recovery.Scheme
	right, wrong func(s *states.State) string
	call         func(ctx context.Context, s *states.State, code string) error
}

func evaluations() []evaluation {
	type (
		S = *states.State
		C = context.Context
	)
	answer := func(challenge func(s S) enrollment.Challenge) func(C, S, string) error {
		return func(ctx C, s S, code string) error {
			_, err := s.Guard.Answer(ctx, enrollment.PurposeSignIn, challenge(s), code)
			return err
		}
	}
	proven := func(f func(C, S, enrollment.Proof) error) func(C, S, string) error {
		return func(ctx C, s S, code string) error { return f(ctx, s, enrollment.ByCode(code)) }
	}
	signIn := answer(func(s S) enrollment.Challenge { return s.Challenge })
	confirm := func(ctx C, s S, code string) error {
		_, err := s.Guard.Confirm(ctx, states.User, s.Token, code)
		return err
	}
	confirmAddress := func(ctx C, s S, code string) error {
		_, err := s.Guard.Messages().Confirm(ctx, states.User, s.Binding, code)
		return err
	}
	renew := proven(func(ctx C, s S, p enrollment.Proof) error {
		_, err := s.Guard.RenewCodes(ctx, states.User, p)
		return err
	})
	begin := func(replace bool) func(C, S, string) error {
		return proven(func(ctx C, s S, p enrollment.Proof) error {
			o := enrollment.BeginOptions{Account: "a", Proof: p}
			if replace {
				o.Replace = s.SecondID
			}
			_, err := s.Guard.Begin(ctx, states.User, o)
			return err
		})
	}
	message := func(s S) string { return s.Message }
	waits := func(s S) string { return s.Code(s.Waits) }
	recoveryCode := func(s S) string { return s.Codes[1] }
	imported := func(s S) string { return s.System[1] }
	none := func(S) string { return "none-of-them" }

	return []evaluation{
		{"Answer", "confirmed", recovery.Fast, S.Right, S.Wrong, signIn},
		{"Answer by a recovery code", "confirmed", recovery.Fast, recoveryCode, S.Unknown, signIn},
		{"Answer by a slow recovery code", "confirmed", recovery.Argon2id, recoveryCode, S.Unknown, signIn},
		{"Answer by a code that is replaced", "replenished", recovery.Fast, recoveryCode, S.Unknown, signIn},
		{"Answer by an imported code", "imported", recovery.Fast, imported, none, signIn},
		{"Answer by a message", "sent", recovery.Fast, message, S.WrongMessage, answer(func(s S) enrollment.Challenge { return s.Sent })},
		{"Verify", "confirmed", recovery.Fast, S.Right, S.Wrong, func(ctx C, s S, code string) error {
			_, err := s.Guard.Verify(ctx, states.User, "x", code)
			return err
		}},
		{"Confirm", "pending", recovery.Fast, waits, S.Wrong, confirm},
		{"Confirm that makes codes slowly", "pending", recovery.Argon2id, waits, S.Wrong, confirm},
		{"Confirm another", "staged", recovery.Fast, waits, S.Wrong, confirm},
		{"Messages.Confirm", "binding", recovery.Fast, message, S.WrongMessage, confirmAddress},
		{"Messages.Confirm alone", "alone", recovery.Fast, message, S.WrongMessage, confirmAddress},
		{"Begin", "confirmed", recovery.Fast, S.Right, S.Wrong, begin(false)},
		{"Begin+Replace", "confirmed", recovery.Fast, S.Right, S.Wrong, begin(true)},
		{"Messages.Bind", "confirmed", recovery.Fast, S.Right, S.Wrong, proven(func(ctx C, s S, p enrollment.Proof) error {
			_, err := s.Guard.Messages().Bind(ctx, states.User, enrollment.BindOptions{Channel: "email", To: "a@example.com", Proof: p})
			return err
		})},
		{"Messages.Unbind", "addressed", recovery.Fast, S.Right, S.Wrong, proven(func(ctx C, s S, p enrollment.Proof) error {
			return s.Guard.Messages().Unbind(ctx, states.User, p)
		})},
		{"RenewCodes", "confirmed", recovery.Fast, S.Right, S.Wrong, renew},
		{"RenewCodes slowly", "confirmed", recovery.Argon2id, S.Right, S.Wrong, renew},
		{"RecoveryCodes", "kept", recovery.Fast, S.Right, S.Wrong, proven(func(ctx C, s S, p enrollment.Proof) error {
			_, err := s.Guard.RecoveryCodes(ctx, states.User, p)
			return err
		})},
		{"Remove", "confirmed", recovery.Fast, S.Right, S.Wrong, proven(func(ctx C, s S, p enrollment.Proof) error {
			return s.Guard.Remove(ctx, states.User, s.SecondID, p)
		})},
		{"Disable", "confirmed", recovery.Fast, S.Right, S.Wrong, proven(func(ctx C, s S, p enrollment.Proof) error {
			return s.Guard.Disable(ctx, states.User, p)
		})},
	}
}

// TestCase77_ErrorsAreOracles: while nothing could be sealed, one error came for
// a right code and another for a wrong one, and no guess was counted.
func TestCase77_ErrorsAreOracles(t *testing.T, open proving.Open) {
	faults := map[string]func(s *states.State){
		"nothing is sealed": func(s *states.State) {
			s.Keys.Sealing = func(scope, plaintext []byte) error { return errDown }
		},
		"nothing is saved": func(s *states.State) { s.Store.Fail(proving.Save, errDown) },
		"nothing is drawn": func(s *states.State) { s.Keys.Random = nothingDrawn{} },
	}
	for _, x := range evaluations() {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			state := states.New(t, x.state, x.scheme)
			for fault, bend := range faults {
				s := state.On(t, open)
				bend(s)
				var right, wrong error
				s.Unchanged(states.User, func() {
					wrong = x.call(t.Context(), s, x.wrong(s))
					right = x.call(t.Context(), s, x.right(s))
				})
				if !errors.Is(right, errDown) || !errors.Is(wrong, errDown) || right.Error() != wrong.Error() {
					t.Errorf("%s:\n\tright: %v\n\twrong: %v", fault, right, wrong)
				}
				s.Store.Straighten()
				s.Keys.Sealing, s.Keys.Random = nil, nil
				if err := x.call(t.Context(), s, x.right(s)); err != nil {
					t.Errorf("%s, and no longer: %v", fault, err)
				}
			}
			if !strings.HasSuffix(x.name, "slowly") { // a right code first has the set counted, in a write of its own
				x.failsFrom(t, state.On(t, open))
			}
		})
	}
}

// failsFrom lets the store and the Sealer fail from each call on. As long as a right
// code gets an error, a wrong one gets the same, and neither changes anything.
func (x evaluation) failsFrom(t *testing.T, s *states.State) {
	t.Helper()
	left := 0
	fail := func() error {
		if left--; left < 0 {
			return errDown
		}
		return nil
	}
	s.Keys.Sealing = func(_, _ []byte) error { return fail() }
	s.Keys.Opening = s.Keys.Sealing
	for _, op := range []proving.Op{proving.Load, proving.Save} {
		s.Store.Before(op, func(_ context.Context, c *proving.Call) { c.Err = fail() })
	}
	try := func(calls int, code string) error {
		left = calls
		return x.call(t.Context(), s, code)
	}
	for calls := 0; ; calls++ {
		before := s.Record(states.User)
		wrong := try(calls, x.wrong(s))
		var denied *enrollment.Denied
		if errors.As(wrong, &denied) {
			if s.Record(states.User).Version == before.Version {
				t.Errorf("after %d calls, a wrong code was not counted: %v", calls, wrong)
			}
			if right := try(calls, x.right(s)); right != nil {
				t.Errorf("after %d calls, a wrong code got %v, and a right one %v", calls, wrong, right)
			}
			return
		}
		s.Unchanged(states.User, func() {
			right := try(calls, x.right(s))
			if !errors.Is(right, errDown) || !errors.Is(wrong, errDown) || right.Error() != wrong.Error() {
				t.Errorf("after %d calls:\n\tright: %v\n\twrong: %v", calls, right, wrong)
			}
		})
	}
}
