package enrollment

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/redact"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// MaxImportedCodes is how many recovery codes an account can import from another
// system: 16.
const MaxImportedCodes = account.MaxImported

// An Import is a user's second factor from another system.
type Import struct {
	// Authenticators are 1 to [MaxAuthenticators] secrets that work in the other system.
	// More than Config.MaxAuthenticators are denied as ReasonTooManyAuthenticators.
	Authenticators []ImportedAuthenticator

	// RecoveryHashes are the hashes of recovery codes that are unused in the other
	// system: at most [MaxImportedCodes], without duplicates. Make each with
	// [RecoveryHashOf]. Defaults to none. If the other system keeps codes in clear, hash
	// them first.
	//
	// Hash each code, 6 to 64 bytes, exactly as the user has it, with its case and
	// hyphens. White space around what the user types does not matter. With SHA-256, a
	// code without capitals may be typed in capitals, and one without small letters in
	// small letters. A code with as many digits as the codes of an authenticator of
	// the account is always treated as an app code.
	//
	// Each code works once. Wrong codes start the same waits as any recovery code. They
	// also have a budget, because the library does not know how long the codes are: 30
	// wrong codes, refilled by one a day. When it is used up, no recovery code is
	// evaluated until the next unit is back, a new set is made, or Admin.Unlock is called.
	// So an attacker with the password can keep an owner without the app out for a day,
	// which is not possible with a set that the library made.
	//
	// Every text that is not an app code is compared with all hashes. Together they may
	// cost as much as 16 hashes of bcrypt with cost 10 (or 8 of cost 11, or 4 of cost 12),
	// about a second of processor time.
	//
	// The next set replaces all of them. Until then, codes that are weak in the other
	// system stay weak: an attacker with both the database and the keys finds a code
	// of 40 or 50 bits behind SHA-256 in minutes. Ask users to renew their codes soon
	// (RenewCodes).
	RecoveryHashes []RecoveryHash

	// Again allows the import for a user whose two-factor authentication was on before
	// and is off now, or who has a ticket. If a program runs twice, this brings back
	// what was revoked here, such as a stolen phone or used recovery codes. Defaults
	// to false.
	Again bool
}

// An ImportedAuthenticator is a secret from another system.
type ImportedAuthenticator struct {
	// Key is the secret and the kind of code: read it with [totp.ParseSecret] or
	// [totp.ParseHexSecret] and [totp.NewKey], [totp.ParseURI], or [totp.FromOTP].
	// [totp.ShortSecrets] has the same functions for secrets of 80 to 127 bits, which are
	// denied as ReasonShortSecret without Config.ShortSecretsUntil.
	Key totp.Key

	// Name is how the user tells it from others, at most [MaxName] bytes.
	// Defaults to "Authenticator".
	Name string

	// Added is when it was set up there. Defaults to now. A time in the future or before
	// 1970 counts as now.
	Added time.Time

	// HardwareToken says that it is a hardware token, whose clock nobody can set; see
	// [ThreeCodes.Resynchronize]. What the other system knows of its clock is not
	// imported.
	HardwareToken bool
}

// A RecoveryHash is the hash of a recovery code of another system. Short codes are found
// from it, so it redacts itself.
type RecoveryHash struct {
	redacted
	hash redact.Value[[]byte]
}

// RecoveryHashOf returns the RecoveryHash of these bytes: the text form of bcrypt, 60
// bytes ($2a$, $2b$ or $2y$), or 32 bytes of SHA-256 without a salt. It copies them. They
// are checked only when they are imported.
func RecoveryHashOf(hash []byte) RecoveryHash {
	return RecoveryHash{hash: redact.Of(slices.Clone(hash))}
}

// Import sets up an account with the second factor of another system, without any
// action of the user. It only creates. If two-factor authentication is on, it
// returns a [Denied] of reason ReasonAlreadyEnrolled. If it was on before, or the
// user has a ticket, the reason is ReasonWasEnrolled unless Import.Again is set. A
// pending setup, a bypass and the demand for a ticket are dropped. The event is
// [EventImported], with the actor and the reason.
//
// Import is for moving users, from a program that the application runs once. MOVING.md,
// beside this package, says how, and from which systems. The caller can give a user
// without a second factor, even one that was just reset, a secret that the caller
// knows: do not offer Import on an admin page.
//
// Codes of the current time step, the next one and all earlier ones count as used,
// since they may have been used in the other system. So do the codes that the
// account remembers from before. The next code that signs in comes 30 to 60 seconds
// after the Import.
//
// Other reasons of a Denied are ReasonDuplicateSecret if the same secret comes twice,
// ReasonTooManyAuthenticators, ReasonShortSecret, ReasonInvalidName and
// ReasonOwnAccount. Anything else that can't be imported is an error that names the
// field. None of these refusals changes anything.
func (x Admin) Import(ctx context.Context, userID string, im Import) (err error) {
	e, err := x.edit(opImport, userID)
	defer e.conclude(ctx, &err)
	if err != nil {
		return err
	}
	from, err := x.guard.readImport(im, "Import")
	if err != nil {
		return err
	}
	return e.run(ctx, func(a *account.Account, m account.Moment) error {
		return a.Import(m, from.authenticators, from.codes, im.Again, x.by)
	})
}

// An imported is an Import as an account takes it over.
type imported struct {
	authenticators []account.Authenticator
	codes          []account.ImportedCode
}

