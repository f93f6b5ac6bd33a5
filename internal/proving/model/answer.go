package model

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// challenge picks one, mostly of the user.
func (r *modelRun) challenge(u *modelUser) (modelToken, bool) {
	own := slices.DeleteFunc(slices.Clone(r.challenges), func(t modelToken) bool { return t.user != u.name })
	c, ok := modelPick(r, own)
	if !ok && !r.chance(4) {
		return c, false
	}
	if !ok || r.chance(12) {
		if c, ok = modelPick(r, r.challenges); !ok {
			c = modelToken{text: "Y2hhbGxlbmdl"}
		}
	}
	c.purpose = cmp.Or(c.purpose, enrollment.PurposeSignIn)
	return c, true
}

// owner is whose challenge it is.
func (r *modelRun) owner(u *modelUser, c modelToken) *modelUser {
	for _, x := range r.users {
		if x.name == c.user {
			return x
		}
	}
	return u
}

// glanceChallenge denies what the challenge alone tells. One that was sent a
// message for lives as long again.
func (r *modelRun) glanceChallenge(c modelToken, p enrollment.Purpose) *modelNo {
	ttl := 10 * time.Minute
	if c.delivery != 0 {
		ttl *= 2
	}
	switch {
	case c.user == "" || c.purpose != p:
		return modelForm(enrollment.ReasonChallengeInvalid)
	case !modelFresh(c.issued, r.now(), ttl), !r.now().Before(c.expires):
		return modelForm(enrollment.ReasonChallengeExpired)
	}
	return nil
}

func (r *modelRun) answer(u *modelUser) {
	c, ok := r.challenge(u)
	if !ok {
		r.signIn(u)
		return
	}
	p := c.purpose
	if r.chance(12) {
		p = "password-reset"
	}
	code := r.typed(u)
	if w := u.account.waiting; c.delivery != 0 && w != nil && !r.chance(3) {
		code = w.digits
	}
	r.answerWith(u, c, p, r.one(code))
}

// answerLatest answers the challenge that was handed out last.
func (r *modelRun) answerLatest(u *modelUser, code string) {
	if n := len(r.challenges); n > 0 {
		r.answerWith(u, r.challenges[n-1], r.challenges[n-1].purpose, r.one(code))
	}
}

// A modelEntry is what somebody types in: one code, or three.
type modelEntry struct {
	kind      string // "" or "Three", for the names of the calls
	text      string
	code      string // if it is one
	malformed bool

	check  func(a *modelAccount, delivery int, must bool, turn int) (modelMatch, *modelNo)
	answer func(ctx context.Context, p enrollment.Purpose, c enrollment.Challenge) (enrollment.Success, error)
	verify func(ctx context.Context, user string, p enrollment.Purpose) (enrollment.Success, error)
	accept func(u *modelUser, m modelMatch) // checks it apart from the model
}

// one is the entry of one code.
func (r *modelRun) one(code string) modelEntry {
	_, factor := modelRead(code)
	return modelEntry{
		text:      fmt.Sprintf("%q", code),
		code:      code,
		malformed: factor == "",
		check: func(a *modelAccount, delivery int, must bool, turn int) (modelMatch, *modelNo) {
			return a.check(modelGuess{code, delivery, r.config.ReplenishCodes && !must}, r.now(), turn)
		},
		answer: func(ctx context.Context, p enrollment.Purpose, c enrollment.Challenge) (enrollment.Success, error) {
			return r.guard.Answer(ctx, p, c, code)
		},
		verify: func(ctx context.Context, user string, p enrollment.Purpose) (enrollment.Success, error) {
			return r.guard.Verify(ctx, user, p, code)
		},
		accept: func(u *modelUser, m modelMatch) { r.accept(u, m, code) },
	}
}

