// Package races lets many do the same at once, and sees that it comes out as if
// it had been done one after the other. The faults choose the moment at which
// somebody interferes; here it is left to the scheduler and the race detector.
package races

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// racers is how many do something at a time.
const racers = 8

// Tests are the races.
var Tests = []proving.Test{
	{Name: "TestRaceForReplacedCode", Run: TestRaceForReplacedCode},
	{Name: "TestRaceForDeliveredCode", Run: TestRaceForDeliveredCode},
	{Name: "TestRaceForThreeCodes", Run: TestRaceForThreeCodes},
	{Name: "TestRaceOfNearMisses", Run: TestRaceOfNearMisses},
	{Name: "TestRaceForMessage", Run: TestRaceForMessage},
	{Name: "TestRaceOfDevices", Run: TestRaceOfDevices},
	{Name: "TestRaceOfRenames", Run: TestRaceOfRenames},
	{Name: "TestRaceOfRenameAndCode", Run: TestRaceOfRenameAndCode},
	{Name: "TestRaceOfRenameAndRemoval", Run: TestRaceOfRenameAndRemoval},
	{Name: "TestRaceOfEnrollTokens", Run: TestRaceOfEnrollTokens},
	{Name: "TestRaceOfEnrollTokenAndConfirm", Run: TestRaceOfEnrollTokenAndConfirm},
	{Name: "TestRaceForReplacement", Run: TestRaceForReplacement},
	{Name: "TestRaceOfReplacementAndAnswers", Run: TestRaceOfReplacementAndAnswers},
	{Name: "TestRaceOfReset", Run: TestRaceOfReset},
	{Name: "TestRaceOfImports", Run: TestRaceOfImports},
	{Name: "TestRaceOfMovingIn", Run: TestRaceOfMovingIn},
	{Name: "TestRaceOfMoves", Run: TestRaceOfMoves},
	{Name: "TestRaceOfMovesApart", Run: TestRaceOfMovesApart},
	{Name: "TestSweepRace", Run: TestSweepRace},
	{Name: "TestSweepBesideTraffic", Run: TestSweepBesideTraffic},
}

// begin returns a state over a store.
func begin(t *testing.T, open proving.Open, state string) *states.State {
	t.Helper()
	if fips.Enforced() {
		t.Skip("the states are for SHA-1")
	}
	return states.New(t, state, recovery.Fast).On(t, open)
}

// race runs f that often at the same time, and returns what came of each.
func race(f func(i int) error) []enrollment.Reason {
	var start, done sync.WaitGroup
	start.Add(1)
	got := make([]enrollment.Reason, racers)
	for i := range racers {
		done.Go(func() {
			start.Wait()
			got[i] = proving.ReasonOf(f(i))
		})
	}
	start.Done()
	done.Wait()
	return got
}

// one checks that one had it, and that the others were told why not.
func one(t *testing.T, got []enrollment.Reason, others ...enrollment.Reason) {
	t.Helper()
	had := 0
	for _, r := range got {
		if r == "" {
			had++
		} else if !slices.Contains(others, r) {
			t.Errorf("%q, want one of %q", r, others)
		}
	}
	if had != 1 {
		t.Errorf("%d had it: %q", had, got)
	}
}

// The request that uses up a code gets its replacement, and no other does.
func TestRaceForReplacedCode(t *testing.T, open proving.Open) {
	s := begin(t, open, "replenished")
	fresh := make([]string, racers)
	one(t, race(func(i int) error {
		ok, err := s.Guard.Verify(t.Context(), states.User, "x", s.Codes[1])
		fresh[i] = ok.NewCode.Reveal()
		return err
	}), enrollment.ReasonWrongCode, enrollment.ReasonLocked)
	status, err := s.Guard.Status(t.Context(), states.User)
	if err != nil || status.CodesLeft != recovery.MinCount {
		t.Errorf("%d codes are left, %v", status.CodesLeft, err)
	}
	if err := s.Guard.Admin("root", "x").Unlock(t.Context(), states.User); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Guard.Verify(t.Context(), states.User, "x", strings.Join(fresh, "")); err != nil {
		t.Errorf("the new code: %v", err)
	}
}

// A delivered code works once, also for those who have it at the same time.
func TestRaceForDeliveredCode(t *testing.T, open proving.Open) {
	s := begin(t, open, "sent")
	one(t, race(func(int) error {
		_, err := s.Guard.Answer(t.Context(), enrollment.PurposeSignIn, s.Sent, s.Message)
		return err
	}), enrollment.ReasonChallengeSpent)
}

