package web

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// A call is one request while it is answered.
type call struct {
	*Pages
	w    http.ResponseWriter
	r    *http.Request
	json bool // the client speaks JSON: tokens are in the body, and cookies are ignored
	in   fields
	lang *language
	user string

	enroll enrollment.EnrollToken // of a sign-in that demands the setup; zero if the user is signed in

	replacement recovery.Code // what a denial in JSON shows of the answer before; see replaced

	who func() (userID string, err error) // whose session it is
}

func (p *Pages) call(w http.ResponseWriter, r *http.Request) *call {
	return &call{
		Pages: p, w: w, r: r, json: wantsJSON(r), lang: languageOf(r),
		// Asked once: another click can end the session while this one is answered.
		who: sync.OnceValues(func() (string, error) { return p.config.User(r) }),
	}
}

// member finds out who is signed in, and answers the request if nobody is, or if the form
// is about another account.
func (c *call) member() bool {
	user, err := c.who()
	if err == nil && user != "" {
		c.user = user
		return c.takes(user)
	}
	c.headers() // RequireRecent sets them only if it answers
	switch {
	case err != nil:
		c.fault(err)
	case c.json:
		c.refuse(http.StatusUnauthorized, "signed_out")
	default:
		c.toLogin(c.here())
	}
	return false
}

// here returns the path that leads back to the page of the request.
func (c *call) here() string {
	if c.r.Method == http.MethodGet || c.r.Method == http.MethodHead {
		return localPath(c.r.URL.RequestURI())
	}
	if from, err := url.Parse(c.r.Referer()); err == nil && from.Host == c.r.Host {
		return localPath(from.RequestURI())
	}
	return ""
}

// at returns the address of a route, with parameters in pairs. Empty ones are left out.
func (c *call) at(route string, parameters ...string) string {
	return withQuery(c.config.Path+route, parameters...)
}

// onward returns the address of a route that still knows where the user wants to go.
func (c *call) onward(route string) string {
	return c.at(route, "return", localPath(c.in.Return))
}

// back returns the path that the request names as "return", or the other one.
func (c *call) back(other string) string {
	if path := localPath(c.in.Return); path != "" {
		return path
	}
	return other
}

func (c *call) toLogin(after string) { c.redirect(withQuery(c.config.Login, "return", after)) }

// redirect leads a browser on, so that what it did is not done again by a reload.
func (c *call) redirect(path string) {
	c.w.Header().Set("Location", path)
	c.w.WriteHeader(http.StatusSeeOther)
}

// refuse answers with a status and a text that the key names.
func (c *call) refuse(status int, key string) {
	text := c.text("refused." + key)
	if c.json {
		c.writeJSON(status, map[string]string{"reason": key, "text": text})
		return
	}
	c.show(Page{Name: "refused", StatusCode: status, Title: c.text("refused.title"), Problem: text})
}

// fault answers an error of the Guard or of the application. What is the user's own
// doing, or passes, is told; all else goes to Config.Fail.
func (c *call) fault(err error) {
	said := c.lang.words.Describe(err, noTime)
	if said.Status == http.StatusInternalServerError {
		c.config.Fail(c.w, c.r, err)
		return
	}
	if wait := said.RetryAfter(); wait != "" {
		c.w.Header().Set("Retry-After", wait)
	}
	if c.json {
		c.answerDenied(said.Status, said.Text, err)
		return
	}
	c.show(Page{Name: "refused", StatusCode: said.Status, Title: c.text("refused.title"), Problem: said.Text, Denied: deniedIn(err)})
}

// deny tells the user why something was denied, on the page that asked for it. A fault
// is answered here and now.
func (c *call) deny(err error, page string) {
	said := c.lang.words.Describe(err, noTime)
	if c.json || said.Status == http.StatusInternalServerError {
		c.fault(err)
		return
	}
	c.setNote(noteOf(err, c.guard.Now()))
	c.redirect(page)
}

// done tells the user what was done, on the page that follows.
func (c *call) done(key, page string) {
	c.setNote(note{kind: noteDone, key: key})
	c.redirect(page)
}

// show completes a page and hands it to Config.Render.
func (c *call) show(p Page) {
	p.Lang, p.Path, p.Login, p.Home = c.lang.words.Tag, c.config.Path, c.config.Login, c.config.Home
	p.lang, p.text, p.now, p.issuer = c.lang, c.text, c.guard.Now(), c.issuer()
	if p.Mark == "" && c.user != "" {
		p.Mark = markOf(c.user)
	}
	if p.Problem == "" {
		c.addNote(&p)
	}
	c.config.Render(c.w, c.r, p)
}

// issuer returns the name of the service for a sheet of recovery codes.
func (c *call) issuer() string { return cmp.Or(c.config.Issuer(c.r), c.guard.Issuer()) }

// addNote puts what the request before has left to say on the page.
func (c *call) addNote(p *Page) {
	n, ok := c.note()
	if !ok {
		return
	}
	switch n.kind {
	case noteDone:
		p.Notice = fill(c.text(n.key), "{time}", c.lang.time(n.until), "{codes}", strconv.Itoa(n.count), "{wait}", c.lang.words.Duration(n.until.Sub(p.now)))
		p.urges = n.key == noteMustEnroll || n.key == noteWrongCodes || n.key == noteNextCode
	case noteDenied:
		p.Denied = n.denied
		p.Problem = c.lang.words.Describe(n.denied, noTime).Text
	case noteFault:
		p.Problem = c.text("problem." + n.key)
	}
}

// text returns the words for a key, those of the application first.
func (c *call) text(key string) string {
	if text := c.config.Text(c.r, key); text != "" {
		return text
	}
	return c.lang.texts[key]
}

func deniedIn(err error) *enrollment.Denied {
	var denied *enrollment.Denied
	errors.As(err, &denied)
	return denied
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	slog.ErrorContext(r.Context(), "two-factor pages", "method", r.Method, "path", r.URL.Path, "err", err)
	w.WriteHeader(http.StatusInternalServerError)
}

// maxReturn is the length of the longest path to return to, in bytes.
const maxReturn = 1024

// localPath returns the path with its query if it leads to this host and nowhere else,
// and "" otherwise.
func localPath(path string) string {
	if len(path) == 0 || len(path) > maxReturn || path[0] != '/' {
		return ""
	}
	if strings.HasPrefix(path, "//") || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == '\\' || r >= 0x7f }) {
		return ""
	}
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil {
		return ""
	}
	return path
}

// withQuery returns the path with parameters in pairs.
func withQuery(path string, parameters ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		if parameters[i+1] != "" {
			query.Set(parameters[i], parameters[i+1])
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
