package enrollment_test

import (
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// The decisions of SignIn over what the host demands and what the account is.
func TestPolicy(t *testing.T) {
	t.Parallel()
	const none, hour = time.Duration(0), time.Hour
	type x struct {
		require, enrolled bool
		grace             time.Duration // from now; none for the zero time
		purpose           enrollment.Purpose
	}
	states := map[string]func(k *proving.Kit){
		"new": func(*proving.Kit) {},
		"pending": func(k *proving.Kit) {
			_, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")})
			k.Must(err)
		},
		"confirmed": func(k *proving.Kit) { k.Enroll("alice") },
		"disabled": func(k *proving.Kit) {
			alice := k.Enroll("alice")
			k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(alice.Code())))
		},
		"bypassed and new": func(k *proving.Kit) {
			k.Must(k.Guard.Admin("root", "x").Bypass(t.Context(), "alice", k.Now().Add(2*hour)))
		},
		"bypassed and confirmed": func(k *proving.Kit) {
			k.Enroll("alice")
			k.Must(k.Guard.Admin("root", "x").Bypass(t.Context(), "alice", k.Now().Add(2*hour)))
		},
		"bypass is over and new": func(k *proving.Kit) {
			k.Must(k.Guard.Admin("root", "x").Bypass(t.Context(), "alice", k.Now().Add(2*hour)))
			k.Pass(2 * hour)
		},
		"bypass is over and confirmed": func(k *proving.Kit) {
			k.Enroll("alice")
			k.Must(k.Guard.Admin("root", "x").Bypass(t.Context(), "alice", k.Now().Add(2*hour)))
			k.Pass(2 * hour)
		},
	}
	proceed := func(waived enrollment.Factor, enrollBy time.Duration) enrollment.Decision {
		d := enrollment.Decision{Next: enrollment.Proceed, Waived: waived}
		if enrollBy != none {
			d.EnrollBy = time.Unix(0, int64(enrollBy))
		}
		return d
	}
	ask := enrollment.Decision{Next: enrollment.AskCode}
	must := enrollment.Decision{Next: enrollment.MustEnroll}
	missing := enrollment.Decision{}
	for state, cases := range map[string]map[x]enrollment.Decision{
		"new": {
			{}:                           proceed("", none),
			{grace: hour}:                proceed("", none),
			{require: true}:              must,
			{require: true, grace: hour}: proceed("", hour),
			{require: true, grace: -1}:   must,
			{enrolled: true}:             missing,
			{enrolled: true, require: true, grace: hour}: missing,
			{require: true, purpose: "password-reset"}:   must,
		},
		"pending": {
			{}:               proceed("", none),
			{require: true}:  must,
			{enrolled: true}: missing,
		},
		"confirmed": {
			{}:                           ask,
			{require: true, grace: hour}: ask,
			{enrolled: true}:             ask,
			{purpose: "password-reset"}:  ask,
		},
		"disabled": {
			{}:               proceed("", none),
			{require: true}:  must,
			{enrolled: true}: missing,
		},
		"bypassed and new": {
			{}:                               proceed(enrollment.FactorBypass, 2*hour),
			{require: true}:                  proceed(enrollment.FactorBypass, 2*hour),
			{require: true, grace: 5 * hour}: proceed(enrollment.FactorBypass, 2*hour),
			{enrolled: true}:                 missing,
			{require: true, purpose: "password-reset"}: must,
		},
		"bypassed and confirmed": {
			{}:                              proceed(enrollment.FactorBypass, none),
			{require: true, enrolled: true}: proceed(enrollment.FactorBypass, none),
			{purpose: "password-reset"}:     ask,
		},
		"bypass is over and new": {
			{}:                           must,
			{require: true, grace: hour}: must,
			{enrolled: true}:             missing,
			{purpose: "password-reset"}:  proceed("", none),
		},
		"bypass is over and confirmed": {
			{}:              ask,
			{require: true}: ask,
		},
	} {
		for c, want := range cases {
			k := proving.New(t)
			states[state](k)
			l := enrollment.SignInOptions{Require: c.require, Enrolled: c.enrolled, Purpose: c.purpose}
			if c.grace != none {
				l.Grace = k.Now().Add(c.grace)
			}
			var d enrollment.Decision
			var err error
			decide := func() { d, err = k.Guard.SignIn(t.Context(), "alice", l) }
			if want.Next == enrollment.Proceed && c.purpose == "" && state != "new" {
				decide()
				if s := k.Status("alice"); !s.LastSignIn.Equal(k.Now()) || s.LastFactor != want.Waived {
					t.Errorf("%s, %+v: the last sign-in was at %v by %q", state, c, s.LastSignIn, s.LastFactor)
				}
			} else {
				k.Unchanged("alice", decide)
			}
			if !want.EnrollBy.IsZero() {
				want.EnrollBy = k.Now().Add(time.Duration(want.EnrollBy.UnixNano()))
			}
			if d.Next != want.Next || d.Waived != want.Waived || !d.EnrollBy.Equal(want.EnrollBy) ||
				(!d.Challenge.IsZero()) != (want.Next == enrollment.AskCode) || (want.Next == enrollment.Refuse) != errors.Is(err, enrollment.ErrMissing) {
				t.Errorf("%s, %+v: %+v, %v, want %+v", state, c, d, err, want)
			}
		}
	}
}

