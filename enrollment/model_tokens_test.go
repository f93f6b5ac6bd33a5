package enrollment_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// What was handed out, to whom, and what each proves.

// A modelToken is a challenge, a receipt or the token of a setup.
type modelToken struct {
	number  int
	text    string
	user    string
	purpose enrollment.Purpose
	epoch   int
	issued  time.Time
	expires time.Time
	factor  enrollment.Factor // of a receipt
}

// modelFresh reports whether the instant lies within the ttl; one minute is
// forgiven to a clock that runs ahead.
func modelFresh(at, now time.Time, ttl time.Duration) bool {
	age := now.Sub(at)
	return age >= -time.Minute && age <= ttl
}

func (a *modelAccount) challenge(c modelToken) *modelNo {
	switch {
	case c.epoch != a.epoch:
		return modelDeny(enrollment.ChallengeVoid)
	case slices.ContainsFunc(a.spent, func(s modelSpent) bool { return s.number == c.number }):
		return modelDeny(enrollment.ChallengeSpent)
	case !a.floor.IsZero() && !c.issued.After(a.floor):
		return modelDeny(enrollment.ChallengeVoid)
	}
	return nil
}

func (a *modelAccount) spend(c modelToken) {
	a.dirty = true
	a.spent = append(a.spent, modelSpent{c.number, c.issued, c.expires})
	if len(a.spent) > 16 {
		oldest := slices.MinFunc(a.spent, func(x, y modelSpent) int { return x.issued.Compare(y.issued) })
		a.floor = modelLater(a.floor, oldest.issued)
		i := slices.Index(a.spent, oldest)
		a.spent = slices.Delete(a.spent, i, i+1)
	}
}

// A modelProof is a Proof and what the model has to know of it.
type modelProof struct {
	kind    string // none, code, receipt, reauth
	code    string
	receipt modelToken
	text    string // of a receipt that is none
}

func (p modelProof) proof() enrollment.Proof {
	switch p.kind {
	case "code":
		return enrollment.ByCode(p.code)
	case "receipt":
		return enrollment.ByReceipt(cmp.Or(p.text, p.receipt.text))
	case "reauth":
		return enrollment.ByReauth("password")
	}
	return enrollment.Proof{}
}

func (p modelProof) String() string {
	switch p.kind {
	case "code":
		return fmt.Sprintf("code %q", p.code)
	case "receipt":
		if p.text != "" {
			return "receipt of nobody"
		}
		return fmt.Sprintf("receipt %d", p.receipt.number)
	}
	return p.kind
}

// glance denies what no account could make right.
func (p modelProof) glance(user string) *modelNo {
	switch p.kind {
	case "code":
		if _, f := modelRead(p.code); f == "" {
			return modelDeny(enrollment.MalformedCode)
		}
	case "receipt":
		if p.text != "" || p.receipt.user != user {
			return modelDeny(enrollment.ProofInvalid)
		}
	}
	return nil
}

type modelAuthority struct {
	factor enrollment.Factor
	at     time.Time
	method string
}

func (a *modelAccount) prove(p modelProof, user string, now time.Time, turn int, reauth bool) (modelAuthority, *modelNo) {
	if len(a.apps) == 0 {
		return modelAuthority{}, modelDeny(enrollment.NotEnrolled)
	}
	if no := p.glance(user); no != nil {
		return modelAuthority{}, no
	}
	switch p.kind {
	case "code":
		m, no := a.check(p.code, now, turn)
		return modelAuthority{factor: m.factor, at: now}, no
	case "receipt":
		switch {
		case p.receipt.epoch != a.epoch:
			return modelAuthority{}, modelDeny(enrollment.ProofInvalid)
		case !modelFresh(p.receipt.issued, now, 5*time.Minute):
			return modelAuthority{}, modelDeny(enrollment.ProofStale)
		}
		return modelAuthority{factor: p.receipt.factor, at: p.receipt.issued}, nil
	case "reauth":
		if !reauth {
			return modelAuthority{}, modelDeny(enrollment.ProofNotAllowed)
		}
		return modelAuthority{at: now, method: "password"}, nil
	}
	return modelAuthority{}, modelDeny(enrollment.ProofRequired)
}
