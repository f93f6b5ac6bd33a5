package model

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Recovery codes: the operations of the driver.

// takeCodes gives the model the codes that were made: those that the setup has
// shown, if it has.
func (r *modelRun) takeCodes(u *modelUser, a *modelAccount, made bool, shown []string, codes recovery.Codes) {
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
	a.codes, a.kept = modelTexts(codes), r.config.KeepCodes
	if shown != nil && !slices.Equal(a.codes, shown) {
		r.fatalf("other recovery codes than the setup has shown")
	}
	u.oldCodes = append(u.oldCodes, a.codes...)
	u.secrets = append(u.secrets, codes.Reveal()...)
	packed, err := codes.AppendRevealed(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	u.packed = append(u.packed, packed[2:])
}

// modelTexts returns the codes as a user could type them.
func modelTexts(codes recovery.Codes) (list []string) {
	for _, c := range codes.Reveal() {
		list = append(list, strings.ReplaceAll(c, "-", ""))
	}
	return list
}

func (r *modelRun) newCodes(u *modelUser) { r.newCodesBy(u, r.proof(u)) }

func (r *modelRun) newCodesBy(u *modelUser, p modelProof) { r.newCodesWith(u, modelToken{}, p) }

// newCodesWith renews the codes with a token, or without one.
func (r *modelRun) newCodesWith(u *modelUser, t modelToken, p modelProof) {
	var got enrollment.RenewedCodes
	var by modelAuthority
	no := r.do(u, fmt.Sprintf("RenewCodes %d by %v", t.number, p), func(a *modelAccount, turn int) (no *modelNo) {
		if t.number != 0 {
			if no := r.glanceRenewal(u, t); no != nil {
				return no
			}
		}
		switch {
		case !a.enrolled():
			return modelDeny(enrollment.ReasonNotEnrolled)
		case t.number == 0:
		case a.renewed.number == t.number:
			return modelDeny(enrollment.ReasonAlreadyRenewed)
		case a.epoch != t.epoch || !r.now().Before(t.expires):
			return modelDeny(enrollment.ReasonRenewalInvalid)
		}
		if no := a.mayMakeSet(r.now()); no != nil {
			return no
		}
		if by, no = a.prove(p, u.name, r.now(), turn, modelDemand{}); no != nil {
			return no
		}
		a.madeSet(r.now())
		if t.number != 0 {
			a.renewed = modelDone{number: t.number, until: t.expires.Add(modelAgain), codes: true}
		}
		a.turn(turn)
		a.record(r.now(), enrollment.Event{Kind: enrollment.EventCodesRenewed, Factor: by.factor})
		return nil
	}, func(ctx context.Context) (err error) {
		if t.number != 0 {
			got, err = r.guard.RenewCodesOnce(ctx, u.name, enrollment.RenewalTokenOf(t.text), p.proof())
			return err
		}
		got, err = r.guard.RenewCodes(ctx, u.name, p.proof())
		return err
	}, func(a *modelAccount) {
		r.takeCodes(u, a, true, nil, got.Codes)
		r.receipts = append(r.receipts, modelToken{
			number: r.next(), text: got.Receipt.Reveal(), user: u.name, epoch: a.epoch, issued: by.at, factor: by.factor, purpose: enrollment.PurposeSetup,
		})
	})
	if no == nil && by.match.factor != "" {
		r.accept(u, by.match, p.code)
	}
}

func (r *modelRun) showCodes(u *modelUser) {
	p := r.proof(u)
	var got recovery.Codes
	var by modelAuthority
	no := r.do(u, fmt.Sprintf("Codes by %v", p), func(a *modelAccount, turn int) (no *modelNo) {
		switch {
		case !a.enrolled():
			return modelDeny(enrollment.ReasonNotEnrolled)
		case !a.kept || a.codesLeft() == 0:
			return modelDeny(enrollment.ReasonCodesNotKept)
		}
		if by, no = a.prove(p, u.name, r.now(), turn, modelDemand{show: true}); no != nil {
			return no
		}
		a.record(r.now(), enrollment.Event{Kind: enrollment.EventCodesShown, Factor: by.factor})
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.RecoveryCodes(ctx, u.name, p.proof())
		return err
	}, func(a *modelAccount) {
		want := slices.DeleteFunc(slices.Clone(a.codes), func(c string) bool { return a.spentCodes[c] })
		if !slices.Equal(modelTexts(got), want) {
			r.fatalf("Codes showed %q, want %q", modelTexts(got), want)
		}
	})
	if no == nil && by.match.factor != "" {
		r.accept(u, by.match, p.code)
	}
	if no != nil && got.Len() > 0 {
		r.fatalf("Codes showed codes although it denied")
	}
}
