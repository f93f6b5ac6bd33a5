package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/wording"
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

	mu      sync.Mutex
	letters []letter // newest first
}

var _ enrollment.Sender = (*mailbox)(nil)

// Send delivers a code. By the last line, phones offer the code on this site and on no
// other.
func (m *mailbox) Send(ctx context.Context, msg enrollment.Message) error {
	text := "Your code is " + msg.Code() + ". It expires in ten minutes. Do not share it: we never ask for it."
	switch msg.Purpose {
	case enrollment.PurposeSetup:
		text = "Your code is " + msg.Code() + ". Enter it to confirm this phone number."
	case resetPurpose:
		text = "Your code is " + msg.Code() + ". Enter it to choose a new password. If you did not ask for it, ignore it."
	}
	text += "\n\n@" + m.domain + " #" + msg.Code()
	m.put(ctx, letter{Via: msg.Channel, To: msg.To, Subject: "Your code", Text: text})
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
	mail := mailWords(u).Mail(e, time.UTC) // a real service knows the user's zone
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

// mailWords returns the words of the library in the user's language.
func mailWords(u accounts.User) *wording.Language {
	if u.Language == "de" {
		return wording.German()
	}
	return wording.English()
}

// linkMail has the link to a new password.
func linkMail(u accounts.User, link string, at time.Time, origin string) letter {
	l := letter{Via: "email", To: u.Email, Subject: "Reset your password", Link: link}
	l.Text = fmt.Sprintf("Someone asked for a link to change your password on %s, from “%s”. The link expires in %s. If it was not you, ignore this message.",
		inUTC(at), origin, inWords(accounts.LinkTTL))
	if u.Language == "de" {
		l.Subject = "Neues Passwort"
		l.Text = fmt.Sprintf("Am %s hat jemand um einen Link für ein neues Passwort gebeten, und zwar von „%s“ aus. Der Link gilt %s. Wenn Sie das nicht waren, ist nichts zu tun.",
			inUTC(at), origin, wording.German().Duration(accounts.LinkTTL))
	}
	return l
}

// passwordMail says that the password was changed.
func passwordMail(u accounts.User, at time.Time, origin string) letter {
	l := letter{Via: "email", To: u.Email, Subject: "Your password was changed", Link: "/forgot"}
	l.Text = fmt.Sprintf("Your password was changed on %s, from “%s”. If it was not you, ask for a link to reset it, and tell us.", inUTC(at), origin)
	if u.Language == "de" {
		l.Subject = "Ihr Passwort wurde geändert"
		l.Text = fmt.Sprintf("Ihr Passwort wurde am %s geändert, von „%s“ aus. Wenn Sie das nicht waren, bitten Sie um einen Link für ein neues, und sagen Sie uns Bescheid.", inUTC(at), origin)
	}
	return l
}

// letters shows the mailbox to users of this machine.
func (a *app) letters(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	if a.config.demo == nil || !isLocal(r) {
		return notFound
	}
	return a.render(w, r, http.StatusOK, "messages", a.mailbox.list())
}
