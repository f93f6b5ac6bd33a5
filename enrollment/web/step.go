package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// SettingsPurpose is the purpose of the code that is asked for before a change of
// two-factor settings.
const SettingsPurpose enrollment.Purpose = "settings"

// RequireRecent returns middleware for something sensitive: it lets a request through
// if the signed-in user has given a code for this purpose within that time. Otherwise it
// leads to the page that asks for one, and back: after a GET to the same address, after
// another method to the page with the form, which the user sends again. A user without
// a second factor is led to the setup. A client that speaks JSON is answered with the
// reason, and sends the receipt of POST /step in the header Twofactor-Receipt.
//
// The middleware refuses what another site has sent, but for a GET, which a link sends
// from anywhere: change nothing in answer to one. It panics if the purpose is not 1 to 64
// printable bytes or is one of this library, and if within is not more than 0 and at most
// 24 hours. Call it while the application starts: only purposes that are known can be
// asked for.
func (p *Pages) RequireRecent(purpose enrollment.Purpose, within time.Duration) func(http.Handler) http.Handler {
	switch {
	case within <= 0 || within > 24*time.Hour:
		panic(fmt.Sprintf("web: RequireRecent within %v", within))
	case purpose == "" || len(purpose) > 64 || slices.ContainsFunc([]rune(purpose), func(r rune) bool { return r < ' ' || r == 0x7f }):
		panic("web: RequireRecent for an invalid purpose")
	case purpose == SettingsPurpose || purpose == enrollment.PurposeSignIn || purpose == enrollment.PurposeSetup:
		panic(fmt.Sprintf("web: RequireRecent for %q, which is the library's", string(purpose)))
	}
	p.mu.Lock()
	p.within[purpose] = max(p.within[purpose], within)
	p.mu.Unlock()
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := p.call(w, r)
			c.json = c.json || r.Header.Get(receiptHeader) != ""
			if c.recently(purpose, within) {
				next.ServeHTTP(w, r)
			}
		})
	}
}

// recently reports whether the user has given a code just now. Otherwise it answers
// the request.
func (c *call) recently(purpose enrollment.Purpose, within time.Duration) bool {
	if err := c.config.Origins.Check(c.r); err != nil {
		c.headers()
		c.refuse(http.StatusForbidden, "cross_origin")
		return false
	}
	if !c.member() {
		return false
	}
	_, err := c.guard.RecentlyVerified(c.r.Context(), c.user, purpose, c.receipt(purpose), within)
	if err == nil {
		return true
	}
	c.headers()
	if !errors.Is(err, enrollment.ErrProof) || c.json {
		c.fault(err)
		return false
	}
	after := c.here()
	if after == "" {
		after = c.config.Home
	}
	c.redirect(c.at("/step", "for", string(purpose), "return", after))
	return false
}

// life returns how long the receipt of a purpose is kept, and zero if there is no such
// purpose.
func (p *Pages) life(purpose enrollment.Purpose) time.Duration {
	if purpose == SettingsPurpose {
		return enrollment.ReceiptTTL
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.within[purpose]
}

func (c *call) showStep() {
	purpose := enrollment.Purpose(c.in.Purpose)
	if !c.member() {
		return
	}
	if c.life(purpose) == 0 {
		c.refuse(http.StatusNotFound, "not_found")
		return
	}
	status, err := c.guard.Status(c.r.Context(), c.user)
	switch {
	case err != nil:
		c.fault(err)
		return
	case !status.Enabled():
		c.redirect(c.onward("/setup/begin"))
		return
	}
	account, err := c.accountOf(c.user)
	if err != nil {
		c.fault(err)
		return
	}
	page := Page{
		Name: "step", Account: account, Title: c.text("step.title"), Action: c.at("/step"),
		Purpose: purpose, Return: localPath(c.in.Return), Status: &status, OnlyApp: c.in.With == onlyApp,
		Digits: digitsOfAll(status.Authenticators),
	}
	if len(status.Authenticators) > 0 {
		page.Factors = append(page.Factors, enrollment.FactorTOTP)
	}
	if status.Address != nil && purpose != SettingsPurpose {
		page.Factors = append(page.Factors, enrollment.FactorDelivered)
		page.Sent = c.sent(cookieStep)
	}
	if status.CodesLeft > 0 && !page.OnlyApp {
		page.Factors = append(page.Factors, enrollment.FactorRecovery)
	}
	if page.ByMessage = c.in.With == withText && page.Sent != nil; page.ByMessage {
		page.Digits = messageDigits
	}
	page.OfferThree = slices.ContainsFunc(status.Locks, func(l enrollment.Lock) bool { return l.Factor == enrollment.FactorTOTP })
	page.ThreeCodes = c.in.With == withThree && page.OfferThree
	c.show(page)
}

func (c *call) verify() {
	purpose := enrollment.Purpose(c.in.Purpose)
	life, challenge := c.life(purpose), c.stepChallenge()
	if c.replacedBefore(purpose, challenge) || !c.member() {
		return
	}
	if life == 0 {
		c.refuse(http.StatusNotFound, "not_found")
		return
	}
	page := c.at("/step", "for", string(purpose), "with", c.in.With, "return", localPath(c.in.Return))
	if c.in.With == onlyApp && c.isRecovery() {
		c.setNote(note{kind: noteFault, key: "only_app"})
		c.redirect(page)
		return
	}
	if challenge.IsZero() && c.handChallenge(purpose, page) {
		return
	}
	s, err := c.stepCode(purpose, challenge)
	if !challenge.IsZero() { // without one, a Success does not count it
		c.countWrong(c.user, err)
	}
	switch {
	case err == nil:
	case errors.Is(err, enrollment.ErrChallenge) && (c.replaced(purpose, challenge, c.back(c.at("/"))) || c.handChallenge(purpose, page)):
		return
	case errors.Is(err, enrollment.ReasonNotEnrolled) && !c.json:
		c.redirect(c.at("/"))
		return
	default:
		if errors.Is(err, enrollment.ErrChallenge) {
			c.dropCookies(cookieStep, cookieStepCode)
		}
		c.deny(err, page)
		return
	}
	c.dropCookies(cookieStep, cookieStepCode)
	session, ok := any(nil), true
	if s.Factor == enrollment.FactorRecovery { // which changes the stamp
		session, ok = c.start(SignedIn{UserID: c.user, Renewed: true, Stamp: s.Stamp})
	}
	if !ok {
		return
	}
	c.setReceipt(purpose, s.Receipt, life)
	next := c.back(c.at("/"))
	if !challenge.IsZero() { // without one, a Success tells of none
		next = c.tellWrong(s, next)
	}
	c.succeed(s, session, map[string]any{}, next)
}

// sendStep sends a code for a purpose of the application. A change of settings takes
// none.
func (c *call) sendStep() {
	purpose := enrollment.Purpose(c.in.Purpose)
	if c.life(purpose) == 0 || purpose == SettingsPurpose {
		c.refuse(http.StatusNotFound, "not_found")
		return
	}
	d, err := c.guard.SignIn(c.r.Context(), c.user, enrollment.SignInOptions{Purpose: purpose})
	if err != nil {
		c.fault(err)
		return
	}
	sent, err := c.guard.Messages().Send(c.r.Context(), purpose, d.Challenge)
	c.sentMessage(sent, err, cookieStep, "/step")
}
