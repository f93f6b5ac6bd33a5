package web

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// The cookies. Those with tokens are as good as their tokens: each is sealed, names its
// user, and ends by itself.
const (
	cookieChallenge = "challenge" // a sign-in before its code, see waiting
	cookieMessage   = "message"   // the same, for the code that was sent
	cookieEnroll    = "enroll"    // a sign-in that waits for a setup, and the authenticator that this replaces
	cookieStep      = "step"      // a step-up, for the code that was sent
	cookieStepCode  = "step-code" // a step-up by a recovery code, and its user
	cookieSetup     = "setup"     // a pending setup, or one whose codes are to be shown; and its user, see ownerOf
	cookieAddress   = "address"   // the same for an address, and where the code was sent to
	cookieRenewal   = "renewal"   // a renewal whose codes are to be shown, and its user
	cookieNewCode   = "newcode"   // a challenge whose recovery code was replaced, its user, and the code that was typed
	cookieReceipt   = "receipt"   // a step-up that was passed; one for each purpose
	cookieDevice    = "device"    // a trusted device
	cookieWrong     = "wrong"     // the wrong codes that were told of; no token
	cookieNote      = "note"      // what the next page says; no token
)

// separator stands between the parts of a cookie. No part contains it.
const separator = "~"

// cookieName returns the name of a cookie as the browser has it. It ends with the path,
// unless that is the usual one, so that two Pages on one host do not share cookies.
func (p *Pages) cookieName(name string) string {
	name = "twofactor-" + name
	if p.config.Path != usualPath {
		name += url.QueryEscape(p.config.Path)
	}
	if p.config.Insecure {
		return name
	}
	return "__Host-" + name
}

// cookie returns the parts of a cookie, as many as asked for. A client that speaks JSON
// has none.
func (c *call) cookie(name string, parts int) []string {
	found := make([]string, parts)
	if c.json {
		return found
	}
	if cookie, err := c.r.Cookie(c.cookieName(name)); err == nil {
		copy(found, strings.SplitN(cookie.Value, separator, parts))
	}
	return found
}

// setCookie sets a cookie of those parts for the time, or for the life of the browser.
// It is sent when a provider of the first factor leads back here (SameSite=Lax).
func (c *call) setCookie(name string, life time.Duration, parts ...string) {
	if c.json {
		return
	}
	http.SetCookie(c.w, &http.Cookie{
		Name: c.cookieName(name), Value: strings.Join(parts, separator),
		Path: "/", MaxAge: int(life / time.Second), HttpOnly: true, Secure: !c.config.Insecure, SameSite: http.SameSiteLaxMode,
	})
}

// dropCookies deletes those cookies that the browser has.
func (c *call) dropCookies(names ...string) {
	for _, name := range names {
		if _, err := c.r.Cookie(c.cookieName(name)); err == nil && !c.json {
			http.SetCookie(c.w, &http.Cookie{
				Name: c.cookieName(name), Path: "/", MaxAge: -1, HttpOnly: true, Secure: !c.config.Insecure, SameSite: http.SameSiteLaxMode,
			})
		}
	}
}

// dropReceipts deletes all receipts. They belong to the session that ends.
func (c *call) dropReceipts() {
	c.dropCookies(receiptCookie(SettingsPurpose))
	c.mu.RLock()
	defer c.mu.RUnlock()
	for purpose := range c.within {
		c.dropCookies(receiptCookie(purpose))
	}
}

// receiptCookie returns the name of the cookie for the receipt of a purpose, whose
// letters a name may not have.
func receiptCookie(purpose enrollment.Purpose) string {
	sum := sha256.Sum256([]byte(purpose))
	return cookieReceipt + "-" + hex.EncodeToString(sum[:8])
}

// receiptHeader is where a client that speaks JSON sends a receipt.
const receiptHeader = "Twofactor-Receipt"

// receipt returns what the client has as a receipt for the purpose.
func (c *call) receipt(purpose enrollment.Purpose) enrollment.Receipt {
	if c.json {
		return enrollment.ReceiptOf(c.r.Header.Get(receiptHeader))
	}
	return enrollment.ReceiptOf(c.cookie(receiptCookie(purpose), 1)[0])
}

func (c *call) setReceipt(purpose enrollment.Purpose, receipt enrollment.Receipt, life time.Duration) {
	c.setCookie(receiptCookie(purpose), life, receipt.Reveal())
}

// packed makes a part of a cookie of any text.
func packed(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func unpacked(part string) string {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return ""
	}
	return string(text)
}
