package operator

import (
	"context"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// The commands for one account.

// act runs a command that acts on an account as an administrator.
func act(do func(ctx context.Context, s *session, x enrollment.Admin, operands []string) (enrollment.Ticket, error)) func(context.Context, *session, []string) int {
	return func(ctx context.Context, s *session, operands []string) int {
		ticket, err := do(ctx, s, s.Guard.Admin(s.actor, s.reason), operands)
		return s.acted(operands, ticket, err)
	}
}

// acted prints the result of such a command.
func (s *session) acted(operands []string, ticket enrollment.Ticket, err error) int {
	r := result{Command: s.command.name, UserID: operands[0], DryRun: s.dry}
	if len(operands) > 1 {
		r.To = operands[1]
	}
	if err != nil {
		r.fail(err)
		s.object(r)
		return s.complain(err)
	}
	r.Outcome = "done"
	if !ticket.IsZero() && !s.dry { // one of a dry run is void
		r.Ticket = ticket.Reveal()
	}
	if s.json {
		s.object(r)
		return ExitOK
	}
	s.printf("%s%s %s", s.would(), r.Command, quoted(r.UserID))
	if r.To != "" {
		s.printf(" to %s", quoted(r.To))
	}
	if s.dry {
		s.printf(": allowed\n")
	} else {
		s.printf(": done\n")
	}
	if r.Ticket != "" {
		s.printf("The ticket, shown this once: %s\nHand it over in person: the next setup asks for it.\n", r.Ticket)
	}
	return ExitOK
}

func unlock(ctx context.Context, _ *session, x enrollment.Admin, of []string) (enrollment.Ticket, error) {
	return enrollment.Ticket{}, x.Unlock(ctx, of[0])
}

func reset(ctx context.Context, s *session, x enrollment.Admin, of []string) (enrollment.Ticket, error) {
	return x.Reset(ctx, of[0], enrollment.ResetOptions{Ticket: s.ticket})
}

func approve(ctx context.Context, s *session, x enrollment.Admin, of []string) (enrollment.Ticket, error) {
	return x.ApproveReset(ctx, of[0], enrollment.ResetOptions{Ticket: s.ticket})
}

func refuse(ctx context.Context, _ *session, x enrollment.Admin, of []string) (enrollment.Ticket, error) {
	return enrollment.Ticket{}, x.RefuseReset(ctx, of[0])
}

func bypass(ctx context.Context, s *session, x enrollment.Admin, of []string) (enrollment.Ticket, error) {
	return enrollment.Ticket{}, x.Bypass(ctx, of[0], s.Now().Add(s.lasts))
}

func erase(ctx context.Context, _ *session, x enrollment.Admin, of []string) (enrollment.Ticket, error) {
	return enrollment.Ticket{}, x.Erase(ctx, of[0])
}

func move(ctx context.Context, _ *session, x enrollment.Admin, of []string) (enrollment.Ticket, error) {
	return enrollment.Ticket{}, x.Move(ctx, of[0], of[1])
}

// A standing is what status prints as JSON. Its history names administrators.
type standing struct {
	UserID string `json:"user_id"`
	enrollment.Status
	History []enrollment.Event `json:"history"`
}

func status(ctx context.Context, s *session, of []string) int {
	found, err := s.Guard.Status(ctx, of[0])
	if err != nil {
		r := result{Command: s.command.name, UserID: of[0]}
		r.fail(err)
		s.object(r)
		return s.complain(err)
	}
	if s.json {
		s.object(standing{of[0], found, append([]enrollment.Event{}, found.History...)})
		return ExitOK
	}
	s.printf("user %s: %s\n", quoted(of[0]), found.State)
	line := func(set bool, format string, args ...any) {
		if set {
			s.printf("  "+format+"\n", args...)
		}
	}
	for _, x := range found.Authenticators {
		used := "never used"
		if !x.Used.IsZero() {
			used = "used " + instant(x.Used)
		}
		s.printf("  app %s, added %s, %s\n", quoted(x.Name), instant(x.Added), used)
	}
	if x := found.Address; x != nil {
		s.printf("  codes can be sent by %s\n", quoted(x.Channel))
	}
	line(found.CodesTotal > 0, "%d of %d recovery codes left", found.CodesLeft, found.CodesTotal)
	line(found.Devices > 0, "%d trusted devices", found.Devices)
	line(!found.SetupExpires.IsZero(), "a setup is pending until %s", instant(found.SetupExpires))
	line(!found.BypassUntil.IsZero(), "a bypass lets the password alone sign in until %s", instant(found.BypassUntil))
	line(found.MustEnroll, "the next sign-in leads to the setup")
	if x := found.Reset; x != nil {
		s.printf("  asked for a reset %s, which can be approved from %s\n", instant(x.Asked), instant(x.Matures))
	}
	for _, x := range found.Locks {
		if x.Until.IsZero() {
			s.printf("  %s codes are disabled: unlock\n", x.Factor)
		} else {
			s.printf("  %s codes are locked until %s: unlock, or wait\n", x.Factor, instant(x.Until))
		}
	}
	line(!found.LastSignIn.IsZero(), "last signed in %s %s", instant(found.LastSignIn), secondStep(found.LastFactor))
	for _, e := range found.History {
		s.printf("  %s %s", instant(e.At), e.Kind)
		for _, x := range []struct{ word, text string }{{"", string(e.Factor)}, {"", e.Name}, {"by ", e.Actor}, {"because: ", e.Note}} {
			if x.text != "" {
				s.printf(", %s%s", x.word, quoted(x.text))
			}
		}
		s.printf("\n")
	}
	return ExitOK
}

// instant returns a time as it is printed.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// secondStep says how the second step of a sign-in went.
func secondStep(by enrollment.Factor) string {
	if by == "" {
		return "without a second step"
	}
	return "by " + string(by)
}
