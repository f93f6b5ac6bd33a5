package features

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// R1: where it is mandated, the next sign-in or the sign-up leads into the setup
// flow.
func TestFeatureR1_MandateLeadsIntoSetup(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	mandated := enrollment.SignInOptions{Require: true}
	for _, user := range []string{"alice, who was there before", "bob, who has just signed up"} {
		d := k.SignIn(user, mandated, enrollment.MustEnroll)
		if !d.Challenge.IsZero() {
			t.Error("a challenge, and nothing to answer it with")
		}
		setup, app := k.Begin(user, enrollment.BeginOptions{Account: "user", Proof: enrollment.ByEnrollToken(d.EnrollToken, "")})
		k.SignIn(user, mandated, enrollment.MustEnroll) // leaving the page is no way around it
		done := k.Confirm(user, setup, app)
		// The session starts here: no second code.
		if done.Success.UserID != user || done.Success.Receipt.IsZero() || done.Success.Purpose != enrollment.PurposeSignIn {
			t.Errorf("%+v, want a success of %s", done.Success, user)
		}
		k.In(k.SignIn(user, mandated, enrollment.AskCode).Challenge, k.Code(app))
	}
}

// N14: where a sign-in demands the setup, its token carries the user from the password to
// the first code. No form and no session has to say who that is.
func TestFeatureN14_TokenOfTheSignIn(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	const browser = "hash of a cookie"
	d := k.SignIn("alice", enrollment.SignInOptions{Require: true, Browser: browser}, enrollment.MustEnroll)
	_, err := k.Guard.EnrollingUser(t.Context(), d.EnrollToken, "hash of another cookie") // it was stolen
	proving.Want(t, err, enrollment.ReasonEnrollTokenInvalid)
	user, err := k.Guard.EnrollingUser(t.Context(), d.EnrollToken, browser)
	k.Must(err)
	o := enrollment.BeginOptions{Proof: enrollment.ByEnrollToken(d.EnrollToken, browser)}
	_, err = k.Guard.Begin(t.Context(), "mallory", o) // whom a form has named
	proving.Want(t, err, enrollment.ReasonEnrollTokenInvalid)
	setup, app := k.Begin(user, o)
	if done := k.Confirm(user, setup, app); done.Success.UserID != "alice" || done.Success.Purpose != enrollment.PurposeSignIn {
		t.Errorf("%+v", done.Success)
	}
	_, err = k.Guard.Begin(t.Context(), user, o) // once it is set up, the token is worth nothing
	proving.Want(t, err, enrollment.ReasonEnrollTokenInvalid)

	d = k.SignIn("bob", enrollment.SignInOptions{Require: true}, enrollment.MustEnroll)
	k.Pass(enrollment.EnrollTTL + time.Second) // bob was called away
	_, err = k.Guard.Begin(t.Context(), "bob", enrollment.BeginOptions{Proof: enrollment.ByEnrollToken(d.EnrollToken, "")})
	proving.Want(t, err, enrollment.ReasonEnrollTokenInvalid)
}

// X13: the first setup takes a proof, and a settings page knows that before it asks.
func TestFeatureX13_FirstSetupIsProven(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	change, ok := k.Status("alice").Change(enrollment.ChangeBegin)
	if !ok || !change.Reauth || len(change.Codes)+len(change.Receipts) > 0 {
		t.Errorf("the settings page is told %+v", change)
	}
	o := enrollment.BeginOptions{Account: "alice"}
	_, err := k.Guard.Begin(t.Context(), "alice", o)
	proving.Want(t, err, enrollment.ReasonProofRequired)
	o.Proof = enrollment.ByReauth("password") // the page has asked for it
	_, err = k.Guard.Begin(t.Context(), "alice", o)
	k.Must(err)

	// A host whose page asks for nothing says so, and the page is told.
	k.Configure(func(c *enrollment.Config) { c.UnprovenSetup = true })
	if change, ok := k.Status("bob").Change(enrollment.ChangeBegin); !ok || change.Reauth {
		t.Errorf("without a proof, the settings page is told %+v", change)
	}
	_, err = k.Guard.Begin(t.Context(), "bob", enrollment.BeginOptions{Account: "bob"})
	k.Must(err)
}

