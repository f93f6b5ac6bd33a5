package enrollment_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// demanded is a sign-in that leads to the setup.
var demanded = enrollment.SignInOptions{Require: true, Browser: "firefox"}

// mustEnroll signs in as a user who has to set up a second factor.
func mustEnroll(k *proving.Kit, user string) enrollment.EnrollToken {
	return k.SignIn(user, demanded, enrollment.MustEnroll).EnrollToken
}

// with is the proof by a token in the browser that it is bound to.
func with(token enrollment.EnrollToken) enrollment.BeginOptions {
	return enrollment.BeginOptions{Account: "account", Proof: enrollment.ByEnrollToken(token, demanded.Browser)}
}

// A sign-in that demands a setup is completed by it, in whatever state the account is.
func TestEnrollTokenCompletesTheSignIn(t *testing.T) {
	t.Parallel()
	for name, ready := range map[string]func(k *proving.Kit){
		"none":    func(*proving.Kit) {},
		"pending": func(k *proving.Kit) { k.Begin("alice", enrollment.BeginOptions{}) },
		"disabled": func(k *proving.Kit) {
			u := k.Enroll("alice")
			k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(u.Code())))
		},
	} {
		k := proving.New(t)
		ready(k)
		saves := k.Store.Calls(proving.Save)
		d := k.SignIn("alice", demanded, enrollment.MustEnroll)
		if d.EnrollToken.IsZero() || !d.Challenge.IsZero() || d.Stamp != "" || !d.Expires.Equal(k.Now().Add(enrollment.EnrollTTL)) {
			t.Errorf("%s: %+v", name, d)
		}
		if k.Store.Calls(proving.Save) != saves {
			t.Errorf("%s: the sign-in has written", name)
		}
		user, err := k.Guard.EnrollingUser(t.Context(), d.EnrollToken, demanded.Browser)
		if err != nil || user != "alice" {
			t.Errorf("%s: EnrollingUser says %q, %v", name, user, err)
		}
		k.Begin(user, with(d.EnrollToken))
		setup, app := k.Begin(user, with(d.EnrollToken)) // it may begin again
		if setup, err = k.Guard.Resume(t.Context(), user, setup.Token); err != nil {
			t.Fatal(err)
		}
		done := k.Confirm(user, setup, app)
		if done.Success.Purpose != enrollment.PurposeSignIn || done.Success.UserID != "alice" || done.Event != enrollment.EventEnabled {
			t.Errorf("%s: %+v", name, done)
		}
		if s := k.Status("alice"); !s.LastSignIn.Equal(done.Success.At) || s.LastFactor != enrollment.FactorTOTP {
			t.Errorf("%s: the last sign-in is %v by %q", name, s.LastSignIn, s.LastFactor)
		}
		if _, err := k.Guard.RecentlyVerified(t.Context(), "alice", enrollment.PurposeSignIn, done.Success.Receipt, time.Minute); err != nil {
			t.Errorf("%s: the receipt: %v", name, err)
		}
	}
}

// Every other setup signs nobody in.
func TestOtherSetupsSignNobodyIn(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	u := k.Enroll("alice")
	if p := u.First.Purpose; p != enrollment.PurposeSetup {
		t.Errorf("after ByReauth the purpose is %q", p)
	}
	if s := k.Status("alice"); !s.LastSignIn.IsZero() {
		t.Errorf("the last sign-in was %v", s.LastSignIn)
	}
	setup, app := k.Begin("alice", enrollment.BeginOptions{Proof: enrollment.ByReceipt(u.Receipt())})
	if p := k.Confirm("alice", setup, app).Success.Purpose; p != enrollment.PurposeSetup {
		t.Errorf("after ByReceipt the purpose is %q", p)
	}
}

// What the first factor was checked for is what the setup completes.
func TestEnrollTokenKeepsThePurpose(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	o := demanded
	o.Purpose = "password-reset"
	setup, app := k.Begin("alice", with(k.SignIn("alice", o, enrollment.MustEnroll).EnrollToken))
	done := k.Confirm("alice", setup, app)
	if done.Success.Purpose != "password-reset" {
		t.Errorf("%+v", done.Success)
	}
	if s := k.Status("alice"); !s.LastSignIn.IsZero() {
		t.Error("a reset of the password counts as a sign-in")
	}
}

