package main

import (
	"context"
	"errors"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
)

var _ enrollment.Sender = (*app)(nil)

// Send delivers a code. By the last line, phones offer the code on this site and on no
// other.
func (a *app) Send(ctx context.Context, msg enrollment.Message) error {
	u, err := a.accounts.ByID(ctx, msg.UserID)
	if err != nil {
		return err
	}
	text := "Your code is %v. It expires in ten minutes. Do not share it: we never ask for it."
	switch msg.Purpose {
	case enrollment.PurposeSetup:
		text = "Your code is %v. Enter it to confirm this phone number."
	case resetPurpose:
		text = "Your code is %v. Enter it to choose a new password. If you did not ask for it, ignore it."
	}
	l := languageTagged(u.Language)
	text = l.say(text, msg.Code()) + "\n\n@" + a.config.domain + " #" + msg.Code()
	a.mailbox.Put(ctx, demo.Letter{Via: msg.Channel, To: msg.To, Subject: l.say("Your code"), Text: text})
	return nil
}

// notify puts a message about the event into the mailbox. A real service puts it
// into its queue of outgoing mail. It must not send mail here, because the user
// is waiting.
func (a *app) notify(ctx context.Context, e enrollment.Event) error {
	u, err := a.accounts.ByID(ctx, e.UserID)
	if errors.Is(err, accounts.ErrNoUser) {
		return nil // the user was deleted
	}
	if err != nil {
		return err // the event stays in the account and is delivered again later
	}
	mail := languageTagged(u.Language).Mail(e, time.UTC) // a real service knows the user's zone
	a.mailbox.Put(ctx, demo.Letter{
		ID: e.ID, Via: "email", To: u.Email, Subject: mail.Subject, Text: mail.Text, Link: twoFactorPath + "/",
	})
	return nil
}

// linkMail has the link to a new password.
func linkMail(u accounts.User, link string, at time.Time, origin string) demo.Letter {
	l := languageTagged(u.Language)
	return demo.Letter{
		Via: "email", To: u.Email, Subject: l.say("Reset your password"), Link: link,
		Text: l.say("Someone asked for a link to change your password on %v, from “%v”. The link expires in %v. If it was not you, ignore this message.",
			l.time(at), origin, l.Duration(accounts.LinkTTL)),
	}
}

// passwordMail says that the password was changed.
func passwordMail(u accounts.User, at time.Time, origin string) demo.Letter {
	l := languageTagged(u.Language)
	return demo.Letter{
		Via: "email", To: u.Email, Subject: l.say("Your password was changed"), Link: "/forgot",
		Text: l.say("Your password was changed on %v, from “%v”. If it was not you, ask for a link to reset it, and tell us.", l.time(at), origin),
	}
}
