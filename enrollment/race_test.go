package enrollment_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// What is done at the same time comes out as if it had been done one after the
// other. The fault tests choose the moment at which somebody interferes; these
// leave it to the scheduler and the race detector.

// racers is how many do something at a time.
const racers = 8

// A raceBench is an account in a state of the fault tests, over a store of its
// own.
type raceBench struct {
	*faultState
	guard *enrollment.Guard
}

func newRaceBench(t *testing.T, state string) *raceBench {
	t.Helper()
	if fips.Enforced() {
		t.Skip("the states are for SHA-1")
	}
	b := &raceBench{faultState: newFaultState(t, state, recovery.Fast)}
	mem := memory.New()
	for _, rec := range b.records {
		if err := mem.Save(t.Context(), rec, 0); err != nil {
			t.Fatal(err)
		}
	}
	b.guard = faultMust[*enrollment.Guard](t)(enrollment.New(mem, b.ring, b.config()))
	return b
}

// race runs f that often at the same time, and returns what came of each.
func race(f func(i int) error) []enrollment.Reason {
	var start, done sync.WaitGroup
	start.Add(1)
	got := make([]enrollment.Reason, racers)
	for i := range racers {
		done.Go(func() {
			start.Wait()
			got[i] = modelReason(f(i))
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

// Whoever uses up a code gets the one that takes its place, and nobody else does.
func TestRaceForReplacedCode(t *testing.T) {
	t.Parallel()
	b := newRaceBench(t, "replenished")
	fresh := make([]string, racers)
	one(t, race(func(i int) error {
		ok, err := b.guard.Verify(t.Context(), faultUser, "x", b.codes[1])
		fresh[i] = ok.NewCode.Reveal()
		return err
	}), enrollment.ReasonWrongCode, enrollment.ReasonLocked)
	status, err := b.guard.Status(t.Context(), faultUser)
	if err != nil || status.CodesLeft != recovery.MinCount {
		t.Errorf("%d codes are left, %v", status.CodesLeft, err)
	}
	if err := b.guard.Admin("root", "x").Unlock(t.Context(), faultUser); err != nil {
		t.Fatal(err)
	}
	if _, err := b.guard.Verify(t.Context(), faultUser, "x", strings.Join(fresh, "")); err != nil {
		t.Errorf("the new code: %v", err)
	}
}

// A delivered code works once, also for those who have it at the same time.
func TestRaceForDeliveredCode(t *testing.T) {
	t.Parallel()
	b := newRaceBench(t, "sent")
	one(t, race(func(int) error {
		_, err := b.guard.Answer(t.Context(), enrollment.PurposeSignIn, b.sent, b.message)
		return err
	}), enrollment.ReasonChallengeSpent)
}

// Of many who ask at the same time one is sent a message: each costs money.
func TestRaceForMessage(t *testing.T) {
	t.Parallel()
	b := newRaceBench(t, "addressed")
	var mu sync.Mutex
	sent := 0
	messages := faultMust[*enrollment.Messages](t)(enrollment.NewMessages(b.guard, brokenSender(func(context.Context, enrollment.Message) error {
		mu.Lock()
		defer mu.Unlock()
		sent++
		return nil
	}), enrollment.MessagesConfig{}))
	one(t, race(func(int) error {
		_, err := messages.Send(t.Context(), enrollment.PurposeSignIn, b.challenge)
		return err
	}), enrollment.ReasonTooManyMessages)
	if sent != 1 {
		t.Errorf("%d messages were sent", sent)
	}
}

// Once the trust in a device is over it does not sign in, whoever signs in with
// it at that moment; and no more devices than five are ever trusted.
func TestRaceOfDevices(t *testing.T) {
	t.Parallel()
	b := newRaceBench(t, "trusted")
	ctx := t.Context()
	got := race(func(i int) error {
		if i == 0 {
			return b.guard.Devices().Revoke(ctx, faultUser, b.deviceID)
		}
		d, err := b.guard.SignIn(ctx, faultUser, enrollment.SignInOptions{Device: b.device})
		if err == nil && (d.Waived == enrollment.FactorTrustedDevice) == (d.Next == enrollment.AskCode) {
			t.Errorf("%+v", d)
		}
		return err
	})
	if i := slices.IndexFunc(got, func(r enrollment.Reason) bool { return r != "" }); i >= 0 {
		t.Errorf("%q", got)
	}
	if d, err := b.guard.SignIn(ctx, faultUser, enrollment.SignInOptions{Device: b.device}); err != nil || d.Next != enrollment.AskCode {
		t.Errorf("a device that is revoked: %+v, %v", d, err)
	}

	tokens := make([]string, racers)
	race(func(i int) error {
		d, err := b.guard.Devices().Trust(ctx, faultUser, b.receipt, "browser")
		if err != nil {
			t.Error(err)
		}
		tokens[i] = d.Token
		return err
	})
	list, err := b.guard.Devices().List(ctx, faultUser)
	good := 0
	for _, token := range tokens {
		if d, err := b.guard.SignIn(ctx, faultUser, enrollment.SignInOptions{Device: token}); err == nil && d.Waived == enrollment.FactorTrustedDevice {
			good++
		}
	}
	if err != nil || len(list) != enrollment.MaxDevices || good != enrollment.MaxDevices {
		t.Errorf("%d devices are listed, %d sign in, %v", len(list), good, err)
	}
}

// A reset wins over whatever is under way: a setup that somebody confirms at the
// same moment, a sign-in, another device.
func TestRaceOfReset(t *testing.T) {
	t.Parallel()
	b := newRaceBench(t, "staged")
	ctx := t.Context()
	tickets := make([]string, racers)
	race(func(i int) error {
		var err error
		switch i % 4 {
		case 0:
			ticket, e := b.guard.Admin("root", "x").Reset(ctx, faultUser, enrollment.ResetOptions{Ticket: true})
			tickets[i], err = ticket.Reveal(), e
			if err != nil {
				t.Errorf("Reset: %v", err)
			}
		case 1:
			_, err = b.guard.Confirm(ctx, faultUser, b.token, modelShown(b.waiting, b.now))
		case 2:
			_, err = b.guard.Answer(ctx, enrollment.PurposeSignIn, b.challenge, b.code())
		case 3:
			_, err = b.guard.Devices().Trust(ctx, faultUser, b.receipt, "browser")
		}
		if modelReason(err) == "fault" {
			t.Errorf("racer %d: %v", i, err)
		}
		return err
	})
	status, err := b.guard.Status(ctx, faultUser)
	if err != nil || status.State != store.Disabled || status.Devices != 0 || len(status.Authenticators) != 0 || status.CodesLeft != 0 {
		t.Errorf("%+v, %v", status, err)
	}
	good := 0
	for _, ticket := range tickets {
		if ticket == "" {
			continue
		}
		_, err := b.guard.Begin(ctx, faultUser, enrollment.BeginOptions{Account: "a", Ticket: ticket})
		switch modelReason(err) {
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
func TestRaceOfImports(t *testing.T) {
	t.Parallel()
	b := newRaceBench(t, "none")
	b.system = []string{"aaaa-bbbb"}
	one(t, race(func(int) error {
		return b.guard.Admin("root", "x").Import(t.Context(), faultUser, b.imported(false))
	}), enrollment.ReasonAlreadyEnrolled)
	one(t, race(func(int) error {
		_, err := b.guard.Verify(t.Context(), faultUser, "x", b.system[0])
		return err
	}), enrollment.ReasonReplayed, enrollment.ReasonLocked)
}
