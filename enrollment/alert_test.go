package enrollment_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// guess answers a fresh challenge of alice with a wrong code.
func guess(t *testing.T, k *proving.Kit, alice *proving.Person, origin string) {
	t.Helper()
	ctx := enrollment.WithOrigin(t.Context(), origin)
	_, err := k.Guard.Answer(ctx, enrollment.PurposeSignIn, alice.Challenge(), alice.Wrong())
	proving.Want(t, err, enrollment.ReasonWrongCode)
}

// The alert is in the account with the wrong code: nothing that fails after that, and
// no restart, keeps it from the owner, and it comes with the id that it has.
func TestAlertSurvives(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	k.Told()
	guess(t, k, alice, laptop)
	if due := k.Record("alice").Due; !due.Equal(k.Now().Add(10 * time.Minute)) {
		t.Fatalf("due %v", due)
	}
	k.Pass(10 * time.Minute)
	k.FailNotify(errors.New("the queue is full"))
	if done := k.Sweep(); done.Undelivered != 1 {
		t.Errorf("swept %+v", done)
	}
	k.FailNotify(nil)
	k.Pass(time.Minute)
	if done := k.Sweep(); done.Delivered != 1 {
		t.Errorf("swept %+v", done)
	}
	k.WantTold(enrollment.Event{Kind: enrollment.EventWrongCodes, WrongCodes: 1, Origin: laptop})
	if h := k.Status("alice").History[0]; h.Kind != enrollment.EventWrongCodes || h.WrongCodes != 1 || h.Origin != laptop {
		t.Errorf("the history has %+v", h)
	}
}

// A sweep of a Guard without Notify leaves the alert to one that has it.
func TestAlertWaitsForNotify(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	guess(t, k, k.Enroll("alice"), "")
	k.Told()
	k.Pass(time.Hour)
	quiet := k.Node(func(c *enrollment.Config) { c.Notify = nil })
	k.Unchanged("alice", func() {
		done, err := k.DirectoryOf(quiet, k.Store).Sweep(t.Context())
		if err != nil || done.Waiting != 1 {
			t.Errorf("swept %+v, %v", done, err)
		}
	})
	k.Sweep()
	k.WantTold(enrollment.Event{Kind: enrollment.EventWrongCodes, WrongCodes: 1})
}

// An application without Notify has nothing that is due for ever.
func TestNoAlertWithoutNotify(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) { c.Notify = nil })
	alice := k.Enroll("alice")
	guess(t, k, alice, "")
	if due := k.Record("alice").Due; !due.IsZero() {
		t.Errorf("due %v", due)
	}
	if ok, err := alice.Answer(alice.Code()); err != nil || ok.WrongCodes != 1 {
		t.Errorf("%d wrong codes, %v", ok.WrongCodes, err)
	}
}

