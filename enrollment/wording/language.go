package wording

import (
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// A Language is the words of one language. Texts can hold placeholders in braces,
// which the fields name. An entry that is missing is replaced by a general one, so
// an incomplete Language still answers; [Language.Check] finds what is missing.
//
// Once it is no longer changed, a Language is safe for concurrent use.
type Language struct {
	// Tag is the language as in HTML and HTTP (BCP 47), for example "en".
	Tag string

	// Denials are the texts for a [enrollment.Denied]. The Factor "" stands for all
	// factors that have no text of their own.
	Denials map[enrollment.Reason]map[enrollment.Factor]Phrase

	// Wait says how long to wait where a Phrase does not: {wait} or {in}.
	Wait string

	// Fast and Slow say in Denials what {skew} is: by how much, {wait}, the clock of
	// the phone is ahead or behind.
	Fast, Slow string

	// Denied is the text for a reason of a later version.
	Denied string

	// Busy is the text for enrollment.ErrBusy, NotSent that for
	// enrollment.ErrNotSent, and Fault that for every other error.
	Busy, NotSent, Fault string

	// Events are the texts about events.
	Events map[enrollment.EventKind]Notice

	// OtherEvent is the text about a kind of a later version.
	OtherEvent Notice

	// Note quotes the reason of an administrator: {note}.
	Note string

	// At says when an event happened: {time}. Times also says how often: {count},
	// which is at least 2.
	At, Times string

	// From says in a mail where it came from: {origin}. See [enrollment.WithOrigin].
	From string

	// Channels name the channels of addresses in texts about events. Another channel
	// appears in quotation marks as the application named it.
	Channels map[string]string

	// Decisions say what follows after the first factor.
	Decisions map[enrollment.Next]string

	// EnrollBy asks to enrol before {time}; see enrollment.Decision.EnrollBy.
	EnrollBy string

	// Factors name the factors, as in a list.
	Factors map[enrollment.Factor]string

	// Quotes are put before and after a name.
	Quotes [2]string

	// Time is the layout of times, for [time.Time.Format]. It should show the zone.
	Time string

	// Seconds, Minutes, Hours and Days are the units of {wait} and {in}.
	Seconds, Minutes, Hours, Days Unit

	// Sheet are the words of a sheet of recovery codes, for recovery.Sheet.Words.
	Sheet recovery.SheetWords

	// Plural returns which form of a Unit goes with n, from 0. Defaults to 0 for one
	// and 1 for more.
	Plural func(n int) int
}

// A Phrase is the text for a reason.
type Phrase struct {
	// Text says what went wrong and what to do: {skew}.
	Text string

	// Wait follows if waiting helps: {wait} or {in}. Defaults to Language.Wait.
	Wait string
}

// A Notice is the text about a kind of event.
type Notice struct {
	// Subject is the subject of a mail, without placeholders.
	Subject string

	// Text is what happened: {name}, {factor} for what was guessed, and {codes} for
	// Event.WrongCodes.
	Text string

	// Nameless replaces a Text with {name} if the event has no name.
	Nameless string

	// ByAdmin replaces Text if an administrator did it: {name}, and {actor} for
	// Event.Actor. Defaults to Text.
	ByAdmin string

	// Advice is what the owner should do. It stands in mails only.
	Advice string
}

// A Unit is the forms of a unit of time, each with {n}. Wait is how long to wait,
// such as "5 minutes". In is when, such as "in 5 minutes". Language.Plural chooses
// the form.
type Unit struct{ Wait, In []string }

// Next returns what to tell the user about a decision of SignIn, in one paragraph.
// Its times are in the given zone; nil stands for UTC. It is "" if there is
// nothing to say, and for a decision of a later version.
func (l *Language) Next(d enrollment.Decision, zone *time.Location) string {
	if !d.EnrollBy.IsZero() {
		return fill(l.EnrollBy, "{time}", l.time(d.EnrollBy, zone))
	}
	return l.Decisions[d.Next]
}

// Factor returns the name of a factor, or the factor itself if it has none.
func (l *Language) Factor(f enrollment.Factor) string {
	if name, ok := l.Factors[f]; ok {
		return name
	}
	return string(f)
}

// fill replaces placeholders in one pass, so that a name that looks like a
// placeholder stays as it is.
func fill(text string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(text)
}

// sentences joins those that are not empty.
func sentences(with string, all ...string) string {
	var kept []string
	for _, s := range all {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, with)
}
