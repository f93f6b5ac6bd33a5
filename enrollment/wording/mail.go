package wording

import (
	"strconv"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A Mail is a message to the owner of an account. It holds no secret, no code and
// no link.
type Mail struct {
	// Subject is one line that names nothing a user typed. Encode it for the header,
	// and put the name of the service before it.
	Subject string

	// Text is plain text in paragraphs: what happened, when, from where and why, and
	// what to do. It quotes Event.Origin unless an administrator did it. Lines end in
	// "\n" and are not wrapped.
	Text string
}

// Mail returns the message about an event. Times are in the zone of the reader;
// nil stands for UTC. Send it on another way than the address that was bound or
// that received codes.
func (l *Language) Mail(e enrollment.Event, zone *time.Location) Mail {
	notice := l.notice(e.Kind)
	at := l.At
	if e.Count > 1 {
		at = l.Times
	}
	at = fill(at, "{time}", l.time(e.At, zone), "{count}", strconv.Itoa(e.Count))
	if e.Origin != "" && e.Actor == "" {
		at = sentences(" ", at, fill(l.From, "{origin}", l.quote(e.Origin)))
	}
	return Mail{
		Subject: notice.Subject,
		Text:    sentences("\n\n", l.Event(e), at, notice.Advice) + "\n",
	}
}

// Event returns in one line what happened, for a list of recent events. It names
// no administrator, but quotes the reason that one gave.
func (l *Language) Event(e enrollment.Event) string {
	notice := l.notice(e.Kind)
	text := notice.Text
	switch {
	case e.Actor != "" && notice.ByAdmin != "":
		text = notice.ByAdmin
	case e.Name == "" && notice.Nameless != "":
		text = notice.Nameless
	}
	text = fill(text, "{name}", l.name(e), "{factor}", l.Factor(e.Factor), "{codes}", strconv.Itoa(e.WrongCodes), "{actor}", l.quote(e.Actor))
	note := ""
	if e.Note != "" {
		note = fill(l.Note, "{note}", l.quote(e.Note))
	}
	return sentences(" ", text, note)
}

func (l *Language) notice(kind enrollment.EventKind) Notice {
	if notice, ok := l.Events[kind]; ok {
		return notice
	}
	return l.OtherEvent
}

// name returns the name in an event. That of an address is its channel.
func (l *Language) name(e enrollment.Event) string {
	if e.Kind == enrollment.EventAddressBound || e.Kind == enrollment.EventAddressRemoved {
		if channel, ok := l.Channels[e.Name]; ok {
			return channel
		}
	}
	return l.quote(e.Name)
}
