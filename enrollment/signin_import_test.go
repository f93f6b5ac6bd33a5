package enrollment_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// theirs is what another system has of the user: a key for each of the parameters.
func theirs(t *testing.T, user string, params ...totp.Params) *enrollment.Import {
	t.Helper()
	im := &enrollment.Import{RecoveryHashes: proving.Hashes(proving.Summed("abcde-12345")...)}
	for i, p := range params {
		key := proving.TheirKey(t, user+strings.Repeat("+", i), p)
		im.Authenticators = append(im.Authenticators, enrollment.ImportedAuthenticator{Key: key, Name: "old phone"})
	}
	return im
}

// What may have been used in the other system is used, and the Decision says when
// the first code comes that is not: for as long as that is so, and for no other
// reason.
func TestSignInImportSaysWhenTheNextCodeComes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		params []totp.Params
		next   time.Duration // from the import, which is 10 seconds into a step
	}{
		"30 seconds":           {[]totp.Params{{}}, 50 * time.Second},
		"60 seconds":           {[]totp.Params{{Period: time.Minute}}, 110 * time.Second},
		"both, until both are": {[]totp.Params{{Period: time.Minute}, {}}, 110 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := proving.New(t)
			im := theirs(t, "alice", c.params...)
			key, next := im.Authenticators[0].Key, k.Now().Add(c.next)
			var first enrollment.Decision
			for k.Now().Before(next) {
				d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Import: im})
				if err != nil || d.Next != enrollment.AskCode || !d.NextCode.Equal(next) {
					t.Fatalf("at %v: %+v, %v", k.Now(), d, err)
				}
				if first.Next == enrollment.Refuse {
					first = d
				}
				_, err = k.Answer(first.Challenge, k.Code(key))
				proving.Want(t, err, enrollment.ReasonReplayed)
				k.Pass(20 * time.Second)
			}
			for _, x := range im.Authenticators {
				d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Import: im})
				if err != nil || !d.NextCode.IsZero() {
					t.Errorf("at %v: %+v, %v", k.Now(), d, err)
				}
				if _, err := k.Answer(d.Challenge, k.Code(x.Key)); err != nil {
					t.Error(err)
				}
			}
			// That the owner has just used a code is nobody's business.
			if d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{}); err != nil || !d.NextCode.IsZero() {
				t.Errorf("after a code: %+v, %v", d, err)
			}
		})
	}
}

// An account that was ever here stays as it is, and a second factor that is there is
// asked for, whatever the purpose.
func TestSignInImportStates(t *testing.T) {
	t.Parallel()
	admin := func(k *proving.Kit) enrollment.Admin { return k.Guard.Admin("support", "a test") }
	reset := func(k *proving.Kit, ticket bool) {
		_, err := admin(k).Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: ticket})
		k.Must(err)
	}
	takeOver := func(k *proving.Kit) { k.TakeOver("alice") }
	for name, c := range map[string]struct {
		lead func(k *proving.Kit)
		next enrollment.Next
		not  enrollment.Reason
	}{
		"never here": {func(*proving.Kit) {}, enrollment.AskCode, ""},
		"a setup is pending": {func(k *proving.Kit) {
			k.Begin("alice", enrollment.BeginOptions{})
		}, enrollment.AskCode, ""},
		"a setup has expired": {func(k *proving.Kit) {
			k.Begin("alice", enrollment.BeginOptions{})
			k.Pass(time.Hour)
		}, enrollment.AskCode, ""},
		"a pass that has ended": {func(k *proving.Kit) {
			k.Must(admin(k).Bypass(t.Context(), "alice", k.Now().Add(time.Hour)))
			k.Pass(time.Hour)
		}, enrollment.AskCode, ""},
		"on":       {func(k *proving.Kit) { k.Enroll("alice") }, enrollment.AskCode, enrollment.ReasonAlreadyEnrolled},
		"imported": {takeOver, enrollment.AskCode, enrollment.ReasonAlreadyEnrolled},
		"disabled": {func(k *proving.Kit) {
			p := k.Enroll("alice")
			k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(p.Code())))
		}, enrollment.Proceed, enrollment.ReasonWasEnrolled},
		"imported and reset":  {func(k *proving.Kit) { takeOver(k); reset(k, false) }, enrollment.Proceed, enrollment.ReasonWasEnrolled},
		"reset with a ticket": {func(k *proving.Kit) { takeOver(k); reset(k, true) }, enrollment.Proceed, enrollment.ReasonWasEnrolled},
		"given a ticket":      {func(k *proving.Kit) { reset(k, true) }, enrollment.Proceed, enrollment.ReasonWasEnrolled},
		"erased": {func(k *proving.Kit) { // nobody knows of it any more
			takeOver(k)
			k.Must(admin(k).Erase(t.Context(), "alice"))
		}, enrollment.AskCode, ""},
	} {
		for _, purpose := range []enrollment.Purpose{enrollment.PurposeSignIn, "password-reset"} {
			t.Run(name+", "+string(purpose), func(t *testing.T) {
				t.Parallel()
				k := proving.New(t)
				c.lead(k)
				before, _ := k.Store.Straight.Load(t.Context(), "alice")
				d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Purpose: purpose, Import: theirs(t, "old", totp.Params{})})
				if err != nil || d.Next != c.next || d.NotImported != c.not {
					t.Fatalf("%+v, %v", d, err)
				}
				s := k.Status("alice")
				if took := s.Enabled() && s.Authenticators[0].Name == "old phone" && s.History[0].Kind == enrollment.EventImported && s.History[0].Actor == ""; took != (c.not == "") {
					t.Errorf("imported: %t, %+v", took, s)
				}
				if c.not != "" && c.next == enrollment.AskCode && k.Record("alice").Version != before.Version {
					t.Error("something was written")
				}
				if c.not == "" && (s.MustEnroll || !s.SetupExpires.IsZero()) {
					t.Errorf("something is left of before: %+v", s)
				}
			})
		}
	}
}

