package web

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// New returns the pages for the accounts of the Guard. It returns an error that names
// the field if the Config is incomplete.
func New(guard *enrollment.Guard, config Config) (*Pages, error) {
	if guard == nil {
		return nil, errors.New("web: the Guard is nil")
	}
	named := config.Account != nil
	if err := config.complete(); err != nil {
		return nil, err
	}
	p := &Pages{guard: guard, config: config, named: named, within: map[enrollment.Purpose]time.Duration{}}
	p.routes = p.table()
	return p, nil
}

// table returns all routes.
func (p *Pages) table() map[string]route {
	return map[string]route{
		"/":               {get: (*call).security, data: true},
		"/sign-in":        {get: (*call).showSignIn, post: (*call).answer, open: true},
		"/sign-in/text":   {post: (*call).sendSignIn, open: true},
		"/sign-in/reset":  {post: (*call).openReset, open: true},
		"/wrong-codes":    {get: (*call).showWrongCodes},
		"/step":           {get: (*call).showStep, post: (*call).verify, open: true},
		"/step/begin":     {post: (*call).beginStep},
		"/step/text":      {post: (*call).sendStep},
		"/setup":          {get: (*call).showSetup, post: (*call).confirm, open: true},
		"/setup/begin":    {get: (*call).showBegin, post: (*call).begin, open: true},
		"/setup/cancel":   {post: (*call).cancelSetup, open: true},
		"/codes":          {get: (*call).showCodes, post: (*call).leaveCodes, open: true},
		"/codes.txt":      {get: (*call).codesFile, open: true},
		"/codes/again":    {post: (*call).codesAgain},
		"/codes/new":      {get: (*call).showRenewal, post: (*call).renew, open: true},
		"/codes/token":    {post: (*call).renewalToken},
		"/codes/kept":     {get: (*call).keptCodes, data: true},
		"/rename":         {post: (*call).rename},
		"/resynchronize":  {get: (*call).showResynchronize, post: (*call).resynchronize},
		"/remove":         {get: (*call).showRemove, post: (*call).remove},
		"/disable":        {get: (*call).showDisable, post: (*call).disable},
		"/address":        {get: (*call).showAddress, post: (*call).bind, open: true},
		"/address/code":   {get: (*call).showAddressCode, post: (*call).confirmAddress, open: true},
		"/address/remove": {get: (*call).showUnbind, post: (*call).unbind},
		"/devices":        {get: (*call).devices, data: true},
		"/devices/rename": {post: (*call).renameDevice},
		"/devices/revoke": {post: (*call).revokeDevice},
		"/reset/cancel":   {post: (*call).cancelReset},
	}
}

// ServeHTTP answers every path below Config.Path.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, below := strings.CutPrefix(r.URL.Path, p.config.Path)
	if path == "" {
		path = "/"
	}
	c := p.call(w, r)
	if below && p.serveFile(w, r, path) {
		return
	}
	c.headers()
	to, found := p.routes[path]
	if !below || !found {
		c.refuse(http.StatusNotFound, "not_found")
		return
	}
	handle := to.get
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		handle = to.post
	}
	if handle == nil || !c.allows(to) {
		c.refuseMethod(to)
		return
	}
	if c.json && r.Method != http.MethodPost && !to.data {
		c.refuse(http.StatusNotAcceptable, "page")
		return
	}
	if err := p.config.Origins.Check(r); err != nil {
		c.refuse(http.StatusForbidden, "cross_origin")
		return
	}
	if !c.read() {
		return
	}
	if !to.open && !c.member() {
		return
	}
	handle(c)
}

// allows reports whether the route has the method of the request.
func (c *call) allows(to route) bool {
	switch c.r.Method {
	case http.MethodGet, http.MethodHead:
		return to.get != nil
	case http.MethodPost:
		return to.post != nil
	}
	return false
}

func (c *call) refuseMethod(to route) {
	var allowed []string
	if to.get != nil {
		allowed = append(allowed, "GET", "HEAD")
	}
	if to.post != nil {
		allowed = append(allowed, "POST")
	}
	c.w.Header().Set("Allow", strings.Join(allowed, ", "))
	c.refuse(http.StatusMethodNotAllowed, "method")
}

// headers sets what every answer has. Nothing may be kept in a cache, framed, or taken
// for another type. The policy allows no scripts and styles but those served here.
func (c *call) headers() {
	h := c.w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
}
