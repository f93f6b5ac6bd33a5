package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
)

// The people of the stories. Their password is the same.
const (
	storyAdmin    = "admin@example.com"
	storyPassword = "correct horse battery"
)

// configure sets the switches and the name of the service as the story has them.
func configure(s *demo.Story) func(*config) {
	return func(c *config) {
		c.Issuer = s.Issuer
		for _, t := range toggles {
			*t.field(c) = slices.Contains(s.Switches, t.Name)
		}
	}
}

// begin makes the users of a story, and signs in as one of them. It returns the page that
// the story begins at.
func (a *app) begin(r *http.Request, s *demo.Story, phone *demo.Phone) (at string, err error) {
	ctx, l := r.Context(), languageOf(r)
	admin, err := a.storyUser(ctx, l, storyAdmin, accounts.RoleAdmin, phone)
	if err != nil {
		return "", err
	}
	m, err := a.accounts.Mandate(ctx)
	if err == nil && m.Mandatory != s.Mandatory {
		err = a.accounts.SetMandate(ctx, accounts.Mandate{Mandatory: s.Mandatory, Since: a.config.Now().Unix(), ExemptClients: true})
	}
	if err != nil {
		return "", err
	}
	if r.PostFormValue("as") == "admin" {
		notice := l.say("You are the administrator %v, with the password “%v”. The phone has your codes.", admin.Email, storyPassword)
		return "/admin/members", a.storySession(ctx, admin, notice)
	}
	if !s.Enrolled {
		phone = nil
	}
	u, err := a.storyUser(ctx, l, s.Name+"-"+strings.ToLower(rand.Text()[:4])+"@example.com", accounts.RoleMember, phone)
	if err != nil {
		return "", err
	}
	if !s.Mandatory {
		return twoFactorPath + "/", a.storySession(ctx, u, l.say("You are %v, with the password “%v”.", u.Email, storyPassword))
	}
	if err := a.restart(ctx); err != nil {
		return "", err
	}
	a.sessions.Put(ctx, keyEmail, u.Email)
	a.sessions.Put(ctx, keyNotice, l.say("You are %v, with the password “%v”. Sign in.", u.Email, storyPassword))
	return "/sign-in", nil
}

// storySession signs in as the user.
func (a *app) storySession(ctx context.Context, u accounts.User, notice string) error {
	status, err := a.guard.Status(ctx, u.ID)
	if err == nil {
		err = a.start(ctx, u, status.Stamp)
	}
	a.sessions.Put(ctx, keyNotice, notice)
	return err
}

// storyUser returns the user with that address, and makes one if there is none. With a
// phone, the user has a second factor, and the phone its codes.
func (a *app) storyUser(ctx context.Context, l language, email string, as accounts.Role, phone *demo.Phone) (accounts.User, error) {
	u, err := a.accounts.ByEmail(ctx, email)
	if errors.Is(err, accounts.ErrNoUser) {
		u, err = a.accounts.Create(ctx, email, storyPassword, l.Tag)
	}
	if err == nil && u.Role != as {
		u.Role = as
		err = a.accounts.Update(ctx, u, "Role")
	}
	if err == nil && phone != nil && !phone.Has(email) {
		err = a.storySetup(ctx, u, phone)
	}
	return u, err
}

// storySetup sets up a second factor as its user would. One that the phone has lost goes
// first.
func (a *app) storySetup(ctx context.Context, u accounts.User, phone *demo.Phone) error {
	_, err := a.guard.Admin("demonstration", "a story begins").Reset(ctx, u.ID, enrollment.ResetOptions{})
	if err != nil && !errors.Is(err, enrollment.ReasonNotEnrolled) {
		return err
	}
	setup, err := a.guard.Begin(ctx, u.ID, enrollment.BeginOptions{Account: u.Email, Proof: enrollment.ByReauth("demonstration")})
	if err != nil {
		return err
	}
	if err := phone.Scan(setup.URI()); err != nil {
		return err
	}
	phone.SetOff(0)
	shown, err := phone.Show(a.config.Now(), 0)
	if err != nil {
		return err
	}
	_, err = a.guard.Confirm(ctx, u.ID, setup.Token, shown[0].Codes[0].Code)
	return err
}
