package enrollment

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"golang.org/x/crypto/cryptobyte"
)

// Tokens are what a Guard hands to clients: sealed, opaque, and safe to keep
// in a cookie, a form field or a session.

const (
	// maxToken bounds the text of a token before anything is done with it.
	maxToken = 2048

	// tokenSalt is the length of the random bytes that give every token a
	// derived key of its own, so that no key ever seals two of them.
	tokenSalt = 16
)

// tokenText is how tokens are written.
var tokenText = base64.RawURLEncoding.Strict()

// errToken says that a text is no token of the kind. Callers turn it into a
// Denied.
var errToken = errors.New("enrollment: not a token of this kind")

// sealToken returns the payload as a token.
func (g *Guard) sealToken(ctx context.Context, label string, payload []byte) (token, error) {
	var salt [tokenSalt]byte
	if err := g.draw(salt[:]); err != nil {
		return token{}, err
	}
	scope := parts(label, g.config.Namespace, string(salt[:]))
	sealed, err := g.sealer.Seal(ctx, scope, parts(label, g.config.Namespace), payload)
	if err != nil {
		return token{}, fmt.Errorf("enrollment: sealing a token: %w", err)
	}
	return tokenOf(tokenText.EncodeToString(append(salt[:], sealed...))), nil
}

// openToken returns the payload of a token. It returns errToken for anything
// that was not sealed here under that label.
func (g *Guard) openToken(ctx context.Context, label string, from token) (cryptobyte.String, error) {
	text := from.Reveal()
	// Line breaks are passed over by the decoder; a token has one text.
	if len(text) > maxToken || strings.ContainsAny(text, "\r\n") {
		return nil, errToken
	}
	raw, err := tokenText.DecodeString(text)
	if err != nil || len(raw) < tokenSalt {
		return nil, errToken
	}
	scope := parts(label, g.config.Namespace, string(raw[:tokenSalt]))
	payload, err := g.sealer.Open(ctx, scope, parts(label, g.config.Namespace), raw[tokenSalt:])
	if errors.Is(err, keyring.ErrOpen) {
		return nil, errToken
	}
	if err != nil {
		return nil, fmt.Errorf("enrollment: opening a token: %w", err)
	}
	return payload, nil
}

// A challenge says that the first factor was right for this user, for this
// purpose, at this time.
type challenge struct {
	account.Challenge
	user    string
	purpose Purpose
	channel string // of the first factor, where the host named it
}

func (g *Guard) sealChallenge(ctx context.Context, c challenge) (Challenge, error) {
	b := append(c.ID[:], c.Epoch[:]...)
	b = appendTime(b, c.Issued)
	b = appendTime(b, c.Expires)
	b = appendText(b, c.user, string(c.purpose), c.channel)
	if c.Delivery != (account.DeliveryID{}) {
		b = append(b, c.Delivery[:]...)
	}
	sealed, err := g.sealToken(ctx, labelChallenge, b)
	return Challenge{sealed}, err
}

func (g *Guard) openChallenge(ctx context.Context, from Challenge) (c challenge, err error) {
	in, err := g.openToken(ctx, labelChallenge, from.token)
	if err != nil {
		return c, err
	}
	var purpose string
	if !in.CopyBytes(c.ID[:]) || !in.CopyBytes(c.Epoch[:]) || !readTime(&in, &c.Issued) || !readTime(&in, &c.Expires) ||
		!readText(&in, &c.user, &purpose, &c.channel) {
		return c, errToken
	}
	if !in.Empty() && (!in.CopyBytes(c.Delivery[:]) || !in.Empty()) {
		return c, errToken
	}
	c.purpose = Purpose(purpose)
	return c, nil
}

// A receipt says that this user answered with this factor at this time.
type receipt struct {
	account.Receipt
	user    string
	purpose Purpose
}

func (g *Guard) sealReceipt(ctx context.Context, r receipt) (Receipt, error) {
	b := appendTime(r.Epoch[:], r.At)
	b = append(b, byte(r.Factor))
	b = appendText(b, r.user, string(r.purpose))
	sealed, err := g.sealToken(ctx, labelReceipt, b)
	return Receipt{sealed}, err
}

func (g *Guard) openReceipt(ctx context.Context, from Receipt) (r receipt, err error) {
	in, err := g.openToken(ctx, labelReceipt, from.token)
	if err != nil {
		return r, err
	}
	var purpose string
	if !in.CopyBytes(r.Epoch[:]) || !readTime(&in, &r.At) || !in.ReadUint8((*uint8)(&r.Factor)) ||
		!readText(&in, &r.user, &purpose) || !in.Empty() {
		return r, errToken
	}
	r.purpose = Purpose(purpose)
	return r, nil
}

// A setupToken lets whoever began a setup, of an app or of an address, see it
// again and confirm it.
type setupToken struct {
	id      account.SetupID
	expires time.Time
	user    string
}

func (g *Guard) sealSetup(ctx context.Context, label string, s setupToken) (SetupToken, error) {
	b := appendTime(s.id[:], s.expires)
	sealed, err := g.sealToken(ctx, label, appendText(b, s.user))
	return SetupToken{sealed}, err
}

func (g *Guard) openSetup(ctx context.Context, label string, from SetupToken) (s setupToken, err error) {
	in, err := g.openToken(ctx, label, from.token)
	if err != nil {
		return s, err
	}
	if !in.CopyBytes(s.id[:]) || !readTime(&in, &s.expires) || !readText(&in, &s.user) || !in.Empty() {
		return s, errToken
	}
	return s, nil
}

func appendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(t.UnixMicro()))
}

func readTime(in *cryptobyte.String, t *time.Time) bool {
	var v uint64
	ok := in.ReadUint64(&v)
	*t = time.UnixMicro(int64(v)).UTC()
	return ok
}

// appendText appends texts of at most 255 bytes, each behind its length.
func appendText(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = append(b, byte(len(s)))
		b = append(b, s...)
	}
	return b
}

func readText(in *cryptobyte.String, texts ...*string) bool {
	for _, s := range texts {
		var v cryptobyte.String
		if !in.ReadUint8LengthPrefixed(&v) {
			return false
		}
		*s = string(v)
	}
	return true
}
