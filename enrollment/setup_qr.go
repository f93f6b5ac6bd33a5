package enrollment

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/redact"
	"github.com/seed-1b6a03a1/twofactor/qr"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A Setup is what a user needs for putting a fresh secret into an
// authenticator app. For a hardware token it has nothing to show, see HardwareToken.
// It redacts itself, and hides the secret also inside other values. It is safe for
// concurrent use.
type Setup struct {
	redacted

	// Token stands for the setup. Put it into the form with the code field, and
	// hand it to Confirm or Resume. It works only together with the user's id. It
	// can also be kept in the session, which lets the user reload the page. But
	// an attacker who steals that session while the setup is pending can then
	// read the secret unnoticed, and makes the codes of that authenticator from
	// then on. Until ten minutes after Expires, the token also shows the recovery
	// codes; see [Guard.SetupCodes].
	Token SetupToken

	// Expires is when the pending setup ends.
	Expires time.Time

	// HardwareToken says that a token is set up that has its secret already; see
	// BeginOptions.HardwareToken. Then URI is "", Secret is zero, and QR returns
	// [qr.ErrEmpty]. The page asks for the code that the token shows, which has
	// Params().Digits digits, and for nothing else.
	HardwareToken bool

	p redact.Value[setup]
}

type setup struct {
	secret totp.Secret
	params totp.Params
	uri    string
	codes  recovery.Codes
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
func (s Setup) Secret() totp.Secret { return s.get().secret }

// QR returns the URI as a QR code. For a Setup that a Guard returned, the error is
// nil, unless it is of a hardware token. Otherwise it is that of [qr.New].
func (s Setup) QR() (*qr.Code, error) { return qr.New(s.URI()) }

// Params returns the kind of code that the app has to make, for users who type
// the secret in, or that the hardware token makes.
func (s Setup) Params() totp.Params { return s.get().params.WithDefaults() }

// Codes returns the recovery codes that become valid when the setup is
// confirmed: the very ones that Confirm returns. There are none (Len is 0)
// without Config.CodesAtSetup, where the account has unspent recovery codes
// already, and where it has made too many sets today.
func (s Setup) Codes() recovery.Codes { return s.get().codes }

// uriOf returns the URI that the QR code of a setup shows.
func uriOf(s *account.Setup) (string, error) {
	uri, err := s.Authenticator.Key.URI(s.Label)
	if err != nil {
		return "", fmt.Errorf("enrollment: making the URI: %w", err)
	}
	return uri, nil
}

// setupOf returns the public view of a setup, whose token has what t has besides. It has
// no secret of a hardware token.
func (g *Guard) setupOf(ctx context.Context, s *account.Setup, t setupToken) (Setup, error) {
	show := setup{params: s.Authenticator.Key.Params(), codes: s.Codes}
	if !s.Authenticator.Hardware {
		uri, err := uriOf(s)
		if err != nil {
			return Setup{}, err
		}
		show.uri, show.secret = uri, s.Authenticator.Key.Secret()
	}
	t.id, t.expires = s.ID, s.Expires
	token, err := g.sealSetup(ctx, labelSetup, t)
	if err != nil {
		return Setup{}, err
	}
	return Setup{
		Token:   token,
		Expires: s.Expires,
		p:       redact.Of(show),

		HardwareToken: s.Authenticator.Hardware,
	}, nil
}

// label returns what the app shows for a setup. A name that a person has chosen is
// never an error: the person could not set up an authenticator at all. The image is
// the application's, and an invalid one is an error.
//
// Without an account that can be seen, the user's id names the entry. A fixed text
// would give all these users one label, and an app that keeps one entry for each
// label would replace the secret of the one by that of the other.
func (g *Guard) label(userID string, o BeginOptions) (totp.Label, error) {
	var l totp.Label
	for _, text := range []string{o.Account, userID, hex.EncodeToString([]byte(userID))} {
		if l = (totp.Label{Issuer: o.Issuer, Account: text}).Fit(); l.Account != "" {
			break
		}
	}
	l.Issuer = cmp.Or(l.Issuer, g.config.Issuer)
	l.Image = o.Image
	if err := l.Validate(); err != nil {
		return totp.Label{}, fmt.Errorf("enrollment: BeginOptions: %w", err)
	}
	return l, nil
}

// fitQR leaves out the image of a setup if its URI gets too long for a QR code.
// Without an image it never does.
func fitQR(s *account.Setup) error {
	const number = len("%20%283%29") // which Account.Begin may add
	uri, err := uriOf(s)
	if err == nil && len(uri)+number > qr.MaxText {
		s.Label.Image = ""
	}
	return err
}
