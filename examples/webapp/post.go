package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

// maxLetters is how many letters the mailbox keeps.
const maxLetters = 200

// A letter is a message to a user.
type letter struct {
	ID      string // of the event, or ""
	At      time.Time
	Via, To string
	Subject string
	Text    string
	Link    string // path of a page of this site, or ""
}

// mailbox replaces a mail server and an SMS gateway. It keeps messages in memory
// for the page /messages. It is a tool for development. Its codes and links open
// accounts, so the log does not contain them and the page is served to this
// machine only.
type mailbox struct {
	now    func() time.Time
	log    *slog.Logger
	domain string // of this site

	accounts *accounts.Store // which knows the language of a user

	mu      sync.Mutex
	letters []letter // newest first
}

var _ enrollment.Sender = (*mailbox)(nil)

// Send delivers a code. By the last line, phones offer the code on this site and on no
// other.
func (m *mailbox) Send(ctx context.Context, msg enrollment.Message) error {
	u, err := m.accounts.ByID(ctx, msg.UserID)
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
	text = l.say(text, msg.Code()) + "\n\n@" + m.domain + " #" + msg.Code()
	m.put(ctx, letter{Via: msg.Channel, To: msg.To, Subject: l.say("Your code"), Text: text})
	return nil
}

// put adds a letter, unless the letter of the same event is there: an event can
// be delivered more than once, with the same ID.
func (m *mailbox) put(ctx context.Context, l letter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l.ID != "" && slices.ContainsFunc(m.letters, func(x letter) bool { return x.ID == l.ID }) {
		return
	}
	l.At = m.now().UTC()
	m.letters = slices.Insert(m.letters, 0, l)
	m.letters = m.letters[:min(len(m.letters), maxLetters)]
	m.log.InfoContext(ctx, "would send", "via", l.Via, "subject", l.Subject)
}

func (m *mailbox) list() []letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.letters)
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
	a.mailbox.put(ctx, letter{
		ID:      e.ID,
		Via:     "email",
		To:      u.Email,
		Subject: mail.Subject,
		Text:    mail.Text,
		Link:    twoFactorPath + "/",
	})
	return nil
}

// linkMail has the link to a new password.
func linkMail(u accounts.User, link string, at time.Time, origin string) letter {
	l := languageTagged(u.Language)
	return letter{
		Via: "email", To: u.Email, Subject: l.say("Reset your password"), Link: link,
		Text: l.say("Someone asked for a link to change your password on %v, from “%v”. The link expires in %v. If it was not you, ignore this message.",
			l.time(at), origin, l.Duration(accounts.LinkTTL)),
	}
}

// passwordMail says that the password was changed.
func passwordMail(u accounts.User, at time.Time, origin string) letter {
	l := languageTagged(u.Language)
	return letter{
		Via: "email", To: u.Email, Subject: l.say("Your password was changed"), Link: "/forgot",
		Text: l.say("Your password was changed on %v, from “%v”. If it was not you, ask for a link to reset it, and tell us.", l.time(at), origin),
	}
}

// letters shows the mailbox to users of this machine.
func (a *app) letters(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	if a.config.demo == nil || !front.Local(r) {
		return notFound
	}
	return a.render(w, r, http.StatusOK, "messages", a.mailbox.list())
}