// A pass that an administrator has given holds for a user who moves in with it, and
// the second factor is asked for when it ends.
func TestSignInImportKeepsABypass(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	until := k.Now().Add(time.Hour)
	k.Must(k.Guard.Admin("support", "phone at home").Bypass(t.Context(), "alice", until))
	im := theirs(t, "alice", totp.Params{})
	d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Import: im, Require: true})
	if err != nil || d.Next != enrollment.Proceed || d.Waived != enrollment.FactorBypass || d.NotImported != "" || !d.EnrollBy.IsZero() || d.Stamp != k.Status("alice").Stamp {
		t.Fatalf("%+v, %v", d, err)
	}
	if s := k.Status("alice"); !s.Enabled() || !s.BypassUntil.Equal(until) {
		t.Errorf("%+v", s)
	}
	k.Pass(time.Hour)
	if d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Import: im, Require: true}); err != nil || d.Next != enrollment.AskCode {
		t.Errorf("%+v, %v", d, err)
	}
}

// A row that was deleted is missing, and no old secret takes its place: codes that
// were used here would be good again.
func TestSignInImportIsNoWayAroundEnrolled(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Enrolled: true, Import: theirs(t, "alice", totp.Params{})})
	if !errors.Is(err, enrollment.ErrMissing) || d.Next != enrollment.Refuse {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := k.Store.Straight.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a record was written: %v", err)
	}
}

// Each wrong code after the import is counted, from the first one, and neither another
// sign-in with the old secret nor the import itself gives anything back.
func TestSignInImportForgivesNothing(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) { c.AddressAlone = true })
	// Somebody with the password tries to bind an address, and guesses.
	b, err := k.Guard.Messages().Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "email", To: "mallory@example.com", Proof: enrollment.ByReauth("password")})
	k.Must(err)
	for range 5 {
		_, err := k.Guard.Messages().Confirm(t.Context(), "alice", b.Token, "000000")
		proving.Want(t, err, enrollment.ReasonWrongCode)
	}
	locks := k.Status("alice").Locks
	im := theirs(t, "alice", totp.Params{})
	d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Import: im})
	k.Must(err)
	if s := k.Status("alice"); !s.Enabled() || len(locks) != 1 || len(s.Locks) != 1 || s.Locks[0] != locks[0] {
		t.Errorf("locked before: %+v, and after: %+v", locks, s.Locks)
	}
	for range 5 {
		_, err := k.Answer(d.Challenge, "000000")
		proving.Want(t, err, enrollment.ReasonWrongCode)
		d, err = k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Import: im})
		k.Must(err)
	}
	_, err = k.Answer(d.Challenge, "000000")
	proving.Want(t, err, enrollment.ReasonLocked)
	_, err = k.Guard.Messages().Confirm(t.Context(), "alice", b.Token, "000000")
	proving.Want(t, err, enrollment.ReasonNoSetup) // what was begun with the password alone is over
}

// What no account could take over is a fault, and nobody is let in by it. Nothing is
// looked at before it, so it does not depend on the account.
func TestSignInImportRefuses(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) { c.MaxAuthenticators = 1 })
	one := theirs(t, "alice", totp.Params{})
	with := func(change func(im *enrollment.Import)) *enrollment.Import {
		im := *one
		im.Authenticators = append([]enrollment.ImportedAuthenticator(nil), one.Authenticators...)
		change(&im)
		return &im
	}
	for name, c := range map[string]struct {
		im *enrollment.Import
		is enrollment.Reason
	}{
		"nothing":      {new(enrollment.Import), ""},
		"again":        {with(func(im *enrollment.Import) { im.Again = true }), ""},
		"the zero key": {with(func(im *enrollment.Import) { im.Authenticators[0].Key = totp.Key{} }), ""},
		"half a hash":  {with(func(im *enrollment.Import) { im.RecoveryHashes = proving.Hashes(make([]byte, 16)) }), ""},
		"a long name": {with(func(im *enrollment.Import) {
			im.Authenticators[0].Name = strings.Repeat("n", enrollment.MaxName+1)
		}), enrollment.ReasonInvalidName},
		"too many": {with(func(im *enrollment.Import) {
			im.Authenticators = append(im.Authenticators, enrollment.ImportedAuthenticator{Key: proving.TheirKey(t, "b", totp.Params{})})
		}), enrollment.ReasonTooManyAuthenticators},
	} {
		d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Import: c.im})
		var denied *enrollment.Denied
		if err == nil || errors.As(err, &denied) || d.Next != enrollment.Refuse || !strings.Contains(err.Error(), "SignInOptions.Import") || c.is != "" && !errors.Is(err, c.is) {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
		if _, err := k.Store.Straight.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("%s: a record was written, %v", name, err)
		}
	}
	twice := with(func(im *enrollment.Import) { im.Authenticators = append(im.Authenticators, im.Authenticators[0]) })
	k.Configure(func(c *enrollment.Config) { c.MaxAuthenticators = 0 })
	if _, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Import: twice}); !errors.Is(err, enrollment.ReasonDuplicateSecret) {
		t.Errorf("a secret twice: %v", err)
	}
}
