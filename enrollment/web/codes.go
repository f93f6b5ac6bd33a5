package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Recovery codes are shown until the user says that they are saved. A browser that clicks
// twice drops the first answer, and with it the cookie of the new session, while the old
// session has ended. So the cookies of a setup and of a renewal name their user: a browser
// with such a token sees the codes that it has made without a session, and nothing else.
// Once they were shown in a session of the user, they are not shown without one any more:
// the next person at the browser has no session. The token ends ten minutes after what it
// was for. The button below the codes deletes it, and so does the sign-in of another user.
//
// With a code that replaces a used one, the challenge is the token, and it takes the used
// code as well.

// codeCookies are those whose tokens make recovery codes, the latest first.
var codeCookies = []string{cookieNewCode, cookieRenewal, cookieAddress, cookieSetup}

// shown stands before the user in a cookie whose codes were shown in a session.
const shown = "!"

// ownerOf returns the user that a part of a cookie names, and whether the codes were
// shown in a session.
func ownerOf(part string) (user string, wasShown bool) {
	part, wasShown = strings.CutPrefix(part, shown)
	return unpacked(part), wasShown
}

// again reports whether the codes of this token were made before, in a request whose
// answer the browser has not seen: nobody is signed in any more.
func (c *call) again(cookie, text string) bool {
	part := c.cookie(cookie, 3)
	owner, wasShown := ownerOf(part[1])
	if part[0] == "" || wasShown {
		return false
	}
	if user, err := c.who(); err != nil || user != "" {
		return false
	}
	if text != "" {
		part[0] = text
	}
	codes, err := c.codesOf(cookie, owner, part)
	if err != nil || codes.Len() == 0 {
		return false
	}
	c.setCookie(cookie, 0, part...)
	return true
}

// unseen reports whether the token in the cookie has made codes for the user that were not
// shown in a session yet. Where that can't be found out, they could be.
func (c *call) unseen(cookie string) bool {
	made, wasShown, err := c.made(cookie)
	return (made || err != nil) && !wasShown
}

// codesFirst leads to such codes, and then to the page. It reports whether it has answered
// the request.
func (c *call) codesFirst(page string, cookies ...string) bool {
	for _, cookie := range cookies {
		if _, wasShown := ownerOf(c.cookie(cookie, 3)[1]); wasShown {
			continue // without a derivation
		}
		made, _, err := c.made(cookie)
		switch {
		case err != nil:
			c.fault(err)
			return true
		case made:
			c.redirect(c.at("/codes", "return", page))
			return true
		}
	}
	return false
}

// made reports whether the token in the cookie has made codes for the user that are still
// good, and whether they were shown in a session.
func (c *call) made(cookie string) (made, wasShown bool, err error) {
	part := c.cookie(cookie, 3)
	owner, wasShown := ownerOf(part[1])
	if owner != c.user {
		return false, wasShown, nil
	}
	codes, err := c.codesOf(cookie, owner, part)
	if deniedIn(err) != nil {
		err = nil
	}
	return codes.Len() > 0, wasShown, err
}

// codesOf returns the codes that a token has made, from the parts of its cookie.
func (c *call) codesOf(cookie, user string, part []string) (recovery.Codes, error) {
	switch cookie {
	case cookieNewCode:
		return c.newCodeOf(user, part)
	case cookieRenewal:
		return c.guard.RenewalCodes(c.r.Context(), user, enrollment.RenewalTokenOf(part[0]))
	}
	return c.guard.SetupCodes(c.r.Context(), user, enrollment.SetupTokenOf(part[0]))
}

// madeCodes returns the codes to be shown once, their owner, and the cookie of their token,
// which is "" if there are none. After a fault, which it answers, ok is false.
func (c *call) madeCodes() (codes recovery.Codes, owner, cookie string, ok bool) {
	user, err := c.who()
	if err != nil {
		c.fault(err)
		return recovery.Codes{}, "", "", false
	}
	for _, cookie := range codeCookies {
		part := c.cookie(cookie, 3)
		owner, wasShown := ownerOf(part[1])
		if part[0] == "" || user != "" && user != owner || user == "" && wasShown {
			continue
		}
		codes, err := c.codesOf(cookie, owner, part)
		switch {
		case err == nil && codes.Len() > 0:
			if user != "" && !wasShown {
				part[1] = shown + part[1]
				c.setCookie(cookie, 0, part...)
			}
			return codes, owner, cookie, true
		case err != nil && deniedIn(err) == nil:
			c.fault(err)
			return recovery.Codes{}, "", "", false
		}
	}
	return recovery.Codes{}, "", "", true
}

