package enrollment_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

const laptop = "Firefox on Linux, 192.0.2.7"

// Where a request comes from reaches Notify, the log and the history, whatever the
// operation is, and also if the event is delivered later, by another node.
func TestOriginReachesTheOwner(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	k.Told()
	k.Log()
	ctx := enrollment.WithOrigin(t.Context(), laptop)
	k.FailNotify(errors.New("the queue is full"))
	if _, err := k.Guard.RenewCodes(ctx, "alice", enrollment.ByCode(alice.Code())); err != nil {
		t.Fatal(err)
	}
	if log := k.Log(); strings.Count(log, laptop) != 2 { // the event and the call
		t.Errorf("the log is %s", log)
	}
	k.FailNotify(nil)
	k.Pass(2 * time.Minute)
	k.MoveTo(k.Store) // a restart
	k.Sweep()
	told := k.Told()
	if len(told) != 1 || told[0].Kind != enrollment.EventCodesRenewed || told[0].Origin != laptop {
		t.Fatalf("told of %+v", told)
	}
	if h := k.Status("alice").History[0]; h != told[0] {
		t.Errorf("the history has %+v, told was %+v", h, told[0])
	}
}

// The innermost origin counts, and the empty one is none.
func TestOriginIsReplaced(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	for _, want := range []string{"a phone", ""} {
		k.Told()
		k.Pass(time.Minute)
		ctx := enrollment.WithOrigin(enrollment.WithOrigin(t.Context(), laptop), want)
		if _, err := k.Guard.RenewCodes(ctx, "alice", enrollment.ByCode(alice.Code())); err != nil {
			t.Fatal(err)
		}
		k.WantTold(enrollment.Event{Kind: enrollment.EventCodesRenewed, Factor: enrollment.FactorTOTP, Origin: want})
	}
}

// An attacker writes the headers: whatever they hold is cut and cleaned, and the
// operation goes on.
func TestOriginIsCutAndCleaned(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", enrollment.MaxOrigin)
	for raw, want := range map[string]string{
		"":                                  "",
		" \t\x00 ":                          "",
		"  Safari \r\n\r\n on\x00iOS  ":     "Safari on iOS",
		"a\u202egnp.exe\u2028b\u200b":       "a gnp.exe b",
		"caf\xe9 \xff\xfe":                  "caf",
		"Jürgens Rechner 电脑":                "Jürgens Rechner 电脑",
		long:                                long,
		long + "y":                          long,
		long[1:] + "é":                      long[1:],
		long + "\n\n\x00":                   long,
		strings.Repeat("\x00", 1<<20) + "x": "",
		strings.Repeat("ab ", 1<<20):        strings.TrimSpace(strings.Repeat("ab ", 43)[:enrollment.MaxOrigin]),
	} {
		k := proving.New(t)
		ctx := enrollment.WithOrigin(t.Context(), raw)
		if err := k.Guard.Admin("root", "x").Bypass(ctx, "alice", k.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		got := k.Told()[0].Origin
		if got != want || len(got) > enrollment.MaxOrigin || !utf8.ValidString(got) {
			t.Errorf("%.40q became %q, want %q", raw, got, want)
		}
	}
}

// A user's page as JSON shows where the user was, and not where an administrator was.
func TestHistoryHidesTheAdministratorsOrigin(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	user, admin := enrollment.WithOrigin(t.Context(), laptop), enrollment.WithOrigin(t.Context(), "the office")
	if _, err := k.Guard.RenewCodes(user, "alice", enrollment.ByCode(alice.Code())); err != nil {
		t.Fatal(err)
	}
	if err := k.Guard.Admin("root", "x").Bypass(admin, "alice", k.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	history := k.Status("alice").History
	text, err := json.Marshal(history)
	if err != nil || !strings.Contains(string(text), laptop) || strings.Contains(string(text), "office") {
		t.Errorf("%s, %v", text, err)
	}
	if history[0].Origin != "the office" {
		t.Errorf("administrators see %+v", history[0])
	}
}

// A context without an origin, or of another package, has none.
func TestNoOrigin(t *testing.T) {
	t.Parallel()
	type key struct{}
	k := proving.New(t)
	ctx := context.WithValue(t.Context(), key{}, laptop)
	if err := k.Guard.Admin("root", "x").Bypass(ctx, "alice", k.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := k.Told()[0].Origin; got != "" {
		t.Errorf("the origin is %q", got)
	}
}
