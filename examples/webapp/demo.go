package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
)

// A demonstration runs the site so that nobody needs a phone to see everything: it has a
// clock that moves on by a click, a phone, the mailbox, and switches for what is off by
// default. It opens accounts to everybody who can reach it, so only this machine can.
type demonstration struct {
	clock demo.Clock
	phone demo.Phone

	mu     sync.Mutex
	config config // as the switches are set
	story  *story // the one that was started last
	app    *app
	site   atomic.Pointer[http.Handler] // of that app
}

//go:embed *.go
var source embed.FS

// newDemonstration returns the site with everything that shows it. It serves until the app
// of that config is closed.
func newDemonstration(ctx context.Context, c config) (*demonstration, error) {
	d := &demonstration{}
	c.demo, c.now = d, d.clock.Now
	a, err := open(ctx, c)
	if err != nil {
		return nil, err
	}
	d.use(a)
	return d, nil
}

// use serves another app.
func (d *demonstration) use(a *app) {
	handler := a.handler()
	d.config, d.app = a.config, a
	d.site.Store(&handler)
}

// reconfigure serves an app with another configuration, over the same database.
func (d *demonstration) reconfigure(ctx context.Context, change func(*config)) (*app, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.config
	change(&c)
	a, err := compose(ctx, c, d.app.db, d.app)
	if err != nil {
		return nil, err
	}
	d.use(a)
	return a, nil
}

func (d *demonstration) current() *app {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.app
}

// ServeHTTP serves the site as it is configured now.
func (d *demonstration) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*d.site.Load()).ServeHTTP(w, r)
}

// A toggle is an option that is off by default, because it weakens something.
type toggle struct {
	Name, Label, Weakens string
	field                func(*config) *bool
}

var toggles = []toggle{
	{"setup", "Recovery codes before the QR code", "A user who leaves early may have noted codes that never work.", func(c *config) *bool { return &c.codesAtSetup }},
	{"replenish", "Each used recovery code is replaced", "A thief with one code always has one.", func(c *config) *bool { return &c.replenish }},
	{"keep", "Recovery codes can be seen again", "They are kept, sealed, and not only their hashes.", func(c *config) *bool { return &c.keepCodes }},
	{"alone", "Text messages can be the only second factor", "Who reads them needs only the password.", func(c *config) *bool { return &c.messagesAlone }},
	{"password", "The password turns it off", "So does a thief with password and session.", func(c *config) *bool { return &c.passwordDisables }},
	{"eight", "Eight recovery codes in place of ten", "Nothing.", func(c *config) *bool { return &c.eightCodes }},
}

// tenants are names that this site can have.
var tenants = []string{defaultIssuer, "Acme Rentals", "Reseller One"}

// bar is what the demonstration shows beside a page.
type bar struct {
	Now     time.Time
	Ahead   string
	Phone   []demo.Display
	Off     time.Duration
	Scan    string // what the phone can scan on this page
	Letters []letter
	Toggles []toggle
	On      map[string]bool
	Tenants []string
	Tenant  string
	Stories []story
	Story   *story
	Here    string // the page
	Handler string // what answers it
	WebPage string // the page of package web, if it is one
}

// barLetters and barCodes are how many messages and following codes are shown.
const (
	barLetters = 3
	barCodes   = 20
)

func (d *demonstration) bar(a *app, r *http.Request, data any) *bar {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := &bar{
		Now: a.now(), Off: d.phone.Off(), Toggles: toggles, On: map[string]bool{}, Tenants: tenants, Tenant: a.config.issuer,
		Stories: stories, Story: d.story, Here: r.URL.RequestURI(), Handler: a.shows[r.Pattern],
	}
	if ahead := d.clock.Ahead(); ahead > 0 {
		b.Ahead = inWords(ahead)
	}
	var err error
	if b.Phone, err = d.phone.Show(b.Now, barCodes); err != nil {
		a.log.ErrorContext(r.Context(), "showing the phone", "error", err)
	}
	for _, t := range toggles {
		b.On[t.Name] = *t.field(&a.config)
	}
	letters := a.mailbox.list()
	b.Letters = letters[:min(len(letters), barLetters)]
	switch page := data.(type) {
	case twoFactorPage:
		b.Scan, b.WebPage, b.Handler = page.uri, page.Name, "(*app).renderTwoFactor"
	case securityPage:
		b.WebPage, b.Handler = "security", "(*app).showSecurity"
	case phonePage:
		b.WebPage, b.Handler = "address", "(*app).renderTwoFactor"
	}
	return b
}

