package account

import (
	"errors"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// A Need is work that an account asks for because it takes long, or takes
// random bytes, and can't decide without. The caller does it and decides again,
// on the account as it was, with the result in Moment.Prepared. The zero Need
// asks for nothing.
type Need struct {
	// Kind says what is asked for. The other fields are its parameters.
	Kind NeedKind

	// From is how the digest of the code is derived, for NeedDigest.
	From recovery.Derivation

	// Code is the code, for NeedDigest. The zero Code stands for the one that was
	// guessed.
	Code recovery.Code

	// Imported are the codes to hold the text against, for NeedImported.
	Imported []ImportedCode

	// Shown are the codes to make the set of, for NeedSet, where they have been
	// shown already. There are none if the set is to be made of fresh ones.
	Shown recovery.Codes

	replenished recovery.Set // whose codes are replaced when they are used
}

// NeedKind is what an account asks for.
type NeedKind uint8

// The kinds.
const (
	NoNeed       NeedKind = iota
	NeedDigest            // the digest of a recovery code: a Derived
	NeedImported          // a text, held against codes of another system: an ImportedTry
	NeedSet               // a set of recovery codes: a FreshSet
)

// Replaces reports whether the digest is that of a code that is replaced when it
// is used: then Derived.Spare is needed as well.
func (n Need) Replaces(d recovery.Digest) bool {
	set := n.replenished
	_, err := set.Spend(d, longAgo)
	return err == nil
}

// Prepared is what a caller has done because of a [Need]. What does not fit the
// account any more is asked for again.
type Prepared struct {
	Digest   *Derived
	Imported *ImportedTry
	Set      *FreshSet
}

// Derived is the digest of a recovery code that somebody typed.
type Derived struct {
	From   recovery.Derivation // what it was derived by
	Digest recovery.Digest
	Spare  *FreshCode // replaces the code; nil unless Need.Replaces
}

// A FreshCode replaces a recovery code that is used.
type FreshCode struct {
	Code   recovery.Code
	Digest recovery.Digest // by the derivation of the account's set
}

// A FreshSet is a set of recovery codes that was just made.
type FreshSet struct {
	Set recovery.Set

	// Codes are the same in clear. The account keeps them if Keep is set.
	Codes recovery.Codes
	Keep  bool

	// Counted says that CountSet was called, and stored, before it was made.
	Counted bool
}

// Need returns what the account needs for a decision that has returned an error:
// the zero Need if that error is all there is to say. The decision may have left
// changes behind: drop the account.
func (a *Account) Need() Need { return a.need }

var errNeed = errors.New("account: something has to be prepared, see Need")

// ask ends a decision for which something is needed.
func (a *Account) ask(n Need) error {
	a.need = n
	return errNeed
}
