package wording

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

var placeholderRE = regexp.MustCompile(`\{[^}]*\}?`)

// Check reports everything that is missing or wrong, in one error: a reason, event,
// decision, factor, unit or part of the sheet without words, a placeholder that a text
// can't have or lacks, and a text with a line break or a link. It returns nil for a Language that
// is complete. Call it in a test, since the reasons and events grow with later
// versions.
func (l *Language) Check() error {
	var c checker
	c.text("Tag", l.Tag, true)
	for _, reason := range enrollment.Reasons() {
		if _, ok := l.Denials[reason][""]; !ok {
			c.fail("the reason %q has no words", reason)
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(l.Denials)) {
		for _, factor := range slices.Sorted(maps.Keys(l.Denials[reason])) {
			phrase := l.Denials[reason][factor]
			where := fmt.Sprintf("Denials[%q][%q]", reason, factor)
			c.text(where+".Text", phrase.Text, true, "{skew}")
			c.wait(where+".Wait", phrase.Wait, false)
		}
	}
	for _, reason := range []enrollment.Reason{enrollment.ReasonWrongCode, enrollment.ReasonReplayed, enrollment.ReasonLocked, enrollment.ReasonFactorDisabled} {
		app := l.Denials[reason][""]
		for _, factor := range []enrollment.Factor{enrollment.FactorRecovery, enrollment.FactorDelivered} {
			if phrase, ok := l.Denials[reason][factor]; !ok || phrase == app {
				c.fail("the reason %q has no words of its own for the factor %q", reason, factor)
			}
		}
	}
	c.wait("Wait", l.Wait, true)
	for _, x := range []struct{ name, text, needs string }{
		{"Fast", l.Fast, "{wait}"}, {"Slow", l.Slow, "{wait}"},
		{"Denied", l.Denied, ""}, {"Busy", l.Busy, ""}, {"NotSent", l.NotSent, ""}, {"Fault", l.Fault, ""},
		{"Note", l.Note, "{note}"}, {"At", l.At, "{time}"}, {"From", l.From, "{origin}"}, {"EnrollBy", l.EnrollBy, "{time}"},
		{"Quotes[0]", l.Quotes[0], ""}, {"Quotes[1]", l.Quotes[1], ""}, {"Time", l.Time, ""},
	} {
		c.text(x.name, x.text, true, x.needs)
		c.needs(x.name, x.text, x.needs)
	}
	c.text("Times", l.Times, true, "{count}", "{time}")
	c.needs("Times", l.Times, "{count}")
	l.checkEvents(&c)
	for next := enrollment.Refuse; known(next); next++ {
		c.text(fmt.Sprintf("Decisions[%v]", next), l.Decisions[next], true)
	}
	for _, factor := range factors {
		c.text(fmt.Sprintf("Factors[%q]", factor), l.Factors[factor], true)
	}
	for channel, name := range l.Channels {
		c.text(fmt.Sprintf("Channels[%q]", channel), name, true)
	}
	l.checkUnits(&c)
	l.checkSheet(&c)
	return errors.Join(c.problems...)
}

func (l *Language) checkEvents(c *checker) {
	notices := maps.Clone(l.Events)
	if notices == nil {
		notices = map[enrollment.EventKind]Notice{}
	}
	for _, kind := range enrollment.EventKinds() {
		if _, ok := notices[kind]; !ok {
			c.fail("the event %q has no words", kind)
		}
	}
	notices["other"] = l.OtherEvent
	for _, kind := range slices.Sorted(maps.Keys(notices)) {
		n := notices[kind]
		where := fmt.Sprintf("Events[%q].", kind)
		c.text(where+"Subject", n.Subject, true)
		c.text(where+"Text", n.Text, true, "{name}", "{factor}", "{codes}")
		c.text(where+"Nameless", n.Nameless, strings.Contains(n.Text, "{name}"), "{factor}")
		c.text(where+"ByAdmin", n.ByAdmin, false, "{name}", "{actor}", "{factor}")
		c.text(where+"Advice", n.Advice, true)
	}
}

// factors are all factors.
var factors = []enrollment.Factor{
	enrollment.FactorTOTP, enrollment.FactorRecovery, enrollment.FactorDelivered,
	enrollment.FactorTrustedDevice, enrollment.FactorBypass,
}

// known reports whether a decision is one of this version.
func known(next enrollment.Next) bool {
	_, err := next.MarshalText()
	return err == nil
}

// checkUnits tries the forms of numbers that differ in some language.
func (l *Language) checkUnits(c *checker) {
	for name, u := range map[string]Unit{"Seconds": l.Seconds, "Minutes": l.Minutes, "Hours": l.Hours, "Days": l.Days} {
		for form, texts := range map[string][]string{"Wait": u.Wait, "In": u.In} {
			for i, text := range texts {
				c.text(fmt.Sprintf("%s.%s[%d]", name, form, i), text, true, "{n}")
			}
			for n := 1; n <= 130; n++ {
				if text := l.form(texts, n); len(text) <= len(fmt.Sprint(n)) {
					c.fail("%s.%s has no form for %d", name, form, n)
					break
				}
			}
		}
	}
}

func (l *Language) checkSheet(c *checker) {
	c.text("Sheet.Lang", l.Sheet.Lang, true)
	c.text("Sheet.Account", l.Sheet.Account, true, "{account}")
	c.needs("Sheet.Account", l.Sheet.Account, "{account}")
	c.text("Sheet.Created", l.Sheet.Created, true, "{date}")
	c.needs("Sheet.Created", l.Sheet.Created, "{date}")
	for name, text := range map[string]recovery.SheetText{"Sheet.Many": l.Sheet.Many, "Sheet.One": l.Sheet.One} {
		c.text(name+".Title", text.Title, true)
		c.text(name+".TitleFor", text.TitleFor, true, "{issuer}")
		c.needs(name+".TitleFor", text.TitleFor, "{issuer}")
		c.text(name+".Use", text.Use, true)
		c.text(name+".Advice", strings.Join(text.Advice, " "), true)
	}
}

// A checker collects what is wrong.
type checker struct{ problems []error }

func (c *checker) fail(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf("wording: "+format, args...))
}

func (c *checker) text(name, text string, needed bool, placeholders ...string) {
	switch {
	case strings.TrimSpace(text) == "":
		if needed {
			c.fail("%s is empty", name)
		}
		return
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }):
		c.fail("%s has a line break or another control character", name)
	case strings.Contains(text, "://"):
		c.fail("%s has a link", name)
	}
	for _, p := range placeholderRE.FindAllString(text, -1) {
		if !slices.Contains(placeholders, p) {
			c.fail("%s can't have %s", name, p)
		}
	}
}

// wait checks a text that says how long to wait.
func (c *checker) wait(name, text string, needed bool) {
	c.text(name, text, needed, "{wait}", "{in}")
	if text != "" && !strings.Contains(text, "{wait}") && !strings.Contains(text, "{in}") {
		c.fail("%s does not say how long", name)
	}
}

func (c *checker) needs(name, text, placeholder string) {
	if placeholder != "" && text != "" && !strings.Contains(text, placeholder) {
		c.fail("%s lacks %s", name, placeholder)
	}
}
