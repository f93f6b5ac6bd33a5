package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
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
	now func() time.Time
	log *slog.Logger

	mu      sync.Mutex
	letters []letter // newest first
}

var _ enrollment.Sender = (*mailbox)(nil)

// Send delivers a code.
func (m *mailbox) Send(ctx context.Context, msg enrollment.Message) error {
	text := "Your code is " + msg.Code() + ". It expires in ten minutes. Do not share it: we never ask for it."
	if msg.Purpose == enrollment.PurposeSetup {
		text = "Your code is " + msg.Code() + ". Enter it to confirm this phone number."
	}
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
	u, err := a.users.byID(ctx, e.UserID)
	if errors.Is(err, errNoUser) {
		return nil // the user was deleted
	}
	if err != nil {
		return err // the event stays in the account and is delivered again later
	}
	mail := words.Mail(e, time.UTC) // a real service knows the user's language and zone
	a.mailbox.put(ctx, letter{
		ID:      e.ID,
		Via:     "email",
		To:      u.Email,
		Subject: mail.Subject,
		Text:    mail.Text,
		Link:    "/security",
	})
	return nil
}

// letters shows the mailbox to users of this machine.
func (a *app) letters(w http.ResponseWriter, r *http.Request) {
	if !a.config.mailbox || !isLocal(r) {
		a.notFound(w, r)
		return
	}
	a.render(w, r, http.StatusOK, "messages", a.mailbox.list())
}

// isLocal reports whether the request comes from this machine and names it. The
// name matters because of DNS rebinding: a foreign web site can point its own
// name at this address and read the page through the user's browser. The headers
// reveal a proxy, but not every proxy sets one.
func isLocal(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	host := hostName(r)
	return err == nil && net.ParseIP(from).IsLoopback() && (host == "localhost" || net.ParseIP(host).IsLoopback())
}
