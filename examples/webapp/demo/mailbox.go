package demo

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// MaxLetters is how many letters a mailbox keeps.
const MaxLetters = 200

// A Letter is a message to a user.
type Letter struct {
	ID      string // of the event, or ""
	At      time.Time
	Via, To string
	Subject string
	Text    string
	Link    string // path of a page of this site, or ""
}

// A Mailbox replaces a mail server and an SMS gateway. It keeps messages in memory, for a
// page that this machine alone can open: its codes and links open accounts, so the log does
// not contain them. It is safe for concurrent use.
type Mailbox struct {
	Now func() time.Time
	Log *slog.Logger

	mu      sync.Mutex
	letters []Letter // newest first
}

// Put adds a letter, unless the letter of the same event is there: an event can be
// delivered more than once, with the same ID.
func (m *Mailbox) Put(ctx context.Context, l Letter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l.ID != "" && slices.ContainsFunc(m.letters, func(x Letter) bool { return x.ID == l.ID }) {
		return
	}
	l.At = m.Now().UTC()
	m.letters = slices.Insert(m.letters, 0, l)
	m.letters = m.letters[:min(len(m.letters), MaxLetters)]
	m.Log.InfoContext(ctx, "would send", "via", l.Via, "subject", l.Subject)
}

// List returns the letters, the newest first.
func (m *Mailbox) List() []Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.letters)
}
