package features

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// X17: sessions end when factors change. The one that made the change goes on.
func TestFeatureX17_OtherSessionsEnd(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	goesOn := func(session enrollment.Stamp) bool { return session == k.Status("alice").Stamp }
	d := k.SignIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
	early := d.Stamp
	if !goesOn(early) {
		t.Fatal("a session without a second factor does not go on")
	}
	alice := k.Enroll("alice")
	if goesOn(early) {
		t.Error("a session from before the second factor goes on")
	}

	laptop := k.In(k.Challenge("alice"), alice.Code()).Stamp
	k.NextCode(alice.Key)
	phone := k.In(k.Challenge("alice"), alice.Code()).Stamp
	if !goesOn(laptop) || !goesOn(phone) {
		t.Error("a session ends with a further sign-in")
	}
	k.NextCode(alice.Key)
	renewed, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
	k.Must(err)
	if goesOn(laptop) || !goesOn(renewed.Stamp) {
		t.Error("it is not the other session that ends")
	}
	k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(renewed.Receipt)))
	if goesOn(renewed.Stamp) || goesOn(early) {
		t.Error("a session from before goes on")
	}
}