// answerWith answers the challenge with what u typed. Whose account it concerns
// stands in the challenge.
func (r *modelRun) answerWith(u *modelUser, c modelToken, p enrollment.Purpose, e modelEntry) {
	u = r.owner(u, c)
	var got enrollment.Success
	var m modelMatch
	var replace string
	var must bool
	var epoch int
	var denied *enrollment.Denied
	no := r.do(u, fmt.Sprintf("Answer%s challenge %d for %q with %s", e.kind, c.number, p, e.text), func(a *modelAccount, turn int) (no *modelNo) {
		if no := r.glanceChallenge(c, p); no != nil {
			return no
		}
		if e.malformed {
			return modelForm(enrollment.ReasonMalformedCode)
		}
		if no := a.challenge(c); no != nil {
			return no
		}
		replace, must = a.mustReplace(r.now())
		if m, no = e.check(a, c.delivery, must, turn); no != nil {
			if no.missed {
				a.answered(c, false, r.now())
			}
			return no
		}
		a.spend(c, m.place > 0)
		m.wrong, m.lastWrong = a.answered(c, true, r.now())
		if epoch = a.epoch; m.instead(must) {
			a.alert.all, a.alert.last = m.wrong, m.lastWrong // nobody is told of them now
			return modelDeny(enrollment.ReasonMustReplace)
		}
		if p == enrollment.PurposeSignIn {
			a.lastSignIn, a.lastFactor = r.now(), m.factor
		}
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = e.answer(ctx, p, enrollment.ChallengeOf(c.text))
		errors.As(err, &denied)
		return err
	}, func(a *modelAccount) {
		r.succeed(u, got, p, m, a)
		r.keepNewCode(c, p, e.code, got)
	})
	if no != nil && no.reason != enrollment.ReasonMustReplace {
		return
	}
	e.accept(u, m)
	if _, again := u.answered[c.number]; again {
		r.fatalf("challenge %d was answered twice", c.number)
	}
	u.answered[c.number] = struct{}{}
	if no != nil {
		r.replacing(u, c, p, replace, epoch, denied)
	}
}

// succeed checks a Success, and keeps its receipt.
func (r *modelRun) succeed(u *modelUser, got enrollment.Success, p enrollment.Purpose, m modelMatch, a *modelAccount) {
	r.t.Helper()
	r.checkSuccess(u, got, p, m, a)
	r.keep(u, got, a)
	r.receipts[len(r.receipts)-1].elsewhen = m.elsewhen
}

func (r *modelRun) verify(u *modelUser, code string) *modelNo {
	p := []enrollment.Purpose{"delete-project", enrollment.PurposeSignIn}[r.rng.IntN(2)]
	return r.verifyWith(u, p, r.one(code))
}

// verifyWith checks what u typed.
func (r *modelRun) verifyWith(u *modelUser, p enrollment.Purpose, e modelEntry) *modelNo {
	var got enrollment.Success
	var m modelMatch
	var c modelToken
	no := r.do(u, fmt.Sprintf("Verify%s %q with %s", e.kind, p, e.text), func(a *modelAccount, turn int) (no *modelNo) {
		if e.malformed {
			return modelForm(enrollment.ReasonMalformedCode)
		}
		if m, no = e.check(a, 0, false, turn); no == nil && m.place > 0 {
			c = modelToken{number: r.next(), user: u.name, issued: r.now(), expires: r.now()}
			a.spend(c, true)
		}
		return no
	}, func(ctx context.Context) (err error) {
		got, err = e.verify(ctx, u.name, p)
		return err
	}, func(a *modelAccount) {
		r.succeed(u, got, p, m, a)
		r.keepNewCode(c, p, e.code, got)
	})
	if no == nil {
		e.accept(u, m)
	}
	return no
}

func (r *modelRun) recent(u *modelUser) {
	t := r.receipt(u)
	p := t.purpose
	if p == "" || p == enrollment.PurposeSetup || r.chance(5) {
		p = "delete-project"
	}
	within := []time.Duration{time.Second, 5 * time.Minute, time.Hour, modelDay, r.now().Sub(t.issued)}[r.rng.IntN(5)]
	within = min(max(within, time.Microsecond), modelDay)
	var got enrollment.Success
	r.do(u, fmt.Sprintf("Recent receipt %d for %q within %v", t.number, p, within), func(a *modelAccount, _ int) *modelNo {
		a.dirty = false
		switch {
		case t.user != u.name, t.purpose != p, t.epoch != a.epoch:
			return modelDeny(enrollment.ReasonProofInvalid)
		case !modelFresh(t.issued, r.now(), within):
			return modelDeny(enrollment.ReasonProofStale)
		}
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.RecentlyVerified(ctx, u.name, p, enrollment.ReceiptOf(t.text), within)
		return err
	}, func(a *modelAccount) {
		r.checkStamp(u, a, got.Stamp)
		got.Stamp = ""
		want := enrollment.Success{UserID: u.name, Purpose: p, Factor: t.factor, At: t.issued, Receipt: enrollment.ReceiptOf(t.text), CodesLeft: a.codesLeft()}
		if !reflect.DeepEqual(got, want) {
			r.fatalf("Recent returned %+v, want %+v", got, want)
		}
	})
}
