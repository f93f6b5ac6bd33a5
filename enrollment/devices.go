package enrollment

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// deviceToken is the length of a device's token in bytes.
const deviceToken = 32

// Devices lets browsers and installations sign in without a code for a while, after
// a right code was given there. It is made by [Guard.Devices], and safe for
// concurrent use.
//
// Trust weakens the second factor: while it lasts, an attacker with the device's
// token needs only the password. Trust ends with every change of factor, with the
// use of a recovery code (see [EventDevicesForgotten]), and after Config.DeviceTTL;
// using the device does not extend it. It replaces the code at a sign-in,
// and proves nothing anywhere else.
type Devices struct {
	guard *Guard
}

// Devices returns the Devices of the Guard.
func (g *Guard) Devices() Devices { return Devices{g} }

// A Device is a trusted device, without its token.
type Device struct {
	// ID identifies the device within the account, for Revoke.
	ID string `json:"id"`

	// Name is what the application called the device, for example "Firefox (Linux)".
	Name string `json:"name"`

	// Added is when the trust began, and Expires when it ends.
	Added   time.Time `json:"added"`
	Expires time.Time `json:"expires"`

	// Used is when the device last signed in, or the zero time if it never did.
	Used time.Time `json:"used,omitzero"`
}

// A TrustedDevice is the result of [Devices.Trust].
type TrustedDevice struct {
	// Token goes into a cookie of that browser only, HttpOnly and Secure. The application
	// passes it from there in SignInOptions.Device. Anybody who has it needs no code.
	Token DeviceToken `json:"token,omitzero"`

	// Device is the device as List shows it.
	Device Device `json:"device"`
}

// Trust makes the device that has just answered with a code a trusted one. The
// receipt is the one of that answer (see [Success]), of any purpose and at most
// [ReceiptTTL] old. The receipt of a delivered code or of a recovery code works as
// well. If there are Config.MaxDevices already, the oldest is no longer trusted,
// without an event. The name is at most [MaxName] bytes; it defaults to "Device".
//
// It returns a [Denied] of reason ReasonNotEnrolled, ReasonTrustNotAllowed or
// ReasonInvalidName, or one that matches [ErrProof].
func (d Devices) Trust(ctx context.Context, userID string, receipt Receipt, name string) (_ TrustedDevice, err error) {
	if err := d.guard.check(); err != nil {
		return TrustedDevice{}, err
	}
	e := edit{guard: d.guard, op: opTrustDevice}
	defer e.conclude(ctx, &err)
	g := d.guard
	if len(name) > MaxName || !typed.Printable(name) {
		return TrustedDevice{}, deny(ReasonInvalidName)
	}
	if name == "" {
		name = "Device"
	}
	r, err := g.openReceipt(ctx, receipt)
	switch {
	case errors.Is(err, errToken), err == nil && r.user != userID:
		return TrustedDevice{}, deny(ReasonProofInvalid)
	case err != nil:
		return TrustedDevice{}, err
	}
	var raw [deviceToken]byte
	x := account.Device{Name: name}
	if err := g.draw(raw[:], x.ID[:]); err != nil {
		return TrustedDevice{}, err
	}
	token := DeviceTokenOf(base64.RawURLEncoding.EncodeToString(raw[:]))
	x.Hash = g.deviceHash(userID, token)
	e.user = userID
	return run(ctx, &e, func(a *account.Account, m account.Moment) (TrustedDevice, error) {
		trusted, err := a.Trust(m, x, r.Receipt)
		return TrustedDevice{Token: token, Device: deviceOf(trusted)}, err
	})
}

// List returns the trusted devices of the user, oldest first. It writes nothing.
func (d Devices) List(ctx context.Context, userID string) ([]Device, error) {
	if err := d.guard.check(); err != nil {
		return nil, err
	}
	m, a, err := d.guard.peek(ctx, userID)
	if err != nil {
		return nil, err
	}
	devices, err := a.Devices(m.Now)
	if err != nil {
		return nil, outward(err)
	}
	var list []Device
	for _, x := range devices {
		list = append(list, deviceOf(x))
	}
	return list, nil
}

// Revoke ends the trust in the device with that ID. It needs no proof. It returns a
// [Denied] of reason ReasonUnknownDevice.
func (d Devices) Revoke(ctx context.Context, userID, device string) (err error) {
	if err := d.guard.check(); err != nil {
		return err
	}
	e := edit{guard: d.guard, op: opRevokeDevice}
	defer e.conclude(ctx, &err)
	id, err := readDeviceID(device)
	if err != nil {
		return err
	}
	e.user = userID
	return e.run(ctx, func(a *account.Account, m account.Moment) error { return a.Revoke(m, id) })
}

// RevokeAll ends the trust in every device. If there is none, it returns nil.
func (d Devices) RevokeAll(ctx context.Context, userID string) (err error) {
	if err := d.guard.check(); err != nil {
		return err
	}
	e := edit{guard: d.guard, op: opRevokeDevices, user: userID}
	defer e.conclude(ctx, &err)
	return e.run(ctx, func(a *account.Account, m account.Moment) error { return a.RevokeAll(m) })
}

func deviceOf(x account.Device) Device {
	return Device{ID: hex.EncodeToString(x.ID[:]), Name: x.Name, Added: x.Added, Expires: x.Expires, Used: x.Used}
}

// deviceHash returns what the account keeps of a token. It returns the zero
// DeviceHash if the text can't be a token.
func (g *Guard) deviceHash(userID string, token DeviceToken) account.DeviceHash {
	text := token.Reveal()
	if len(text) != base64.RawURLEncoding.EncodedLen(deviceToken) {
		return account.DeviceHash{}
	}
	return sha256.Sum256(parts(labelDevice, g.config.Namespace, userID, text))
}

// A DeviceToken lets the browser or installation that has it sign in without a
// code; see [Devices]. Keep it in a cookie of that browser only, HttpOnly and
// Secure. A DeviceToken is encoded and printed like a [Challenge].
type DeviceToken struct{ token }

// DeviceTokenOf returns the DeviceToken with that text, for example from a cookie.
// The text is checked only when the DeviceToken is used.
func DeviceTokenOf(text string) DeviceToken { return DeviceToken{tokenOf(text)} }

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

// readDeviceID reads the ID of a [Device]. An ID that can't be read belongs to none.
func readDeviceID(text string) (id account.DeviceID, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(id) {
		return id, deny(ReasonUnknownDevice)
	}
	return account.DeviceID(raw), nil
}
