package main

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/qr"
)

// user returns who is signed in.
func (c *client) user(ctx context.Context) (string, error) {
	var me struct{ User string }
	err := c.get(ctx, "/", &me)
	return me.User, err
}

func (c *client) status(ctx context.Context, _ string) error {
	name, err := c.user(ctx)
	if err != nil {
		return err
	}
	var s struct {
		State          string
		Authenticators []struct{ Name string }
		CodesLeft      int `json:"codes_left"`
		Locks          []struct{ Factor string }
	}
	if err := c.get(ctx, "/2fa/", &s); err != nil {
		return err
	}
	c.say("Signed in as %s.", printable(name))
	if s.State != "confirmed" {
		c.say("Two-factor authentication is off.")
		return nil
	}
	c.say("Two-factor authentication is on. %d recovery codes are left.", s.CodesLeft)
	for _, a := range s.Authenticators {
		c.say("App: %s", printable(a.Name))
	}
	for _, l := range s.Locks {
		c.say("Not accepted at the moment: %s", printable(l.Factor))
	}
	return nil
}

func (c *client) enable(ctx context.Context, _ string) error {
	name, err := c.user(ctx)
	if err != nil {
		return err
	}
	token, err := c.setUp(ctx, object{})
	if token != "" && c.lost(err) {
		return c.again(ctx, token, err, func() error { return c.signIn(ctx, name) })
	}
	return err
}

// setUp sets up an app. It sends along what with has, and returns the token of the setup as
// soon as that is known.
func (c *client) setUp(ctx context.Context, with object) (token string, err error) {
	var setup struct {
		Token, URI string
		Grouped    string `json:"secret_grouped"`
	}
	if err := c.begin(ctx, with, &setup); err != nil {
		return "", err // also if the sign-in is too long ago, which the text says
	}
	picture, err := qr.New(setup.URI)
	if err != nil {
		return "", err
	}
	c.say("Scan this with an authenticator app:\n\n%s", picture.Terminal(c.background))
	c.say("Or add an account by hand, with this key:\n\n    %s\n", printable(setup.Grouped))
	var done struct{ Codes []string }
	err = c.tryCodes("Code of your app: ", func(code any) error {
		in := maps.Clone(with)
		in["token"], in["code"] = setup.Token, code
		return c.post(ctx, "/2fa/setup", in, &done)
	})
	if err == nil {
		c.say("Two-factor authentication is on.")
		c.showCodes(done.Codes)
	}
	return setup.Token, err
}

// begin begins a setup. After a reset it can take the ticket of an administrator.
func (c *client) begin(ctx context.Context, with object, setup any) error {
	for {
		err := c.post(ctx, "/2fa/setup/begin", with, setup)
		if !is(err, "ticket_required", "ticket_invalid") {
			return err
		}
		c.say("%v", err)
		if with["ticket"], err = c.ask("Ticket of your administrator: "); err != nil {
			return err
		}
	}
}

// lost reports whether the host may have done what the request asked for, although its
// answer did not say so.
func (c *client) lost(err error) bool {
	var broken *url.Error
	var no *denial
	return c.ctx.Err() == nil && (errors.As(err, &broken) || errors.As(err, &no) && no.Status >= http.StatusInternalServerError)
}

// again signs in and shows the recovery codes of the token, after the answer that had them
// was lost. A change of factors ends the session, and the next one was in that answer. It
// returns the error of before if the token has made no codes.
func (c *client) again(ctx context.Context, token string, before error, signIn func() error) error {
	c.say("The answer of the host was lost. Sign in once more.")
	if err := signIn(); err != nil {
		return err
	}
	var made struct{ Codes []string }
	err := c.post(ctx, "/2fa/codes/again", object{"token": token}, &made)
	var no *denial
	if errors.As(err, &no) && no.Status < http.StatusInternalServerError {
		return before
	}
	c.showCodes(made.Codes)
	return err
}

func (c *client) showCodes(codes []string) {
	if len(codes) == 0 { // those that are there stay valid
		return
	}
	c.say("Save these recovery codes. They let you in without your phone, each of them once:\n")
	for _, code := range codes {
		c.say("    %s", printable(code))
	}
	c.say("")
}

func (c *client) newCodes(ctx context.Context, _ string) error {
	name, err := c.user(ctx)
	if err != nil {
		return err
	}
	if err := c.prove(ctx, "settings"); err != nil {
		return err
	}
	// The token is here before the codes are made.
	var renewal struct{ Token string }
	if err := c.post(ctx, "/2fa/codes/token", object{}, &renewal); err != nil {
		return err
	}
	var made struct{ Codes []string }
	err = c.post(ctx, "/2fa/codes/new", object{"token": renewal.Token}, &made)
	if c.lost(err) {
		return c.again(ctx, renewal.Token, err, func() error { return c.signIn(ctx, name) })
	}
	c.showCodes(made.Codes)
	return err
}

func (c *client) disable(ctx context.Context, _ string) error {
	yes, err := c.ask("Your password alone will sign in. Go on? [yes/no] ")
	if err != nil || !strings.EqualFold(yes, "yes") {
		return err
	}
	if err := c.prove(ctx, "settings"); err != nil {
		return err
	}
	if err := c.post(ctx, "/2fa/disable", object{}, &struct{}{}); err != nil {
		return err
	}
	c.say("Two-factor authentication is off.")
	return nil
}
