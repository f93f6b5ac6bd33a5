package model

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
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
	name, token := []string{"", "phone", "tablet"}[r.rng.IntN(3)], totp.Key{}
	if r.chance(3) {
		token = r.hardware(u)
	}
	r.beginWith(u, token, replace, name, r.ticket(u), r.proof(u))
}

// beginWith begins the setup of an app, or of a hardware token with that key.
func (r *modelRun) beginWith(u *modelUser, token totp.Key, replace, name, ticket string, p modelProof) {
	var got enrollment.Setup
	var s *modelSetup
	var match modelMatch
	no := r.do(u, fmt.Sprintf("Begin hardware=%t replace=%q ticket=%q by %v", !token.IsZero(), replace, ticket, p), func(a *modelAccount, turn int) *modelNo {
		switch {
		case replace != "" && !a.enrolled():
			return modelDeny(enrollment.ReasonNotEnrolled)
		case replace != "" && a.find(replace) < 0:
			return modelDeny(enrollment.ReasonUnknownAuthenticator)
		case replace == "" && len(a.apps) >= a.limits.apps:
			return modelDeny(enrollment.ReasonTooManyAuthenticators)
		}
		if no := a.checkTicket(ticket); no != nil {
			return no
		}
		if a.has(token) {
			return modelDeny(enrollment.ReasonDuplicateSecret)
		}
		var no *modelNo
		if match, no = a.proveAdding(p, u.name, r.now(), turn, r.config.UnprovenSetup, a.mends(replace)); no != nil {
			return no
		}
		s = &modelSetup{number: r.next(), expires: r.now().Add(cmp.Or(r.config.SetupTTL, 15*time.Minute)), replaces: replace}
		s.app.name, s.app.key, s.app.hardware = name, token, !token.IsZero()
		if i := a.find(replace); name == "" && i >= 0 {
			s.app.name = a.apps[i].name
		}
		s.app.name = cmp.Or(s.app.name, "Authenticator")
		a.setup = s
		a.dirty = true
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.Begin(ctx, u.name, enrollment.BeginOptions{Account: u.name + "@example.com", Name: name, Replace: replace, HardwareToken: token, Ticket: enrollment.TicketOf(ticket), Proof: p.proof()})
		return err
	}, func(a *modelAccount) {
		if !got.Expires.Equal(s.expires) {
			r.fatalf("the setup expires %v, want %v", got.Expires, s.expires)
		}
		if r.compareShown(got, s.app); !s.app.hardware {
			s.app.key = proving.KeyOf(r.t, got)
		}
		want := 0
		if r.config.CodesAtSetup && a.codesLeft() == 0 && a.mayMakeSet(r.now()) == nil {
			want = r.config.RecoveryCodes
		}
		if got.Codes().Len() != want {
			r.fatalf("the setup shows %d recovery codes, want %d", got.Codes().Len(), want)
		}
		s.codes = modelTexts(got.Codes())
		u.secrets = append(u.secrets, s.app.key.Secret().Base32())
		u.raw = append(u.raw, s.app.key.Secret().Reveal())
		r.setups = append(r.setups, modelToken{number: s.number, text: got.Token.Reveal(), user: u.name, expires: s.expires}.mandate(p))
	})
	if no != nil {
		return
	}
	if match.factor != "" {
		r.accept(u, match, p.code)
	}
	if !slices.ContainsFunc(u.keys, func(x totp.Key) bool { return x.Secret().Equal(s.app.key.Secret()) }) {
		u.keys = append(u.keys, s.app.key)
	}
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
		return modelForm(enrollment.ReasonSetupInvalid)
	case !r.now().Before(t.expires.Add(modelAgain)):
		return modelForm(enrollment.ReasonSetupExpired)
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
		s = a.setup
		return r.over(t, a.findSetup(t.number))
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.Resume(ctx, u.name, enrollment.SetupTokenOf(t.text))
		return err
	}, func(*modelAccount) {
		if r.compareShown(got, s.app); !got.Expires.Equal(s.expires) || !slices.Equal(modelTexts(got.Codes()), s.codes) {
			r.fatalf("Resume returned another setup")
		}
		t.text = got.Token.Reveal()
		r.setups = append(r.setups, t)
	})
}

func (r *modelRun) confirm(u *modelUser) {
	t := r.setupToken(u)
	code := r.typed(u)
	if s := u.account.setup; s != nil && !r.chance(8) {
		switch n := r.rng.IntN(12); {
		case n < 8:
			code = proving.Shown(s.app.key, r.now())
		case n < 9:
			code = proving.Shown(s.app.key, r.now().Add(30*time.Second))
		case n < 11:
			code = proving.Shown(s.app.key, r.now().Add(time.Duration(r.rng.IntN(1400)-700)*time.Second))
		}
	}
	r.confirmWith(u, t, code)
}

