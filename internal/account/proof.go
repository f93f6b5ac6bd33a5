package account

import "time"

// ReceiptTTL is how old a receipt may be that proves something.
const ReceiptTTL = 5 * time.Minute

// A Receipt says that the user has answered with this factor at this time.
type Receipt struct {
	Epoch  Epoch
	At     time.Time
	Factor Factor
}

// CheckReceipt reports whether the receipt is still good: no factor was changed
// since, and it is at most ttl old.
func (a *Account) CheckReceipt(r Receipt, now time.Time, ttl time.Duration) error {
	switch {
	case r.Epoch != a.epoch:
		return refuse(ProofInvalid)
	case !fresh(r.At, now, ttl):
		return refuse(ProofStale)
	}
	return nil
}

// ProofKind is how a change is authorised.
type ProofKind uint8

// The kinds of proofs.
const (
	NoProof ProofKind = iota
	CodeProof
	ReceiptProof
	ReauthProof
	EnrollProof
)

// A Proof authorises a change. The zero Proof proves nothing.
type Proof struct {
	Kind    ProofKind
	Guess   Guess   // for CodeProof
	Receipt Receipt // for ReceiptProof
	Enroll  Enroll  // for EnrollProof
	Method  string  // for ReauthProof: how the host has checked the first factor again

	// Refused says what is wrong with the proof whatever the account is like;
	// "" if nothing is.
	Refused Reason
}

// A demand is what a proof is asked for. What is allowed differs.
type demand struct {
	reauth bool // whether re-authentication is enough where Moment.ReauthDisables is set
	app    bool // whether it has to be by an app's code
	mends  bool // whether it is to replace a short secret
}

// What proofs are asked for.
var (
	toAdd    = demand{}
	toRemove = demand{reauth: true}
	toShow   = demand{app: true}
)

// authority is what a proof has proven.
type authority struct {
	factor Factor
	at     time.Time // when the factor was given
	method string    // of a re-authentication
}

// proveAdding evaluates the proof for a further factor, or for the first one.
func (a *Account) proveAdding(m Moment, p Proof, d demand) error {
	if !a.enrolled() {
		return a.proveFirst(m, p)
	}
	_, err := a.prove(m, p, d)
	return err
}

// proveFirst evaluates the proof for the first factor. There is no second one yet
// that could prove it: the application vouches for the user, or a sign-in demands the setup.
// What stands for a sign-in has to be good also where nothing need be proven, since the
// setup completes that sign-in.
func (a *Account) proveFirst(m Moment, p Proof) error {
	switch {
	case p.Kind == EnrollProof && p.Refused != "":
		return refuse(p.Refused)
	case p.Kind == EnrollProof:
		return a.checkEnroll(m, p.Enroll, false)
	case m.UnprovenSetup || p.Kind == ReauthProof:
		return nil
	case p.Kind == NoProof:
		return refuse(ProofRequired)
	}
	return refuse(ProofNotAllowed)
}

// prove evaluates the proof. Like Check it can change the account and still
// refuse, and asks for what a recovery code needs.
func (a *Account) prove(m Moment, p Proof, d demand) (authority, error) {
	switch {
	case !a.enrolled():
		return authority{}, refuse(NotEnrolled)
	case p.Refused != "":
		return authority{}, refuse(p.Refused)
	}
	switch p.Kind {
	case CodeProof:
		return a.proveByCode(m, p.Guess, d)
	case ReceiptProof:
		if err := a.CheckReceipt(p.Receipt, m.typed(), ReceiptTTL); err != nil {
			return authority{}, err
		}
		if f := p.Receipt.Factor; f != TOTP && (d.app || f != Recovery) {
			return authority{}, refuse(ProofNotAllowed)
		}
		return authority{factor: p.Receipt.Factor, at: p.Receipt.At}, nil
	case ReauthProof:
		if !d.reauth || !m.ReauthDisables {
			return authority{}, refuse(ProofNotAllowed)
		}
		return authority{at: m.Now, method: p.Method}, nil
	case EnrollProof:
		if !d.mends {
			return authority{}, refuse(EnrollTokenInvalid)
		}
		return authority{at: p.Enroll.At}, a.checkEnroll(m, p.Enroll, true)
	}
	return authority{}, refuse(ProofRequired)
}

func (a *Account) proveByCode(m Moment, g Guess, d demand) (authority, error) {
	switch {
	case d.app && g.Factor == NoFactor:
		return authority{}, refuse(MalformedCode)
	case d.app && g.Factor != TOTP:
		return authority{}, refuse(ProofNotAllowed)
	}
	match, err := a.Check(m, g)
	return authority{factor: match.Factor, at: m.Now}, err
}
