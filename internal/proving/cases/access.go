package cases

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Cases about what replaces a code, and about administrators.

// TestCase29_ResetUnrecorded: a reset went around the second factor, and nobody
// could tell who had done it, or that it was done.
func TestCase29_ResetUnrecorded(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	k.Told()
	challenge := u.Challenge()
	k.Unchanged("alice", func() {
		for name, x := range map[string]struct {
			actor, reason string
			want          enrollment.Reason
		}{
			"nobody":              {"", "phone lost", proving.Fault},
			"without a reason":    {"bob", "", proving.Fault},
			"an endless name":     {strings.Repeat("b", enrollment.MaxActor+1), "phone lost", proving.Fault},
			"an endless reason":   {"bob", strings.Repeat("r", enrollment.MaxAdminReason+1), proving.Fault},
			"a forged log line":   {"bob", "phone lost\nlevel=INFO", proving.Fault},
			"a broken name":       {"bob\xff", "phone lost", proving.Fault},
			"the user themselves": {"alice", "phone lost", enrollment.ReasonOwnAccount},
		} {
			admin := k.Guard.Admin(x.actor, x.reason)
			for _, o := range []enrollment.ResetOptions{{}, {Ticket: true}} {
				ticket, err := admin.Reset(t.Context(), "alice", o)
				if proving.ReasonOf(err) != x.want || !ticket.IsZero() {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		proving.Want(t, second(k.Guard.Admin("bob", "phone lost").ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})), enrollment.ReasonNoReset)
	})
	if list := k.Told(); len(list) != 0 {
		t.Fatalf("told of what did not happen: %+v", list)
	}

	ticket, err := k.Guard.Admin("bob", "phone lost").Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	proving.Want(t, err, "")
	list := k.Told()
	if len(list) != 1 || list[0].Kind != enrollment.EventReset || list[0].UserID != "alice" || list[0].Actor != "bob" || list[0].Note != "phone lost" {
		t.Fatalf("told of %+v", list)
	}
	if s := k.Status("alice"); s.Enabled() || len(s.History) == 0 || s.History[0] != list[0] {
		t.Errorf("the history begins with %+v", s.History[0])
	}
	// What was handed out before is void.
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, u.Code())
	proving.Want(t, err, enrollment.ReasonChallengeVoid)
	_, err = k.Guard.Verify(t.Context(), "alice", "x", u.Codes[0])
	proving.Want(t, err, enrollment.ReasonNotEnrolled)
	// The password alone is not enough to set it up again.
	k.Unchanged("alice", func() {
		for guess, why := range map[string]enrollment.Reason{
			"": enrollment.ReasonTicketRequired, "hello": enrollment.ReasonTicketInvalid, u.Codes[0]: enrollment.ReasonTicketInvalid,
			strings.Repeat("0", 16): enrollment.ReasonTicketInvalid, strings.Repeat("A", 1<<20): enrollment.ReasonTicketInvalid,
		} {
			_, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Ticket: enrollment.TicketOf(guess), Proof: enrollment.ByReauth("password")})
			proving.Want(t, err, why)
		}
	})
	_, err = k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Ticket: ticket, Proof: enrollment.ByReauth("password")})
	proving.Want(t, err, "")
}

// second drops what comes before an error.
func second[T any](_ T, err error) error { return err }

// TestCase30_TrustSurvives: a trusted device stayed one after the second factor
// was set up anew (scheb/2fa#126).
func TestCase30_TrustSurvives(t *testing.T, open proving.Open) {
	renew := func(u *proving.Person) error {
		_, err := u.Kit.Guard.RenewCodes(t.Context(), u.ID, enrollment.ByCode(u.Code()))
		return err
	}
	confirm := func(u *proving.Person, replace string) error {
		next, token := begin(u.Kit, u.ID, enrollment.ByCode(u.Code()), replace)
		_, err := u.Kit.Guard.Confirm(t.Context(), u.ID, token, next.Code())
		return err
	}
	s := open(t)
	for name, change := range map[string]func(u *proving.Person) error{
		"disable": func(u *proving.Person) error {
			return u.Kit.Guard.Disable(t.Context(), u.ID, enrollment.ByCode(u.Code()))
		},
		"regenerate": renew,
		"reset": func(u *proving.Person) error {
			return second(u.Kit.Guard.Admin("bob", "phone lost").Reset(t.Context(), u.ID, enrollment.ResetOptions{}))
		},
		"replace":          func(u *proving.Person) error { return confirm(u, u.First.Authenticator) },
		"another":          func(u *proving.Person) error { return confirm(u, "") },
		"recovery sign-in": func(u *proving.Person) error { return signIn(u, u.Codes[0]) },
		"recovery step-up": func(u *proving.Person) error {
			return second(u.Kit.Guard.Verify(t.Context(), u.ID, "x", u.Codes[0]))
		},
		"revoke all": func(u *proving.Person) error { return u.Kit.Guard.Devices().RevokeAll(t.Context(), u.ID) },
		"its time":   func(u *proving.Person) error { u.Kit.Pass(enrollment.DefaultDeviceTTL); return nil },
	} {
		k := proving.Over(t, s)
		u := k.Enroll("user of " + name)
		device := u.Trust("Firefox").Token
		if got := fromDevice(u, device); got.Next != enrollment.Proceed || got.Waived != enrollment.FactorTrustedDevice {
			t.Fatalf("%s: %v before it", name, got.Next)
		}
		proving.Want(t, change(u), "")
		if k.Status(u.ID).Enabled() {
			if got := fromDevice(u, device); got.Next != enrollment.AskCode || got.Waived != "" {
				t.Errorf("%s: %v", name, got.Next)
			}
			continue
		}
		again := k.Enroll(u.ID)
		if got := fromDevice(again, device); got.Next != enrollment.AskCode || got.Waived != "" {
			t.Errorf("%s and enrolled again: %v", name, got.Next)
		}
	}
}

