package enrollment

import (
	"context"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// MaxName is the length of the longest name of an authenticator or a device in bytes:
// 64.
const MaxName = 64

// The limit is that of the accounts themselves.
var _ = [1]struct{}{}[MaxName-account.MaxName]

// BeginOptions are what [Guard.Begin] needs beyond the user.
type BeginOptions struct {
	// Account is what the authenticator app shows beside the issuer, usually
	// the user's e-mail address or login. Any text is accepted: [totp.Label.Fit]
	// replaces what an app can't show, such as colons, and cuts what is longer than
	// [totp.MaxAccount]. Defaults to the user's id, also if nothing in the text can
	// be seen, so that the entries of two users differ in an app.
	//
	// If the user has an authenticator already, the app shows a number behind
	// it, for example "alice@example.com (2)": many apps replace an entry that
	// has the same name, and with it the secret that still works. A text that
	// would get too long is cut at its end.
	Account string

	// Issuer replaces Config.Issuer for this setup, for applications that serve several
	// brands. Any text is accepted, like Account, and cut at [totp.MaxIssuer]. Defaults to
	// Config.Issuer, also if nothing in the text can be seen.
	Issuer string

	// Image is the https URL of a logo that some apps show. They fetch it, so
	// its server learns of the setup. It is left out if the QR code has no room for
	// it, which takes hundreds of bytes. Defaults to none.
	Image string

	// Name is how the user tells this authenticator from others, for example
	// "work phone": at most [MaxName] bytes without control characters. Begin
	// denies other names as ReasonInvalidName. Defaults to the name of the
	// authenticator that is replaced, or else to "Authenticator".
	Name string

	// Replace is the ID (see [Status]) of the authenticator that the new one
	// replaces when it is confirmed. The old one works until then. Defaults to "":
	// the new one is added.
	Replace string

	// HardwareToken is the key of a token whose secret can't be changed, as the
	// vendor's seed file has it. It becomes the authenticator, with its kind of code,
	// and no secret is drawn. Find it by the serial number that the user types in, and
	// only among the tokens that were given to this user. The setup shows nothing; see
	// Setup.HardwareToken. Account, Issuer and Image have no effect.
	//
	// A wrong code counts like one at a sign-in, because the user who confirms has not
	// seen the secret. For the same reason Confirm does not say how wrong the clock of
	// the token is.
	//
	// Begin denies a token that the account already has as ReasonDuplicateSecret. It
	// can't know whether another user has it: keep the serial number with the user. It
	// denies a secret of fewer than 128 bits as ReasonShortSecret, unless
	// Config.ShortSecretsUntil lies ahead. Defaults to the zero Key: a secret is drawn.
	HardwareToken totp.Key

	// Ticket is what an administrator gave the user, if [ResetOptions] asked for
	// one. Defaults to none.
	Ticket Ticket

	// Proof authorises the setup. The first one takes [ByEnrollToken] if a sign-in
	// demands it, or else [ByReauth], or nothing with Config.UnprovenSetup. Once
	// two-factor authentication is on, it takes [ByCode] or [ByReceipt].
	Proof Proof
}

// Begin draws a fresh secret for an authenticator and returns what the user
// needs to put it into an app. With BeginOptions.HardwareToken it sets up a token
// that has its secret. Signing in does not change until Confirm. A new setup
// supersedes a pending one.
//
// BeginOptions.Proof is required. If two-factor authentication is on already, the
// new authenticator is staged beside the working ones. A change of factor before
// Confirm ends the setup; using a recovery code is such a change.
//
// It returns a [Denied] that matches [ErrProof] or is one of [Guard.Verify], or one of
// reason ReasonTicketRequired or ReasonTicketInvalid; ReasonUnknownAuthenticator,
// ReasonTooManyAuthenticators or ReasonInvalidName; ReasonDuplicateSecret if the
// account has the hardware token, or if the source of randomness repeats itself; or
// ReasonShortSecret. Other options outside their bounds are errors that name the field.
func (g *Guard) Begin(ctx context.Context, userID string, o BeginOptions) (_ Setup, err error) {
	if err := g.check(); err != nil {
		return Setup{}, err
	}
	e := edit{guard: g, op: opBegin, user: userID}
	defer e.conclude(ctx, &err)
	if err := validUser(userID); err != nil {
		return Setup{}, err
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
	s, err := g.newSetup(userID, replaces, o)
	if err != nil {
		return Setup{}, err
	}
	from, err := g.newSeed()
	if err != nil {
		return Setup{}, err
	}
	if g.config.CodesAtSetup {
		draw := g.drawFrom(from, labelSetup, userID, s.ID)
		if s.Codes, err = draw(g.config.RecoveryCodes, g.config.RecoveryScheme); err != nil {
			return Setup{}, err
		}
	}

	return issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[Setup], error) {
		s := s
		s.Expires = m.Now.Add(g.config.SetupTTL)
		err := a.Begin(m, s, ticket, proof)
		t := setupToken{user: userID, seed: from, mandate: e.mandate}
		return func(ctx context.Context) (Setup, error) { return g.setupOf(ctx, a.Setup(), t) }, err
	})
}

