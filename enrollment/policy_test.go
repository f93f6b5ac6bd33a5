package enrollment_test

import (
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
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
	states := map[string]func(o *office){
		"new": func(*office) {},
		"pending": func(o *office) {
			_, err := o.guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a"})
			granted(t, err)
		},
		"confirmed": func(o *office) { o.enroll("alice") },
		"disabled": func(o *office) {
			alice := o.enroll("alice")
			granted(t, o.guard.Disable(t.Context(), "alice", enrollment.ByCode(alice.code())))
		},
		"bypassed and new": func(o *office) {
			granted(t, o.guard.Admin("root", "x").Bypass(t.Context(), "alice", o.clock.Now().Add(2*hour)))
		},
		"bypassed and confirmed": func(o *office) {
			o.enroll("alice")
			granted(t, o.guard.Admin("root", "x").Bypass(t.Context(), "alice", o.clock.Now().Add(2*hour)))
		},
		"bypass is over and new": func(o *office) {
			granted(t, o.guard.Admin("root", "x").Bypass(t.Context(), "alice", o.clock.Now().Add(2*hour)))
			o.pass(2 * hour)
		},
		"bypass is over and confirmed": func(o *office) {
			o.enroll("alice")
			granted(t, o.guard.Admin("root", "x").Bypass(t.Context(), "alice", o.clock.Now().Add(2*hour)))
			o.pass(2 * hour)
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
			o := newOffice(t)
			states[state](o)
			l := enrollment.SignInOptions{Require: c.require, Enrolled: c.enrolled, Purpose: c.purpose}
			if c.grace != none {
				l.Grace = o.clock.Now().Add(c.grace)
			}
			var d enrollment.Decision
			var err error
			decide := func() { d, err = o.guard.SignIn(t.Context(), "alice", l) }
			if want.Waived != "" {
				decide()
			} else {
				o.unchanged("alice", decide)
			}
			if !want.EnrollBy.IsZero() {
				want.EnrollBy = o.clock.Now().Add(time.Duration(want.EnrollBy.UnixNano()))
			}
			if d.Next != want.Next || d.Waived != want.Waived || !d.EnrollBy.Equal(want.EnrollBy) ||
				(d.Challenge != "") != (want.Next == enrollment.AskCode) || (want.Next == enrollment.Refuse) != errors.Is(err, enrollment.ErrMissing) {
				t.Errorf("%s, %+v: %+v, %v, want %+v", state, c, d, err, want)
			}
		}
	}
}

// The last instant of grace, and the first after it.
func TestGraceEnds(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l := enrollment.SignInOptions{Require: true, Grace: o.clock.Now().Add(time.Hour)}
	o.pass(time.Hour - time.Microsecond)
	if d := o.signIn("alice", l); d.Next != enrollment.Proceed || !d.EnrollBy.Equal(l.Grace) {
		t.Errorf("%+v", d)
	}
	o.pass(time.Microsecond)
	if d := o.signIn("alice", l); d.Next != enrollment.MustEnroll || !d.EnrollBy.IsZero() {
		t.Errorf("%+v", d)
	}
}

// A mandated enrolment ends with a Success: no second code is needed.
func TestMandatedEnrolment(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if d := o.signIn("alice", enrollment.SignInOptions{Require: true}); d.Next != enrollment.MustEnroll {
		t.Fatal(d.Next)
	}
	alice := o.enroll("alice")
	if alice.first.UserID != "alice" || alice.first.Purpose != enrollment.PurposeSetup || alice.first.Receipt == "" {
		t.Errorf("%+v", alice.first)
	}
	if d := o.signIn("alice", enrollment.SignInOptions{Require: true}); d.Next != enrollment.AskCode {
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
		"grace":               {Require: true, Grace: modelStart.Add(1000 * time.Hour)},
	} {
		o := newOffice(t)
		o.enroll("alice")
		admin := o.guard.Admin("root", "phone stolen")
		_, err := admin.Reset(t.Context(), "alice", enrollment.ResetOptions{})
		granted(t, err)
		until := o.clock.Now().Add(24 * time.Hour)
		granted(t, admin.Bypass(t.Context(), "alice", until))
		if d := o.signIn("alice", l); d.Next != enrollment.Proceed || d.Waived != enrollment.FactorBypass || !d.EnrollBy.Equal(until) {
			t.Errorf("%s: %+v", name, d)
		}
		if s := o.status("alice"); !s.BypassUntil.Equal(until) || s.MustEnroll || s.LastFactor != enrollment.FactorBypass {
			t.Errorf("%s: %+v", name, s)
		}
		o.pass(24 * time.Hour)
		if d := o.signIn("alice", l); d.Next != enrollment.MustEnroll {
			t.Errorf("%s: %+v", name, d)
		}
		if s := o.status("alice"); !s.BypassUntil.IsZero() || !s.MustEnroll {
			t.Errorf("%s: %+v", name, s)
		}
		// Neither a setup that nobody confirms, nor another reset, is a way out.
		_, err = o.guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a"})
		granted(t, err)
		ticket, err := admin.Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
		granted(t, err)
		if d := o.signIn("alice", l); d.Next != enrollment.MustEnroll {
			t.Errorf("%s: after another reset %+v", name, d)
		}
		alice := o.enrollWith("alice", ticket.Reveal())
		if d := o.signIn("alice", l); d.Next != enrollment.AskCode || o.status("alice").MustEnroll {
			t.Errorf("%s: %+v", name, d)
		}
		granted(t, o.guard.Disable(t.Context(), "alice", enrollment.ByCode(alice.code())))
		if o.status("alice").MustEnroll {
			t.Errorf("%s: demanded again", name)
		}
	}
}

// A bypass ends with the first code that is right, wherever it was given.
func TestBypassEnds(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		do   func(o *office, alice *client) error
		ends bool
	}{
		"answer": {func(o *office, alice *client) error {
			_, err := o.guard.Answer(t.Context(), enrollment.PurposeSignIn, alice.challenge, alice.code())
			return err
		}, true},
		"recovery code": {func(o *office, alice *client) error {
			_, err := o.guard.Answer(t.Context(), enrollment.PurposeSignIn, alice.challenge, alice.codes[0])
			return err
		}, true},
		"step-up": {func(_ *office, alice *client) error { alice.verify("x"); return nil }, true},
		"proof by code": {func(o *office, alice *client) error {
			_, err := o.guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByCode(alice.code())})
			return err
		}, true},
		"proof by an earlier receipt": {func(o *office, alice *client) error {
			_, err := o.guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReceipt(alice.first.Receipt)})
			return err
		}, false},
		"another sign-in": {func(o *office, _ *client) error { o.signIn("alice", enrollment.SignInOptions{}); return nil }, false},
		"a wrong code": {func(o *office, alice *client) error {
			_, err := o.guard.Verify(t.Context(), "alice", "x", alice.wrong())
			wantReason(t, err, enrollment.ReasonWrongCode)
			return nil
		}, false},
	} {
		o := newOffice(t)
		alice := o.enroll("alice")
		alice.challenge = o.signIn("alice", enrollment.SignInOptions{}).Challenge
		granted(t, o.guard.Admin("root", "x").Bypass(t.Context(), "alice", o.clock.Now().Add(time.Hour)))
		if err := x.do(o, alice); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := o.signIn("alice", enrollment.SignInOptions{}); (d.Next == enrollment.AskCode) != x.ends {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
