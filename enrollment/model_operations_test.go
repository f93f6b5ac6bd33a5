package enrollment_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// The operations that a run draws from, on the model and on the Guard.

func (r *modelRun) begin(u *modelUser) {
	var replace string
	if r.chance(3) {
		replace = []string{"00ff00ff00ff00ff", ""}[r.rng.IntN(2)]
		if x, ok := modelPick(r, u.account.apps); ok && !r.chance(4) {
			replace = x.id
		}
	}
	r.beginWith(u, replace, []string{"", "phone", "tablet"}[r.rng.IntN(3)], r.proof(u))
}

func (r *modelRun) beginWith(u *modelUser, replace, name string, p modelProof) {
	var got enrollment.Setup
	var s *modelSetup
	proven := false
	no := r.do(u, fmt.Sprintf("Begin replace=%q by %v", replace, p), func(a *modelAccount, turn int) *modelNo {
		switch {
		case replace != "" && len(a.apps) == 0:
			return modelDeny(enrollment.NotEnrolled)
		case replace != "" && a.find(replace) < 0:
			return modelDeny(enrollment.UnknownAuthenticator)
		case replace == "" && len(a.apps) == 3:
			return modelDeny(enrollment.TooManyAuthenticators)
		}
		if len(a.apps) > 0 {
			if _, no := a.prove(p, u.name, r.now(), turn, false); no != nil {
				return no
			}
			proven = p.kind == "code"
		}
		s = &modelSetup{number: r.next(), expires: r.now().Add(cmp.Or(r.config.SetupTTL, 15*time.Minute)), replaces: replace}
		s.app.name = name
		if i := a.find(replace); name == "" && i >= 0 {
			s.app.name = a.apps[i].name
		}
		s.app.name = cmp.Or(s.app.name, "Authenticator")
		a.setup = s
		a.dirty = true
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.Begin(ctx, u.name, enrollment.Options{Account: u.name + "@example.com", Name: name, Replace: replace, Proof: p.proof()})
		return err
	}, func(a *modelAccount) {
		if !got.Expires.Equal(s.expires) {
			r.fatalf("the setup expires %v, want %v", got.Expires, s.expires)
		}
		s.app.key = modelKey(r.t, got)
		r.setups = append(r.setups, modelToken{number: s.number, text: got.Token, user: u.name, expires: s.expires})
	})
	if no != nil {
		return
	}
	if proven {
		r.accept(u, p.code)
	}
	u.keys = append(u.keys, s.app.key)
}

// setupToken picks a token of a setup, mostly the latest of the user.
func (r *modelRun) setupToken(u *modelUser) modelToken {
	own := slices.DeleteFunc(slices.Clone(r.setups), func(t modelToken) bool { return t.user != u.name })
	if len(own) > 0 && !r.chance(5) {
		return own[len(own)-1]
	}
	if t, ok := modelPick(r, r.setups); ok {
		return t
	}
	return modelToken{text: "c2V0dXA", user: "nobody"}
}

// glanceSetup denies what the token alone tells.
func (r *modelRun) glanceSetup(u *modelUser, t modelToken) *modelNo {
	switch {
	case t.user != u.name:
		return modelDeny(enrollment.SetupInvalid)
	case !r.now().Before(t.expires):
		return modelDeny(enrollment.SetupExpired)
	}
	return nil
}

func (r *modelRun) resume(u *modelUser) {
	t := r.setupToken(u)
	var got enrollment.Setup
	var s *modelSetup
	r.do(u, fmt.Sprintf("Resume setup %d", t.number), func(a *modelAccount, _ int) *modelNo {
		a.dirty = false // reading repairs nothing
		if no := r.glanceSetup(u, t); no != nil {
			return no
		}
		switch {
		case a.setup == nil:
			return modelDeny(enrollment.NoSetup)
		case a.setup.number != t.number:
			return modelDeny(enrollment.SetupSuperseded)
		}
		s = a.setup
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.Resume(ctx, u.name, t.text)
		return err
	}, func(*modelAccount) {
		if !modelKey(r.t, got).Secret().Equal(s.app.key.Secret()) || !got.Expires.Equal(s.expires) {
			r.fatalf("Resume returned another setup")
		}
		r.setups = append(r.setups, modelToken{number: s.number, text: got.Token, user: u.name, expires: s.expires})
	})
}