// newSetup draws what a setup is made of, but for the secret of a hardware token.
func (g *Guard) newSetup(userID string, replaces account.AuthenticatorID, o BeginOptions) (account.Setup, error) {
	s := account.Setup{
		Replaces:      replaces,
		Authenticator: account.Authenticator{Key: o.HardwareToken, Name: o.Name, Hardware: !o.HardwareToken.IsZero()},
	}
	if !s.Authenticator.Hardware {
		label, err := g.label(userID, o)
		if err != nil {
			return account.Setup{}, err
		}
		secret, err := totp.Generate(g.random, g.config.Params.Algorithm)
		if err != nil {
			return account.Setup{}, fmt.Errorf("enrollment: drawing a secret: %w", err)
		}
		key, err := totp.NewKey(secret, g.config.Params)
		if err != nil {
			return account.Setup{}, fmt.Errorf("enrollment: Config.Params: %w", err)
		}
		s.Label, s.Authenticator.Key = label, key
		if err := fitQR(&s); err != nil {
			return account.Setup{}, err
		}
	}
	if err := g.draw(s.ID[:], s.Authenticator.ID[:]); err != nil {
		return account.Setup{}, err
	}
	return s, nil
}

// Resume returns the pending setup once more, for a page that is reloaded. It changes
// nothing.
//
// It returns a [Denied] that matches [ErrSetup], or one of reason
// ReasonAlreadyConfirmed.
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
		return Setup{}, outward(t.outcome(err))
	}
	return g.setupOf(ctx, s, t)
}

// Confirmed is the result of [Guard.Confirm] and [Messages.Confirm].
//
// A Confirmed with recovery codes can't be encoded as JSON, so that codes are not sent
// by accident. An application that sends them says so:
//
//	json.NewEncoder(w).Encode(struct {
//		enrollment.Confirmed
//		Codes []string `json:"codes"`
//	}{done, done.Codes.Reveal()})
type Confirmed struct {
	// Success says that the user has just answered with a code. If the setup began with
	// [ByEnrollToken], and its token is at most EnrollConfirmTTL old, its Purpose is that
	// of the SignIn that has demanded the setup, and stands for both steps. Start a session
	// only if it is PurposeSignIn: after a password reset, for example, it is another one.
	// Otherwise it is PurposeSetup, and signs nobody in.
	Success Success `json:"success"`

	// Event is what has changed: EventEnabled, EventAuthenticatorAdded,
	// EventAuthenticatorReplaced or EventAddressBound.
	Event EventKind `json:"event"`

	// Codes are the recovery codes, to be shown once. If the setup has shown codes,
	// they are the same. They are empty (Len is 0) if the account already had
	// unspent codes, which stay valid.
	Codes recovery.Codes `json:"codes,omitzero"`
}

// Confirm turns the setup into a working authenticator if the code is a current
// code of it. It switches two-factor authentication on if it was off. The code is
// used up: the next sign-in takes the next one.
//
// If the account has no unspent recovery codes, Confirm makes a set. With the
// scheme Argon2id that takes a derivation for each code, about 0.2 to 0.4 seconds of a
// processor for ten. Once it has begun to make them, Confirm finishes even if ctx
// ends. The same request again, for example a second click, is denied as
// ReasonAlreadyConfirmed: show the codes with [Guard.SetupCodes] then.
//
// It returns a [Denied] that matches [ErrSetup], [ErrWrongCode] or [ErrLocked], or one
// of reason ReasonAlreadyConfirmed, ReasonTooManyAuthenticators or
// ReasonTooManyCodeSets. Wrong codes count for the setup alone. Six digits are
// evaluated, and count, even if Config.Params asks for more: see ReasonParamsIgnored.
// With a hardware token, wrong codes count like those of Answer, and a code that was
// used with it before is ReasonReplayed.
func (g *Guard) Confirm(ctx context.Context, userID string, token SetupToken, code string) (_ Confirmed, err error) {
	if err := g.check(); err != nil {
		return Confirmed{}, err
	}
	e := edit{guard: g, op: opConfirm}
	defer e.conclude(ctx, &err)
	t, err := g.readSetupToken(ctx, labelSetup, userID, token)
	if err != nil {
		return Confirmed{}, err
	}
	digits, _, ok := readDigits(code)
	if !ok {
		return Confirmed{}, deny(ReasonMalformedCode)
	}
	e.user, e.via = userID, account.TOTP
	e.draw = g.drawFrom(t.seed, labelSetup, userID, t.id)
	return issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[Confirmed], error) {
		done, err := a.Confirm(m, t.id, digits)
		if err != nil {
			return nil, t.outcome(err)
		}
		return g.confirmed(t, a, m, done)
	})
}

// confirmed returns what has come of a confirmation with that token, whose receipt is
// yet to be sealed.
func (g *Guard) confirmed(t setupToken, a *account.Account, m account.Moment, from account.Confirmation) (sealing[Confirmed], error) {
	purpose := t.purpose(m)
	if purpose == PurposeSignIn {
		a.Complete(m, from.Match.Factor)
	}
	success, err := g.success(challenge{user: t.user}, a, purpose, from.Match, m)
	if err != nil {
		return nil, err
	}
	done := Confirmed{Event: eventKinds[from.Event]}
	if from.NewCodes {
		done.Codes = m.Prepared.Set.Codes
	}
	return func(ctx context.Context) (_ Confirmed, err error) {
		done.Success, err = success(ctx)
		return done, err
	}, nil
}

// Cancel drops the pending setup, even if another session of the user began it.
// Working authenticators stay. It returns a [Denied] of reason ReasonNoSetup if no
// setup is pending.
func (g *Guard) Cancel(ctx context.Context, userID string) (err error) {
	if err := g.check(); err != nil {
		return err
	}
	e := edit{guard: g, op: opCancel, user: userID}
	defer e.conclude(ctx, &err)
	return e.run(ctx, func(a *account.Account, _ account.Moment) error { return a.Cancel() })
}
