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

// A letter is what would have been sent.
type letter struct {
	ID      string // of the event, or ""
	At      time.Time
	Via, To string
	Subject string
	Text    string
	Link    string // to a page of ours, or ""
}

// mailbox takes the place of a mail server and of a gateway for text messages:
// it keeps what would have been sent in memory, for the page /messages. It is a
// tool for development. Codes and links in it open accounts, so the log says
// only that there was a message, and the page is served to this machine alone.
type mailbox struct {
	now func() time.Time
	log *slog.Logger

	mu      sync.Mutex
	letters []letter // newest first
}

var _ enrollment.Sender = (*mailbox)(nil)

// Send takes a code that is to be delivered.
func (m *mailbox) Send(ctx context.Context, msg enrollment.Message) error {
	text := "Your code is " + msg.Code() + ". It is good for ten minutes. Tell it to nobody: we will never ask you for it."
	if msg.Purpose == enrollment.PurposeSetup {
		text = "Your code is " + msg.Code() + ". It proves that this number is yours."
	}
	m.put(ctx, letter{Via: msg.Channel, To: msg.To, Subject: "Code", Text: text})
	return nil
}

// put adds a letter. One whose event is there already comes a second time:
// events are delivered at least once, with the same ID.
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

// notify is where a real service puts a message to the user into its queue of
// outgoing mail. It must not send here: the user is waiting.
func (a *app) notify(ctx context.Context, e enrollment.Event) error {
	u, err := a.users.byID(ctx, e.UserID)
	if errors.Is(err, errNoUser) {
		return nil // there is nobody left to tell
	}
	if err != nil {
		return err // the event stays in the account, and comes again
	}
	a.mailbox.put(ctx, letter{
		ID:      e.ID,
		Via:     "email",
		To:      u.Email,
		Subject: "The security of your account",
		Text:    describe(e) + advice(e),
		Link:    "/security",
	})
	return nil
}

// letters shows the mailbox, to whoever sits at this machine.
func (a *app) letters(w http.ResponseWriter, r *http.Request) {
	if !a.config.mailbox || !isLocal(r) {
		a.notFound(w, r)
		return
	}
	a.render(w, r, http.StatusOK, "messages", a.mailbox.list())
}

// isLocal reports whether the request names this machine, and comes from it. A
// web site elsewhere can have its own name lead to this address, and would then
// read the page by way of the user's browser. Who says that somebody else is
// behind them is a proxy; not all say so.
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
