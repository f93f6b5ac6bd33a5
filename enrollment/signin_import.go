package enrollment

import (
	"errors"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

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
