package main

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
)

// A story shows what one product does. It begins with users of its own, and the switches
// as that product has them.
type story struct {
	Name, Title string
	Steps       []string
	configure   func(*config)
	mandatory   bool
	enrolled    bool   // the user has a second factor already
	at          string // where the story begins
}

// configured returns a configuration of the switches that are named, and no others.
func configured(issuer string, on ...string) func(*config) {
	return func(c *config) {
		c.issuer = issuer
		for _, t := range toggles {
			*t.field(c) = false
			for _, name := range on {
				*t.field(c) = *t.field(c) || name == t.Name
			}
		}
	}
}

var stories = []story{
	{
		Name: "review", Title: "Review: turn it on in the settings", configure: configured(defaultIssuer), at: twoFactorPath + "/",
		Steps: []string{
			"Turn it on. Scan the QR code with the phone here, then let it type the code.",
			"Save the ten recovery codes, sign out, and sign in with the next code (+30 s).",
			"Make new codes: the old ones stop working. Replace the authenticator, as with a new phone.",
			"As the administrator, turn it off for the user.",
		},
	},
	{
		Name: "tracking", Title: "Production tracking: required for everyone but clients", configure: configured("Acme Rentals"), mandatory: true,
		Steps: []string{
			"Sign in: it leads to the setup, and there is no way around it.",
			"Sign in again: one field takes a code of the app or a recovery code.",
			"As the administrator, make a user a client under Members: the rule leaves clients out.",
		},
	},
	{
		Name: "frame", Title: "Video: an app or text messages, and a pass for a day", configure: configured(defaultIssuer, "alone"), mandatory: true,
		Steps: []string{
			"Sign in, and choose text messages. The code arrives below.",
			"As the administrator, give the user a pass. Sign in without a code, then move on by 24 hours: the session has ended, and a code is needed again.",
		},
	},
	{
		Name: "tracker", Title: "Tracker: codes first, and a reset that takes days", configure: configured(defaultIssuer, "setup", "password"), enrolled: true, at: twoFactorPath + "/",
		Steps: []string{
			"Turn it off with the password, and on again: the recovery codes come before the QR code.",
			"Sign out, ask for a new password: the link is below, and it asks for a code.",
			"Lose the phone. Sign in, and ask for a reset. Move on by three days, and approve it as the administrator, who also has the list of members as CSV.",
		},
	},
	{
		Name: "access", Title: "System access: eight codes that never run out", configure: configured("Reseller One", "eight", "replenish", "keep"), at: twoFactorPath + "/",
		Steps: []string{
			"Turn it on: the phone shows the name of the reseller, and there are eight codes.",
			"Sign in with a recovery code: another one replaces it at once.",
			"Show the codes again. As the administrator, see who has a second factor and who used it for the last sign-in.",
		},
	},
}

// The people of the stories. Their password is the same.
const (
	storyAdmin    = "admin@example.com"
	storyPassword = "correct horse battery"
)

// begin makes the users of the story, and signs in as one of them. What the session says
// as keyAfter is the page that the story begins at.
func (s *story) begin(ctx context.Context, a *app, phone *demo.Phone, as string) error {
	admin, err := a.storyUser(ctx, storyAdmin, roleAdmin, phone)
	if err != nil {
		return err
	}
	m, err := a.mandates.get(ctx)
	if err != nil {
		return err
	}
	if m.Mandatory != s.mandatory {
		if err := a.mandates.set(ctx, mandate{Mandatory: s.mandatory, Since: a.now(), ExemptClients: true}); err != nil {
			return err
		}
	}
	if as == "admin" {
		return a.storySession(ctx, admin, "/admin/members", "You are the administrator "+admin.Email+", with the password “"+storyPassword+"”. The phone has your codes.")
	}
	email := s.Name + "-" + strings.ToLower(rand.Text()[:4]) + "@example.com"
	scanned := phone
	if !s.enrolled {
		scanned = nil
	}
	u, err := a.storyUser(ctx, email, roleMember, scanned)
	if err != nil {
		return err
	}
	notice := "You are " + u.Email + ", with the password “" + storyPassword + "”."
	if s.mandatory {
		if err := a.restart(ctx); err != nil {
			return err
		}
		a.sessions.Put(ctx, keyEmail, u.Email)
		a.sessions.Put(ctx, keyNotice, notice+" Sign in.")
		a.sessions.Put(ctx, keyAfter, "/sign-in")
		return nil
	}
	return a.storySession(ctx, u, s.at, notice)
}

// storySession signs in as the user.
func (a *app) storySession(ctx context.Context, u user, at, notice string) error {
	status, err := a.guard.Status(ctx, u.ID)
	if err != nil {
		return err
	}
	if err := a.start(ctx, u, status.Stamp); err != nil {
		return err
	}
	a.sessions.Put(ctx, keyNotice, notice)
	a.sessions.Put(ctx, keyAfter, at)
	return nil
}

// storyUser returns the user with that address, and makes one if there is none. With a
// phone, the user has a second factor, and the phone its codes.
func (a *app) storyUser(ctx context.Context, email string, as role, phone *demo.Phone) (user, error) {
	u, _, err := a.users.find(ctx, "email", email)
	if errors.Is(err, errNoUser) {
		u, err = a.users.create(ctx, email, storyPassword, "en")
	}
	if err != nil {
		return user{}, err
	}
	if u.Role != as {
		if err := a.users.setRole(ctx, u.ID, as); err != nil {
			return user{}, err
		}
	}
	if phone != nil && !phone.Has(email) {
		err = a.storySetup(ctx, u, phone)
	}
	if err != nil {
		return user{}, err
	}
	return a.users.byID(ctx, u.ID)
}

// storySetup sets up a second factor as its user would. One that the phone has lost goes
// first.
func (a *app) storySetup(ctx context.Context, u user, phone *demo.Phone) error {
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
	shown, err := phone.Show(a.now(), 0)
	if err != nil {
		return err
	}
	_, err = a.guard.Confirm(ctx, u.ID, setup.Token, shown[0].Codes[0].Code)
	return err
}
