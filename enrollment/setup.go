package enrollment

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/redact"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
	"github.com/seed-1b6a03a1/twofactor/qr"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

const (
	// MaxAuthenticators is how many authenticators an account has at most.
	MaxAuthenticators = 3

	// MaxName is the length of the longest name of an authenticator in bytes.
	MaxName = 64
)

// The limits are those of the accounts themselves.
var (
	_ = [1]struct{}{}[MaxAuthenticators-account.MaxAuthenticators]
	_ = [1]struct{}{}[MaxName-account.MaxName]
)

// BeginOptions are what [Guard.Begin] needs beyond the user.
type BeginOptions struct {
	// Account is what the authenticator app shows beside the issuer, usually
	// the user's e-mail address or login: 1 to [totp.MaxAccount] bytes,
	// without a colon. It is required.
	//
	// If the user has an authenticator already, the app shows a number behind
	// it, for example "alice@example.com (2)": many apps replace an entry that
	// has the same name, and with it the secret that still works. A text that
	// would get too long loses its end.
	Account string

	// Issuer takes the place of Config.Issuer for this setup, for hosts that
	// serve several brands. Defaults to Config.Issuer.
	Issuer string

	// Image is the https URL of a logo that some apps show. They fetch it, so
	// its server learns of the setup. Defaults to none.
	Image string

	// Name is how the user tells this authenticator from others, for example
	// "work phone": at most [MaxName] bytes without control characters, or
	// Begin denies it as ReasonInvalidName. Defaults to the name of the authenticator
	// that is replaced, or else to "Authenticator".
	Name string

	// Replace is the ID (see [Status]) of the authenticator that the new one
	// takes the place of once it is confirmed. Until then the old one goes on
	// working. If it is gone by then, the new one is added. Defaults to "": the
	// new one is added.
	Replace string

	// Ticket is what the user was given by an administrator, where
	// [ResetOptions] asked for one. Defaults to none.
	Ticket Ticket

	// Proof authorises the setup where two-factor authentication is on
	// already: [ByCode] or [ByReceipt]. It is not looked at otherwise.
	Proof Proof
}

// A Setup is what a user needs for putting a fresh secret into an
// authenticator app. It redacts itself, and hides the secret also inside other
// values. It is safe for concurrent use.
type Setup struct {
	redacted

	// Token stands for the setup: put it into the form with the code field, and
	// hand it to Confirm or Resume. It is of use only together with the user's
	// id. In the session it does as well, and lets the user reload the page; but
	// then whoever steals the session while the setup waits can call up the
	// secret, unnoticed, and has the codes of that authenticator from then on.
	Token SetupToken

	// Expires is when the setup ends, as if it had never been.
	Expires time.Time

	p redact.Value[setup]
}

type setup struct {
	key   totp.Key
	uri   string
	codes recovery.Codes
}

// get returns what s holds, or nothing for the zero Setup.
func (s Setup) get() setup {
	if s.p.IsZero() {
		return setup{}
	}
	return *s.p.Get()
}

// URI returns the otpauth URI that the QR code shows, for a link that opens an
// app on the same device. It contains the secret.
//
// A template of html/template prints "#ZgotmplZ" in its place, because it does
// not know the scheme. Hand it over as a [html/template.URL], which is safe: the
// URI begins with otpauth, and what the user chose is escaped in it.
//
//	page.Execute(w, map[string]any{"Link": template.URL(setup.URI())})
func (s Setup) URI() string { return s.get().uri }

// Secret returns the secret, for users who can't scan the QR code. Its method
// Grouped returns the text to type, and Base32 the text to copy: some apps refuse
// a pasted text with spaces. The zero Setup has the zero Secret.
func (s Setup) Secret() totp.Secret { return s.get().key.Secret() }

// QR returns the URI as a QR code. For a Setup that a Guard returned, the error is
// nil. Otherwise it is that of [qr.New].
func (s Setup) QR() (*qr.Code, error) { return qr.New(s.URI()) }

// Params returns the kind of code that the app has to make, for users who type
// the secret in.
func (s Setup) Params() totp.Params { return s.get().key.Params() }

// Codes returns the recovery codes that become valid when the setup is
// confirmed: the very ones that Confirm returns. There are none (Len is 0)
// without Config.CodesAtSetup, where the account has unspent recovery codes
// already, and where it has made too many sets today.
func (s Setup) Codes() recovery.Codes { return s.get().codes }