func (c *call) showCodes() {
	codes, owner, cookie, ok := c.madeCodes()
	switch {
	case !ok:
		return
	case cookie == "":
		c.dropShown()
		c.redirect(c.back(c.at("/")))
		return
	}
	c.user = owner
	page := Page{Name: "codes", Title: c.text("codes.title"), Codes: codes, Action: c.at("/codes"), Return: localPath(c.in.Return)}
	if cookie == cookieNewCode {
		page.Name, page.Title = "new-code", c.text("newcode.title")
	}
	c.showOnce(page)
}

// dropShown deletes the cookies of a user who is signed in and has no codes to be shown:
// those whose codes were shown, and those of other users. What another tab has begun stays.
func (c *call) dropShown() {
	user, err := c.who()
	if err != nil || user == "" {
		return
	}
	for _, cookie := range codeCookies {
		if owner, wasShown := ownerOf(c.cookie(cookie, 3)[1]); wasShown || owner != user {
			c.dropCookies(cookie)
		}
	}
}

// showOnce shows a page with recovery codes, which names their account.
func (c *call) showOnce(page Page) {
	var err error
	if page.Account, err = c.config.Account(c.r.Context(), c.user); err != nil {
		c.fault(err)
		return
	}
	c.show(page)
}

// codesFile answers with the codes as a file. Without any it leads nowhere: the browser
// would save the page there as the file.
func (c *call) codesFile() {
	codes, owner, cookie, ok := c.madeCodes()
	switch {
	case !ok:
		return
	case cookie == "":
		c.refuse(http.StatusNotFound, "not_found")
		return
	}
	account, err := c.config.Account(c.r.Context(), owner)
	if err != nil {
		c.fault(err)
		return
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="recovery-codes.txt"`)
	_, _ = c.w.Write([]byte(codes.Sheet(recovery.Sheet{Issuer: c.issuer(), Account: account, Created: c.guard.Now(), Words: c.lang.words.Sheet})))
}

// leaveCodes is the button of a user who has saved the codes. What another tab has begun
// stays, and codes that were made there, in an answer that was lost, are shown next.
func (c *call) leaveCodes() {
	var err error
	if c.user, err = c.who(); err != nil {
		c.fault(err)
		return
	}
	if c.user != "" && !c.takes(c.user) {
		return
	}
	others := false
	for _, cookie := range codeCookies {
		if owner, wasShown := ownerOf(c.cookie(cookie, 3)[1]); wasShown || c.user == "" && c.isOf(owner) {
			c.dropCookies(cookie)
		} else if c.unseen(cookie) {
			others = true
		}
	}
	next := c.back(c.at("/"))
	if others {
		c.redirect(c.at("/codes", "return", next))
		return
	}
	c.done("note.codes_saved", next)
}

// codesAgain shows the codes of a token once more, for clients that speak JSON.
func (c *call) codesAgain() {
	codes, err := c.codesOf(cookieSetup, c.user, []string{c.in.Token})
	if errors.Is(err, enrollment.ReasonSetupInvalid) {
		codes, err = c.codesOf(cookieRenewal, c.user, []string{c.in.Token})
	}
	if err != nil {
		c.deny(err, c.at("/"))
		return
	}
	c.writeCodes(codes)
}

func (c *call) writeCodes(codes recovery.Codes) {
	c.writeJSON(http.StatusOK, map[string]any{"codes": codes.Reveal()})
}

// keptCodes shows the codes where the Guard keeps them. Each time, the owner is told.
func (c *call) keptCodes() {
	self := c.onward("/codes/kept")
	codes, err := recovery.Codes{}, error(nil)
	err = c.try(func(p enrollment.Proof) (err error) {
		codes, err = c.guard.RecoveryCodes(c.r.Context(), c.user, p)
		return err
	})
	switch {
	case err != nil:
		c.refused(err, enrollment.ChangeRecoveryCodes, self, c.at("/"))
	case c.json:
		c.writeCodes(codes)
	default:
		c.showOnce(Page{Name: "kept", Title: c.text("kept.title"), Codes: codes, Return: c.back(c.at("/"))})
	}
}