// The last instant of grace, and the first after it.
func TestGraceEnds(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	l := enrollment.SignInOptions{Require: true, Grace: k.Now().Add(time.Hour)}
	k.Pass(time.Hour - time.Microsecond)
	if d := k.SignIn("alice", l); d.Next != enrollment.Proceed || !d.EnrollBy.Equal(l.Grace) {
		t.Errorf("%+v", d)
	}
	k.Pass(time.Microsecond)
	if d := k.SignIn("alice", l); d.Next != enrollment.MustEnroll || !d.EnrollBy.IsZero() {
		t.Errorf("%+v", d)
	}
}

// A mandated enrolment ends with a Success: no second code is needed.
func TestMandatedEnrolment(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	if d := k.SignIn("alice", enrollment.SignInOptions{Require: true}); d.Next != enrollment.MustEnroll {
		t.Fatal(d.Next)
	}
	alice := k.Enroll("alice")
	if alice.First.UserID != "alice" || alice.First.Purpose != enrollment.PurposeSetup || alice.First.Receipt.IsZero() {
		t.Errorf("%+v", alice.First)
	}
	if d := k.SignIn("alice", enrollment.SignInOptions{Require: true}); d.Next != enrollment.AskCode {
		t.Error(d.Next)
	}
}

// An administrator takes the second factor away and lets the user in for a
// while; then it has to be set up, whatever the host demands.
func TestPassAndThenSetup(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]enrollment.SignInOptions{
		"nothing is required": {},
		"required":            {Require: true},
		"grace":               {Require: true, Grace: proving.Start.Add(1000 * time.Hour)},
	} {
		k := proving.New(t)
		k.Enroll("alice")
		admin := k.Guard.Admin("root", "phone stolen")
		_, err := admin.Reset(t.Context(), "alice", enrollment.ResetOptions{})
		k.Must(err)
		until := k.Now().Add(24 * time.Hour)
		k.Must(admin.Bypass(t.Context(), "alice", until))
		if d := k.SignIn("alice", l); d.Next != enrollment.Proceed || d.Waived != enrollment.FactorBypass || !d.EnrollBy.Equal(until) {
			t.Errorf("%s: %+v", name, d)
		}
		if s := k.Status("alice"); !s.BypassUntil.Equal(until) || s.MustEnroll || s.LastFactor != enrollment.FactorBypass {
			t.Errorf("%s: %+v", name, s)
		}
		k.Pass(24 * time.Hour)
		if d := k.SignIn("alice", l); d.Next != enrollment.MustEnroll {
			t.Errorf("%s: %+v", name, d)
		}
		if s := k.Status("alice"); !s.BypassUntil.IsZero() || !s.MustEnroll {
			t.Errorf("%s: %+v", name, s)
		}
		// Neither a setup that nobody confirms, nor another reset, is a way out.
		_, err = k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")})
		k.Must(err)
		ticket, err := admin.Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
		k.Must(err)
		if d := k.SignIn("alice", l); d.Next != enrollment.MustEnroll {
			t.Errorf("%s: after another reset %+v", name, d)
		}
		alice := k.EnrollWith("alice", enrollment.BeginOptions{Ticket: ticket})
		if d := k.SignIn("alice", l); d.Next != enrollment.AskCode || k.Status("alice").MustEnroll {
			t.Errorf("%s: %+v", name, d)
		}
		k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(alice.Code())))
		if k.Status("alice").MustEnroll {
			t.Errorf("%s: demanded again", name)
		}
	}
}

