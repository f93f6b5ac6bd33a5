package enrollment_test

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// same checks that these are the codes that were shown before.
func same(t *testing.T, again recovery.Codes, err error, shown recovery.Codes) {
	t.Helper()
	if err != nil || shown.Len() == 0 || !slices.Equal(again.Reveal(), shown.Reveal()) {
		t.Errorf("%d other codes than the %d that were shown, %v", again.Len(), shown.Len(), err)
	}
}

// What was shown once can be shown once more, with either scheme, and whether the
// codes were shown before they were confirmed or after.
func TestSetupCodes(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("one of the schemes is Argon2id")
	}
	for _, scheme := range []recovery.Scheme{recovery.Fast, recovery.Argon2id} {
		for _, early := range []bool{false, true} {
			k := proving.New(t, func(c *enrollment.Config) {
				c.RecoveryScheme, c.RecoveryCodes, c.CodesAtSetup = scheme, recovery.MinCount, early
			})
			setup, key := k.Begin("alice", enrollment.BeginOptions{})
			resumed, err := k.Guard.Resume(t.Context(), "alice", setup.Token)
			k.Must(err)
			_, err = k.Guard.SetupCodes(t.Context(), "alice", setup.Token)
			proving.Want(t, err, enrollment.ReasonNotEnrolled)
			done, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(key))
			k.Must(err)
			if early {
				same(t, setup.Codes(), nil, done.Codes)
			}
			k.Told()
			k.Unchanged("alice", func() {
				_, err = k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(key))
				proving.Want(t, err, enrollment.ReasonAlreadyConfirmed)
				_, err = k.Guard.Resume(t.Context(), "alice", setup.Token)
				proving.Want(t, err, enrollment.ReasonAlreadyConfirmed)
				k.Configure(func(c *enrollment.Config) { c.RecoveryCodes, c.RecoveryScheme = 7, recovery.Fast }) // a rollout
				for _, token := range []enrollment.SetupToken{setup.Token, resumed.Token} {
					codes, err := k.Guard.SetupCodes(t.Context(), "alice", token)
					same(t, codes, err, done.Codes)
				}
			})
			k.WantTold() // the event of the setup says that there are codes
		}
	}
}

// The codes are shown again until ten minutes after the token has expired.
func TestSetupCodesEnd(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	setup, key := k.Begin("alice", enrollment.BeginOptions{})
	k.Pass(time.Minute)
	done, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(key))
	k.Must(err)
	k.Pass(setup.Expires.Add(account.RepeatTTL).Sub(k.Now()) - time.Microsecond)
	codes, err := k.Guard.SetupCodes(t.Context(), "alice", setup.Token)
	same(t, codes, err, done.Codes)
	_, err = k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(key))
	proving.Want(t, err, enrollment.ReasonAlreadyConfirmed)
	k.Pass(time.Microsecond)
	for range 2 {
		_, err = k.Guard.SetupCodes(t.Context(), "alice", setup.Token)
		proving.Want(t, err, enrollment.ReasonSetupExpired)
		_, err = k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(key))
		proving.Want(t, err, enrollment.ReasonSetupExpired)
		k.Pass(time.Hour)
	}
}

// What was not confirmed says so, and shows nothing.
func TestSetupCodesOfOthers(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	begin := func() enrollment.Setup {
		setup, _ := k.Begin("alice", enrollment.BeginOptions{Proof: enrollment.ByReceipt(alice.Receipt())})
		k.Pass(time.Minute)
		return setup
	}
	want := func(token enrollment.SetupToken, want enrollment.Reason) {
		t.Helper()
		_, err := k.Guard.SetupCodes(t.Context(), "alice", token)
		proving.Want(t, err, want)
	}
	superseded, pending := begin(), begin()
	want(superseded.Token, enrollment.ReasonSetupSuperseded)
	want(pending.Token, enrollment.ReasonCodesNotKept)
	k.Must(k.Guard.Cancel(t.Context(), "alice"))
	want(pending.Token, enrollment.ReasonNoSetup)
	k.Pass(time.Hour)
	want(pending.Token, enrollment.ReasonSetupExpired)
	want(enrollment.SetupTokenOf("x"), enrollment.ReasonSetupInvalid)
	want(enrollment.SetupToken{}, enrollment.ReasonSetupInvalid)
	second, key := k.Begin("alice", enrollment.BeginOptions{Proof: enrollment.ByReceipt(alice.Receipt())})
	if done := k.Confirm("alice", second, key); done.Codes.Len() != 0 {
		t.Fatal("a second authenticator has made codes")
	}
	want(second.Token, enrollment.ReasonCodesNotKept) // the codes are those of the first one
	_, err := k.Guard.SetupCodes(t.Context(), "bob", second.Token)
	proving.Want(t, err, enrollment.ReasonSetupInvalid)
}

