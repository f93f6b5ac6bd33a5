package model

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// What was handed out, to whom, and what each proves.

// A modelToken is a challenge, a receipt or the token of a setup.
type modelToken struct {
	number   int
	text     string
	user     string
	purpose  enrollment.Purpose
	epoch    int
	issued   time.Time
	expires  time.Time
	factor   enrollment.Factor // of a receipt
	elsewhen bool              // of a receipt: by three codes of another time

	channel  string // of a challenge: what the first factor came over
	delivery int    // and the message that was sent for it

	browser  string // of a token for a setup that is demanded
	unstored bool   // and whether the user had no account
	replace  bool   // or it is for replacing a short secret, and nothing else
}

// modelFresh reports whether the instant lies within the ttl; one minute is
// forgiven to a clock that runs ahead.
func modelFresh(at, now time.Time, ttl time.Duration) bool {
	age := now.Sub(at)
	return age >= -time.Minute && age <= ttl
}

func (a *modelAccount) challenge(c modelToken) *modelNo {
	switch {
	case slices.ContainsFunc(a.spent, func(s modelSpent) bool { return s.number == c.number }):
		return modelDeny(enrollment.ReasonChallengeSpent)
	case c.epoch != a.epoch:
		return modelDeny(enrollment.ReasonChallengeVoid)
	case !a.floor.IsZero() && !c.issued.After(a.floor):
		return modelDeny(enrollment.ReasonChallengeVoid)
	}
	return nil
}

// spend remembers an answered challenge, and for longer if a code was replaced.
func (a *modelAccount) spend(c modelToken, replaced bool) {
	a.dirty = true
	expires := c.expires
	if replaced {
		expires = expires.Add(modelAgain)
	}
	if a.address.channel != "" { // the challenge of a message lives longer
		expires = expires.Add(10 * time.Minute)
	}
	a.spent = append(a.spent, modelSpent{c.number, c.issued, expires})
	if len(a.spent) > 16 {
		oldest := slices.MinFunc(a.spent, func(x, y modelSpent) int { return x.issued.Compare(y.issued) })
		a.floor = modelLater(a.floor, oldest.issued)
		i := slices.Index(a.spent, oldest)
		a.spent = slices.Delete(a.spent, i, i+1)
	}
}

// A modelProof is a Proof and what the model has to know of it.
type modelProof struct {
	kind    string // none, code, receipt, reauth, enroll
	code    string
	receipt modelToken // or what a sign-in has handed out that demands a setup
	text    string     // of a receipt that is none
	browser string     // of who brings what a sign-in has handed out
}

func (p modelProof) proof() enrollment.Proof {
	switch p.kind {
	case "code":
		return enrollment.ByCode(p.code)
	case "receipt":
		return enrollment.ByReceipt(enrollment.ReceiptOf(cmp.Or(p.text, p.receipt.text)))
	case "reauth":
		return enrollment.ByReauth("password")
	case "enroll":
		return enrollment.ByEnrollToken(enrollment.EnrollTokenOf(p.receipt.text), p.browser)
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
	case "enroll":
		return fmt.Sprintf("token %d in %q", p.receipt.number, p.browser)
	}
	return p.kind
}

// glance denies what no account could make right.
func (p modelProof) glance(user string, show bool) *modelNo {
	switch p.kind {
	case "code":
		switch _, f := modelRead(p.code); {
		case f == "", f == modelOther && show: // kept codes are no other system's
			return modelDeny(enrollment.ReasonMalformedCode)
		case f == enrollment.FactorRecovery && show:
			return modelDeny(enrollment.ReasonProofNotAllowed)
		}
	case "receipt":
		if p.text != "" || p.receipt.user != user {
			return modelDeny(enrollment.ReasonProofInvalid)
		}
	case "enroll":
		if p.receipt.user != user || p.receipt.browser != p.browser {
			return modelDeny(enrollment.ReasonEnrollTokenInvalid)
		}
	}
	return nil
}

// A modelDemand is what a proof is asked for.
type modelDemand struct {
	reauth bool // whether re-authentication is enough
	show   bool // whether it must be by an app's code
	mends  bool // whether it is to replace a short secret
}

type modelAuthority struct {
	factor enrollment.Factor
	at     time.Time
	method string
	match  modelMatch // of a code
}

// proveAdding evaluates what proves a further factor, or the first one, which
// nothing can prove but the host or a sign-in that demands it. Unproven says that the host
// asks for nothing.
func (a *modelAccount) proveAdding(p modelProof, user string, now time.Time, turn int, unproven, mends bool) (modelMatch, *modelNo) {
	if a.enrolled() {
		by, no := a.prove(p, user, now, turn, modelDemand{mends: mends})
		return by.match, no
	}
	switch {
	case p.kind == "enroll":
		no := p.glance(user, false)
		if no == nil {
			no = a.mayEnroll(p.receipt, now, false)
		}
		return modelMatch{}, no
	case unproven, p.kind == "reauth":
		return modelMatch{}, nil
	case p.kind == "none":
		return modelMatch{}, modelDeny(enrollment.ReasonProofRequired)
	}
	return modelMatch{}, modelDeny(enrollment.ReasonProofNotAllowed)
}

// prove evaluates a proof. A recovery code that proves is not replaced: nobody
// would see the new one.
func (a *modelAccount) prove(p modelProof, user string, now time.Time, turn int, d modelDemand) (modelAuthority, *modelNo) {
	if !a.enrolled() {
		return modelAuthority{}, modelDeny(enrollment.ReasonNotEnrolled)
	}
	if no := p.glance(user, d.show); no != nil {
		return modelAuthority{}, no
	}
	switch p.kind {
	case "code":
		m, no := a.check(modelGuess{text: p.code}, now, turn)
		return modelAuthority{factor: m.factor, at: now, match: m}, no
	case "receipt":
		switch {
		case p.receipt.epoch != a.epoch:
			return modelAuthority{}, modelDeny(enrollment.ReasonProofInvalid)
		case !modelFresh(p.receipt.issued, now, 5*time.Minute):
			return modelAuthority{}, modelDeny(enrollment.ReasonProofStale)
		case p.receipt.elsewhen, p.receipt.factor == enrollment.FactorDelivered, p.receipt.factor == enrollment.FactorRecovery && d.show:
			return modelAuthority{}, modelDeny(enrollment.ReasonProofNotAllowed)
		}
		return modelAuthority{factor: p.receipt.factor, at: p.receipt.issued}, nil
	case "reauth":
		if !d.reauth {
			return modelAuthority{}, modelDeny(enrollment.ReasonProofNotAllowed)
		}
		return modelAuthority{at: now, method: "password"}, nil
	case "enroll":
		if !d.mends {
			return modelAuthority{}, modelDeny(enrollment.ReasonEnrollTokenInvalid)
		}
		return modelAuthority{at: p.receipt.issued}, a.mayEnroll(p.receipt, now, true)
	}
	return modelAuthority{}, modelDeny(enrollment.ReasonProofRequired)
}

// modelNext is a code of the app that was not used yet.
func modelNext(x modelApp, now time.Time) string {
	now = x.clock(now)
	if x.last >= modelStep(now) {
		now = now.Add(modelPeriod * time.Second)
	}
	return proving.Shown(x.key, now)
}
