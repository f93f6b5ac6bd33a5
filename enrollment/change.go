package enrollment

import (
	"slices"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// A ChangeKind is a stable word for a change of settings: the method that makes it,
// in snake case.
type ChangeKind string

// The changes of settings.
const (
	// ChangeBegin is [Guard.Begin] of another authenticator, or of the first.
	ChangeBegin ChangeKind = "begin"

	// ChangeReplace is [Guard.Begin] with BeginOptions.Replace.
	ChangeReplace ChangeKind = "replace"

	// ChangeBind is [Messages.Bind].
	ChangeBind ChangeKind = "bind"

	// ChangeRenewCodes is [Guard.RenewCodes].
	ChangeRenewCodes ChangeKind = "renew_codes"

	// ChangeRecoveryCodes is [Guard.RecoveryCodes], which shows the codes again.
	ChangeRecoveryCodes ChangeKind = "recovery_codes"

	// ChangeRemove is [Guard.Remove].
	ChangeRemove ChangeKind = "remove"

	// ChangeUnbind is [Messages.Unbind].
	ChangeUnbind ChangeKind = "unbind"

	// ChangeDisable is [Guard.Disable].
	ChangeDisable ChangeKind = "disable"

	// ChangeResynchronize is [ThreeCodes.Resynchronize] of a hardware token.
	ChangeResynchronize ChangeKind = "resynchronize"
)

var changeKinds = map[account.ChangeKind]ChangeKind{
	account.ChangeBegin:   ChangeBegin,
	account.ChangeReplace: ChangeReplace,
	account.ChangeBind:    ChangeBind,
	account.ChangeRenew:   ChangeRenewCodes,
	account.ChangeShow:    ChangeRecoveryCodes,
	account.ChangeRemove:  ChangeRemove,
	account.ChangeUnbind:  ChangeUnbind,
	account.ChangeDisable: ChangeDisable,

	account.ChangeResynchronize: ChangeResynchronize,
}

// A Change is a change of settings that is possible now, and what would authorise it.
// If Codes and Receipts are empty and Reauth is false, it needs no proof.
type Change struct {
	// Kind is the change.
	Kind ChangeKind `json:"kind"`

	// Codes are the factors whose codes [ByCode] takes. A locked factor is left out,
	// and so are recovery codes if all are spent.
	Codes []Factor `json:"codes,omitempty"`

	// Receipts are the factors whose receipts [ByReceipt] takes, even while the factor is
	// locked. Whether the session has a fresh receipt is not known here.
	Receipts []Factor `json:"receipts,omitempty"`

	// Reauth says that [ByReauth] is enough. For the first setup, [ByEnrollToken] is the
	// only other proof.
	Reauth bool `json:"reauth,omitempty"`

	// Ticket says that the change also needs the ticket of an administrator; see
	// [ResetOptions].
	Ticket bool `json:"ticket,omitempty"`
}

// Change returns the change of that kind if it is possible now. A page leaves out
// what is not:
//
//	if change, ok := status.Change(enrollment.ChangeRemove); ok {
//		offer(change.Codes)
//	}
func (s Status) Change(kind ChangeKind) (Change, bool) {
	i := slices.IndexFunc(s.Changes, func(c Change) bool { return c.Kind == kind })
	if i < 0 {
		return Change{}, false
	}
	return s.Changes[i], true
}

func changeOf(p account.Possible) Change {
	c := Change{Kind: changeKinds[p.Kind], Reauth: p.Reauth, Ticket: p.Ticket}
	for _, f := range p.Codes {
		c.Codes = append(c.Codes, factorOf(f))
	}
	for _, f := range p.Receipts {
		c.Receipts = append(c.Receipts, factorOf(f))
	}
	return c
}
