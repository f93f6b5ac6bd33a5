package cases

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Cases about user ids that change.

// TestCase71_UserIDChanges: a user's id changed, and the second factor was lost
// with the old one, or worked under both (Organizr#943, TheHive#249).
func TestCase71_UserIDChanges(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	used := k.Code(u.Key)
	proving.Want(t, signIn(u, used), "")
	proving.Want(t, signIn(u, u.Codes[0]), "")
	k.Pass(time.Minute)
	for range 3 {
		proving.Want(t, signIn(u, u.Wrong()), enrollment.ReasonWrongCode)
	}
	device, challenge, before := u.Trust("laptop"), u.Challenge(), k.Status("alice")
	for range 4 { // the code of Trust was right, so the run begins anew
		proving.Want(t, signIn(u, u.Wrong()), enrollment.ReasonWrongCode)
	}
	last := k.Code(u.Key, -1) // Trust has used it

	k.Must(k.Guard.Admin("root", "married").Move(t.Context(), "alice", "alice.smith"))

	// The old id refuses, and never means "not enrolled".
	for range 2 {
		if d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Device: device.Token}); !errors.Is(err, enrollment.ErrMoved) || d.Next != enrollment.Refuse {
			t.Errorf("the old id: %v, %v", d.Next, err)
		}
		_, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")})
		moved(t, err)
		_, err = k.Answer(challenge, k.Code(u.Key))
		moved(t, err)
	}

	// The new one has everything.
	now := &proving.Person{ID: "alice.smith", Key: u.Key, Codes: u.Codes, Kit: k}
	after := k.Status(now.ID)
	if after.CodesLeft != before.CodesLeft || len(after.Authenticators) != 1 || after.Authenticators[0] != before.Authenticators[0] {
		t.Errorf("after the move %+v\nbefore it %+v", after, before)
	}
	if after.Devices != 0 {
		t.Errorf("%d devices are trusted, whose tokens name the old id", after.Devices)
	}
	if e := after.History[0]; e.Kind != enrollment.EventMoved || e.Actor != "root" || e.Note != "married" || e.UserID != now.ID {
		t.Errorf("the event is %+v", e)
	}
	if len(after.History) != 1+len(before.History) {
		t.Errorf("%d events in the history, want %d and one", len(after.History), len(before.History))
	}
	if told := k.EventsOf(now.ID, enrollment.EventMoved); len(told) != 1 {
		t.Errorf("told %+v", told)
	}
	proving.Want(t, signIn(now, last), enrollment.ReasonReplayed)
	proving.Want(t, signIn(now, u.Codes[0]), enrollment.ReasonReplayed)
	if d := proving.Want(t, signIn(now, u.Wrong()), enrollment.ReasonWrongCode); d.RetryAt.IsZero() {
		t.Error("four wrong codes before the move and one after it start no wait")
	}
	proving.Want(t, signIn(now, u.Codes[1]), "")
	k.NextCode(u.Key)
	proving.Want(t, signIn(now, k.Code(u.Key)), "")
}

func moved(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, enrollment.ErrMoved) {
		t.Errorf("%v, want ErrMoved", err)
	}
}

// TestCase71_EachWrite: a move is interrupted at each of its writes. Neither id
// signs in without a code, no code works twice, and the same call ends the move.
func TestCase71_EachWrite(t *testing.T, open proving.Open) {
	const acknowledged = 4 // the write that says that the user was told
	for n := 1; n <= 5; n++ {
		for how, bend := range map[string]func(s *proving.Store){
			"not done": func(s *proving.Store) { s.Nth(proving.Save, n, proving.Fails(proving.ErrLost)) },
			"done, and nothing after it": func(s *proving.Store) {
				s.NthAfter(proving.Save, n, func(_ context.Context, c *proving.Call) {
					s.Fail(proving.Load, proving.ErrLost)
					s.Fail(proving.Save, proving.ErrLost)
					c.Err = proving.ErrLost
				})
			},
		} {
			t.Run(fmt.Sprintf("write %d %s", n, how), func(t *testing.T) {
				k := proving.Over(t, open(t))
				u := k.Enroll("alice")
				challenge := u.Challenge()
				bend(k.Store)
				move := func() error { return k.Guard.Admin("root", "married").Move(t.Context(), "alice", "alicia") }
				if err := move(); err == nil && (n != acknowledged || how != "not done") {
					t.Fatal("the fault did not come")
				}
				k.Store.Straighten()

				code, grants := k.Code(u.Key), 0
				try := func() {
					if _, err := k.Answer(challenge, code); err == nil {
						grants++
					}
					for _, id := range []string{"alice", "alicia"} {
						d, err := k.Guard.SignIn(t.Context(), id, enrollment.SignInOptions{})
						if err == nil && d.Next != enrollment.AskCode && (id == "alice" || n > 1) {
							t.Errorf("write %d: %s signs in without a code: %v", n, id, d.Next)
						}
						if err == nil && d.Next == enrollment.AskCode {
							if _, err := k.Answer(d.Challenge, code); err == nil {
								grants++
							}
						}
						if err != nil && !errors.Is(err, enrollment.ErrMoved) {
							t.Errorf("write %d: %s: %v", n, id, err)
						}
					}
				}
				try()
				k.Must(move())
				try()
				if grants != 1 {
					t.Errorf("write %d: the code worked %d times, want once", n, grants)
				}
				if s := k.Status("alicia"); !s.Enabled() || s.History[0].Kind != enrollment.EventMoved {
					t.Errorf("write %d: %+v", n, s)
				}
				k.Pass(2 * time.Minute)
				k.Sweep()
				if told := k.EventsOf("alicia", enrollment.EventMoved); len(told) == 0 {
					t.Errorf("write %d: nobody was told", n)
				}
				k.Unchanged("alice", func() { k.Unchanged("alicia", func() { k.Must(move()) }) })
			})
		}
	}
}
