package enrollment

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

const (
	// EnrollTTL is how long after SignIn a user may begin a setup with an EnrollToken:
	// 10 minutes.
	EnrollTTL = account.EnrollTTL

	// EnrollConfirmTTL is how long after SignIn the setup can be confirmed so that it
	// completes the sign-in: 30 minutes. [Guard.EnrollingUser] accepts the token until then:
	// give its cookie this lifetime.
	EnrollConfirmTTL = account.MandateTTL

	// MaxBrowser is the length of the longest name of a browser in bytes: 128.
	MaxBrowser = 128
)

// An EnrollToken says that the first factor of a user was right, and that the user must
// set up an authenticator before anything else. [Guard.SignIn] returns it with
// MustEnroll if there is no second factor. A [Replacement] has one for a user whose
// secret is too short. With [ByEnrollToken] it proves that setup, and no other
// change.
//
// It is good for [EnrollTTL], and until a factor is set up or changed. It can begin a
// setup several times. If the user has no account yet, the first setup makes the token
// that began it the only one that is good.
//
// Anybody who has the token can set up a phone for the account, without a code. An
// application with pages keeps it in a cookie (HttpOnly, Secure, SameSite=Lax), never in
// a form or an address, and binds it to the browser with SignInOptions.Browser. A client
// that speaks JSON gets it in the answer, and sends it in the body or a header.
//
// [Admin.Erase] leaves nothing behind that could void a token: one that was handed out to
// a user without an account is good for the rest of its time.
//
// An EnrollToken is encoded and printed like a [Challenge].
type EnrollToken struct{ token }

// EnrollTokenOf returns the EnrollToken with that text, from where the application
// has kept it. The text is checked only when the EnrollToken is used.
func EnrollTokenOf(text string) EnrollToken { return EnrollToken{tokenOf(text)} }

// An enrollToken is what an EnrollToken says.
type enrollToken struct {
	account.Enroll
	user    string
	purpose Purpose
	browser string // as the application named it; "" if it did not
}

// Fields of an enrollToken that say yes or no.
const (
	enrollUnstored = 1 << iota
	enrollReplace
)

func (g *Guard) sealEnroll(ctx context.Context, t enrollToken) (EnrollToken, error) {
	b := appendTime(t.Epoch[:], t.At)
	var flags byte
	if t.Unstored {
		flags |= enrollUnstored
	}
	if t.Replace {
		flags |= enrollReplace
	}
	b = appendText(append(b, flags), t.user, string(t.purpose), t.browser)
	sealed, err := g.sealToken(ctx, labelEnroll, b)
	return EnrollToken{sealed}, err
}

// openEnroll opens a token that was handed out to that browser. For any other it returns
// errToken.
func (g *Guard) openEnroll(ctx context.Context, from EnrollToken, browser string) (t enrollToken, err error) {
	in, err := g.openToken(ctx, labelEnroll, from.token)
	if err != nil {
		return t, err
	}
	var flags uint8
	var purpose string
	if !in.CopyBytes(t.Epoch[:]) || !readTime(&in, &t.At) || !in.ReadUint8(&flags) || flags&^(enrollUnstored|enrollReplace) != 0 ||
		!readText(&in, &t.user, &purpose, &t.browser) || !in.Empty() {
		return t, errToken
	}
	if subtle.ConstantTimeCompare([]byte(t.browser), []byte(browser)) != 1 {
		return t, errToken
	}
	t.Unstored, t.Replace = flags&enrollUnstored != 0, flags&enrollReplace != 0
	t.purpose = Purpose(purpose)
	return t, nil
}

// mandate is what a setup completes that has begun with the token.
func (t enrollToken) mandate() account.Mandate {
	return account.Mandate{At: t.At, Purpose: string(t.purpose)}
}

// EnrollingUser returns the user to whom the token was handed. The browser is what was
// SignInOptions.Browser then. Pass the id to Begin with [ByEnrollToken], and then to
// Resume, Confirm or Cancel with the token of the setup: there is no session yet that
// could hold the id, and it must not come from a form. The user is not signed in: do
// nothing else for this user.
//
// EnrollingUser reads the token alone, and loads nothing. It accepts the token for
// [EnrollConfirmTTL]; Begin checks whether a setup may still begin with it.
//
// It returns a [Denied] of reason ReasonEnrollTokenInvalid.
func (g *Guard) EnrollingUser(ctx context.Context, token EnrollToken, browser string) (userID string, err error) {
	if err := g.check(); err != nil {
		return "", err
	}
	t, err := g.openEnroll(ctx, token, browser)
	switch {
	case errors.Is(err, errToken):
		return "", deny(ReasonEnrollTokenInvalid)
	case err != nil:
		return "", err
	case !t.mandate().Holds(account.Moment{Now: g.Now()}):
		return "", deny(ReasonEnrollTokenInvalid)
	}
	return t.user, nil
}

// validBrowser returns an error if the text can't name a browser.
func validBrowser(browser string) error {
	if len(browser) > MaxBrowser || !typed.Printable(browser) {
		return fmt.Errorf("enrollment: SignInOptions.Browser is not at most %d printable bytes", MaxBrowser)
	}
	return nil
}
