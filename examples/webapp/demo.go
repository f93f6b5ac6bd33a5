package main

import (
	"context"
	"embed"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
)

// A demonstration runs the site so that nobody needs a phone to see everything: it has a
// clock that moves on by a click, a phone, the mailbox, and switches for what is off by
// default. It opens accounts to everybody who can reach it, so only this machine can.
type demonstration struct {
	clock demo.Clock
	phone demo.Phone

	app   atomic.Pointer[app]
	story atomic.Pointer[demo.Story] // the one that was started last

	configuring sync.Mutex
}

//go:embed *.go
var source embed.FS

// newDemonstration returns the site with everything that shows it. It serves until the app
// of that config is closed.
func newDemonstration(ctx context.Context, c config) (*demonstration, error) {
	d := &demonstration{}
	c.demo, c.Now = d, d.clock.Now
	a, err := open(ctx, c)
	d.app.Store(a)
	return d, err
}

// reconfigure serves an app with another configuration, over the same database.
func (d *demonstration) reconfigure(ctx context.Context, change func(*config)) (*app, error) {
	d.configuring.Lock()
	defer d.configuring.Unlock()
	c := d.running().config
	change(&c)
	a, err := d.running().configured(ctx, c)
	if err == nil {
		d.app.Store(a)
	}
	return a, err
}

func (d *demonstration) running() *app { return d.app.Load() }
func (d *demonstration) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.running().ServeHTTP(w, r)
}

// A toggle is an option that is off by default, because it weakens something.
type toggle struct {
	Name, Label, Weakens string
	field                func(*config) *bool
}

var toggles = []toggle{
	{"setup", "Recovery codes before the QR code", "A user who leaves early may have noted codes that never work.", func(c *config) *bool { return &c.CodesAtSetup }},
	{"replenish", "Each used recovery code is replaced", "A thief with one code always has one.", func(c *config) *bool { return &c.ReplenishCodes }},
	{"keep", "Recovery codes can be seen again", "They are kept, sealed, and not only their hashes.", func(c *config) *bool { return &c.KeepCodes }},
	{"alone", "Text messages can be the only second factor", "Who reads them needs only the password.", func(c *config) *bool { return &c.AddressAlone }},
	{"password", "The password turns it off", "So does a thief with password and session.", func(c *config) *bool { return &c.ReauthDisables }},
	{"eight", "Eight recovery codes in place of ten", "", func(c *config) *bool { return &c.eightCodes }},
}

// tenants are names that this site can have.
var tenants = []string{defaultIssuer, "Acme Rentals", "Reseller One"}

// bar is what the demonstration shows beside a page.
type bar struct {
	Now     time.Time
	Ahead   time.Duration
	Phone   []demo.Display
	Off     time.Duration
	Scan    string // what the phone can scan on this page
	Letters []demo.Letter
	Toggles []toggle
	On      map[string]bool
	Tenants []string
	Tenant  string
	Stories []*demo.Story
	Story   *demo.Story // the one that was started last
	Here    string      // the page
	Handler string      // what answers it
	WebPage string      // the page of package web, if it is one
}

// barLetters and barCodes are how many messages and following codes are shown.
const (
	barLetters = 3
	barCodes   = 20
)

func (d *demonstration) bar(a *app, r *http.Request, data any) *bar {
	b := &bar{
		Now: a.config.Now(), Off: d.phone.Off(), Toggles: toggles, On: map[string]bool{}, Tenants: tenants, Tenant: a.config.Issuer,
		Stories: demo.Stories, Story: d.story.Load(), Here: r.URL.RequestURI(), Handler: a.shows[r.Pattern], Ahead: d.clock.Ahead(),
	}
	var err error
	if b.Phone, err = d.phone.Show(b.Now, barCodes); err != nil {
		a.config.Logger.ErrorContext(r.Context(), "showing the phone", "error", err)
	}
	for _, t := range toggles {
		b.On[t.Name] = *t.field(&a.config)
	}
	letters := a.mailbox.List()
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

// JSON returns the codes for the script of the page.
func (b bar) JSON(codes []demo.Code) (string, error) {
	text, err := json.Marshal(codes)
	return string(text), err
}

// routes adds what the bar does. Everything leads back to the page it was done from.
func (d *demonstration) routes(site *http.ServeMux, a *app) {
	for pattern, do := range map[string]handler{
		"POST /demo/time":     d.moveTime,
		"POST /demo/phone":    d.usePhone,
		"POST /demo/switches": d.setSwitches,
		"POST /demo/story":    d.startStory,
		"GET /demo/code":      a.showCode,
	} {
		site.Handle(pattern, a.answer(func(w http.ResponseWriter, r *http.Request, u accounts.User) error {
			if !front.Local(r) {
				return notFound
			}
			return do(w, r, u)
		}))
	}
}

// back leads to the page with the bar.
func back(w http.ResponseWriter, r *http.Request, err error) error {
	if err == nil {
		http.Redirect(w, r, front.LocalPath(r.PostFormValue("return")), http.StatusSeeOther)
	}
	return err
}

type codePage struct{ File, Text string }

// showCode shows the source of what answers a page.
func (a *app) showCode(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	file, text := demo.Source(source, r.URL.Query().Get("of"))
	if text == "" {
		return notFound
	}
	return a.render(w, r, http.StatusOK, "code", codePage{file, text})
}

// moveTime moves the clock on, and does what the time has brought.
func (d *demonstration) moveTime(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	by, err := time.ParseDuration(r.PostFormValue("by"))
	if err != nil || by < 0 || by > 30*24*time.Hour {
		return back(w, r, nil)
	}
	d.clock.Advance(by)
	_, err = d.running().directory.Sweep(r.Context())
	return back(w, r, err)
}

// usePhone scans a code, sets the phone's clock, or loses the phone.
func (d *demonstration) usePhone(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	off, err := time.ParseDuration(r.PostFormValue("off"))
	switch {
	case r.PostFormValue("scan") != "":
		return back(w, r, d.phone.Scan(r.PostFormValue("scan")))
	case r.PostFormValue("lose") != "":
		d.phone.Lose()
	case err == nil && off.Abs() <= time.Hour:
		d.phone.SetOff(off)
	}
	return back(w, r, nil)
}

func (d *demonstration) setSwitches(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	_, err := d.reconfigure(r.Context(), func(c *config) {
		for _, t := range toggles {
			*t.field(c) = r.PostFormValue(t.Name) != ""
		}
		if name := r.PostFormValue("tenant"); slices.Contains(tenants, name) {
			c.Issuer = name
		}
	})
	return back(w, r, err)
}

func (d *demonstration) startStory(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	i := slices.IndexFunc(demo.Stories, func(s *demo.Story) bool { return s.Name == r.PostFormValue("story") })
	if i < 0 {
		return notFound
	}
	story := demo.Stories[i]
	a, err := d.reconfigure(r.Context(), configure(story))
	if err != nil {
		return err
	}
	d.story.Store(story)
	for _, c := range r.Cookies() { // of a sign-in in another story
		if strings.Contains(c.Name, "twofactor-") {
			http.SetCookie(w, &http.Cookie{Name: c.Name, Path: "/", MaxAge: -1, HttpOnly: true, Secure: a.config.secure})
		}
	}
	at, err := a.begin(r, story, &d.phone)
	if err != nil {
		return err
	}
	return a.redirect(w, r, at)
}

// letters shows the mailbox to users of this machine.
func (a *app) letters(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	if a.config.demo == nil || !front.Local(r) {
		return notFound
	}
	return a.render(w, r, http.StatusOK, "messages", a.mailbox.List())
}