// readImport checks what can be checked without the account. The name is what errors
// call it.
func (g *Guard) readImport(im Import, name string) (*imported, error) {
	if n := len(im.Authenticators); n == 0 || n > MaxAuthenticators {
		return nil, &importError{name, fmt.Sprintf(".Authenticators must hold 1 to %d", MaxAuthenticators)}
	}
	read := new(imported)
	for _, from := range im.Authenticators {
		if from.Key.IsZero() {
			return nil, &importError{name, ".Authenticators: a Key is zero"}
		}
		if len(from.Name) > MaxName || !typed.Printable(from.Name) {
			return nil, deny(ReasonInvalidName)
		}
		to := account.Authenticator{
			Key: from.Key, Name: from.Name, Added: from.Added.UTC().Truncate(time.Microsecond), Hardware: from.HardwareToken,
		}
		if err := g.draw(to.ID[:]); err != nil {
			return nil, err
		}
		read.authenticators = append(read.authenticators, to)
	}
	var err error
	if read.codes, err = importedCodes(im.RecoveryHashes); err != nil {
		return nil, &importError{name, ".RecoveryHashes: " + err.Error()}
	}
	return read, nil
}

// importedCodes finds the scheme of each hash by its length. Package account checks
// the rest.
func importedCodes(hashes []RecoveryHash) ([]account.ImportedCode, error) {
	if len(hashes) > MaxImportedCodes {
		return nil, fmt.Errorf("more than %d hashes", MaxImportedCodes)
	}
	var codes []account.ImportedCode
	for _, h := range hashes {
		c := account.ImportedCode{Scheme: account.ImportedBcrypt}
		if !h.hash.IsZero() {
			c.Hash = *h.hash.Get()
		}
		if len(c.Hash) == sha256.Size {
			c.Scheme = account.ImportedSHA256
		}
		codes = append(codes, c)
	}
	return codes, account.CheckImported(codes)
}

// An Export is what [Admin.Export] returns: secrets in clear. It prints as
// "[redacted]", and encoding it is an error.
type Export struct {
	redacted
	p redact.Value[[]ExportedAuthenticator]
}

// An ExportedAuthenticator is an authenticator with its secret.
type ExportedAuthenticator struct {
	// Name is what the user called it.
	Name string

	// Added is when it was confirmed.
	Added time.Time

	// Key is the secret and the kind of code. Key.URI and Key.OTP convert it to what
	// other systems read.
	Key totp.Key

	// HardwareToken says that it is a hardware token.
	HardwareToken bool
}

// Reveal returns the authenticators, oldest first.
func (x Export) Reveal() []ExportedAuthenticator {
	if x.p.IsZero() {
		return nil
	}
	return append([]ExportedAuthenticator(nil), *x.p.Get()...)
}

// Export returns the authenticators of the user with their secrets, for moving to
// another system. Recovery codes can't be read and stay behind. Each call is an
// event, and the user is told. The result is enough to sign in as the user after
// the password: nothing else in the library returns a secret after its setup.
//
// It does not include an address for delivered codes, which the application has
// already. It returns a [Denied] of reason ReasonNotEnrolled or ReasonOwnAccount, and an
// error in a dry run.
func (x Admin) Export(ctx context.Context, userID string) (_ Export, err error) {
	e, err := x.edit(opExport, userID)
	defer e.conclude(ctx, &err)
	if err == nil {
		err = x.guard.reveals()
	}
	if err != nil {
		return Export{}, err
	}
	return run(ctx, e, func(a *account.Account, m account.Moment) (Export, error) {
		if a.State() != account.Confirmed {
			return Export{}, deny(ReasonNotEnrolled)
		}
		var list []ExportedAuthenticator
		for _, from := range a.Authenticators() {
			list = append(list, ExportedAuthenticator{Name: from.Name, Added: from.Added, Key: from.Key, HardwareToken: from.Hardware})
		}
		return Export{p: redact.Of(list)}, a.Note(m, account.EventExported, x.by)
	})
}

// readMoveIn reads what is to be taken over at a sign-in; nil if nothing is.
func (g *Guard) readMoveIn(im *Import) (*imported, error) {
	if im == nil {
		return nil, nil
	}
	if im.Again {
		return nil, errors.New("enrollment: SignInOptions.Import.Again is set: only Admin.Import can import again")
	}
	old, err := g.readImport(*im, "SignInOptions.Import")
	if denied := deniedIn(err); denied != nil {
		err = notAsItIs(denied.Reason)
	}
	return old, err
}

// moveIn takes it over if the account never had a second factor. It reports whether it
// did, or why not. An application that has the user as enrolled here is not believed to
// bring one from elsewhere: the account is missing then.
func (im *imported) moveIn(a *account.Account, m account.Moment, enrolled bool) (moved bool, not Reason, err error) {
	if im == nil || enrolled && a.State() != account.Confirmed {
		return false, "", nil
	}
	err = a.MoveIn(m, im.authenticators, im.codes)
	refusal, refused := find[*account.Refusal](err)
	switch {
	case refused && (refusal.Reason == account.AlreadyEnrolled || refusal.Reason == account.WasEnrolled):
		return false, Reason(refusal.Reason), nil
	case refused: // whatever the user does, it stays like this
		return false, "", notAsItIs(Reason(refusal.Reason))
	}
	return err == nil, "", err
}

// notAsItIs is the fault of an Import that no account can take over.
func notAsItIs(why Reason) error {
	return fmt.Errorf("enrollment: SignInOptions.Import can't be taken over: %w", why)
}
