package features

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/qr"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// seedFile is what the vendor of hardware tokens has sent: their keys by serial number.
func seedFile(t *testing.T) map[string]totp.Key {
	t.Helper()
	return map[string]totp.Key{
		"26-0001": proving.TheirKey(t, "26-0001", totp.Params{Period: time.Minute}),
		"26-0002": proving.TheirKey(t, "26-0002", totp.Params{Algorithm: totp.SHA256, Digits: 8}),
	}
}

// X15: a user with a phone adds a token by its serial number and a code. The page shows
// no secret, because nobody has to copy one.
func TestFeatureX15_HardwareToken(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	token := seedFile(t)["26-0001"]
	o := enrollment.BeginOptions{Name: "token 26-0001", HardwareToken: token}
	_, err := k.Guard.Begin(t.Context(), "alice", o)
	proving.Want(t, err, enrollment.ReasonProofRequired)
	o.Proof = enrollment.ByReceipt(alice.Receipt())
	setup, _ := k.Begin("alice", o)
	for range 2 {
		if _, err := setup.QR(); !setup.HardwareToken || setup.URI() != "" || !setup.Secret().IsZero() || !errors.Is(err, qr.ErrEmpty) {
			t.Fatalf("the page shows %q, %q, %v", setup.URI(), setup.Secret().Grouped(), err)
		}
		if setup.Params() != token.Params() {
			t.Errorf("the page asks for %+v", setup.Params())
		}
		setup, err = k.Guard.Resume(t.Context(), "alice", setup.Token)
		k.Must(err)
	}
	done := k.Confirm("alice", setup, token)
	if done.Event != enrollment.EventAuthenticatorAdded || done.Success.Factor != enrollment.FactorTOTP {
		t.Errorf("%+v", done.Success)
	}
	list := k.Status("alice").Authenticators
	if len(list) != 2 || list[0].HardwareToken || !list[1].HardwareToken || list[1].Name != "token 26-0001" {
		t.Errorf("%+v", list)
	}
	k.In(k.Challenge("alice"), k.Code(token))
	k.Pass(time.Minute)
	k.In(k.Challenge("alice"), alice.Code())
	k.Pass(time.Minute)
	askedFor(t, k, "alice", 6, 6, 6)

	// It is removed like any other, and does not come with a pending setup of an app.
	k.Must(k.Guard.Remove(t.Context(), "alice", list[1].ID, enrollment.ByReceipt(alice.Receipt())))
	k.Pass(time.Minute)
	k.Out(k.Challenge("alice"), k.Code(token), enrollment.ReasonWrongCode)
	if app, _ := k.Begin("alice", enrollment.BeginOptions{Proof: enrollment.ByReceipt(alice.Receipt())}); app.HardwareToken || app.URI() == "" {
		t.Error("the setup of an app shows nothing")
	}
}

// askedFor checks how many digits a sign-in says that codes have, and how many each
// authenticator has.
func askedFor(t *testing.T, k *proving.Kit, user string, digits int, each ...int) {
	t.Helper()
	if d := k.SignIn(user, enrollment.SignInOptions{}, enrollment.AskCode); d.Digits != digits {
		t.Errorf("the page asks for %d digits, want %d", d.Digits, digits)
	}
	var list []int
	for _, x := range k.Status(user).Authenticators {
		list = append(list, x.Digits)
	}
	if !slices.Equal(list, each) {
		t.Errorf("the authenticators have %d digits, want %d", list, each)
	}
}

// X15: codes of a token can have more digits than those of an app. The page of the
// sign-in knows the number if it is one for all.
func TestFeatureX15_Digits(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	token := seedFile(t)["26-0002"]
	alice := k.Enroll("alice")
	askedFor(t, k, "alice", 6, 6)
	setup, _ := k.Begin("alice", enrollment.BeginOptions{HardwareToken: token, Proof: enrollment.ByReceipt(alice.Receipt())})
	askedFor(t, k, "alice", 6, 6) // until it is confirmed
	k.Confirm("alice", setup, token)
	askedFor(t, k, "alice", 0, 6, 8)
	k.Pass(time.Minute)
	app := k.Status("alice").Authenticators[0].ID
	k.Must(k.Guard.Remove(t.Context(), "alice", app, enrollment.ByReceipt(alice.Receipt())))
	askedFor(t, k, "alice", 8, 8)
}

// X15: a token can be the first authenticator, and all that an account has.
func TestFeatureX15_TokenAlone(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	token := seedFile(t)["26-0002"]
	bob := k.EnrollWith("bob", enrollment.BeginOptions{HardwareToken: token})
	if len(bob.Codes) == 0 || len(bob.Code()) != 8 {
		t.Errorf("%d recovery codes, codes like %q", len(bob.Codes), bob.Code())
	}
	k.In(bob.Challenge(), bob.Code())
	k.Pass(time.Minute)

	// A phone replaces it.
	id := k.Status("bob").Authenticators[0].ID
	setup, phone := k.Begin("bob", enrollment.BeginOptions{Replace: id, Proof: enrollment.ByCode(bob.Code())})
	k.Confirm("bob", setup, phone)
	k.Out(bob.Challenge(), bob.Code(), enrollment.ReasonMalformedCode)
	k.In(bob.Challenge(), k.Code(phone))
}

// X15: the clock of a token drifts, and nobody can set it. Three codes sign in, and with
// a recovery code the account gets used to the clock. From then on a single code will do.
func TestFeatureX15_TokenWithWrongClock(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	token := seedFile(t)["26-0001"]
	carol := k.EnrollWith("carol", enrollment.BeginOptions{Name: "token 26-0001", HardwareToken: token})
	if _, ok := k.Status("carol").Change(enrollment.ChangeResynchronize); !ok {
		t.Error("the settings don't offer it")
	}
	const slow = -4 * time.Minute
	shown := func() string { return proving.Shown(token, k.Now().Add(slow)) }
	three := func() []string { return proving.Three(token, k.Now().Add(slow)) }
	k.Pass(2 * 365 * 24 * time.Hour)
	k.Out(carol.Challenge(), shown(), enrollment.ReasonWrongCode)
	ok, err := k.Guard.ThreeCodes().Answer(t.Context(), enrollment.PurposeSignIn, carol.Challenge(), three())
	k.Must(err)
	if ok.Drift != slow {
		t.Errorf("told a drift of %v", ok.Drift)
	}

	k.Pass(4 * time.Minute) // while the token shows other codes
	id := k.Status("carol").Authenticators[0].ID
	err = k.Guard.ThreeCodes().Resynchronize(t.Context(), "carol", id, three(), enrollment.ByReceipt(ok.Receipt))
	proving.Want(t, err, enrollment.ReasonProofNotAllowed)
	k.Must(k.Guard.ThreeCodes().Resynchronize(t.Context(), "carol", id, three(), enrollment.ByCode(carol.Codes[0])))
	if told := k.EventsOf("carol", enrollment.EventResynchronized); len(told) != 1 || told[0].Name != "token 26-0001" || told[0].Factor != enrollment.FactorRecovery {
		t.Errorf("carol was told %+v", told)
	}
	k.Pass(time.Minute)
	if ok := k.In(carol.Challenge(), shown()); ok.Drift != 0 {
		t.Errorf("told a drift of %v", ok.Drift)
	}
	k.Out(carol.Challenge(), k.Code(token), enrollment.ReasonWrongCode) // of four minutes later, by the token
}
