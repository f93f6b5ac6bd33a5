package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/qr"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// session is a conversation with one user. It prints no escape sequences, so
// that it reads the same in a terminal, a pipe and a file.
type session struct {
	guard *enrollment.Guard
	user  string
	in    *bufio.Scanner
	out   io.Writer
	now   func() time.Time
}

func newSession(g *enrollment.Guard, user string, in io.Reader, out io.Writer, now func() time.Time) *session {
	return &session{guard: g, user: user, in: bufio.NewScanner(in), out: out, now: now}
}

func (s *session) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

// ask returns the next line that the user types, or io.EOF.
func (s *session) ask(prompt string) (string, error) {
	fmt.Fprint(s.out, prompt)
	if !s.in.Scan() {
		if err := s.in.Err(); err != nil {
			return "", fmt.Errorf("reading the input: %w", err)
		}
		return "", io.EOF
	}
	return strings.TrimSpace(s.in.Text()), nil
}

// enroll sets an authenticator up.
func (s *session) enroll(ctx context.Context, background qr.Background) error {
	setup, err := s.guard.Begin(ctx, s.user, enrollment.BeginOptions{Account: s.user})
	if err != nil {
		return err
	}
	code, err := setup.QR()
	if err != nil {
		return err
	}
	s.say("\nTwo-factor authentication is off. Scan the QR code with an authenticator app")
	s.say("(not readable? try -light), or type this key into it:\n")
	s.say("    %s\n", setup.Secret())
	s.say("No phone? This prints the codes:\n")
	s.say("    oathtool --totp -b %s\n", strings.ReplaceAll(setup.Secret(), " ", ""))
	s.say("Key, command and QR code hold the secret. That is fine for a demonstration; a")
	s.say("real program shows them to their owner only, and never writes them to a log.\n")
	fmt.Fprint(s.out, code.Terminal(background))
	for {
		typed, err := s.ask("Code in the app: ")
		if err != nil {
			return err
		}
		done, err := s.guard.Confirm(ctx, s.user, setup.Token, typed)
		if err := s.explain(err); err != nil {
			return err
		}
		if errors.Is(err, enrollment.ErrSetup) {
			return s.enroll(ctx, background) // it has expired: from the beginning
		}
		if err == nil {
			s.say("\nRight. Two-factor authentication is on from now.\n")
			s.say("%s", done.Codes.Sheet(recovery.Sheet{Issuer: "Acme", Account: s.user, Created: s.now()}))
			return nil
		}
	}
}

// signInRepeatedly asks for codes as if the user signed in again and again, with
// the password right each time.
func (s *session) signInRepeatedly(ctx context.Context) error {
	s.say("\nNow sign in, as often as you like. Try a code twice, a wrong one, a recovery")
	s.say("code, six wrong ones in a row. End with Ctrl-D.\n")
	for {
		decision, err := s.guard.SignIn(ctx, s.user, enrollment.SignInOptions{})
		if err != nil {
			return err
		}
		if decision.Next != enrollment.AskCode {
			return fmt.Errorf("two-factor authentication was switched off meanwhile: %v", decision.Next)
		}
		if err := s.answer(ctx, decision.Challenge); err != nil {
			return err
		}
	}
}

// answer asks for codes until the challenge is answered, or can't be any more.
func (s *session) answer(ctx context.Context, challenge string) error {
	for {
		typed, err := s.ask("Code: ")
		if err != nil {
			return err
		}
		ok, err := s.guard.Answer(ctx, enrollment.PurposeSignIn, challenge, typed)
		if err == nil {
			return s.welcome(ctx, ok)
		}
		if err := s.explain(err); err != nil {
			return err
		}
		if errors.Is(err, enrollment.ErrChallenge) {
			return nil
		}
	}
}

// welcome says what a right code was.
func (s *session) welcome(ctx context.Context, ok enrollment.Success) error {
	if ok.Factor == enrollment.FactorRecovery {
		s.say("  Right: a recovery code. It is used up; %d are left.", ok.CodesLeft)
		return nil
	}
	status, err := s.guard.Status(ctx, s.user)
	if err != nil {
		return err
	}
	for _, a := range status.Authenticators {
		if a.ID == ok.Authenticator {
			s.say("  Right: a code of the app %q. It is used up.", a.Name)
		}
	}
	return nil
}

// explain says what an answer of the Guard means. It returns the error if it
// is not one about what the user did, and nil otherwise.
func (s *session) explain(err error) error {
	var denied *enrollment.Denied
	if !errors.As(err, &denied) {
		return err
	}
	kind := "code of the app"
	if denied.Factor == enrollment.FactorRecovery {
		kind = "recovery code"
	}
	switch denied.Reason {
	case enrollment.ReasonWrongCode:
		s.say("  Wrong, taken for a %s. It was counted.", kind)
	case enrollment.ReasonReplayed:
		s.say("  Used already: a %s works once. Take the next one.", kind)
	case enrollment.ReasonMalformedCode:
		s.say("  Not a code: six digits of the app, or sixteen symbols of a recovery code.")
	case enrollment.ReasonClockSkew:
		s.say("  Right for another time: the app's clock is %v %s. Set it, and take the", denied.Skew.Abs(), side(denied.Skew))
		s.say("  code that it shows then.")
	case enrollment.ReasonLocked:
		s.say("  Locked after too many wrong codes: this one was not looked at.")
	case enrollment.ReasonFactorDisabled:
		s.say("  Codes of the app are off after 100 wrong ones. A recovery code brings them back.")
	case enrollment.ReasonChallengeExpired:
		s.say("  That took more than ten minutes, and a real program would ask for the")
		s.say("  password again. Type the code once more.")
	case enrollment.ReasonSetupExpired, enrollment.ReasonSetupSuperseded, enrollment.ReasonNoSetup:
		s.say("  The setup is no longer valid. Here is a new one; delete the entry in the app.")
	default:
		s.say("  Denied: %s.", denied.Reason)
	}
	if !denied.RetryAt.IsZero() {
		s.say("  The next one will be looked at in %v, at %s.",
			denied.RetryAt.Sub(s.now()).Round(time.Second), denied.RetryAt.Local().Format("15:04:05"))
	}
	return nil
}

// side says on which side of ours a clock is.
func side(skew time.Duration) string {
	if skew < 0 {
		return "behind"
	}
	return "ahead"
}
