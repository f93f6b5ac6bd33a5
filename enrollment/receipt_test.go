package enrollment_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// A step-up counts for its purpose and its user, for as long as the host says.
func TestRecent(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice, bob := k.Enroll("alice"), k.Enroll("bob")
	at := k.Now()
	receipt := alice.Verify("delete-project").Receipt
	recent := func(user string, p enrollment.Purpose, within time.Duration) (enrollment.Success, error) {
		return k.Guard.RecentlyVerified(t.Context(), user, p, receipt, within)
	}
	k.Unchanged("alice", func() {
		ok, err := recent("alice", "delete-project", time.Hour)
		want := enrollment.Success{
			UserID: "alice", Purpose: "delete-project", Factor: enrollment.FactorTOTP, At: at, Receipt: receipt, Stamp: k.Status("alice").Stamp, CodesLeft: 10,
		}
		if err != nil || !reflect.DeepEqual(ok, want) {
			t.Errorf("%+v, %v, want %+v", ok, err, want)
		}
		for name, x := range map[string]struct {
			user    string
			purpose enrollment.Purpose
			receipt enrollment.Receipt
		}{
			"another purpose":   {"alice", "delete-account", receipt},
			"a sign-in":         {"alice", enrollment.PurposeSignIn, receipt},
			"another user":      {"bob", "delete-project", receipt},
			"somebody unknown":  {"carol", "delete-project", receipt},
			"nothing":           {"alice", "delete-project", enrollment.Receipt{}},
			"another's receipt": {"alice", "delete-project", bob.Verify("delete-project").Receipt},
			"a challenge":       {"alice", "delete-project", enrollment.ReceiptOf(k.SignIn("alice", enrollment.SignInOptions{Purpose: "delete-project"}).Challenge.Reveal())},
			"1 MiB":             {"alice", "delete-project", enrollment.ReceiptOf(strings.Repeat("A", 1<<20))},
		} {
			ok, err := k.Guard.RecentlyVerified(t.Context(), x.user, x.purpose, x.receipt, time.Hour)
			proving.Want(t, err, enrollment.ReasonProofInvalid)
			if !reflect.DeepEqual(ok, enrollment.Success{}) {
				t.Errorf("%s: %+v", name, ok)
			}
		}
	})
	for _, within := range []time.Duration{0, -1, 24*time.Hour + 1} {
		if ok, err := recent("alice", "delete-project", within); err == nil || proving.ReasonOf(err) != proving.Fault || ok.UserID != "" {
			t.Errorf("within %v: %v", within, err)
		}
	}
	for _, p := range []enrollment.Purpose{"", enrollment.PurposeSetup, "a\nb"} {
		if ok, err := recent("alice", p, time.Hour); proving.ReasonOf(err) != proving.Fault || ok.UserID != "" {
			t.Errorf("purpose %q: %v", p, err)
		}
	}
	if _, err := recent("", "delete-project", time.Hour); err == nil {
		t.Error("the empty user is taken")
	}
}

func TestRecentEnds(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	at := k.Now()
	receipt := alice.Verify("x").Receipt
	for after, want := range map[time.Duration]enrollment.Reason{
		-2 * time.Minute:             enrollment.ReasonProofStale, // the clock has jumped back
		-time.Minute:                 "",                          // another node's runs ahead
		0:                            "",
		time.Hour:                    "",
		time.Hour + time.Microsecond: enrollment.ReasonProofStale,
		365 * 24 * time.Hour:         enrollment.ReasonProofStale,
		-365 * 24 * time.Hour:        enrollment.ReasonProofStale,
	} {
		k.Pass(at.Add(after).Sub(k.Now()))
		_, err := k.Guard.RecentlyVerified(t.Context(), "alice", "x", receipt, time.Hour)
		if got := proving.ReasonOf(err); got != want {
			t.Errorf("after %v: %q, want %q", after, got, want)
		}
	}
	k.Pass(at.Add(time.Minute).Sub(k.Now()))
	if _, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(alice.Code())); err != nil {
		t.Fatal(err)
	}
	_, err := k.Guard.RecentlyVerified(t.Context(), "alice", "x", receipt, time.Hour)
	proving.Want(t, err, enrollment.ReasonProofInvalid)
}

// What the host is told is what is true now, also for a receipt of a recovery
// code, which outlives the change that it is itself.
func TestRecentAfterRecovery(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	ok, err := k.Guard.Verify(t.Context(), "alice", "x", alice.Codes[0])
	k.Must(err)
	again, err := k.Guard.RecentlyVerified(t.Context(), "alice", "x", ok.Receipt, time.Hour)
	if err != nil || again.Factor != enrollment.FactorRecovery || again.CodesLeft != 9 || !again.At.Equal(ok.At) {
		t.Errorf("%+v, %v", again, err)
	}
}
