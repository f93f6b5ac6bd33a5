package enrollment

import (
	"context"
	"encoding/hex"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// Rename gives an authenticator another name, by its ID (see [Status]): 1 to
// [MaxName] bytes without control characters. The name in the app does not change.
//
// It needs no proof, because it changes no factor. An attacker with a stolen session
// could give two authenticators each other's name, and so make the owner remove the
// wrong one. So the owner is told with the name before, in [EventAuthenticatorRenamed],
// and a page should show Added and Used beside the name. The history keeps the latest
// three events of renaming, so that renaming drives nothing else out. A name is text of
// a user: escape it.
//
// If the name is the same, nothing is written and there is no event. It returns a
// [Denied] of reason ReasonNotEnrolled, ReasonUnknownAuthenticator or
// ReasonInvalidName.
func (g *Guard) Rename(ctx context.Context, userID, authenticator, name string) (err error) {
	if err := g.check(); err != nil {
		return err
	}
	e := edit{guard: g, op: opRename, user: userID}
	defer e.conclude(ctx, &err)
	id, err := readAuthenticatorID(authenticator)
	if err != nil {
		return err
	}
	if !validName(name) {
		return deny(ReasonInvalidName)
	}
	return e.run(ctx, func(a *account.Account, m account.Moment) error { return a.Rename(m, id, name) })
}

// Rename gives the device with that ID another name: 1 to [MaxName] bytes without
// control characters. It needs no proof, for the reasons of [Guard.Rename]. The event
// is [EventDeviceRenamed]. It returns a [Denied] of reason ReasonUnknownDevice or
// ReasonInvalidName.
func (d Devices) Rename(ctx context.Context, userID, device, name string) (err error) {
	if err := d.guard.check(); err != nil {
		return err
	}
	e := edit{guard: d.guard, op: opRenameDevice}
	defer e.conclude(ctx, &err)
	id, err := readDeviceID(device)
	if err != nil {
		return err
	}
	if !validName(name) {
		return deny(ReasonInvalidName)
	}
	e.user = userID
	return e.run(ctx, func(a *account.Account, m account.Moment) error { return a.RenameDevice(m, id, name) })
}

func validName(name string) bool { return name != "" && len(name) <= MaxName && typed.Printable(name) }

// readDeviceID reads the ID of a [Device]. An ID that can't be read belongs to none.
func readDeviceID(text string) (id account.DeviceID, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(id) {
		return id, deny(ReasonUnknownDevice)
	}
	return account.DeviceID(raw), nil
}