func (r *modelRun) confirm(u *modelUser) {
	t := r.setupToken(u)
	code := r.typed(u)
	if s := u.account.setup; s != nil && !r.chance(8) {
		switch n := r.rng.IntN(12); {
		case n < 8:
			code = modelShown(s.app.key, r.now())
		case n < 9:
			code = modelShown(s.app.key, r.now().Add(30*time.Second))
		case n < 11:
			code = modelShown(s.app.key, r.now().Add(time.Duration(r.rng.IntN(1400)-700)*time.Second))
		}
	}
	r.confirmWith(u, t, code)
}

func (r *modelRun) confirmWith(u *modelUser, t modelToken, code string) {
	var got enrollment.Confirmed
	var needs bool
	no := r.do(u, fmt.Sprintf("Confirm setup %d with %q", t.number, code), func(a *modelAccount, turn int) (no *modelNo) {
		glance := func() *modelNo {
			if no := r.glanceSetup(u, t); no != nil {
				return no
			}
			if _, f := modelRead(code); f != enrollment.TOTP {
				return modelDeny(enrollment.MalformedCode)
			}
			return nil
		}
		if no := glance(); no != nil {
			a.dirty = false
			return no
		}
		normal, _ := modelRead(code)
		needs, no = a.confirm(t.number, normal, r.now(), turn)
		return no
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.Confirm(ctx, u.name, t.text, code)
		return err
	}, func(a *modelAccount) {
		r.takeCodes(u, a, needs, got.Codes)
		a.apps[len(a.apps)-1].id = got.Success.Authenticator
		if got.Success.Authenticator == "" {
			r.fatalf("Confirm does not name the authenticator")
		}
		r.checkSuccess(u, got.Success, enrollment.SetupPurpose, modelMatch{enrollment.TOTP, got.Success.Authenticator}, a)
		r.keep(u, got.Success, a)
	})
	if no == nil {
		r.accept(u, code)
	}
}

// takeCodes gives the model the codes that were made.
func (r *modelRun) takeCodes(u *modelUser, a *modelAccount, made bool, codes recovery.Codes) {
	r.t.Helper()
	want := 0
	if made {
		want = r.config.RecoveryCodes
	}
	if codes.Len() != want {
		r.fatalf("%d recovery codes, want %d", codes.Len(), want)
	}
	if !made {
		return
	}
	for _, c := range codes.Reveal() {
		c = strings.ReplaceAll(c, "-", "")
		a.codes = append(a.codes, c)
		u.oldCodes = append(u.oldCodes, c)
	}
}

func (r *modelRun) cancel(u *modelUser) {
	r.do(u, "Cancel", func(a *modelAccount, _ int) *modelNo {
		if a.setup == nil {
			return modelDeny(enrollment.NoSetup)
		}
		a.setup, a.dirty = nil, true
		return nil
	}, func(ctx context.Context) error { return r.guard.Cancel(ctx, u.name) }, nil)
}

