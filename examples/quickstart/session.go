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

// session is a dialogue with one user. It prints no escape sequences, so its
// output is the same in a terminal, a pipe and a file.
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

// ask prints the prompt and returns the next line of input, or io.EOF.
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

// enroll sets up an authenticator.
func (s *session) enroll(ctx context.Context, background qr.Background) error {
	setup, err := s.guard.Begin(ctx, s.user, enrollment.BeginOptions{
		Account: s.user,
		Proof:   enrollment.ByReauth("password"), // as if it had just been right
	})
	if err != nil {
		return err
	}
	code, err := setup.QR()
	if err != nil {
		return err
	}
	s.say("\nTwo-factor authentication is off. To turn it on, scan the QR code below with")
	s.say("an authenticator app (try -light if it does not scan), or enter this key:\n")
	s.say("    %s\n", setup.Secret().Grouped())
	s.say("No phone? This command prints a code:\n")
	s.say("    oathtool --totp -b %s\n", setup.Secret().Base32())
	s.say("The key, the command and the QR code contain the secret. A real program shows")
	s.say("the secret only to its owner and never writes it to a log.\n")
	fmt.Fprint(s.out, code.Terminal(background))
	for {
		typed, err := s.ask("Code from the app: ")
		if err != nil {
			return err
		}
		done, err := s.guard.Confirm(ctx, s.user, setup.Token, typed)
		if err := s.explain(err); err != nil {
			return err
		}
		if errors.Is(err, enrollment.ErrSetup) {
			return s.enroll(ctx, background) // the setup has expired
		}
		if err == nil {
			s.say("\nCorrect. Two-factor authentication is now on.\n")
			s.say("%s", done.Codes.Sheet(recovery.Sheet{Issuer: "Acme", Account: s.user, Created: s.now()}))
			return nil
		}
	}
}

// signInRepeatedly signs the user in again and again, as if the password were
// right each time.
func (s *session) signInRepeatedly(ctx context.Context) error {
	s.say("\nNow sign in as often as you like. Try a code, the same code again, a wrong")
	s.say("code, a recovery code, and six wrong codes in a row. Ctrl-D ends the program.\n")
	for {
		decision, err := s.guard.SignIn(ctx, s.user, enrollment.SignInOptions{})
		if err != nil {
			return err
		}
		if decision.Next != enrollment.AskCode {
			return fmt.Errorf("the sign-in needs no code (%v): another program has turned two-factor authentication off", decision.Next)
		}
		if err := s.answer(ctx, decision.Challenge); err != nil {
			return err
		}
	}
}

// answer asks for codes until the challenge is answered or no longer valid.
func (s *session) answer(ctx context.Context, challenge enrollment.Challenge) error {
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

// welcome says which code was accepted.
func (s *session) welcome(ctx context.Context, ok enrollment.Success) error {
	if ok.Factor == enrollment.FactorRecovery {
		s.say("  Correct: a recovery code. It is used up now. Recovery codes left: %d.", ok.CodesLeft)
		return nil
	}
	status, err := s.guard.Status(ctx, s.user)
	if err != nil {
		return err
	}
	for _, a := range status.Authenticators {
		if a.ID == ok.Authenticator {
			s.say("  Correct: a code from the app %q. It is used up now.", a.Name)
		}
	}
	return nil
}

// explain prints what a denial means and returns nil. It returns every other
// error.
func (s *session) explain(err error) error {
	var denied *enrollment.Denied
	if !errors.As(err, &denied) {
		return err
	}
	kind := "app code"
	if denied.Factor == enrollment.FactorRecovery {
		kind = "recovery code"
	}
	switch denied.Reason {
	case enrollment.ReasonWrongCode:
		s.say("  Wrong %s. It counts towards the limit.", kind)
	case enrollment.ReasonReplayed:
		s.say("  Already used: each %s works only once. Take the next one.", kind)
	case enrollment.ReasonMalformedCode:
		s.say("  Not a code. App codes have 6 digits. Recovery codes have 16 letters and digits.")
	case enrollment.ReasonClockSkew:
		s.say("  The app's clock is %v %s. Correct it, then enter the code that the app", denied.Skew.Abs(), side(denied.Skew))
		s.say("  shows.")
	case enrollment.ReasonLocked:
		s.say("  Locked after too many wrong codes. This code was not checked.")
	case enrollment.ReasonFactorDisabled:
		s.say("  App codes are turned off after too many wrong ones. Use a recovery code.")
	case enrollment.ReasonChallengeExpired:
		s.say("  That took more than ten minutes. A real program would ask for the password")
		s.say("  again. Here, just enter the code again.")
	case enrollment.ReasonSetupExpired, enrollment.ReasonSetupSuperseded, enrollment.ReasonNoSetup:
		s.say("  The setup is no longer valid. Delete its entry in the app. Here is a new one.")
	default:
		s.say("  Denied: %s.", denied.Reason)
	}
	if !denied.RetryAt.IsZero() {
		s.say("  Try again in %v, at %s.", denied.Wait, denied.RetryAt.Local().Format("15:04:05"))
	}
	return nil
}

// side says whether a clock is ahead of ours or behind it.
func side(skew time.Duration) string {
	if skew < 0 {
		return "behind"
	}
	return "ahead"
}