// A bypass ends with the first code that is right, wherever it was given.
func TestBypassEnds(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		do   func(k *proving.Kit, alice *proving.Person, challenge enrollment.Challenge) error
		ends bool
	}{
		"answer": {func(k *proving.Kit, alice *proving.Person, challenge enrollment.Challenge) error {
			_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, alice.Code())
			return err
		}, true},
		"recovery code": {func(k *proving.Kit, alice *proving.Person, challenge enrollment.Challenge) error {
			_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, alice.Codes[0])
			return err
		}, true},
		"step-up": {func(_ *proving.Kit, alice *proving.Person, _ enrollment.Challenge) error {
			alice.Verify("x")
			return nil
		}, true},
		"proof by code": {func(k *proving.Kit, alice *proving.Person, challenge enrollment.Challenge) error {
			_, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByCode(alice.Code())})
			return err
		}, true},
		"proof by an earlier receipt": {func(k *proving.Kit, alice *proving.Person, challenge enrollment.Challenge) error {
			_, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReceipt(alice.First.Receipt)})
			return err
		}, false},
		"another sign-in": {func(k *proving.Kit, _ *proving.Person, _ enrollment.Challenge) error {
			k.SignIn("alice", enrollment.SignInOptions{})
			return nil
		}, false},
		"a wrong code": {func(k *proving.Kit, alice *proving.Person, challenge enrollment.Challenge) error {
			_, err := k.Guard.Verify(t.Context(), "alice", "x", alice.Wrong())
			proving.Want(t, err, enrollment.ReasonWrongCode)
			return nil
		}, false},
	} {
		k := proving.New(t)
		alice := k.Enroll("alice")
		challenge := k.Challenge("alice")
		k.Must(k.Guard.Admin("root", "x").Bypass(t.Context(), "alice", k.Now().Add(time.Hour)))
		if err := x.do(k, alice, challenge); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := k.SignIn("alice", enrollment.SignInOptions{}); (d.Next == enrollment.AskCode) != x.ends {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// broken is a kit whose clock ran two days ahead while alice signed in, and
// is right again.
func broken(t *testing.T) (*proving.Kit, *proving.Person) {
	t.Helper()
	k := proving.New(t)
	alice := k.Enroll("alice")
	k.Pass(48 * time.Hour)
	d := k.SignIn("alice", enrollment.SignInOptions{})
	_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, alice.Code())
	k.Must(err)
	k.Pass(-47 * time.Hour)
	k.Told()
	return k, alice
}

// What a broken clock has left behind is repaired before a challenge is minted:
// the repair voids all of those that are out.
func TestChallengeAfterBrokenClock(t *testing.T) {
	t.Parallel()
	k, alice := broken(t)
	before, err := k.Store.Load(t.Context(), "alice")
	k.Must(err)
	d := k.SignIn("alice", enrollment.SignInOptions{})
	after, err := k.Store.Load(t.Context(), "alice")
	k.Must(err)
	if after.Version == before.Version {
		t.Error("the repair was not stored")
	}
	k.WantTold()
	k.Unchanged("alice", func() { k.SignIn("alice", enrollment.SignInOptions{}) }) // once is enough
	// The step that was used under the broken clock is taken for one of now.
	k.Pass(2 * 30 * time.Second)
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, alice.Code())
	k.Must(err)
}

// Where the repair can't be stored there is no challenge, and no sign-in either.
func TestChallengeNeedsTheRepair(t *testing.T) {
	t.Parallel()
	down := errors.New("the database is down")
	for name, x := range map[string]struct {
		bend func(s *proving.Store)
		want error
	}{
		"Save fails":                        {func(s *proving.Store) { s.Fail(proving.Save, down) }, down},
		"Save says conflict without an end": {func(s *proving.Store) { s.Fail(proving.Save, store.ErrConflict) }, enrollment.ErrBusy},
		"Save says conflict once":           {func(s *proving.Store) { s.Nth(proving.Save, 1, proving.Fails(store.ErrConflict)) }, nil},
		"Save loses its reply":              {func(s *proving.Store) { s.LoseReply(proving.Save) }, nil},
	} {
		for _, purpose := range []enrollment.Purpose{enrollment.PurposeSignIn, "delete-project"} {
			k, alice := broken(t)
			x.bend(k.Store)
			d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Purpose: purpose})
			if !errors.Is(err, x.want) || (err == nil) != (x.want == nil) {
				t.Errorf("%s: %v, want %v", name, err, x.want)
			}
			if err != nil {
				if d.Next != enrollment.Refuse || !d.Challenge.IsZero() {
					t.Errorf("%s: %+v with an error", name, d)
				}
				continue
			}
			k.Pass(2 * 30 * time.Second)
			if _, err := k.Guard.Answer(t.Context(), purpose, d.Challenge, alice.Code()); err != nil {
				t.Errorf("%s: the challenge can't be answered: %v", name, err)
			}
		}
	}
}
