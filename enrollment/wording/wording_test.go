package wording_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/wording"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func languages() []*wording.Language {
	return []*wording.Language{wording.English(), wording.German()}
}

// Every reason, event, decision and factor of this version has words in each
// language. If you added one, add it to both.
func TestEverythingHasWords(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		if err := l.Check(); err != nil {
			t.Errorf("%s: %v", l.Tag, err)
		}
	}
}

// A language has a name for each factor that enrollment declares, not only for
// those that Check knows of.
func TestEveryFactorHasAName(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../success.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\tFactor\w+ Factor = "(\w+)"$`).FindAllStringSubmatch(string(source), -1)
	if len(declared) < 5 {
		t.Fatalf("only %d factors found", len(declared))
	}
	for _, l := range languages() {
		for _, match := range declared {
			if name := l.Factor(enrollment.Factor(match[1])); name == match[1] {
				t.Errorf("%s: the factor %q has no name", l.Tag, match[1])
			}
		}
	}
}

// Check finds each thing that can be missing or wrong.
func TestCheckFindsWhatIsMissing(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		spoil func(*wording.Language)
		want  string
	}{
		"reason":      {func(l *wording.Language) { delete(l.Denials, enrollment.ReasonLocked) }, `"locked" has no words`},
		"factor text": {func(l *wording.Language) { delete(l.Denials["wrong_code"], enrollment.FactorRecovery) }, `"wrong_code" has no words of its own for the factor "recovery"`},
		"same text": {func(l *wording.Language) {
			l.Denials["replayed"][enrollment.FactorRecovery] = l.Denials["replayed"][""]
		}, `"replayed" has no words of its own`},
		"empty text":  {func(l *wording.Language) { l.Denials["locked"][""] = wording.Phrase{Wait: "{in}"} }, `Denials["locked"][""].Text is empty`},
		"event":       {func(l *wording.Language) { delete(l.Events, enrollment.EventReset) }, `event "reset" has no words`},
		"other event": {func(l *wording.Language) { l.OtherEvent.Subject = "" }, `Events["other"].Subject is empty`},
		"nameless": {func(l *wording.Language) {
			l.Events["reset"] = wording.Notice{Subject: "x", Text: "{name}", Advice: "x"}
		}, "Nameless is empty"},
		"decision":     {func(l *wording.Language) { delete(l.Decisions, enrollment.MustEnroll) }, "Decisions[must_enroll] is empty"},
		"factor":       {func(l *wording.Language) { delete(l.Factors, enrollment.FactorBypass) }, `Factors["bypass"] is empty`},
		"unit":         {func(l *wording.Language) { l.Days.In = l.Days.In[:1] }, "Days.In has no form for 2"},
		"plural":       {func(l *wording.Language) { l.Plural = func(n int) int { return n % 3 } }, "has no form for 2"},
		"placeholder":  {func(l *wording.Language) { l.Busy = "Wait {wait}." }, "Busy can't have {wait}"},
		"no wait":      {func(l *wording.Language) { l.Wait = "Wait." }, "Wait does not say how long"},
		"no time":      {func(l *wording.Language) { l.At = "Just now." }, "At lacks {time}"},
		"no origin":    {func(l *wording.Language) { l.From = "From here." }, "From lacks {origin}"},
		"no count":     {func(l *wording.Language) { l.Times = "Often." }, "Times lacks {count}"},
		"line break":   {func(l *wording.Language) { l.Fault = "a\nb" }, "Fault has a line break"},
		"link":         {func(l *wording.Language) { l.Fault = "https://a.example" }, "Fault has a link"},
		"in a subject": {func(l *wording.Language) { l.OtherEvent.Subject = "{name}" }, "Subject can't have {name}"},
		"sheet":        {func(l *wording.Language) { l.Sheet.One.Use = "" }, "Sheet.One.Use is empty"},
		"sheet's name": {func(l *wording.Language) { l.Sheet.Many.TitleFor = "Codes" }, "Sheet.Many.TitleFor lacks {issuer}"},
		"channel":      {func(l *wording.Language) { l.Channels["fax"] = "" }, `Channels["fax"] is empty`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := wording.English()
			tt.spoil(l)
			if err := l.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	if err := new(wording.Language).Check(); err == nil {
		t.Error("a Language without words is complete")
	}
}

// A language without words answers with the status and never panics.
func TestEmptyLanguage(t *testing.T) {
	t.Parallel()
	var l wording.Language
	got := l.Describe(&enrollment.Denied{Reason: enrollment.ReasonLocked, RetryAt: noon.Add(time.Minute)}, noon)
	if got.Status != http.StatusTooManyRequests || got.Wait != time.Minute {
		t.Errorf("%+v", got)
	}
	l.Mail(enrollment.Event{Kind: enrollment.EventReset, Actor: "a", Note: "b", Count: 2}, nil)
	l.Next(enrollment.Decision{Next: 200}, nil)
}

// Words for an error say which factor it is about, and how long to wait.
func TestDescribe(t *testing.T) {
	t.Parallel()
	in := func(d time.Duration) time.Time { return noon.Add(d) }
	tests := []struct {
		denied  enrollment.Denied
		english string
		german  string
		status  int
		wait    time.Duration
	}{
		{enrollment.Denied{Reason: enrollment.ReasonWrongCode, Factor: enrollment.FactorTOTP}, "That code is wrong.", "Dieser Code ist falsch.", 422, 0},
		{enrollment.Denied{Reason: enrollment.ReasonWrongCode, Factor: enrollment.FactorRecovery}, "not one of your recovery codes", "keiner Ihrer Wiederherstellungscodes", 422, 0},
		{enrollment.Denied{Reason: enrollment.ReasonWrongCode, Factor: enrollment.FactorDelivered}, "our last message", "unserer letzten Nachricht", 422, 0},
		{enrollment.Denied{Reason: enrollment.ReasonWrongCode, RetryAt: in(time.Minute)}, "Wait 1 minute before", "Warten Sie 1 Minute,", 422, time.Minute},
		{enrollment.Denied{Reason: enrollment.ReasonReplayed, RetryAt: in(20 * time.Second)}, "It appears in 20 seconds", "spätestens in 20 Sekunden", 422, 20 * time.Second},
		{enrollment.Denied{Reason: enrollment.ReasonReplayed, Factor: enrollment.FactorRecovery}, "Use another one.", "Nehmen Sie einen anderen.", 422, 0},
		{enrollment.Denied{Reason: enrollment.ReasonLocked, RetryAt: in(24 * time.Hour)}, "Wait 24 hours before", "Warten Sie 24 Stunden,", 429, 24 * time.Hour},
		{enrollment.Denied{Reason: enrollment.ReasonLocked, Factor: enrollment.FactorRecovery, RetryAt: in(14001 * time.Millisecond)}, "wrong recovery codes were entered. Wait 15 seconds", "Warten Sie 15 Sekunden,", 429, 15 * time.Second},
		{enrollment.Denied{Reason: enrollment.ReasonLocked, RetryAt: in(-time.Hour)}, "Wait 1 second before", "Warten Sie 1 Sekunde,", 429, time.Second},
		{enrollment.Denied{Reason: enrollment.ReasonFactorDisabled}, "Use a recovery code", "einen Wiederherstellungscode", 429, 0},
		{enrollment.Denied{Reason: enrollment.ReasonClockSkew, Skew: -30 * time.Second}, "about 30 seconds slow,", "geht etwa 30 Sekunden nach,", 422, 0},
		{enrollment.Denied{Reason: enrollment.ReasonClockSkew, Skew: 90 * time.Second, RetryAt: in(time.Minute)}, "about 2 minutes fast,", "geht etwa 2 Minuten vor,", 422, time.Minute},
		{enrollment.Denied{Reason: enrollment.ReasonTooManyCodeSets, RetryAt: in(2*time.Hour + time.Second)}, "the next one in 3 hours", "in 3 Stunden erstellen", 429, 2*time.Hour + time.Second},
		{enrollment.Denied{Reason: enrollment.ReasonResetWaiting, RetryAt: in(60 * time.Hour)}, "Wait 3 days.", "Warten Sie 3 Tage.", 409, 60 * time.Hour},
		{enrollment.Denied{Reason: enrollment.ReasonTooManyAuthenticators}, "maximum", "Mehr", 409, 0},
		{enrollment.Denied{Reason: enrollment.ReasonChallengeExpired}, "sign in again", "melden Sie sich noch einmal an", 401, 0},
		{enrollment.Denied{Reason: enrollment.ReasonProofStale}, "confirm", "bestätigen", 403, 0},
		{enrollment.Denied{Reason: enrollment.ReasonUnknownDevice}, "no longer trusted", "nicht mehr vertrauenswürdig", 404, 0},
		{enrollment.Denied{Reason: "of_a_later_version", RetryAt: in(48 * time.Hour)}, "That was not possible. Wait 2 days before", "Das war nicht möglich. Warten Sie 2 Tage,", 409, 48 * time.Hour},
	}
	for _, tt := range tests {
		for l, want := range map[*wording.Language]string{wording.English(): tt.english, wording.German(): tt.german} {
			for _, err := range []error{&tt.denied, fmt.Errorf("signing in: %w", &tt.denied)} {
				got := l.Describe(err, noon)
				if !strings.Contains(got.Text, want) || got.Status != tt.status || got.Wait.Round(time.Second) != got.Wait || got.Wait < tt.wait {
					t.Errorf("%s, %+v: %+v, want %q, status %d and a wait of %v", l.Tag, tt.denied, got, want, tt.status, tt.wait)
				}
			}
		}
	}
}

// No text keeps a placeholder or says nothing about the wait, whatever the reason,
// the factor and the time are.
func TestDescribeEveryDenial(t *testing.T) {
	t.Parallel()
	factors := []enrollment.Factor{"", enrollment.FactorTOTP, enrollment.FactorRecovery, enrollment.FactorDelivered, "other"}
	for _, l := range languages() {
		for _, reason := range append(enrollment.Reasons(), "of_a_later_version") {
			for _, factor := range factors {
				d := &enrollment.Denied{Reason: reason, Factor: factor, Skew: time.Minute}
				plain := l.Describe(d, noon)
				d.RetryAt = noon.Add(77 * time.Minute)
				waiting := l.Describe(d, noon)
				if strings.ContainsAny(plain.Text+waiting.Text, "{}") || strings.Contains(plain.Text+waiting.Text, "  ") {
					t.Errorf("%s, %s: %q, %q", l.Tag, reason, plain.Text, waiting.Text)
				}
				if plain.Wait != 0 || plain.RetryAfter() != "" || waiting.RetryAfter() != "4620" || !strings.Contains(waiting.Text, "77") {
					t.Errorf("%s, %s: %+v, %+v", l.Tag, reason, plain, waiting)
				}
				if plain.Status < 400 || plain.Status >= 500 || plain.Text == "" || plain.Text[len(plain.Text)-1] != '.' {
					t.Errorf("%s, %s: %+v", l.Tag, reason, plain)
				}
			}
		}
	}
}

// Without a time, Describe takes the wait that the Guard reckoned.
func TestDescribeWithoutClock(t *testing.T) {
	t.Parallel()
	d := &enrollment.Denied{Reason: enrollment.ReasonLocked, RetryAt: noon, Wait: 5 * time.Minute}
	if got := wording.English().Describe(d, time.Time{}); got.Wait != 5*time.Minute || !strings.Contains(got.Text, "5 minutes") {
		t.Errorf("%+v", got)
	}
}

// Errors that are no denials say nothing about their cause: all faults read alike.
func TestDescribeFaults(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		fault := l.Describe(errors.New("connection refused to 10.0.0.1"), noon)
		if fault.Status != http.StatusInternalServerError || fault.Wait != 0 || fault.Text != l.Fault {
			t.Errorf("%s: %+v", l.Tag, fault)
		}
		for _, err := range []error{
			enrollment.ErrMissing, enrollment.ErrNotApproved, enrollment.ErrUndelivered, enrollment.ErrNoEraser,
			errors.Join(enrollment.ErrCorrupt, errors.New("key 7")),
		} {
			if got := l.Describe(err, noon); got != fault {
				t.Errorf("%s, %v: %+v, want %+v", l.Tag, err, got, fault)
			}
		}
		if got := l.Describe(fmt.Errorf("x: %w", enrollment.ErrBusy), noon); got.Status != http.StatusServiceUnavailable || got.Text != l.Busy || got.RetryAfter() != "2" {
			t.Errorf("%s, busy: %+v", l.Tag, got)
		}
		if got := l.Describe(enrollment.ErrNotSent, noon); got.Status != http.StatusServiceUnavailable || got.Text != l.NotSent || got.Wait != enrollment.MessagePause {
			t.Errorf("%s, not sent: %+v", l.Tag, got)
		}
		if got := l.Describe(nil, noon); got != (wording.Answer{Status: http.StatusOK}) {
			t.Errorf("%s, nil: %+v", l.Tag, got)
		}
		if got := l.Describe(enrollment.ReasonOwnAccount, noon); got.Status != http.StatusForbidden || got.Text == l.Fault {
			t.Errorf("%s, a bare reason: %+v", l.Tag, got)
		}
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("CET", 3600)
	texts := map[string]bool{}
	for _, l := range languages() {
		for _, next := range []enrollment.Next{enrollment.Refuse, enrollment.Proceed, enrollment.AskCode, enrollment.MustEnroll} {
			texts[l.Next(enrollment.Decision{Next: next}, zone)] = true
		}
		if got := l.Next(enrollment.Decision{Next: enrollment.Proceed, EnrollBy: noon}, zone); !strings.Contains(got, "13:00") || !strings.Contains(got, "CET") {
			t.Errorf("%s: %q", l.Tag, got)
		}
	}
	if len(texts) != 8 || texts[""] {
		t.Errorf("the decisions are %v", texts)
	}
}

// The two languages differ in every text: none was left in the other.
func TestLanguagesDiffer(t *testing.T) {
	t.Parallel()
	english, german := wording.English(), wording.German()
	for reason, phrases := range english.Denials {
		for factor, phrase := range phrases {
			if other := german.Denials[reason][factor]; other.Text == phrase.Text || phrase.Wait != "" && other.Wait == phrase.Wait {
				t.Errorf("%s, %s: %+v", reason, factor, other)
			}
		}
		if len(phrases) != len(german.Denials[reason]) {
			t.Errorf("%s has words for other factors in German", reason)
		}
	}
	for kind, e := range english.Events {
		g := german.Events[kind]
		for _, pair := range [][2]string{{e.Subject, g.Subject}, {e.Text, g.Text}, {e.Nameless, g.Nameless}, {e.ByAdmin, g.ByAdmin}, {e.Advice, g.Advice}} {
			if (pair[0] == "") != (pair[1] == "") || pair[0] != "" && pair[0] == pair[1] {
				t.Errorf("%s: %q", kind, pair)
			}
		}
	}
}

// Each call returns a copy of its own.
func TestCopies(t *testing.T) {
	t.Parallel()
	changed := wording.English()
	changed.Denials[enrollment.ReasonLocked][""] = wording.Phrase{Text: "x"}
	changed.Events[enrollment.EventReset] = wording.Notice{}
	if err := wording.English().Check(); err != nil {
		t.Error(err)
	}
	if slices.Equal(languages()[0].Seconds.Wait, changed.Days.Wait) {
		t.Error("the units are the same")
	}
}
