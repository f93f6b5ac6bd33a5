package enrollment

import (
	"errors"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// ErrMoved says that the account of this user id is now under another one, or on
// its way from or to another one; see [Admin.Move]. The text names the other id. It
// is a fault: grant nothing.
var ErrMoved = errors.New("enrollment: the account is under another user id")

// A moved is the error of operations on a record that is part of a move.
type moved struct{ account.Move }

// movedError returns that error, or nil if the account is simply here.
func movedError(now account.Move) error {
	if now.Stage == account.Settled {
		return nil
	}
	return moved{now}
}

// Error names the other user id.
func (e moved) Error() string {
	switch e.Stage {
	case account.Claimed:
		return fmt.Sprintf("%v: the one of %q comes here; call Admin.Move again", ErrMoved, e.Other)
	case account.Leaving:
		return fmt.Sprintf("%v: it goes to %q; call Admin.Move again", ErrMoved, e.Other)
	}
	return fmt.Sprintf("%v: it is under %q", ErrMoved, e.Other)
}

// Unwrap returns ErrMoved.
func (moved) Unwrap() error { return ErrMoved }

// gone reports whether err is that of a record from which the account has gone.
func gone(err error) bool {
	e, ok := find[moved](err)
	return ok && e.Stage == account.Gone
}