// Nothing is shown again of codes that are used, replaced or gone.
func TestSetupCodesAreTheAccounts(t *testing.T) {
	t.Parallel()
	type change = func(k *proving.Kit, u *proving.Person) error
	for name, c := range map[string]struct {
		change change
		want   enrollment.Reason
	}{
		"a code was used": {func(k *proving.Kit, u *proving.Person) error {
			_, err := k.Guard.Verify(t.Context(), u.ID, "x", u.Codes[5])
			return err
		}, enrollment.ReasonCodesNotKept},
		"others were made": {func(k *proving.Kit, u *proving.Person) error {
			_, err := k.Guard.RenewCodes(t.Context(), u.ID, enrollment.ByCode(u.Code()))
			return err
		}, enrollment.ReasonCodesNotKept},
		"switched off": {func(k *proving.Kit, u *proving.Person) error {
			return k.Guard.Disable(t.Context(), u.ID, enrollment.ByCode(u.Code()))
		}, enrollment.ReasonNotEnrolled},
		"erased": {func(k *proving.Kit, u *proving.Person) error {
			return k.Guard.Admin("root", "gone").Erase(t.Context(), u.ID)
		}, enrollment.ReasonNotEnrolled},
	} {
		for _, adjust := range []func(*enrollment.Config){func(*enrollment.Config) {}, proving.ReplenishCodes} {
			t.Run(name, func(t *testing.T) {
				k := proving.New(t, adjust)
				setup, key := k.Begin("alice", enrollment.BeginOptions{})
				done := k.Confirm("alice", setup, key)
				k.Pass(time.Minute)
				k.Must(c.change(k, &proving.Person{ID: "alice", Kit: k, Key: key, Codes: done.Codes.Reveal()}))
				_, err := k.Guard.SetupCodes(t.Context(), "alice", setup.Token)
				proving.Want(t, err, c.want)
			})
		}
	}
}

// An address is confirmed like an app.
func TestSetupCodesOfAnAddress(t *testing.T) {
	t.Parallel()
	k := proving.New(t, proving.AddressAlone)
	p := k.Post()
	b, err := p.Begin("alice", enrollment.ByReauth("password"))
	k.Must(err)
	_, err = k.Guard.SetupCodes(t.Context(), "alice", b.Token)
	proving.Want(t, err, enrollment.ReasonNotEnrolled)
	done, err := p.Messages.Confirm(t.Context(), "alice", b.Token, p.Inbox.Code())
	k.Must(err)
	_, err = p.Messages.Confirm(t.Context(), "alice", b.Token, p.Inbox.Code())
	proving.Want(t, err, enrollment.ReasonAlreadyConfirmed)
	codes, err := k.Guard.SetupCodes(t.Context(), "alice", b.Token)
	same(t, codes, err, done.Codes)
	k.Pass(enrollment.MessagePause)
	later, err := p.Begin("alice", enrollment.ByCode(done.Codes.Reveal()[0]))
	k.Must(err)
	k.Begin("alice", enrollment.BeginOptions{Proof: enrollment.ByCode(done.Codes.Reveal()[1])}) // drops the address
	_, err = k.Guard.SetupCodes(t.Context(), "alice", later.Token)
	proving.Want(t, err, enrollment.ReasonNoSetup)
	k.Pass(b.Expires.Add(account.RepeatTTL).Sub(k.Now()))
	_, err = k.Guard.SetupCodes(t.Context(), "alice", b.Token)
	proving.Want(t, err, enrollment.ReasonSetupExpired)
}