// Begin draws a fresh secret for an authenticator and returns what the user
// needs to take it over. Nothing about signing in changes until Confirm. An
// earlier setup that still waits is superseded.
//
// Where two-factor authentication is on already, the new authenticator is
// staged beside the working ones, and BeginOptions.Proof is required. A change of
// factor before Confirm, the use of a recovery code included, voids the setup.
//
// It returns a [Denied] of reason ReasonProofRequired, ReasonProofInvalid, ReasonProofStale,
// ReasonProofNotAllowed or whatever evaluating a code denies; ReasonTicketRequired or
// ReasonTicketInvalid; ReasonNotEnrolled if there is nothing to replace;
// ReasonUnknownAuthenticator, ReasonTooManyAuthenticators, ReasonInvalidName, or, with a source of
// randomness that repeats itself, ReasonDuplicateSecret. Other options outside their
// bounds are errors that name the field.
func (g *Guard) Begin(ctx context.Context, userID string, o BeginOptions) (_ Setup, err error) {
	if err := g.check(); err != nil {
		return Setup{}, err
	}
	e := edit{guard: g, op: opBegin, user: userID}
	defer e.conclude(ctx, &err)
	label := totp.Label{Issuer: o.Issuer, Account: o.Account, Image: o.Image}
	if label.Issuer == "" {
		label.Issuer = g.config.Issuer
	}
	if err := label.Validate(); err != nil {
		return Setup{}, fmt.Errorf("enrollment: BeginOptions: %w", err)
	}
	if len(o.Name) > MaxName || !typed.Printable(o.Name) {
		return Setup{}, deny(ReasonInvalidName)
	}
	var replaces account.AuthenticatorID
	if o.Replace != "" {
		var err error
		if replaces, err = readAuthenticatorID(o.Replace); err != nil {
			return Setup{}, err
		}
	}
	ticket := g.ticketHash(userID, o.Ticket)
	proof, err := e.readProof(ctx, o.Proof)
	if err != nil {
		return Setup{}, err
	}
	s, err := g.newSetup(label, o.Name, replaces)
	if err != nil {
		return Setup{}, err
	}
	if _, err := uriOf(&s); err != nil {
		return Setup{}, err
	}

	if g.config.CodesAtSetup {
		s.Codes, err = recovery.Generate(g.random, g.config.RecoveryCodes, g.config.RecoveryScheme)
		if err != nil {
			return Setup{}, fmt.Errorf("enrollment: making recovery codes: %w", err)
		}
	}

	return issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[Setup], error) {
		s := s
		s.Expires = m.Now.Add(g.config.SetupTTL)
		err := a.Begin(m, s, ticket, proof)
		return func(ctx context.Context) (Setup, error) { return g.setupOf(ctx, userID, a.Setup()) }, err
	})
}

// newSetup draws what a setup is made of.
func (g *Guard) newSetup(label totp.Label, name string, replaces account.AuthenticatorID) (account.Setup, error) {
	secret, err := totp.Generate(g.random)
	if err != nil {
		return account.Setup{}, fmt.Errorf("enrollment: drawing a secret: %w", err)
	}
	key, err := totp.NewKey(secret, g.config.Params)
	if err != nil {
		return account.Setup{}, fmt.Errorf("enrollment: Config.Params: %w", err)
	}
	s := account.Setup{
		Label:         label,
		Replaces:      replaces,
		Authenticator: account.Authenticator{Key: key, Name: name},
	}
	if err := g.draw(s.ID[:], s.Authenticator.ID[:]); err != nil {
		return account.Setup{}, err
	}
	return s, nil
}

// uriOf returns the URI that the QR code of a setup shows.
func uriOf(s *account.Setup) (string, error) {
	uri, err := s.Authenticator.Key.URI(s.Label)
	if err != nil {
		return "", fmt.Errorf("enrollment: making the URI: %w", err)
	}
	if len(uri) > qr.MaxText {
		return "", errors.New("enrollment: BeginOptions: issuer, account and image are too long for a QR code")
	}
	return uri, nil
}

// setupOf returns the public view of a setup.
func (g *Guard) setupOf(ctx context.Context, userID string, s *account.Setup) (Setup, error) {
	uri, err := uriOf(s)
	if err != nil {
		return Setup{}, err
	}
	token, err := g.sealSetup(ctx, labelSetup, setupToken{id: s.ID, expires: s.Expires, user: userID})
	if err != nil {
		return Setup{}, err
	}
	return Setup{
		Token:   token,
		Expires: s.Expires,
		p:       redact.Of(setup{key: s.Authenticator.Key, uri: uri, codes: s.Codes}),
	}, nil
}

// readSetupToken opens the token of a setup of this user.
func (g *Guard) readSetupToken(ctx context.Context, label, userID string, token SetupToken) (setupToken, error) {
	s, err := g.openSetup(ctx, label, token)
	switch {
	case errors.Is(err, errToken), err == nil && s.user != userID:
		return s, deny(ReasonSetupInvalid)
	case err != nil:
		return s, err
	case !g.now().Before(s.expires):
		return s, deny(ReasonSetupExpired)
	}
	return s, nil
}

// Resume returns the setup that the token stands for once more, for a page
// that is loaded again. It changes nothing.
//
// It returns a [Denied] of reason ReasonSetupInvalid, ReasonSetupExpired, ReasonSetupSuperseded
// or ReasonNoSetup.
func (g *Guard) Resume(ctx context.Context, userID string, token SetupToken) (Setup, error) {
	if err := g.check(); err != nil {
		return Setup{}, err
	}
	t, err := g.readSetupToken(ctx, labelSetup, userID, token)
	if err != nil {
		return Setup{}, err
	}
	_, a, err := g.peek(ctx, userID)
	if err != nil {
		return Setup{}, err
	}
	s, err := a.FindSetup(t.id)
	if err != nil {
		return Setup{}, outward(err)
	}
	return g.setupOf(ctx, userID, s)
}

// Cancel drops the pending setup, also if another session of the user began it.
// Working authenticators are not touched. It returns a [Denied] of reason ReasonNoSetup if none waits.
func (g *Guard) Cancel(ctx context.Context, userID string) (err error) {
	if err := g.check(); err != nil {
		return err
	}
	e := edit{guard: g, op: opCancel, user: userID}
	defer e.conclude(ctx, &err)
	return e.run(ctx, func(a *account.Account, _ account.Moment) error { return a.Cancel() })
}

// readAuthenticatorID reads the ID of a Status. What is none can't be an
// authenticator of the account.
func readAuthenticatorID(text string) (id account.AuthenticatorID, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(id) {
		return id, deny(ReasonUnknownAuthenticator)
	}
	return account.AuthenticatorID(raw), nil
}

func formatAuthenticatorID(id account.AuthenticatorID) string { return hex.EncodeToString(id[:]) }
