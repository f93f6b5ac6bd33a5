package main

import (
	"context"
	"errors"
	"strings"
)

func (c *client) signUp(ctx context.Context, name string) error {
	password, err := c.askSecret("New password: ")
	if err != nil {
		return err
	}
	if err := c.post(ctx, "/sign-up", object{"user": name, "password": password}, &struct{}{}); err != nil {
		return err
	}
	return c.signInWith(ctx, name, password)
}

func (c *client) signIn(ctx context.Context, name string) error {
	password, err := c.askSecret("Password: ")
	if err != nil {
		return err
	}
	return c.signInWith(ctx, name, password)
}

// A decision says what follows after the password.
type decision struct {
	Next        string
	Challenge   string
	EnrollToken string `json:"enroll_token"`
	ThreeCodes  bool   `json:"three_codes"`
}

func (c *client) signInWith(ctx context.Context, name, password string) error {
	c.session, c.receipt = "", "" // of somebody else, perhaps
	var d decision
	if err := c.post(ctx, "/login", object{"user": name, "password": password}, &d); err != nil {
		return err
	}
	switch d.Next {
	case "proceed":
		c.say("Signed in. Only the password protects this account: try enable.")
		return nil
	case "must_enroll":
		c.say("This account needs two-factor authentication. Nobody is signed in before it is on.")
		return c.enroll(ctx, object{"enroll_token": d.EnrollToken}, name, password)
	case "ask_code":
	default:
		return errors.New("this client can't go on: sign in with a browser")
	}
	if d.ThreeCodes {
		c.say("Single codes of the app are not accepted for a while. Enter three in a row instead, with spaces between them.")
	}
	var answer struct{ Success success }
	err := c.tryCodes(anyCode, func(code any) error {
		return c.post(ctx, "/2fa/sign-in", object{"challenge": d.Challenge, "code": code}, &answer)
	})
	var no *denial
	if is(err, "must_replace") && errors.As(err, &no) {
		c.say("%v", no)
		return c.enroll(ctx, object{"enroll_token": no.EnrollToken, "replace": no.Replace}, name, password)
	}
	if err != nil {
		return err
	}
	c.say("Signed in.")
	answer.Success.warn(c)
	return nil
}

// enroll does the setup that a sign-in demands. With has the token that stands for the user,
// and the first code signs in.
func (c *client) enroll(ctx context.Context, with object, name, password string) error {
	token, err := c.setUp(ctx, with)
	switch {
	case token != "" && c.lost(err):
		// If the setup was not done, the sign-in begins another one.
		return c.again(ctx, token, nil, func() error { return c.signInWith(ctx, name, password) })
	case err != nil:
		return err
	case c.session == "":
		return errors.New("that took too long: sign in again")
	}
	c.say("Signed in.")
	return nil
}

// success is what the host says about a right code.
type success struct {
	Factor     string
	CodesLeft  int `json:"codes_left"`
	WrongCodes int `json:"wrong_codes"`
	Receipt    string
}

func (s success) warn(c *client) {
	if s.WrongCodes > 0 {
		c.say("Wrong codes before that: %d. If that was not you, change your password.", s.WrongCodes)
	}
	if s.Factor == "recovery" {
		c.say("That recovery code is used up. You have %d left.", s.CodesLeft)
	}
}

// anyCode asks for a code where two-factor authentication is on.
const anyCode = "Code of your app, or a recovery code: "

// tryCodes asks for codes until one is right, or no code can help.
func (c *client) tryCodes(prompt string, try func(code any) error) error {
	for {
		typed, err := c.ask(prompt)
		if err != nil {
			return err
		}
		err = try(asCode(typed))
		if !is(err, "wrong_code", "replayed", "malformed_code", "clock_skew", "params_ignored", "locked", "factor_disabled", "busy") {
			return err
		}
		c.say("%v", err)
	}
}

// asCode returns what was typed as the host takes it: three numbers of at least six digits
// are three codes in a row.
func asCode(typed string) any {
	parts := strings.Fields(typed)
	for _, part := range parts {
		if len(part) < 6 || strings.Trim(part, "0123456789") != "" {
			return typed
		}
	}
	if len(parts) != 3 {
		return typed
	}
	return parts
}

// prove asks for a code, and keeps the receipt for what is done next.
func (c *client) prove(ctx context.Context, purpose string) error {
	var answer struct{ Success success }
	err := c.tryCodes(anyCode, func(code any) error {
		return c.post(ctx, "/2fa/step", object{"for": purpose, "code": code}, &answer)
	})
	if err != nil {
		return err
	}
	c.receipt = answer.Success.Receipt
	answer.Success.warn(c)
	return nil
}

func (c *client) danger(ctx context.Context, _ string) error {
	err := c.post(ctx, "/danger", object{}, &struct{}{})
	if is(err, "proof_required", "proof_stale", "proof_invalid") {
		if err = c.prove(ctx, "danger"); err == nil {
			err = c.post(ctx, "/danger", object{}, &struct{}{})
		}
	}
	if err == nil {
		c.say("Done something dangerous.")
	}
	return err
}