// The sign-in is completed for half an hour, whenever the setup ends.
func TestEnrollTokenCompletesInTime(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]enrollment.Purpose{
		enrollment.EnrollConfirmTTL:                    enrollment.PurposeSignIn,
		enrollment.EnrollConfirmTTL + time.Microsecond: enrollment.PurposeSetup,
	} {
		k := proving.New(t, func(c *enrollment.Config) { c.SetupTTL = time.Hour })
		token := mustEnroll(k, "alice")
		k.Pass(enrollment.EnrollTTL)
		setup, app := k.Begin("alice", with(token)) // which begins no new half hour
		k.Pass(after - enrollment.EnrollTTL)
		_, err := k.Guard.EnrollingUser(t.Context(), token, demanded.Browser)
		if want == enrollment.PurposeSignIn {
			k.Must(err)
		} else {
			proving.Want(t, err, enrollment.ReasonEnrollTokenInvalid)
		}
		if p := k.Confirm("alice", setup, app).Success.Purpose; p != want {
			t.Errorf("%v after the sign-in: %q", after, p)
		}
	}
}

// Whatever is no token of this user and this browser, and as fresh as it has to be, is
// denied, also where a setup need not be proven, and changes nothing.
func TestEnrollTokenIsRefused(t *testing.T) {
	t.Parallel()
	for name, proof := range map[string]func(k *proving.Kit) enrollment.Proof{
		"nothing": func(*proving.Kit) enrollment.Proof { return enrollment.ByEnrollToken(enrollment.EnrollToken{}, "") },
		"no token": func(*proving.Kit) enrollment.Proof {
			return enrollment.ByEnrollToken(enrollment.EnrollTokenOf(strings.Repeat("A", 300)), "")
		},
		"of another user": func(k *proving.Kit) enrollment.Proof {
			return enrollment.ByEnrollToken(mustEnroll(k, "mallory"), demanded.Browser)
		},
		"in another browser": func(k *proving.Kit) enrollment.Proof {
			return enrollment.ByEnrollToken(mustEnroll(k, "alice"), "safari")
		},
		"in no browser": func(k *proving.Kit) enrollment.Proof { return enrollment.ByEnrollToken(mustEnroll(k, "alice"), "") },
		"bound to none, in some": func(k *proving.Kit) enrollment.Proof {
			return enrollment.ByEnrollToken(k.SignIn("alice", enrollment.SignInOptions{Require: true}).EnrollToken, "firefox")
		},
		"a setup token": func(k *proving.Kit) enrollment.Proof {
			setup, _ := k.Begin("alice", enrollment.BeginOptions{})
			return enrollment.ByEnrollToken(enrollment.EnrollTokenOf(setup.Token.Reveal()), "")
		},
		"too old": func(k *proving.Kit) enrollment.Proof {
			defer k.Pass(enrollment.EnrollTTL + time.Microsecond)
			return enrollment.ByEnrollToken(mustEnroll(k, "alice"), demanded.Browser)
		},
		"from the future": func(k *proving.Kit) enrollment.Proof {
			defer k.Pass(-time.Minute - time.Microsecond)
			return enrollment.ByEnrollToken(mustEnroll(k, "alice"), demanded.Browser)
		},
		"of another namespace": func(k *proving.Kit) enrollment.Proof {
			d, err := k.Node(func(c *enrollment.Config) { c.Namespace = "staging" }).SignIn(t.Context(), "alice", demanded)
			k.Must(err)
			return enrollment.ByEnrollToken(d.EnrollToken, demanded.Browser)
		},
		"of a record that is gone": func(k *proving.Kit) enrollment.Proof {
			k.Must(k.Guard.Admin("root", "pass").Bypass(t.Context(), "alice", k.Now().Add(time.Minute)))
			k.Pass(time.Minute)
			defer func() { k.Must(k.Guard.Admin("root", "gone").Erase(t.Context(), "alice")) }()
			return enrollment.ByEnrollToken(mustEnroll(k, "alice"), demanded.Browser)
		},
	} {
		for _, unproven := range []bool{false, true} {
			k := proving.New(t, proving.AddressAlone, func(c *enrollment.Config) { c.UnprovenSetup = unproven })
			p := proof(k)
			before, err := k.Store.Load(t.Context(), "alice")
			stored := err == nil
			_, err = k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Proof: p})
			proving.Want(t, err, enrollment.ReasonEnrollTokenInvalid)
			_, err = k.Guard.Messages().Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: proving.Phone, Proof: p})
			proving.Want(t, err, enrollment.ReasonEnrollTokenInvalid)
			after, err := k.Store.Load(t.Context(), "alice")
			if stored != (err == nil) || stored && after.Version != before.Version || k.Inbox.Len() != 0 {
				t.Errorf("%s, unproven %t: it was written", name, unproven)
			}
		}
	}
}

