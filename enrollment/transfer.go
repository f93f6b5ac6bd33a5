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

// MaxImportedCodes is how many recovery codes of another system an account takes
// over: 16.
const MaxImportedCodes = account.MaxImported

// An Import is what another system knows of a user's second factor.
type Import struct {
	// Authenticators are one to [MaxAuthenticators] secrets that work there.
	Authenticators []ImportedAuthenticator

	// RecoveryHashes are the hashes of recovery codes that were not used there,
	// at most [MaxImportedCodes] and none twice: 60 bytes, the text form of
	// bcrypt ($2a$, $2b$ or $2y$), or 32 bytes of SHA-256 without a salt.
	// Defaults to none. Other systems keep codes in clear: hash them for this.
	//
	// A hash is that of a code of 6 to 64 bytes exactly as the user has it,
	// case, hyphens and all. White space around what is typed does not matter.
	// With SHA-256, a code without capitals may be typed in capitals, and one
	// without small letters in small letters. A code of as many digits as those
	// of an authenticator of the account is always taken for one of the app.
	//
	// Each works once. Wrong ones bring the waits of any recovery code, and have
	// a budget besides, as nobody knows how long the codes are: after 30 wrong
	// ones, refilled by one a day, none is evaluated until the next unit is
	// back, the next set is made, or Admin.Unlock. The app goes on working, unless
	// whoever guesses has locked that, too: such an account can be kept from its
	// owner for a day, which one with a set of its own can't.
	// Every text that is no app's code is held against all of them.
	// With bcrypt that takes their cost each time: together they may cost as
	// much as 16 of cost 10 (or 8 of 11, or 4 of 12), about a second of a
	// processor, in a slot of those that make recovery codes.
	//
	// The next set takes the place of all of them. What is weak about codes of
	// another system stays weak until then: whoever has both the database and
	// the keys finds one of 40 or 50 bits behind SHA-256 in minutes. Ask users
	// for RenewCodes soon.
	RecoveryHashes [][]byte

	// Again allows the import for a user whose two-factor authentication was on
	// before and is off now, or who was handed a ticket. What was revoked here
	// (a stolen phone, recovery codes that were used) would come back with a
	// program that is run twice. Defaults to false.
	Again bool
}

// An ImportedAuthenticator is a secret of another system.
type ImportedAuthenticator struct {
	// Key is the secret and the kind of code: read it with [totp.ParseSecret]
	// or [totp.ParseHexSecret] and [totp.NewKey], [totp.ParseURI], or
	// [totp.FromOTP].
	Key totp.Key

	// Name is how the user tells it from others, at most [MaxName] bytes.
	// Defaults to "Authenticator".
	Name string

	// Added is when it was set up there. Defaults to now, which also takes the
	// place of a time in the future or before 1970.
	Added time.Time
}

// Import sets up an account with what another system has proven, without the
// user having to do anything. It only ever creates: where two-factor
// authentication is on, it is a [Denied] of reason ReasonAlreadyEnrolled, and where it
// was on before, or a ticket is out, of ReasonWasEnrolled without Import.Again. A setup
// that waits, a bypass and the demand for a ticket are dropped. It is an event
// of kind [EventImported] with the actor and the reason.
//
// It is for moving users, from a program that the host runs once; MOVING.md,
// beside this package, says how, and from which systems. Whoever may call it can
// give a user without a second factor, also one whose was just reset, a secret
// that they know: do not offer it on a page of administrators.
//
// Codes of the current time step, of the one after it and of earlier ones are used
// up, since they may have been used in the other system, and so are those that the
// account itself remembers of before. The next code that signs in comes 30 to 60
// seconds after the Import. Where the same secret comes twice, the reason is
// ReasonDuplicateSecret; ReasonInvalidName and ReasonOwnAccount are others. Anything else that
// can't be taken over is an error that names the field. None of them changes
// anything.
func (x Admin) Import(ctx context.Context, userID string, im Import) (err error) {
	e, err := x.edit(opImport, userID)
	defer e.conclude(ctx, &err)
	if err != nil {
		return err
	}
	if n := len(im.Authenticators); n == 0 || n > MaxAuthenticators {
		return fmt.Errorf("enrollment: Import.Authenticators are not 1 to %d", MaxAuthenticators)
	}
	var authenticators []account.Authenticator
	for _, from := range im.Authenticators {
		if from.Key.IsZero() {
			return errors.New("enrollment: Import.Authenticators: a key is the zero Key")
		}
		if len(from.Name) > MaxName || !typed.Printable(from.Name) {
			return deny(ReasonInvalidName)
		}
		to := account.Authenticator{Key: from.Key, Name: from.Name, Added: from.Added.UTC().Truncate(time.Microsecond)}
		if err := x.guard.draw(to.ID[:]); err != nil {
			return err
		}
		authenticators = append(authenticators, to)
	}
	codes, err := importedCodes(im.RecoveryHashes)
	if err != nil {
		return fmt.Errorf("enrollment: Import.RecoveryHashes: %w", err)
	}
	return e.run(ctx, func(a *account.Account, m account.Moment) error {
		return a.Import(m, authenticators, codes, im.Again, x.by)
	})
}

// importedCodes tells the hashes apart by their length, which account checks.
func importedCodes(hashes [][]byte) ([]account.ImportedCode, error) {
	if len(hashes) > MaxImportedCodes {
		return nil, fmt.Errorf("more than %d", MaxImportedCodes)
	}
	var codes []account.ImportedCode
	for _, hash := range hashes {
		c := account.ImportedCode{Scheme: account.ImportedBcrypt, Hash: slices.Clone(hash)}
		if len(hash) == sha256.Size {
			c.Scheme = account.ImportedSHA256
		}
		codes = append(codes, c)
	}
	return codes, account.CheckImported(codes)
}

// An Export is what [Admin.Export] returns: secrets in clear. It redacts
// itself.
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

	// Key is the secret and the kind of code; Key.URI and Key.OTP make of it
	// what other systems read.
	Key totp.Key
}

// Reveal returns the authenticators, oldest first.
func (x Export) Reveal() []ExportedAuthenticator {
	if x.p.IsZero() {
		return nil
	}
	return append([]ExportedAuthenticator(nil), *x.p.Get()...)
}

// Export returns the authenticators of the user with their secrets, for moving
// to another system; recovery codes can't be read and stay behind. Each call is
// an event, and the user is told. Whoever gets the result can sign in as the
// user: nothing else in the library gives a secret away after its setup.
//
// An address that codes are delivered to is not part of it: the host has handed
// it over, and has it. It returns a [Denied] of reason ReasonNotEnrolled or
// ReasonOwnAccount.
func (x Admin) Export(ctx context.Context, userID string) (_ Export, err error) {
	e, err := x.edit(opExport, userID)
	defer e.conclude(ctx, &err)
	if err != nil {
		return Export{}, err
	}
	return run(ctx, e, func(a *account.Account, m account.Moment) (Export, error) {
		if a.State() != account.Confirmed {
			return Export{}, deny(ReasonNotEnrolled)
		}
		var list []ExportedAuthenticator
		for _, from := range a.Authenticators() {
			list = append(list, ExportedAuthenticator{Name: from.Name, Added: from.Added, Key: from.Key})
		}
		return Export{p: redact.Of(list)}, a.Note(m, account.EventExported, x.by)
	})
}