func (r *modelRun) signIn(u *modelUser) {
	l := enrollment.Login{Require: r.chance(3), Enrolled: r.chance(4)}
	if r.chance(4) {
		l.Purpose = "password-reset"
	}
	if r.chance(4) {
		l.Channel = "email"
	}
	var d enrollment.Decision
	var err error
	r.do(u, fmt.Sprintf("SignIn %+v", l), func(a *modelAccount, _ int) *modelNo {
		a.dirty = false
		return nil
	}, func(ctx context.Context) error {
		d, err = r.guard.SignIn(ctx, u.name, l)
		return nil
	}, func(a *modelAccount) {
		want := enrollment.Proceed
		switch {
		case len(a.apps) > 0:
			want = enrollment.AskCode
		case l.Enrolled:
			want = enrollment.Refuse
		case l.Require:
			want = enrollment.MustEnroll
		}
		if d.Next != want || errors.Is(err, enrollment.ErrMissing) != (want == enrollment.Refuse) || err != nil && want != enrollment.Refuse {
			r.fatalf("SignIn says %v, %v; want %v", d.Next, err, want)
		}
		if (d.Challenge != "") != (want == enrollment.AskCode) {
			r.fatalf("SignIn says %v with the challenge %q", d.Next, d.Challenge)
		}
		if want != enrollment.AskCode {
			return
		}
		if !d.Expires.Equal(r.now().Add(10 * time.Minute)) {
			r.fatalf("the challenge expires %v", d.Expires)
		}
		r.challenges = append(r.challenges, modelToken{
			number: r.next(), text: d.Challenge, user: u.name, epoch: a.epoch,
			purpose: cmp.Or(l.Purpose, enrollment.SignInPurpose), issued: r.now(), expires: d.Expires,
		})
	})
}

func (r *modelRun) answer(u *modelUser) {
	own := slices.DeleteFunc(slices.Clone(r.challenges), func(t modelToken) bool { return t.user != u.name })
	c, ok := modelPick(r, own)
	if !ok && !r.chance(4) {
		r.signIn(u)
		return
	}
	if !ok || r.chance(12) {
		if c, ok = modelPick(r, r.challenges); !ok {
			c = modelToken{text: "Y2hhbGxlbmdl"}
		}
	}
	p := cmp.Or(c.purpose, enrollment.SignInPurpose)
	if r.chance(12) {
		p = "password-reset"
	}
	r.answerWith(u, c, p, r.typed(u))
}

// answerWith answers the challenge with what u typed. Whose account it concerns
// stands in the challenge.
func (r *modelRun) answerWith(u *modelUser, c modelToken, p enrollment.Purpose, code string) {
	for _, x := range r.users {
		if x.name == c.user {
			u = x
		}
	}
	var got enrollment.Success
	var m modelMatch
	no := r.do(u, fmt.Sprintf("Answer challenge %d for %q with %q", c.number, p, code), func(a *modelAccount, turn int) (no *modelNo) {
		glance := func() *modelNo {
			switch {
			case c.user == "" || c.purpose != p:
				return modelDeny(enrollment.ChallengeInvalid)
			case !modelFresh(c.issued, r.now(), 10*time.Minute), !r.now().Before(c.expires):
				return modelDeny(enrollment.ChallengeExpired)
			}
			if _, f := modelRead(code); f == "" {
				return modelDeny(enrollment.MalformedCode)
			}
			return nil
		}
		if no := glance(); no != nil {
			a.dirty = false
			return no
		}
		if no := a.challenge(c); no != nil {
			return no
		}
		if m, no = a.check(code, r.now(), turn); no != nil {
			return no
		}
		a.spend(c)
		if p == enrollment.SignInPurpose {
			a.lastSignIn, a.lastFactor = r.now(), m.factor
		}
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.Answer(ctx, p, c.text, code)
		return err
	}, func(a *modelAccount) {
		r.checkSuccess(u, got, p, m, a)
		r.keep(u, got, a)
	})
	if no != nil {
		return
	}
	r.accept(u, code)
	if _, again := u.answered[c.number]; again {
		r.fatalf("challenge %d was answered twice", c.number)
	}
	u.answered[c.number] = struct{}{}
}

func (r *modelRun) verify(u *modelUser, code string) *modelNo {
	p := []enrollment.Purpose{"delete-project", enrollment.SignInPurpose}[r.rng.IntN(2)]
	var got enrollment.Success
	var m modelMatch
	no := r.do(u, fmt.Sprintf("Verify %q with %q", p, code), func(a *modelAccount, turn int) (no *modelNo) {
		if _, f := modelRead(code); f == "" {
			a.dirty = false
			return modelDeny(enrollment.MalformedCode)
		}
		m, no = a.check(code, r.now(), turn)
		return no
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.Verify(ctx, u.name, p, code)
		return err
	}, func(a *modelAccount) {
		r.checkSuccess(u, got, p, m, a)
		r.keep(u, got, a)
	})
	if no == nil {
		r.accept(u, code)
	}
	return no
}