// Every change of factor voids the token: it can't be used again.
func TestEnrollTokenIsVoid(t *testing.T) {
	t.Parallel()
	enroll := func(k *proving.Kit, token enrollment.EnrollToken) *proving.Person {
		return k.EnrollWith("alice", with(token))
	}
	for name, change := range map[string]func(k *proving.Kit, token enrollment.EnrollToken){
		"Confirm": func(k *proving.Kit, token enrollment.EnrollToken) { enroll(k, token) },
		"Disable": func(k *proving.Kit, token enrollment.EnrollToken) {
			k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(enroll(k, token).Code())))
		},
		"Reset": func(k *proving.Kit, token enrollment.EnrollToken) {
			enroll(k, token)
			_, err := k.Guard.Admin("root", "lost").Reset(t.Context(), "alice", enrollment.ResetOptions{})
			k.Must(err)
		},
		"Reset with a ticket": func(k *proving.Kit, _ enrollment.EnrollToken) {
			_, err := k.Guard.Admin("root", "hire").Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
			k.Must(err)
		},
		"Messages.Confirm": func(k *proving.Kit, _ enrollment.EnrollToken) {
			b, err := k.Guard.Messages().Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: proving.Phone, Proof: enrollment.ByReauth("password")})
			k.Must(err)
			_, err = k.Guard.Messages().Confirm(t.Context(), "alice", b.Token, k.Inbox.Code())
			k.Must(err)
		},
		"Import": func(k *proving.Kit, _ enrollment.EnrollToken) {
			im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: proving.ShortKey(t, "a")}}}
			k.Configure(func(c *enrollment.Config) { c.ShortSecretsUntil = k.Now().Add(time.Hour) })
			k.Must(k.Guard.Admin("root", "moving").Import(t.Context(), "alice", im))
		},
	} {
		for _, stored := range []bool{false, true} {
			k := proving.New(t, proving.AddressAlone)
			if stored {
				k.Begin("alice", enrollment.BeginOptions{})
			}
			token := mustEnroll(k, "alice")
			change(k, token)
			o := with(token)
			if name == "Reset with a ticket" {
				ticket, err := k.Guard.Admin("root", "hire").Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
				k.Must(err)
				o.Ticket = ticket
			}
			_, err := k.Guard.Begin(t.Context(), "alice", o)
			if got := proving.ReasonOf(err); got != enrollment.ReasonEnrollTokenInvalid {
				t.Errorf("after %s, stored %t: %q", name, stored, got)
			}
		}
	}
}

// Of a user who has no account, two browsers hold tokens with an epoch each. The first
// setup stores its own, and so voids the other, until its browser signs in again.
func TestTwoBrowsersEnroll(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	first, second := mustEnroll(k, "alice"), mustEnroll(k, "alice")
	k.Begin("alice", with(second))
	_, err := k.Guard.Begin(t.Context(), "alice", with(first))
	proving.Want(t, err, enrollment.ReasonEnrollTokenInvalid)
	k.Begin("alice", with(second))
	k.Must(k.Guard.Cancel(t.Context(), "alice")) // what is cancelled can be begun again
	k.Begin("alice", with(second))
	k.Begin("alice", with(mustEnroll(k, "alice")))
	_, err = k.Guard.Begin(t.Context(), "alice", with(first))
	proving.Want(t, err, enrollment.ReasonEnrollTokenInvalid)
	k.EnrollWith("alice", with(second))
}