func (r *modelRun) confirmWith(u *modelUser, t modelToken, code string) {
	var got enrollment.Confirmed
	var needs bool
	var shown []string
	var match modelMatch
	var purpose enrollment.Purpose
	no := r.do(u, fmt.Sprintf("Confirm setup %d with %q", t.number, code), func(a *modelAccount, turn int) (no *modelNo) {
		normal, f := modelRead(code)
		if no := r.glanceSetup(u, t); no != nil {
			return no
		}
		if f != enrollment.FactorTOTP {
			return modelForm(enrollment.ReasonMalformedCode)
		}
		if a.setup != nil {
			shown = a.setup.codes
		}
		if needs, no = a.confirm(t.number, normal, r.now(), turn); no == nil {
			purpose = r.completes(a, t, enrollment.FactorTOTP)
		}
		return r.over(t, no)
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.Confirm(ctx, u.name, enrollment.SetupTokenOf(t.text), code)
		return err
	}, func(a *modelAccount) {
		r.takeCodes(u, a, needs, shown, got.Codes)
		if a.address.channel == "" && len(a.apps) == 1 && got.Event != enrollment.EventEnabled && got.Event != enrollment.EventAuthenticatorReplaced ||
			len(a.apps) > 1 && got.Event != enrollment.EventAuthenticatorAdded && got.Event != enrollment.EventAuthenticatorReplaced {
			r.fatalf("Confirm says %q", got.Event)
		}
		a.apps[len(a.apps)-1].id = got.Success.Authenticator
		if got.Success.Authenticator == "" {
			r.fatalf("Confirm does not name the authenticator")
		}
		x := a.apps[len(a.apps)-1]
		match = modelMatch{factor: enrollment.FactorTOTP, id: x.id, drift: modelDrift(x.last, r.now())}
		r.checkSuccess(u, got.Success, purpose, match, a)
		r.keep(u, got.Success, a)
	})
	if no == nil {
		r.accept(u, match, code)
	}
	if no == nil && u.account.forgiven {
		u.grants++
		r.tally["Confirm: forgiven"]++
	}
}

func (r *modelRun) cancel(u *modelUser) {
	r.do(u, "Cancel", func(a *modelAccount, _ int) *modelNo {
		if a.setup == nil {
			return modelDeny(enrollment.ReasonNoSetup)
		}
		a.setup, a.dirty = nil, true
		return nil
	}, func(ctx context.Context) error { return r.guard.Cancel(ctx, u.name) }, nil)
}

func (r *modelRun) disable(u *modelUser) {
	p := r.proof(u)
	var match modelMatch
	no := r.do(u, fmt.Sprintf("Disable by %v", p), func(a *modelAccount, turn int) *modelNo {
		by, no := a.prove(p, u.name, r.now(), turn, modelDemand{reauth: r.config.ReauthDisables})
		if no != nil {
			return no
		}
		match = by.match
		if a.alert.wrong > 0 && a.tells {
			r.tally["Disable: alert"]++
		}
		a.clear(r.now(), turn)
		a.record(r.now(), enrollment.Event{Kind: enrollment.EventDisabled, Factor: by.factor, Method: by.method})
		return nil
	}, func(ctx context.Context) error { return r.guard.Disable(ctx, u.name, p.proof()) }, nil)
	if no == nil {
		u.grants++
		if match.factor != "" {
			r.accept(u, match, p.code)
		}
	}
}

func (r *modelRun) remove(u *modelUser) {
	id := "00ff00ff00ff00ff"
	if x, ok := modelPick(r, u.account.apps); ok && !r.chance(8) {
		id = x.id
	}
	r.removeBy(u, id, r.proof(u))
}

func (r *modelRun) removeBy(u *modelUser, id string, p modelProof) {
	var match modelMatch
	no := r.do(u, fmt.Sprintf("Remove %s by %v", id, p), func(a *modelAccount, turn int) *modelNo {
		switch {
		case !a.enrolled():
			return modelDeny(enrollment.ReasonNotEnrolled)
		case a.find(id) < 0:
			return modelDeny(enrollment.ReasonUnknownAuthenticator)
		case len(a.apps) == 1:
			return modelDeny(enrollment.ReasonLastAuthenticator)
		}
		by, no := a.prove(p, u.name, r.now(), turn, modelDemand{reauth: r.config.ReauthDisables})
		if no != nil {
			return no
		}
		match = by.match
		i := a.find(id)
		name := a.apps[i].name
		a.drop(i)
		a.bypassFrom, a.bypassUntil = time.Time{}, time.Time{} // a factor is taken away
		a.turn(turn)
		a.record(r.now(), enrollment.Event{Kind: enrollment.EventAuthenticatorRemoved, Factor: by.factor, Method: by.method, Name: name})
		return nil
	}, func(ctx context.Context) error { return r.guard.Remove(ctx, u.name, id, p.proof()) }, nil)
	if no == nil && match.factor != "" {
		r.accept(u, match, p.code)
	}
}