// A renewal that was prepared makes one set, whatever the proof, and shows it again.
func TestRenewCodesOnce(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	u := k.Enroll("alice")
	var before store.Record
	k.Unchanged("alice", func() { _, err := k.Guard.PrepareRenewal(t.Context(), "alice"); k.Must(err) })
	_, err := k.Guard.PrepareRenewal(t.Context(), "nobody")
	proving.Want(t, err, enrollment.ReasonNotEnrolled)
	for name, proof := range map[string]func() enrollment.Proof{
		"a code":    func() enrollment.Proof { return enrollment.ByCode(u.Code()) },
		"a receipt": func() enrollment.Proof { return enrollment.ByReceipt(u.Receipt()) },
	} {
		k.Pass(time.Minute)
		p := proof()
		token, err := k.Guard.PrepareRenewal(t.Context(), "alice")
		k.Must(err)
		other, err := k.Guard.PrepareRenewal(t.Context(), "alice") // in another tab
		k.Must(err)
		_, err = k.Guard.RenewalCodes(t.Context(), "alice", token)
		proving.Want(t, err, enrollment.ReasonRenewalInvalid)
		renewed, err := k.Guard.RenewCodesOnce(t.Context(), "alice", token, p)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		before = k.Record("alice")
		for _, p := range []enrollment.Proof{p, {}, enrollment.ByReceipt(renewed.Receipt)} {
			_, err = k.Guard.RenewCodesOnce(t.Context(), "alice", token, p)
			proving.Want(t, err, enrollment.ReasonAlreadyRenewed)
		}
		_, err = k.Guard.RenewCodesOnce(t.Context(), "alice", other, enrollment.ByReceipt(renewed.Receipt))
		proving.Want(t, err, enrollment.ReasonRenewalInvalid)
		codes, err := k.Guard.RenewalCodes(t.Context(), "alice", token)
		same(t, codes, err, renewed.Codes)
		_, err = k.Guard.RenewalCodes(t.Context(), "alice", other)
		proving.Want(t, err, enrollment.ReasonRenewalInvalid)
		if k.Record("alice").Version != before.Version {
			t.Error("repeating has changed the account")
		}
		k.Pass(15*time.Minute + account.RepeatTTL)
		_, err = k.Guard.RenewalCodes(t.Context(), "alice", token)
		proving.Want(t, err, enrollment.ReasonRenewalInvalid)
	}
}

// A renewal is shown again until ten minutes after its token has expired. Then the token
// says nothing any more, and the account is not even loaded: a used token, an unused one,
// and one of a user who has nothing now are refused alike.
func TestRenewalCodesEnd(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	u := k.Enroll("alice")
	token := func() enrollment.RenewalToken {
		token, err := k.Guard.PrepareRenewal(t.Context(), "alice")
		k.Must(err)
		return token
	}
	receipt := u.Receipt()
	used := token()
	done, err := k.Guard.RenewCodesOnce(t.Context(), "alice", used, enrollment.ByReceipt(receipt))
	k.Must(err)
	unused := token()
	k.Pass(15*time.Minute + account.RepeatTTL - time.Microsecond)
	codes, err := k.Guard.RenewalCodes(t.Context(), "alice", used)
	same(t, codes, err, done.Codes)
	_, err = k.Guard.RenewCodesOnce(t.Context(), "alice", used, enrollment.ByCode(u.Code()))
	proving.Want(t, err, enrollment.ReasonAlreadyRenewed)

	ended := func(token enrollment.RenewalToken) {
		t.Helper()
		before := k.Store.Calls(proving.Load)
		_, err := k.Guard.RenewalCodes(t.Context(), "alice", token)
		proving.Want(t, err, enrollment.ReasonRenewalInvalid)
		_, err = k.Guard.RenewCodesOnce(t.Context(), "alice", token, enrollment.ByCode(u.Code()))
		proving.Want(t, err, enrollment.ReasonRenewalInvalid)
		if n := k.Store.Calls(proving.Load) - before; n != 0 {
			t.Errorf("the account was loaded %d times", n)
		}
	}
	k.Pass(time.Microsecond)
	ended(used)
	ended(unused)
	k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(u.Code())))
	ended(used)
}

// A renewal token is one user's, and good until it expires.
func TestRenewalTokenIsBound(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice, bob := k.Enroll("alice"), k.Enroll("bob")
	k.Pass(time.Minute)
	token, err := k.Guard.PrepareRenewal(t.Context(), "alice")
	k.Must(err)
	setup, _ := k.Begin("bob", enrollment.BeginOptions{Proof: enrollment.ByReceipt(bob.Receipt())})
	k.Pass(time.Minute)
	for name, text := range map[string]string{
		"another user's": token.Reveal(), "a setup's": setup.Token.Reveal(), "none": "", "garbage": "x",
		"one of another scheme": bob.Challenge().Reveal(),
	} {
		_, err := k.Guard.RenewCodesOnce(t.Context(), "bob", enrollment.RenewalTokenOf(text), enrollment.ByCode(bob.Code()))
		if proving.ReasonOf(err) != enrollment.ReasonRenewalInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	k.Pass(15 * time.Minute)
	_, err = k.Guard.RenewCodesOnce(t.Context(), "alice", token, enrollment.ByCode(alice.Code()))
	proving.Want(t, err, enrollment.ReasonRenewalInvalid)
}