// R2: the user chooses an authenticator app or text messages; a phone number
// with its country code is confirmed by a code sent to it.
func TestFeatureR2_AppOrTextMessages(t *testing.T, open proving.Open) {
	bobs := new(proving.Inbox)
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.Sender, c.AddressAlone = bobs, true })
	number := enrollment.BindOptions{Channel: "sms", To: "+44 20 7946 0123", Proof: enrollment.ByReauth("password")}

	strict := k.Node(func(c *enrollment.Config) { c.AddressAlone = false }).Messages()
	_, err := strict.Bind(t.Context(), "bob", number)
	proving.Want(t, err, enrollment.ReasonNoAuthenticator) // off by default

	messages := k.Guard.Messages()
	k.Enroll("alice") // chooses the app
	binding, err := messages.Bind(t.Context(), "bob", number)
	k.Must(err)
	if m := bobs.Last(); m.To != "+44 20 7946 0123" || m.Channel != "sms" || len(m.Code()) != 6 {
		t.Errorf("sent to %q over %q", m.To, m.Channel)
	}
	k.SignIn("bob", enrollment.SignInOptions{}, enrollment.Proceed) // not confirmed yet
	wrong := "000000"
	if bobs.Code() == wrong {
		wrong = "000001"
	}
	_, err = messages.Confirm(t.Context(), "bob", binding.Token, wrong)
	proving.Want(t, err, enrollment.ReasonWrongCode)
	done, err := messages.Confirm(t.Context(), "bob", binding.Token, bobs.Code())
	k.Must(err)
	if done.Event != enrollment.EventEnabled || done.Codes.Len() != 10 {
		t.Errorf("confirming did %q and made %d codes", done.Event, done.Codes.Len())
	}

	k.Pass(enrollment.MessagePause)
	d := k.SignIn("bob", enrollment.SignInOptions{}, enrollment.AskCode)
	if want := []enrollment.Factor{enrollment.FactorDelivered, enrollment.FactorRecovery}; !slices.Equal(d.Factors, want) {
		t.Errorf("bob is offered %v, want %v", d.Factors, want)
	}
	sent, err := messages.Send(t.Context(), enrollment.PurposeSignIn, d.Challenge)
	k.Must(err)
	if sent.Address.Hint != "…23" {
		t.Errorf("the page says that it went to %q", sent.Address.Hint)
	}
	if ok := k.In(sent.Challenge, bobs.Code()); ok.UserID != "bob" || ok.Factor != enrollment.FactorDelivered {
		t.Errorf("%+v", ok)
	}
	k.Out(sent.Challenge, bobs.Code(), enrollment.ReasonChallengeSpent)
	// The first factor and the second must not come over the same way.
	magic := k.SignIn("bob", enrollment.SignInOptions{Channel: "sms"}, enrollment.AskCode)
	_, err = messages.Send(t.Context(), enrollment.PurposeSignIn, magic.Challenge)
	proving.Want(t, err, enrollment.ReasonSameChannel)
}

// R3: the key can be typed in by hand.
func TestFeatureR3_KeyTypedIn(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	setup, _ := k.Begin("alice", enrollment.BeginOptions{})
	secret, err := totp.ParseSecret(setup.Secret().Grouped()) // with the spaces that it is shown with
	k.Must(err)
	app, err := totp.NewKey(secret, setup.Params())
	k.Must(err)
	_, err = k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(app))
	k.Must(err)
}