// An erased account leaves nothing behind that could void a token of before the first
// setup. That is written down at EnrollToken.
func TestEnrollTokenOutlivesErase(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	token := mustEnroll(k, "alice")
	k.EnrollWith("alice", with(token))
	k.Must(k.Guard.Admin("root", "gone").Erase(t.Context(), "alice"))
	k.Begin("alice", with(token))
	_, err := k.Store.Load(t.Context(), "alice")
	k.Must(err)
}

// Only a sign-in that demands the setup hands out a token.
func TestOnlyMustEnrollMintsTokens(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("bob")
	pass := func(user string) {
		k.Must(k.Guard.Admin("root", "pass").Bypass(t.Context(), user, k.Now().Add(time.Hour)))
	}
	pass("carol")
	grace := demanded
	grace.Grace = k.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		user string
		o    enrollment.SignInOptions
		want enrollment.Next
	}{
		"not demanded": {"alice", enrollment.SignInOptions{Browser: "firefox"}, enrollment.Proceed},
		"grace":        {"alice", grace, enrollment.Proceed},
		"bypass":       {"carol", demanded, enrollment.Proceed},
		"confirmed":    {"bob", demanded, enrollment.AskCode},
	} {
		if d := k.SignIn(c.user, c.o, c.want); !d.EnrollToken.IsZero() {
			t.Errorf("%s: there is a token", name)
		}
	}
	k.Pass(time.Hour)
	if d := k.SignIn("carol", enrollment.SignInOptions{}, enrollment.MustEnroll); d.EnrollToken.IsZero() {
		t.Error("after a bypass there is none")
	}
}

// A ticket is asked for besides.
func TestEnrollTokenIsNoTicket(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	ticket, err := k.Guard.Admin("root", "hire").Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	k.Must(err)
	o := with(mustEnroll(k, "alice"))
	_, err = k.Guard.Begin(t.Context(), "alice", o)
	proving.Want(t, err, enrollment.ReasonTicketRequired)
	o.Ticket = ticket
	k.EnrollWith("alice", o)
}

// An address that is all that an account has is bound in the same way.
func TestEnrollTokenBinds(t *testing.T) {
	t.Parallel()
	k := proving.New(t, proving.AddressAlone)
	b, err := k.Guard.Messages().Bind(t.Context(), "alice", enrollment.BindOptions{
		Channel: "sms", To: proving.Phone, Proof: with(mustEnroll(k, "alice")).Proof,
	})
	k.Must(err)
	done, err := k.Guard.Messages().Confirm(t.Context(), "alice", b.Token, k.Inbox.Code())
	if err != nil || done.Success.Purpose != enrollment.PurposeSignIn {
		t.Errorf("%+v, %v", done, err)
	}
	if s := k.Status("alice"); s.LastFactor != enrollment.FactorDelivered {
		t.Errorf("the last sign-in is by %q", s.LastFactor)
	}
}

// The name of a browser is bounded. A Sealer that fails is a fault, never a denial.
func TestEnrollTokenFaults(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	for name, ok := range map[string]bool{strings.Repeat("x", enrollment.MaxBrowser): true, strings.Repeat("x", enrollment.MaxBrowser+1): false, "a\nb": false, "\xff": false} {
		d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Require: true, Browser: name})
		if ok != (err == nil) || ok != (d.Next == enrollment.MustEnroll) || !ok && (!strings.Contains(err.Error(), "SignInOptions.Browser") || proving.ReasonOf(err) != proving.Fault) {
			t.Errorf("%.9q: %+v, %v", name, d, err)
		}
	}
	token := mustEnroll(k, "alice")
	broken := errors.New("the key store is down")
	k.Keys.Opening = func(_, _ []byte) error { return broken }
	if user, err := k.Guard.EnrollingUser(t.Context(), token, demanded.Browser); !errors.Is(err, broken) || user != "" {
		t.Errorf("EnrollingUser: %q, %v", user, err)
	}
	if _, err := k.Guard.Begin(t.Context(), "alice", with(token)); !errors.Is(err, broken) {
		t.Errorf("Begin: %v", err)
	}
	if _, err := k.Store.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a fault left a record: %v", err)
	}
}