// fromDevice signs in with the first factor from a device.
func fromDevice(p *proving.Person, device enrollment.DeviceToken) enrollment.Decision {
	return p.Kit.SignIn(p.ID, enrollment.SignInOptions{Device: device})
}

// TestCase30_RevokedMeanwhile: trust ends while the device signs in. What is
// decided is decided on the account that is saved.
func TestCase30_RevokedMeanwhile(t *testing.T, open proving.Open) {
	for name, meanwhile := range map[string]func(u *proving.Person) error{
		"revoked":  func(u *proving.Person) error { return u.Kit.Guard.Devices().RevokeAll(t.Context(), u.ID) },
		"recovery": func(u *proving.Person) error { return second(u.Kit.Guard.Verify(t.Context(), u.ID, "x", u.Codes[0])) },
	} {
		k := proving.Over(t, open(t))
		u := k.Enroll("alice")
		device := u.Trust("Firefox").Token
		k.Store.Nth(proving.Save, 1, func(context.Context, *proving.Call) {
			proving.Want(t, meanwhile(u), "")
		})
		if got := fromDevice(u, device); got.Next != enrollment.AskCode || got.Waived != "" || got.Challenge.IsZero() {
			t.Errorf("%s: %+v", name, got)
		}
		if last := k.Status("alice").LastFactor; last == enrollment.FactorTrustedDevice {
			t.Errorf("%s: it counts as a sign-in", name)
		}
	}
}

// TestCase54_SlowNodeAfterErasure: what a slow node had begun before a user was
// erased, and what was handed out before, does not reach the account that comes
// after.
func TestCase54_SlowNodeAfterErasure(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	device := u.Trust("Firefox").Token
	receipt, err := k.Guard.Verify(t.Context(), "alice", "x", u.Code())
	proving.Want(t, err, "")
	erase := func() { proving.Want(t, k.Guard.Admin("root", "left the company").Erase(t.Context(), "alice"), "") }
	var again *proving.Person
	k.Store.Nth(proving.Save, 1, func(context.Context, *proving.Call) { // while the slow node saves:
		erase()
		k.Pass(time.Second)
		again = k.Enroll("alice")
	})
	if got := fromDevice(u, device); got.Next != enrollment.AskCode || got.Waived != "" {
		t.Errorf("a device of before: %v", got.Next)
	}
	_, err = k.Guard.RecentlyVerified(t.Context(), "alice", "x", receipt.Receipt, time.Hour)
	proving.Want(t, err, enrollment.ReasonProofInvalid)
	proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(receipt.Receipt)), enrollment.ReasonProofInvalid)
	proving.Want(t, signIn(again, u.Code()), enrollment.ReasonWrongCode)
	proving.Want(t, signIn(again, again.Code()), "")
	if n := len(k.Status("alice").History); n != 2 {
		t.Errorf("%d events are remembered, want those of the new setup and of the wrong code", n)
	}
	// Nothing comes back where the account was not made again either.
	k.Pass(30 * time.Second)
	k.Store.Nth(proving.Save, 1, func(context.Context, *proving.Call) { erase() })
	challenge := again.Challenge()
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, again.Code())
	proving.Want(t, err, enrollment.ReasonChallengeVoid)
	if _, err := k.Store.Load(t.Context(), "alice"); err == nil {
		t.Error("there is a record again")
	}
}