// R4: backup codes are shown after verification, to be downloaded; each works
// once.
func TestFeatureR4_BackupCodesAfterVerification(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	setup, app := k.Begin("alice", enrollment.BeginOptions{})
	if setup.Codes().Len() != 0 {
		t.Error("codes before the verification")
	}
	done := k.Confirm("alice", setup, app)
	codes := done.Codes.Reveal()
	if len(codes) != 10 {
		t.Fatalf("%d codes after it", len(codes))
	}
	for i, c := range codes {
		challenge := k.Challenge("alice")
		if ok := k.In(challenge, c); ok.CodesLeft != len(codes)-1-i {
			t.Errorf("%d codes left after %d", ok.CodesLeft, i+1)
		}
		k.Pass(time.Minute) // a used code counts as a wrong one
		k.Out(k.Challenge("alice"), c, enrollment.ReasonReplayed)
	}
}

// R5: "enter a recovery code" in the sign-in flow.
func TestFeatureR5_RecoveryCodeAtSignIn(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	d := k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)
	if !slices.Contains(d.Factors, enrollment.FactorRecovery) {
		t.Errorf("the page is not told to offer it: %v", d.Factors)
	}
	if ok := k.In(d.Challenge, alice.Codes[4]); ok.Factor != enrollment.FactorRecovery || ok.CodesLeft != 9 {
		t.Errorf("%+v", ok)
	}
	if told := k.EventsOf("alice", enrollment.EventRecoveryUsed); len(told) != 1 {
		t.Errorf("alice was told %d times", len(told))
	}
}

// R6: an administrator grants a 24-hour pass; when it ends the user must set up
// two-factor authentication again.
func TestFeatureR6_PassOf24Hours(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	k.Challenge("alice")

	admin := k.Guard.Admin("root", "new phone is in the mail")
	_, err := admin.Reset(t.Context(), "alice", enrollment.ResetOptions{}) // the old one is gone for good
	k.Must(err)
	end := k.Now().Add(24 * time.Hour)
	proving.Want(t, admin.Bypass(t.Context(), "alice", end.Add(time.Second)), enrollment.ReasonInvalidBypass)
	k.Must(admin.Bypass(t.Context(), "alice", end))
	if told := k.EventsOf("alice", enrollment.EventBypassGranted); len(told) != 1 || told[0].Actor != "root" {
		t.Errorf("alice was told %+v", told)
	}

	mandated := enrollment.SignInOptions{Require: true}
	d := k.SignIn("alice", mandated, enrollment.Proceed)
	if d.Waived != enrollment.FactorBypass || !d.EnrollBy.Equal(end) {
		t.Errorf("%+v, want a bypass until %v", d, end)
	}
	if status := k.Status("alice"); status.LastFactor != enrollment.FactorBypass || !status.BypassUntil.Equal(end) {
		t.Errorf("the page says %q, until %v", status.LastFactor, status.BypassUntil)
	}
	k.Pass(24*time.Hour - time.Second)
	k.SignIn("alice", mandated, enrollment.Proceed)
	k.Pass(time.Second)
	k.SignIn("alice", mandated, enrollment.MustEnroll)
	k.SignIn("alice", enrollment.SignInOptions{}, enrollment.MustEnroll) // whatever the rules say by then
	if !k.Status("alice").MustEnroll {
		t.Error("the page does not say so")
	}

	setup, app := k.Begin("alice", enrollment.BeginOptions{})
	k.Confirm("alice", setup, app)
	challenge := k.Challenge("alice")
	k.Out(challenge, alice.Code(), enrollment.ReasonWrongCode)
	k.In(challenge, k.Code(app))
}

// R6, for a phone that was only left at home: after the pass, its codes are asked
// for again.
func TestFeatureR6_PhoneLeftAtHome(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	k.Must(k.Guard.Admin("root", "phone at home").Bypass(t.Context(), "alice", k.Now().Add(8*time.Hour)))
	if d := k.SignIn("alice", enrollment.SignInOptions{}, enrollment.Proceed); d.Waived != enrollment.FactorBypass {
		t.Errorf("waived by %q", d.Waived)
	}
	proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.Proof{}), enrollment.ReasonProofRequired)
	k.SignIn("alice", enrollment.SignInOptions{Purpose: "password-reset"}, enrollment.AskCode) // a sign-in, and nothing else
	k.Pass(8 * time.Hour)
	k.In(k.Challenge("alice"), alice.Code())
}