func (r *modelRun) disable(u *modelUser) {
	p := r.proof(u)
	no := r.do(u, fmt.Sprintf("Disable by %v", p), func(a *modelAccount, turn int) *modelNo {
		by, no := a.prove(p, u.name, r.now(), turn, r.config.AllowReauth)
		if no != nil {
			return no
		}
		for len(a.apps) > 0 {
			a.drop(0)
		}
		a.was, a.setup, a.codes, a.spentCodes = true, nil, nil, nil
		a.spent, a.floor = nil, time.Time{}
		a.totp.forgive(r.now())
		a.recovery = modelThrottle{}
		a.turn(turn)
		a.record(r.now(), enrollment.Event{Kind: enrollment.Disabled, Factor: by.factor, Method: by.method})
		return nil
	}, func(ctx context.Context) error { return r.guard.Disable(ctx, u.name, p.proof()) }, nil)
	if no == nil {
		u.grants++
		if p.kind == "code" {
			r.accept(u, p.code)
		}
	}
}

func (r *modelRun) remove(u *modelUser) {
	id := "00ff00ff00ff00ff"
	if x, ok := modelPick(r, u.account.apps); ok && !r.chance(8) {
		id = x.id
	}
	p := r.proof(u)
	no := r.do(u, fmt.Sprintf("Remove %s by %v", id, p), func(a *modelAccount, turn int) *modelNo {
		switch {
		case len(a.apps) == 0:
			return modelDeny(enrollment.NotEnrolled)
		case a.find(id) < 0:
			return modelDeny(enrollment.UnknownAuthenticator)
		case len(a.apps) == 1:
			return modelDeny(enrollment.LastAuthenticator)
		}
		by, no := a.prove(p, u.name, r.now(), turn, r.config.AllowReauth)
		if no != nil {
			return no
		}
		i := a.find(id)
		name := a.apps[i].name
		a.drop(i)
		a.turn(turn)
		a.record(r.now(), enrollment.Event{Kind: enrollment.AuthenticatorRemoved, Factor: by.factor, Method: by.method, Authenticator: name})
		return nil
	}, func(ctx context.Context) error { return r.guard.Remove(ctx, u.name, id, p.proof()) }, nil)
	if no == nil && p.kind == "code" {
		r.accept(u, p.code)
	}
}

func (r *modelRun) newCodes(u *modelUser) { r.newCodesBy(u, r.proof(u)) }

func (r *modelRun) newCodesBy(u *modelUser, p modelProof) {
	var got enrollment.Renewed
	var by modelAuthority
	no := r.do(u, fmt.Sprintf("NewCodes by %v", p), func(a *modelAccount, turn int) (no *modelNo) {
		if len(a.apps) == 0 {
			return modelDeny(enrollment.NotEnrolled)
		}
		if no := a.mayMakeSet(r.now()); no != nil {
			return no
		}
		if by, no = a.prove(p, u.name, r.now(), turn, false); no != nil {
			return no
		}
		a.madeSet(r.now())
		a.recovery = modelThrottle{}
		a.turn(turn)
		a.record(r.now(), enrollment.Event{Kind: enrollment.CodesRenewed, Factor: by.factor})
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.NewCodes(ctx, u.name, p.proof())
		return err
	}, func(a *modelAccount) {
		r.takeCodes(u, a, true, got.Codes)
		r.receipts = append(r.receipts, modelToken{
			number: r.next(), text: got.Receipt, user: u.name, epoch: a.epoch, issued: by.at, factor: by.factor,
		})
	})
	if no == nil && p.kind == "code" {
		r.accept(u, p.code)
	}
}