// offs are how wrong the clock of the phone can be.
var offs = []time.Duration{0, -4 * time.Minute, 5 * time.Minute}

// Offs returns them.
func (bar) Offs() []time.Duration { return offs }

// OffInWords returns one of them in words.
func (bar) OffInWords(off time.Duration) string {
	switch {
	case off < 0:
		return inWords(-off) + " slow"
	case off > 0:
		return inWords(off) + " fast"
	}
	return "right"
}

// JSON returns the codes for the script of the page.
func (b bar) JSON(codes []demo.Code) (string, error) {
	text, err := json.Marshal(codes)
	return string(text), err
}

// routes adds what the bar does. Everything leads back to the page it was done from.
func (d *demonstration) routes(site *http.ServeMux, a *app) {
	for pattern, do := range map[string]func(w http.ResponseWriter, r *http.Request) error{
		"POST /demo/time":     d.moveTime,
		"POST /demo/phone":    d.usePhone,
		"POST /demo/switches": d.setSwitches,
		"POST /demo/story":    d.startStory,
	} {
		site.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !isLocal(r) {
				a.notFound(w, r)
				return
			}
			if err := do(w, r); err != nil {
				a.internalError(w, r, err)
				return
			}
			if w.Header().Get("Location") == "" {
				http.Redirect(w, r, localPath(r.PostFormValue("return")), http.StatusSeeOther)
			}
		})
	}
	site.HandleFunc("GET /demo/code", func(w http.ResponseWriter, r *http.Request) {
		file, text := demo.Source(source, r.URL.Query().Get("of"))
		if text == "" || !isLocal(r) {
			a.notFound(w, r)
			return
		}
		a.render(w, r, http.StatusOK, "code", codePage{file, text})
	})
}

type codePage struct{ File, Text string }

// moveTime moves the clock on, and does what the time has brought.
func (d *demonstration) moveTime(_ http.ResponseWriter, r *http.Request) error {
	by, err := time.ParseDuration(r.PostFormValue("by"))
	if err != nil || by < 0 || by > 30*24*time.Hour {
		return nil
	}
	d.clock.Advance(by)
	_, err = d.current().directory.Sweep(r.Context())
	return err
}

// usePhone scans a code, sets the phone's clock, or loses the phone.
func (d *demonstration) usePhone(_ http.ResponseWriter, r *http.Request) error {
	off, err := time.ParseDuration(r.PostFormValue("off"))
	switch {
	case r.PostFormValue("scan") != "":
		return d.phone.Scan(r.PostFormValue("scan"))
	case r.PostFormValue("lose") != "":
		d.phone.Lose()
	case err == nil && off.Abs() <= time.Hour:
		d.phone.SetOff(off)
	}
	return nil
}

func (d *demonstration) setSwitches(_ http.ResponseWriter, r *http.Request) error {
	_, err := d.reconfigure(r.Context(), func(c *config) {
		for _, t := range toggles {
			*t.field(c) = r.PostFormValue(t.Name) != ""
		}
		for _, name := range tenants {
			if r.PostFormValue("tenant") == name {
				c.issuer = name
			}
		}
	})
	return err
}

func (d *demonstration) startStory(w http.ResponseWriter, r *http.Request) error {
	for i := range stories {
		s := &stories[i]
		if s.Name != r.PostFormValue("story") {
			continue
		}
		a, err := d.reconfigure(r.Context(), s.configure)
		if err != nil {
			return err
		}
		d.mu.Lock()
		d.story = s
		d.mu.Unlock()
		if err := s.begin(r.Context(), a, &d.phone, r.PostFormValue("as")); err != nil {
			return err
		}
		http.Redirect(w, r, a.sessions.GetString(r.Context(), keyAfter), http.StatusSeeOther)
		return nil
	}
	return errors.New("there is no such story")
}