// Of many who ask at the same time one is sent a message, since each costs money, and
// all of them have the code in hand.
func TestRaceForMessage(t *testing.T, open proving.Open) {
	s := begin(t, open, "addressed")
	inbox := new(proving.Inbox)
	messages := s.Node(func(c *enrollment.Config) { c.Sender = inbox }).Messages()
	var earlier atomic.Int64
	errs := race(func(int) error {
		d, err := messages.Send(t.Context(), enrollment.PurposeSignIn, s.Challenge)
		if d.Earlier {
			earlier.Add(1)
		}
		return err
	})
	for _, reason := range errs {
		if reason != "" {
			t.Errorf("denied as %q", reason)
		}
	}
	if n := inbox.Len(); n != 1 || int(earlier.Load()) != len(errs)-1 {
		t.Errorf("%d messages were sent, and %d of %d have an earlier one", n, earlier.Load(), len(errs))
	}
}

// Once the trust in a device is over it does not sign in, no matter who signs in with
// it at that moment; and no more devices than five are ever trusted.
func TestRaceOfDevices(t *testing.T, open proving.Open) {
	s := begin(t, open, "trusted")
	ctx := t.Context()
	got := race(func(i int) error {
		if i == 0 {
			return s.Guard.Devices().Revoke(ctx, states.User, s.Device.Device.ID)
		}
		d, err := s.Guard.SignIn(ctx, states.User, enrollment.SignInOptions{Device: s.Device.Token})
		if err == nil && (d.Waived == enrollment.FactorTrustedDevice) == (d.Next == enrollment.AskCode) {
			t.Errorf("%+v", d)
		}
		return err
	})
	if i := slices.IndexFunc(got, func(r enrollment.Reason) bool { return r != "" }); i >= 0 {
		t.Errorf("%q", got)
	}
	if d, err := s.Guard.SignIn(ctx, states.User, enrollment.SignInOptions{Device: s.Device.Token}); err != nil || d.Next != enrollment.AskCode {
		t.Errorf("a device that is revoked: %+v, %v", d, err)
	}

	tokens := make([]enrollment.DeviceToken, racers)
	race(func(i int) error {
		d, err := s.Guard.Devices().Trust(ctx, states.User, s.Receipt, "browser")
		if err != nil {
			t.Error(err)
		}
		tokens[i] = d.Token
		return err
	})
	list, err := s.Guard.Devices().List(ctx, states.User)
	good := 0
	for _, token := range tokens {
		if d, err := s.Guard.SignIn(ctx, states.User, enrollment.SignInOptions{Device: token}); err == nil && d.Waived == enrollment.FactorTrustedDevice {
			good++
		}
	}
	if err != nil || len(list) != enrollment.DefaultMaxDevices || good != enrollment.DefaultMaxDevices {
		t.Errorf("%d devices are listed, %d sign in, %v", len(list), good, err)
	}
}

// A reset wins over whatever is under way: a setup that somebody confirms at the
// same moment, a sign-in, another device.
func TestRaceOfReset(t *testing.T, open proving.Open) {
	s := begin(t, open, "staged")
	ctx := t.Context()
	tickets := make([]enrollment.Ticket, racers)
	race(func(i int) error {
		var err error
		switch i % 4 {
		case 0:
			tickets[i], err = s.Guard.Admin("root", "x").Reset(ctx, states.User, enrollment.ResetOptions{Ticket: true})
			if err != nil {
				t.Errorf("Reset: %v", err)
			}
		case 1:
			_, err = s.Guard.Confirm(ctx, states.User, s.Token, s.Code(s.Waits))
		case 2:
			_, err = s.Guard.Answer(ctx, enrollment.PurposeSignIn, s.Challenge, s.Right())
		case 3:
			_, err = s.Guard.Devices().Trust(ctx, states.User, s.Receipt, "browser")
		}
		if proving.ReasonOf(err) == proving.Fault {
			t.Errorf("racer %d: %v", i, err)
		}
		return err
	})
	status, err := s.Guard.Status(ctx, states.User)
	if err != nil || status.State != store.Disabled || status.Devices != 0 || len(status.Authenticators) != 0 || status.CodesLeft != 0 {
		t.Errorf("%+v, %v", status, err)
	}
	good := 0
	for _, ticket := range tickets {
		if ticket.IsZero() {
			continue
		}
		_, err := s.Guard.Begin(ctx, states.User, enrollment.BeginOptions{Account: "a", Ticket: ticket, Proof: enrollment.ByReauth("password")})
		switch proving.ReasonOf(err) {
		case "":
			good++
		case enrollment.ReasonTicketInvalid:
		default:
			t.Error(err)
		}
	}
	if good != 1 {
		t.Errorf("%d tickets are good", good)
	}
}

// An account comes from another system once.
func TestRaceOfImports(t *testing.T, open proving.Open) {
	s := begin(t, open, "none")
	s.System = []string{"aaaa-bbbb"}
	one(t, race(func(int) error {
		return s.Guard.Admin("root", "x").Import(t.Context(), states.User, s.Imported(false))
	}), enrollment.ReasonAlreadyEnrolled)
	one(t, race(func(int) error {
		_, err := s.Guard.Verify(t.Context(), states.User, "x", s.System[0])
		return err
	}), enrollment.ReasonReplayed, enrollment.ReasonLocked)
}
