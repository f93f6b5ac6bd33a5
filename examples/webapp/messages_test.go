package main

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Every reason and event of the library has words of its own. This fails if a later
// version adds one.
func TestEveryReasonHasWords(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	unknown := deniedInWords(&enrollment.Denied{Reason: "of_a_later_version"}, now)
	for _, reason := range enrollment.Reasons() {
		if got := deniedInWords(&enrollment.Denied{Reason: reason}, now); got == unknown || got == "" {
			t.Errorf("there are no words for the reason %q", reason)
		}
	}
	unknown = describe(enrollment.Event{Kind: "of_a_later_version"})
	for _, kind := range enrollment.EventKinds() {
		if got := describe(enrollment.Event{Kind: kind}); got == strings.ReplaceAll(unknown, "of_a_later_version", string(kind)) || got == "" {
			t.Errorf("there are no words for the event %q", kind)
		}
	}
}

func TestDeniedInWords(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for want, d := range map[string]enrollment.Denied{
		"Wait 1 minute before":                    {Reason: enrollment.ReasonWrongCode, RetryAt: now.Add(time.Minute)},
		"not one of your recovery codes":          {Reason: enrollment.ReasonWrongCode, Factor: enrollment.FactorRecovery},
		"Wait 24 hours before":                    {Reason: enrollment.ReasonLocked, RetryAt: now.Add(24 * time.Hour)},
		"wrong recovery codes. Wait 15 seconds":   {Reason: enrollment.ReasonLocked, Factor: enrollment.FactorRecovery, RetryAt: now.Add(15 * time.Second)},
		"about 30 seconds slow":                   {Reason: enrollment.ReasonClockSkew, Skew: -30 * time.Second},
		"about 9 minutes fast":                    {Reason: enrollment.ReasonClockSkew, Skew: 9 * time.Minute},
		"clock is about 2 minutes fast":           {Reason: enrollment.ReasonClockSkew, Skew: 90 * time.Second},
		"You can make the next one in 3 hours":    {Reason: enrollment.ReasonTooManyCodeSets, RetryAt: now.Add(2*time.Hour + time.Second)},
		"That was not possible.":                  {Reason: "of_a_later_version"},
		"Use a recovery code.":                    {Reason: enrollment.ReasonFactorDisabled},
		"Use another one.":                        {Reason: enrollment.ReasonReplayed, Factor: enrollment.FactorRecovery},
		"Wait until your app shows the next one.": {Reason: enrollment.ReasonReplayed, Factor: enrollment.FactorTOTP},
		"turned off until you use a recovery":     {Reason: "lock"},
		"locked after too many wrong ones. ":      {Reason: "lock", RetryAt: now.Add(time.Minute)},
	} {
		got := deniedInWords(&d, now)
		if d.Reason == "lock" {
			got = lockInWords(enrollment.Lock{Factor: enrollment.FactorTOTP, Until: d.RetryAt}, now)
		}
		if !strings.Contains(got, want) {
			t.Errorf("%+v: %q, want %q", d, got, want)
		}
	}
}

func TestInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Hour:                     "1 second",
		0:                              "1 second",
		time.Millisecond:               "1 second",
		time.Second:                    "1 second",
		1100 * time.Millisecond:        "2 seconds",
		59 * time.Second:               "59 seconds",
		59*time.Second + 1:             "1 minute",
		time.Minute:                    "1 minute",
		time.Minute + 1:                "2 minutes",
		90 * time.Minute:               "90 minutes",
		2 * time.Hour:                  "2 hours",
		23*time.Hour + time.Minute:     "24 hours",
		48 * time.Hour:                 "2 days",
		30*24*time.Hour - time.Second:  "30 days",
		30*24*time.Hour + 1*time.Hour:  "31 days",
		119*time.Minute + time.Second:  "2 hours",
		60*time.Minute - 1*time.Second: "60 minutes",
	} {
		if got := inWords(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", enrollment.MaxName)
	for in, want := range map[string]string{
		"  work\tphone ": "workphone",
		"a\xffb":         "ab",
		long:             long[:enrollment.MaxName],
		"":               "",
	} {
		if got := cleanName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
