package enrollment

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// An ImportFinding is what [Admin.Import] would do for one user. It holds no secret.
type ImportFinding struct {
	// UserID is the id of the user.
	UserID string

	// Reason is why the import would be denied; "" if it would not be.
	Reason Reason

	// Err is what is wrong with the Import, the user id or the stored account; nil if
	// nothing is. It is an error of Import that is not a Denied.
	Err error

	// Short says that the user would be imported with a secret of fewer than 128 bits;
	// see Config.ShortSecretsUntil.
	Short bool
}

// Imports reports whether the user would be imported.
func (f ImportFinding) Imports() bool { return f.Reason == "" && f.Err == nil }

// An ImportCount counts findings.
type ImportCount struct {
	// Users is how many users there were.
	Users int

	// Imported is how many would be imported.
	Imported int

	// Short is how many of those have a secret of fewer than 128 bits.
	Short int

	// Denied is how many would be denied, by reason.
	Denied map[Reason]int

	// Faulty is how many have an ImportFinding.Err.
	Faulty int
}

// RehearseImport reports what Import would do for each of these users, and writes
// nothing; see [Guard.DryRun]. Call it before the move, also if users will move at a
// sign-in (SignInOptions.Import).
//
// It reads users one by one, in constant memory, and loads the account of each. It
// passes every finding to the function each, in the order of the users. The function can
// be nil. For a row of the other system that can't be read, yield an Import with a zero
// Key: that is a finding with an Err.
//
// It stops at an error of the store or the context, or about the actor or the reason.
// The ImportCount then holds what was found before.
func (x Admin) RehearseImport(ctx context.Context, users iter.Seq2[string, Import], each func(ImportFinding)) (ImportCount, error) {
	if err := x.guard.check(); err != nil {
		return ImportCount{}, err
	}
	count := ImportCount{Denied: make(map[Reason]int)}
	dry := x
	dry.guard = x.guard.DryRun()
	for userID, im := range users {
		f := ImportFinding{UserID: userID}
		err := dry.Import(ctx, userID, im)
		denied := deniedIn(err)
		switch {
		case err == nil:
			f.Short = slices.ContainsFunc(im.Authenticators, func(a ImportedAuthenticator) bool { return a.Key.Secret().Short() })
		case denied != nil:
			f.Reason = denied.Reason
		case isAboutOne(err):
			f.Err = err
		default:
			return count, fmt.Errorf("enrollment: rehearsing the import of %q: %w", userID, err)
		}
		count.add(f)
		if each != nil {
			each(f)
		}
	}
	return count, nil
}

// isAboutOne reports whether the error is about one user, so that others may fare
// better.
func isAboutOne(err error) bool {
	var wrong *importError
	return errors.As(err, &wrong) || errors.Is(err, ErrCorrupt) || errors.Is(err, ErrNewer) || errors.Is(err, ErrMoved) ||
		errors.Is(err, ErrNotApproved) || errors.Is(err, store.ErrInvalid)
}

// add counts a finding.
func (c *ImportCount) add(f ImportFinding) {
	c.Users++
	switch {
	case f.Err != nil:
		c.Faulty++
	case f.Reason != "":
		c.Denied[f.Reason]++
	default:
		c.Imported++
	}
	if f.Short {
		c.Short++
	}
}

// An importError names what is wrong with an Import, whatever the account is like.
type importError struct{ field, what string }

// Error implements error.
func (e *importError) Error() string { return "enrollment: " + e.field + e.what }
