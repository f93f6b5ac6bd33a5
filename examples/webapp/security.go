package main

import (
	"html/template"
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/telephone"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

// renderTwoFactor puts the pages of package web into the layout of this site. Two pages
// have a template here: they show more than the package knows.
func (a *app) renderTwoFactor(w http.ResponseWriter, r *http.Request, page web.Page) error {
	status := max(page.StatusCode, http.StatusOK)
	switch page.Name {
	case "security":
		return a.showSecurity(w, r, page)
	case "address":
		return a.render(w, r, status, "phone", phonePage{
			page, telephone.Countries(page.Lang), a.sessions.PopString(r.Context(), keyCountry), a.sessions.PopString(r.Context(), keyPhone),
		})
	}
	body, err := page.Body()
	if err != nil {
		return err
	}
	shown := twoFactorPage{Title: page.Title, Name: page.Name, Body: body}
	if page.Name == "setup" {
		shown.uri = page.Setup.URI()
	}
	return a.render(w, r, status, "twofactor", shown)
}

// twoFactorPage is a page of package web as it is.
type twoFactorPage struct {
	Title, Name string
	uri         string // what an app scans, for the demonstration
	Body        template.HTML
}

// phonePage asks for a phone number.
type phonePage struct {
	web.Page
	Countries []telephone.Country
	Country   string // chosen and typed before, with an error
	Typed     string
}

// readPhone reads a phone number for codes by text message. What can't be read is shown
// again.
func (a *app) readPhone(r *http.Request, typed string) (channel, to string, err error) {
	country := r.PostForm.Get("country")
	if to = telephone.Read(country, typed); to != "" {
		return "sms", to, nil
	}
	a.sessions.Put(r.Context(), keyCountry, front.Line(country, 2))
	a.sessions.Put(r.Context(), keyPhone, front.Line(typed, 64))
	return "", "", nil
}

// fewCodes is the number of recovery codes from which on we warn the user.
const fewCodes = 3

// securityPage is the security page. Nearly all of it comes from one Status.
type securityPage struct {
	web.Page
	FewCodes  bool
	Mandatory bool // a second factor is mandatory for this user
}

// May reports whether a change is possible now. Where a second factor is mandatory, it
// can't be turned off.
func (p securityPage) May(kind enrollment.ChangeKind) bool {
	_, possible := p.Status.Change(kind)
	return possible && (kind != enrollment.ChangeDisable || !p.Mandatory)
}

func (a *app) showSecurity(w http.ResponseWriter, r *http.Request, page web.Page) error {
	u, err := a.current(r.Context())
	if err != nil {
		return err
	}
	rule, err := a.accounts.Mandate(r.Context())
	if err != nil {
		return err
	}
	return a.render(w, r, http.StatusOK, "security", securityPage{
		Page:      page,
		FewCodes:  page.Status.Enabled() && page.Status.CodesLeft <= fewCodes,
		Mandatory: rule.For(u).Require,
	})
}

// disabling lets a request turn off the second factor unless it is mandatory. Where the
// password alone is enough, it is asked for first.
func (a *app) disabling(w http.ResponseWriter, r *http.Request, u accounts.User) error {
	rule, err := a.accounts.Mandate(r.Context())
	if err != nil {
		return err
	}
	if rule.For(u).Require {
		return hint{"Two-factor authentication is required here, so you can’t turn it off. You can replace your authenticator.", twoFactorPath + "/"}
	}
	if a.config.ReauthDisables && !front.SpeaksJSON(r) && a.config.Now().Sub(a.enteredPassword(r)) > enrollment.ReceiptTTL {
		return a.redirect(w, r, "/sign-in?return="+twoFactorPath+"/disable")
	}
	a.twofactor.ServeHTTP(w, r)
	return nil
}