// Two nodes that sweep at the same time tell once.
func TestAlertIsSweptOnce(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	guess(t, k, k.Enroll("alice"), laptop)
	k.Told()
	k.Pass(10 * time.Minute)
	var wait sync.WaitGroup
	for range 4 {
		d := k.DirectoryOf(k.Node(), k.Store)
		wait.Go(func() {
			if _, err := d.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	k.WantTold(enrollment.Event{Kind: enrollment.EventWrongCodes, WrongCodes: 1, Origin: laptop})
}

// Guesses that race with the owner's right code: whatever the order, the owner hears
// of them, once, and none is lost from the count.
func TestAlertRace(t *testing.T) {
	t.Parallel()
	const guesses = 4
	for range 20 {
		k := proving.New(t)
		alice := k.Enroll("alice")
		k.Told()
		challenges := make([]enrollment.Challenge, guesses+1)
		for i := range challenges {
			challenges[i] = alice.Challenge()
		}
		wrong, right := alice.Wrong(), alice.Code()
		attacker := enrollment.WithOrigin(t.Context(), "elsewhere")
		reported := 0
		proving.Together(guesses+1, func(i int) error {
			if i < guesses {
				_, err := k.Guard.Answer(attacker, enrollment.PurposeSignIn, challenges[i], wrong)
				return err
			}
			ok, err := k.Guard.Answer(enrollment.WithOrigin(t.Context(), laptop), enrollment.PurposeSignIn, challenges[i], right)
			if err == nil {
				reported = ok.WrongCodes
			}
			return err
		})
		k.Pass(24 * time.Hour)
		k.Sweep()
		told := 0
		for _, e := range k.Told() {
			if told += e.WrongCodes; e.Kind == enrollment.EventRightAfterWrong && e.WrongCodes != reported {
				t.Errorf("the Success says %d, the event %d", reported, e.WrongCodes)
			}
		}
		if told != guesses {
			t.Errorf("told of %d wrong codes, want %d", told, guesses)
		}
	}
}

// What is told with a challenge that a message was sent for is the same as without.
func TestAlertOfMessages(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	post := k.Post()
	post.Bound("alice", enrollment.ByReceipt(alice.Receipt()))
	k.Told()
	challenge := alice.Challenge()
	sent := post.Deliver(challenge)
	k.Out(sent.Challenge, post.Inbox.Wrong(), enrollment.ReasonWrongCode)
	k.Out(challenge, alice.Wrong(), enrollment.ReasonWrongCode)
	if ok := k.In(sent.Challenge, post.Inbox.Code()); ok.WrongCodes != 2 {
		t.Errorf("%d wrong codes", ok.WrongCodes)
	}
	k.WantTold()
}

// Step-ups and proofs are of a session that is there already: they open nothing, and a
// right code there closes nothing.
func TestAlertIsOfAnswersAlone(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	k.Told()
	ctx := enrollment.WithOrigin(t.Context(), laptop)
	verify := func(code string) error { _, err := k.Guard.Verify(ctx, "alice", "x", code); return err }
	proving.Want(t, verify(alice.Wrong()), enrollment.ReasonWrongCode)
	if due := k.Record("alice").Due; !due.IsZero() {
		t.Errorf("due %v", due)
	}
	guess(t, k, alice, laptop)
	k.Must(verify(alice.Code()))
	k.Pass(10 * time.Minute)
	k.Sweep()
	k.WantTold(enrollment.Event{Kind: enrollment.EventWrongCodes, WrongCodes: 1, Origin: laptop})
}

// The alert moves with the account.
func TestAlertMoves(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	guess(t, k, k.Enroll("alice"), laptop)
	k.Must(k.Guard.Admin("root", "x").Move(t.Context(), "alice", "alicia"))
	k.Told()
	k.Pass(10 * time.Minute)
	k.Sweep()
	told := k.Told()
	if len(told) != 1 || told[0].UserID != "alicia" || told[0].WrongCodes != 1 {
		t.Errorf("told of %+v", told)
	}
}

// The log has the alert at the level of a lock.
func TestAlertIsLogged(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	guess(t, k, k.Enroll("alice"), laptop)
	k.Log()
	k.Pass(10 * time.Minute)
	k.Sweep()
	if log := k.Log(); !strings.Contains(log, "WARN") || !strings.Contains(log, "event=wrong_codes") || !strings.Contains(log, "wrong_codes=1") {
		t.Errorf("the log is %s", log)
	}
}

// A store that loses the reply, or a caller who hangs up, does not lose the alert.
func TestAlertOfLostReply(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	k.Told()
	challenge, wrong := alice.Challenge(), alice.Wrong()
	ctx, hangUp := context.WithCancel(t.Context())
	k.Store.Before(proving.Save, func(context.Context, *proving.Call) { hangUp() })
	_, err := k.Guard.Answer(ctx, enrollment.PurposeSignIn, challenge, wrong)
	proving.Want(t, err, enrollment.ReasonWrongCode)
	k.Store.Before(proving.Save, nil)
	k.Pass(10 * time.Minute)
	k.Sweep()
	k.WantTold(enrollment.Event{Kind: enrollment.EventWrongCodes, WrongCodes: 1})
}
