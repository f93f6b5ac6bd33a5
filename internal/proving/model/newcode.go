package model

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// A modelNewCode is what shows a code once more that has replaced a used one.
type modelNewCode struct {
	modelToken
	used, fresh string
}

// keepNewCode keeps what shows the new code of a Success, if it has one.
func (r *modelRun) keepNewCode(c modelToken, p enrollment.Purpose, used string, got enrollment.Success) {
	if got.NewCode.IsZero() {
		return
	}
	c.text, c.purpose, c.user = got.Challenge.Reveal(), p, got.UserID
	r.replaced = append(r.replaced, modelNewCode{c, used, strings.ReplaceAll(got.NewCode.Reveal(), "-", "")})
}

// newCodeAgain asks for a new code once more, mostly for the latest and with the code that
// it has replaced.
func (r *modelRun) newCodeAgain(u *modelUser) {
	t, ok := modelPick(r, r.replaced)
	if !ok {
		r.answer(u)
		return
	}
	if !r.chance(3) {
		t = r.replaced[len(r.replaced)-1]
	}
	u = r.owner(u, t.modelToken)
	code, purpose := t.used, t.purpose
	if r.chance(4) {
		code = r.typed(u)
	}
	if r.chance(12) {
		purpose = "password-reset"
	}
	used, _ := modelRead(t.used)
	normal, factor := modelRead(code)
	var name string
	var got recovery.Code
	r.do(u, fmt.Sprintf("NewCode challenge %d for %q with %q", t.number, purpose, code), func(a *modelAccount, _ int) *modelNo {
		switch {
		case purpose != t.purpose:
			return modelForm(enrollment.ReasonChallengeInvalid)
		case !r.now().Before(t.expires.Add(modelAgain)):
			return modelForm(enrollment.ReasonChallengeExpired)
		case factor != enrollment.FactorRecovery:
			return modelForm(enrollment.ReasonCodesNotKept)
		case !a.enrolled():
			return modelDeny(enrollment.ReasonNotEnrolled)
		case normal != used, !slices.ContainsFunc(a.spent, func(s modelSpent) bool { return s.number == t.number }),
			!slices.Contains(a.codes, t.fresh), a.spentCodes[t.fresh]:
			return modelDeny(enrollment.ReasonCodesNotKept)
		}
		return nil
	}, func(ctx context.Context) (err error) {
		name, got, err = r.guard.NewCode(ctx, purpose, enrollment.ChallengeOf(t.text), code)
		return err
	}, func(*modelAccount) {
		if name != u.name || strings.ReplaceAll(got.Reveal(), "-", "") != t.fresh {
			r.fatalf("the new code of %q is another one", name)
		}
	})
}
