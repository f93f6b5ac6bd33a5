package enrollment_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A step-up counts for its purpose and its user, for as long as the host says.
func TestRecent(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	alice, bob := o.enroll("alice"), o.enroll("bob")
	at := o.clock.Now()
	receipt := alice.verify("delete-project").Receipt
	recent := func(user string, p enrollment.Purpose, within time.Duration) (enrollment.Success, error) {
		return o.guard.RecentlyVerified(t.Context(), user, p, receipt, within)
	}
	o.unchanged("alice", func() {
		ok, err := recent("alice", "delete-project", time.Hour)
		want := enrollment.Success{
			UserID: "alice", Purpose: "delete-project", Factor: enrollment.FactorTOTP, At: at, Receipt: receipt, CodesLeft: 10,
		}
		if err != nil || !reflect.DeepEqual(ok, want) {
			t.Errorf("%+v, %v, want %+v", ok, err, want)
		}
		for name, x := range map[string]struct {
			user    string
			purpose enrollment.Purpose
			receipt string
		}{
			"another purpose":   {"alice", "delete-account", receipt},
			"a sign-in":         {"alice", enrollment.PurposeSignIn, receipt},
			"another user":      {"bob", "delete-project", receipt},
			"somebody unknown":  {"carol", "delete-project", receipt},
			"nothing":           {"alice", "delete-project", ""},
			"another's receipt": {"alice", "delete-project", bob.verify("delete-project").Receipt},
			"a challenge":       {"alice", "delete-project", o.signIn("alice", enrollment.SignInOptions{Purpose: "delete-project"}).Challenge},
			"1 MiB":             {"alice", "delete-project", strings.Repeat("A", 1<<20)},
		} {
			ok, err := o.guard.RecentlyVerified(t.Context(), x.user, x.purpose, x.receipt, time.Hour)
			wantReason(t, err, enrollment.ReasonProofInvalid)
			if !reflect.DeepEqual(ok, enrollment.Success{}) {
				t.Errorf("%s: %+v", name, ok)
			}
		}
	})
	for _, within := range []time.Duration{0, -1, 24*time.Hour + 1} {
		if ok, err := recent("alice", "delete-project", within); err == nil || modelReason(err) != "fault" || ok.UserID != "" {
			t.Errorf("within %v: %v", within, err)
		}
	}
	for _, p := range []enrollment.Purpose{"", enrollment.PurposeSetup, "a\nb"} {
		if ok, err := recent("alice", p, time.Hour); modelReason(err) != "fault" || ok.UserID != "" {
			t.Errorf("purpose %q: %v", p, err)
		}
	}
	if _, err := recent("", "delete-project", time.Hour); err == nil {
		t.Error("the empty user is taken")
	}
}

func TestRecentEnds(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	alice := o.enroll("alice")
	at := o.clock.Now()
	receipt := alice.verify("x").Receipt
	for after, want := range map[time.Duration]enrollment.Reason{
		-2 * time.Minute:             enrollment.ReasonProofStale, // the clock has jumped back
		-time.Minute:                 "",                          // another node's runs ahead
		0:                            "",
		time.Hour:                    "",
		time.Hour + time.Microsecond: enrollment.ReasonProofStale,
		365 * 24 * time.Hour:         enrollment.ReasonProofStale,
		-365 * 24 * time.Hour:        enrollment.ReasonProofStale,
	} {
		o.clock.Advance(at.Add(after).Sub(o.clock.Now()))
		_, err := o.guard.RecentlyVerified(t.Context(), "alice", "x", receipt, time.Hour)
		if got := modelReason(err); got != want {
			t.Errorf("after %v: %q, want %q", after, got, want)
		}
	}
	o.clock.Advance(at.Add(time.Minute).Sub(o.clock.Now()))
	if _, err := o.guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(alice.code())); err != nil {
		t.Fatal(err)
	}
	_, err := o.guard.RecentlyVerified(t.Context(), "alice", "x", receipt, time.Hour)
	wantReason(t, err, enrollment.ReasonProofInvalid)
}

// What the host is told is what is true now, also for a receipt of a recovery
// code, which outlives the change that it is itself.
func TestRecentAfterRecovery(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	alice := o.enroll("alice")
	ok, err := o.guard.Verify(t.Context(), "alice", "x", alice.codes[0])
	granted(t, err)
	again, err := o.guard.RecentlyVerified(t.Context(), "alice", "x", ok.Receipt, time.Hour)
	if err != nil || again.Factor != enrollment.FactorRecovery || again.CodesLeft != 9 || !again.At.Equal(ok.At) {
		t.Errorf("%+v, %v", again, err)
	}
}
